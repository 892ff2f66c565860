"""What a drift run tells: findings, each with its class and with the words that fix it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Class(StrEnum):
    """What a finding is, from least to most pressing."""

    WAITING = "waiting"
    DRIFT = "drift"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What an environment is, all its findings together."""

    CLEAN = "clean"
    WAITING = "waiting"
    DRIFT = "drift"
    UNKNOWN = "unknown"


class By(StrEnum):
    """Who fixes a finding when `--fix` is asked for."""

    ENGINE = "engine"  # `pulumi up --refresh` of the targets
    ACCOUNT = "account"  # the statements, in Snowflake
    ACL = "acl"  # targets: secret scope, principal
    SETTING = "setting"  # targets: job id, field of its settings that is removed
    ALL = "all"  # `pulumi up` of everything that was deployed
    REPAIR = "repair"  # what was begun and not ended is looked for, as `quantctl repair` does
    PAUSE = "pause"  # targets: job id; it stays, and stays a finding
    HAND = "hand"  # a person


@dataclass(frozen=True)
class Fix:
    """How a finding is fixed: the words for a person, and what `--fix` needs to do the same."""

    words: str
    by: By = By.HAND
    targets: tuple[str, ...] = ()
    statements: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Finding:
    """One difference. `resource` is a name that a person understands; `urn` is empty for what no stack declares."""

    environment: str
    kind: Class
    resource: str
    property: str
    declared: str
    real: str
    fix: Fix
    urn: str = ""
    first: bool = False  # told before all others: an update that did not end well
    page: str = ""  # of the workspace, where it can be looked at

    def as_json(self) -> dict[str, Any]:
        """For a program that reads."""
        row = asdict(self)
        del row["first"]
        row["class"] = row.pop("kind").value
        row["fix"] = self.fix.words
        row["fixed_by"] = self.fix.by.value
        return row


@dataclass(frozen=True)
class EnvironmentDrift:
    """All findings of one environment, the most pressing first."""

    environment: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()  # what was not compared, and stops nothing

    @property
    def verdict(self) -> Verdict:
        """Unknown wins over drift, drift over waiting: never "drifted" because something was unknown, nor clean."""
        kinds = {finding.kind for finding in self.findings}
        return next((Verdict(kind) for kind in reversed(Class) if kind in kinds), Verdict.CLEAN)

    def of(self, kind: Class) -> list[Finding]:
        """The findings of one class."""
        return [finding for finding in self.findings if finding.kind is kind]


def report(environment: str, findings: Iterable[Finding], notes: Iterable[str] = ()) -> EnvironmentDrift:
    """The environment's findings in a steady order."""
    order = {kind: number for number, kind in enumerate((Class.DRIFT, Class.UNKNOWN, Class.WAITING))}
    found = sorted(set(findings), key=lambda f: (not f.first, order[f.kind], f.resource, f.property, f.real, f.declared))
    return EnvironmentDrift(environment, tuple(found), tuple(notes))


def unknown(environment: str, resource: str, why: str, do_next: str = "") -> Finding:
    """Something that could not be read, with the reason."""
    return Finding(environment, Class.UNKNOWN, resource, "", "", why, Fix(do_next or "fix what it names and look again"))


def exit_status(reports: Sequence[EnvironmentDrift], *, strict: bool) -> int:
    """0 clean, 1 unknown, 2 drift, 3 waiting (only when `strict`)."""
    verdicts = {report.verdict for report in reports}
    if Verdict.UNKNOWN in verdicts:
        return 1
    if Verdict.DRIFT in verdicts:
        return 2
    return 3 if strict and Verdict.WAITING in verdicts else 0
