"""GRANT and REVOKE: privileges on objects, on all and on future ones, and roles."""

from __future__ import annotations

import time

from sandbox.account.definitions import full_name, kind_next
from sandbox.account.errors import SqlError, denied, invalid, no_object, unsupported
from sandbox.account.privileges import ACCOUNT, Rights, Role, add_grant
from sandbox.account.reader import Reader
from sandbox.account.state import State
from sandbox.account.wire import Result, status

_CREATE_IN_SCHEMA = tuple(
    f"CREATE {kind}"
    for kind in ("TABLE", "VIEW", "STAGE", "FILE FORMAT", "SEQUENCE", "FUNCTION", "PROCEDURE", "TASK", "STREAM", "PIPE")
)
# What may be granted on what, as SHOW GRANTS spells it: https://docs.snowflake.com/en/user-guide/security-access-control-privileges
_ALLOWED: dict[str, tuple[str, ...]] = {
    ACCOUNT: (
        "CREATE DATABASE", "CREATE ROLE", "CREATE USER", "CREATE WAREHOUSE", "MANAGE GRANTS",
        "MONITOR USAGE", "CREATE NETWORK POLICY", "EXECUTE TASK", "MONITOR",
    ),
    "DATABASE": ("USAGE", "MONITOR", "MODIFY", "CREATE SCHEMA", "CREATE DATABASE ROLE"),
    "SCHEMA": ("USAGE", "MONITOR", "MODIFY", *_CREATE_IN_SCHEMA),
    "TABLE": ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES"),
    "VIEW": ("SELECT", "REFERENCES"),
    "SEQUENCE": ("USAGE",),
    "STAGE": ("READ", "WRITE", "USAGE"),
    "WAREHOUSE": ("USAGE", "OPERATE", "MONITOR", "MODIFY"),
    "RESOURCE MONITOR": ("MONITOR", "MODIFY"),
    "USER": ("MONITOR",),
}  # fmt: skip
_PLURALS = {"TABLES": "TABLE", "VIEWS": "VIEW", "SCHEMAS": "SCHEMA", "SEQUENCES": "SEQUENCE", "STAGES": "STAGE"}


def grant(state: State, rights: Rights, reader: Reader) -> Result:
    """GRANT ..."""
    return _roles(state, rights, reader, giving=True) or _privileges(state, rights, reader, giving=True)


def revoke(state: State, rights: Rights, reader: Reader) -> Result:
    """REVOKE ..."""
    return _roles(state, rights, reader, giving=False) or _privileges(state, rights, reader, giving=False)


def _roles(state: State, rights: Rights, reader: Reader, *, giving: bool) -> Result | None:
    """GRANT [DATABASE] ROLE x TO ROLE | USER | DATABASE ROLE y"""
    kind = "DATABASE ROLE" if reader.take("DATABASE", "ROLE") else ("ROLE" if reader.take("ROLE") else "")
    if not kind:
        return None
    name = full_name(kind, reader.name(), rights)
    item = state.get(kind, name)
    if item is None:
        raise no_object(kind.capitalize(), name)
    reader.need("TO" if giving else "FROM")
    to_kind = next((k for k in ("DATABASE ROLE", "ROLE", "USER") if reader.take(*k.split())), None)
    if to_kind is None or (to_kind == "USER" and kind == "DATABASE ROLE"):
        raise reader.unexpected()
    to = full_name(to_kind, reader.name(), rights)
    reader.end()
    if state.get(to_kind, to) is None:
        raise no_object(to_kind.capitalize(), to)
    if not (rights.owns(item) or rights.manages_grants):
        raise denied(kind, item.last_name)
    if giving:
        by = rights.session.role or ""
        state.write(
            "insert or replace into sf_role_grant values (?, ?, ?, ?, ?, ?)", kind, name, to_kind, to, by, time.time()
        )
    else:
        state.write(
            "delete from sf_role_grant where role_kind = ? and role = ? and grantee_kind = ? and grantee = ?",
            kind, name, to_kind, to,
        )  # fmt: skip
    return status("Statement executed successfully.")


