"""Merge requests: https://docs.gitlab.com/api/merge_requests/"""

from __future__ import annotations

from functools import partial

from sandbox.forge import access, commits, history, labels, rules, users
from sandbox.forge.call import PROJECT_ID, PROJECT_PATH, Call, Listed, World, now
from sandbox.forge.errors import ApiError, bad, conflict, forbidden, invalid, missing
from sandbox.forge.projects import settings
from sandbox.forge.repository import Commit, Repository
from sandbox.forge.store import Json
from sandbox.forge.users import DEVELOPER, User

_STATES = ("opened", "closed", "merged")


def create(call: Call) -> Json:
    """POST /projects/:id/merge_requests"""
    source, target, title = call.text("source_branch"), call.text("target_branch"), call.text("title")
    call.require(DEVELOPER)
    if source == target:
        raise invalid(["You can't use same project/branch for source and target"])
    if not title.strip():
        raise ApiError(400, {"title": ["can't be blank"]})
    with call.world.refs:
        sha, target_sha = call.repository.head(source), call.repository.head(target)
        for name, found in (("source_branch", sha), ("target_branch", target_sha)):
            if found is None:
                raise ApiError(400, {name: ["does not exist"]})
        for other in _synced(call.world):
            if other["state"] == "opened" and (other["source_branch"], other["target_branch"]) == (source, target):
                raise conflict([f"Another open merge request already exists for this source branch: !{other['iid']}"])
        iid, at = call.store.next("merge_request"), now()
        named = labels.known(call, call.words("labels"))
        request = {
            "iid": iid, "title": title, "description": call.text("description", ""), "source_branch": source,
            "target_branch": target, "author": call.who.id, "state": "opened", "labels": named,
            "created_at": at, "updated_at": at, "sha": sha, "target_sha": target_sha, "merged_by": None, "merged_at": None,
            "closed_by": None, "closed_at": None, "merge_commit_sha": None, "merging": None,
        }  # fmt: skip
        call.store.put("merge_request", iid, request)
    return shown(call, request)


def listed(call: Call) -> Listed:
    """GET /projects/:id/merge_requests?state=&source_branch=&target_branch=&labels=&search=&author_username=&iids[]="""
    query, wanted = call.query, set(call.words("labels"))
    author = users.by_name(call.store, query["author_username"]) if query.get("author_username") else None
    iids = call.query.get("iids[]")
    found = [
        request for request in _synced(call.world)
        if query.get("state", "all") in ("all", request["state"])
        and all(query.get(name) in (None, request[name]) for name in ("source_branch", "target_branch"))
        and wanted <= set(request["labels"])
        and query.get("search", "").lower() in f"{request['title']} {request['description']}".lower()
        and (not query.get("author_username") or (author is not None and author.id == request["author"]))
        and (iids is None or str(request["iid"]) in iids.split(","))
    ]  # fmt: skip
    found.sort(key=lambda request: str(request[_order(call)]), reverse=query.get("sort", "desc") == "desc")
    return Listed(found, partial(shown, call))


def _order(call: Call) -> str:
    order = call.query.get("order_by", "created_at")
    if order not in ("created_at", "updated_at", "title", "merged_at"):
        raise bad("order_by does not have a valid value")
    return order


def of_commit(call: Call) -> Listed:
    """GET /projects/:id/repository/commits/:sha/merge_requests"""
    sha = call.repository.resolve(call.path["sha"])
    if sha is None:
        raise missing("Commit")
    found = [r for r in _synced(call.world) if any(commit.sha == sha for commit in commits_of(call.repository, r))]
    return Listed(found, partial(shown, call))


def get(call: Call) -> Json:
    """GET /projects/:id/merge_requests/:iid"""
    return shown(call, load(call))


def update(call: Call) -> Json:
    """PUT /projects/:id/merge_requests/:iid: title, description, labels, state_event; the author's and developers'"""
    with call.world.refs:
        request = load(call)
        if call.who.level < DEVELOPER and call.who.id != request["author"]:
            raise forbidden()
        request |= {name: call.text(name) for name in ("title", "description") if call.given(name) is not None}
        request["labels"] = labels.changed(call, request["labels"])
        event = call.text("state_event", "none")
        if event not in ("none", "close", "reopen"):
            raise bad("state_event does not have a valid value")
        if event == "close" and request["state"] == "opened":
            request |= {"state": "closed", "closed_by": call.who.id, "closed_at": now()}
            history.event(call.store, request["iid"], call.who.id, "closed")
        if event == "reopen" and request["state"] == "closed":
            request |= {"state": "opened", "closed_by": None, "closed_at": None}
            history.event(call.store, request["iid"], call.who.id, "reopened")
        request["updated_at"] = now()
        call.store.put("merge_request", request["iid"], request)
        return shown(call, _sync(call.world, request))


def commit_list(call: Call) -> list[Json]:
    """GET .../merge_requests/:iid/commits: newest first"""
    return [commits.shown(call, commit) for commit in commits_of(call.repository, load(call))]


def changes(call: Call) -> Json:
    """GET .../merge_requests/:iid/changes"""
    request = load(call)
    return {**shown(call, request), "changes": _diffs(call, request), "overflow": False}


