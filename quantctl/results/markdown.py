"""The report for a merge request, in Markdown that nobody can forge: what was not expected, then a line a table. Pure."""

from __future__ import annotations

from quantctl.results import words
from quantctl.results.report import SHORT, Report, TableTold
from quantctl.text.markdown import code, inline, table

_MARKS = {words.BAD: "✗", words.UNKNOWN: "?", words.MAY: "▸", words.SAME: "✓"}
_FINDINGS = 20


def markdown(report: Report) -> str:
    """The whole note."""
    lines = [f"### Results of {report.environment}: {report.verdict}", inline(words.headline(report)), ""]
    for title, found in (("Not expected", report.unexpected), ("Unknown", report.unknown)):
        if found:
            lines += [f"**{title}**", ""]
            lines += [f"- {code(one.id)} {inline(words.finding_told(one))}" for one in found[:_FINDINGS]]
            lines += [f"- and {len(found) - _FINDINGS} more"] if len(found) > _FINDINGS else []
            lines.append("")
    head = ("table", "", "code", "rows", "keys on one side", "keys that differ", "worst column", "largest", "checks")
    lines.append(table(head, [_row(one, report) for one in report.tables]))
    for one in report.tables:
        if beside := words.beside(one, report):
            lines += [f"{inline(one.table)} is compared with {inline(beside)}.", ""]
    told = [f"- {inline(one.table)}: {inline(text)}" for one in report.tables for text in one.told]
    if told:
        lines += ["<details><summary>What differs as it may</summary>", "", *told, "", "</details>", ""]
    lines.append(f"Report {code(report.digest[:SHORT])}, counts and sizes alone.")
    return "\n".join(lines) + "\n"


def _row(one: TableTold, report: Report) -> list[str]:
    state = words.state(one, report)
    name, said = inline(one.table), f"{_MARKS[state]} {state}"
    if not one.numbers:
        return [name, said, one.expected, "", "", "", "", "", words.checks_told(one)]
    worst = words.worst(one)
    relative = worst[1].relative if worst else None
    return [
        name, said, one.expected, f"{one.rows[0]} / {one.rows[1]}", f"{one.only[0]} / {one.only[1]}", str(one.differing),
        inline(worst[0]) if worst else "", words.percent(relative.largest) if relative else "", words.checks_told(one),
    ]  # fmt: skip
