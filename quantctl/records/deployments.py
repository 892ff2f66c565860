"""What was deployed where, by whom, and why it was allowed: annotated tags in the pipelines repository.

A tag is seen by everybody who reads the repository, and bears the id of what it says: nobody changes it quietly.
`promotion/<env>/...` is the decision, made with the moving of the branch; `deployment/<env>/...` says that it was done.
"""

from __future__ import annotations

import datetime
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from quantctl.errors import UserError
from quantctl.forge.model import Person
from quantctl.records.repository import Moved, Pipelines, Refused, Tag

PREFIXES = ("deployment", "promotion", "signoff")
_TRIES = 5  # of a name that another deployment of the same second has taken


@dataclass(frozen=True)
class Record:
    """A deployment, or the decision to make one. Times are UTC; `commit` is where the environment's branch is then.

    `id` tells one decision from another that says the same at the same moment; its deployment bears it too.
    """

    kind: str
    environment: str
    at: datetime.datetime
    commit: str
    previous: str | None
    by: str
    how: str
    source: str | None = None
    decision: str | None = None
    gates: Sequence[dict[str, str]] = field(default=())
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    tag: str = ""

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "at": self.at.isoformat(), "gates": list(self.gates)}


def records(pipelines: Pipelines, kind: str, environment: str) -> list[Record]:
    """Deployments or promotions of an environment, the oldest first. A tag of that name that says something else is none."""
    found = (_read(tag, kind, environment) for tag in pipelines.tags(f"{kind}/{environment}"))
    return sorted((record for record in found if record is not None), key=lambda record: (record.at, record.tag))


def last(pipelines: Pipelines, environment: str) -> Record | None:
    """The newest deployment that is recorded."""
    return next(reversed(records(pipelines, "deployment", environment)), None)


def tag_of(pipelines: Pipelines, record: Record, who: Person) -> tuple[str, str]:
    """Full ref name and id of the tag that says it, made in the cache; it stands in the remote once it is pushed."""
    # A decision is named by what it moves, so that of two at once one is refused; a deployment by when it was.
    when = f"{record.at:%Y%m%dT%H%M%SZ}" if record.kind == "deployment" else (record.previous or "nothing")[:12]
    name = f"{record.kind}/{record.environment}/{when}-{record.commit[:12]}"
    body = {key: value for key, value in record.as_json().items() if key not in ("kind", "tag")}
    message = f"{_sentence(record)}\n\n{json.dumps(body, indent=1)}"
    return f"refs/tags/{name}", pipelines.make_tag(name, record.commit, message, who, int(record.at.timestamp()))


def write(pipelines: Pipelines, record: Record, who: Person) -> str:
    """Push a record as somebody; returns the tag's name.

    Raises:
        UserError: the remote takes no tag of ours.
    """
    for _ in range(_TRIES):
        ref, made = tag_of(pipelines, record, who)
        try:
            pipelines.push({ref: (made, None)})
            return ref.removeprefix("refs/tags/")
        except Moved:
            if record.kind != "deployment":
                raise UserError(
                    f"Somebody else decided the same {record.kind} into {record.environment} at this moment.",
                    do_next="run the same command again: it goes on from there",
                ) from None
            # Another one of the same second.
            record = replace(record, at=record.at + datetime.timedelta(seconds=1))
        except Refused as refused:
            raise UserError(
                f"the {record.kind} of {record.commit[:12]} in {record.environment} could not be recorded: {refused}."
                " Whoever deploys needs the right to push tags to the pipelines repository."
            ) from None
    raise UserError(f"the {record.kind} in {record.environment} could not be recorded: every name was taken; run it again.")


def unfinished(pipelines: Pipelines, environment: str, holds: Callable[[str], bool]) -> Record | None:
    """The newest decision whose commit the branch holds (`holds`) and that no deployment names as done."""
    done = {record.decision for record in records(pipelines, "deployment", environment)}
    decided = records(pipelines, "promotion", environment)
    newest = next((one for one in reversed(decided) if holds(one.commit)), None)
    return None if newest is None or newest.tag in done else newest


def _sentence(record: Record) -> str:
    came = f" from {record.source}" if record.source else ""
    before = f" (before: {record.previous[:12]})" if record.previous else ""
    return f"{record.environment}: {record.how}{came} to {record.commit[:12]}{before}, by {record.by}"


def _read(tag: Tag, kind: str, environment: str) -> Record | None:
    start = tag.message.find("{")  # a lightweight tag has no message
    try:
        body = json.loads(tag.message[start:]) if start >= 0 else {}
        record = Record(**{**body, "kind": kind, "tag": tag.name, "at": datetime.datetime.fromisoformat(body["at"])})
    except (ValueError, KeyError, TypeError):
        return None
    return record if record.environment == environment and record.commit == tag.commit else None
