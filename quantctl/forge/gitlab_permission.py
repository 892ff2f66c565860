"""What GitLab holds people to: who merges into a branch, who is in a group, who makes records, who a commit's author is."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from infra.errors import UserError
from infra.gitlab import protected_tags
from infra.gitlab.access_levels import as_entry, group_id
from infra.gitlab.protected_branch import matching
from quantctl.forge.model import Answer, Verdict

if TYPE_CHECKING:
    from gitlab import Gitlab
    from gitlab.v4.objects import Project

_DEVELOPER = 30  # https://docs.gitlab.com/api/access_requests/#valid-access-levels


def may_merge(client: Gitlab, project: Project, branch: str, who: str) -> Answer:
    """The access levels of every protection that the branch matches: each lets in, and who may push may merge."""
    rules = matching(project, branch)
    if not rules:
        level = level_of(client, project)
        evidence = f"{branch} is not protected, and {who} has the access level {level} in the project"
        return Answer(Verdict.YES if level >= _DEVELOPER else Verdict.NO, evidence)
    merges = [level for rule in rules for level in rule.merge_access_levels]
    pushes = [level for rule in rules for level in rule.push_access_levels]
    allowed = ", ".join(sorted({str(level.get("access_level_description")) for level in merges})) or "nobody"
    if any(_is_in(client, project, level) for level in [*merges, *pushes]):
        return Answer(Verdict.YES, f"{who} may merge into {branch}: allowed are {allowed}")
    return Answer(Verdict.NO, f"{who} may not merge into {branch}: allowed are {allowed}")


def is_member(client: Gitlab, path: str, who: str) -> Answer | None:
    """Whether the owner is in a group, by its path, or in one above it; None when there is no such group."""
    try:
        member = _in_group(client, group_id(client, path))
    except UserError:
        return None
    evidence = f"{who} is {'' if member else 'not '}a member of the group {path} in GitLab"
    return Answer(Verdict.YES if member else Verdict.NO, evidence)


def members(client: Gitlab, path: str) -> set[int]:
    """The ids of a group's members, with those of the groups above it.

    Raises:
        UserError: there is no such group.
    """
    group = client.groups.get(group_id(client, path), lazy=True)
    return {int(member.id) for member in group.members_all.list(iterator=True)}


def makes_records(client: Gitlab, project: Project, kind: str, environment: str, wanted: Collection[str]) -> Answer:
    """Whether nobody but those of the settings may make the tags that are an environment's records."""
    tags = f"{kind}/{environment}/*"
    found = protected_tags.read(client, project, [tags])
    told = ", ".join(found)
    if set(found) <= {*wanted, "noOne"}:
        return Answer(Verdict.YES, f"the tags {tags} are made by {told}")
    return Answer(
        Verdict.UNKNOWN,
        f"unknown who made the tags {tags}: {told} may, expected {', '.join(wanted)}. Deploying {environment} protects them",
    )


def knows_authors(project: Project, trusted: bool) -> Answer:
    """Whether a push rule holds committers to their own addresses: https://docs.gitlab.com/api/project_push_rules/

    A rule for authors alone (member_check) takes any member's name from any member.
    """
    from gitlab.exceptions import GitlabError

    if trusted:
        return Answer(Verdict.YES, "gitlab.authors: trusted")
    try:
        rule = project.manager.gitlab.http_get(f"/projects/{project.encoded_id}/push_rule")
    except GitlabError as error:
        if error.response_code not in (403, 404):  # GitLab Free has none; a Developer may not look
            raise
        rule = None
    if isinstance(rule, dict) and rule.get("commit_committer_check"):
        return Answer(Verdict.YES, "the push rule commit_committer_check")
    return Answer(
        Verdict.UNKNOWN,
        "unknown who wrote the commits: author and committer are free text without GitLab's push rule"
        " commit_committer_check (Premium); where that is accepted, quant:gitlab.authors: trusted (docs/promotion.md)",
    )


def _is_in(client: Gitlab, project: Project, level: dict[str, Any]) -> bool:
    entry = as_entry(level)
    if "user_id" in entry:
        return bool(entry["user_id"] == _me(client).id)
    if "group_id" in entry:
        return _in_group(client, entry["group_id"])
    return 0 < entry.get("access_level", 0) <= level_of(client, project)


def _in_group(client: Gitlab, group: int) -> bool:
    members = client.groups.get(group, lazy=True).members_all.list(iterator=True)
    return any(member.id == _me(client).id for member in members)


def level_of(client: Gitlab, project: Project) -> int:
    """The role in the project of whoever is logged in, as its number; 0 where they are no member."""
    from gitlab.exceptions import GitlabGetError

    try:
        return int(project.members_all.get(_me(client).id).access_level)
    except GitlabGetError as error:
        if error.response_code == 404:
            return 0
        raise


def _me(client: Gitlab) -> Any:
    return client.user
