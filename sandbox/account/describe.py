"""DESCRIBE of databases, schemas, users, warehouses, network policies, tables and views, with Snowflake's columns."""

from __future__ import annotations

from typing import Any

from sandbox.account import users
from sandbox.account.errors import denied, no_object, unsupported
from sandbox.account.kinds import IN_SCHEMA
from sandbox.account.naming import full_name, kind_next
from sandbox.account.privileges import Rights
from sandbox.account.reader import Reader
from sandbox.account.show import information_schemas
from sandbox.account.state import Object, State
from sandbox.account.wire import TEXT, TIME, Result

_COLUMNS = (
    "name", "type", "kind", "null?", "default", "primary key", "unique key", "check", "expression", "comment",
    "policy name", "privacy domain",
)  # fmt: skip


def describe(state: State, rights: Rights, reader: Reader) -> Result:
    """DESCRIBE | DESC <kind> <name>; the first word is read."""
    kind = kind_next(reader)
    if kind not in ("SCHEMA", "DATABASE", "USER", "WAREHOUSE", "NETWORK POLICY", "TABLE", "VIEW"):
        raise unsupported(reader.sql)
    name = full_name(kind, reader.name(), rights.session)
    if kind in ("TABLE", "VIEW") and reader.take("TYPE", "=") and not reader.take("COLUMNS"):
        raise unsupported(reader.sql)
    reader.end()
    item = state.relation(name, rights.session.id) if kind in ("TABLE", "VIEW") else state.get(kind, name)
    if item is None or not rights.sees(item):
        raise no_object(kind.capitalize() if kind not in ("TABLE", "VIEW") else "Object", name)
    if kind in ("TABLE", "VIEW"):
        return _columns(item)
    if kind == "USER":
        if not rights.knows(item):
            raise denied(kind, item.last_name)
        return Result([(name, TEXT) for name in ("property", "value", "default", "description")], users.described(item))
    if kind == "NETWORK POLICY":
        shown = [[key, ",".join(item.props[key])] for key in ("ALLOWED_IP_LIST", "BLOCKED_IP_LIST") if item.props.get(key)]
        return Result([("name", TEXT), ("value", TEXT)], shown)
    columns = [("created_on", TIME), ("name", TEXT), ("kind", TEXT)]
    if kind == "WAREHOUSE":
        return Result(columns, [[item.created, item.last_name, "WAREHOUSE"]])
    inside = ("SCHEMA",) if kind == "DATABASE" else IN_SCHEMA
    found = [each for below in inside for each in state.all(below, name) if rights.sees(each)]
    if kind == "DATABASE":
        found = sorted([*found, *information_schemas(state, rights, name)], key=lambda each: each.name)
    return Result(columns, [[each.created, each.last_name, each.kind] for each in found])


def _columns(item: Object) -> Result:
    rows: list[list[Any]] = []
    for column in item.props["columns"]:
        null, primary, unique = (("Y" if column.get(key) else "N") for key in ("null", "primary", "unique"))
        rows.append(
            [
                column["name"], column["type"], "COLUMN", null, column.get("default"), primary, unique, None, None,
                column.get("comment"), None, None,
            ]
        )  # fmt: skip
    return Result([(name, TEXT) for name in _COLUMNS], rows)
