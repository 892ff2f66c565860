"""What was deployed where, by whom, and why it was allowed: annotated tags in the pipelines repository.

A tag is seen by everybody who reads the repository, and bears the id of what it says: nobody changes it quietly.
`promotion/<env>/...` is the decision, made with the moving of the branch; `deployment/<env>/...` says that it was done.
Whoever may push can make a tag that looks like one: where `quant:signers` is set, only what one of them signed is a record.
"""

from __future__ import annotations

import datetime
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from infra.signers import Signer
from infra.vocabulary import Right
from quantctl.errors import UserError
from quantctl.forge.model import Person
from quantctl.records.repository import Moved, Pipelines, Refused
from quantctl.records.tags import Tag

PREFIXES = ("deployment", "promotion", "signoff", "results")
RIGHTS = {"deployment": Right.DEPLOY, "promotion": Right.PROMOTE}
_TRIES = 5  # of a name that another deployment of the same second has taken
_SKEW = 3600  # seconds between the clocks of who commits, who records and the workspace
_Line = Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Id = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Gate(_Part):
    name: _Line
    verdict: _Line
    evidence: Annotated[str, StringConstraints(max_length=20_000)]


class _Body(_Part):
    """What the message of a record holds, as JSON."""

    environment: _Line
    at: AwareDatetime
    commit: _Id
    previous: _Id | None
    by: _Line
    how: _Line
    source: _Line | None = None
    decision: _Line | None = None
    gates: list[_Gate] = []
    id: _Line = ""


@dataclass(frozen=True)
class Record:
    """A deployment, or the decision to make one. Times are UTC; `commit` is where the environment's branch is then.

    `id` tells one decision from another that says the same at the same moment; its deployment bears it too. `signer` is
    whose signature it bears, None where nobody's was verified.
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
    signer: str | None = None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "at": self.at.isoformat(), "gates": list(self.gates)}


@dataclass(frozen=True)
class Found:
    """The records of a kind, the oldest first; and tag -> why it is none."""

    records: list[Record]
    void: dict[str, str]


def look(pipelines: Pipelines, kind: str, environment: str, now: datetime.datetime | None = None) -> Found:
    """Deployments or promotions of an environment. What was made after `now` is none; None: the time is not known."""
    tags = pipelines.tags(f"{kind}/{environment}")
    signers, committed = pipelines.signer_of(tags), pipelines.committed(tag.commit for tag in tags)
    records, void = [], {}
    for tag in tags:
        signer = signers.get(tag.name)
        why = unsigned(tag, signer, pipelines.signers, RIGHTS[kind]) if pipelines.signers else None
        record = why or _read(tag, kind, environment, signer)
        if not isinstance(record, str):
            record = _untimely(record, committed.get(tag.commit), now) or record
        if isinstance(record, str):
            void[tag.name] = record
        else:
            records.append(record)
    return Found(sorted(records, key=lambda record: (record.at, record.tag)), void)


def records(pipelines: Pipelines, kind: str, environment: str, now: datetime.datetime | None = None) -> list[Record]:
    """The records alone."""
    return look(pipelines, kind, environment, now).records


def unsigned(tag: Tag, signer: str | None, signers: Mapping[str, Signer], right: Right) -> str | None:
    """Why a tag's signature does not count for `right`, None when it does. Pure."""
    if not tag.signed:
        return "it is not signed"
    if signer is None:
        return "it is not signed with a key of quant:signers"
    return None if right in signers[signer].may else f"{signer} may not {right} (quant:signers)"


def last(pipelines: Pipelines, environment: str) -> Record | None:
    """The newest deployment that is recorded."""
    return next(reversed(records(pipelines, "deployment", environment)), None)


def tag_of(pipelines: Pipelines, record: Record, who: Person) -> tuple[str, str]:
    """Full ref name and id of the tag that says it, made in the cache; it stands in the remote once it is pushed."""
    # A decision is named by what it moves, so that of two at once one is refused; a deployment by when it was.
    when = f"{record.at:%Y%m%dT%H%M%SZ}" if record.kind == "deployment" else (record.previous or "nothing")[:12]
    name = f"{record.kind}/{record.environment}/{when}-{record.commit[:12]}"
    body = {key: value for key, value in record.as_json().items() if key not in ("kind", "tag", "signer")}
    message = f"{_sentence(record)}\n\n{json.dumps(body, indent=1)}"
    return f"refs/tags/{name}", pipelines.make_tag(name, record.commit, message, who, int(record.at.timestamp()))


def need_right(pipelines: Pipelines, record: Record, ref: str, made: str) -> None:
    """Refuse a tag, before it is pushed, that would be no record.

    Raises:
        UserError: whoever signs here may not make such a record.
    """
    tag = Tag(ref.removeprefix("refs/tags/"), record.commit, id=made, signed=True)
    signer = pipelines.signer_of([tag]).get(tag.name)
    if pipelines.signers and (why := unsigned(tag, signer, pipelines.signers, RIGHTS[record.kind])):
        able = ", ".join(who for who, one in sorted(pipelines.signers.items()) if RIGHTS[record.kind] in one.may)
        raise UserError(
            f"The {record.kind} of {record.commit[:12]} in {record.environment} cannot be recorded: {why}.",
            expected=f"a signature of {able or 'somebody whom quant:signers lets'}",
            do_next="docs/promotion.md says how git is set up to sign",
        )


def write(pipelines: Pipelines, record: Record, who: Person) -> str:
    """Push a record as somebody; returns the tag's name.

    Raises:
        UserError: the remote takes no tag of ours, or it would be no record.
    """
    for _ in range(_TRIES):
        ref, made = tag_of(pipelines, record, who)
        need_right(pipelines, record, ref, made)
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


def _read(tag: Tag, kind: str, environment: str, signer: str | None) -> Record | str:
    """The record that a tag's message is, or why it is none."""
    try:
        body = _Body.model_validate(json.loads(tag.message[tag.message.index("{") :]))
        at = body.at.astimezone(datetime.UTC)
        record = Record(**{**body.model_dump(), "kind": kind, "tag": tag.name, "at": at, "signer": signer})
    except (ValueError, OverflowError, RecursionError):
        return "its message is no record"
    if (record.environment, record.commit) != (environment, tag.commit):
        return f"it says {record.environment} at {record.commit[:12]}, and is a tag of {tag.commit[:12]}"
    # Git has the time in whole seconds.
    return record if int(at.timestamp()) == tag.at else "its time is not that of the tag"


def _untimely(record: Record, committed: int | None, now: datetime.datetime | None) -> str | None:
    """Why a record cannot be of its time. What is left for a signer to date back is said in docs/promotion.md."""
    at = record.at.timestamp()
    if committed is not None and at + _SKEW < committed:
        return "it is dated before its commit was made"
    return "it is dated after now" if now is not None and at > now.timestamp() + _SKEW else None
