"""The command line of `quantctl init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Of the project; it is made if it is not there.")],
    file: Annotated[
        Path | None, typer.Option("--answers", metavar="FILE", help="A YAML file with the answers: see --template.")
    ] = None,
    given: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One answer; wins over the file. Can be repeated.")
    ] = None,
    template: Annotated[
        bool, typer.Option("--template", help="Print an answers file to fill in, and write nothing.")
    ] = False,
) -> None:
    """Make a team's own project: Pulumi.yaml, the four stack files, what the policy pack allows, and a shell's variables.

    It asks what is not answered. The code stays in this checkout; a later version of it is checked out, and the project is
    as before (docs/cloud.md).
    """
    from quantctl.init import run  # slow to load, and `--help` needs none of it

    if template:
        typer.echo(run.template(), nl=False)
    else:
        run.made(folder, file, given or [])
