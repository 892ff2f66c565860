"""The command line of `quantctl keys`."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.vocabulary import Environment
from quantctl import environment, keys, project
from quantctl.errors import UserError

app = typer.Typer(no_args_is_help=True, help="Key pairs of the service users: two slots each, so that no login is refused.")
EnvArgument = Annotated[Environment, typer.Argument(metavar="ENV", help="quant, quant_stg, quant_lr or quant_live.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command()
def rotate(env: EnvArgument, yes: YesOption = False) -> None:
    """Make a new key, install it beside the old one, and let the jobs log in with it."""
    _ask(f"Make and install a new key for {env.value}?", yes)
    keys.rotate(env.value, environment.engine_environment(project.state()), _say)


@app.command()
def retire(env: EnvArgument, yes: YesOption = False) -> None:
    """Take away the key that the jobs no longer use."""
    _ask(f"Take away the old key of {env.value}? Jobs that still hold it are refused.", yes)
    keys.retire(env.value, environment.engine_environment(project.state()), _say)


def _ask(question: str, yes: bool) -> None:
    if yes:
        return
    try:
        if typer.confirm(question):
            return
    except typer.Abort:
        pass
    raise UserError("Nothing was changed.", do_next="answer y, or say --yes where nobody can answer")


def _say(text: str) -> None:
    typer.echo(text)
