"""What `quantctl status` shows: values. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from infra.promotion import Edge
from infra.vocabulary import Environment
from quantctl.forge.model import Verdict
from quantctl.promotion.gates import Gate, Unknown, stopped
from quantctl.records.deployments import Record
from quantctl.records.repository import Commit
from quantctl.records.signoffs import SignOff

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
    page: str = ""  # the job's, in the workspace

    @property
    def total(self) -> Day:
        """All days together, dated the last."""
        counts = {key: sum(getattr(day, key) for day in self.days) for key in ("succeeded", "failed", "active", "other")}
        return Day(self.days[-1].date, **counts)


@dataclass(frozen=True)
class Deployed:
    """Where the Git folder is; `subject` is "" when no branch holds the commit, `page` is the folder's in the workspace."""

    commit: str
    branch: str
    subject: str = ""
    page: str = ""


class DriftVerdict(StrEnum):
    """As `quantctl drift` says it: progress that waits is no drift, and what is unknown is neither."""

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
        told = {DriftVerdict.CLEAN: "clean" if self.full else "no sign", DriftVerdict.UNKNOWN: "unknown"}
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
    until: datetime.date | None = None  # the last day of a limited release

    @property
    def stage(self) -> str:
        """Whom it serves, in two words, and how long."""
        return f"{STAGES[self.name]}, until {self.until}" if self.until else STAGES[self.name]

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
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class EdgeStatus:
    """One way to the next environment: what would move, and what each gate says."""

    edge: Edge
    commits: Sequence[Commit] | Unknown
    gates: Sequence[Gate]
    foreign: int = 0

    @property
    def way(self) -> Way:
        """A gate that says no is certain; one that is unknown is not."""
        if not isinstance(self.commits, Unknown) and not self.commits and not self.foreign:
            return Way.NOTHING
        verdicts = {gate.verdict for gate in self.gates}
        if Verdict.NO in verdicts:
            return Way.CLOSED
        unknown = Verdict.UNKNOWN in verdicts or isinstance(self.commits, Unknown)
        return Way.UNKNOWN if unknown else Way.OPEN

    @property
    def stopped(self) -> list[Gate]:
        """The gates that do not let it through; none where nothing waits to go through."""
        return [] if self.way is Way.NOTHING else stopped(self.gates)


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
