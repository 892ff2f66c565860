"""The report: everything that was concluded, canonical, so that the same data has the same digest. Pure.

No clock, no id of a query, no row's value: counts, sizes, names, commits and runs. It is what is recorded, signed and shown;
terminal, Markdown and page are made of it alone.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import operator
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from quantctl.promotion.gates import Unknown
from quantctl.results.figures import Counts, Effect, Figures, Sizes
from quantctl.results.model import Finding, Judged, Nights, Results

SHORT = 12  # letters of a digest that name a report
_Id = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
Both = tuple[int, int]


def _readable(text: object) -> object:
    """Without halves of characters: YAML can spell one, and no file or tag can be written with it."""
    return text.encode(errors="backslashreplace").decode() if isinstance(text, str) else text


_Text = Annotated[str, BeforeValidator(_readable), StringConstraints(max_length=2000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SizesTold(_Part):
    """Of the differences beyond the tolerance, in words, so that they are the same everywhere."""

    median: _Text
    p99: _Text
    largest: _Text


class ColumnTold(_Part):
    """One column."""

    differing: int
    nulls: int
    confidential: bool
    tolerance: tuple[_Text, _Text]  # absolute, relative
    absolute: SizesTold | None = None
    relative: SizesTold | None = None
    noise: _Text | None = None
    noisy_days: int = 0


class DayTold(_Part):
    """One day."""

    rows: Both
    only: Both
    differing: int


class CheckTold(_Part):
    """One check of the contract; of a check by SQL the number itself is not told: it may be a value."""

    text: _Text
    found: _Text | None
    holds: bool | None


class CommitTold(_Part):
    """One commit."""

    id: _Id
    author: _Text
    subject: _Text


class TableTold(_Part):
    """One table. `numbers`: whether it could be compared at all; without them every count is 0."""

    table: _Text
    contract: _Text
    version: _Text
    workflow: _Text
    expected: Literal["same", "changed", "unknown"]
    reasons: list[_Text]
    commits: list[CommitTold]
    numbers: bool
    alone: bool
    rows: Both
    only: Both
    compared: int
    differing: int
    share: int
    days: dict[datetime.date, DayTold]
    columns: dict[str, ColumnTold]
    schema_differs: dict[str, tuple[str | None, str | None]]
    checks: dict[str, CheckTold]
    told: list[_Text]
    slices: dict[str, list[str]]
    quiet_days: int
    baseline: bool = Field(default=False, exclude_if=operator.not_)  # reports from before there was one stay the same
    statements: list[str] = Field(default=[], exclude=True)  # for the page; they follow from the rest


class FindingTold(_Part):
    """Something unexpected, or unknown."""

    id: _Text
    level: Literal["unexpected", "unknown"]
    table: _Text
    column: _Text
    text: _Text
    days: list[datetime.date]
    cause: Literal["code", "run", "inputs", "unknown"]
    because: _Text


class ChangeTold(_Part):
    """What a change declares of a table or a column."""

    file: _Text
    why: _Text
    of: _Text
    expected: _Text


class NightTold(_Part):
    """One environment's last run of a day: its id and result, "" without one, and the commit that it ran."""

    run: int | None = None
    result: _Text = ""
    commit: _Text = ""


