"""Snowflake grants: a list of what each role of an environment may be granted, and on what, and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rules.environments import Environment, identifier_parts, named
from rules.table import Check, Table, anything, called, judge, one_of, qualified
from rules.values import UNKNOWN, Props, kind, shown, title

_READ = {
    "DYNAMIC TABLES": {"SELECT"},
    "EXTERNAL TABLES": {"SELECT"},
    "ICEBERG TABLES": {"SELECT"},
    "MATERIALIZED VIEWS": {"SELECT"},
    "TABLES": {"SELECT"},
    "VIEWS": {"SELECT"},
}
_WRITE = {
    **_READ,
    "FILE FORMATS": {"USAGE"},
    "SEQUENCES": {"USAGE"},
    "STAGES": {"READ", "WRITE"},
    "TABLES": {"DELETE", "INSERT", "SELECT", "TRUNCATE", "UPDATE"},
}
_CREATE = {
    "CREATE FILE FORMAT", "CREATE SEQUENCE", "CREATE STAGE", "CREATE TABLE", "CREATE TEMPORARY TABLE", "CREATE VIEW",
    "USAGE",
}  # fmt: skip
# What may be granted to a role: on the database, on the schema, and on the objects in the schema.
_OF_THE_READER: tuple[set[str], set[str], Mapping[str, set[str]]] = ({"USAGE"}, {"USAGE"}, _READ)
_OF_THE_WRITER: tuple[set[str], set[str], Mapping[str, set[str]]] = ({"USAGE"}, _CREATE, _WRITE)
_ON_ACCOUNT = {"DATABASE": ("database", {"USAGE"}), "WAREHOUSE": ("warehouse", {"USAGE"})}


def _no(value: Any, _: Environment) -> str | None:
    return "nothing: list the privileges, once, without the right to grant them on." if value not in (None, False) else None


def _parent(value: Any, environment: Environment) -> str | None:
    known = isinstance(value, str) and (value == environment.service_role or value in environment.roles)
    return None if known else f"a role of {environment.name}: {environment.service_role} or the role of a persona."


_PRIVILEGES: dict[str, Check] = {"allPrivileges": _no, "alwaysApply": _no, "privileges": anything, "withGrantOption": _no}
TABLE: Table = {
    "snowflake:GrantAccountRole": {"roleName": called("service_role"), "userName": called("service_user")},
    "snowflake:GrantDatabaseRole": {"databaseRoleName": qualified("reader", "writer"), "parentRoleName": _parent},
    "snowflake:GrantPrivilegesToAccountRole": {
        **_PRIVILEGES,
        "accountRoleName": called("service_role"),
        "onAccountObject": anything,
        "strictPrivilegeManagement": one_of(None, False, True),
    },
    "snowflake:GrantPrivilegesToDatabaseRole": {
        **_PRIVILEGES,
        "databaseRoleName": qualified("reader", "writer"),
        "onDatabase": anything,
        "onSchema": anything,
        "onSchemaObject": anything,
    },
}


def check(resource_type: str, props: Props, stack: str) -> list[str]:
    """What this resource grants that is not in the list."""
    environment = named(stack)
    if environment is None or kind(resource_type) not in TABLE:
        return []
    found = list(judge(TABLE, resource_type, props, stack))
    name = title(resource_type)
    if name == "GrantDatabaseRole":
        found += _holder(props, environment)
    elif name == "GrantPrivilegesToAccountRole":
        found += _privileges(name, props, _on_account(props.get("onAccountObject"), environment))
    elif name == "GrantPrivilegesToDatabaseRole":
        found += _privileges(name, props, _in_schema(props, environment))
    return found


def _holder(props: Props, environment: Environment) -> Iterator[str]:
    """The writer is the service role's alone; the reader is a persona's that reads the schema."""
    role, holder = identifier_parts(props.get("databaseRoleName"))[-1:], props.get("parentRoleName")
    if holder is UNKNOWN or role not in ((environment.reader,), (environment.writer,)):
        return
    if role == (environment.writer,):
        if holder != environment.service_role:
            yield (
                f"GrantDatabaseRole: found {environment.writer} for {shown(holder)}; it is for {environment.service_role}"
                f" alone: only the service user writes {environment.name}. Remove the grant."
            )
    elif not isinstance(holder, str) or (holder in environment.roles and not environment.roles[holder].reads):
        yield (
            f"GrantDatabaseRole: found {environment.reader} for {shown(holder)}, which does not read the schema of"
            f" {environment.name} (docs/access.md). Remove the grant."
        )


def _privileges(name: str, props: Props, allowed: set[str] | str | None) -> Iterator[str]:
    """`allowed` is what may be granted on this object, None while that is unknown, or what is wrong with the object."""
    if isinstance(allowed, str):
        yield f"{name}: found {allowed}"
        return
    given = props.get("privileges")
    if allowed is None or given is UNKNOWN:
        return
    if not isinstance(given, list) or not given:
        yield f"{name} privileges: found {shown(given)}, expected a list of {', '.join(sorted(allowed))}."
        return
    too_much = [one for one in given if one is not UNKNOWN and one not in allowed]
    if too_much:
        yield (
            f"{name} privileges: found {', '.join(map(shown, too_much))}, allowed are {', '.join(sorted(allowed))}: list the"
            " privileges that are needed, as SHOW GRANTS spells them."
        )


def _on_account(on: Any, environment: Environment) -> set[str] | str | None:
    if on is UNKNOWN:
        return None
    kinds = " or ".join(_ON_ACCOUNT)
    if not isinstance(on, dict) or set(_said(on)) != {"objectName", "objectType"}:
        return f"{shown(on)} as the object, expected one {kinds} of the environment."
    if UNKNOWN in on.values():
        return None
    fact, privileges = _ON_ACCOUNT.get(on["objectType"], (None, set()))
    wanted = getattr(environment, fact) if fact else None
    if wanted is None or identifier_parts(on["objectName"]) != (wanted,):
        return f"{shown(on)} as the object, expected the {kinds} of {environment.name}."
    return privileges


def _in_schema(props: Props, environment: Environment) -> set[str] | str | None:
    role = props.get("databaseRoleName")
    places = {key: props[key] for key in ("onDatabase", "onSchema", "onSchemaObject") if props.get(key) is not None}
    if role is UNKNOWN or UNKNOWN in places.values():
        return None
    is_writer = identifier_parts(role)[-1:] == (environment.writer,)
    on_database, on_schema, on_objects = _OF_THE_WRITER if is_writer else _OF_THE_READER
    own = f"schema {environment.schema} in {environment.database}"
    match places:
        case {"onDatabase": database, **rest} if not rest and identifier_parts(database) == (environment.database,):
            return on_database
        case {"onSchema": dict(place), **rest} if not rest and set(_said(place)) == {"schemaName"}:
            found = place["schemaName"]
            return (
                None
                if found is UNKNOWN
                else on_schema
                if _is_own(found, environment)
                else f"{shown(found)}, allowed is {own}."
            )
        case {"onSchemaObject": dict(place), **rest} if not rest and set(_said(place)) in ({"all"}, {"future"}):
            [objects] = _said(place).values()
            if objects is UNKNOWN:
                return None
            if not isinstance(objects, dict) or set(_said(objects)) != {"inSchema", "objectTypePlural"}:
                return f"{shown(objects)}, expected one kind of objects in {own}: a database holds other environments' too."
            if UNKNOWN in objects.values():
                return None
            if not _is_own(objects["inSchema"], environment):
                return f"{shown(objects['inSchema'])}, allowed is {own}."
            return on_objects.get(objects["objectTypePlural"], set())
    return f"{shown(places)} as the object, expected {own}, or all or future objects in it. Correct it."


def _is_own(schema: Any, environment: Environment) -> bool:
    owned = {(environment.database, name) for name in environment.schemas}
    return environment.database is not None and identifier_parts(schema) in owned


def _said(value: dict[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in value.items() if one is not None}
