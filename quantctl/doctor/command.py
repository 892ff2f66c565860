"""The command line of `quantctl doctor`."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from infra.vocabulary import Environment
from quantctl import where
from quantctl.doctor.model import Answer, Health, exit_status
from quantctl.options import Format, FormatOption
from quantctl.stack_settings import stack_settings
from quantctl.text.plain import counted, one_line
from quantctl.text.terminal import Console

_STYLE = {Health.FINE: "green", Health.WRONG: "red", Health.UNKNOWN: "magenta"}
_MARK = {Health.FINE: "✓", Health.WRONG: "✗", Health.UNKNOWN: "?"}


def doctor(
    envs: Annotated[list[Environment] | None, typer.Argument(metavar="[ENV]...", help="All four if none is named.")] = None,
    format: FormatOption = Format.table,
) -> None:
    """May this shell's identity do what the environments need? Asks engine, Git, Databricks and Snowflake; changes nothing.

    Exit status: 0 everything is there, 2 something is missing, 1 something could not be asked.
    """
    environ = where.enter(tell=True)
    from quantctl.doctor.ask import examine  # the SDKs are slow to load, and --help needs none

    with Console(stderr=True).status("asking engine, Git, Databricks and Snowflake"):
        answers = examine([stack_settings(env, environ) for env in dict.fromkeys(envs or list(Environment))], environ)
    if format is Format.json:
        typer.echo(json.dumps([answer.as_json() for answer in answers], indent=2))
    else:
        _show(answers)
    raise typer.Exit(exit_status(answers))


def _show(answers: list[Answer]) -> None:
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
