"""Approvals where there are no merge requests: annotated tags `approval/<target>/<commit>/<who>`. Pure.

A tag names a commit by its content, and an annotated one says who made it and when. Who that is, is what the tagger wrote:
a team that must be sure of it uses GitLab, or signs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from quantctl.forge.model import Approval, Approvals
from quantctl.records.repository import Tag

PREFIX = "approval"


def tag_name(target: str, commit: str, who: str) -> str:
    """The name of somebody's approval."""
    return f"{PREFIX}/{target}/{commit[:12]}/{slug(who)}"


def slug(who: str) -> str:
    """An e-mail address as the last part of a tag's name: https://git-scm.com/docs/git-check-ref-format"""
    return re.sub(r"[^a-z0-9@_+-]+|@(?=\{)", ".", who.lower()).strip(".") or "somebody"


def judge(tags: Iterable[Tag], target: str, commit: str, authors: set[str]) -> Approvals:
    """Which of the tags approve `commit` for `target`, and why the others do not."""
    by_person: dict[str, Approval] = {}
    void: list[str] = []
    lower = {author.lower() for author in authors}
    for tag in sorted(tags, key=lambda tag: (tag.at, tag.name)):
        if problem := _problem(tag, target, commit, lower):
            void.append(f"{tag.name}: {problem}")
        else:
            when = datetime.fromtimestamp(tag.at, UTC).isoformat()
            by_person.setdefault(tag.email.lower(), Approval(tag.email, when, f"tag {tag.name}"))
    return Approvals(tuple(by_person.values()), tuple(void))


def is_person(email: str) -> bool:
    """Whether this is an e-mail address; a service principal has an application id in its place."""
    return "@" in email


def _problem(tag: Tag, target: str, commit: str, authors: set[str]) -> str | None:
    if not tag.annotated:
        return "a lightweight tag, which does not say who made it"
    if tag.commit != commit:
        return f"it is a tag of {tag.commit[:12]}, not of {commit[:12]}"
    if not is_person(tag.email):
        return f"{tag.email or 'nobody'} is no person: an approval is somebody's who has read it"
    if tag.email.lower() in authors:
        return f"{tag.email} has written some of these commits"
    if tag.name != tag_name(target, commit, tag.email):
        return f"its name is not that of its tagger, {tag.email or 'nobody'}"
    return None
