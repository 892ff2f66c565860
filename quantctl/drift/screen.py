"""What a drift run found, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.table import Table
from rich.text import Text

from quantctl.drift.finding import Class, EnvironmentDrift, Finding
from quantctl.drift.formats import difference, headline
from quantctl.text.plain import one_line
from quantctl.text.terminal import Console

_COLOURS = {Class.DRIFT: "red", Class.UNKNOWN: "magenta", Class.WAITING: "yellow"}


def show_table(found: Sequence[EnvironmentDrift], console: Console) -> None:
    """The findings, then how each environment is."""
    shown = Table(show_lines=True)
    for head in ("what", "declared -> real", "fix it with"):
        shown.add_column(head, overflow="fold")
    for each in found:
        for finding in each.findings:
            shown.add_row(*_cells(finding))
    if shown.row_count:
        console.print(shown)
    console.print(headline(found), markup=False, highlight=False, soft_wrap=True)
    for note in (note for each in found for note in each.notes):
        console.print(f"  {one_line(note)}", markup=False, highlight=False, soft_wrap=True)


def _cells(finding: Finding) -> tuple[Text, Text, Text]:
    what = Text(f"{finding.environment} ")
    what.append(f"{finding.kind}\n", style=_COLOURS[finding.kind])
    what.append(finding.resource, style=Style(link=finding.page) if finding.page else "")
    what.append(f"\n{finding.property}" if finding.property else "")
    real = difference(finding) if finding.kind is Class.UNKNOWN else f"{finding.declared}\n-> {finding.real}"
    return what, Text(real), Text(finding.fix.words)
