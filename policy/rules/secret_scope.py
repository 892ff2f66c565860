"""In every environment one service principal alone reads the secret scope, which holds the service user's key. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rules.values import UNKNOWN, Props, kind, shown

_APPLICATION_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def check(resource_type: str, props: Props, stack: str) -> list[str]:
    """What would let somebody else read the key."""
    rule = {"databricks:SecretScope": _scope, "databricks:SecretAcl": _acl}.get(kind(resource_type))
    return list(rule(props, stack)) if rule else []


def _scope(props: Props, stack: str) -> Iterator[str]:
    if props.get("initialManagePrincipal") is not None:
        yield (
            f"SecretScope initialManagePrincipal: found {shown(props['initialManagePrincipal'])}, expected nothing: it lets"
            f" every user read the service user's key of {stack}. Remove it."
        )


def _acl(props: Props, stack: str) -> Iterator[str]:
    principal, permission = props.get("principal"), props.get("permission")
    if permission not in ("READ", UNKNOWN):
        yield f"SecretAcl permission: found {shown(permission)}, allowed in {stack} is 'READ'. Lower it."
    if principal is not UNKNOWN and not _APPLICATION_ID.fullmatch(principal or ""):
        yield (
            f"SecretAcl principal: found {shown(principal)}, allowed in {stack} is the application id of the service"
            " principal that runs the jobs. Remove the entry."
        )
