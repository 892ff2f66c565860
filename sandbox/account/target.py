"""What a GRANT or REVOKE is about: the account, one object, all objects of a kind, or future ones."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.account import names
from sandbox.account.errors import no_object, unsupported
from sandbox.account.kinds import ACCOUNT, IN_DATABASE, IN_SCHEMA, KINDS
from sandbox.account.naming import full_name, kind_next, plural_next
from sandbox.account.privileges import Rights
from sandbox.account.reader import Reader
from sandbox.account.state import State


@dataclass(frozen=True)
class Target:
    """`objects` are qualified names, [""] for the account; `in_kind` and `in_name` are of ALL and FUTURE."""

    kind: str
    objects: list[str]
    future: bool = False
    in_kind: str = ""
    in_name: str = ""

    @property
    def database(self) -> str:
        """The database in which the objects are, or which they are; empty for what is in none."""
        if self.in_name:
            return names.database_of(self.in_name)
        return names.database_of(self.objects[0]) if self.kind in ("DATABASE", *IN_DATABASE) else ""


def read_target(state: State, rights: Rights, reader: Reader) -> Target:
    """What follows ON."""
    if reader.take("ACCOUNT"):
        return Target(ACCOUNT, [""])
    for word in ("FUTURE", "ALL"):
        if reader.take(word):
            return _many(state, rights, reader, future=word == "FUTURE")
    kind = kind_next(reader)
    if kind is None or not KINDS[kind].creatable:
        raise unsupported(reader.sql)
    name = full_name(kind, reader.name(), rights.session)
    # Snowflake lets a view be named as a table, and the provider names it as what it is.
    item = state.get(kind, name)
    if item is None or not rights.sees(item):
        raise no_object(kind.capitalize(), name)
    return Target(kind, [name])


def _many(state: State, rights: Rights, reader: Reader, *, future: bool) -> Target:
    kind = plural_next(reader)
    if kind is None or (kind != "SCHEMA" and kind not in IN_SCHEMA and not (future and kind == "DATABASE ROLE")):
        raise unsupported(reader.sql)
    reader.need("IN")
    in_kind = "SCHEMA" if kind in IN_SCHEMA and reader.take("SCHEMA") else "DATABASE"
    if in_kind == "DATABASE":
        reader.need("DATABASE")
    in_name = full_name(in_kind, reader.name(), rights.session)
    item = state.get(in_kind, in_name)
    if item is None or not rights.sees(item):
        raise no_object(in_kind.capitalize(), in_name)
    objects = [] if future else [each.name for each in state.all(kind, in_name)]
    return Target(kind, objects, future, in_kind, in_name)
