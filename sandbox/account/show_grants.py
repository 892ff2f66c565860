"""SHOW GRANTS and SHOW FUTURE GRANTS, with Snowflake's columns.

https://docs.snowflake.com/en/sql-reference/sql/show-grants
"""

from __future__ import annotations

from typing import Any

from sandbox.account import names
from sandbox.account.errors import no_object, unsupported
from sandbox.account.kinds import ACCOUNT, KINDS
from sandbox.account.naming import full_name, kind_next
from sandbox.account.privileges import Rights
from sandbox.account.reader import Reader
from sandbox.account.state import Object, State
from sandbox.account.wire import TEXT, TIME, Result
from sandbox.identities import SNOWFLAKE_ACCOUNT

_COLUMNS = ("created_on", "privilege", "granted_on", "name", "granted_to", "grantee_name", "grant_option", "granted_by")
_FUTURE = ("created_on", "privilege", "grant_on", "name", "grant_to", "grantee_name", "grant_option")
_TO_USER = (
    "created_on", "privilege", "granted_on", "name", "role", "granted_to", "grantee_name", "grant_option", "granted_by",
)  # fmt: skip
_ROLES = ("created_on", "role", "granted_to", "grantee_name", "granted_by")


def current(state: State, rights: Rights, reader: Reader) -> Result:
    """SHOW GRANTS [ON ... | OF ... | TO ...]; SHOW GRANTS is read."""
    if reader.done:
        return _to(state, "USER", rights.session.user)
    if reader.take("ON"):
        if reader.take("ACCOUNT"):
            reader.end()
            return _result(_COLUMNS, _rows(state, "kind = ?", ACCOUNT))
        kind = kind_next(reader)
        if kind is None or not KINDS[kind].creatable:
            raise unsupported(reader.sql)
        return _on(state, _found(state, rights, reader, kind))
    for word, kinds in (("OF", ("DATABASE ROLE", "ROLE")), ("TO", ("DATABASE ROLE", "ROLE", "USER", "SHARE"))):
        if reader.take(word):
            kind = next((each for each in kinds if reader.take(*each.split())), None)
            if kind is None:
                raise unsupported(reader.sql)
            item = _found(state, rights, reader, kind)
            return _of(state, item) if word == "OF" else _to(state, item.kind, item.name)
    raise reader.unexpected()


def future(state: State, rights: Rights, reader: Reader) -> Result:
    """SHOW FUTURE GRANTS IN SCHEMA | DATABASE, or TO ROLE | DATABASE ROLE; the first three words are read."""
    for word, kinds in (("IN", ("SCHEMA", "DATABASE")), ("TO", ("DATABASE ROLE", "ROLE"))):
        if not reader.take(word):
            continue
        kind = next((each for each in kinds if reader.take(*each.split())), None)
        if kind is None:
            raise reader.unexpected()
        item = _found(state, rights, reader, kind)
        where = "in_kind = ? and in_name = ?" if word == "IN" else "grantee_kind = ? and grantee = ?"
        rows = state.rows(f"select * from sf_future where {where} order by created, privilege", item.kind, item.name)
        return _result(
            _FUTURE,
            [
                [
                    row["created"], row["privilege"], _spelled(row["kind"]), f"{row['in_name']}.<{_spelled(row['kind'])}>",
                    _spelled(row["grantee_kind"]), names.last(row["grantee"]), _word(row["option"]),
                ]
                for row in rows
            ],
        )  # fmt: skip
    raise reader.unexpected()


def _found(state: State, rights: Rights, reader: Reader, kind: str) -> Object:
    name = full_name(kind, reader.name(), rights.session)
    reader.end()
    item = state.get(kind, name)
    if item is None or not rights.sees(item):
        raise no_object(kind.capitalize(), name)
    return item