def diffs(call: Call) -> list[Json]:
    """GET .../merge_requests/:iid/diffs"""
    return _diffs(call, load(call))


def _diffs(call: Call, request: Json) -> list[Json]:
    base = call.repository.base(request["target_sha"], request["sha"])
    return commits.diffs(call, base, request["sha"]) if base else []


def commits_of(repository: Repository, request: Json) -> list[Commit]:
    """What the request would bring, or has brought."""
    return repository.log(f"{request['target_sha']}..{request['sha']}")


def load(call: Call) -> Json:
    """The request of the path, as it is after everything that was pushed."""
    found = call.store.get("merge_request", call.path_number("iid"))
    if found is None:
        raise missing()
    with call.world.refs:
        return _sync(call.world, found)


def pushed(world: World, by: User | None) -> None:
    """After a push: approvals are reset, and what has arrived in its target is merged."""
    with world.refs:
        for request in world.store.all("merge_request"):
            _sync(world, request, by)


def _synced(world: World) -> list[Json]:
    with world.refs:
        return [_sync(world, request) for request in world.store.all("merge_request")]


def _sync(world: World, request: Json, by: User | None = None) -> Json:
    """Bring an open request up to its branches."""
    if request["state"] != "opened":
        return request
    repository, before = world.repository, dict(request)
    target = repository.head(request["target_branch"]) or request["target_sha"]
    begun = request["merging"]
    if begun and repository.contains(target, begun["commit"]):  # killed after the merge and before it was written
        request |= {"state": "merged", "merged_by": begun["by"], "merged_at": begun["at"]}
        request |= {"merge_commit_sha": begun["merge_commit_sha"]}
    elif target != request["target_sha"] and repository.contains(target, request["sha"]):  # by a push
        request |= {"state": "merged", "merged_by": by.id if by else None, "merged_at": now(), "merge_commit_sha": target}
    else:
        head = repository.head(request["source_branch"]) or request["sha"]
        if head != request["sha"]:
            author = by.id if by else request["author"]
            history.note(world.store, request["iid"], author, "added 1 commit\n\n* " + head[:8])
        if head != request["sha"] and rules.settings(world.store)["reset_approvals_on_push"]:
            world.store.write("delete from fg_approval where iid = ? and sha <> ?", request["iid"], head)
        request |= {"sha": head, "target_sha": target}
    request["merging"] = None
    if request != before:
        world.store.put("merge_request", request["iid"], {**request, "updated_at": now()})
    return request


def status(world: World, request: Json) -> str:
    """Why it cannot be merged now, or "mergeable": https://docs.gitlab.com/api/merge_requests/#merge-status"""
    if request["state"] != "opened":
        return "not_open"
    repository, target, head = world.repository, request["target_sha"], request["sha"]
    if repository.head(request["source_branch"]) is None or repository.contains(target, head):
        return "commits_status"
    if is_draft(request):
        return "draft_status"
    if rules.left(world, request):
        return "not_approved"
    if settings(world.store)["merge_method"] != "merge" and not repository.contains(head, target):
        return "need_rebase"
    return "mergeable" if repository.merged_tree(target, head) else "conflict"


def is_draft(request: Json) -> bool:
    """Marked in its title."""
    return str(request["title"]).lower().startswith(("draft:", "[draft]", "(draft)"))


def shown(call: Call, request: Json) -> Json:
    """A merge request, as it is answered."""
    detailed = status(call.world, request)
    iid, target, head = request["iid"], request["target_sha"], request["sha"]
    by = {name: users.told(users.by_id(call.store, request[name]), call.url) if request[name] else None
          for name in ("author", "merged_by", "closed_by")}  # fmt: skip
    conflicts = request["state"] == "opened" and call.repository.merged_tree(target, head) is None
    notes = call.store.rows(
        "select 1 from fg_object where kind = 'note' and owner = ? and body not like '%\"system\": true%'",
        f"merge_request {iid}",
    )
    kept = ("iid", "title", "description", "state", "source_branch", "target_branch", "labels", "created_at", "updated_at",
            "merged_at", "closed_at", "sha", "merge_commit_sha")  # fmt: skip
    return {
        "id": 1000 + iid, "project_id": PROJECT_ID, **{name: request[name] for name in kept}, **by,
        "merge_user": by["merged_by"], "source_project_id": PROJECT_ID, "target_project_id": PROJECT_ID,
        "draft": is_draft(request), "work_in_progress": is_draft(request), "detailed_merge_status": detailed,
        "merge_status": "cannot_be_merged" if conflicts else "can_be_merged", "has_conflicts": conflicts,
        "diff_refs": {"base_sha": call.repository.base(target, head), "head_sha": head, "start_sha": target},
        "squash": False, "squash_commit_sha": None, "assignees": [], "assignee": None, "reviewers": [], "milestone": None,
        "merge_when_pipeline_succeeds": False, "user_notes_count": len(notes), "blocking_discussions_resolved": True,
        "references": {"short": f"!{iid}", "relative": f"!{iid}", "full": f"{PROJECT_PATH}!{iid}"},
        "web_url": f"{call.web}/-/merge_requests/{iid}", "merge_error": None,
        "user": {"can_merge": access.may_merge(call.store, call.who, request["target_branch"])},
    }  # fmt: skip
