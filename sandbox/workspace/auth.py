"""Who calls: bearer tokens, users, service principals and the groups they are in."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from sandbox.workspace.errors import ApiError
from sandbox.workspace.store import Store

ADMINS, USERS = "admins", "users"


@dataclass(frozen=True)
class Identity:
    """A user (name: user name) or service principal (name: application id)."""

    name: str
    kind: str  # "user" or "service_principal"
    id: int
    display: str
    groups: frozenset[str]
    active: bool = True

    @property
    def is_admin(self) -> bool:
        """Workspace admins may do everything."""
        return ADMINS in self.groups


def token_hash(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def identity(store: Store, name: str) -> Identity | None:
    """The user or service principal of that name; user names and application ids know no case."""
    row = store.row("select * from ws_identity where name = ? collate nocase", name)
    if row is None:
        return None
    active = bool(json.loads(row["attributes"]).get("active", True))
    return Identity(row["name"], row["kind"], row["id"], row["display"], _groups_of(store, row["name"]), active)


def _groups_of(store: Store, name: str) -> frozenset[str]:
    """The groups somebody is in, also through a group in a group; everybody is one of the users."""
    found = {row["group_name"] for row in store.rows("select group_name from ws_member where member = ?", name)}
    found.add(USERS)
    waiting = list(found)
    while waiting:
        for row in store.rows("select group_name from ws_nested where child = ?", waiting.pop()):
            if row["group_name"] not in found:
                found.add(row["group_name"])
                waiting.append(row["group_name"])
    return frozenset(found)


def who_calls(store: Store, authorization: str | None) -> Identity:
    """The identity of a bearer token.

    Raises:
        ApiError: 401 without a token, 403 with one that nobody has, as the product answers.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise ApiError(401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type for this API.")
    row = store.row("select name from ws_identity where token_hash = ?", token_hash(token.strip()))
    found = identity(store, row["name"]) if row else None
    if found is None:
        raise ApiError(403, "PERMISSION_DENIED", "Invalid access token.")
    if not found.active:
        raise ApiError(403, "PERMISSION_DENIED", f"{found.name} is deactivated.")
    return found
