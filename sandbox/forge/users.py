"""Users and groups as they are kept, and how they are told inside other answers."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sandbox.forge.store import Json, Store
from sandbox.workspace.auth import token_hash

GUEST, REPORTER, DEVELOPER, MAINTAINER, OWNER, ADMINISTRATOR = 10, 20, 30, 40, 50, 60
NAMESPACE = "quant"


@dataclass(frozen=True)
class User:
    """A member of the project, with the role (10 to 50) that they have in it."""

    id: int
    username: str
    name: str
    email: str
    level: int
    bot: bool
    groups: frozenset[int]


def by_token(store: Store, token: str) -> User | None:
    """Whose token this is."""
    return _user(store, store.row("select * from fg_user where token_hash = ?", token_hash(token)))


def by_name(store: Store, username: str) -> User | None:
    """The user of that name."""
    return _user(store, store.row("select * from fg_user where username = ?", username))


def by_id(store: Store, number: int) -> User | None:
    """The user of that number."""
    return _user(store, store.row("select * from fg_user where id = ?", number))


def everybody(store: Store) -> list[User]:
    """All members of the project."""
    rows = store.rows("select * from fg_user order by id")
    return [found for row in rows if (found := _user(store, row))]


def _user(store: Store, row: sqlite3.Row | None) -> User | None:
    if row is None:
        return None
    groups = store.rows("select group_id from fg_group_member where user_id = ?", row["id"])
    inside = frozenset(int(group["group_id"]) for group in groups)
    return User(row["id"], row["username"], row["name"], row["email"], row["level"], bool(row["bot"]), inside)


def told(user: User | None, url: str) -> Json | None:
    """A user inside other answers."""
    if user is None:
        return None
    return {
        "id": user.id, "username": user.username, "name": user.name, "state": "active", "locked": False,
        "avatar_url": None, "web_url": f"{url}/{user.username}",
    }  # fmt: skip


def group_told(store: Store, number: int, url: str) -> Json | None:
    """A group inside other answers."""
    row = store.row("select * from fg_group where id = ?", number)
    if row is None:
        return None
    path = row["path"]
    return {
        "id": number, "name": path, "path": path, "full_name": path, "full_path": path, "description": "",
        "visibility": "internal", "parent_id": None, "avatar_url": None, "web_url": f"{url}/groups/{path}",
    }  # fmt: skip
