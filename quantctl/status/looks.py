"""How what is shown looks, in every form: a tone with its mark, so that nothing is said by colour alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from quantctl.promotion.gates import Unknown, Verdict
from quantctl.status.model import Day, DriftVerdict, EdgeStatus, EnvironmentStatus, RunsOf, Status, Way, Workflow, number


class Tone(StrEnum):
    """What a reader should make of it."""

    GOOD = "good"
    WAIT = "wait"
    BAD = "bad"
    UNKNOWN = "unknown"
    QUIET = "quiet"

    @property
    def mark(self) -> str:
        """One character, the same in the table and on the page."""
        return {Tone.GOOD: "✓", Tone.WAIT: "▸", Tone.BAD: "✗", Tone.UNKNOWN: "?", Tone.QUIET: "·"}[self]


DRIFT = {
    DriftVerdict.CLEAN: Tone.GOOD,
    DriftVerdict.WAITING: Tone.WAIT,
    DriftVerdict.DRIFT: Tone.BAD,
    DriftVerdict.UNKNOWN: Tone.UNKNOWN,
}
WAY = {Way.NOTHING: Tone.QUIET, Way.OPEN: Tone.GOOD, Way.CLOSED: Tone.BAD, Way.CANNOT_TELL: Tone.UNKNOWN}
GATE = {Verdict.YES: Tone.GOOD, Verdict.NO: Tone.BAD, Verdict.CANNOT_TELL: Tone.UNKNOWN}
RUN = {
    RunsOf.SUCCEEDED: Tone.GOOD,
    RunsOf.FAILED: Tone.BAD,
    RunsOf.ACTIVE: Tone.WAIT,
    RunsOf.OTHER: Tone.QUIET,
    RunsOf.NONE: Tone.QUIET,
}
RUN_MARKS = {kind: "○" if kind is RunsOf.OTHER else tone.mark for kind, tone in RUN.items()}
CANNOT_TELL = (Tone.UNKNOWN, "cannot tell")


def health(one: EnvironmentStatus) -> tuple[Tone, str]:
    """An environment in a few words: the worst that is known of it, else what waits."""
    if one.drift.verdict is DriftVerdict.DRIFT:
        return Tone.BAD, "drift"
    if isinstance(one.deployed, Unknown):
        return CANNOT_TELL
    if one.interrupted:
        return Tone.BAD, f"{one.interrupted.how} not finished"
    if one.deployed is None:
        return Tone.WAIT, "not deployed"
    if isinstance(one.undeployed, Unknown):
        return CANNOT_TELL
    if one.undeployed:
        return Tone.WAIT, f"{number(len(one.undeployed), 'commit')} to deploy"
    return CANNOT_TELL if one.drift.verdict is DriftVerdict.UNKNOWN else (Tone.GOOD, "at its branch")


def waiting(one: EdgeStatus) -> str:
    """What would move along an edge."""
    if isinstance(one.commits, Unknown):
        return "cannot tell"
    return number(len(one.commits), "commit") if one.commits else "nothing waits"


def way(one: EdgeStatus) -> tuple[Tone, str]:
    """Whether it would go ahead; how many gates stop it."""
    count = len(one.stopped)
    words = f"{number(count, 'gate')} closed" if one.way is Way.CLOSED else one.way.value
    return WAY[one.way], words


def total(workflows: Sequence[Workflow]) -> Day | None:
    """All runs of an environment; None when it has no workflows."""
    if not workflows:
        return None
    days = [flow.total for flow in workflows]
    counts = {key: sum(getattr(day, key) for day in days) for key in ("succeeded", "failed", "active", "other")}
    return Day(days[0].date, **counts)


def counts(day: Day) -> list[tuple[Tone, str]]:
    """Runs in words, what is none left out."""
    told = [(Tone.GOOD, day.succeeded, "succeeded"), (Tone.BAD, day.failed, "failed"), (Tone.WAIT, day.active, "active")]
    told.append((Tone.QUIET, day.other, "cancelled or skipped"))
    return [(tone, f"{count} {word}") for tone, count, word in told if count] or [(Tone.QUIET, "no runs")]


def summary(status: Status) -> list[tuple[Tone, str]]:
    """The page's first line: how many things are to be looked at, are ready, wait, cannot be told."""
    urgent, ready, unread = len(status.attention), len(status.ready), len(status.unread)
    needs = "needs" if urgent == 1 else "need"
    found = [(Tone.BAD, f"{number(urgent, 'thing')} {needs} attention") if urgent else (Tone.GOOD, "nothing needs attention")]
    if ready:
        found.append((Tone.GOOD, f"{number(ready, 'promotion')} ready"))
    closed = sum(one.way is Way.CLOSED for one in status.edges)
    if closed:
        found.append((Tone.QUIET, f"{number(closed, 'promotion')} stopped by gates"))
    if unread:
        found.append((Tone.UNKNOWN, f"{number(unread, 'reading')} failed"))
    return found
