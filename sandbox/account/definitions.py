"""CREATE, ALTER, DROP, DESCRIBE and USE of databases, schemas, roles, users, warehouses and resource monitors."""

from __future__ import annotations

from typing import Any

from sandbox.account.errors import denied, exists, invalid, no_object
from sandbox.account.privileges import ACCOUNT, Rights, apply_future_grants, roles_of_user
from sandbox.account.reader import Reader
from sandbox.account.state import Object, State
from sandbox.account.wire import Result, status

# In the order in which they are tried, longest first.
KINDS = (
    "DATABASE ROLE",
    "RESOURCE MONITOR",
    "NETWORK POLICY",
    "DATABASE",
    "SCHEMA",
    "ROLE",
    "USER",
    "WAREHOUSE",
    "TABLE",
    "VIEW",
    "SEQUENCE",
    "STAGE",
)
IN_SCHEMA = ("TABLE", "VIEW", "SEQUENCE", "STAGE")
_HELD = {"SCHEMA": "DATABASE", "DATABASE ROLE": "DATABASE"} | dict.fromkeys(IN_SCHEMA, "SCHEMA")


def kind_next(reader: Reader) -> str | None:
    """The object kind that comes next, taken."""
    return next((kind for kind in KINDS if reader.take(*kind.split())), None)


def full_name(kind: str, name: str, rights: Rights) -> str:
    """The name with the session's database and schema where they are left out."""
    session = rights.session
    parts = name.split(".")
    if kind in ("SCHEMA", "DATABASE ROLE") and len(parts) == 1:
        parts = [*([session.database] if session.database else []), *parts]
    elif kind in IN_SCHEMA:
        if len(parts) == 1 and session.schema:
            parts = [session.schema, *parts]
        if len(parts) == 2 and session.database:
            parts = [session.database, *parts]
    depth = 3 if kind in IN_SCHEMA else 2 if kind in _HELD else 1
    if len(parts) != depth:
        raise invalid(f"Cannot perform operation on {kind} '{name}': this session has no current database or schema.")
    return ".".join(parts)


def create(state: State, rights: Rights, reader: Reader, kind: str) -> Result:
    """CREATE <kind>, of what is no table and no view."""
    reader.take("IF", "NOT", "EXISTS")
    only_if_missing = reader.sql.upper().find("IF NOT EXISTS") >= 0
    name = full_name(kind, reader.name(), rights)
    managed = reader.take("WITH", "MANAGED", "ACCESS")
    reader.take("WITH")
    props = {**reader.properties(), **({"MANAGED ACCESS": True} if managed else {})}
    held_by = _HELD.get(kind)
    if held_by:
        parent = name.rpartition(".")[0]
        if state.get(held_by, parent) is None:
            raise no_object(held_by.capitalize(), parent)
        if held_by == "SCHEMA":
            rights.need_usage(parent)
        rights.need(f"CREATE {kind}", held_by, parent)
    else:
        rights.need(f"CREATE {kind}", ACCOUNT, "")
    if state.get(kind, name) is not None:
        if only_if_missing:
            return status(f"{name.rsplit('.', 1)[-1]} already exists, statement succeeded.")
        raise exists(name.rsplit(".", 1)[-1])
    owner = rights.session.role or "PUBLIC"
    with state.together():
        state.add(kind, name, owner, props)
        if kind == "DATABASE":
            state.add("SCHEMA", f"{name}.PUBLIC", owner, {})
        if kind in IN_SCHEMA and (made := state.get(kind, name)) is not None:
            apply_future_grants(state, made)
    return status(f"{kind.capitalize()} {name.rsplit('.', 1)[-1]} successfully created.")


def alter(state: State, rights: Rights, reader: Reader, kind: str) -> Result:
    """ALTER <kind> ... SET, UNSET, RENAME TO, ENABLE or DISABLE MANAGED ACCESS"""
    only_if_there = reader.take("IF", "EXISTS")
    name = full_name(kind, reader.name(), rights)
    item = state.get(kind, name)
    if item is None:
        if only_if_there:
            return status("Statement executed successfully.")
        raise no_object(kind.capitalize(), name)
    _need_modify(rights, item)
    if reader.take("RENAME", "TO"):
        new = full_name(kind, reader.name(), rights)
        if state.get(kind, new):
            raise exists(new)
        raise invalid("RENAME is not emulated by this sandbox.")
    if reader.take("ENABLE", "MANAGED", "ACCESS"):
        item.props["MANAGED ACCESS"] = True
    elif reader.take("DISABLE", "MANAGED", "ACCESS"):
        item.props.pop("MANAGED ACCESS", None)
    elif reader.take("SUSPEND") or reader.take("RESUME"):
        return status("Statement executed successfully.")
    elif reader.take("SET"):
        item.props |= reader.properties()
    else:
        reader.need("UNSET")
        for phrase in reader.words_until():
            for key in phrase.split():
                item.props.pop(key, None)
    reader.end()
    state.save(item)
    return status("Statement executed successfully.")


def drop(state: State, rights: Rights, reader: Reader, kind: str) -> Result:
    """DROP <kind>"""
    only_if_there = reader.take("IF", "EXISTS")
    name = full_name(kind, reader.name(), rights)
    item = state.get(kind, name)
    if item is None:
        if only_if_there:
            return status("Drop statement executed successfully.")
        raise no_object(kind.capitalize(), name)
    rights.need_owner(item)
    with state.together():
        state.remove(item)
    return status(f"{item.last_name} successfully dropped.")


