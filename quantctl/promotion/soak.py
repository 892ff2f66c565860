"""Since when a workflow has run as it is now. Pure.

A deployment of another commit leaves a workflow as it is when neither its expanded definition, here and in the target of the
promotion, nor any file of the commit has changed, but for documentation, contracts, declared changes and the definitions of
other workflows.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from infra.workflows import workflow_files
from quantctl.records.deployments import Record

_DOCUMENTATION = (".md", ".rst")
_DECLARATIONS = re.compile(r"contracts/[^/]+\.odcs\.ya?ml|changes/[^/]+\.ya?ml")  # of results: no run reads them
Identities = Mapping[str, str]


def identities(
    definitions: Sequence[Mapping[str, Any]],
    blobs: Mapping[str, str],
    workflows: str,
    target: Sequence[Mapping[str, Any]] = (),
) -> dict[str, str]:
    """Workflow -> what it is at a commit: `definitions` as infra.workflows expands them, `blobs` path -> what is there.

    `target` are the definitions as the promotion's target will have them.
    """
    others = set(workflow_files(blobs, workflows))
    code = sorted((path, it) for path, it in blobs.items() if path not in others and is_code(path))
    there = {str(one["name"]): one for one in target}
    return {str(one["name"]): _digest([one, there.get(str(one["name"])), code]) for one in definitions}


def is_code(path: str) -> bool:
    """Whether a run could depend on a file: not documentation, and not what is declared of results."""
    return not path.endswith(_DOCUMENTATION) and not _DECLARATIONS.fullmatch(path)


def since(
    workflow: str,
    deployed: str,
    records: Sequence[Record],
    identities_at: Callable[[str], Identities | None],
    unrecorded: datetime.datetime | None,
) -> datetime.datetime | None:
    """The deployment since which the workflow has run as it is at the commit `deployed`; None when nobody can say.

    `records` are the environment's deployments, the oldest first; each names the one before, so that one which somebody has
    deleted ends the soak instead of making it longer. `unrecorded` is when the engine last changed the
    environment, which counts where the records do not tell of `deployed` (plain `pulumi up` writes none).
    """
    now = identities_at(deployed)
    if now is None or workflow not in now:
        return None
    if not records or records[-1].commit != deployed:
        return unrecorded
    newer = records[-1]
    for record in reversed(records[:-1]):
        before = identities_at(record.commit) if record.commit == newer.previous else None
        if before is None or before.get(workflow) != now[workflow]:
            break
        newer = record
    return newer.at


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
