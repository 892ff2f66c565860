"""What a session works in: USE, and ALTER SESSION.

https://docs.snowflake.com/en/sql-reference/sql/use and alter-session
"""

from __future__ import annotations

import json

from sandbox.account import known_parameters, names, sessions
from sandbox.account.definitions import use as set_in_use
from sandbox.account.errors import SqlError, cannot_be_performed, invalid, unsupported
from sandbox.account.naming import full_name
from sandbox.account.parameters import session_value
from sandbox.account.privileges import Hierarchy, Rights
from sandbox.account.reader import Reader
from sandbox.account.state import State
from sandbox.account.wire import Result, status

_DONE = "Statement executed successfully."


def use(state: State, rights: Rights, reader: Reader) -> Result:
    """USE ROLE, SECONDARY ROLES, WAREHOUSE, [DATABASE], [SCHEMA]; USE is read."""
    if reader.take("SECONDARY", "ROLES"):
        return _secondary(state, rights, reader)
    kind = next((word for word in ("ROLE", "WAREHOUSE", "DATABASE", "SCHEMA") if reader.take(word)), "")
    written = reader.name()
    reader.end()
    if not kind:
        kind = "DATABASE" if len(names.split(written)) == 1 else "SCHEMA"
    name = full_name(kind, written, rights.session)
    if kind == "ROLE":
        _role(state, rights, name)
    elif kind == "WAREHOUSE":
        if state.get("WAREHOUSE", name) is None:
            raise cannot_be_performed()
        rights.need("USAGE", "WAREHOUSE", name)
        rights.session.warehouse = name
    elif kind == "DATABASE":
        if not rights.uses("DATABASE", name):
            raise cannot_be_performed()
        public = f"{name}.PUBLIC"
        set_in_use(state, rights, name, public if rights.uses("SCHEMA", public) else None)
    else:
        if not (rights.uses("DATABASE", names.holder(name)) and rights.uses("SCHEMA", name)):
            raise cannot_be_performed()
        set_in_use(state, rights, names.holder(name), name)
    sessions.save(state, rights.session)
    return status(_DONE)


def _role(state: State, rights: Rights, name: str) -> None:
    _need_role(state, rights, name)
    rights.session.role = name


def _need_role(state: State, rights: Rights, name: str) -> None:
    if state.get("ROLE", name) is None:
        raise cannot_be_performed()
    if name not in Hierarchy(state).of_user(rights.session.user):
        message = (
            f"Requested role '{names.last(name)}' is not assigned to the executing user.  Specify another role to activate."
        )
        raise SqlError("003013", "42501", f"SQL access control error:\n{message}")


def _secondary(state: State, rights: Rights, reader: Reader) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/use-secondary-roles: ALL, NONE, or a list of roles."""
    chosen = next((word for word in ("ALL", "NONE") if reader.take(word)), "")
    if not chosen:
        named = [reader.name()]
        while reader.take(","):
            named.append(reader.name())
        for name in named:
            _need_role(state, rights, name)
        chosen = json.dumps(named)
    reader.end()
    rights.session.secondary = chosen
    sessions.save(state, rights.session)
    return status(_DONE)


def alter_session(state: State, rights: Rights, reader: Reader) -> Result:
    """ALTER SESSION SET | UNSET of parameters; ALTER SESSION is read. Those that change how values look are refused."""
    setting = reader.take("SET")
    if not setting:
        reader.need("UNSET")
    changed: dict[str, str | None] = {}
    while not reader.done:
        if changed:
            reader.take(",")
        key = reader.key() if setting else reader.kind("word").text
        if key not in known_parameters.SESSION:
            raise invalid(f"invalid parameter '{key}'")
        if key not in known_parameters.SETTABLE_IN_SESSION:
            raise unsupported(f"ALTER SESSION SET {key}")
        changed[key] = None
        if setting:
            changed[key] = session_value(key, reader.kind("word", "string", "number").text)
    if not changed:
        raise reader.unexpected()
    for key, value in changed.items():
        rights.session.parameters.pop(key, None)
        if value is not None:
            rights.session.parameters[key] = value
    sessions.save(state, rights.session)
    return status(_DONE)