def _privileges(state: State, rights: Rights, reader: Reader, *, giving: bool) -> Result:
    only_option = not giving and reader.take("GRANT", "OPTION", "FOR")
    wanted = reader.words_until("ON")
    reader.need("ON")
    future, everything = reader.take("FUTURE"), reader.take("ALL")
    if future or everything:
        kind = _PLURALS.get(reader.any().text, "")
        if not kind:
            raise unsupported(reader.sql)
        reader.need("IN")
        in_kind = "SCHEMA" if reader.take("SCHEMA") else "DATABASE"
        if in_kind == "DATABASE":
            reader.need("DATABASE")
        in_name = full_name(in_kind, reader.name(), rights)
        if state.get(in_kind, in_name) is None:
            raise no_object(in_kind.capitalize(), in_name)
        to = _grantee(state, rights, reader, giving)
        option = int(reader.take("WITH", "GRANT", "OPTION"))
        _end(reader)
        names = _spelled(wanted, kind)
        if future:
            _need_future(state, rights, in_kind, in_name)
            for privilege in names:
                _future(state, privilege, kind, in_kind, in_name, to, option, giving=giving)
        else:
            inside = [item for item in state.all(kind) if item.name.startswith(f"{in_name}.")]
            for item in inside:
                _each(state, rights, names, kind, item.name, to, option, giving=giving, only_option=only_option)
        return status("Statement executed successfully.")
    if reader.take("ACCOUNT"):
        kind, name = ACCOUNT, ""
    else:
        found = kind_next(reader)
        if found is None or found not in _ALLOWED:
            raise unsupported(reader.sql)
        kind, name = found, full_name(found, reader.name(), rights)
        if (item_there := state.get(kind, name)) is None or not (rights.sees(item_there)):
            raise no_object(kind.capitalize(), name)
    to = _grantee(state, rights, reader, giving)
    option = int(reader.take("WITH", "GRANT", "OPTION"))
    _end(reader)
    if wanted == ["OWNERSHIP"]:
        return _ownership(state, rights, kind, name, to, giving=giving)
    _each(state, rights, _spelled(wanted, kind), kind, name, to, option, giving=giving, only_option=only_option)
    return status("Statement executed successfully.")


def _end(reader: Reader) -> None:
    for words in (("COPY", "CURRENT", "GRANTS"), ("REVOKE", "CURRENT", "GRANTS"), ("CASCADE",), ("RESTRICT",)):
        reader.take(*words)
    reader.end()


def _each(
    state: State, rights: Rights, privileges: list[str], kind: str, name: str, to: Role, option: int, *, giving: bool,
    only_option: bool,
) -> None:  # fmt: skip
    for privilege in privileges:
        if not rights.may_grant(kind, name, privilege):
            raise denied(kind, name.rsplit(".", 1)[-1] or "SANDBOX")
    with state.together():
        for privilege in privileges:
            if giving:
                add_grant(state, privilege, kind, name, to, option, rights.session.role or "")
                continue
            where = "privilege = ? and kind = ? and name = ? and grantee_kind = ? and grantee = ?"
            change = "update sf_grant set option = 0" if only_option else "delete from sf_grant"
            state.write(f"{change} where {where}", privilege, kind, name, *to)


def _future(
    state: State, privilege: str, kind: str, in_kind: str, in_name: str, to: Role, option: int, *, giving: bool
) -> None:
    if giving:
        state.write(
            "insert or replace into sf_future values (?, ?, ?, ?, ?, ?, ?, ?)",
            privilege, kind, in_kind, in_name, *to, option, time.time(),
        )  # fmt: skip
    else:
        state.write(
            "delete from sf_future where privilege = ? and kind = ? and in_kind = ? and in_name = ? and grantee_kind = ?"
            " and grantee = ?",
            privilege, kind, in_kind, in_name, *to,
        )  # fmt: skip


def _ownership(state: State, rights: Rights, kind: str, name: str, to: Role, *, giving: bool) -> Result:
    item = state.get(kind, name)
    if item is None or not giving or to[0] != "ROLE":
        raise unsupported(f"OWNERSHIP ON {kind} {name} TO {to[0]}")
    if not (rights.owns(item) or rights.manages_grants):
        raise denied(kind, item.last_name)
    item.owner = to[1]
    state.save(item)
    return status("Statement executed successfully.")


def _need_future(state: State, rights: Rights, in_kind: str, in_name: str) -> None:
    item = state.get(in_kind, in_name)
    managed = in_kind == "SCHEMA" and item is not None and item.props.get("MANAGED ACCESS")
    if not (rights.manages_grants or (managed and item is not None and rights.owns(item))):
        raise denied(in_kind, in_name.rsplit(".", 1)[-1])


def _grantee(state: State, rights: Rights, reader: Reader, giving: bool) -> Role:
    reader.need("TO" if giving else "FROM")
    kind = "DATABASE ROLE" if reader.take("DATABASE", "ROLE") else "ROLE"
    if kind == "ROLE":
        reader.take("ROLE")
    name = full_name(kind, reader.name(), rights)
    if state.get(kind, name) is None:
        raise no_object(kind.capitalize() if kind == "DATABASE ROLE" else "Role", name)
    return kind, name


def _spelled(wanted: list[str], kind: str) -> list[str]:
    allowed = _ALLOWED[kind]
    if wanted in (["ALL"], ["ALL PRIVILEGES"]):
        return list(allowed)
    for privilege in wanted:
        if privilege not in allowed:
            raise _not_allowed(privilege, kind)
    return wanted


def _not_allowed(privilege: str, kind: str) -> SqlError:
    return invalid(f"Invalid privilege '{privilege}' on {kind}: allowed are {', '.join(_ALLOWED[kind])}.")
