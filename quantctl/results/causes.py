"""Where a difference of one day comes from: a run that failed or is missing, another code, other inputs. Pure."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from quantctl.promotion.gates import Unknown
from quantctl.results.model import Cause, Expected, Looked, Night, Pair


@dataclass(frozen=True)
class Because:
    """A cause, and the evidence for it in a sentence."""

    cause: Cause
    because: str


def cause_of(day: datetime.date | None, looked: Looked, pair: Pair) -> Because:
    """The cause of a difference on a day, by what ran that day. None: the table has no days."""
    workflow, nights = looked.contract.workflow, looked.nights
    if not workflow:
        return Because(Cause.NONE, "the contract does not say which workflow writes it (quant.workflow)")
    if isinstance(nights, Unknown):
        return Because(Cause.NONE, f"the runs are unknown: {nights.why}")
    both = nights.get(day) if day is not None else None
    for name, those in [*looked.upstream.items(), (workflow, nights)]:
        pairs = None if isinstance(those, Unknown) or day is None else those.get(day)
        told = _runs(name, pairs, pair, day) if pairs is not None else ""
        if told:
            return Because(Cause.RUN, told)
    if both is not None:
        one, other = both
        if one.code is not None and one.code == other.code:
            return Because(
                Cause.INPUTS,
                f"both ran the same code that day ({_commit(one)} and {_commit(other)}): other inputs, or a result that is"
                " not the same twice",
            )
        if one.code is not None and other.code is not None:
            return Because(
                Cause.CODE, f"{pair.names[0]} ran {_commit(one)}, {pair.names[1]} {_commit(other)}{_commits(looked)}"
            )
    if looked.why.expected is Expected.CHANGED:
        return Because(Cause.CODE, f"{'; '.join(looked.why.reasons[:3])}{_commits(looked)}")
    return Because(Cause.NONE, "which code ran that day is unknown: no deployment on record tells it")


def _runs(workflow: str, both: tuple[Night, Night], pair: Pair, day: datetime.date | None) -> str:
    """What went wrong that day; that neither side ran is no difference between them."""
    if both[0].run is None and both[1].run is None:
        return ""
    told = [_run(env, workflow, night, day) for env, night in zip(pair.names, both, strict=True)]
    return "; ".join(filter(None, told))


def _run(env: str, workflow: str, night: Night, day: datetime.date | None) -> str:
    if night.run is None:
        return f"{env} had no run of {workflow} on {day:%m-%d}"
    if night.run.failed:
        return f"{env}'s run {night.run.run_id} of {workflow} failed on {day:%m-%d}"
    return "" if night.run.succeeded else f"{env}'s run {night.run.run_id} of {workflow} on {day:%m-%d} has not succeeded"


def _commit(night: Night) -> str:
    return (night.commit or "an unknown commit")[:12]


def _commits(looked: Looked) -> str:
    told = "; ".join(f"{one.id[:12]} {one.subject!r} by {one.author}" for one in looked.why.commits[:3])
    return f": {told}" if told else ""
