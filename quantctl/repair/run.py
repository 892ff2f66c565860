"""What `quantctl repair` does: a state that can be read, nobody left at work, nothing twice."""

from __future__ import annotations

import datetime

import typer

from infra.vocabulary import Environment
from quantctl import ask
from quantctl.engine import checkpoint, interrupted, planned
from quantctl.engine.lock import backend
from quantctl.engine.orphans import end_orphans
from quantctl.engine.state import States
from quantctl.errors import UserError


def repaired(env: Environment, environ: dict[str, str], yes: bool, dry_run: bool) -> None:
    """Put right what a failure left, or with `dry_run` say what would be done.

    Raises:
        UserError: the stack is locked, or nobody agreed to replace its state.
    """
    done, states = 0, States(environ)

    def say(text: str) -> None:
        nonlocal done
        done += 1
        typer.echo(f"{env}: {text}")

    if not dry_run:
        backend.need_free(env.value, environ, except_gone=True)  # what runs now may be writing the state
    since = _state(env.value, environ, yes, dry_run, say)
    if dry_run and since is not None:
        return  # nothing more can be read
    if not dry_run:
        end_orphans(environ, say)
        for lock in backend.release_gone(env.value, environ):
            say(f"released the lock of an update that was killed ({lock.owner})")
    backend.need_free(env.value, environ)
    _begun(env.value, states, dry_run, say)
    try:
        creates = planned.previewed(env.value, environ)
    except UserError as error:
        typer.echo(f"{env}: {error}\n  So only jobs that are there twice are looked for.", err=True)
        creates = []
    planned.settle(env.value, creates, states, say, change=not dry_run, since=since)
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


def _begun(env: str, states: States, dry_run: bool, say: planned.Say) -> None:
    if not dry_run:
        interrupted.settle(env, states, say)
        return
    for operation in interrupted.begun(env, states):
        say(f"would be done: look for what {operation.kind} {operation.name} became")
    if interrupted.in_doubt(env, states):
        say("would be done: read everything again, because the last update failed")
