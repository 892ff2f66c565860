"""Who calls: bearer tokens, users, service principals and the groups they are in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sandbox.workspace.errors import ApiError
from sandbox.workspace.store import Store

ADMINS = "admins"


@dataclass(frozen=True)
class Identity:
    """A user (name: user name) or service principal (name: application id)."""

    name: str
    kind: str  # "user" or "service_principal"
    id: int
    display: str
    groups: frozenset[str]

    @property
    def is_admin(self) -> bool:
        """Workspace admins may do everything."""
        return ADMINS in self.groups


def token_hash(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def identity(store: Store, name: str) -> Identity | None:
    """The user or service principal of that name."""
    row = store.row("select * from ws_identity where name = ?", name)
    if row is None:
        return None
    groups = store.rows("select group_name from ws_member where member = ?", name)
    return Identity(
        row["name"], row["kind"], row["id"], row["display"], frozenset({g["group_name"] for g in groups} | {"users"})
    )


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
    return found
