"""What a push may do: decided for all its refs at once, in GitLab's words (its lib/gitlab/checks)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.forge import access
from sandbox.forge.repository import DEFAULT_BRANCH
from sandbox.forge.store import Store
from sandbox.forge.users import MAINTAINER, User

_BRANCH, _TAG = "refs/heads/", "refs/tags/"


@dataclass(frozen=True)
class Change:
    """A ref that a push would move; all zeros for what is not there."""

    old: str
    new: str
    ref: str

    @property
    def creates(self) -> bool:
        return not self.old.strip("0")

    @property
    def deletes(self) -> bool:
        return not self.new.strip("0")


def refusal(store: Store, who: User | None, change: Change, rewrites: Callable[[Change], bool]) -> str | None:
    """Why a change is refused, None when it may be; `rewrites` says whether commits would be lost."""
    if change.ref.startswith(_BRANCH):
        return _branch(store, who, change, rewrites)
    if change.ref.startswith(_TAG):
        return _tag(store, who, change)
    return None


def guarded(store: Store, change: Change) -> bool:
    """Whether it matters who pushes this; then nobody is let in without a name."""
    kind, prefix = ("branch", _BRANCH) if change.ref.startswith(_BRANCH) else ("tag", _TAG)
    return change.ref.startswith(prefix) and bool(access.protections(store, kind, change.ref.removeprefix(prefix)))


def _branch(store: Store, who: User | None, change: Change, rewrites: Callable[[Change], bool]) -> str | None:
    name = change.ref.removeprefix(_BRANCH)
    if change.deletes and name == DEFAULT_BRANCH:
        return "The default branch of a project cannot be deleted."
    if not access.protections(store, "branch", name):
        allowed = access.may_push(store, who, name)
        return None if allowed else "You are not allowed to push code to this project."
    if change.deletes:
        if who is None or who.level < MAINTAINER:
            return (
                "You are not allowed to delete protected branches from this project. "
                "Only a project maintainer or owner can delete a protected branch."
            )
        return "You can only delete protected branches using the web interface."
    if not change.creates and not access.may_force(store, name) and rewrites(change):
        return "You are not allowed to force push code to a protected branch on this project."
    if access.may_push(store, who, name):
        return None
    if change.creates:
        return "You are not allowed to create protected branches on this project."
    return "You are not allowed to push code to protected branches on this project."


def _tag(store: Store, who: User | None, change: Change) -> str | None:
    name = change.ref.removeprefix(_TAG)
    if not change.creates:
        if access.is_kept(name) or access.protections(store, "tag", name):
            if change.deletes:
                return "You can only delete protected tags using the web interface."
            return "Protected tags cannot be updated."
        if who is not None and who.level < MAINTAINER:
            return "You are not allowed to change existing tags on this project."
    if access.may_create_tag(store, who, name):
        return None
    if access.protections(store, "tag", name):
        return "You are not allowed to create this tag as it is protected."
    return "You are not allowed to push code to this project."
