"""The forge's state, in a file of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sandbox.sqlite import Database

Json = dict[str, Any]

_SCHEMA = """
create table if not exists fg_user (
    id integer primary key, username text unique not null, name text not null, email text not null,
    level integer not null, bot integer not null, token_hash text unique);
create table if not exists fg_group (id integer primary key, path text unique not null);
create table if not exists fg_group_member (
    group_id integer, user_id integer, level integer not null, primary key (group_id, user_id));
create table if not exists fg_setting (name text primary key, value text not null);
create table if not exists fg_object (
    kind text, id integer, owner text not null default '', body text not null, primary key (kind, id));
create table if not exists fg_approval (
    iid integer, user_id integer, sha text not null, at text not null, primary key (iid, user_id));
create table if not exists fg_sequence (kind text primary key, value integer not null);
"""


class Store(Database):
    """Its tables, and objects kept as JSON under their kind and number.

    `owner` says whose they are: the merge request of a note, "branch" or "tag" of a protection.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.script(_SCHEMA)

    def next(self, kind: str) -> int:
        """A number that no object of this kind has had before."""
        with self.together():
            row = self.row("select value from fg_sequence where kind = ?", kind)
            value = int(row["value"]) + 1 if row else 1
            self.write("insert or replace into fg_sequence values (?, ?)", kind, value)
            return value

    def get(self, kind: str, number: int) -> Json | None:
        """One object."""
        row = self.row("select body from fg_object where kind = ? and id = ?", kind, number)
        return None if row is None else dict(json.loads(row["body"]))

    def all(self, kind: str, owner: str = "") -> list[Json]:
        """All objects of a kind, oldest first."""
        rows = self.rows("select body from fg_object where kind = ? and owner = ? order by id", kind, owner)
        return [json.loads(row["body"]) for row in rows]

    def put(self, kind: str, number: int, body: Json, owner: str = "") -> None:
        """Write an object, new or changed."""
        self.write("insert or replace into fg_object values (?, ?, ?, ?)", kind, number, owner, json.dumps(body))

    def drop(self, kind: str, number: int) -> None:
        """Delete an object."""
        self.write("delete from fg_object where kind = ? and id = ?", kind, number)

    def setting(self, name: str, default: Json) -> Json:
        """What is set on top of the defaults."""
        row = self.row("select value from fg_setting where name = ?", name)
        return {**default, **(json.loads(row["value"]) if row else {})}

    def set(self, name: str, value: Json) -> None:
        """Write a group of settings."""
        self.write("insert or replace into fg_setting values (?, ?)", name, json.dumps(value))
