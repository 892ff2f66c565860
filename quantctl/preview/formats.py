"""The previews as JSON for programs, and as the small JSON of GitLab's own report widget. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from quantctl.preview.note import title
from quantctl.preview.story import Story


def as_json(stories: Sequence[Story]) -> str:
    """Everything that the note is made of, whole."""
    return json.dumps({"title": title(stories), "environments": [_story(story) for story in stories]}, indent=2)


def widget(stories: Sequence[Story]) -> str:
    """`{"create": n, "update": n, "delete": n}` of all environments, the artifact `reports: terraform` of a GitLab job.

    https://docs.gitlab.com/user/infrastructure/iac/mr_integration/; a replacement is one of each, as there.
    """
    total = {op: sum(story.counts.get(op, 0) for story in stories) for op in ("added", "changed", "removed", "replaced")}
    added, deleted = total["added"] + total["replaced"], total["removed"] + total["replaced"]
    return json.dumps({"create": added, "update": total["changed"], "delete": deleted})


def _story(story: Story) -> dict[str, object]:
    return {**asdict(story), "counts": dict(story.counts), "refused": story.refused}
