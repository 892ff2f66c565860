"""Snowflake: what may be granted at all, and who writes in quant_live."""

from __future__ import annotations

from collections.abc import Iterator

from rules.inputs import Inputs

_READING = {"MONITOR", "READ", "REFERENCES", "SELECT", "USAGE"}
_NEVER = {"ALL", "ALL PRIVILEGES", "OWNERSHIP"}


def plain_grants(kind: str, inputs: Inputs, stack: str) -> Iterator[str]:
    """Grants name their privileges and their role."""
    if not kind.startswith("snowflake:index/grant"):
        return
    if kind == "snowflake:index/grantOwnership:GrantOwnership":
        yield "ownership is not handed over: the deployer's role owns what the stack declares."
    if inputs.get("allPrivileges"):
        yield "all_privileges is set; name the privileges."
    for privilege in sorted(_NEVER & {str(name).upper() for name in inputs.get("privileges") or []}):
        yield f"found {privilege}; name the privileges that are needed."
    if inputs.get("alwaysApply"):
        yield "always_apply is set: the plan would never be empty."
    for key, name in inputs.items():
        if key.lower().endswith("name") and isinstance(name, str) and _last(name) == "PUBLIC" and "role" in key.lower():
            yield f"{key} is PUBLIC: everybody in the account."


def one_writer(kind: str, inputs: Inputs, stack: str) -> Iterator[str]:
    """In quant_live: writing privileges to the writer role, the writer role to the service role, that to its user."""
    if stack != "quant_live":
        return
    writer, service, user = "QUANT_LIVE_WRITER", "QUANT_LIVE_SVC", "SVC_QUANT_LIVE"
    if kind.startswith("snowflake:index/grantPrivilegesTo"):
        to = _last(inputs.get("databaseRoleName") or inputs.get("accountRoleName") or "")
        writing = sorted({str(name).upper() for name in inputs.get("privileges") or []} - _READING)
        if writing and to != writer:
            yield f"{', '.join(writing)} to {to}; in quant_live {writer} alone writes."
    elif kind == "snowflake:index/grantDatabaseRole:GrantDatabaseRole" and _last(inputs.get("databaseRoleName")) == writer:
        to = _last(inputs.get("parentRoleName") or inputs.get("parentDatabaseRoleName") or inputs.get("shareName") or "")
        if to not in ("", service):
            yield f"{writer} to {to}; in quant_live {service} alone holds it."
    elif kind == "snowflake:index/grantAccountRole:GrantAccountRole" and _last(inputs.get("roleName")) == service:
        to = _last(inputs.get("userName") or inputs.get("parentRoleName") or "")
        if to not in ("", user):
            yield f"{service} to {to}; in quant_live {user} alone holds it."


def _last(name: object) -> str:
    """`"DATABASE"."ROLE"` -> ROLE"""
    return str(name or "").rsplit(".", 1)[-1].strip('"').upper()
