"""Several releases together, since the last full validation: small changes add up to a large one. Pure.

What is added up are the reports that were recorded of each release against what was there before it. Of each value the
smaller is at least (1 - r) of the larger, r being the relative difference; so after several releases it is at least the
product of these, however the changes fell together. That is a bound, and no measurement.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from quantctl.records.deployments import Record
from quantctl.results import words
from quantctl.results.release_note import Release
from quantctl.results.report import SHORT
from quantctl.text.markdown import code, inline, table
from quantctl.text.plain import counted

_UNKNOWN = "unknown"
Effects = dict[str, dict[int, float | None]]


def since(first: Record, releases: Sequence[Release]) -> str:
    """The note of all releases after a deployment, in Markdown, the oldest first."""
    own = [_own(one, first.environment) for one in releases]
    begun = f"{first.at:%Y-%m-%d}, {code(first.commit[:SHORT])}"
    lines = [
        f"# {first.environment}: {counted(len(releases), 'release')} since {begun}",
        "",
        "## Together",
        *_together(own),
        "",
    ]
    for release in own:
        record = release.record
        came = f" from {inline(record.source)}" if record.source else ""
        report = f", report {code(release.report.digest[:SHORT])}" if release.report is not None else ", no report on record"
        what = f"{inline(record.how)}{came}, by {inline(record.by)}{report}"
        lines.append(f"## {record.at:%Y-%m-%d} {code(record.commit[:SHORT])}: {what}")
        whys = dict.fromkeys(one.why for one in release.changes)
        lines += [f"- {inline(why)}" for why in whys]
        lines += [f"- {code(one.id[:SHORT])} {inline(one.subject)} ({inline(one.author)})" for one in release.commits]
        lines.append("")
    return "\n".join(lines)


def _own(release: Release, environment: str) -> Release:
    """Without a report against another environment: it does not say what the release changed here."""
    other = release.report is not None and release.report.against != environment
    return replace(release, report=None) if other else release


def effects(releases: Sequence[Release]) -> Effects:
    """TABLE.COLUMN -> number of the release -> the largest relative difference that it made, None where it is unknown."""
    found: Effects = {}
    for number, release in enumerate(releases):
        report = release.report
        for one in report.tables if report is not None else ():
            for column, it in one.columns.items():
                if it.differing:
                    size = float(it.relative.largest) if it.relative is not None else None
                    found.setdefault(f"{one.table}.{column}", {})[number] = size
    return found


def bound(sizes: Sequence[float | None]) -> float | None:
    """By how much a value may differ after changes of these sizes; None: one is unknown, or may have changed its sign."""
    known = [size for size in sizes if size is not None and size < 1]
    return 1 - math.prod(1 - size for size in known) if len(known) == len(sizes) else None


def _together(releases: Sequence[Release]) -> list[str]:
    silent = [one for one in releases if one.report is None]
    lines = []
    if silent:
        named = ", ".join(code(one.record.commit[:SHORT]) for one in silent)
        lines += [f"Of {named} no report is on record: what they did to the tables is unknown, and in no bound below.", ""]
    found = effects(releases)
    if not found:
        return [*lines, "No value differs in any report." if len(silent) < len(releases) else "Nothing is known."]
    rows = []
    for name, by_release in sorted(found.items()):
        each = [f"{releases[number].record.at:%m-%d}: {_told(size)}" for number, size in by_release.items()]
        rows.append([inline(name), ", ".join(each), _told(bound(list(by_release.values())))])
    return [*lines, table(("column", "largest difference of each release", "together at most"), rows).rstrip("\n")]


def _told(size: float | None) -> str:
    return _UNKNOWN if size is None else words.percent(f"{size:.6g}")
