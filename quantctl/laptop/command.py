"""The laptop's commands: `quantctl sandbox`, `env` and `down`."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table

from infra.vocabulary import Environment
from quantctl import ask
from quantctl.errors import UserError
from quantctl.laptop import place, turn
from quantctl.laptop.exports import endpoints_of, foreign, shell, shell_exports
from quantctl.options import Format, FormatOption, YesOption
from quantctl.text.streams import exactly
from quantctl.text.terminal import Console
from sandbox import clock as sandbox_clock
from sandbox import control, identities
from sandbox.state import Endpoints

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="The local Databricks workspace and Snowflake account: ports on 127.0.0.1, state in a folder "
    "(QUANT_SANDBOX, default .sandbox).",
)


def env(
    persona: Annotated[
        str | None, typer.Option("--as", help="Also say who you are: developer, reviewer, release_manager, deployer ...")
    ] = None,
    gitlab: Annotated[
        bool, typer.Option("--gitlab", help="Also use GitLab's API, and git with a token, as that persona.")
    ] = False,
) -> None:
    """Print exports, so that plain `pulumi preview -s quant` works: eval "$(quantctl env)".

    With --as, promotions and commits are that persona's: eval "$(quantctl env --as release_manager --gitlab)".
    Without it, an earlier --as is over.
    """
    state = place.state()
    from quantctl.laptop import persona as personas  # slow to load, and `--help` needs none of it

    values = shell_exports(state) | personas.exports(state, persona, gitlab=gitlab, environ=os.environ)
    exactly(shell(values | foreign(os.environ, values)) + "\n")
    if not control.status(state).running:
        typer.echo("The sandbox does not run; start it: quantctl sandbox start", err=True)


def down(yes: YesOption = False) -> None:
    """Stop the sandbox and delete its state folder."""
    state = place.state()
    if state.folder.exists():
        ask.need_at_terminal(f"This deletes {state.folder}: keys, stacks, repository and everything in it. Go on?", yes)
    from quantctl.laptop import up

    up.down(place.state(), Console(soft_wrap=True))


def _show(endpoints: Endpoints) -> None:
    typer.echo(f"Databricks  {endpoints.databricks_host}")
    typer.echo(f"Snowflake   http://{endpoints.snowflake_host}:{endpoints.snowflake_port}")
    typer.echo(f"GitLab      {endpoints.gitlab_url}/api/v4")


@app.command()
def start() -> None:
    """Start it, or leave it when it runs. Ports and state are those of the last start."""
    _show(place.start(place.state()))


@app.command()
def stop() -> None:
    """Stop it; the state is kept for the next start."""
    state = place.state()
    turn.need_idle(state)
    with place.told():
        stopped = control.stop(state)
    typer.echo("Stopped." if stopped else "It was not running.")


@app.command()
def reset(yes: YesOption = False) -> None:
    """Empty workspace, account, forge and stacks; keys, tokens, ports and the sample remote are kept."""
    state = place.state()
    ask.need_at_terminal("This deletes what is in the sandbox's workspace, account, forge and stacks. Go on?", yes)
    with turn.taken(state, "sandbox reset"):
        turn.need_idle(state)
        with place.told():
            endpoints = control.reset(state)
    place.leave_shell(state)
    _show(endpoints)


@app.command()
def status() -> None:
    """Does it run, and where? Exit 1 when it does not."""
    state = place.state()
    found = control.status(state)
    typer.echo(f"{'running' if found.running else 'not running'}  {state.folder}")
    if found.endpoints is None or not found.running:
        raise typer.Exit(1)
    _show(found.endpoints)


@app.command()
def credentials(format: FormatOption = Format.table) -> None:
    """Every identity: Databricks and GitLab tokens, Snowflake user and key file. The table shows no tokens."""
    from quantctl.laptop.credentials import credentials as all_credentials

    found = all_credentials(place.state())
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


@app.command()
def switch(
    changes: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Without any, how they stand is shown.")
    ] = None,
) -> None:
    """Make the sandbox behave otherwise where real services differ: quantctl sandbox switch git_folders=legacy."""
    state = place.state()
    endpoints_of(state)
    pairs = dict(change.partition("=")[::2] for change in changes or [])
    with place.told():
        made = control.switch(state, pairs)
    for name, value in vars(made).items():
        typer.echo(f"{name:<18} {value}")


@app.command()
def clock(
    forward: Annotated[
        float | None, typer.Option("--forward", metavar="DAYS", min=0, max=3650, help="Move it forward by so many days.")
    ] = None,
) -> None:
    """The sandbox's clock, by which runs and merge requests are dated. It goes forward only; `reset` sets it right."""
    state = place.state()
    endpoints_of(state)
    if forward:
        sandbox_clock.forward(state.folder, forward * sandbox_clock.DAY)
    sandbox_clock.keep_in(state.folder)
    ahead = timedelta(seconds=round(sandbox_clock.ahead(state.folder)))
    typer.echo(f"{sandbox_clock.today():%Y-%m-%d %H:%M:%S} UTC, {f'{ahead} ahead' if ahead else 'the time of this machine'}")


@app.command()
def soak(
    envs: Annotated[list[Environment], typer.Argument(metavar="ENV", help="The environments, one day of each in turn.")],
    days: Annotated[int, typer.Option("--days", min=1, max=60, help="How many days to go through.")],
) -> None:
    """Run every job of some environments once a day, and move the clock on: what a soak of days is, in a minute."""
    named = ", ".join(envs)
    state = place.state()
    endpoints = endpoints_of(state)
    if not control.status(state).running:
        raise UserError("The sandbox does not run.", do_next="start it: quantctl sandbox start")
    from databricks.sdk import WorkspaceClient  # a second of every other command

    from quantctl.laptop.soak import soak as run_days

    token = state.tokens()[identities.DEPLOYER_ID]
    client = WorkspaceClient(host=endpoints.databricks_host, token=token, auth_type="pat")
    failed = done = 0
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    with console.status(f"{named}: reading jobs") as status:
        for outcome in run_days(state, client, envs, days, lambda day, job: status.update(f"day {day} of {days}: {job}")):
            done, failed = done + 1, failed + (not outcome.succeeded)
            if not outcome.succeeded:
                console.print(f"day {outcome.day}: {outcome.job} failed: {outcome.why}", markup=False)
    sandbox_clock.keep_in(state.folder)
    passed = "1 day" if days == 1 else f"{days} days"
    typer.echo(f"{named}: {done} runs in {passed}, {failed} failed. It is {sandbox_clock.today():%Y-%m-%d} in the sandbox.")
    if failed:
        raise typer.Exit(1)
