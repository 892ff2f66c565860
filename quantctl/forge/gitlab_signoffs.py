"""A sign-off in GitLab: a comment on the commit, by a member of the UAT group. Pure.

A tester is a Reporter and cannot push a tag, but may comment, here or on the commit's page; GitLab vouches for the author.
A Maintainer may edit what others wrote, so a comment that was edited counts for nothing.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from quantctl.forge.gitlab_people import is_bot
from quantctl.records.signoffs import SignOff


def written(environment: str, note: str) -> str:
    """The comment."""
    return f"{_first_line(environment)}\n\n{note.strip()}"


def judge(
    notes: Iterable[Mapping[str, Any]], environment: str, commit: str, members: Collection[int], page: str
) -> list[SignOff]:
    """The comments of a commit that are sign-offs; `members` are the ids of the UAT group's, `page` is the commit's."""
    found = []
    for note in notes:
        author, body = note["author"], str(note["body"]).strip()
        first, _, text = body.partition("\n")
        edited = note.get("updated_at") != note.get("created_at")
        if note.get("system") or edited or first.strip() != _first_line(environment):
            continue
        if author["id"] in members and not is_bot(author["username"]):
            who = f"{author['name']} (@{author['username']})"
            at = int(datetime.datetime.fromisoformat(note["created_at"]).timestamp())
            found.append(SignOff(environment, commit, who, text.strip(), who, at, f"{page}#note_{note['id']}"))
    return found


def _first_line(environment: str) -> str:
    return f"Signed off for {environment}"
