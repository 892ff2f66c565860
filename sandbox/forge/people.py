"""Users, members and groups: the API's answers about people."""

from __future__ import annotations

from sandbox.forge.call import Call
from sandbox.forge.errors import missing
from sandbox.forge.store import Json
from sandbox.forge.users import User, by_id, everybody, group_told, told


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
