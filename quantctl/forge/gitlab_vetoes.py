"""What of a merge request's history is somebody's veto. Pure.

GitLab tells approvals that were given, taken back or reset by a push in system notes, and closing in state events:
https://docs.gitlab.com/api/notes/, https://docs.gitlab.com/api/resource_state_events/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Seen:
    """A merge request of the commit in question; `withdrawn` are those who took their approval back."""

    number: int
    url: str
    state: str
    draft: bool = False
    closed_by: str = ""
    withdrawn: Sequence[str] = ()


def vetoes(requests: Iterable[Seen]) -> list[str]:
    """Those that stand: of the newest merge request, for an earlier one has been decided by opening another."""
    newest = max(requests, key=lambda one: one.number, default=None)
    if newest is None or newest.state == "merged":
        return []
    if newest.state == "closed":
        by = f" by {newest.closed_by}" if newest.closed_by else ""
        return [f"{newest.url} was closed{by}: reopen it, or push another commit"]
    found = [f"{newest.url} is a draft: mark it as ready"] if newest.draft else []
    return found + [
        f"{who} has withdrawn the approval of {newest.url}: they approve it again, or another commit is pushed"
        for who in newest.withdrawn
    ]


def withdrawn(notes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Who took an approval back and has not given it again, from notes, the oldest first. A push begins anew."""
    found: dict[int, str] = {}
    for note in notes:
        if not note.get("system"):
            continue
        author, body = note["author"], str(note["body"])
        if body.startswith("unapproved this merge request"):
            found[author["id"]] = f"{author['name']} (@{author['username']})"
        elif body.startswith("approved this merge request"):
            found.pop(author["id"], None)
        elif re.match(r"added \d+ (new )?commits?", body):
            found.clear()
    return list(found.values())


def reopened(events: Iterable[Mapping[str, Any]]) -> str:
    """When a merge request was last reopened (ISO 8601), "" for never."""
    return max((str(event["created_at"]) for event in events if event["state"] == "reopened"), default="")
