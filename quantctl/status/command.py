"""The command line of `quantctl status`."""

from __future__ import annotations

import io
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from quantctl import where
from quantctl.errors import UserError
from quantctl.status import conclusions
from quantctl.status.for_programs import as_json
from quantctl.status.model import Status
from quantctl.status.page import page
from quantctl.status.read import FindDrift, read_status
from quantctl.status.table import status_table
from quantctl.text.terminal import Console

_COLUMNS = 100


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
    status = read_status(days, environ, lambda text: typer.echo(text, err=True), _engine() if drift else None)
    if output is not None:
        write_whole(output, written(status, format))
        typer.echo(f"written: {output}", err=True)
    elif format is Format.table and sys.stdout.isatty():
        Console().print(status_table(status))
    else:
        sys.stdout.write(written(status, format))
    raise typer.Exit(1 if conclusions.unread(status) else 0)


def _engine() -> FindDrift:
    """Imported only where it is asked for: it brings Snowflake's connector."""
    from quantctl.drift import find

    return find


def written(status: Status, format: Format) -> str:
    """As a file or a pipe gets it: no colour, and tables of 100 columns."""
    if format is Format.json:
        return f"{json.dumps(as_json(status), indent=2)}\n"
    if format is Format.html:
        return page(status)
    told = io.StringIO()
    Console(file=told, width=_COLUMNS).print(status_table(status))
    return told.getvalue()


def write_whole(path: Path, text: str) -> None:
    """All of it or nothing: whoever serves the page never sees half of one."""
    begun = path.with_name(f".{path.name}.new")
    try:
        begun.write_text(text)
        begun.replace(path)
    except OSError as error:
        begun.unlink(missing_ok=True)
        found = error.strerror or str(error)
        raise UserError(f"{path} cannot be written.", found=found, do_next="name another file") from None
