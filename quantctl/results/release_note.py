"""The release note of an environment: what changed for those who use its tables, in their words and in numbers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from quantctl.records.deployments import Record
from quantctl.records.repository import Commit
from quantctl.results import words
from quantctl.results.declared import Declared
from quantctl.results.report import SHORT, Report, TableTold
from quantctl.results.signed import Signed
from quantctl.text.markdown import code, inline


@dataclass(frozen=True)
class Release:
    """What is known of a release. `report`: of the commit that was released, where one was recorded before it."""

    record: Record
    commits: Sequence[Commit]
    changes: Sequence[Declared]
    report: Report | None = None
    signed: Signed = field(default_factory=Signed)


def note(release: Release) -> str:
    """The note, in Markdown."""
    record = release.record
    came = f" from {inline(record.source)}" if record.source else ""
    lines = [
        f"# {record.environment}: {inline(record.how)} of {record.at:%Y-%m-%d}",
        "",
        f"In effect since {record.at:%Y-%m-%d %H:%M} UTC, by {inline(record.by)}{came}:"
        f" {code(record.commit[:SHORT])}, before {code((record.previous or 'nothing')[:SHORT])}.",
        "",
        "## What changes",
        *_changes(release),
        "",
    ]
    if release.report is None:
        lines += [
            "## Numbers",
            "No report of results is on record for it, so the size of its effect is unknown.",
            "",
        ]
    else:
        lines += _numbers(release.report)
    lines += ["## Known exceptions", *_exceptions(release), "", "## Signed off", *_signatures(release), ""]
    lines += [
        "## Commits",
        *(f"- {code(one.id[:SHORT])} {inline(one.subject)} ({inline(one.author)})" for one in release.commits),
    ]
    back = f"`quantctl rollback {record.environment}` goes back to {code((record.previous or 'nothing')[:SHORT])}."
    lines += ["", "## Back, and questions", f"{back} Ask {inline(record.by)}."]
    return "\n".join(lines) + "\n"


def _changes(release: Release) -> list[str]:
    whys: dict[str, list[str]] = {}
    for one in release.changes:
        whys.setdefault(one.why, []).append(f"{one.table}.{one.column}" if one.column else one.table)
    if not whys:
        return ["No change is declared (changes/*.yaml); the commits below say what was done."]
    return [f"- {inline(why)} It shows in {', '.join(code(name) for name in names)}." for why, names in whys.items()]


def _numbers(report: Report) -> list[str]:
    changed = [one for one in report.tables if words.state(one, report) != words.SAME]
    same = [one.table for one in report.tables if one not in changed]
    days = (report.last - report.first).days + 1
    lines = [f"## Numbers, over {days} days against {inline(report.against)}"]
    lines += [f"- {code(one.table)}: {inline(_size(one))}" for one in changed]
    lines += [f"- unchanged: {', '.join(map(code, same))}"] if same else []
    return [*lines, f"- the report: {code(report.digest[:SHORT])}", ""]


def _size(one: TableTold) -> str:
    """How much of a table differs, and by how much."""
    if not one.numbers:
        return "unknown: its rows could not be paired"
    told = []
    for name, (here, there) in one.schema_differs.items():
        told.append(f"{name} {'is new' if there is None else 'is gone' if here is None else f'is {here}, was {there}'}")
    if any(one.only):
        told.append(f"{one.only[0]} keys more and {one.only[1]} fewer")
    for name, it in one.columns.items():
        if not it.differing:
            continue
        share = f"{it.differing / one.compared:.0%} of {name} differ" if one.compared else f"{name} differs"
        size = it.relative
        by = f" (median {words.percent(size.median)}, largest {words.percent(size.largest)})" if size else ""
        told.append(share + by)
    return "; ".join(told) or "no numbers differ"


def _exceptions(release: Release) -> list[str]:
    accepted = release.signed.accepted
    if not accepted:
        return ["None."]
    return [f"- {code(id)}: {inline(why)} (accepted by {inline(by)})" for id, (by, why) in accepted.items()]


def _signatures(release: Release) -> list[str]:
    if not release.signed.given:
        return ["Nobody, on this report."]
    lines = []
    for one in release.signed.given:
        role = f" for {inline(one.words.stakeholder)}" if one.words.stakeholder else ""
        lines.append(f"- {inline(one.by)}{role}: {inline(one.words.note)}")
    return lines
