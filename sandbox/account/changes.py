"""ALTER of what has only properties: SET, UNSET, RENAME TO, managed access, a warehouse's state, a monitor's triggers."""

from __future__ import annotations

from sandbox.account import names, properties, users
from sandbox.account.definitions import check_values, need_create
from sandbox.account.errors import SqlError, denied, exists, invalid, no_object, unsupported
from sandbox.account.kinds import ACCOUNT, KINDS
from sandbox.account.naming import full_name
from sandbox.account.privileges import SYSTEM_ROLES, Rights
from sandbox.account.reader import Reader
from sandbox.account.state import Object, State
from sandbox.account.wire import Result, status

_DONE = "Statement executed successfully."
_NO_RENAME = ("RESOURCE MONITOR", "SHARE")
# UNSET of a warehouse gives no default, as the provider's own tests found.
_NO_DEFAULT, _UNSET = ("WAREHOUSE_TYPE", "SCALING_POLICY"), {"AUTO_SUSPEND": "0", "AUTO_RESUME": "false"}
_WITH_MODIFY = ("SCHEMA", "DATABASE", "WAREHOUSE", "RESOURCE MONITOR")


def alter(state: State, rights: Rights, reader: Reader, kind: str) -> Result:
    """ALTER <kind> [IF EXISTS] <name> ...; ALTER and the kind are read."""
    only_if_there = reader.take("IF", "EXISTS")
    name = full_name(kind, reader.name(), rights.session)
    item = state.get(kind, name)
    if item is None or not rights.sees(item):
        if item is None and only_if_there:
            return status(_DONE)
        raise no_object(kind.capitalize(), name)
    if kind not in _NO_RENAME and reader.take("RENAME", "TO"):
        return _rename(state, rights, reader, item)
    for word, on in (("ENABLE", True), ("DISABLE", False)):
        if kind == "SCHEMA" and reader.take(word, "MANAGED", "ACCESS"):
            return _managed(state, rights, reader, item, on=on)
    for word, on in (("RESUME", True), ("SUSPEND", False)):
        if kind == "WAREHOUSE" and reader.take(word):
            return _switch(state, rights, reader, item, on=on)
    _need_modify(rights, item)
    if reader.take("SET"):
        _set(state, reader, item)
    elif reader.take("UNSET"):
        _unset(item, properties.read_keys(reader, kind))
    elif kind == "RESOURCE MONITOR" and (token := reader.peek()) is not None and token.text == "TRIGGERS":
        _set(state, reader, item)
    elif reader.done:
        raise reader.unexpected()
    else:
        raise unsupported(reader.sql)
    state.save(item)
    return status(_DONE)


def _set(state: State, reader: Reader, item: Object) -> None:
    if reader.done:
        raise reader.unexpected()
    given = properties.read(reader, item.kind)
    if item.kind == "USER":
        given = users.prepare(given, str(given.get("TYPE") or item.props.get("TYPE", "PERSON")))
    if "INITIALLY_SUSPENDED" in given:
        raise invalid("invalid property 'INITIALLY_SUSPENDED' for 'WAREHOUSE'")
    given.pop("WAIT_FOR_COMPLETION", None)
    check_values(state, item.kind, given, item)
    item.props |= given
    item.props = {key: value for key, value in item.props.items() if value is not None}


def _unset(item: Object, keys: list[str]) -> None:
    if item.kind == "USER":
        users.check_unset(keys, str(item.props.get("TYPE", "PERSON")))
    for key in keys:
        item.props.pop(key, None)
        if item.kind == "WAREHOUSE" and key in _NO_DEFAULT:
            raise invalid(f"invalid type of property 'null' for '{key}'")
        if item.kind == "WAREHOUSE" and key in _UNSET:
            item.props[key] = _UNSET[key]


def _rename(state: State, rights: Rights, reader: Reader, item: Object) -> Result:
    new = full_name(item.kind, reader.name(), rights.session)
    reader.end()
    if item.kind == "ROLE" and item.name in SYSTEM_ROLES:
        raise denied(item.kind, item.last_name)
    rights.need_owner(item)
    if names.holder(new) != item.parent or KINDS[item.kind].made_in == ACCOUNT:
        need_create(state, rights, item.kind, new)
    if item.kind == "DATABASE ROLE" and names.holder(new) != item.parent:
        raise invalid("A database role cannot be moved to another database.")
    if state.get(item.kind, new):
        raise exists(names.last(new))
    with state.together():
        for user in state.all("USER") if item.kind == "NETWORK POLICY" else []:
            if user.props.get("NETWORK_POLICY") == item.name:
                user.props["NETWORK_POLICY"] = new
                state.save(user)
        state.rename(item, new)
    return status(_DONE)


def _managed(state: State, rights: Rights, reader: Reader, item: Object, *, on: bool) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/alter-schema: the owner, who also has MANAGE GRANTS"""
    reader.end()
    rights.need_owner(item)
    if not rights.manages_grants:
        raise denied(item.kind, item.last_name)
    item.props.pop("MANAGED ACCESS", None)
    if on:
        item.props["MANAGED ACCESS"] = True
    state.save(item)
    return status(_DONE)


def _switch(state: State, rights: Rights, reader: Reader, item: Object, *, on: bool) -> Result:
    if_suspended = on and reader.take("IF", "SUSPENDED")
    reader.end()
    rights.need("OPERATE", "WAREHOUSE", item.name)
    running = item.props.get("INITIALLY_SUSPENDED") != "true"
    if running == on and not if_suspended:
        code, what = ("090063", "resumed") if on else ("090064", "suspended")
        raise SqlError(code, "22000", f"Invalid state. Warehouse '{item.last_name}' cannot be {what}.")
    item.props["INITIALLY_SUSPENDED"] = "false" if on else "true"
    state.save(item)
    return status(_DONE)


def _need_modify(rights: Rights, item: Object) -> None:
    if item.kind in _WITH_MODIFY and rights.has("MODIFY", item.kind, item.name):
        return
    rights.need_owner(item)
