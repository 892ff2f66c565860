"""What was read of a pair of tables, and what is concluded: values that the report is made of. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from infra.outside.workspace import Run
from infra.settings import Settings
from quantctl.promotion.gates import Unknown
from quantctl.records.deployments import Record
from quantctl.records.repository import Commit
from quantctl.results.contract import Contract
from quantctl.results.declared import Declared
from quantctl.results.figures import Figures
from quantctl.results.statements import Window


class Expected(StrEnum):
    """Whether the code of a table is the same on both sides."""

    SAME = "same"
    CHANGED = "changed"
    UNKNOWN = "unknown"  # a change that cannot be ruled out


class Cause(StrEnum):
    """Where a difference comes from."""

    CODE = "code"
    RUN = "run"
    INPUTS = "inputs"
    NONE = "unknown"


class Level(StrEnum):
    """What a finding means for the verdict."""

    UNEXPECTED = "unexpected"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Why:
    """Why a table's code is the same or not: files and definitions that differ, and the commits that touched them."""

    expected: Expected
    reasons: tuple[str, ...] = ()
    commits: tuple[Commit, ...] = ()


@dataclass(frozen=True)
class Night:
    """One environment's runs of a table's workflow on one day: the last run, and the commit that it ran (None: unknown).

    `code` is the identity of what the workflow ran, None where it is unknown.
    """

    run: Run | None
    commit: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class Side:
    """One environment: its settings, the commit that it has deployed, its deployments."""

    settings: Settings
    commit: str
    deployed: Sequence[Record] = ()


Nights = Mapping[datetime.date, tuple[Night, Night]]


@dataclass(frozen=True)
class Looked:
    """A pair as it was read. `schema`: column -> its type on each side where they differ, None where it is not there.

    `unknown`: why no number is told. `hidden`: column -> why its values are not compared. `uncheckable`: check -> why it is
    not evaluated. `alone`: there is no other one, as a change declares. `nights`: the runs of its workflow; `upstream`:
    workflow -> the runs of what writes its inputs. `quiet_days` are those on which noise is measured. `baseline`: the
    other one is what a baseline run has made.
    """

    contract: Contract
    why: Why
    figures: Figures | None = None
    schema: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    hidden: Mapping[str, str] = field(default_factory=dict)
    uncheckable: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False
    nights: Nights | Unknown = field(default_factory=dict)
    upstream: Mapping[str, Nights | Unknown] = field(default_factory=dict)
    quiet_days: Sequence[datetime.date] = ()
    declared: Sequence[Declared] = ()
    statements: Sequence[str] = ()
    slices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    baseline: bool = False


@dataclass(frozen=True)
class Finding:
    """Something that was not expected, or could not be told. `id` is what an exception names."""

    id: str
    level: Level
    table: str
    text: str
    column: str = ""
    days: tuple[datetime.date, ...] = ()
    cause: Cause = Cause.NONE
    because: str = ""


@dataclass(frozen=True)
class Judged:
    """One table, judged. `told`: what differs as it may. `noise`: column -> below which a difference is noise."""

    looked: Looked
    findings: tuple[Finding, ...]
    told: tuple[str, ...] = ()
    noise: Mapping[str, float | None] = field(default_factory=dict)
    noisy: Mapping[str, int] = field(default_factory=dict)

    @property
    def unexpected(self) -> bool:
        """Whether something differs that should not."""
        return any(one.level is Level.UNEXPECTED for one in self.findings)

    @property
    def unknown(self) -> bool:
        """Whether something could not be told."""
        return any(one.level is Level.UNKNOWN for one in self.findings)


@dataclass(frozen=True)
class Pair:
    """The two environments of a report, by name and by the commit that each has deployed."""

    names: tuple[str, str]
    commits: tuple[str, str]


@dataclass(frozen=True)
class Results:
    """Everything that a report says. `days_by_this_code`: the workflows ran in the environment what they would run today."""

    pair: Pair
    window: Window
    role: str
    tables: tuple[Judged, ...]
    changes: tuple[Declared, ...]
    nights: Mapping[str, Nights | Unknown] = field(default_factory=dict)
    days_by_this_code: tuple[datetime.date, ...] = ()
