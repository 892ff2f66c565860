"""Access levels of a protected branch or tag: as requests write them, as answers have them, and as our settings name them.

https://docs.gitlab.com/api/protected_branches/#valid-access-levels
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.branch_protection import LEVELS
from infra.errors import UserError

if TYPE_CHECKING:
    from gitlab import Gitlab

_NAMES = {level: name for name, level in LEVELS.items()} | {60: "administrators"}


def as_entry(answered: dict[str, Any]) -> dict[str, int]:
    """An access level of an answer, as it is written in a request: a user or a group before its level. Pure."""
    for key in ("user_id", "group_id", "deploy_key_id"):
        if answered.get(key) is not None:
            return {key: answered[key]}
    return {"access_level": answered["access_level"]}


def entry(client: Gitlab, name: str) -> dict[str, int]:
    """A level by name, a group by its path or a user by @name, as it is written in a request."""
    if name in LEVELS:
        return {"access_level": LEVELS[name]}
    if name.startswith("@"):
        return {"user_id": _user_id(client, name[1:])}
    return {"group_id": group_id(client, name)}


def _user_id(client: Gitlab, name: str) -> int:
    found = client.users.list(username=name, get_all=True)
    if not found:
        raise UserError(f"GitLab: there is no user {name!r}: name another in quant:gitlab or quant:branchProtection.")
    return int(found[0].id)


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
            " it to the project, or name another in quant:gitlab (releaseManagers, reviewers) or quant:branchProtection."
        ) from None


def names(client: Gitlab, own: list[dict[str, Any]], wider: list[dict[str, Any]]) -> tuple[str, ...]:
    """Whom access levels let in; nobody in a wider protection adds nobody."""
    let_in = {_name(client, level) for level in wider} - {"noOne"}
    return tuple(sorted({_name(client, level) for level in own} | let_in))


def _name(client: Gitlab, level: dict[str, Any]) -> str:
    entry = as_entry(level)
    if "group_id" in entry:
        return _path_of(client, entry["group_id"])
    if "access_level" in entry:
        return _NAMES.get(entry["access_level"], f"access level {entry['access_level']}")
    if "user_id" in entry:
        return f"@{client.users.get(entry['user_id']).username}"
    return f"deploy key {level.get('access_level_description')}"


def _path_of(client: Gitlab, number: int) -> str:
    from gitlab.exceptions import GitlabGetError

    try:
        return str(client.groups.get(number, with_projects=False).full_path)
    except GitlabGetError as error:
        if error.response_code != 404:
            raise
        return f"group {number}, which the owner of GITLAB_TOKEN does not see"
