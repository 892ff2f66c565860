"""How what is shown looks, in every form: a tone with its mark, so that nothing is said by colour alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from quantctl.forge.model import Verdict
from quantctl.promotion.gates import Unknown
from quantctl.status import conclusions
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
WAY = {Way.NOTHING: Tone.QUIET, Way.OPEN: Tone.GOOD, Way.CLOSED: Tone.BAD, Way.UNKNOWN: Tone.UNKNOWN}
GATE = {Verdict.YES: Tone.GOOD, Verdict.NO: Tone.BAD, Verdict.UNKNOWN: Tone.UNKNOWN}
RUN = {
    RunsOf.SUCCEEDED: Tone.GOOD,
    RunsOf.FAILED: Tone.BAD,
    RunsOf.ACTIVE: Tone.WAIT,
    RunsOf.OTHER: Tone.QUIET,
    RunsOf.NONE: Tone.QUIET,
}
RUN_MARKS = {kind: "○" if kind is RunsOf.OTHER else tone.mark for kind, tone in RUN.items()}
UNKNOWN = (Tone.UNKNOWN, "unknown")


def health(one: EnvironmentStatus) -> tuple[Tone, str]:
    """An environment in a few words: the worst that is known of it, else what waits."""
    if one.drift.verdict is DriftVerdict.DRIFT:
        return Tone.BAD, "drift"
    if isinstance(one.deployed, Unknown):
        return UNKNOWN
    if one.interrupted:
        return Tone.BAD, "not finished"
    if one.deployed is None:
        return Tone.WAIT, "not deployed"
    if isinstance(one.undeployed, Unknown):
        return UNKNOWN
    if one.undeployed:
        return Tone.WAIT, f"{number(len(one.undeployed), 'commit')} to deploy"
    return UNKNOWN if one.drift.verdict is DriftVerdict.UNKNOWN else (Tone.GOOD, "at its branch")


def waiting(one: EdgeStatus) -> str:
    """What would move along an edge."""
    if isinstance(one.commits, Unknown):
        return "unknown"
    return number(len(one.commits), "commit") if one.commits else "nothing waits"


def way(one: EdgeStatus) -> tuple[Tone, str]:
    """Whether it would go ahead; how many gates say no."""
    count = sum(gate.verdict is Verdict.NO for gate in one.gates)
    words = f"{number(count, 'gate')} closed" if one.way is Way.CLOSED else one.way.value
    return WAY[one.way], words


def total(workflows: Sequence[Workflow]) -> Day | None:
    """All runs of an environment; None when it has no workflows."""
    if not workflows:
        return None
    days = [flow.total for flow in workflows]
    counts = {key: sum(getattr(day, key) for day in days) for key in ("succeeded", "failed", "active", "other")}
    return Day(days[0].date, **counts)


def short(day: Day) -> list[tuple[Tone, str]]:
    """Runs as marks and numbers, where there is little room; what was cancelled is left to the days."""
    told = [(Tone.GOOD, day.succeeded), (Tone.BAD, day.failed), (Tone.WAIT, day.active)]
    return [(tone, f"{tone.mark} {count}") for tone, count in told if count] or [(Tone.QUIET, "no runs")]


def counts(day: Day) -> list[tuple[Tone, str]]:
    """Runs in words, what is none left out."""
    told = [(Tone.GOOD, day.succeeded, "succeeded"), (Tone.BAD, day.failed, "failed"), (Tone.WAIT, day.active, "active")]
    told.append((Tone.QUIET, day.other, "cancelled or skipped"))
    return [(tone, f"{count} {word}") for tone, count, word in told if count] or [(Tone.QUIET, "no runs")]


def summary(status: Status) -> list[tuple[Tone, str]]:
    """The page's first line: how much is to be looked at, is unknown, waits, is ready, is stopped."""
    urgent, unread = len(conclusions.attention(status)), len(conclusions.unread(status))
    found = [(Tone.GOOD, "nothing needs attention")]
    if urgent:
        found = [(Tone.BAD, f"{number(urgent, 'thing')} {'needs' if urgent == 1 else 'need'} attention")]
    if unread:
        found.append((Tone.UNKNOWN, f"{number(unread, 'thing')} unknown"))
    deployments = sum(not isinstance(one.undeployed, Unknown) and bool(one.undeployed) for one in status.environments)
    if deployments:
        found.append((Tone.WAIT, f"{number(deployments, 'deployment')} waiting"))
    for kind, tone, words in ((Way.OPEN, Tone.GOOD, "ready"), (Way.CLOSED, Tone.QUIET, "stopped by gates")):
        if count := sum(one.way is kind for one in status.edges):
            found.append((tone, f"{number(count, 'promotion')} {words}"))
    return found


def gate_names(status: Status) -> list[str]:
    """Every gate that is asked somewhere, in the order in which one clears them."""
    longest = sorted(status.edges, key=lambda one: -len(one.gates))
    return list(dict.fromkeys(gate.name for one in longest for gate in one.gates))


def who(by: str) -> str:
    """A person's name without the id that stands behind it in brackets."""
    return by.partition(" (")[0]


def several(what: Sequence[str]) -> str:
    """The first three, and how many more."""
    return ", ".join(what[:3]) + (f" and {len(what) - 3} more" if len(what) > 3 else "")


def told(reasons: Mapping[str, Sequence[str]]) -> list[str]:
    """What is unknown, a line for each reason."""
    return [f"{several(what)}: {why}" for why, what in reasons.items()]


def drift_told(status: Status) -> str:
    """How far drift was looked for."""
    if all(one.drift.full for one in status.environments):
        return "Drift: the engine compared every resource."
    return "Drift: signs of the Git folders alone; `quantctl status --drift` has the engine compare everything."
