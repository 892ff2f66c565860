"""The account's state: objects, grants, role grants and sessions.

Rows of tables are kept in a file of their own (`rows.py`), so that an open transaction blocks nothing else.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox import clock
from sandbox.account import names
from sandbox.sqlite import Database

_VERSION = 3  # of the tables below; an older file's account is begun anew
_SCHEMA = """
create table if not exists sf_version (version integer);
create table if not exists sf_object (
    id integer primary key autoincrement, kind text not null, name text not null, owner_kind text not null default 'ROLE',
    owner text not null, created real not null, props text not null, unique (kind, name));
create table if not exists sf_grant (
    privilege text, kind text, name text, grantee_kind text, grantee text, option integer, by_role text, created real,
    primary key (privilege, kind, name, grantee_kind, grantee));
create table if not exists sf_future (
    privilege text, kind text, in_kind text, in_name text, grantee_kind text, grantee text, option integer, created real,
    by_role text, primary key (privilege, kind, in_kind, in_name, grantee_kind, grantee));
create table if not exists sf_role_grant (
    role_kind text, role text, grantee_kind text, grantee text, by_role text, created real,
    primary key (role_kind, role, grantee_kind, grantee));
create table if not exists sf_session (
    id integer primary key autoincrement, master text unique, master_expires real, user text, role text, secondary text,
    database text, schema text, warehouse text, parameters text not null default '{}', ended integer not null default 0);
