"""The command line of `quantctl drift-issue`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from quantctl import where
from quantctl.errors import UserError
from quantctl.options import Format


def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `quantctl drift --format json` printed.")],
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the same as JUnit XML, for the pipeline's report.")
    ] = None,
    format: Annotated[
        Format, typer.Option("--format", help="json only prints what would be done, for another forge; table does it.")
    ] = Format.table,
) -> None:
    """Open or refresh the one issue that says what differs; close it when nothing does. Unknown leaves it as it is.

    The forge is named by QUANT_GITLAB_URL and QUANT_GITLAB_PROJECT, or quant:gitlab, and GITLAB_TOKEN.
    """
    from quantctl.drift import issue  # slow to load, as what follows is, and `--help` needs none of it
    from quantctl.drift.formats import as_junit
    from quantctl.forge import connect
    from quantctl.stack_settings import stack_settings

    try:
        reports = issue.read(file.read_text())
    except FileNotFoundError:
        raise UserError(f"There is no file {file}.", do_next="quantctl drift --format json > drift.json") from None
    if junit is not None:
        junit.write_text(as_junit(reports))
    decision = issue.decide(reports)
    if format is Format.json:
        typer.echo(json.dumps(asdict(decision), indent=2))
        return
    environ = where.enter(needed=False)
    typer.echo(issue.carry_out(decision, connect(stack_settings(reports[0].environment, environ), environ)))
