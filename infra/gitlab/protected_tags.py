"""Who may make the tags that are records: GitLab's protected tags, with python-gitlab.

Push rules do not look at tags (gitlab-org/gitlab #498336). https://docs.gitlab.com/api/protected_tags/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from infra.gitlab.access_levels import entry, names

if TYPE_CHECKING:
    from gitlab import Gitlab
    from gitlab.v4.objects import Project

UNPROTECTED = ("developers",)  # whoever may push makes a tag that nothing protects


def read(client: Gitlab, project: Project, wanted: Sequence[str]) -> tuple[str, ...]:
    """Who may make any tag of these names (with wildcards), by every protection that matches one of them.

    Of several, GitLab takes the most permissive.
    """
    there = project.protectedtags.list(get_all=True)
    if not set(wanted) <= {one.name for one in there}:
        return UNPROTECTED
    own = [level for one in there if one.name in wanted for level in one.create_access_levels]
    wider = [
        level
        for one in there
        if one.name not in wanted and any(overlap(one.name, name) for name in wanted)
        for level in one.create_access_levels
    ]
    return names(client, own, wider)


def overlap(one: str, other: str) -> bool:
    """Whether one name could match both patterns: as far as the first wildcard, one begins as the other. Pure."""
    first, second = one.partition("*")[0], other.partition("*")[0]
    return first.startswith(second) or ("*" in one and second.startswith(first))


def apply(client: Gitlab, project: Project, wanted: Sequence[str], makers: Sequence[str]) -> None:
    """Protect them so. A protection of a tag cannot be changed: another one is made again."""
    there = {one.name: one for one in project.protectedtags.list(get_all=True)}
    levels = [entry(client, name) for name in makers]
    # One level alone needs no Premium.
    asked = (
        {"create_access_level": levels[0]["access_level"]}
        if [*levels[0]] == ["access_level"] and len(levels) == 1
        else {"allowed_to_create": levels}
    )
    for name in wanted:
        if (found := there.get(name)) is not None:
            if names(client, found.create_access_levels, []) == tuple(sorted(makers)):
                continue
            found.delete()
        project.protectedtags.create({"name": name, **asked})


def remove(project: Project, wanted: Sequence[str]) -> None:
    """Take the protections away, where they are."""
    for one in project.protectedtags.list(get_all=True):
        if one.name in wanted:
            one.delete()
