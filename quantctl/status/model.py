"""What `quantctl status` shows: values, and the conclusions that are drawn from them. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from infra.promotion import Edge
from infra.vocabulary import Environment
from quantctl.deployments import Record
from quantctl.forge.model import Verdict
from quantctl.pipelines import Commit
from quantctl.promotion.gates import Gate, Unknown, stopped
from quantctl.promotion.signoffs import SignOff

STAGES = {
    Environment.DEV: "development",
    Environment.STAGING: "staging, UAT",
    Environment.LIMITED: "limited release",
    Environment.LIVE: "production",
}


class RunsOf(StrEnum):
    """What the runs of a day, or of all days, come to."""

    FAILED = "failed"
    ACTIVE = "active"
    SUCCEEDED = "succeeded"
    OTHER = "cancelled or skipped"
    NONE = "no run"


@dataclass(frozen=True)
class Day:
    """How many runs of a workflow were started on a day (UTC), by how they ended."""

    date: datetime.date
    succeeded: int = 0
    failed: int = 0
    active: int = 0
    other: int = 0

    @property
    def kind(self) -> RunsOf:
        """A failure is said first, then what has not ended."""
        counts = (self.failed, self.active, self.succeeded, self.other)
        kinds = (RunsOf.FAILED, RunsOf.ACTIVE, RunsOf.SUCCEEDED, RunsOf.OTHER)
        return next((kind for kind, count in zip(kinds, counts, strict=True) if count), RunsOf.NONE)


@dataclass(frozen=True)
class Workflow:
    """A workflow's runs, day by day, the oldest first."""

    name: str
    days: Sequence[Day]

    @property
    def total(self) -> Day:
        """All days together, dated the last."""
        counts = {key: sum(getattr(day, key) for day in self.days) for key in ("succeeded", "failed", "active", "other")}
        return Day(self.days[-1].date, **counts)


@dataclass(frozen=True)
class Deployed:
    """Where the Git folder is; `subject` is "" when no branch holds the commit."""

    commit: str
    branch: str
    subject: str = ""


class DriftVerdict(StrEnum):
    """As `quantctl drift` says it: progress that waits is no drift, and what cannot be told is neither."""

    CLEAN = "clean"
    WAITING = "waiting"
    DRIFT = "drift"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Drift:
    """`full`: the engine compared every resource; else only the signs that the Git folder gives were looked at."""

    verdict: DriftVerdict
    findings: Sequence[str] = ()
    full: bool = False

    @property
    def words(self) -> str:
        """The verdict for people: a few signs that are missing are no proof."""
        told = {DriftVerdict.CLEAN: "clean" if self.full else "no sign", DriftVerdict.UNKNOWN: "cannot tell"}
        return told.get(self.verdict, self.verdict.value)


@dataclass(frozen=True)
class EnvironmentStatus:
    """One environment. An Unknown in the place of a fact says why it could not be read."""

    name: Environment
    head: Commit | Unknown
    deployed: Deployed | Unknown | None
    undeployed: Sequence[Commit] | Unknown
    workflows: Sequence[Workflow] | Unknown
    drift: Drift
    sign_offs: Sequence[SignOff] | Unknown
    last: Record | Unknown | None
    interrupted: Record | None = None

    @property
    def stage(self) -> str:
        """Whom it serves, in two words."""
        return STAGES[self.name]

    @property
    def agreed(self) -> list[SignOff]:
        """Sign-offs of the very commit that is deployed."""
        commit = self.deployed.commit if isinstance(self.deployed, Deployed) else ""
        return [] if isinstance(self.sign_offs, Unknown) else [one for one in self.sign_offs if one.commit == commit]


class Way(StrEnum):
    """Whether a promotion along an edge would go ahead."""

    NOTHING = "nothing waits"
    OPEN = "ready"
    CLOSED = "stopped"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class EdgeStatus:
    """One way to the next environment: what would move, and what each gate says."""

    edge: Edge
    commits: Sequence[Commit] | Unknown
    gates: Sequence[Gate]
    foreign: int = 0

    @property
    def way(self) -> Way:
        """A gate that says no is certain; one that cannot tell is not."""
        if not isinstance(self.commits, Unknown) and not self.commits and not self.foreign:
            return Way.NOTHING
        verdicts = {gate.verdict for gate in self.gates}
        if Verdict.NO in verdicts:
            return Way.CLOSED
        return Way.CANNOT_TELL if Verdict.UNKNOWN in verdicts else Way.OPEN

    @property
    def stopped(self) -> list[Gate]:
        """The gates that do not let it through; none where nothing waits to go through."""
        return [] if self.way is Way.NOTHING else stopped(self.gates)


@dataclass(frozen=True)
class Step:
    """A command that would go ahead, and what for."""

    command: str
    why: str


