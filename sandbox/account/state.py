"""The account's state in SQLite: objects, grants, role grants and sessions, committed before a statement is answered."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SCHEMA = """
create table if not exists sf_object (
    id integer primary key, kind text not null, name text not null, owner text not null, created real not null,
    props text not null, unique (kind, name));
create table if not exists sf_grant (
    privilege text, kind text, name text, grantee_kind text, grantee text, option integer, by_role text, created real,
    primary key (privilege, kind, name, grantee_kind, grantee));
create table if not exists sf_future (
    privilege text, kind text, in_kind text, in_name text, grantee_kind text, grantee text, option integer, created real,
    primary key (privilege, kind, in_kind, in_name, grantee_kind, grantee));
create table if not exists sf_role_grant (
    role_kind text, role text, grantee_kind text, grantee text, by_role text, created real,
    primary key (role_kind, role, grantee_kind, grantee));
create table if not exists sf_session (
    id integer primary key autoincrement, token text unique, master text unique, user text, role text, database text,
    schema text, warehouse text, parameters text not null default '{}');
"""


@dataclass
class Object:
    """A database, schema, table, role, user, warehouse ...; `name` is qualified with dots, as Snowflake shows it."""

    id: int
    kind: str
    name: str
    owner: str
    created: float
    props: dict[str, Any] = field(default_factory=dict)

    @property
    def last_name(self) -> str:
        """The name without what holds it."""
        return self.name.rsplit(".", 1)[-1]

    @property
    def parent(self) -> str:
        """What holds it: the schema of a table, the database of a schema."""
        return self.name.rpartition(".")[0]


class State:
    """One connection, used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("pragma journal_mode = wal")
        self.connection.execute("pragma busy_timeout = 10000")
        self.connection.executescript(_SCHEMA)
        self.lock = threading.RLock()

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self.lock:
            return self.connection.execute(sql, values).fetchall()

    def write(self, sql: str, *values: Any) -> int:
        """One statement; returns how many rows it touched."""
        with self.lock:
            return self.connection.execute(sql, values).rowcount

    @contextmanager
    def together(self) -> Iterator[None]:
        """A statement's changes, all or none."""
        with self.lock:
            self.connection.execute("begin immediate")
            try:
                yield
            except BaseException:
                self.connection.execute("rollback")
                raise
            self.connection.execute("commit")

    def get(self, kind: str, name: str) -> Object | None:
        """The object of that kind and qualified name."""
        found = self.rows("select * from sf_object where kind = ? and name = ?", kind, name)
        return _object(found[0]) if found else None

    def all(self, kind: str) -> list[Object]:
        """Every object of a kind, by name."""
        return [_object(row) for row in self.rows("select * from sf_object where kind = ? order by name", kind)]

    def add(self, kind: str, name: str, owner: str, props: dict[str, Any]) -> Object:
        """A new object; its owner has OWNERSHIP as a grant, as Snowflake shows it."""
        now = time.time()
        self.write(
            "insert into sf_object (kind, name, owner, created, props) values (?, ?, ?, ?, ?)",
            kind,
            name,
            owner,
            now,
            json.dumps(props),
        )
        found = self.get(kind, name)
        assert found is not None
        return found

    def save(self, item: Object) -> None:
        """Changed properties or owner."""
        self.write(
            "update sf_object set props = ?, owner = ?, name = ? where id = ?",
            json.dumps(item.props),
            item.owner,
            item.name,
            item.id,
        )

    def remove(self, item: Object) -> None:
        """An object with everything in it and every grant on it and to it."""
        below = self.rows("select * from sf_object where name like ? || '.%'", item.name)
        holds = item.kind in ("DATABASE", "SCHEMA")
        for gone in [item, *([_object(row) for row in below] if holds else [])]:
            self.write("delete from sf_object where id = ?", gone.id)
            self.write("delete from sf_grant where kind = ? and name = ?", gone.kind, gone.name)
            self.write("delete from sf_future where in_kind = ? and in_name = ?", gone.kind, gone.name)
            if gone.kind in ("TABLE", "VIEW"):
                self.write(f"drop {gone.kind} if exists sf_data_{gone.id}")
            if gone.kind in ("ROLE", "DATABASE ROLE", "USER"):
                for table in ("sf_grant", "sf_future", "sf_role_grant"):
                    self.write(f"delete from {table} where grantee_kind = ? and grantee = ?", gone.kind, gone.name)
                self.write("delete from sf_role_grant where role_kind = ? and role = ?", gone.kind, gone.name)


def _object(row: sqlite3.Row) -> Object:
    return Object(row["id"], row["kind"], row["name"], row["owner"], row["created"], json.loads(row["props"]))
