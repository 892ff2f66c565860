"""Who may push to and merge into which branch, and make which tag.

https://docs.gitlab.com/user/project/repository/branches/protected/
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from sandbox.forge.store import Json, Store
from sandbox.forge.users import ADMINISTRATOR, DEVELOPER, User

# What promotions leave behind is evidence: made once, never moved or deleted, by nobody.
KEPT_TAGS = ("signoff/", "approval/", "promotion/", "deployment/")


def protections(store: Store, kind: str, name: str) -> list[Json]:
    """What protects a branch or tag (kind "branch" or "tag"), by name or wildcard. Several may; each allows."""
    return [one for one in store.all("protected", kind) if fnmatchcase(name, one["name"])]


def may_push(store: Store, user: User | None, branch: str) -> bool:
    """Whether somebody may push commits to a branch. Nobody known may push to what is not protected, in the sandbox."""
    rules = protections(store, "branch", branch)
    if not rules:
        return user is None or user.level >= DEVELOPER
    return user is not None and any(allows(one["push"], user) for one in rules)


def may_merge(store: Store, user: User, branch: str) -> bool:
    """Whether somebody may merge into a branch: who may push may merge too."""
    rules = protections(store, "branch", branch)
    return may_push(store, user, branch) or any(allows(one["merge"], user) for one in rules)


def may_force(store: Store, branch: str) -> bool:
    """Whether history may be rewritten: every protection of the branch must allow it."""
    return all(one["allow_force_push"] for one in protections(store, "branch", branch))


def may_create_tag(store: Store, user: User | None, tag: str) -> bool:
    """Whether somebody may make a tag of that name."""
    rules = protections(store, "tag", tag)
    if not rules:
        return user is None or user.level >= DEVELOPER
    return user is not None and any(allows(one["create"], user) for one in rules)


def is_kept(tag: str) -> bool:
    """Whether a tag is evidence."""
    return tag.startswith(KEPT_TAGS)


def allows(levels: list[Json], user: User) -> bool:
    """Whether one of the access levels names the user, a group of theirs, or a role that they have."""
    for level in levels:
        if level.get("user_id"):
            if level["user_id"] == user.id:
                return True
        elif level.get("group_id"):
            if level["group_id"] in user.groups:
                return True
        elif 0 < (level.get("access_level") or 0) <= min(user.level, ADMINISTRATOR):
            return True
    return False
