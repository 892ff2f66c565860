"""The workspace's state in SQLite: every statement is committed before a call is answered, so a kill -9 loses nothing."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
create table if not exists ws_identity (
    name text primary key, kind text not null, id integer not null, display text not null, token_hash text unique);
create table if not exists ws_group (id integer primary key, name text unique not null);
create table if not exists ws_member (group_name text, member text, primary key (group_name, member));
create table if not exists ws_nested (group_name text, child text, primary key (group_name, child));
create table if not exists ws_directory (id integer primary key, path text unique not null);
create table if not exists ws_folder (
    id integer primary key, path text unique not null, url text not null, provider text not null, branch text not null);
create table if not exists ws_checkout (folder integer primary key);
create table if not exists ws_acl (
    kind text, object text, principal_kind text, principal text, level text,
    primary key (kind, object, principal_kind, principal));
create table if not exists ws_job (
    id integer primary key, creator text not null, created integer not null, settings text not null);
create table if not exists ws_run (
    id integer primary key, job_id integer not null, parent integer, body text not null);
create table if not exists ws_scope (name text primary key);
create table if not exists ws_secret (scope text, key text, value blob, updated integer, primary key (scope, key));
create table if not exists ws_secret_acl (scope text, principal text, permission text, primary key (scope, principal));
create table if not exists ws_git_credential (
    id integer primary key, identity text not null, provider text not null, username text);
create table if not exists ws_rule_set (principal text primary key, version integer not null, rules text not null);
create table if not exists ws_sequence (value integer not null);
"""
# Columns that a state folder of an earlier version may lack.
_COLUMNS = (
    ("ws_identity", "attributes", "text not null default '{}'"),
    ("ws_group", "attributes", "text not null default '{}'"),
    ("ws_folder", "sparse", "text"),
    ("ws_folder", "cli", "integer not null default 0"),
    ("ws_git_credential", "attributes", "text not null default '{}'"),
    ("ws_git_credential", "token", "blob"),
)


class Store:
    """One connection, used by one thread at a time."""

    def __init__(self, path: Path, schema: str = _SCHEMA, columns: tuple[tuple[str, str, str], ...] = _COLUMNS) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma busy_timeout = 10000")
        self._connection.executescript(schema)
        for table, column, kind in columns:
            if column not in {row["name"] for row in self._connection.execute(f"pragma table_info({table})")}:
                self._connection.execute(f"alter table {table} add column {column} {kind}")
        self._lock = threading.RLock()

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row, or None."""
        return next(iter(self.rows(sql, *values)), None)

    def write(self, sql: str, *values: Any) -> None:
        """One statement, committed when this returns."""
        with self._lock:
            self._connection.execute(sql, values)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Several reads and writes, all or none, and nobody else between them."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def new_id(self) -> int:
        """A number that no object of this workspace has had before."""
        with self.together():
            row = self.row("select value from ws_sequence")
            value = 4_000_000_001 if row is None else int(row["value"]) + 1
            if row is None:
                self.write("insert into ws_sequence values (?)", value)
            else:
                self.write("update ws_sequence set value = ?", value)
            return value
