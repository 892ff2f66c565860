"""Protected branches and tags: https://docs.gitlab.com/api/protected_branches/ and https://docs.gitlab.com/api/protected_tags/"""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.forge.call import Call
from sandbox.forge.errors import bad, conflict, invalid, missing
from sandbox.forge.store import Json
from sandbox.forge.users import ADMINISTRATOR, DEVELOPER, MAINTAINER, by_id, group_told

_ROLES = {0: "No one", DEVELOPER: "Developers + Maintainers", MAINTAINER: "Maintainers", ADMINISTRATOR: "Administrators"}
_BRANCH, _TAG = ("push", "merge", "unprotect"), ("create",)


def branches(call: Call) -> list[Json]:
    """GET /projects/:id/protected_branches?search="""
    call.require(DEVELOPER)
    search = call.query.get("search", "")
    return [branch_shown(one) for one in call.store.all("protected", "branch") if search in one["name"]]


def branch(call: Call) -> Json:
    """GET /projects/:id/protected_branches/:name"""
    call.require(DEVELOPER)
    return branch_shown(_load(call, "branch"))


def protect_branch(call: Call) -> Json:
    """POST /projects/:id/protected_branches"""
    made = _protect(call, "branch", _BRANCH)
    return branch_shown(made)


def update_branch(call: Call) -> Json:
    """PATCH /projects/:id/protected_branches/:name: levels are added, changed by id, and deleted with _destroy"""
    call.require(MAINTAINER)
    with call.store.together():
        found = _load(call, "branch")
        for access in _BRANCH:
            found[access] = _changed(call, found[access], call.mappings(f"allowed_to_{access}"), access)
        found |= {name: call.flag(name, found[name]) for name in ("allow_force_push", "code_owner_approval_required")}
        call.store.put("protected", found["id"], found, "branch")
    return branch_shown(found)


def unprotect_branch(call: Call) -> None:
    """DELETE /projects/:id/protected_branches/:name"""
    _unprotect(call, "branch")


def tags(call: Call) -> list[Json]:
    """GET /projects/:id/protected_tags"""
    call.require(DEVELOPER)
    return [_tag_shown(one) for one in call.store.all("protected", "tag")]


def tag(call: Call) -> Json:
    """GET /projects/:id/protected_tags/:name"""
    call.require(DEVELOPER)
    return _tag_shown(_load(call, "tag"))


def protect_tag(call: Call) -> Json:
    """POST /projects/:id/protected_tags"""
    return _tag_shown(_protect(call, "tag", _TAG))


def unprotect_tag(call: Call) -> None:
    """DELETE /projects/:id/protected_tags/:name"""
    _unprotect(call, "tag")


def _protect(call: Call, kind: str, accesses: Iterable[str]) -> Json:
    call.require(MAINTAINER)
    name = call.text("name")
    if not name.strip():
        raise invalid(["Name can't be blank"])
    made = {
        "name": name, "allow_force_push": call.flag("allow_force_push"),
        "code_owner_approval_required": call.flag("code_owner_approval_required"),
        **{access: _levels(call, access) for access in accesses},
    }  # fmt: skip
    with call.store.together():
        if any(one["name"] == name for one in call.store.all("protected", kind)):
            raise conflict(f"Protected {kind} '{name}' already exists")
        number = call.store.next("protected")
        call.store.put("protected", number, {"id": number, **made}, kind)
    return {"id": number, **made}


def _unprotect(call: Call, kind: str) -> None:
    call.require(MAINTAINER)
    with call.store.together():
        call.store.drop("protected", _load(call, kind)["id"])


def _load(call: Call, kind: str) -> Json:
    for one in call.store.all("protected", kind):
        if one["name"] == call.path["name"]:
            return one
    raise missing()


def _levels(call: Call, access: str) -> list[Json]:
    """The role of `<access>_access_level`, Maintainers without any, and those of `allowed_to_<access>`."""
    single, several = call.given(f"{access}_access_level"), call.mappings(f"allowed_to_{access}")
    if access == "unprotect" and single is None and not several:
        return []
    first = [{"access_level": MAINTAINER if single is None else single}] if single is not None or not several else []
    return [_level(call, entry, access) for entry in [*first, *several]]


def _changed(call: Call, levels: list[Json], changes: list[Json], access: str) -> list[Json]:
    kept = {level["id"]: level for level in levels}
    for change in changes:
        if change.get("id") is None:
            made = _level(call, change, access)
            if any(_same(made, level) for level in kept.values()):
                raise invalid([f"{access.capitalize()} access levels access level has already been taken"])
            kept[made["id"]] = made
        elif change["id"] not in kept:
            raise missing()
        elif change.get("_destroy"):
            del kept[change["id"]]
        else:
            kept[change["id"]] = {**_level(call, change, access), "id": change["id"]}
    return list(kept.values())


def _same(one: Json, other: Json) -> bool:
    return all(one[key] == other[key] for key in ("access_level", "user_id", "group_id"))


def _level(call: Call, entry: Json, access: str) -> Json:
    number = call.store.next("access_level")
    level: Json = {"id": number, "access_level": None, "user_id": None, "group_id": None}
    try:
        if entry.get("user_id") is not None:
            found = by_id(call.store, int(entry["user_id"]))
            if found is None:
                raise invalid([f"{access.capitalize()} access levels user is not a member of the project"])
            return {**level, "user_id": found.id, "access_level_description": found.name}
        if entry.get("group_id") is not None:
            group = group_told(call.store, int(entry["group_id"]), call.url)
            if group is None:
                raise invalid([f"{access.capitalize()} access levels group does not have access to the project"])
            return {**level, "group_id": group["id"], "access_level_description": group["name"]}
        role = int(entry["access_level"])
    except (KeyError, TypeError, ValueError):
        raise bad(f"allowed_to_{access} is invalid") from None
    if role not in _ROLES or (role == 0 and access == "unprotect"):
        raise bad(f"{access}_access_level does not have a valid value")
    return {**level, "access_level": role, "access_level_description": _ROLES[role]}


def branch_shown(one: Json) -> Json:
    """A protected branch, as it is answered."""
    levels = {f"{access}_access_levels": one[access] for access in _BRANCH}
    kept = {key: one[key] for key in ("id", "name", "allow_force_push", "code_owner_approval_required")}
    return {**kept, **levels, "inherited": False}


def _tag_shown(one: Json) -> Json:
    return {"name": one["name"], "create_access_levels": one["create"]}
