"""Whose turn it is: one command at a time brings a sandbox up, empties it or takes it away."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator

from quantctl.engine.lock import backend
from quantctl.engine.lock.locks import OwnerState
from quantctl.errors import UserError
from sandbox.identities import ENVIRONMENTS
from sandbox.state import State

_WAIT = "wait until it has ended, or stop it with Ctrl-C where it runs; then run the same command again"


@contextlib.contextmanager
def taken(place: State, command: str) -> Iterator[None]:
    """Nobody else's turn meanwhile; it ends with the process, however that ends.

    Raises:
        UserError: another command has it; says which.
    """
    place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    opened = os.open(place.folder / "turn", os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(opened, "r+", errors="replace") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                "Another command is at work on this sandbox: nothing was changed.",
                found=f"{file.read() or 'a command that is just starting'}, on {place.folder}",
                do_next=_WAIT,
            ) from None
        file.truncate()
        file.write(f"quantctl {command}, process {os.getpid()}")
        file.flush()
        yield


def need_idle(place: State) -> None:
    """Go on only where no engine is updating a stack of the sandbox: it would be left half, and its lock with it.

    Raises:
        UserError: one is; says whose.
    """
    if not place.pulumi.is_dir():
        return
    environ = {"PULUMI_BACKEND_URL": place.pulumi.as_uri()}
    for env in ENVIRONMENTS:
        for lock in backend.locks(env, environ):
            if backend.owner(lock).state is OwnerState.ALIVE:
                raise UserError(
                    f"An update of {env} runs: nothing was stopped, and nothing deleted.", found=lock.owner, do_next=_WAIT
                )
