"""Since when a workflow has run as it is now. Pure.

A deployment of another commit leaves a workflow as it is when neither its expanded definition nor any file of the commit
has changed, but for documentation and the definitions of other workflows.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from quantctl.records.deployments import Record

_DOCUMENTATION = (".md", ".rst", ".txt")
Identities = Mapping[str, str]


def identities(definitions: Sequence[Mapping[str, Any]], blobs: Mapping[str, str], workflows: str) -> dict[str, str]:
    """Workflow -> what it is at a commit: `definitions` as infra.workflows expands them, `blobs` path -> blob id."""
    code = sorted(
        (path, blob)
        for path, blob in blobs.items()
        if not path.startswith(f"{workflows}/") and not path.endswith(_DOCUMENTATION)
    )
    return {str(one["name"]): _digest([one, code]) for one in definitions}


def since(
    workflow: str,
    deployed: str,
    records: Sequence[Record],
    identities_at: Callable[[str], Identities | None],
    unrecorded: datetime.datetime | None,
) -> datetime.datetime | None:
    """The deployment since which the workflow has run as it is at the commit `deployed`; None when nobody can say.

    `records` are the environment's deployments, the oldest first. `unrecorded` is when the engine last changed the
    environment, which counts where the records do not tell of `deployed` (plain `pulumi up` writes none).
    """
    now = identities_at(deployed)
    if now is None or workflow not in now:
        return None
    if not records or records[-1].commit != deployed:
        return unrecorded
    found = records[-1].at
    for record in reversed(records[:-1]):
        before = identities_at(record.commit)
        if before is None or before.get(workflow) != now[workflow]:
            break
        found = record.at
    return found


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
