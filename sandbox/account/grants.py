"""GRANT and REVOKE of privileges: on objects, on all and on future ones, to roles, database roles and shares.

https://docs.snowflake.com/en/sql-reference/sql/grant-privilege and revoke-privilege
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox import clock
from sandbox.account import names, ownership, role_grants
from sandbox.account.errors import SqlError, denied, dependent_grant, invalid, no_object, unsupported
from sandbox.account.kinds import ACCOUNT, NEEDS_ORGANIZATION, privileges_on
from sandbox.account.naming import full_name
from sandbox.account.privileges import Rights, Role, add_grant
from sandbox.account.reader import Reader
from sandbox.account.state import State
from sandbox.account.target import Target, read_target
from sandbox.account.wire import Result, status

_DONE = "Statement executed successfully."
# https://docs.snowflake.com/en/sql-reference/sql/grant-privilege-share
_TO_SHARE = {"DATABASE": ("USAGE", "REFERENCE_USAGE"), "SCHEMA": ("USAGE",), "TABLE": ("SELECT",), "VIEW": ("SELECT",)}


@dataclass(frozen=True)
class _Change:
    """One GRANT or REVOKE, read to its end."""

    giving: bool
    privileges: list[str]
    target: Target
    to: Role
    option: bool  # WITH GRANT OPTION, or GRANT OPTION FOR
    cascade: bool = False


def grant(state: State, rights: Rights, reader: Reader) -> Result:
    """GRANT ...; GRANT is read."""
    return _change(state, rights, reader, giving=True)


def revoke(state: State, rights: Rights, reader: Reader) -> Result:
    """REVOKE ...; REVOKE is read."""
    return _change(state, rights, reader, giving=False)


def _change(state: State, rights: Rights, reader: Reader, *, giving: bool) -> Result:
    for words in (("APPLICATION", "ROLE"), ("CALLER",), ("ALL", "CALLER"), ("INHERITED",)):
        if reader.take(*words):
            raise unsupported(("GRANT " if giving else "REVOKE ") + " ".join(words))
    for kind in ("DATABASE ROLE", "ROLE"):
        if reader.take(*kind.split()):
            return role_grants.change(state, rights, reader, kind, giving=giving)
    option = not giving and reader.take("GRANT", "OPTION", "FOR")
    wanted = reader.words_until("ON")
    reader.need("ON")
    target = read_target(state, rights, reader)
    reader.need("TO" if giving else "FROM")
    to = _grantee(state, rights, reader)
    if wanted == ["OWNERSHIP"]:
        return ownership.change(state, rights, reader, target, to, giving=giving)
    cascade = False
    if giving:
        option = reader.take("WITH", "GRANT", "OPTION")
    elif not reader.take("RESTRICT"):
        cascade = reader.take("CASCADE")
    reader.end()
    _check_grantee(target, to)
    change = _Change(giving, _spelled(wanted, target, to), target, to, option, cascade)
    with state.together():
        if target.future:
            _future(state, rights, change)
            return status(_DONE)
        refused = _each(state, rights, change)
    if refused and len(refused) == len(change.privileges) * len(target.objects):
        raise denied(target.kind, names.last(target.objects[0]) or "SANDBOX")
    if refused:
        which = ", ".join(sorted(set(refused)))
        code, verb, done = ("003011", "Grant", "granted") if giving else ("003012", "Revoke", "revoked")
        raise SqlError(code, "42501", f"{verb} partially executed: privileges [{which}] not {done}.")
    return status(_DONE)


def _each(state: State, rights: Rights, change: _Change) -> list[str]:
    """Does what the session may; returns the privileges that it may not grant, once an object."""
    refused = []
    for name in change.target.objects:
        for privilege in change.privileges:
            by = rights.grantor(change.target.kind, name, privilege)
            if by is None and not change.giving and privilege in NEEDS_ORGANIZATION:
                continue  # nobody holds it
            if by is None:
                refused.append(privilege)
            elif change.giving:
                add_grant(state, privilege, change.target.kind, name, change.to, int(change.option), by)
            else:
                _take(state, change, privilege, name)
    return refused


def _take(state: State, change: _Change, privilege: str, name: str) -> None:
    kind, cascade = change.target.kind, change.cascade
    where = "privilege = ? and kind = ? and name = ?"
    sql = f"select * from sf_grant where {where} and grantee_kind = ? and grantee = ?"
    held = state.rows(sql, privilege, kind, name, *change.to)
    if not held:
        return
    passed_on = f"select * from sf_grant where {where} and by_role = ? and not (grantee_kind = ? and grantee = ?)"
    owner = item.owner if kind != ACCOUNT and (item := state.get(kind, name)) is not None else ""
    if held[0]["option"] and change.to[1] != owner:
        for row in state.rows(passed_on, privilege, kind, name, change.to[1], *change.to):
            if not cascade:
                raise dependent_grant(privilege, name, row["grantee"])
            again = _Change(False, [privilege], change.target, (row["grantee_kind"], row["grantee"]), False, True)
            _take(state, again, privilege, name)
    verb = "update sf_grant set option = 0" if change.option else "delete from sf_grant"
    state.write(f"{verb} where {where} and grantee_kind = ? and grantee = ?", privilege, kind, name, *change.to)


def _future(state: State, rights: Rights, change: _Change) -> None:
    target = change.target
    ownership.need_future(state, rights, target)
    key = (target.kind, target.in_kind, target.in_name, *change.to)
    where = "kind = ? and in_kind = ? and in_name = ? and grantee_kind = ? and grantee = ?"
    for privilege in change.privileges:
        if change.giving:
            state.write(
                "insert into sf_future values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " on conflict do update set option = max(option, excluded.option)",
                privilege, *key, int(change.option), clock.now(), rights.session.role,
            )  # fmt: skip
        else:
            verb = "update sf_future set option = 0" if change.option else "delete from sf_future"
            state.write(f"{verb} where privilege = ? and {where}", privilege, *key)


def _grantee(state: State, rights: Rights, reader: Reader) -> Role:
    for kind in ("APPLICATION", "USER"):
        if reader.take(kind):
            raise unsupported(f"privileges granted to {kind}")
    kind = next((k for k in ("DATABASE ROLE", "SHARE", "ROLE") if reader.take(*k.split())), "ROLE")
    name = full_name(kind, reader.name(), rights.session)
    if state.get(kind, name) is None:
        raise no_object(kind.capitalize(), name)
    return kind, name


def _check_grantee(target: Target, to: Role) -> None:
    if to[0] == "DATABASE ROLE" and names.holder(to[1]) != target.database:
        raise invalid(
            f"Cannot grant privileges on objects outside of database {names.holder(to[1])} to database role '{to[1]}'."
        )
    if to[0] == "SHARE" and (target.future or target.kind not in _TO_SHARE):
        raise unsupported(f"privileges on {'future ' if target.future else ''}{target.kind} to a share")


def _spelled(wanted: list[str], target: Target, to: Role) -> list[str]:
    allowed = _TO_SHARE[target.kind] if to[0] == "SHARE" else privileges_on(target.kind)
    if wanted in (["ALL"], ["ALL PRIVILEGES"]):
        return list(allowed)
    for privilege in wanted:
        if privilege not in allowed:
            # 003008 is what the product answers: a privilege that this kind of object does not have
            raise SqlError("003008", "42601", f"SQL compilation error:\nInvalid privilege '{privilege}' for {target.kind}.")
    return wanted
