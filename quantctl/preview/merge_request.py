"""The merge request that this runs for, from what the forge's pipeline says in the environment. Reads GitHub's file.

https://docs.gitlab.com/ci/variables/predefined_variables/ and
https://docs.github.com/actions/reference/workflows-and-actions/variables
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.vocabulary import Environment


@dataclass(frozen=True)
class MergeRequest:
    """`source` is what the target branch would move to; `pipeline` the address of the pipeline that runs."""

    number: int | None = None
    target: str | None = None
    source: str | None = None
    pipeline: str = ""

    @property
    def environment(self) -> str | None:
        """The environment whose branch is the target, None when it is another branch."""
        return self.target if self.target in set(Environment) else None


def merge_request(environ: Mapping[str, str]) -> MergeRequest:
    """The merge request of this pipeline; empty where there is none."""
    if environ.get("CI_MERGE_REQUEST_IID"):
        # In a pipeline for merged results CI_COMMIT_SHA is a merge that exists nowhere else, and the other is set.
        source = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environ.get("CI_COMMIT_SHA")
        target = environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME") or None
        return MergeRequest(
            _number(environ["CI_MERGE_REQUEST_IID"]), target, source or None, environ.get("CI_PIPELINE_URL", "")
        )
    if environ.get("GITHUB_BASE_REF"):
        found = re.fullmatch(r"refs/pull/(\d+)/\w+", environ.get("GITHUB_REF", ""))
        number = _number(found.group(1)) if found else None
        source = _github_head(environ.get("GITHUB_EVENT_PATH")) or (f"refs/pull/{number}/head" if number else None)
        server, repository, run = (environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
        where = f"{server}/{repository}/actions/runs/{run}" if server and repository and run else ""
        return MergeRequest(number, environ["GITHUB_BASE_REF"], source, where)
    return MergeRequest(pipeline=environ.get("CI_PIPELINE_URL", ""))


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _github_head(path: str | None) -> str | None:
    """The source's commit, which only the event's file tells: GITHUB_SHA is a merge that GitHub made."""
    try:
        event = json.loads(Path(path).read_text()) if path else {}
    except (OSError, ValueError):
        return None
    head = event.get("pull_request", {}).get("head", {}) if isinstance(event, dict) else {}
    return str(head["sha"]) if head.get("sha") else None
