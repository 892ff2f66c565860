"""`quantctl access`: the access matrix, as it stands in the code."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from infra import access
from quantctl.text.markdown import table
from quantctl.text.terminal import Console


class Format(StrEnum):
    table = "table"
    json = "json"
    markdown = "markdown"


def show(format: Annotated[Format, typer.Option("--format", help="docs/access.md is the Markdown.")] = Format.table) -> None:
    """Who may do what in which environment. Stack files narrow it (quant:access), nothing widens it."""
    head, *rows = access.table()
    if format is Format.json:
        typer.echo(json.dumps([dict(zip(head, row, strict=True)) for row in rows], indent=2))
    elif format is Format.markdown:
        typer.echo(markdown(), nl=False)
    else:
        shown = Table(*head, show_lines=True)
        for row in rows:
            shown.add_row(*(cell.replace(", ", "\n") for cell in row))
        Console(width=max(Console().width, 108)).print(shown)


def markdown() -> str:
    """The matrix as the table of docs/access.md."""
    head, *rows = access.table()
    return table(head, ([cell.replace(", ", "<br>") for cell in row] for row in rows))
