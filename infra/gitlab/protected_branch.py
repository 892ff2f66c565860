"""Read and set the protection of one branch, with python-gitlab. Needs GitLab Premium for groups and approvals.

https://docs.gitlab.com/api/protected_branches/, https://docs.gitlab.com/api/merge_request_approvals/
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from infra.branch_protection import LEVELS, Protection
from infra.errors import UserError

if TYPE_CHECKING:
    from gitlab import Gitlab
    from gitlab.v4.objects import Project, ProjectApprovalRule, ProjectProtectedBranch

_NAMES = {level: name for name, level in LEVELS.items()} | {60: "administrators"}


@dataclass(frozen=True)
class Found:
    """A protection as GitLab has it; `wildcards` are the names of others that the branch matches."""

    protection: Protection
    force_push: bool = False
    wildcards: tuple[str, ...] = ()


def read(client: Gitlab, project: Project, branch: str) -> Found | None:
    """The branch's protection; None when it has none of its own. Approvals are those of our own rule.

    Who else is let in by a protection with a wildcard is told too: of several, GitLab takes the most permissive.
    """
    there = _get(project, branch)
    if there is None:
        return None
    rule = _rule(project, branch)
    on_it = rule is not None and there.id in [other["id"] for other in rule.attributes.get("protected_branches") or []]
    wider = [one for one in matching(project, branch) if one.name != branch]
    return Found(
        Protection(
            branch,
            _names(client, there.push_access_levels, [level for one in wider for level in one.push_access_levels]),
            _names(client, there.merge_access_levels, [level for one in wider for level in one.merge_access_levels]),
            rule.approvals_required if rule is not None and on_it else 0,
        ),
        bool(there.attributes.get("allow_force_push")),
        tuple(one.name for one in wider),
    )


def matching(project: Project, branch: str) -> list[ProjectProtectedBranch]:
    """The protections that a branch matches, by its name or by a wildcard."""
    return [one for one in project.protectedbranches.list(get_all=True) if fnmatchcase(branch, one.name)]


def apply(client: Gitlab, project: Project, wanted: Protection) -> Found:
    """Make it so, whatever it was; a protection that stands already is changed in place, so that there is no gap.

    Raises:
        UserError: a group is missing, or GitLab took something else than was asked for.
    """
    push = [_entry(client, name) for name in wanted.pushers]
    merge = [_entry(client, name) for name in wanted.mergers]
    there = _get(project, wanted.branch)
    if there is None:
        asked = {"allowed_to_push": push, "allowed_to_merge": merge, "allow_force_push": False}
        project.protectedbranches.create({"name": wanted.branch, **asked})
        there = project.protectedbranches.get(wanted.branch)
    else:
        changed = {
            "allow_force_push": False,
            "allowed_to_push": changes(there.push_access_levels, push),
            "allowed_to_merge": changes(there.merge_access_levels, merge),
        }
        project.protectedbranches.update(wanted.branch, {key: value for key, value in changed.items() if value != []})
    _require_approvals(project, there, wanted)
    found = read(client, project, wanted.branch)
    if found is None or (found.protection, found.force_push) != (wanted, False):
        wider = f" Take away what {', '.join(found.wildcards)} lets in." if found is not None and found.wildcards else ""
        raise UserError(
            f"GitLab: the protection of {wanted.branch} is not what was asked for: found {_shown(found)}, expected"
            f" {_shown(Found(wanted))}.{wider} Groups and approvals need GitLab Premium, and a group must be"
            " invited to the project (docs/cloud.md)."
        )
    return found


def remove(project: Project, branch: str) -> None:
    """Take protection and approval rule away, where they are."""
    if (rule := _rule(project, branch)) is not None:
        rule.delete()
    if (there := _get(project, branch)) is not None:
        there.delete()


def changes(existing: list[dict[str, Any]], wanted: list[dict[str, int]]) -> list[dict[str, Any]]:
    """What a PATCH sends: entries to add, and entries to take away by id; the others stay. Pure."""
    kept = [entry for entry in existing if as_entry(entry) in wanted]
    gone = [{"id": entry["id"], "_destroy": True} for entry in existing if entry not in kept]
    there = [as_entry(entry) for entry in kept]
    return [*gone, *(entry for entry in wanted if entry not in there)]


def as_entry(answered: dict[str, Any]) -> dict[str, int]:
    """An access level of an answer, as it is written in a request: a user or a group before its level. Pure."""
    for key in ("user_id", "group_id", "deploy_key_id"):
        if answered.get(key) is not None:
            return {key: answered[key]}
    return {"access_level": answered["access_level"]}


def _get(project: Project, branch: str) -> ProjectProtectedBranch | None:
    from gitlab.exceptions import GitlabGetError

    try:
        return project.protectedbranches.get(branch)
    except GitlabGetError as error:
        if error.response_code == 404:
            return None
        raise


def _rule(project: Project, branch: str) -> ProjectApprovalRule | None:
    from gitlab.exceptions import GitlabError

    try:
        rules = project.approvalrules.list(get_all=True)
    except GitlabError as error:
        if error.response_code == 404:  # GitLab Free has no approval rules
            return None
        raise
    return next((rule for rule in rules if rule.name == rule_name(branch)), None)


def rule_name(branch: str) -> str:
    """The name of our approval rule. Pure."""
    return f"quant: {branch}"


def _require_approvals(project: Project, branch: ProjectProtectedBranch, wanted: Protection) -> None:
    rule = _rule(project, wanted.branch)
    said = {"approvals_required": wanted.approvals, "protected_branch_ids": [branch.id]}
    if rule is not None and wanted.approvals == 0:
        rule.delete()
    elif rule is not None:
        project.approvalrules.update(rule.id, said)
    elif wanted.approvals:
        project.approvalrules.create({"name": rule_name(wanted.branch), **said})


def _entry(client: Gitlab, name: str) -> dict[str, int]:
    if name in LEVELS:
        return {"access_level": LEVELS[name]}
    return {"group_id": group_id(client, name)}


def group_id(client: Gitlab, path: str) -> int:
    """The id of a group by its path.

    Raises:
        UserError: there is none.
    """
    from gitlab.exceptions import GitlabGetError

    try:
        return int(client.groups.get(path, with_projects=False).id)
    except GitlabGetError as error:
        if error.response_code != 404:
            raise
        raise UserError(
            f"GitLab: the group {path!r} does not exist, or the owner of GITLAB_TOKEN does not see it: create it and invite"
            " it to the project, or name another in quant:gitlab.releaseManagers or quant:branchProtection."
        ) from None


def _names(client: Gitlab, own: list[dict[str, Any]], wider: list[dict[str, Any]]) -> tuple[str, ...]:
    """Who is named: nobody in a wider protection adds nobody."""
    let_in = {_name(client, level) for level in wider} - {"noOne"}
    return tuple(sorted({_name(client, level) for level in own} | let_in))


def _name(client: Gitlab, level: dict[str, Any]) -> str:
    entry = as_entry(level)
    if "group_id" in entry:
        return _path_of(client, entry["group_id"])
    if "access_level" in entry:
        return _NAMES.get(entry["access_level"], f"access level {entry['access_level']}")
    return f"{next(iter(entry)).removesuffix('_id').replace('_', ' ')} {level.get('access_level_description')}"


def _path_of(client: Gitlab, number: int) -> str:
    from gitlab.exceptions import GitlabGetError

    try:
        return str(client.groups.get(number, with_projects=False).full_path)
    except GitlabGetError as error:
        if error.response_code != 404:
            raise
        return f"group {number}, which the owner of GITLAB_TOKEN does not see"


def _shown(found: Found | None) -> str:
    if found is None:
        return "no protection"
    said = asdict(found.protection) | {"force push": found.force_push}
    return ", ".join(f"{key} {', '.join(value) if isinstance(value, tuple) else value}" for key, value in said.items())
