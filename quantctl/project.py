"""Where the project and the sandbox's state folder are."""

from __future__ import annotations

import os
from pathlib import Path

from quantctl.errors import UserError
from sandbox.state import Endpoints, State


def root() -> Path:
    """The checkout: the folder that holds Pulumi.yaml."""
    folder = Path(__file__).resolve().parents[1]
    if not (folder / "Pulumi.yaml").exists():
        raise UserError(
            "quantctl does not run from a checkout.",
            found=f"no Pulumi.yaml in {folder}",
            do_next="clone the repository and run `make up` in it",
        )
    return folder


def state() -> State:
    chosen = os.environ.get("QUANT_SANDBOX")
    return State(Path(chosen).expanduser().resolve() if chosen else root() / ".sandbox")


def running_endpoints(state: State) -> Endpoints:
    """The ports of a sandbox that was started at least once."""
    endpoints = state.endpoints()
    if endpoints is None or not state.credentials_file.exists():
        raise UserError(
            "There is no sandbox yet.",
            found=f"no endpoints in {state.folder}",
            expected="a sandbox that was started",
            do_next="`make up` for everything, or `quantctl sandbox start`",
        )
    return endpoints
