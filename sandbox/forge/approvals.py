"""Approvals of a merge request: https://docs.gitlab.com/api/merge_request_approvals/"""

from __future__ import annotations

from sandbox.forge import history, merge_requests, rules, users
from sandbox.forge.call import Call, World, now
from sandbox.forge.errors import conflict, missing, unauthorized
from sandbox.forge.store import Json
from sandbox.forge.users import DEVELOPER, User


def may_approve(world: World, request: Json, user: User) -> bool:
    """Not the author, nor who has made one of the commits, unless the project lets them; not twice."""
    settings = rules.settings(world.store)
    if request["author"] == user.id and not settings["merge_requests_author_approval"]:
        return False
    if settings["merge_requests_disable_committers_approval"]:
        commits = merge_requests.commits_of(world.repository, request)
        if user.email in {address for commit in commits for address in (commit.author[1], commit.committer[1])}:
            return False
    named = any(user.id in rule["user_ids"] for rule in rules.applying(world.store, request["target_branch"]))
    approved = any(one.id == user.id for one, _ in rules.given(world.store, request["iid"]))
    return request["state"] == "opened" and not approved and (named or user.level >= DEVELOPER)


def get(call: Call) -> Json:
    """GET .../merge_requests/:iid/approvals"""
    return _shown(call, merge_requests.load(call))


def approve(call: Call) -> Json:
    """POST .../merge_requests/:iid/approve: 409 when `sha` is not the head, 401 for who may not"""
    with call.world.refs:
        request = merge_requests.load(call)
        check_sha(call, request)
        if not may_approve(call.world, request, call.who):
            raise unauthorized()
        call.store.write(
            "insert into fg_approval values (?, ?, ?, ?)", request["iid"], call.who.id, request["sha"], now()
        )  # fmt: skip
        history.note(call.store, request["iid"], call.who.id, "approved this merge request")
        return _shown(call, request)


def unapprove(call: Call) -> Json:
    """POST .../merge_requests/:iid/unapprove"""
    request = merge_requests.load(call)
    with call.store.together():
        if not any(user.id == call.who.id for user, _ in rules.given(call.store, request["iid"])):
            raise missing()
        call.store.write("delete from fg_approval where iid = ? and user_id = ?", request["iid"], call.who.id)
        history.note(call.store, request["iid"], call.who.id, "unapproved this merge request")
    return _shown(call, request)


def reset(call: Call) -> None:
    """PUT .../merge_requests/:iid/reset_approvals: for bots only, as GitLab has it"""
    request = merge_requests.load(call)
    if not call.who.bot:
        raise unauthorized()
    call.store.write("delete from fg_approval where iid = ?", request["iid"])


def state(call: Call) -> Json:
    """GET .../merge_requests/:iid/approval_state"""
    request = merge_requests.load(call)
    by = [user for user, _ in rules.given(call.store, request["iid"])]
    waiting = {rule["id"] for rule in rules.left(call.world, request)}
    shown = [
        {
            **rules.shown(call, rule), "source_rule": None, "overridden": False, "code_owner": False, "section": None,
            "approved_by": [users.told(user, call.url) for user in by if rules.is_approver(rule, user)],
            "approved": rule["id"] not in waiting,
        }
        for rule in rules.applying(call.store, request["target_branch"])
    ]  # fmt: skip
    return {"approval_rules_overwritten": False, "rules": shown}


def check_sha(call: Call, request: Json) -> None:
    """409 when the caller has looked at another head than there is."""
    sha = call.given("sha")
    if sha and sha != request["sha"]:
        raise conflict(f"SHA does not match HEAD of source branch: {request['sha']}")


def _shown(call: Call, request: Json) -> Json:
    by = rules.given(call.store, request["iid"])
    applying = rules.applying(call.store, request["target_branch"])
    waiting = rules.left(call.world, request)
    needed = [
        rule["approvals_required"] - sum(rules.is_approver(rule, user) for user, _ in by) for rule in waiting
    ]  # fmt: skip
    shown = merge_requests.shown(call, request)
    kept = ("id", "iid", "project_id", "title", "description", "state", "created_at", "updated_at", "merge_status")
    return {
        **{name: shown[name] for name in kept},
        "approved": not waiting,
        "approvals_required": max((rule["approvals_required"] for rule in applying), default=0),
        "approvals_left": max(needed, default=0),
        "require_password_to_approve": False,
        "approved_by": [{"user": users.told(user, call.url), "approved_at": at} for user, at in by],
        "suggested_approvers": [], "approvers": [], "approver_groups": [],
        "user_has_approved": any(user.id == call.who.id for user, _ in by),
        "user_can_approve": may_approve(call.world, request, call.who),
        "approval_rules_left": [
            {"id": rule["id"], "name": rule["name"], "rule_type": rule["rule_type"]} for rule in waiting
        ],
        "has_approval_rules": bool(applying), "merge_request_approvers_available": True,
        "multiple_approval_rules_available": True, "invalid_approvers_rules": [],
    }  # fmt: skip
