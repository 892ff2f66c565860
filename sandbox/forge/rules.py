"""Approval rules and settings of the project: https://docs.gitlab.com/api/merge_request_approval_settings/ and
https://docs.gitlab.com/api/merge_request_approvals/
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from sandbox.forge import users
from sandbox.forge.call import Call, World
from sandbox.forge.errors import ApiError, bad, missing
from sandbox.forge.protection import branch_shown
from sandbox.forge.store import Json, Store
from sandbox.forge.users import DEVELOPER, MAINTAINER, User

# As a new project has them.
_DEFAULTS = {
    "reset_approvals_on_push": True,
    "merge_requests_author_approval": False,
    "merge_requests_disable_committers_approval": False,
    "disable_overriding_approvers_per_merge_request": False,
    "selective_code_owner_removals": False,
    "require_password_to_approve": False,
}


def settings(store: Store) -> Json:
    """Who may approve, and what a push does to approvals."""
    return store.setting("approvals", _DEFAULTS)


def get_settings(call: Call) -> Json:
    """GET /projects/:id/approvals"""
    call.require(DEVELOPER)
    return {"approvers": [], "approver_groups": [], "approvals_before_merge": 0, **settings(call.store)}


def update_settings(call: Call) -> Json:
    """POST /projects/:id/approvals"""
    call.require(MAINTAINER)
    with call.store.together():
        before = settings(call.store)
        changed = {name: call.flag(name, before[name]) for name in _DEFAULTS}
        if changed["require_password_to_approve"] or changed["selective_code_owner_removals"]:
            raise ApiError(400, "not emulated by this sandbox: a password, code owners")
        call.store.set("approvals", changed)
    return get_settings(call)


def listed(call: Call) -> list[Json]:
    """GET /projects/:id/approval_rules"""
    call.require(DEVELOPER)
    return [shown(call, rule) for rule in call.store.all("rule")]


def get(call: Call) -> Json:
    """GET /projects/:id/approval_rules/:rule"""
    call.require(DEVELOPER)
    return shown(call, _load(call))


def create(call: Call) -> Json:
    """POST /projects/:id/approval_rules"""
    call.require(MAINTAINER)
    kind = call.text("rule_type", "regular")
    if kind not in ("regular", "any_approver"):
        raise bad("rule_type does not have a valid value")
    with call.store.together():
        made = {"rule_type": kind, **_fields(call, {"name": call.text("name"), "approvals_required": -1})}
        if call.given("rule_type") is None and not (made["user_ids"] or made["group_ids"]):
            made["rule_type"] = kind = "any_approver"  # GitLab makes it one, of which a project has one
        if any(rule["name"] == made["name"] for rule in call.store.all("rule")):
            raise ApiError(400, {"name": ["has already been taken"]})
        if kind == "any_approver" and any(rule["rule_type"] == kind for rule in call.store.all("rule")):
            raise ApiError(400, {"rule_type": ["any-approver for the project already exists"]})
        number = call.store.next("rule")
        call.store.put("rule", number, {"id": number, **made})
    return shown(call, {"id": number, **made})


def update(call: Call) -> Json:
    """PUT /projects/:id/approval_rules/:rule"""
    call.require(MAINTAINER)
    with call.store.together():
        rule = _load(call)
        rule |= _fields(call, rule)
        call.store.put("rule", rule["id"], rule)
    return shown(call, rule)


def delete(call: Call) -> None:
    """DELETE /projects/:id/approval_rules/:rule"""
    call.require(MAINTAINER)
    call.store.drop("rule", _load(call)["id"])


def _fields(call: Call, before: Json) -> Json:
    """The fields of a rule: those of the request, else as they were."""
    required = call.number("approvals_required", None if before["approvals_required"] < 0 else before["approvals_required"])
    if not 0 <= required <= 100:
        raise bad("approvals_required does not have a valid value")
    lists = {name: sorted(call.numbers(name)) if call.given(name) is not None else before.get(name, [])
             for name in ("user_ids", "group_ids", "protected_branch_ids")}  # fmt: skip
    named = [users.by_name(call.store, name) for name in call.words("usernames")]
    lists["user_ids"] = sorted({*lists["user_ids"], *(user.id for user in named if user)})
    branches = {one["id"] for one in call.store.all("protected", "branch")}
    if set(lists["protected_branch_ids"]) - branches and call.given("protected_branch_ids") is not None:
        raise missing()
    everywhere = call.flag("applies_to_all_protected_branches", before.get("applies_to_all_protected_branches", False))
    return {"name": call.text("name", before["name"]), "approvals_required": required, **lists,
            "applies_to_all_protected_branches": everywhere}  # fmt: skip


def _load(call: Call) -> Json:
    found = call.store.get("rule", call.path_number("rule"))
    if found is None:
        raise missing()
    return found


def applying(store: Store, target: str) -> list[Json]:
    """The rules for merges into a branch."""
    guards = [one for one in store.all("protected", "branch") if fnmatchcase(target, one["name"])]
    ids = {one["id"] for one in guards}
    return [rule for rule in store.all("rule") if _applies(rule, ids)]


def _applies(rule: Json, guards: set[int]) -> bool:
    if rule["applies_to_all_protected_branches"]:
        return bool(guards)
    return not rule["protected_branch_ids"] or bool(guards & set(rule["protected_branch_ids"]))


def is_approver(rule: Json, user: User) -> bool:
    """Whether somebody's approval counts for a rule; one that names nobody takes anybody's who may write."""
    if rule["rule_type"] == "any_approver" or not (rule["user_ids"] or rule["group_ids"]):
        return user.level >= DEVELOPER
    return user.id in rule["user_ids"] or bool(user.groups & set(rule["group_ids"]))


def shown(call: Call, rule: Json) -> Json:
    """A rule, as it is answered."""
    people = [users.told(users.by_id(call.store, number), call.url) for number in rule["user_ids"]]
    groups = [users.group_told(call.store, number, call.url) for number in rule["group_ids"]]
    eligible = [users.told(one, call.url) for one in users.everybody(call.store) if is_approver(rule, one)]
    branches = call.store.all("protected", "branch")
    everywhere = rule["applies_to_all_protected_branches"]
    return {
        "id": rule["id"], "name": rule["name"], "rule_type": rule["rule_type"],
        "approvals_required": rule["approvals_required"], "users": [user for user in people if user],
        "groups": [group for group in groups if group], "contains_hidden_groups": False,
        "eligible_approvers": eligible if rule["rule_type"] == "regular" else [],
        "applies_to_all_protected_branches": everywhere,
        "protected_branches": [
            branch_shown(one) for one in branches if everywhere or one["id"] in rule["protected_branch_ids"]
        ],
    }  # fmt: skip


def given(store: Store, iid: int) -> list[tuple[User, str]]:
    """Who has approved, and when."""
    rows = store.rows("select user_id, at from fg_approval where iid = ? order by at, user_id", iid)
    return [(user, str(row["at"])) for row in rows if (user := users.by_id(store, row["user_id"]))]


def left(world: World, request: Json) -> list[Json]:
    """The rules that do not have enough approvals yet."""
    by = [user for user, _ in given(world.store, request["iid"])]
    return [
        rule for rule in applying(world.store, request["target_branch"])
        if sum(is_approver(rule, user) for user in by) < rule["approvals_required"]
    ]  # fmt: skip
