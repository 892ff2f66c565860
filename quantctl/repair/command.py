"""The command line of `quantctl repair`."""

from __future__ import annotations

import datetime
from typing import Annotated

import typer

from infra.vocabulary import Environment
from quantctl import ask, where
from quantctl.engine import checkpoint, interrupted, managed_access, planned
from quantctl.engine.lock import backend
from quantctl.engine.lock.locks import refusal
from quantctl.engine.orphans import end_orphans
from quantctl.errors import UserError


def repair(
    env: Annotated[Environment, typer.Argument(metavar="ENV", help="quant, quant_stg, quant_lr or quant_live.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before a damaged state is replaced.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
) -> None:
    """After a failure: what exists twice, what exists and is in no state, a state that cannot be read.

    For whoever uses plain pulumi; `quantctl up`, `promote` and `rollback` do it themselves. A damaged state file is
    replaced by its newest good copy. Processes and a lock that a killed update left are removed. What an update had begun
    is taken into the state. A job that a repeated request made and that never ran is deleted. Nothing else is changed, and
    nothing is deployed.
    """
    environ = where.enter(tell=True)
    done = 0

    def say(text: str) -> None:
        nonlocal done
        done += 1
        typer.echo(f"{env}: {text}")

    since = _state(env.value, environ, yes, dry_run, say)
    if dry_run and since is not None:
        raise typer.Exit(0)  # nothing more can be read
    if not dry_run:
        end_orphans(environ, say)
        for lock in backend.release_gone(env.value, environ):
            say(f"released the lock of an update that was killed ({lock.owner})")
    if held := backend.locks(env.value, environ):
        raise refusal(env.value, held, datetime.datetime.now(datetime.UTC))
    _begun(env.value, environ, dry_run, say)
    try:
        creates = planned.previewed(env.value, environ)
    except UserError as error:
        typer.echo(f"{env}: {error}\n  So only jobs that are there twice are looked for.", err=True)
        creates = []
    planned.settle(env.value, creates, environ, say, change=not dry_run, since=since)
    if not done:
        typer.echo(f"{env}: nothing to repair.")
    elif not dry_run:
        typer.echo(f"Next: quantctl up {env}")


def _state(env: str, environ: dict[str, str], yes: bool, dry_run: bool, say: planned.Say) -> datetime.datetime | None:
    """Put a damaged state right; since when what exists may be missing in it."""
    found = checkpoint.damage(env, environ)
    if found is None:
        return None
    say(f"the state cannot be read: {found}")
    if dry_run:
        return datetime.datetime.now(datetime.UTC)
    if not found.attributes_only:
        ask.need(f"Replace the state of {env} by that copy? What was deployed since is looked for.", yes)
    copied = found.copied_at
    kept = checkpoint.restore(found, datetime.datetime.now(datetime.UTC))
    say("the state can be read again" + (f"; the damaged file is kept as {kept}" if kept else ""))
    return None if found.attributes_only else copied


def _begun(env: str, environ: dict[str, str], dry_run: bool, say: planned.Say) -> None:
    if not dry_run:
        interrupted.settle(env, environ, say)
        managed_access.correct(env, environ, say)
        return
    for operation in interrupted.begun(env, environ):
        say(f"would be done: look for what {operation.kind} {operation.name} became")
