"""Merge requests through unmodified python-gitlab: approved, merged, refused."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from gitlab.exceptions import GitlabCreateError, GitlabError, GitlabHttpError

from sandbox import control
from sandbox.forge.store import Store
from tests.forge_sandbox import Forge

pytest_plugins = ("tests.forge_sandbox",)


def opened(forge: Forge, source: str, target: str, who: str = "dana", **more: Any) -> Any:
    """A merge request of somebody's."""
    branches = {"source_branch": source, "target_branch": target, "title": f"{source} to {target}"}
    return forge.project(who).mergerequests.create(branches | more)


def seen(forge: Forge, request: Any, who: str) -> Any:
    """The same merge request, for somebody else."""
    return forge.project(who).mergerequests.get(request.iid)


def refusal(error: pytest.ExceptionInfo[GitlabError]) -> tuple[int | None, str]:
    return error.value.response_code, str(error.value.error_message)


def test_a_promotion_by_merge_request(forge: Forge) -> None:
    """Opened by the developer, approved by the reviewer, merged by the release manager at the head that was seen."""
    source, target = forge.branches()
    before, head = forge.head(target), forge.head(source)
    request = opened(forge, source, target, labels=["promotion"], description="Why")
    assert (request.state, request.sha, request.author["username"]) == ("opened", head, "dana")
    assert request.diff_refs == {"base_sha": before, "start_sha": before, "head_sha": head}
    assert [commit.id for commit in request.commits()] == [head]
    assert [change["new_path"] for change in request.changes()["changes"]] == ["OWNERS.md"]
    assert "+ours" in request.changes()["changes"][0]["diff"]
    seen(forge, request, "ravi").approve(sha=head)
    approved = request.approvals.get()
    assert (approved.approved, [by["user"]["username"] for by in approved.approved_by]) == (True, ["ravi"])
    merging = seen(forge, request, "rhea")
    merging.merge(sha=head)
    done = seen(forge, request, "dana")
    assert (done.state, done.merged_by["username"], done.has_conflicts) == ("merged", "rhea", False)
    assert done.merge_commit_sha == forge.head(target)
    merged = forge.project().commits.get(target)
    assert merged.parent_ids == [before, head]
    assert f"See merge request quant/pipelines!{request.iid}" in merged.message
    assert merged.author_email == "rhea@quant.example"


def test_requests_are_found_by_state_branches_and_commit(forge: Forge) -> None:
    """What a tool that was killed looks for: is there one already?"""
    source, target = forge.branches()
    request = opened(forge, source, target)
    project = forge.project("rhea")
    found = project.mergerequests.list(state="opened", source_branch=source, target_branch=target, get_all=True)
    assert [one.iid for one in found] == [request.iid]
    assert [one["iid"] for one in project.commits.get(request.sha).merge_requests()] == [request.iid]
    assert project.mergerequests.list(state="merged", source_branch=source, get_all=True) == []
    with pytest.raises(GitlabCreateError) as error:
        opened(forge, source, target)
    assert refusal(error)[0] == 409
    assert "Another open merge request already exists for this source branch" in refusal(error)[1]
    request.state_event = "close"
    request.labels = ["later"]
    request.save()
    assert (request.state, request.labels) == ("closed", ["later"])
    assert project.mergerequests.list(labels=["later"], state="closed", target_branch=target, get_all=True)
    again = opened(forge, source, target)
    assert again.iid != request.iid


def test_a_head_that_moved_is_neither_approved_nor_merged(forge: Forge) -> None:
    """409 for the commit that was seen; the new one can be merged."""
    source, target = forge.branches()
    request = opened(forge, source, target)
    old, before = request.sha, forge.head(target)
    new = forge.commit(forge.clone(), source, source, {"b": "2"})
    for attempt in (seen(forge, request, "ravi").approve, seen(forge, request, "rhea").merge):
        with pytest.raises(GitlabError) as error:
            attempt(sha=old)
        assert refusal(error) == (409, f"SHA does not match HEAD of source branch: {new}")
    assert forge.head(target) == before
    seen(forge, request, "rhea").merge(sha=new)
    assert forge.must(forge.state.remote, "merge-base", "--is-ancestor", new, target) == ""


