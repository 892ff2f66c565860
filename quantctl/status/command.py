"""The command line of `quantctl status`."""

from __future__ import annotations

import io
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from quantctl import environment, project
from quantctl.errors import UserError
from quantctl.status.model import Status
from quantctl.status.page import page
from quantctl.status.read import read_status
from quantctl.status.table import status_table

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

    Reads only. Exit 0, or 1 when something could not be read: it is shown as "cannot tell", with everything else.
    """
    environ = environment.enter(project.state())
    find = None
    if drift:
        from quantctl.drift import find
    status = read_status(days, environ, lambda text: typer.echo(text, err=True), find)
    text = _written(status, format, None if output else sys.stdout.isatty())
    if output is None:
        sys.stdout.write(text)
    else:
        _write(output, text)
        typer.echo(f"written: {output}", err=True)
    raise typer.Exit(1 if status.unread else 0)


def _written(status: Status, format: Format, terminal: bool | None) -> str:
    if format is Format.json:
        return f"{json.dumps(status.as_json(), indent=2)}\n"
    return page(status) if format is Format.html else table_text(status, bool(terminal))


def table_text(status: Status, terminal: bool) -> str:
    """The tables as text: at least 100 columns, so that a pipe gets whole ones; colour on a terminal alone."""
    screen = Console()
    width = max(screen.width, _COLUMNS) if not terminal else screen.width
    told = io.StringIO()
    # A terminal's own abilities (NO_COLOR, TERM) are asked of the one that is really there.
    system = screen.color_system if terminal else None
    Console(file=told, width=min(width, 160), force_terminal=terminal, color_system=system).print(status_table(status))  # type: ignore[arg-type]
    return told.getvalue()


def _write(path: Path, text: str) -> None:
    """All of it or nothing: whoever serves the page never sees half of one."""
    begun = path.with_name(f".{path.name}.new")
    try:
        begun.write_text(text)
        begun.replace(path)
    except OSError as error:
        begun.unlink(missing_ok=True)
        raise UserError(f"{path} cannot be written.", found=error.strerror or str(error), do_next="name another file") from None
