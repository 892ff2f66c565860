"""Which approvals of a merge request count: by whom, and of which commit. Pure.

GitLab tells an approver's name, but an e-mail address only when it is public; so whoever might have written a commit does
not count: same address, same user name as the address, or same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from quantctl.forge.model import Approval, Approvals


@dataclass(frozen=True)
class Approver:
    """A user who has approved; `when` is ISO 8601, or empty where GitLab does not tell it."""

    id: int
    name: str
    user_name: str
    when: str
    email: str = ""

    def __str__(self) -> str:
        return f"{self.name} (@{self.user_name})"


@dataclass(frozen=True)
class Reviewed:
    """A merge request as approvals are judged: its author's id, names and addresses of who wrote the commits.

    `fresh`: approvals are of the head. They are where GitLab takes them away when commits are pushed; else only those since
    `head_since` (ISO 8601, when the head was pushed; empty: not known). `reopened`: when it was last reopened, "" for never.
    `may_approve`: ids of the members of the groups that approve; None where the settings name none.
    """

    url: str
    author: int
    names: frozenset[str]
    emails: frozenset[str]
    fresh: bool
    head_since: str = ""
    reopened: str = ""
    may_approve: frozenset[int] | None = None


def judge(approvers: Iterable[Approver], reviewed: Reviewed) -> Approvals:
    """Which of them count, and why the others do not."""
    given: list[Approval] = []
    void: list[str] = []
    for approver in approvers:
        if problem := _problem(approver, reviewed):
            void.append(f"{approver} at {reviewed.url}: {problem}")
        else:
            given.append(Approval(str(approver), approver.when, reviewed.url))
    return Approvals(tuple(given), tuple(void))


def _problem(approver: Approver, reviewed: Reviewed) -> str | None:
    if is_bot(approver.user_name):
        return "a bot, not a person"
    if approver.id == reviewed.author:
        return "the author of the merge request"
    if is_author(approver, reviewed.names, reviewed.emails):
        return "has written some of these commits"
    if reviewed.may_approve is not None and approver.id not in reviewed.may_approve:
        return "a member of no group that approves (quant:branchProtection.approvers)"
    if not reviewed.fresh and not _since(approver.when, reviewed.head_since):
        return "given before the last push (the project keeps approvals when commits are pushed)"
    if reviewed.reopened and not _since(approver.when, reviewed.reopened):
        return "given before the merge request was closed and reopened"
    return None


def _since(when: str, begin: str) -> bool:
    return bool(when and begin) and datetime.fromisoformat(when) >= datetime.fromisoformat(begin)


def is_bot(user_name: str) -> bool:
    """https://docs.gitlab.com/user/project/settings/project_access_tokens/#bot-users-for-projects"""
    return re.match(r"(project|group)_\d+_bot", user_name) is not None


def is_author(who: Approver, names: Iterable[str], emails: Iterable[str]) -> bool:
    """Whether somebody is, or might be, one of those who wrote the commits."""
    lower = {email.lower() for email in emails}
    # https://docs.gitlab.com/user/profile/#use-an-automatically-generated-private-commit-email
    private = f"{who.id}-{who.user_name}@users.noreply."
    return (
        (bool(who.email) and who.email.lower() in lower)
        or who.name.lower() in {name.lower() for name in names}
        or any(email.partition("@")[0] == who.user_name.lower() or email.startswith(private.lower()) for email in lower)
    )
