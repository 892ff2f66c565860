"""Approvals where there are no merge requests: annotated tags `approval/<target>/<commit>/<who>`. Pure.

A tag names a commit by its content. Who made it is what its signature says; the tagger alone is free text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from infra.signers import Signer
from infra.vocabulary import Right
from quantctl.forge.model import Approval, Approvals
from quantctl.records.deployments import unsigned
from quantctl.records.tags import Tag

PREFIX = "approval"


def tag_name(target: str, commit: str, who: str) -> str:
    """The name of somebody's approval."""
    return f"{PREFIX}/{target}/{commit[:12]}/{slug(who)}"


def slug(who: str) -> str:
    """An e-mail address as the last part of a tag's name: https://git-scm.com/docs/git-check-ref-format"""
    return re.sub(r"[^a-z0-9@_+-]+|@(?=\{)", ".", who.lower()).strip(".") or "somebody"


def judge(
    tags: Iterable[Tag],
    target: str,
    commit: str,
    authors: set[str],
    signed_by: Mapping[str, str],
    signers: Mapping[str, Signer],
) -> Approvals:
    """Which of the tags approve `commit` for `target`, and why the others do not. `signed_by`: tag -> whose signature."""
    by_person: dict[str, Approval] = {}
    void: list[str] = []
    lower = {author.lower() for author in authors}
    for tag in sorted(tags, key=lambda tag: (tag.at, tag.name)):
        signer = signed_by.get(tag.name)
        if problem := unsigned(tag, signer, signers, Right.APPROVE) or _problem(tag, target, commit, lower, signer or ""):
            void.append(f"{tag.name}: {problem}")
        else:
            when = datetime.fromtimestamp(tag.at, UTC).isoformat()
            by_person.setdefault(str(signer), Approval(str(signer), when, f"tag {tag.name}"))
    return Approvals(tuple(by_person.values()), tuple(void))


def is_person(email: str) -> bool:
    """Whether this is an e-mail address; a service principal has an application id in its place."""
    return "@" in email


def _problem(tag: Tag, target: str, commit: str, authors: set[str], signer: str) -> str | None:
    if tag.commit != commit:
        return f"it is a tag of {tag.commit[:12]}, not of {commit[:12]}"
    if not is_person(signer):
        return f"{signer} is no person: an approval is somebody's who has read it"
    if tag.email.lower() != signer:
        return f"{signer} has signed it in the name of {tag.email or 'nobody'}"
    if signer in authors:
        return f"{signer} has written some of these commits"
    if tag.name != tag_name(target, commit, signer):
        return f"its name is not that of its signer, {signer}"
    return None
