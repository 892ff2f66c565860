"""Snowflake grants: never everything, never to everybody, never on another environment; quant_live is written by one role.

Pure. In quant_live a privilege is taken for writing unless it is known to only read, so that a new one is refused first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rules.environments import LIVE, STACKS, identifier_parts, schema_of, service_role_of, service_user_of, writer_of
from rules.values import UNKNOWN, Props, kind, listed, shown

_TOO_MUCH = frozenset({"ALL", "ALL PRIVILEGES", "MANAGE GRANTS", "OWNERSHIP"})
_READS = frozenset({"MONITOR", "READ", "REFERENCES", "SELECT", "USAGE"})
_SCHEMAS = frozenset(schema_of(stack) for stack in STACKS)
_GRANTEES = {  # who gets something
    "snowflake:GrantAccountRole": ("parentRoleName",),
    "snowflake:GrantDatabaseRole": ("parentDatabaseRoleName", "parentRoleName"),
    "snowflake:GrantOwnership": ("accountRoleName", "databaseRoleName"),
    "snowflake:GrantPrivilegesToAccountRole": ("accountRoleName",),
    "snowflake:GrantPrivilegesToDatabaseRole": ("databaseRoleName",),
    "snowflake:GrantPrivilegesToShare": ("toShare",),
}


def check(resource_type: str, props: Props, stack: str) -> list[str]:
    """What this resource grants that nobody of `stack` may have."""
    what = kind(resource_type)
    if what == "snowflake:Execute":
        return ["Execute: found SQL of its own, which no policy can judge. Declare what it does with the resource for it."]
    if what not in _GRANTEES:
        return []
    return list(_problems(what, what.partition(":")[2], props, stack))


def _problems(what: str, title: str, props: Props, stack: str) -> Iterator[str]:
    for key in _GRANTEES[what]:
        if _last(props.get(key)) == "PUBLIC":
            yield f"{title} {key}: found PUBLIC, which is everybody in the account. Grant to the role that needs it."
    if props.get("alwaysApply") is True:
        yield f"{title} alwaysApply: found true, which makes every preview show a change. Remove it; drift is a refresh."
    if what == "snowflake:GrantOwnership":
        yield f"{title}: found a change of owner; the deployer owns what it declares in {stack}. Remove it."
    elif what == "snowflake:GrantDatabaseRole":
        yield from _held_by(title, props.get("databaseRoleName"), writer_of(LIVE), props, service_role_of(LIVE), stack)
    elif what == "snowflake:GrantAccountRole":
        yield from _held_by(title, props.get("roleName"), service_role_of(LIVE), props, service_user_of(LIVE), stack)
    else:
        yield from _privileges(what, title, props, stack)


def _held_by(title: str, role: Any, watched: str, props: Props, holder: str, stack: str) -> Iterator[str]:
    """`watched` is for `holder` alone, in stack quant_live alone."""
    if _last(role) != watched:
        return
    others = ("parentDatabaseRoleName", "parentRoleName", "shareName", "userName")
    expected = "userName" if title == "GrantAccountRole" else "parentRoleName"
    found = {key: props[key] for key in others if props.get(key) not in (None, UNKNOWN)}
    wrong = [f"{key} {value!r}" for key, value in found.items() if key != expected or _last(value) != holder]
    if stack != LIVE:
        wrong.append(f"stack {stack}")
    if wrong:
        yield (
            f"{title} of {watched}: found {', '.join(wrong)}; {watched} is for {expected} {holder} alone, in stack {LIVE}:"
            f" only the service user writes {LIVE}. Remove the grant."
        )


def _privileges(what: str, title: str, props: Props, stack: str) -> Iterator[str]:
    privileges = [str(one).strip().upper() for one in listed(props.get("privileges"))]
    too_much = [one for one in privileges if one in _TOO_MUCH]
    if props.get("allPrivileges") is True:
        too_much.append("allPrivileges: true")
    if too_much:
        yield f"{title}: found {', '.join(too_much)}, which nobody may have. List the privileges that are needed."
    schema, whole_database = _target(props)
    if whole_database:
        yield (
            f"{title}: found all or future objects of a database, which holds the schemas of other environments too."
            f" Grant on schema {schema_of(stack)}."
        )
    elif schema in _SCHEMAS and schema != schema_of(stack):
        yield f"{title}: found schema {schema}, allowed in stack {stack} is {schema_of(stack)}. Grant it in its own stack."
    if stack != LIVE:
        return
    if props.get("withGrantOption") is True:
        yield f"{title} withGrantOption: found true; in {LIVE} nobody grants but the owner of the schema. Remove it."
    writes = [one for one in privileges if one not in _READS and one not in _TOO_MUCH]
    role = props.get("databaseRoleName") if what == "snowflake:GrantPrivilegesToDatabaseRole" else None
    if not writes or role is UNKNOWN or (_last(role) == writer_of(LIVE) and schema in (schema_of(LIVE), None)):
        return
    who = shown(next((props[key] for key in _GRANTEES[what] if props.get(key)), None))
    yield (
        f"{title}: found {', '.join(writes)} for {who} on {schema or 'something else than a schema'}; in {LIVE} only the"
        f" database role {writer_of(LIVE)} writes, and only schema {schema_of(LIVE)}; others have"
        f" {', '.join(sorted(_READS))}. Remove the privilege."
    )


def _target(props: Props) -> tuple[str | None, bool]:
    """The schema that is granted on ('' when it is none, None when it is unknown), and whether it is a whole database."""
    on_schema, on_object = props.get("onSchema"), props.get("onSchemaObject") or {}
    if UNKNOWN in (on_schema, on_object):
        return None, False
    if isinstance(on_schema, str):  # of a share
        return _last(on_schema), False
    if on_schema:
        if on_schema.get("allSchemasInDatabase") or on_schema.get("futureSchemasInDatabase"):
            return "", True
        return _schema(on_schema.get("schemaName"), 1), False
    for scope in ("all", "future"):
        if (found := on_object.get(scope)) is UNKNOWN:
            return None, False
        if found:
            return ("", True) if found.get("inDatabase") else (_schema(found.get("inSchema"), 1), False)
    return (_schema(on_object.get("objectName"), 2), False) if on_object else ("", False)


def _schema(identifier: Any, from_end: int) -> str | None:
    if identifier is UNKNOWN:
        return None
    parts = identifier_parts(identifier.partition("(")[0]) if isinstance(identifier, str) else []
    return parts[-from_end] if len(parts) >= from_end else ""


def _last(identifier: Any) -> str | None:
    parts = identifier_parts(identifier) if isinstance(identifier, str) else []
    return parts[-1] if parts else None
