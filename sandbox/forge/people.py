"""Users and groups: who calls, and how they are told."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.forge.errors import missing
from sandbox.forge.store import Json, Store
from sandbox.workspace.auth import token_hash

if TYPE_CHECKING:
    from sandbox.forge.call import Call

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


def version(call: Call) -> Json:
    """GET /version: https://docs.gitlab.com/api/version/"""
    return {"version": "17.11.0-ee", "revision": "sandbox"}


def current(call: Call) -> Json:
    """GET /user: https://docs.gitlab.com/api/users/#get-the-current-user"""
    shown = told(call.who, call.url) or {}
    return {**shown, "email": call.who.email, "commit_email": call.who.email, "bot": call.who.bot, "is_admin": False}


def users(call: Call) -> list[Json]:
    """GET /users?username=: https://docs.gitlab.com/api/users/#list-all-users"""
    name, search = call.query.get("username"), call.query.get("search", "").lower()
    found = (user for user in everybody(call.store) if name in (None, user.username) and search in user.username)
    return [shown for user in found if (shown := told(user, call.url))]


def user(call: Call) -> Json:
    """GET /users/:id"""
    found = told(by_id(call.store, call.path_number("id")), call.url)
    if found is None:
        raise missing("User")
    return found


def members(call: Call) -> list[Json]:
    """GET /projects/:id/members, /members/all: https://docs.gitlab.com/api/members/"""
    query = call.query.get("query", "").lower()
    return [_member(call, one, one.level) for one in everybody(call.store) if query in one.username]


def member(call: Call) -> Json:
    """GET /projects/:id/members/:user_id, /members/all/:user_id"""
    found = by_id(call.store, call.path_number("user"))
    if found is None:
        raise missing()
    return _member(call, found, found.level)


def groups(call: Call) -> list[Json]:
    """GET /groups?search=: https://docs.gitlab.com/api/groups/#list-groups"""
    search = call.query.get("search", "")
    rows = call.store.rows("select id, path from fg_group order by path")
    found = (group_told(call.store, row["id"], call.url) for row in rows if search in row["path"])
    return [group for group in found if group]


def group(call: Call) -> Json:
    """GET /groups/:id, by number or path"""
    return group_told(call.store, _group_id(call), call.url) or {}


def group_members(call: Call) -> list[Json]:
    """GET /groups/:id/members, /members/all"""
    rows = call.store.rows("select user_id, level from fg_group_member where group_id = ? order by user_id", _group_id(call))
    pairs = ((by_id(call.store, row["user_id"]), int(row["level"])) for row in rows)
    return [_member(call, found, level) for found, level in pairs if found]


def _group_id(call: Call) -> int:
    given = call.path["id"]
    row = call.store.row("select id from fg_group where path = ? or cast(id as text) = ?", given, given)
    if row is None:
        raise missing("Group")
    return int(row["id"])


def _member(call: Call, user: User, level: int) -> Json:
    return {**(told(user, call.url) or {}), "access_level": level, "expires_at": None, "membership_state": "active"}