create table if not exists sf_token (token text primary key, session integer, expires real);
"""
_GRANTEES = ("ROLE", "DATABASE ROLE", "USER", "SHARE")


@dataclass
class Object:
    """A database, schema, table, role, user, warehouse ...; `name` is qualified, as Snowflake shows it."""

    id: int
    kind: str
    name: str
    owner: str
    created: float
    props: dict[str, Any] = field(default_factory=dict)
    owner_kind: str = "ROLE"

    @property
    def last_name(self) -> str:
        """The plain name without what holds it."""
        return names.last(self.name)

    @property
    def parent(self) -> str:
        """What holds it: the schema of a table, the database of a schema."""
        return names.holder(self.name)


class State(Database):
    """The account's tables, and objects by their kind and name."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path
        self._prepare()

    def _prepare(self) -> None:
        tables = {row["name"] for row in self.rows("select name from sqlite_master where name like 'sf\\_%' escape '\\'")}
        if tables and ("sf_version" not in tables or self.rows("select version from sf_version")[0]["version"] != _VERSION):
            for table in sorted(tables):
                kind = self.rows("select type from sqlite_master where name = ?", table)[0]["type"]
                self.write(f"drop {kind} {table}")
        self.script(_SCHEMA)
        if not self.rows("select version from sf_version"):
            self.write("insert into sf_version values (?)", _VERSION)

    def get(self, kind: str, name: str) -> Object | None:
        """The object of that kind and qualified name."""
        found = self.rows("select * from sf_object where kind = ? and name = ?", kind, name)
        return _object(found[0]) if found else None

    @staticmethod
    def temporary(session: int) -> str:
        """The kind of a session's temporary tables, which nobody else sees."""
        return f"TEMPORARY TABLE OF {session}"

    def relation(self, name: str, session: int) -> Object | None:
        """The table or view of that name; a temporary table of the session hides the others."""
        return next((item for kind in (self.temporary(session), "TABLE", "VIEW") if (item := self.get(kind, name))), None)

    def all(self, kind: str, within: str = "") -> list[Object]:
        """Every object of a kind, by name; only those in `within` when it is given."""
        rows = self.rows(
            "select * from sf_object where kind = ? and substr(name, 1, ?) = ? order by name", kind, *_in(within)
        )
        return [_object(row) for row in rows]

    def add(self, kind: str, name: str, owner: str, props: dict[str, Any]) -> Object:
        """A new object; that its owner has OWNERSHIP is told by SHOW GRANTS and kept nowhere else."""
        sql = "insert into sf_object (kind, name, owner, created, props) values (?, ?, ?, ?, ?)"
        self.write(sql, kind, name, owner, clock.now(), json.dumps(props))
        found = self.get(kind, name)
        assert found is not None
        return found

    def save(self, item: Object) -> None:
        """Changed properties or owner."""
        sql = "update sf_object set props = ?, owner_kind = ?, owner = ? where id = ?"
        self.write(sql, json.dumps(item.props), item.owner_kind, item.owner, item.id)

    def below(self, item: Object) -> list[Object]:
        """What a database or a schema holds, at any depth."""
        if item.kind not in ("DATABASE", "SCHEMA"):
            return []
        rows = self.rows("select * from sf_object where substr(name, 1, ?) = ?", *_in(item.name))
        return [_object(row) for row in rows]

    def remove(self, item: Object, heir: str) -> None:
        """An object with everything in it and every grant on it and to it; what a role owned is the heir's."""
        for gone in [*self.below(item), item]:
            self.write("delete from sf_object where id = ?", gone.id)
            self.write("delete from sf_grant where kind = ? and name = ?", gone.kind, gone.name)
            self.write("delete from sf_future where in_kind = ? and in_name = ?", gone.kind, gone.name)
            if gone.kind in _GRANTEES:
                for table in ("sf_grant", "sf_future", "sf_role_grant"):
                    self.write(f"delete from {table} where grantee_kind = ? and grantee = ?", gone.kind, gone.name)
                self.write("delete from sf_role_grant where role_kind = ? and role = ?", gone.kind, gone.name)
                owned = "update sf_object set owner_kind = 'ROLE', owner = ? where owner_kind = ? and owner = ?"
                self.write(owned, heir, gone.kind, gone.name)

    def rename(self, item: Object, new: str) -> None:
        """Another name for an object, for everything in it, and wherever it is named."""
        old = item.name
        for each in [item, *self.below(item)]:
            to = new + each.name[len(old) :]
            self.write("update sf_object set name = ? where id = ?", to, each.id)
            self.write("update sf_grant set name = ? where kind = ? and name = ?", to, each.kind, each.name)
            self.write("update sf_future set in_name = ? where in_kind = ? and in_name = ?", to, each.kind, each.name)
            if each.kind in _GRANTEES:
                self._rename_grantee(each, to)
            if each.kind in ("ROLE", "USER", "DATABASE", "WAREHOUSE"):
                column = each.kind.lower()
                self.write(f"update sf_session set {column} = ? where {column} = ?", to, each.name)
            if each.kind == "SCHEMA":
                change = "update sf_session set schema = ? where database = ? and schema = ?"
                self.write(change, _last(to), names.database_of(each.name), _last(each.name))

    def _rename_grantee(self, item: Object, to: str) -> None:
        for table in ("sf_grant", "sf_future", "sf_role_grant"):
            change = f"update {table} set grantee = ? where grantee_kind = ? and grantee = ?"
            self.write(change, to, item.kind, item.name)
        self.write("update sf_role_grant set role = ? where role_kind = ? and role = ?", to, item.kind, item.name)
        self.write("update sf_object set owner = ? where owner_kind = ? and owner = ?", to, item.kind, item.name)
        if item.kind == "ROLE":
            for table in ("sf_grant", "sf_future", "sf_role_grant"):
                self.write(f"update {table} set by_role = ? where by_role = ?", to, item.name)


def _last(name: str) -> str:
    return names.quoted_if_needed(names.last(name))


def _in(within: str) -> tuple[int, str]:
    prefix = f"{within}." if within else ""
    return len(prefix), prefix


def _object(row: sqlite3.Row) -> Object:
    props = json.loads(row["props"])
    return Object(row["id"], row["kind"], row["name"], row["owner"], row["created"], props, row["owner_kind"])