def _on(state: State, item: Object) -> Result:
    rows = _rows(state, "kind = ? and name = ?", item.kind, item.name)
    rows += [
        [
            row["created"], "USAGE", _spelled(item.kind), item.name, *_grantee(row["grantee_kind"], row["grantee"]), "false",
            names.last(row["by_role"]),
        ]
        for row in state.rows("select * from sf_role_grant where role_kind = ? and role = ?", item.kind, item.name)
    ]  # fmt: skip
    if item.kind == "SCHEMA" and item.props.get("MANAGED ACCESS"):
        # https://docs.snowflake.com/en/release-notes/bcr-bundles/2023_08/bcr-1397
        held = _ownership(item)
        rows.insert(0, [held[0], "MANAGE GRANTS", *held[2:6], "false", held[7]])
    return _result(_COLUMNS, [_ownership(item), *rows])


def _of(state: State, item: Object) -> Result:
    """A database role is told as its qualified name, and so are the database roles that have it."""
    rows = state.rows("select * from sf_role_grant where role_kind = ? and role = ? order by grantee", item.kind, item.name)
    told = item.name if item.kind == "DATABASE ROLE" else item.last_name
    table = []
    for row in rows:
        grantee = row["grantee"] if row["grantee_kind"] == "DATABASE ROLE" else names.last(row["grantee"])
        table.append([row["created"], told, _spelled(row["grantee_kind"]), grantee, names.last(row["by_role"])])
    return _result(_ROLES, table)


def _to(state: State, kind: str, name: str) -> Result:
    held = state.rows("select * from sf_role_grant where grantee_kind = ? and grantee = ? order by role", kind, name)
    if kind == "USER":
        # https://docs.snowflake.com/en/release-notes/bcr-bundles/2025_01/bcr-1803
        return _result(
            _TO_USER,
            [
                [
                    row["created"], "USAGE", "ROLE", names.last(row["role"]), names.last(row["role"]), "USER",
                    names.last(name), "false", names.last(row["by_role"]),
                ]
                for row in held
            ],
        )  # fmt: skip
    rows = _rows(state, "grantee_kind = ? and grantee = ?", kind, name)
    if kind == "DATABASE ROLE" and (role := state.get(kind, name)) is not None:  # every one may use its own database
        rows.append([role.created, "USAGE", "DATABASE", role.parent, *_grantee(kind, name), "false", ""])
    for row in held:
        told = row["role"]
        rows.append(
            [
                row["created"],
                "USAGE",
                _spelled(row["role_kind"]),
                told,
                *_grantee(kind, name),
                "false",
                names.last(row["by_role"]),
            ]
        )
    owned = state.rows("select kind, name from sf_object where owner_kind = ? and owner = ? order by kind, name", kind, name)
    for row in owned:
        item = state.get(row["kind"], row["name"])
        assert item is not None
        rows.append(_ownership(item))
    return _result(_COLUMNS, rows)


def _rows(state: State, where: str, *values: Any) -> list[list[Any]]:
    rows = state.rows(f"select * from sf_grant where {where} order by name, privilege, grantee", *values)
    return [
        [
            row["created"], row["privilege"], _spelled(row["kind"]), row["name"] or SNOWFLAKE_ACCOUNT,
            *_grantee(row["grantee_kind"], row["grantee"]), _word(row["option"]), names.last(row["by_role"]),
        ]
        for row in rows
    ]  # fmt: skip


def _ownership(item: Object) -> list[Any]:
    # The ownership of a database role is told as of a ROLE (the provider's grant_ownership expects it).
    on = "ROLE" if item.kind == "DATABASE ROLE" else _spelled(item.kind)
    return [item.created, "OWNERSHIP", on, item.name, *_grantee(item.owner_kind, item.owner), "true", names.last(item.owner)]


def _grantee(kind: str, name: str) -> tuple[str, str]:
    """A database role is told without its database, a share with its account."""
    shown = names.last(name)
    return _spelled(kind), f"{SNOWFLAKE_ACCOUNT}.{shown}" if kind == "SHARE" else shown


def _spelled(kind: str) -> str:
    return kind.replace(" ", "_")


def _word(value: Any) -> str:
    return "true" if value else "false"


def _result(columns: tuple[str, ...], rows: list[list[Any]]) -> Result:
    return Result([(column, TIME if column == "created_on" else TEXT) for column in columns], rows)