def test_approvals_end_with_a_push(forge: Forge) -> None:
    """A rule of one approval: enough, until somebody pushes; and the project may keep them."""
    source, target = forge.branches()
    request, clone = opened(forge, source, target), forge.clone()
    with forge.protected(target) as guard:
        body = {"name": forge.name("rule"), "approvals_required": 1, "protected_branch_ids": [guard.id]}
        [group] = forge.client("ada").groups.list(search="quant-reviewers")
        rule = forge.project("ada").approvalrules.create(body | {"group_ids": [group.id]})
        reviewed = seen(forge, request, "ravi")
        assert reviewed.detailed_merge_status == "not_approved"
        with pytest.raises(GitlabError) as error:
            seen(forge, request, "rhea").merge()
        assert refusal(error) == (405, "405 Method Not Allowed")
        seen(forge, request, "rhea").approve()  # a maintainer, but no reviewer
        state = reviewed.approvals.get()
        assert (state.approved, state.approvals_required, state.approvals_left) == (False, 1, 1)
        reviewed.approve(sha=request.sha)
        assert reviewed.approvals.get().approvals_left == 0
        assert [one["approved"] for one in reviewed.approval_state.get().rules] == [True]
        forge.commit(clone, source, source, {"b": "2"})
        assert reviewed.approvals.get().approved_by == []
        assert seen(forge, request, "rhea").detailed_merge_status == "not_approved"
        forge.project("ada").approvals.update(new_data={"reset_approvals_on_push": False})
        try:
            reviewed.approve()
            forge.commit(clone, source, source, {"b": "3"})
            assert reviewed.approvals.get().approvals_left == 0
            reviewed.unapprove()
            assert reviewed.approvals.get().approvals_left == 1
        finally:
            forge.project("ada").approvals.update(new_data={"reset_approvals_on_push": True})
        rule.delete()


def test_who_may_not_approve(forge: Forge) -> None:
    """The author, who has approved already, and who may not write: 401, as in GitLab."""
    source, target = forge.branches()
    request = opened(forge, source, target)
    seen(forge, request, "ravi").approve()
    for who in ("dana", "ravi", "uma", "eddie"):
        assert not seen(forge, request, who).approvals.get().user_can_approve
        with pytest.raises(GitlabError) as error:
            seen(forge, request, who).approve()
        assert refusal(error) == (401, "401 Unauthorized")
    forge.project("ada").approvals.update(new_data={"merge_requests_author_approval": True})
    try:
        request.approve()
    finally:
        forge.project("ada").approvals.update(new_data={"merge_requests_author_approval": False})


def test_who_may_not_merge(forge: Forge) -> None:
    """Merging obeys the merge level of the branch, not the push level; nothing moves otherwise."""
    source, target = forge.branches()
    request = opened(forge, source, target)
    before = forge.head(target)
    with forge.protected(target, push_access_level=0, merge_access_level=40):
        for who in ("dana", "ravi", "uma"):
            assert not seen(forge, request, who).user["can_merge"]
            with pytest.raises(GitlabError) as error:
                seen(forge, request, who).merge(sha=request.sha)
            assert refusal(error) == (401, "401 Unauthorized")
        assert forge.head(target) == before
        seen(forge, request, "rhea").merge(sha=request.sha)
    assert forge.head(target) != before


def test_a_conflict_is_told_and_nothing_moves(forge: Forge) -> None:
    """422, as GitLab answers since 15.3."""
    source, target = forge.branches(conflict=True)
    before = forge.head(target)
    request = opened(forge, source, target)
    assert (request.has_conflicts, request.detailed_merge_status) == (True, "conflict")
    with pytest.raises(GitlabError) as error:
        seen(forge, request, "rhea").merge()
    assert refusal(error) == (422, "Branch cannot be merged")
    assert forge.head(target) == before


@pytest.mark.parametrize(("method", "parents"), [("ff", 1), ("rebase_merge", 2)])
def test_merge_methods_without_divergence(forge: Forge, method: str, parents: int) -> None:
    """Fast-forward moves the ref to the head; a semi-linear history has a merge commit; neither takes what diverged."""
    diverged = opened(forge, *forge.branches(conflict=True))
    source, target = forge.branches()
    request = opened(forge, source, target)
    project = forge.project("ada")
    project.merge_method = method
    project.save()
    try:
        assert seen(forge, diverged, "rhea").detailed_merge_status == "need_rebase"
        with pytest.raises(GitlabError) as error:
            seen(forge, diverged, "rhea").merge()
        assert refusal(error)[0] == 405
        seen(forge, request, "rhea").merge(sha=request.sha)
    finally:
        project.merge_method = "merge"
        project.save()
    assert len(forge.project().commits.get(target).parent_ids) == parents
    done = seen(forge, request, "dana")
    assert (done.state, done.merge_commit_sha) == ("merged", None if method == "ff" else forge.head(target))
    assert (forge.head(target) == request.sha) == (method == "ff")


def test_a_draft_or_a_closed_request_is_not_merged(forge: Forge) -> None:
    """405, and its status says why."""
    source, target = forge.branches()
    request = opened(forge, source, target, title="Draft: not yet")
    assert (request.draft, request.detailed_merge_status) == (True, "draft_status")
    request.title, request.state_event = "Now", "close"
    request.save()
    assert seen(forge, request, "rhea").detailed_merge_status == "not_open"
    with pytest.raises(GitlabError) as error:
        seen(forge, request, "rhea").merge()
    assert refusal(error)[0] == 405


def test_what_was_pushed_is_merged(forge: Forge) -> None:
    """The way without the API: the target was moved to the source by git."""
    source, target = forge.branches()
    request = opened(forge, source, target)
    with forge.protected(target):
        forge.must(forge.clone(), "push", "--quiet", "origin", f"origin/{source}:refs/heads/{target}", who="rhea")
    done = seen(forge, request, "dana")
    assert (done.state, done.merged_by["username"]) == ("merged", "rhea")


