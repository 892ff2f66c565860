"""What a drift run of all four environments costs, against the engine's own refresh of each, in the same run."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from bench.measure import Cost, cost, interleaved
from bench.world import World, world
from infra.vocabulary import Environment
from quantctl import project
from quantctl.engine import stacks, tuning
from quantctl.laptop.up import ensure_stack

_ENVIRONMENTS = [environment.value for environment in Environment]
DRIFT, SLOWEST = "quantctl drift of four", "refresh --preview-only of the slowest of four"
FOUR = "quantctl preview of four"
_LOOK = ["refresh", "--preview-only", "--non-interactive", "--color", "never"]


def drift_costs(folder: Path, workflows: int, repeat: int) -> dict[str, Cost]:
    """Four environments with so many workflows each, deployed, and then looked at while nothing has changed."""
    with world(folder, workflows) as made:
        for env in _ENVIRONMENTS:
            ensure_stack(made.state, env, made.environ)
            stacks.up(env, made.environ | tuning.FIRST_DEPLOYMENT, lambda step: None)
        refresh = {f"{_LOOK[0]} of {env}": partial(_refresh, made, env) for env in _ENVIRONMENTS}
        ours = {
            DRIFT: partial(made.python, "quantctl.main", "drift"),
            FOUR: partial(made.python, "quantctl.main", "preview"),
        }
        found = interleaved({**ours, **refresh}, repeat)
        slowest = max((found.pop(name) for name in refresh), key=lambda one: one.seconds)
        return {SLOWEST: slowest, **found}


def _refresh(made: World, env: str) -> Cost:
    return cost(["pulumi", *_LOOK, "-s", env], project.root(), made.environ)
