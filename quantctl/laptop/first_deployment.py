"""The sandbox's first deployment writes each state once, at its end; if it does not end, it is made again.

The engine otherwise writes the whole state after every step, which is most of what a first deployment costs. A killed one
has then created what no state knows: in the sandbox, which held nothing before, that is thrown away.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from quantctl import project
from quantctl.engine import tuning
from sandbox.state import State


@contextlib.contextmanager
def begun(state: State) -> Iterator[dict[str, str]]:
    """The variables of a first deployment, where nothing was deployed yet; it is over when the block ends well."""
    if any(_stacks(state).glob("*.json")):
        yield {}
        return
    _mark(state).touch()
    yield tuning.FIRST_DEPLOYMENT
    _mark(state).unlink()


def did_not_end(state: State) -> bool:
    """Whether a first deployment began and did not end."""
    return _mark(state).exists()


def _mark(state: State) -> Path:
    return state.pulumi / "first-deployment"  # it goes with the stacks when the sandbox is reset


def _stacks(state: State) -> Path:
    return state.pulumi / ".pulumi" / "stacks" / project.PROJECT
