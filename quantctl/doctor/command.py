"""The command line of `quantctl doctor`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from infra.vocabulary import Environment
from quantctl import where
from quantctl.options import Format, FormatOption
from quantctl.text.terminal import Console


def doctor(
    envs: Annotated[list[Environment] | None, typer.Argument(metavar="[ENV]...", help="All four if none is named.")] = None,
    format: FormatOption = Format.table,
) -> None:
    """May this shell's identity do what the environments need? Asks engine, Git, Databricks and Snowflake; changes nothing.

    Exit status: 0 everything is there, 2 something is missing, 1 something could not be asked.
    """
    environ = where.enter(tell=True)
    from quantctl.doctor.ask import examine  # slow to load, as what follows is, and `--help` needs none of it
    from quantctl.doctor.model import exit_status
    from quantctl.doctor.screen import show
    from quantctl.stack_settings import stack_settings

    with Console(stderr=True).status("asking engine, Git, Databricks and Snowflake"):
        answers = examine([stack_settings(env, environ) for env in dict.fromkeys(envs or list(Environment))], environ)
    if format is Format.json:
        typer.echo(json.dumps([answer.as_json() for answer in answers], indent=2))
    else:
        show(answers)
    raise typer.Exit(exit_status(answers))
