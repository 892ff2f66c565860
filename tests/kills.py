"""Kills and signals at any moment of a run, and the matrix of them: `make kills`.

A process of the run is killed (-9), or quantctl is asked to stop, at a random moment; afterwards one documented command
must make everything whole, as after a fault (tests/faults.py).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Kill:
    """Who is struck in which situation, and after which share of the time that it takes undisturbed."""

    situation: str
    victim: str
    share: float

    def __str__(self) -> str:
        return f"{self.victim} after {self.share:.0%}"


def kills(seed: int, count: int) -> Iterator[Kill]:
    """A seeded series in which every victim and every situation comes in turn."""
    chance = random.Random(seed)
    pairs = [(where, who) for where in SITUATIONS for who in (*VICTIMS, *SIGNALS)]
    chance.shuffle(pairs)
    for number in range(count or len(pairs)):
        where, who = pairs[number % len(pairs)]
        yield Kill(where, who, chance.uniform(0.02, 0.98))


def strike(stage: Rewound, kill: Kill) -> tuple[bool, list[str]]:
    """Whether somebody was there to be struck; what is not whole after the one documented command."""
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
    run(kills, strike, __doc__ or "", 72)
