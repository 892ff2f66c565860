"""The command line of `quantctl status`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from quantctl import where
from quantctl.text.terminal import Console


class Format(StrEnum):
    """How it is shown."""

    table = "table"
    json = "json"
    html = "html"


def status_command(
    format: Annotated[Format, typer.Option("--format", help="A table, JSON for programs, or one HTML page.")] = Format.table,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write there instead.")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=30, help="Runs of so many days (UTC), today among them.")] = 7,
    drift: Annotated[bool, typer.Option("--drift", help="Ask the engine for every resource too: seconds a stack.")] = False,
) -> None:
    """The four environments at one look: what is deployed, what waits, runs, gates, drift, sign-offs.

    Reads only. Exit 0, or 1 when something could not be read: it is shown as "unknown", with everything else.
    """
    environ = where.enter(tell=True)
    from quantctl.drift import find  # slow to load, as what follows is, and `--help` needs none of it
    from quantctl.status import conclusions
    from quantctl.status.read import read_status
    from quantctl.status.show import written

    status = read_status(days, environ, lambda text: typer.echo(text, err=True), find if drift else None)
    if output is not None:
        from quantctl.text.whole_file import write_whole

        write_whole(output, written(status, format))
        typer.echo(f"written: {output}", err=True)
    elif format is Format.table and sys.stdout.isatty():
        from quantctl.status.table import status_table

        Console().print(status_table(status))
    else:
        sys.stdout.write(written(status, format))
    raise typer.Exit(1 if conclusions.unread(status) else 0)
