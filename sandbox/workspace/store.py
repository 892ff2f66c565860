"""The workspace's state: its tables, and numbers of objects."""

from __future__ import annotations

from pathlib import Path

from sandbox.sqlite import Database

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


class Store(Database):
    """The workspace's tables."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.script(_SCHEMA)
        for table, column, kind in _COLUMNS:
            if column not in {row["name"] for row in self.rows(f"pragma table_info({table})")}:
                self.write(f"alter table {table} add column {column} {kind}")

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
