"""The answers of a doctor's run as a table."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from quantctl.doctor.model import Answer, Health
from quantctl.text.plain import counted, one_line
from quantctl.text.terminal import Console

_STYLE = {Health.FINE: "green", Health.WRONG: "red", Health.UNKNOWN: "magenta"}
_MARK = {Health.FINE: "✓", Health.WRONG: "✗", Health.UNKNOWN: "?"}


def show(answers: list[Answer]) -> None:
    """What is needed, found, and how to fix it; then a line for all."""
    table = Table("", "where")
    for head in ("needed", "found", *(["how to fix it"] if any(answer.fix for answer in answers) else [])):
        table.add_column(head, overflow="fold")
    for answer in answers:
        style = _STYLE[answer.health]
        texts = [Text(one_line(text)) for text in (answer.where, answer.needed, answer.found, answer.fix)]
        table.add_row(Text(_MARK[answer.health], style), *texts[: len(table.columns) - 1])
    console = Console()
    console.print(table)
    wrong = sum(answer.health is not Health.FINE for answer in answers)
    console.print(
        "Everything is there." if not wrong else f"{counted(wrong, 'line')} to fix, of {len(answers)}.", highlight=False
    )
