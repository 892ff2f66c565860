"""The command line of `quantctl keys`."""

from __future__ import annotations

import typer

from quantctl import ask, where
from quantctl.options import EnvArgument, YesOption

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Key pairs of the service users: two slots each, so that no login is refused.",
)


@app.command()
def rotate(env: EnvArgument, yes: YesOption = False) -> None:
    """Make a new key, install it beside the old one, and let the jobs log in with it."""
    environ = where.enter(tell=True)
    ask.need(f"Make and install a new key for {env.value}?", yes)
    from quantctl.keys import rotation as keys  # slow to load, and `--help` needs none of it

    keys.rotate(env.value, environ, _say)


@app.command()
def retire(env: EnvArgument, yes: YesOption = False) -> None:
    """Revoke the key that the jobs no longer hold."""
    environ = where.enter(tell=True)
    ask.need(f"Revoke the old key of {env.value}?", yes)
    from quantctl.keys import rotation as keys

    keys.retire(env.value, environ, _say)


def _say(text: str) -> None:
    typer.echo(text)
