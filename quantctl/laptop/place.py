"""The sandbox of this machine: its state folder, its endpoints, and what it leaves for other commands to find."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from quantctl.engine import tuning
from quantctl.errors import UserError
from quantctl.laptop import signing
from quantctl.laptop.exports import exports
from quantctl.where import SHELL_FILE, sandbox_folder
from sandbox import control
from sandbox.state import Endpoints, State


def state() -> State:
    """The sandbox's state: QUANT_SANDBOX, else .sandbox in the checkout."""
    return State(sandbox_folder())


def start(place: State) -> Endpoints:
    """Start it, or leave it running; afterwards every command finds it.

    Raises:
        UserError: it does not start.
    """
    with told():
        endpoints = control.start(place)
    leave_shell(place)
    if home := exports(place).get("PULUMI_HOME"):
        tuning.without_log(Path(home))
    return endpoints


def leave_shell(place: State) -> None:
    """Write the variables of a shell that uses it, for its owner's eyes alone: `quantctl.where` reads them."""
    file = place.folder / SHELL_FILE
    new = file.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        signs = signing.as_environment({}, signing.git_settings(place, "deployer"))
        json.dump(exports(place) | signs, opened)
    new.replace(file)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What the sandbox refuses, as every other error."""
    try:
        yield
    except control.SandboxError as error:
        raise UserError(str(error)) from None
