"""One note of a merge request, one issue of a project: found again by a marker that nobody sees, and told anew in place.

Whoever reads one can write a marker of theirs: what somebody else wrote is never ours, whatever stands in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gitlab.v4.objects import Project, ProjectIssue, ProjectMergeRequest


def hidden(marker: str) -> str:
    """The marker as a comment that GitLab does not show. Pure."""
    return f"<!-- {marker} -->"


def post(request: ProjectMergeRequest, me: int, marker: str, text: str) -> str:
    """The one note of ours (`me`) with the marker says `text`; what was done, and where. Others of ours are deleted."""
    body = f"{hidden(marker)}\n{text}"
    notes = [note for note in request.notes.list(iterator=True) if note.author["id"] == me and not note.system]
    done = ""
    for note in sorted((note for note in notes if hidden(marker) in note.body), key=lambda note: int(note.id)):
        if done:
            note.delete()
        elif note.body == body:
            done = f"unchanged: {_where(request, note)}"
        else:
            note.body = body
            note.save()
            done = f"updated: {_where(request, note)}"
    return done or f"posted: {_where(request, request.notes.create({'body': body}))}"


def _where(request: Any, note: Any) -> str:
    return f"{request.web_url}#note_{note.id}"


def upsert_issue(project: Project, me: int, marker: str, title: str, text: str, labels: Sequence[str]) -> str:
    """Our one open issue with the marker has this title and text, and these labels too; its address."""
    said = {"title": title, "description": f"{hidden(marker)}\n{text}"}
    found = _open_issue(project, me, marker)
    if found is None:
        return str(project.issues.create({**said, "labels": list(labels)}).web_url)
    missing = set(labels) - set(found.labels)
    if missing or any(found.attributes.get(key) != value for key, value in said.items()):
        for key, value in said.items():
            setattr(found, key, value)
        found.labels = sorted({*found.labels, *labels})
        found.save()
    return str(found.web_url)


def close_issue(project: Project, me: int, marker: str, comment: str) -> str | None:
    """Close our open issue after a last comment; None when there is none."""
    found = _open_issue(project, me, marker)
    if found is None:
        return None
    found.notes.create({"body": comment})
    found.state_event = "close"
    found.save()
    return str(found.web_url)


def _open_issue(project: Project, me: int, marker: str) -> ProjectIssue | None:
    """Our own: what it says may be edited, its author never. Without the marker, the one with its last word as a label."""
    issues = project.issues.list(state="opened", order_by="created_at", sort="asc", author_id=me, iterator=True)
    ours = [issue for issue in issues if issue.author["id"] == me]
    marked = (issue for issue in ours if hidden(marker) in (issue.description or ""))
    return next(marked, next((issue for issue in ours if marker.split()[-1] in issue.labels), None))
