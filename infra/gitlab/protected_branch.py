"""Read and set the protection of one branch and of its records, with python-gitlab. Needs Premium for groups and approvals.

https://docs.gitlab.com/api/protected_branches/, https://docs.gitlab.com/api/merge_request_approvals/
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from infra.branch_protection import Protection
from infra.errors import UserError
from infra.gitlab import protected_tags
from infra.gitlab.access_levels import as_entry, entry, group_id, names

if TYPE_CHECKING:
    from gitlab import Gitlab
    from gitlab.v4.objects import Project, ProjectApprovalRule, ProjectProtectedBranch


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
            names(client, there.push_access_levels, [level for one in wider for level in one.push_access_levels]),
            names(client, there.merge_access_levels, [level for one in wider for level in one.merge_access_levels]),
            rule.approvals_required if rule is not None and on_it else 0,
            _approvers(rule) if rule is not None and on_it else (),
            protected_tags.read(client, project, Protection(branch, (), (), 0).record_tags),
        ),
        bool(there.attributes.get("allow_force_push")),
        tuple(one.name for one in wider),
    )


def _approvers(rule: ProjectApprovalRule) -> tuple[str, ...]:
    """Whose approvals count for a rule; nobody named is anybody who may write."""
    groups = [str(group["full_path"]) for group in rule.attributes.get("groups") or []]
    return tuple(sorted([*groups, *(f"@{user['username']}" for user in rule.attributes.get("users") or [])]))


def matching(project: Project, branch: str) -> list[ProjectProtectedBranch]:
    """The protections that a branch matches, by its name or by a wildcard."""
    return [one for one in project.protectedbranches.list(get_all=True) if fnmatchcase(branch, one.name)]


def apply(client: Gitlab, project: Project, wanted: Protection) -> Found:
    """Make it so, whatever it was; a protection that stands already is changed in place, so that there is no gap.

    Raises:
        UserError: a group is missing, or GitLab took something else than was asked for.
    """
    push = [entry(client, name) for name in wanted.pushers]
    merge = [entry(client, name) for name in wanted.mergers]
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
    _require_approvals(client, project, there, wanted)
    protected_tags.apply(client, project, wanted.record_tags, wanted.recorders)
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


def _require_approvals(client: Gitlab, project: Project, branch: ProjectProtectedBranch, wanted: Protection) -> None:
    rule = _rule(project, wanted.branch)
    groups = [group_id(client, path) for path in wanted.approvers]
    said = {"approvals_required": wanted.approvals, "protected_branch_ids": [branch.id], "group_ids": groups, "user_ids": []}
    # One that names nobody is "any approver", and stays it: an earlier version made such rules.
    if rule is not None and (wanted.approvals == 0 or rule.rule_type == "any_approver"):
        rule.delete()
        rule = None
    if rule is not None:
        project.approvalrules.update(rule.id, said)
    elif wanted.approvals:
        project.approvalrules.create({"name": rule_name(wanted.branch), "rule_type": "regular", **said})


def _shown(found: Found | None) -> str:
    if found is None:
        return "no protection"
    said = asdict(found.protection) | {"force push": found.force_push}
    return ", ".join(f"{key} {', '.join(value) if isinstance(value, tuple) else value}" for key, value in said.items())
