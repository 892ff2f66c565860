"""How the parts of a report are said, on a terminal as on a page. Pure."""

from __future__ import annotations

import datetime

from quantctl.results.report import ColumnTold, FindingTold, Report, TableTold
from quantctl.text.plain import counted

SAME, MAY, BAD, UNKNOWN = "same", "differs as it may", "not as expected", "unknown"


def state(table: TableTold, report: Report) -> str:
    """What a table's card says first."""
    found = [one for one in report.findings if one.table == table.table]
    if any(one.level == "unexpected" for one in found):
        return BAD
    if found:
        return UNKNOWN
    differs = any(table.only) or table.differing or table.schema_differs or table.alone
    return MAY if differs else SAME


def beside(table: TableTold, report: Report) -> str:
    """With what a table is compared, where that is not the other environment's."""
    return f"what {report.against}'s code makes of {report.environment}'s inputs: a baseline run" if table.baseline else ""


def headline(report: Report) -> str:
    """Both environments, the days, and who compared."""
    here, there = (commit[:12] for commit in report.commits)
    days = (report.last - report.first).days + 1
    return (
        f"{report.environment} {here} against {report.against} {there}, {report.first} to {report.last}"
        f" ({counted(days, 'day')}), as {report.role}"
    )


def days_told(days: list[datetime.date]) -> str:
    """Days in one line: three of them, and how many there are."""
    if not days:
        return ""
    shown = ", ".join(f"{day:%m-%d}" for day in days[:3])
    return f"on {shown}" if len(days) <= 3 else f"on {shown} and {len(days) - 3} more"


def finding_told(one: FindingTold) -> str:
    """A finding in a sentence or two."""
    name = f"{one.table}.{one.column}" if one.column else one.table
    when = f" {days_told(one.days)}" if one.days else ""
    cause = {"code": "Code", "run": "A run, not code", "inputs": "Inputs", "unknown": "Cause unknown"}[one.cause]
    because = f" {cause}: {one.because}." if one.because else ""
    return f"{name}: {one.text}{when}.{because}"


def worst(table: TableTold) -> tuple[str, ColumnTold] | None:
    """The column that differs most: by the largest relative difference, then by how many values."""

    def size(entry: tuple[str, ColumnTold]) -> tuple[float, int]:
        relative = entry[1].relative
        return float(relative.largest) if relative else 0.0, entry[1].differing

    differing = [(name, it) for name, it in table.columns.items() if it.differing]
    return max(differing, key=size, default=None)


def percent(text: str) -> str:
    """A share in percent, of three digits."""
    return f"{float(text) * 100:.3g} %" if text else ""


def checks_told(table: TableTold) -> str:
    """`3 of 4`: how many checks hold."""
    return f"{sum(one.holds is True for one in table.checks.values())} of {len(table.checks)}" if table.checks else "-"
