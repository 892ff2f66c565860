"""One note of a merge request, one issue of a project: found again by a marker that nobody sees, and told anew in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gitlab.v4.objects import Project, ProjectIssue, ProjectMergeRequest


def hidden(marker: str) -> str:
    """The marker as a comment that GitLab does not show. Pure."""
    return f"<!-- {marker} -->"


def post(request: ProjectMergeRequest, me: int, marker: str, text: str) -> str:
    """The one note with the marker says `text`; what was done, and where. Others with it are deleted.

    A note that GitLab does not let us edit, because somebody else wrote it, is left, and one of our own is made.
    """
    from gitlab.exceptions import GitlabError

    body = f"{hidden(marker)}\n{text}"
    marked = [note for note in request.notes.list(iterator=True) if hidden(marker) in note.body and not note.system]
    done = ""
    for note in sorted(marked, key=lambda note: (note.author["id"] != me, note.id)):
        try:
            if done:
                note.delete()
            elif note.body == body:
                done = f"unchanged: {_where(request, note)}"
            else:
                note.body = body
                note.save()
                done = f"updated: {_where(request, note)}"
        except GitlabError as error:
            if error.response_code not in (401, 403):
                raise
    return done or f"posted: {_where(request, request.notes.create({'body': body}))}"


def _where(request: Any, note: Any) -> str:
    return f"{request.web_url}#note_{note.id}"


def upsert_issue(project: Project, marker: str, title: str, text: str, labels: Sequence[str]) -> str:
    """The one open issue with the marker has this title and text, and these labels too; its address."""
    said = {"title": title, "description": f"{hidden(marker)}\n{text}"}
    found = _open_issue(project, marker)
    if found is None:
        return str(project.issues.create({**said, "labels": list(labels)}).web_url)
    missing = set(labels) - set(found.labels)
    if missing or any(found.attributes.get(key) != value for key, value in said.items()):
        for key, value in said.items():
            setattr(found, key, value)
        found.labels = sorted({*found.labels, *labels})
        found.save()
    return str(found.web_url)


def close_issue(project: Project, marker: str, comment: str) -> str | None:
    """Close the open issue with the marker after a last comment; None when there is none."""
    found = _open_issue(project, marker)
    if found is None:
        return None
    found.notes.create({"body": comment})
    found.state_event = "close"
    found.save()
    return str(found.web_url)


def _open_issue(project: Project, marker: str) -> ProjectIssue | None:
    issues = project.issues.list(state="opened", order_by="created_at", sort="asc", iterator=True)
    return next((issue for issue in issues if hidden(marker) in (issue.description or "")), None)
