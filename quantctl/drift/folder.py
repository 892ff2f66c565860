"""The Git folder against the commit that was deployed, and its branch against both: drift, or a promotion. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from quantctl.drift.changed import engine_mend, is_git_folder, named
from quantctl.drift.finding import By, Class, Finding, Mend
from quantctl.drift.steps import Refresh


@dataclass(frozen=True)
class Branch:
    """The branch's head; `ahead` commits since the deployed one, None when that is not in its history."""

    name: str
    head: str
    ahead: int | None


def deployed_commit(refresh: Refresh) -> str:
    """The commit that the last update deployed, as the stack's state holds it; empty when there is no folder."""
    return next((str(step.old.get("commitHash") or "") for step in refresh.steps if is_git_folder(step)), "")


def folder_findings(env: str, refresh: Refresh, branch: Branch | None, edited: Sequence[str] | None) -> list[Finding]:
    """Where the folder is not at its commit, holds local edits, or is behind its branch.

    `branch` is None when it could not be read, `edited` when nothing was looked at: that is told by whoever read.
    """
    found = []
    for step in filter(is_git_folder, refresh.steps):
        commit, resource = str(step.old.get("commitHash")), named(step)
        declared = f"{step.old.get('branch')} at {commit[:12]}"
        real = declared if step.new is None else f"{step.new.get('branch') or 'no branch'} at {_commit(step.new)[:12]}"
        moved_on = branch is not None and branch.head != commit
        if real != declared:
            mend = no_promotion(env, commit) if moved_on else engine_mend(env, step.urn)
            found.append(Finding(env, Class.DRIFT, resource, "commit", declared, real, mend, step.urn))
        elif branch is not None and moved_on and step.new is not None:
            ahead = f"{branch.ahead} commits ahead" if branch.ahead is not None else "rewritten history"
            words = f"{branch.name} at {branch.head[:12]}, {ahead}"
            do = f"pulumi up -s {env}" if branch.ahead is not None else f"push a commit on top of {commit[:12]}"
            found.append(Finding(env, Class.WAITING, resource, "commit", declared, words, Mend(do, By.HAND), step.urn))
        if edited:
            files = ", ".join(edited[:5]) + (f" and {len(edited) - 5} more" if len(edited) > 5 else "")
            mend = Mend("commit them to a branch of their own, or discard them in the workspace; nothing else deletes them")
            found.append(Finding(env, Class.DRIFT, resource, "local edits", "none", files, mend, step.urn))
    return found


def missing_folder(findings: Sequence[Finding], refresh: Refresh, branch: Branch | None) -> list[Finding]:
    """The findings, in which a folder that is gone is not made again at another commit than the deployed one."""
    folders = {step.urn: str(step.old.get("commitHash")) for step in refresh.steps if is_git_folder(step)}
    return [
        replace(f, property="commit", declared=folders[f.urn][:12], mend=no_promotion(f.environment, folders[f.urn]))
        if f.urn in folders and f.property == "" and branch is not None and branch.head != folders[f.urn]
        else f
        for f in findings
    ]


def no_promotion(env: str, commit: str) -> Mend:
    """An update checks out the branch's head: where that is another commit, it would promote, which a mend must not."""
    return Mend(f"promote with pulumi up -s {env}, or take the branch back to {commit[:12]} with a commit on top")


def _commit(outputs: object) -> str:
    return str(outputs.get("commitHash") or "") if hasattr(outputs, "get") else ""
