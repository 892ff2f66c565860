"""What a drift run of all four environments costs, against the engine's own refresh of each, in the same run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from bench.world import World, world
from infra.vocabulary import Environment
from quantctl import project
from quantctl.engine import stacks
from quantctl.laptop.up import ensure_stack

_ENVIRONMENTS = [environment.value for environment in Environment]
_LOOK = ["refresh", "--preview-only", "--non-interactive", "--color", "never"]


def drift_seconds(folder: Path, workflows: int, repeat: int) -> list[dict[str, float | str]]:
    """Four environments with so many workflows each, deployed, and then looked at while nothing has changed."""
    with world(folder, workflows) as made:
        _deploy(made)
        single = {env: median(partial(_refresh, made, env), repeat) for env in _ENVIRONMENTS}
        slowest = max(single.values())

        def row(what: str, seconds: float) -> dict[str, float | str]:
            return {"what": what, "seconds": seconds, "ratio": f"{seconds / slowest:.2f} x the slowest refresh"}

        return [
            row("refresh --preview-only of the slowest environment", slowest),
            row("the same of all four, two at once", median(lambda: _four_at_once(made), repeat)),
            row("quantctl drift of all four", median(lambda: _drift(made), repeat)),
        ]


def median(run: Callable[[], None], repeat: int) -> float:
    """Seconds of wall clock."""
    found = []
    for _ in range(repeat):
        began = time.monotonic()
        run()
        found.append(time.monotonic() - began)
    return statistics.median(found)


def _deploy(made: World) -> None:
    for env in _ENVIRONMENTS:
        ensure_stack(made.state, env, made.environ)
        stacks.up(env, made.environ, lambda step: None)


def _refresh(made: World, env: str) -> None:
    command = ["pulumi", *_LOOK, "-s", env]
    subprocess.run(command, cwd=project.root(), env=made.environ, check=True, capture_output=True, text=True)


def _four_at_once(made: World) -> None:
    with ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
        for done in [pool.submit(_refresh, made, env) for env in _ENVIRONMENTS]:
            done.result()


def _drift(made: World) -> None:
    command = [sys.executable, "-m", "quantctl.main", "drift"]
    subprocess.run(command, cwd=project.root(), env=made.environ, check=True, capture_output=True, text=True)