def test_wrong_requests_say_what_is_wrong(forge: Forge) -> None:
    """Missing parameters, branches and rights."""
    source, target = forge.branches()
    path = "/projects/quant%2Fpipelines/merge_requests"
    assert forge.http("POST", path, json={"title": "x", "target_branch": target}).json() == {
        "error": "source_branch is missing"
    }
    for branches, status in (((source, source), 422), ((source, "nowhere"), 400)):
        with pytest.raises(GitlabCreateError) as error:
            opened(forge, *branches)
        assert refusal(error)[0] == status
    with pytest.raises(GitlabCreateError) as error:
        opened(forge, source, target, who="uma")
    assert refusal(error) == (403, "403 Forbidden")
    with pytest.raises(GitlabHttpError):
        forge.client("dana").http_put(f"{path}/1/merge", post_data={"squash": True})


@pytest.mark.parametrize("answered", [True, False])
def test_a_merge_is_never_lost_or_half_told(own_forge: Forge, answered: bool) -> None:
    """Killed after the answer, or between the ref and its record: after the next start it is merged, by whom it was."""
    source, target = own_forge.branches()
    request = opened(own_forge, source, target)
    seen(own_forge, request, "rhea").merge(sha=request.sha)
    if not answered:
        # What the database holds when the process dies after git has moved the ref.
        store = Store(own_forge.state.forge)
        kept = store.get("merge_request", request.iid)
        assert kept is not None
        begun = {
            "by": kept["merged_by"],
            "at": kept["merged_at"],
            "commit": own_forge.head(target),
            "merge_commit_sha": own_forge.head(target),
        }
        undone = {"state": "opened", "merged_by": None, "merged_at": None, "merge_commit_sha": None, "merging": begun}
        store.put("merge_request", request.iid, kept | undone)
    os.kill(own_forge.endpoints.pid, signal.SIGKILL)
    own_forge.endpoints = control.start(own_forge.state)
    done = seen(own_forge, request, "dana")
    assert (done.state, done.merged_by["username"], done.merge_commit_sha) == ("merged", "rhea", own_forge.head(target))


def test_merges_and_pushes_at_once_lose_nothing(forge: Forge) -> None:
    """Three requests and three pushes race for one branch: what was answered is in it."""
    target, clone = forge.name("target"), forge.clone()
    forge.must(clone, "push", "--quiet", "origin", f"origin/quant:refs/heads/{target}")
    sources = [forge.name("source") for _ in range(3)]
    heads = [forge.commit(clone, source, "quant", {source: "1"}) for source in sources]
    pushed = [forge.commit(clone, forge.name("side"), "quant", {f"push{n}": "1"}) for n in range(3)]
    requests_ = [opened(forge, source, target) for source in sources]

    def push(commit: str) -> str | None:
        done = forge.git(clone, "push", "origin", f"{commit}:refs/heads/{target}")
        return commit if done.returncode == 0 else None

    def merge(request: Any) -> str | None:
        try:
            seen(forge, request, "rhea").merge(sha=request.sha)
        except GitlabError:
            return None
        return str(request.sha)

    with ThreadPoolExecutor(6) as pool:
        answered = [*pool.map(merge, requests_), *pool.map(push, pushed)]
    assert set(heads) <= set(answered)  # another head of the target is no reason to refuse a merge
    for commit in filter(None, answered):
        forge.must(forge.state.remote, "merge-base", "--is-ancestor", commit, target)


def test_killed_while_merging(own_forge: Forge) -> None:
    """Wherever the kill falls: a request is merged exactly when its commit is in the target, and an answer is kept."""
    target, clone = own_forge.name("target"), own_forge.clone()
    own_forge.must(clone, "push", "--quiet", "origin", f"origin/quant:refs/heads/{target}")
    opened_ = []
    for _ in range(8):
        source = own_forge.name("source")
        own_forge.commit(clone, source, "quant", {source: "1"})
        opened_.append(opened(own_forge, source, target))
    answered: list[int] = []

    def merge_all() -> None:
        for request in opened_:
            try:
                seen(own_forge, request, "rhea").merge(sha=request.sha)
            except (requests.RequestException, GitlabError):
                return
            answered.append(request.iid)

    thread = threading.Thread(target=merge_all)
    thread.start()
    while len(answered) < 3 and thread.is_alive():
        time.sleep(0.005)
    os.kill(own_forge.endpoints.pid, signal.SIGKILL)
    thread.join()
    own_forge.endpoints = control.start(own_forge.state)
    states = {one.iid: one for one in own_forge.project().mergerequests.list(target_branch=target, get_all=True)}
    for request in opened_:
        arrived = own_forge.git(own_forge.state.remote, "merge-base", "--is-ancestor", request.sha, target).returncode == 0
        assert (states[request.iid].state == "merged") == arrived
        assert arrived or request.iid not in answered
        assert not arrived or states[request.iid].merged_by["username"] == "rhea"
    assert len(answered) >= 3
