"""`quantctl sandbox`: the local Databricks workspace and Snowflake account."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from quantctl import project
from quantctl.credentials import credentials as all_credentials
from sandbox import control
from sandbox.state import Endpoints

app = typer.Typer(
    no_args_is_help=True,
    help="The local Databricks workspace and Snowflake account: ports on 127.0.0.1, state in a folder "
    "(QUANT_SANDBOX, default .sandbox).",
)


class Format(StrEnum):
    table = "table"
    json = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="A table for people, JSON for programs.")]


def _show(endpoints: Endpoints) -> None:
    typer.echo(f"Databricks  {endpoints.databricks_host}")
    typer.echo(f"Snowflake   http://{endpoints.snowflake_host}:{endpoints.snowflake_port}")


@app.command()
def start() -> None:
    """Start it, or leave it when it runs. Ports and state are those of the last start."""
    _show(control.start(project.state()))


@app.command()
def stop() -> None:
    """Stop it; the state is kept for the next start."""
    typer.echo("Stopped." if control.stop(project.state()) else "It was not running.")


@app.command()
def reset() -> None:
    """Empty workspace, account and stacks; keys, tokens, ports and the sample remote are kept."""
    state = project.state()
    _show(control.reset(state))


@app.command()
def status() -> None:
    """Does it run, and where? Exit 1 when it does not."""
    state = project.state()
    found = control.status(state)
    typer.echo(f"{'running' if found.running else 'not running'}  {state.folder}")
    if found.endpoints is None or not found.running:
        raise typer.Exit(1)
    _show(found.endpoints)


@app.command()
def credentials(format: FormatOption = Format.table) -> None:
    """Every identity: Databricks token, Snowflake user and key file. The table shows no tokens."""
    found = all_credentials(project.state())
    if format is Format.json:
        typer.echo(json.dumps(found, indent=2))
        return
    table = Table()
    table.add_column("persona", no_wrap=True)
    for title in ("Databricks", "Snowflake user", "role"):
        table.add_column(title, overflow="fold")
    for one in found:
        table.add_row(*(str(one[c]) for c in ("persona", "databricks_user", "snowflake_user", "snowflake_role")))
    Console(width=max(Console().width, 100)).print(table)
    typer.echo("Tokens, key files and endpoints: quantctl sandbox credentials --format json")