def describe(state: State, rights: Rights, reader: Reader, kind: str) -> Result:
    """DESCRIBE SCHEMA, DATABASE, USER, WAREHOUSE, NETWORK POLICY"""
    name = full_name(kind, reader.name(), rights)
    item = state.get(kind, name)
    if item is None or not rights.sees(item):
        raise no_object(kind.capitalize(), name)
    if kind == "USER":
        if not (rights.owns(item) or rights.manages_grants or item.name == rights.session.user):
            raise denied(kind, name)
        columns = [("property", "text"), ("value", "text"), ("default", "text"), ("description", "text")]
        return Result(
            columns,
            [
                [key, _or_null(value), "false" if value in ("true", "false") else "null", ""]
                for key, value in user_properties(item).items()
            ],
        )
    if kind == "NETWORK POLICY":
        shown = [[key, ",".join(item.props[key])] for key in ("ALLOWED_IP_LIST", "BLOCKED_IP_LIST") if item.props.get(key)]
        return Result([("name", "text"), ("value", "text")], shown)
    columns = [("created_on", "timestamp_ltz"), ("name", "text"), ("kind", "text")]
    if kind == "WAREHOUSE":
        return Result(columns, [[item.created, item.name, "WAREHOUSE"]])
    below, depth = ("SCHEMA", 2) if kind == "DATABASE" else ("TABLE", 3)
    inside = [o for o in state.all(below) if o.name.startswith(f"{name}.") and len(o.name.split(".")) == depth]
    return Result(columns, [[o.created, o.last_name, o.kind] for o in inside])


def use(state: State, rights: Rights, reader: Reader) -> Result:
    """USE ROLE, WAREHOUSE, DATABASE, SCHEMA"""
    session = rights.session
    if reader.take("ROLE"):
        role = reader.name()
        if role not in roles_of_user(state, session.user):
            raise no_object("Requested role", role)
        session.role = role
    elif reader.take("WAREHOUSE"):
        name = reader.name()
        rights.need("USAGE", "WAREHOUSE", name)
        session.warehouse = name
    elif reader.take("SECONDARY", "ROLES"):
        reader.any()
    else:
        kind = "DATABASE" if reader.take("DATABASE") else ("SCHEMA" if reader.take("SCHEMA") else "")
        name = reader.name()
        if kind == "DATABASE" or (not kind and "." not in name):
            if state.get("DATABASE", name) is None or not rights.sees_database(name):
                raise no_object("Database", name)
            session.database, session.schema = name, "PUBLIC" if state.get("SCHEMA", f"{name}.PUBLIC") else None
        else:
            full = full_name("SCHEMA", name, rights)
            rights.need_usage(full)
            session.database, session.schema = full.split(".")
    reader.end()
    state.write(
        "update sf_session set role = ?, database = ?, schema = ?, warehouse = ? where id = ?",
        session.role,
        session.database,
        session.schema,
        session.warehouse,
        session.id,
    )
    return status("Statement executed successfully.")


def user_properties(item: Object) -> dict[str, Any]:
    """DESCRIBE USER's properties; keys are shown with their fingerprints."""
    from sandbox.account.login import fingerprint

    props = item.props
    listed = [
        "COMMENT",
        "DISPLAY_NAME",
        "TYPE",
        "LOGIN_NAME",
        "FIRST_NAME",
        "MIDDLE_NAME",
        "LAST_NAME",
        "EMAIL",
        "PASSWORD",
        "MUST_CHANGE_PASSWORD",
        "DISABLED",
        "SNOWFLAKE_LOCK",
        "SNOWFLAKE_SUPPORT",
        "DAYS_TO_EXPIRY",
        "MINS_TO_UNLOCK",
        "DEFAULT_WAREHOUSE",
        "DEFAULT_NAMESPACE",
        "DEFAULT_ROLE",
        "DEFAULT_SECONDARY_ROLES",
        "EXT_AUTHN_DUO",
        "EXT_AUTHN_UID",
        "MINS_TO_BYPASS_MFA",
        "MINS_TO_BYPASS_NETWORK_POLICY",
        "RSA_PUBLIC_KEY",
        "RSA_PUBLIC_KEY_2",
        "PASSWORD_LAST_SET_TIME",
        "CUSTOM_LANDING_PAGE_URL",
    ]
    defaults = {
        "LOGIN_NAME": item.name,
        "DISPLAY_NAME": item.name,
        "DISABLED": "false",
        "MUST_CHANGE_PASSWORD": "false",
        "SNOWFLAKE_LOCK": "false",
        "EXT_AUTHN_DUO": "false",
        "DEFAULT_SECONDARY_ROLES": '["ALL"]',
    }
    found = {"NAME": item.name} | {key: props.get(key, defaults.get(key)) for key in listed}
    if found["PASSWORD"] is not None:
        found["PASSWORD"] = "********"
    for key in ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"):
        found[f"{key}_FP"] = fingerprint(props[key]) if props.get(key) else None
    return found


def _or_null(value: Any) -> Any:
    """DESCRIBE USER spells a missing value as the word null."""
    return "null" if value is None else value


def _need_modify(rights: Rights, item: Object) -> None:
    if item.kind in ("SCHEMA", "DATABASE", "WAREHOUSE", "RESOURCE MONITOR") and rights.has("MODIFY", item.kind, item.name):
        return
    rights.need_owner(item)
