"""The command line of `quantctl release-note`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quantctl import where
from quantctl.options import EnvArgument


def release_note_command(
    env: EnvArgument,
    since: Annotated[
        str, typer.Option("--since", metavar="COMMIT", help="All releases since this deployment: the last full validation.")
    ] = "",
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write there instead.")] = None,
) -> None:
    """What the last release of ENV changed for its users, in Markdown: declared changes, sizes, exceptions, signatures.

    With --since what all releases after an earlier deployment have changed together, at most.
    """
    environ = where.enter()
    from quantctl.results.releases import text_of  # slow to load, and `--help` needs none of it

    text = text_of(env, since, environ)
    if output is None:
        typer.echo(text, nl=False)
    else:
        from quantctl.text.whole_file import write_whole

        write_whole(output, text)
        typer.echo(f"written: {output}", err=True)
