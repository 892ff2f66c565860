"""A situation as often as it is wanted: made once, kept, and put back for the price of a copy."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox import control
from sandbox.state import State
from tests.conftest import Team, deployed, end_orphans
from tests.situations import ENV, TAKEN_BACK, open_gates, prepare, take_back
from tests.world import World, differences, engine_runs, leavings, world

LOOKS = ("drift", "status", "preview")  # what only reads


@dataclass(frozen=True)
class Scene:
    """What is run in a situation, what is there before it and after it, and how long it takes undisturbed."""

    command: tuple[str, ...]
    before: World
    after: World
    seconds: float
    done: World  # after the command alone; the same as `after` where nothing leads back
    taken_back: bool = False  # what was begun is no longer wanted afterwards, however it ended

    @property
    def comes_back(self) -> bool:
        """Whether the one command after it leads back to what was there before."""
        return self.taken_back or self.command[0] == "destroy"

    @property
    def again(self) -> tuple[str, ...]:
        """The one documented command after a failure."""
        return self.command if self.command[0] in ("promote", "rollback") else ("up", ENV, "--yes")

    def wanted(self) -> World:
        """What is there after it, or after it and the one command: `pulumi destroy` takes the key and its user away."""
        return _without_keys(self.after) if self.command[0] == "destroy" else self.after

    def found(self, there: World) -> World:
        """What is there, to be held against `wanted`."""
        return _without_keys(there) if self.command[0] == "destroy" else there


class Rewound:
    """A team on a sandbox of its own that can be put back."""

    def __init__(self, team: Team, kept: Path) -> None:
        self.team, self._kept = team, kept
        self._own, self._state = team.clone.parent, State(Path(team.environ["QUANT_SANDBOX"]))
        self._scenes: dict[str, Scene] = {}
        self._whole: set[str] = set()  # what disturbed runs left of which everything became whole
        self.carried_out = 0  # ways back
        self._keep("deployed")

    def scene(self, situation: str) -> Scene:
        """The situation, as it was kept; brought about and run undisturbed where it is wanted for the first time."""
        if situation not in self._scenes:
            self._back("deployed")
            words = prepare(self.team, situation, len(self._scenes))
            self._keep(situation)
            self._scenes[situation] = self._undisturbed(words, situation == TAKEN_BACK)
        self._back(situation)
        return self._scenes[situation]

    def world(self) -> World:
        """What is there now."""
        return world(self._state.folder)

    def run(self) -> None:
        """The sandbox again, where it was the one that was killed."""
        control.start(self._state)

    def made_whole(self, scene: Scene, status: int, said: str) -> list[str]:
        """What is not whole after a disturbed run and, where it failed, the one documented command.

        Where a run leaves exactly what another one left, and nothing runs any more, the way back is carried out once.
        """
        runs = engine_runs(self._state.folder)  # before the look: what runs may still change something
        found, now = tracebacks(said), self.world()
        if status == 0 and not scene.comes_back:
            return [*found, *(f"exit 0, and {text}" for text in differences(scene.wanted(), now))]
        if runs:
            return found + self._way_back(scene, now)
        left = repr((scene.command, sorted(now.items()), leavings(self._state.folder)))
        if left in self._whole:
            return found
        not_whole = self._way_back(scene, now)
        if not not_whole:
            self._whole.add(left)
        return found + not_whole

    def _way_back(self, scene: Scene, now: World) -> list[str]:
        self.carried_out += 1
        found: list[str] = []
        if _deployed(now) not in map(_deployed, (scene.before, scene.done, scene.after)):
            looked = self.team.quantctl("drift", ENV)
            found += ["drift says clean between the two"] if looked.returncode == 0 else tracebacks(looked.stderr)
        if scene.taken_back:
            take_back(self.team)
        helped = self.team.quantctl(*scene.again)
        found += tracebacks(helped.stdout + helped.stderr)
        if helped.returncode != 0:
            found.append(f"{' '.join(scene.again)} exits {helped.returncode}: {(helped.stdout + helped.stderr)[-900:]}")
        return found + differences(scene.wanted(), scene.found(self.world()))

    def _undisturbed(self, words: tuple[str, ...], taken_back: bool) -> Scene:
        before = self.world()
        if words[0] in LOOKS and "--fix" not in words:
            return Scene(words, before, before, 0, before)
        began = time.monotonic()
        done = self.team.pulumi(*words) if words[0] == "destroy" else self.team.quantctl(*words)
        seconds = time.monotonic() - began
        scene = Scene(words, before, before, seconds, self.world(), taken_back)
        if scene.comes_back and done.returncode == 0:
            if taken_back:
                take_back(self.team)
            done = self.team.quantctl("up", ENV, "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        return replace(scene, after=self.world() if scene.comes_back else scene.done)

    def _keep(self, name: str) -> None:
        control.stop(self._state)
        shutil.copytree(self._own, self._kept / name, symlinks=True)
        control.start(self._state)

    def _back(self, name: str) -> None:
        control.stop(self._state)
        end_orphans(self._state.folder)
        shutil.rmtree(self._own)
        shutil.copytree(self._kept / name, self._own, symlinks=True)
        control.start(self._state)


@contextlib.contextmanager
def rewound(folder: Path) -> Iterator[Rewound]:
    """One in a folder of its own, in a project whose gates are open."""
    own, kept = folder / "team", folder / "kept"  # what is deployed once, and copied, lies beside them
    own.mkdir()
    kept.mkdir()
    with deployed(own) as plain:
        project = str(open_gates(folder))
        yield Rewound(Team({**plain.environ, "QUANT_PROJECT": project}, plain.clone, plain.credentials), kept)


def tracebacks(said: str) -> list[str]:
    """What no user is to see."""
    return ["a traceback"] if any(word in said for word in ("Traceback (most", "goroutine ", "fault of its own")) else []


def _deployed(there: World) -> World:
    """Without where the branches are: that one moved on is a promotion that waits, and no drift."""
    return {name: value for name, value in there.items() if not name.startswith("branch ")}


def _without_keys(there: World) -> World:
    words = (f"secret {ENV} ", f"USER SVC_{ENV.upper()}", "ServiceUser::user")
    return {name: value for name, value in there.items() if not any(word in name for word in words)}
