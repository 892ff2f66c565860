"""PUT .../merge_requests/:iid/merge: real merges in the bare repository.

https://docs.gitlab.com/api/merge_requests/#merge-a-merge-request
"""

from __future__ import annotations

from sandbox.forge import access, merge_requests
from sandbox.forge.approvals import check_sha
from sandbox.forge.call import PROJECT_PATH, Call, now
from sandbox.forge.errors import invalid, not_allowed, unauthorized
from sandbox.forge.projects import settings
from sandbox.forge.store import Json

_ATTEMPTS = 3


def merge(call: Call) -> Json:
    """401 for who may not, 405 when it is not mergeable now, 422 on conflicts, 409 when `sha` is not the head any more.

    The intent is written first: killed between the ref and its record, the merge is known after the next start.
    """
    if call.flag("squash") or call.flag("auto_merge") or call.flag("merge_when_pipeline_succeeds"):
        raise invalid("squash and auto-merge are not emulated by this sandbox")
    with call.world.refs:
        for _ in range(_ATTEMPTS):
            request = merge_requests.load(call)
            if not access.may_merge(call.store, call.who, request["target_branch"]):
                raise unauthorized()
            state = merge_requests.status(call.world, request)
            if state == "conflict":
                raise invalid("Branch cannot be merged")
            if state != "mergeable":
                raise not_allowed()
            check_sha(call, request)
            if (done := _move(call, request)) is not None:
                if call.flag("should_remove_source_branch") and _may_remove(call, request["source_branch"]):
                    call.repository.delete(f"refs/heads/{request['source_branch']}", request["sha"])
                merge_requests.pushed(call.world, call.who)  # other requests into, or from, the same branch
                return merge_requests.shown(call, done)
    raise invalid("Branch cannot be merged")  # pushes came faster than we merge


def _move(call: Call, request: Json) -> Json | None:
    """The merged request; None when the target has moved meanwhile."""
    store, target, head = call.store, request["target_sha"], request["sha"]
    commit = head if settings(store)["merge_method"] == "ff" else _merge_commit(call, request)
    made = None if commit == head else commit
    begun = {"by": call.who.id, "at": now(), "commit": commit, "merge_commit_sha": made}
    store.put("merge_request", request["iid"], {**request, "merging": begun})
    if not call.repository.move(f"refs/heads/{request['target_branch']}", commit, target):
        store.put("merge_request", request["iid"], request)
        return None
    request |= {"state": "merged", "merged_by": call.who.id, "merged_at": begun["at"], "updated_at": begun["at"]}
    request |= {"merge_commit_sha": made, "merging": None}
    store.put("merge_request", request["iid"], request)
    return request


def _merge_commit(call: Call, request: Json) -> str:
    tree = call.repository.merged_tree(request["target_sha"], request["sha"])
    assert tree is not None  # the caller has seen that there is no conflict
    usual = (
        f"Merge branch '{request['source_branch']}' into '{request['target_branch']}'\n\n{request['title']}\n\n"
        f"See merge request {PROJECT_PATH}!{request['iid']}"
    )
    message = call.text("merge_commit_message", usual)
    return call.repository.make_commit(tree, [request["target_sha"], request["sha"]], message, call.identity())


def _may_remove(call: Call, branch: str) -> bool:
    return not access.protections(call.store, "branch", branch) and access.may_push(call.store, call.who, branch)
