"""A report for a terminal: what was not expected, then a line a table. Pure."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from quantctl.results import words
from quantctl.results.report import SHORT, Report, TableTold
from quantctl.text.plain import one_line

_STYLE = {words.BAD: "red", words.UNKNOWN: "magenta", words.MAY: "blue", words.SAME: "green"}


def shown(report: Report) -> RenderableType:
    """The whole report."""
    here, there = report.environment, report.against
    table = Table("table", "code", "rows", f"only {here}", f"only {there}", "keys that differ", "worst column")
    for title in ("median", "p99", "max", "checks", ""):
        table.add_column(title, no_wrap=True)
    for one in report.tables:
        table.add_row(*_row(one, report))
    lines: list[RenderableType] = [Text(one_line(words.headline(report)), "bold")]
    for level, style in (("unexpected", "red"), ("unknown", "magenta")):
        for found in report.findings:
            if found.level == level:
                lines.append(Text.assemble((level, style), f" {one_line(found.id)}"))
                lines.append(Text(f"  {one_line(words.finding_told(found))}"))
    lines.append(table)
    for one in report.tables:
        lines += [Text(f"{one.table}: {one_line(text)}") for text in one.told]
        if one.share > 1:
            told = f"values of one key in {one.share} were compared, by MD5 of the key; of keys all were"
            lines.append(Text(f"{one.table}: {told}."))
        if told := words.beside(one, report):
            lines.append(Text(f"{one.table}: compared with {told}."))
        for column, values in one.slices.items():
            lines.append(Text(f"{one.table}: limited to {column} in {one_line(', '.join(values))} on both sides."))
    lines.append(Text(f"{report.verdict}; report {report.digest[:SHORT]}"))
    return Group(*lines)


def _row(one: TableTold, report: Report) -> list[RenderableType]:
    state = words.state(one, report)
    told = Text(state, _STYLE[state])
    if not one.numbers:
        return [Text(one.table), one.expected, *["-"] * 8, words.checks_told(one), told]
    differing = f"{one.differing}" + (f" ({one.differing / one.compared:.0%})" if one.differing and one.compared else "")
    worst = words.worst(one)
    sizes = ["-"] * 3
    if worst is not None and (relative := worst[1].relative) is not None:
        sizes = [words.percent(value) for value in (relative.median, relative.p99, relative.largest)]
    only = [str(number) for number in one.only]
    named = Text(one_line(worst[0])) if worst else "-"
    row = [Text(one.table), one.expected, str(one.rows[0]), *only, differing, named, *sizes, words.checks_told(one), told]
    return list(row)
