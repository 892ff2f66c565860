"""Merging a merge request in GitLab, and how that ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from quantctl.forge.model import MergeOutcome, MergeRequest, MergeResult

if TYPE_CHECKING:
    from gitlab.v4.objects import Project, ProjectMergeRequest

_CHECKING = ("checking", "unchecked", "preparing", "approvals_syncing")
_CHECK_SECONDS = 20.0  # GitLab looks for conflicts in the background
# https://docs.gitlab.com/api/merge_requests/#merge-status
_LACKS = {
    "not_approved": "approvals",
    "draft_status": "it is a draft",
    "ci_must_pass": "a pipeline that succeeds",
    "ci_still_running": "a pipeline that is still running",
    "discussions_not_resolved": "discussions are not resolved",
    "requested_changes": "a reviewer has requested changes",
    "status_checks_must_pass": "status checks that pass",
}


def merge(project: Project, request: MergeRequest, sha: str) -> MergeOutcome:
    """Merge exactly `sha`, and never remove the source branch. What is not a refusal of GitLab is raised."""
    from gitlab.exceptions import GitlabError

    now = _settled(project, request.number)
    if (early := cannot(now, sha)) is not None:
        return early
    try:
        now.merge(should_remove_source_branch=False, sha=sha)
    except GitlabError as error:
        if error.response_code not in (401, 403, 405, 406, 409, 422):
            raise
        after = _settled(project, request.number)  # somebody was faster, or something changed meanwhile
        status = str(after.attributes.get("detailed_merge_status"))
        return cannot(after, sha) or refused(request.target, error.response_code, status, str(error))
    return _merged(project.mergerequests.get(request.number))


def _settled(project: Project, number: int) -> ProjectMergeRequest:
    """The merge request, once GitLab has looked whether it can be merged."""
    end = time.monotonic() + _CHECK_SECONDS
    while True:
        found = project.mergerequests.get(number)
        if found.attributes.get("detailed_merge_status") not in _CHECKING or time.monotonic() > end:
            return found
        time.sleep(1)


def _merged(found: Any) -> MergeOutcome:
    commit = found.attributes.get("merge_commit_sha") or found.attributes.get("squash_commit_sha") or found.sha
    return MergeOutcome(MergeResult.MERGED, f"merged into {found.target_branch}", commit)


def cannot(found: Any, sha: str) -> MergeOutcome | None:
    """What is clear before a merge is tried: it is done, closed, at another commit, or does not fit the target. Pure."""
    if found.state == "merged" and found.sha == sha:
        return _merged(found)
    if found.state != "opened":
        return MergeOutcome(MergeResult.NOT_READY, f"it is {found.state}")
    if found.sha != sha:
        return MergeOutcome(MergeResult.MOVED, f"{found.source_branch} is at {found.sha[:12]}, not at {sha[:12]}")
    status = str(found.attributes.get("detailed_merge_status"))
    if status in ("conflict", "broken_status") or found.attributes.get("has_conflicts"):
        return MergeOutcome(MergeResult.CONFLICT, f"{found.source_branch} and {found.target_branch} do not fit together")
    if status == "need_rebase":
        said = f"{found.target_branch} has what {found.source_branch} has not, and the project merges fast-forward only"
        return MergeOutcome(MergeResult.CONFLICT, said)
    return None


def refused(target: str, code: int | None, status: str, said: str) -> MergeOutcome:
    """A refusal of the merge itself: https://docs.gitlab.com/api/merge_requests/#merge-a-merge-request. Pure."""
    if code in (401, 403):
        return MergeOutcome(MergeResult.REFUSED, f"the owner of GITLAB_TOKEN may not merge into {target} ({said})")
    if code == 409:
        return MergeOutcome(MergeResult.MOVED, said)
    return MergeOutcome(MergeResult.NOT_READY, f"it lacks {_LACKS.get(status, status)} ({said})")
