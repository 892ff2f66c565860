"""Kills and signals at any moment of a run, and the matrix of them: `make kills`.

A process of the run is killed (-9), or quantctl is asked to stop, at a random moment; afterwards one documented command
must make everything whole, as after a fault (tests/faults.py).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from quantctl.engine import orphans
from sandbox.state import State
from tests.conftest import Team
from tests.matrix import run
from tests.paths import ROOT
from tests.rewound import Rewound, Scene
from tests.warm import Command
from tests.world import World

# Whom it strikes -> how its process is told apart; quantctl is the run itself.
VICTIMS: dict[str, str] = {
    "engine": "pulumi",
    "databricks": "pulumi-resource-databricks",
    "snowflake": "pulumi-resource-snowflake",
    "program": "pulumi-language-python-exec",
    "quantctl": "",
    "sandbox": "",
}
SIGNALS = {
    "SIGINT": (signal.SIGINT,),
    "SIGTERM": (signal.SIGTERM,),
    "SIGINT twice": (signal.SIGINT, signal.SIGINT),
    "SIGTERM twice": (signal.SIGTERM, signal.SIGTERM),
}
STOPPED = {signal.SIGINT: 130, signal.SIGTERM: 143}
SITUATIONS = ("first deployment", "update", "promotion", "destroy")
_ROUNDS, _KILLS = 10, 6  # in each round so many kills of each situation, and each signal once: 280 in all
# `pulumi destroy` runs no program, and is no command of quantctl's.
_OF_DESTROY = ("engine", "databricks", "snowflake", "sandbox")
_GOLDEN = (5**0.5 - 1) / 2  # its multiples, without their whole part, are spread evenly wherever one stops


@dataclass(frozen=True)
class Kill:
    """Who is struck in which situation, and after which share of the time that it takes undisturbed."""

    situation: str
    victim: str
    share: float

    def __str__(self) -> str:
        return f"{self.victim} after {self.share:.1%}"


def kills(seed: int, count: int) -> Iterator[Kill]:
    """A seeded series: wherever it is stopped, victims and situations have equal shares, and moments are spread evenly."""
    chance = random.Random(seed)
    turns = {where: itertools.cycle(_OF_DESTROY if where == "destroy" else VICTIMS) for where in SITUATIONS}
    moments: dict[tuple[str, str], float] = {}

    def kill(where: str, who: str) -> Kill:
        moments[where, who] = (moments.get((where, who), chance.random()) + _GOLDEN) % 1
        return Kill(where, who, 0.02 + 0.96 * moments[where, who])

    series: list[Kill] = []
    for number in range(_ROUNDS):
        one = [kill(where, next(turns[where])) for where in SITUATIONS for _ in range(_KILLS)]
        one += [kill(SITUATIONS[(number + place) % len(SITUATIONS)], who) for place, who in enumerate(SIGNALS)]
        chance.shuffle(one)
        series += one
    yield from series[: count or len(series)]


def strike(stage: Rewound, kill: Kill) -> tuple[bool, list[str]]:
    """Whether somebody was there to be struck; what is not whole after the one documented command.

    A kill that comes too late, when nobody is there any more, is repeated earlier.
    """
    struck, found = False, list[str]()
    while not struck and not found and kill.share > 0.01:
        struck, found = _struck(stage, kill)
        kill = replace(kill, share=kill.share / 2)
    return struck, found


def _struck(stage: Rewound, kill: Kill) -> tuple[bool, list[str]]:
    scene = stage.scene(kill.situation)
    running = _Destroy(scene, stage.team) if kill.situation == "destroy" else Command(scene.command, stage.team.environ)
    deadline = time.monotonic() + kill.share * scene.seconds
    while time.monotonic() < deadline and running.runs:
        time.sleep(0.02)
    struck = False
    while running.runs and not (struck := _hit(stage.team, kill, running.pid)):
        time.sleep(0.02)  # between two runs of the engine there is none, nor a plugin
    if kill.victim == "sandbox":
        stage.run()  # as a service that is started again: else the providers ask it for minutes
    ended = running.wait()
    found = _signalled(kill, ended.returncode, stage.world()) if struck and kill.victim in SIGNALS else []
    return struck, [*found, *stage.made_whole(scene, ended.returncode, ended.stdout + ended.stderr)]


class _Destroy:
    """`pulumi destroy`, which ends an environment that is not protected; as a `warm.Command` is."""

    def __init__(self, scene: Scene, team: Team) -> None:
        pipe = subprocess.PIPE
        self._words = ["pulumi", *scene.command, "--non-interactive"]
        self._run = subprocess.Popen(self._words, cwd=ROOT, env=team.environ, stdout=pipe, stderr=pipe, text=True)
        self.pid = self._run.pid

    @property
    def runs(self) -> bool:
        return self._run.poll() is None

    def wait(self) -> subprocess.CompletedProcess[str]:
        out, err = self._run.communicate(timeout=300)
        return subprocess.CompletedProcess(self._words, self._run.returncode, out, err)


def _hit(team: Team, kill: Kill, run: int) -> bool:
    if kill.victim in SIGNALS:
        for number, signum in enumerate(SIGNALS[kill.victim]):
            time.sleep(0.5 * number)
            with contextlib.suppress(ProcessLookupError):
                os.kill(run, signum)
        return True
    if kill.victim == "quantctl":
        os.kill(run, signal.SIGKILL)
        return True
    if kill.victim == "sandbox":
        pid = int(State(Path(team.environ["QUANT_SANDBOX"])).pid_file.read_text())
        os.kill(pid, signal.SIGKILL)
        return True
    for one in _below(run):
        if any(word.rsplit("/", 1)[-1] == VICTIMS[kill.victim] for word in one.words[:3]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)
                return True
    return False


def _below(run: int) -> list[orphans.Process]:
    """The run and every process that it has started."""
    everyone = orphans.processes()
    found = {run}
    for _ in range(8):  # as deep as a plugin's own helper
        found |= {pid for pid, one in everyone.items() if one.parent in found}
    return [everyone[pid] for pid in found if pid in everyone]


def _signalled(kill: Kill, status: int, there: World) -> list[str]:
    """Asked once: the state is whole, the lock is released, the exit status tells the signal."""
    expected = STOPPED[SIGNALS[kill.victim][0]]
    found = [] if status in (expected, 0) or kill.situation == "destroy" else [f"exit status {status}, not {expected}"]
    if len(SIGNALS[kill.victim]) == 1:
        found += [f"{name}: {told}" for name, told in there.items() if name.startswith("lock ") or told.startswith("unread")]
    return found


if __name__ == "__main__":
    run(kills, strike, __doc__ or "", 0)
