"""The command line of `quantctl lock`."""

from __future__ import annotations

import datetime
import json
from typing import Annotated, Any

import typer
from rich.table import Table
from typer.core import TyperGroup

from infra.vocabulary import Environment
from quantctl import ask, where
from quantctl.engine import interrupted
from quantctl.engine.lock import backend
from quantctl.engine.lock.locks import Lock, OwnerState, age
from quantctl.engine.state import States
from quantctl.errors import UserError
from quantctl.options import Format, FormatOption
from quantctl.text.terminal import Console


class _ShowsByDefault(TyperGroup):
    """`quantctl lock quant_stg` is `quantctl lock show quant_stg`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    add_completion=False,
    cls=_ShowsByDefault,
    help="Locks of the stacks. The engine takes one before it changes a stack; one that was killed leaves it.\n\n"
    "`quantctl lock` shows all, `quantctl lock ENV` one.",
)


@app.command()
def show(
    env: Annotated[Environment | None, typer.Argument(metavar="[ENV]", help="One environment; all without it.")] = None,
    format: FormatOption = Format.table,
) -> None:
    """Which stacks are locked: by whom, for how long, and whether the owner lives."""
    environ = where.enter()
    now = datetime.datetime.now(datetime.UTC)
    with Console(stderr=True).status("reading the backend"):
        found = [lock for one in ([env] if env else list(Environment)) for lock in backend.locks(one.value, environ)]
    if format is Format.json:
        typer.echo(json.dumps([_row(lock, now) for lock in found], indent=2))
        return
    if not found:
        typer.echo(f"{env.value if env else 'No stack'} is{' not' if env else ''} locked.")
        return
    table = Table("environment", "owner", "age", "the owner")
    for lock in found:
        owner = backend.owner(lock)
        table.add_row(lock.stack, lock.owner, age(lock.since, now), f"{owner.state}: {owner.why}")
    Console(soft_wrap=False).print(table)
    typer.echo(f"Release one whose owner is gone: quantctl lock release {found[0].stack}")


@app.command()
def release(
    env: Annotated[Environment, typer.Argument(metavar="ENV", help="quant, quant_stg, quant_lr or quant_live.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    owner_is_gone: Annotated[
        bool, typer.Option("--owner-is-gone", help="You have checked it yourself: this machine cannot know.")
    ] = False,
) -> None:
    """Release a stack whose owner is gone. Refused while the owner lives."""
    environ = where.enter(tell=True)
    held = backend.locks(env.value, environ)
    if not held:
        typer.echo(f"{env.value} is not locked.")
        return
    for lock in held:
        _must_be_gone(lock, owner_is_gone)
    now = datetime.datetime.now(datetime.UTC)
    names = "; ".join(f"{lock.owner}, since {age(lock.since, now)}" for lock in held)
    ask.need(f"Release {env.value} from {names}?", yes)
    if backend.locks(env.value, environ) != held:  # `pulumi cancel` takes all there are
        raise UserError(f"The locks of {env.value} have changed meanwhile: nothing was released.", do_next="`quantctl lock`")
    backend.cancel(env.value, environ)
    typer.echo(f"{env.value} is released.")
    if interrupted.begun(env.value, States(environ)):
        typer.echo(
            f"The update that was killed had begun something: `quantctl up {env.value}` finds out what became of it,\n"
            "so that nothing is created twice (docs/state.md). Plain `pulumi up` does not."
        )


def _must_be_gone(lock: Lock, told: bool) -> None:
    owner = backend.owner(lock)
    if owner.state is OwnerState.ALIVE:
        raise UserError(
            f"{lock.stack} is locked, and the owner lives: {lock.owner}.",
            found=owner.why,
            do_next="wait for it, or stop it with Ctrl-C, which ends what it has begun; never kill -9",
        )
    if owner.state is OwnerState.UNKNOWN and not told:
        raise UserError(
            f"{lock.stack} is locked by {lock.owner}, and it is unknown from here whether that lives.",
            found=owner.why,
            expected="certainty: two updates at once spoil the state",
            do_next="look at the pipeline's job page (is it still running?) or at that machine (`ps -p "
            f"{lock.pid or 'PID'}`); when it is gone: `quantctl lock release {lock.stack} --owner-is-gone`",
        )


def _row(lock: Lock, now: datetime.datetime) -> dict[str, object]:
    owner = backend.owner(lock)
    return {
        "environment": lock.stack,
        "user": lock.user,
        "host": lock.host,
        "pid": lock.pid,
        "since": lock.since.isoformat() if lock.since else None,
        "age_seconds": int((now - lock.since).total_seconds()) if lock.since else None,
        "owner": owner.state.value,
        "why": owner.why,
        "place": lock.place,
    }