@dataclass(frozen=True)
class Status:
    """Everything, as of `at` (UTC). `clock` says whose time that is, `remote` and `host` where it was read."""

    at: datetime.datetime
    clock: str
    remote: str
    host: str
    days: int
    environments: Sequence[EnvironmentStatus]
    edges: Sequence[EdgeStatus]

    @property
    def unread(self) -> dict[str, list[str]]:
        """Why something cannot be told -> what it is. Each reason once, however much it hides."""
        found: dict[str, list[str]] = {}
        for what, why in _unread(self):
            found.setdefault(why, []).append(what)
        return found

    @property
    def attention(self) -> list[str]:
        """What somebody should look at, the most urgent first; what merely waits is none."""
        return [text for _, text in sorted(_attention(self), key=lambda one: one[0])]

    @property
    def steps(self) -> list[Step]:
        """What would go ahead: deployments that wait, and promotions that every gate lets through."""
        return list(_steps(self))

    def as_json(self) -> dict[str, Any]:
        """For programs; {"cannot_tell": why} stands where something could not be read."""
        return {
            "at": self.at.isoformat(),
            "clock": self.clock,
            "remote": self.remote,
            "host": self.host,
            "days": self.days,
            "environments": [_environment_json(one) for one in self.environments],
            "edges": [_edge_json(one) for one in self.edges],
            "attention": self.attention,
            "steps": [{"command": step.command, "why": step.why} for step in self.steps],
            "cannot_tell": [{"why": why, "what": what} for why, what in self.unread.items()],
        }


def _unread(status: Status) -> Iterator[tuple[str, str]]:
    for one in status.environments:
        facts = {
            "branch head": one.head,
            "deployed commit": one.deployed,
            "commits to deploy": one.undeployed,
            "runs": one.workflows,
            "sign-offs": one.sign_offs,
            "last deployment": one.last,
        }
        yield from ((f"{one.name}: {what}", fact.why) for what, fact in facts.items() if isinstance(fact, Unknown))
        if one.drift.verdict is DriftVerdict.UNKNOWN:
            yield f"{one.name}: drift", "; ".join(one.drift.findings) or "nothing was found out"
    for edge in status.edges:
        if isinstance(edge.commits, Unknown):
            yield f"{edge.edge}: commits", edge.commits.why
        for gate in edge.gates:
            if gate.verdict is Verdict.UNKNOWN:
                yield f"{edge.edge}: gate {gate.name}", gate.evidence


def _attention(status: Status) -> Iterator[tuple[int, str]]:
    for one in status.environments:
        if one.drift.verdict is DriftVerdict.DRIFT:
            yield 0, f"{one.name} has drifted: {'; '.join(one.drift.findings)}"
        if one.interrupted:
            found = one.interrupted
            yield 1, f"{one.name}: a {found.how} to {found.commit[:8]} was decided and not finished; run it again"
        if isinstance(one.workflows, Sequence):
            failed = [flow for flow in one.workflows if flow.total.failed]
            told = ", ".join(f"{flow.name} ({flow.total.failed})" for flow in failed[:3])
            more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
            if failed:
                yield 2, f"{one.name}: failed runs of {told}{more}"
    for edge in status.edges:
        if edge.foreign:
            yield 1, f"{edge.edge}: {number(edge.foreign, 'commit')} of {edge.edge.target} alone"


def _steps(status: Status) -> Iterator[Step]:
    for one in status.environments:
        if one.drift.verdict is DriftVerdict.DRIFT or one.interrupted:
            continue  # that comes first
        if one.deployed is None and not isinstance(one.head, Unknown):
            yield Step(f"quantctl up {one.name}", f"{one.name} is not deployed yet")
        elif not isinstance(one.undeployed, Unknown) and one.undeployed:
            yield Step(f"quantctl up {one.name}", f"{number(len(one.undeployed), 'commit')} of its branch to deploy")
    for edge in status.edges:
        if edge.way is Way.OPEN and not isinstance(edge.commits, Unknown):
            why = f"{number(len(edge.commits), 'commit')}, and every gate says yes"
            yield Step(f"quantctl promote {edge.edge.source} {edge.edge.target}", why)


def number(count: int, what: str) -> str:
    """3 commits, 1 commit."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def ago(then: datetime.datetime, now: datetime.datetime) -> str:
    """How long since, in one unit."""
    seconds = max((now - then).total_seconds(), 0)
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return f"{number(int(seconds // size), unit)} ago"
    return "just now"


def _environment_json(one: EnvironmentStatus) -> dict[str, Any]:
    return {
        "name": one.name.value,
        "stage": one.stage,
        "head": _known(one.head),
        "deployed": _known(one.deployed),
        "undeployed": _known(one.undeployed),
        "workflows": _known(one.workflows),
        "drift": {"verdict": one.drift.verdict.value, "findings": list(one.drift.findings), "full": one.drift.full},
        "sign_offs": _known(one.sign_offs),
        "last_deployment": _known(one.last),
        "interrupted": _known(one.interrupted),
    }


def _edge_json(one: EdgeStatus) -> dict[str, Any]:
    return {
        "source": one.edge.source.value,
        "target": one.edge.target.value,
        "way": one.way.value,
        "commits": _known(one.commits),
        "foreign": one.foreign,
        "gates": [{"name": g.name, "verdict": g.verdict.value, "evidence": g.evidence} for g in one.gates],
    }


def _known(fact: Any) -> Any:
    if isinstance(fact, Unknown):
        return {"cannot_tell": fact.why}
    if isinstance(fact, Record):
        return fact.as_json()
    if isinstance(fact, list | tuple):
        return [_known(one) for one in fact]
    if isinstance(fact, datetime.date):
        return fact.isoformat()
    return {key: _known(value) for key, value in fact.__dict__.items()} if hasattr(fact, "__dataclass_fields__") else fact
