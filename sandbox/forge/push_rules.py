"""The project's push rule, as far as it says who a commit's committer is: https://docs.gitlab.com/api/project_push_rules/"""

from __future__ import annotations

from sandbox.forge.call import Call
from sandbox.forge.errors import bad
from sandbox.forge.store import Json, Store
from sandbox.forge.users import MAINTAINER, User

_DEFAULTS = {"commit_committer_check": False, "member_check": False, "author_email_regex": "", "deny_delete_tag": False}


def settings(store: Store) -> Json:
    """What holds."""
    return store.setting("push_rule", _DEFAULTS)


def get(call: Call) -> Json:
    """GET /projects/:id/push_rule"""
    call.require(MAINTAINER)
    return {"id": 1, "project_id": 1, **settings(call.store)}


def update(call: Call) -> Json:
    """POST, PUT /projects/:id/push_rule: commit_committer_check alone is emulated"""
    call.require(MAINTAINER)
    for name in _DEFAULTS:
        if name != "commit_committer_check" and call.given(name):
            raise bad(f"{name} is not emulated by this sandbox")
    with call.store.together():
        before = settings(call.store)
        changed = {"commit_committer_check": call.flag("commit_committer_check", before["commit_committer_check"])}
        call.store.set("push_rule", {**before, **changed})
    return get(call)


def refusal(store: Store, who: User | None, committers: set[str]) -> str | None:
    """Why commits are refused that somebody pushes (its checks/push_rules/commit_check.rb), never tags."""
    if not settings(store)["commit_committer_check"]:
        return None
    others = sorted(committers - {who.email if who else ""})
    if not others:
        return None
    return (
        f"You cannot push commits for '{others[0]}'. You can only push commits if the committer email is one of your own"
        " verified emails."
    )