class Report(_Part):
    """One comparison of two environments. `days_by_this_code`: every workflow ran with success, at today's code."""

    version: Literal[1] = 1
    environment: _Text
    against: _Text
    commits: tuple[_Id, _Id]
    first: datetime.date
    last: datetime.date
    role: _Text
    days_by_this_code: list[datetime.date]
    tables: list[TableTold]
    findings: list[FindingTold]
    changes: list[ChangeTold]
    runs: dict[str, dict[datetime.date, tuple[NightTold, NightTold]] | str]

    @property
    def text(self) -> str:
        """The canonical form: what the digest is of."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def unexpected(self) -> list[FindingTold]:
        """What should not be."""
        return [one for one in self.findings if one.level == "unexpected"]

    @property
    def unknown(self) -> list[FindingTold]:
        """What could not be told."""
        return [one for one in self.findings if one.level == "unknown"]

    @property
    def verdict(self) -> str:
        """The whole in a few words."""
        counts = [(len(self.unexpected), "unexpected"), (len(self.unknown), "unknown")]
        return ", ".join(f"{number} {what}" for number, what in counts if number) or "as expected"


def parsed(text: str) -> Report | None:
    """The report that a canonical form is, None where it is none."""
    try:
        report = Report.model_validate_json(text)
    except (ValidationError, ValueError, RecursionError):
        return None
    return report if report.text == text else None


def report_of(found: Results) -> Report:
    """What was read and judged, as a report."""
    findings = [one for table in found.tables for one in table.findings]
    return Report(
        environment=found.pair.names[0],
        against=found.pair.names[1],
        commits=found.pair.commits,
        first=found.window.first,
        last=found.window.last,
        role=found.role,
        days_by_this_code=list(found.days_by_this_code),
        tables=[_table(one, found) for one in found.tables],
        findings=[_finding(one) for one in findings],
        changes=[
            ChangeTold(file=it.file, why=it.why, of=f"{it.table}{f'.{it.column}' if it.column else ''}", expected=str(it))
            for it in found.changes
        ],
        runs={name: _nights(those, found) for name, those in sorted(found.nights.items())},
    )


def number(value: float | None) -> str:
    """A number in six digits, the same on every machine."""
    return "" if value is None else f"{value:.6g}"


def _table(one: Judged, found: Results) -> TableTold:
    looked, told = one.looked, one.looked.figures
    numbers = told is not None and not any(it.id.endswith((":null-key", ":duplicate-key")) for it in one.findings)
    counts = told.whole if told is not None and numbers else Counts()
    days = told.days if told is not None and numbers else {}
    contract = looked.contract
    return TableTold(
        table=contract.table,
        contract=contract.file,
        version=contract.version,
        workflow=contract.workflow,
        expected=looked.why.expected.value,
        reasons=[reason[:2000] for reason in looked.why.reasons[:20]],
        commits=[CommitTold(id=it.id, author=it.author[:200], subject=it.subject[:200]) for it in looked.why.commits],
        numbers=numbers,
        alone=looked.alone,
        rows=counts.rows,
        only=counts.only,
        compared=counts.compared,
        differing=counts.differing,
        share=told.share if told is not None else 1,
        days={
            day: DayTold(rows=it.rows, only=it.only, differing=it.differing)
            for day, it in days.items()
            if day is not None and day >= found.window.first
        },
        columns={name: _column(name, it, one) for name, it in counts.effects.items()},
        schema_differs=dict(looked.schema),
        checks=_checks(looked.contract.checks, told, looked.uncheckable),
        told=[text[:2000] for text in one.told],
        slices={column: list(values) for column, values in looked.slices.items()},
        quiet_days=len(looked.quiet_days),
        baseline=looked.baseline,
        statements=list(looked.statements),
    )


def _column(name: str, effect: Effect, one: Judged) -> ColumnTold:
    column = one.looked.contract.column(name)
    return ColumnTold(
        differing=effect.differing,
        nulls=effect.nulls,
        confidential=column.confidential,
        tolerance=(number(column.tolerance.absolute), number(column.tolerance.relative)),
        absolute=None if column.confidential else _sizes(effect.absolute),
        relative=None if column.confidential else _sizes(effect.relative),
        noise=number(level) if not column.confidential and (level := one.noise.get(name)) is not None else None,
        noisy_days=one.noisy.get(name, 0),
    )


def _sizes(sizes: Sizes | None) -> SizesTold | None:
    if sizes is None:
        return None
    return SizesTold(median=number(sizes.median), p99=number(sizes.p99), largest=number(sizes.largest))


def _checks(checks: Any, told: Figures | None, uncheckable: Mapping[str, str]) -> dict[str, CheckTold]:
    found = {}
    for check in checks:
        measured = told.checks.get(check.id) if told is not None and check.id not in uncheckable else None
        shown = measured * 100 / told.rows if told and measured is not None and check.percent and told.rows else measured
        found[check.id] = CheckTold(
            text=str(check),
            found=None if shown is None or check.metric == "sql" else number(shown),
            holds=None if shown is None else check.holds(shown),
        )
    return found


def _finding(one: Finding) -> FindingTold:
    return FindingTold(
        id=one.id,
        level=one.level.value,
        table=one.table,
        column=one.column,
        text=one.text[:2000],
        days=list(one.days),
        cause=one.cause.value,
        because=one.because[:2000],
    )


def _nights(those: Nights | Unknown, found: Results) -> dict[datetime.date, tuple[NightTold, NightTold]] | str:
    if isinstance(those, Unknown):
        return f"unknown: {those.why}"[:2000]
    told = {}
    for day in found.window.days:
        both = those.get(day)
        if both is not None:
            one, other = (
                NightTold(
                    run=it.run.run_id if it.run else None,
                    result=it.run.result if it.run else "",
                    commit=(it.commit or "")[:SHORT],
                )
                for it in both
            )
            told[day] = (one, other)
    return told
