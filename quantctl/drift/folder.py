"""The Git folder against the commit that was deployed, and its branch against both: drift, or a promotion. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from infra.outside.workspace import GitFolder
from quantctl.drift.changed import engine_fix, is_git_folder, named
from quantctl.drift.finding import By, Class, Finding, Fix
from quantctl.drift.steps import Refresh


@dataclass(frozen=True)
class Branch:
    """The branch's head; `ahead` commits since the deployed one, None when that is not in its history."""

    name: str
    head: str
    ahead: int | None


@dataclass(frozen=True)
class Folder:
    """What is at the environment's path in the workspace; `entries` is its access control list, inherited ones included."""

    there: GitFolder | None = None
    entries: Sequence[Mapping[str, Any]] = ()


def deployed_commit(refresh: Refresh) -> str:
    """The commit that was deployed last as a whole; empty when there is none.

    The stack's own output says it, which only an update that went through writes; else what the folder was declared as.
    Never what the state says that the folder became: after a failed update that is what was wanted.
    """
    return refresh.commit or folder_commit(refresh)


def folder_commit(refresh: Refresh) -> str:
    """The commit that the Git folder was declared to be at when it was last changed with success."""
    return next((str(step.inputs.get("commitHash") or "") for step in refresh.steps if is_git_folder(step)), "")


def half(refresh: Refresh) -> str:
    """Where an update ended after the folder had moved and before all the rest had: the folder's commit, else empty."""
    at = folder_commit(refresh)
    return at if at and refresh.commit and at != refresh.commit else ""


def folder_findings(env: str, refresh: Refresh, branch: Branch | None, edited: Sequence[str] | None) -> list[Finding]:
    """Where the folder is not at its commit, holds local edits, or is behind its branch.

    `branch` is None when it could not be read, `edited` when nothing was looked at: that is told by whoever read.
    """
    found = []
    for step in filter(is_git_folder, refresh.steps):
        commit, resource = str(step.inputs.get("commitHash") or ""), named(step)
        declared = f"{step.inputs.get('branch')} at {commit[:12]}"
        real = declared if step.new is None else f"{step.new.get('branch') or 'no branch'} at {_commit(step.new)[:12]}"
        moved_on = branch is not None and branch.head != commit
        if real != declared:
            fix = no_promotion(env, commit) if moved_on else engine_fix(env, step.urn)
            found.append(Finding(env, Class.DRIFT, resource, "commit", declared, real, fix, step.urn))
        elif branch is not None and moved_on and step.new is not None:
            ahead = (
                f"{branch.ahead} commit{'' if branch.ahead == 1 else 's'} ahead"
                if branch.ahead is not None
                else "rewritten history"
            )
            words = f"{branch.name} at {branch.head[:12]}, {ahead}"
            do = f"pulumi up -s {env}" if branch.ahead is not None else f"push a commit on top of {commit[:12]}"
            found.append(Finding(env, Class.WAITING, resource, "commit", declared, words, Fix(do, By.HAND), step.urn))
        if edited:
            files = ", ".join(edited[:5]) + (f" and {len(edited) - 5} more" if len(edited) > 5 else "")
            fix = Fix("commit them to a branch of their own, or discard them in the workspace; nothing else deletes them")
            found.append(Finding(env, Class.DRIFT, resource, "local edits", "none", files, fix, step.urn))
    return found


def place_findings(env: str, refresh: Refresh, folder: Folder, path: str, deployer: str) -> list[Finding]:
    """What the state does not know of the folder's place: another folder there, and who has it from the folders above."""
    found = [*_inherited(env, folder, path, deployer)]
    ours = [step for step in refresh.steps if is_git_folder(step)]
    if not ours:
        words = Fix(f"quantctl up {env}")
        if folder.there is not None:
            words = Fix(f"databricks repos delete {folder.there.id}, if nobody needs what is in it; then quantctl up {env}")
        real = _place(folder.there)
        found.append(
            Finding(env, Class.DRIFT, f"Git folder {path}", "", "declared", f"in nobody's state; {real}", words, first=True)
        )
    elif folder.there is not None and ours[0].new is None:
        # Somebody deleted it and cloned it again: the engine would be refused, because the path is taken.
        do = f"databricks repos delete {folder.there.id}, if nobody needs what is in it; then pulumi up --refresh -s {env}"
        words = Fix(do)
        known = str(ours[0].old.get("id") or "another")
        found.append(
            Finding(env, Class.DRIFT, named(ours[0]), "clone", f"folder {known}", _place(folder.there), words, ours[0].urn)
        )
    return found


def _place(folder: GitFolder | None) -> str:
    if folder is None:
        return "nothing is at its path"
    return f"folder {folder.id} is at its path, on {folder.branch or 'no branch'} at {folder.commit[:12] or 'no commit'}"


def _inherited(env: str, folder: Folder, path: str, deployer: str) -> Iterator[Finding]:
    """Whoever may edit or manage a folder above may do it here too, whatever is declared for the folder itself."""
    for entry in folder.entries:
        who = next((str(entry[key]) for key in ("user_name", "group_name", "service_principal_name") if entry.get(key)), "?")
        if who.lower() in ("admins", deployer.lower()):
            continue
        for level in entry.get("all_permissions") or []:
            if level.get("inherited") and level.get("permission_level") in ("CAN_EDIT", "CAN_MANAGE"):
                above = ", ".join(level.get("inherited_from_object") or []) or "a folder above"
                do = Fix(f"take {level['permission_level']} of {who} away from the folder above {path} ({above})")
                real = f"{level['permission_level']} from {above}"
                yield Finding(env, Class.DRIFT, f"Git folder {path}", f"{who} from above", "nothing", real, do)


def missing_folder(findings: Sequence[Finding], refresh: Refresh, branch: Branch | None) -> list[Finding]:
    """The findings, in which a folder that is gone is not made again at another commit than the deployed one."""
    folders = {step.urn: str(step.inputs.get("commitHash") or "") for step in refresh.steps if is_git_folder(step)}
    return [
        replace(f, property="commit", declared=folders[f.urn][:12], fix=no_promotion(f.environment, folders[f.urn]))
        if f.urn in folders and f.property == "" and branch is not None and branch.head != folders[f.urn]
        else f
        for f in findings
    ]


def no_promotion(env: str, commit: str) -> Fix:
    """An update checks out the branch's head: where that is another commit, it would promote, which a fix must not."""
    return Fix(f"promote with pulumi up -s {env}, or take the branch back to {commit[:12]} with a commit on top")


def _commit(outputs: object) -> str:
    return str(outputs.get("commitHash") or "") if hasattr(outputs, "get") else ""
