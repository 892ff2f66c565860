"""Kills and signals at any moment of a run, and the matrix of them: `make kills`.

A process of the run is killed (-9), or quantctl is asked to stop, at a random moment; afterwards one documented command
must make everything whole, as after a fault (tests/faults.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quantctl.engine import orphans
from sandbox import control
from sandbox.state import State
from tests import faults
from tests.conftest import Team
from tests.paths import ROOT

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
_SECONDS = {"first deployment": 16.0, "update": 9.0, "promotion": 20.0, "destroy": 9.0}  # in which a moment is taken


@dataclass(frozen=True)
class Kill:
    """Who is struck in which situation, and how many seconds after its beginning."""

    situation: str
    victim: str
    after: float

    def __str__(self) -> str:
        return f"{self.victim} after {self.after:.1f} s"


def kills(seed: int, count: int) -> Iterator[Kill]:
    """A seeded series in which every victim and every situation comes in turn."""
    chance = random.Random(seed)
    pairs = [(where, who) for where in SITUATIONS for who in (*VICTIMS, *SIGNALS)]
    chance.shuffle(pairs)
    for number in range(count or len(pairs)):
        where, who = pairs[number % len(pairs)]
        yield Kill(where, who, chance.uniform(0.2, _SECONDS[where]))


def strike(team: Team, kill: Kill, number: int) -> tuple[bool, list[str]]:
    """Whether somebody was there to be struck; what is not whole after the one documented command."""
    situation = "update" if kill.situation == "destroy" else kill.situation
    command: tuple[str, ...] = (str(ROOT / ".venv" / "bin" / "quantctl"), *faults.prepare(team, situation, number))
    if kill.situation == "destroy":  # of what is not protected: as a team ends an environment
        command = ("pulumi", "destroy", "--yes", "--skip-preview", "-s", faults.ENV)
    run = subprocess.Popen(
        command, cwd=ROOT, env=team.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=-1
    )
    deadline = time.monotonic() + kill.after
    while time.monotonic() < deadline and run.poll() is None:
        time.sleep(0.05)
    struck = run.poll() is None and _hit(team, kill, run.pid)
    said, _ = run.communicate(timeout=300)
    found = _signalled(team, kill, run.returncode) if struck and kill.victim in SIGNALS else []
    with contextlib.suppress(Exception):
        control.start(State(Path(team.environ["QUANT_SANDBOX"])))  # where it was the one that was killed
    if kill.situation == "promotion":
        again = team.quantctl(*command[1:])
        if again.returncode != 0 and "nothing" not in (again.stdout + again.stderr).lower():
            found.append(f"promote exits {again.returncode} again: {(again.stdout + again.stderr)[-600:]}")
    helped = team.quantctl("up", faults.ENV, "--yes")
    if helped.returncode != 0:
        found.append(f"quantctl up exits {helped.returncode}: {helped.stderr[-800:]}")
    return struck, [*found, *faults.wrong(team, said, helped.stdout, helped.stderr)]


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


def _signalled(team: Team, kill: Kill, status: int) -> list[str]:
    """Asked once: the state is whole, the lock is released, the exit status tells the signal."""
    expected = STOPPED[SIGNALS[kill.victim][0]]
    found = [] if status in (expected, 0) or kill.situation == "destroy" else [f"exit status {status}, not {expected}"]
    if len(SIGNALS[kill.victim]) == 1:
        exported = team.pulumi("stack", "export", "-s", faults.ENV)
        try:
            json.loads(exported.stdout)
        except ValueError:
            found.append(f"the state cannot be read: {exported.stderr[-300:]}")
        held = json.loads(team.quantctl("lock", "show", faults.ENV, "--format", "json").stdout)
        found += ["it is still locked"] if held else []
    return found


def _case(team: Team, kill: Kill, number: int) -> tuple[str, bool, list[str]]:
    return kill.situation, *strike(team, kill, number)


if __name__ == "__main__":
    faults.run(kills, _case, __doc__ or "", 72)
