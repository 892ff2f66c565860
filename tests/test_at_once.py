"""Two commands at once: one goes on, the other says who is at work and what to do; nothing half, no lock left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantctl.engine import orphans
from quantctl.errors import UserError
from quantctl.laptop import turn
from sandbox import control
from sandbox.state import State
from tests import situations
from tests.conftest import Team, deployed
from tests.paths import ROOT
from tests.ways_out import commands
from tests.workspace_proxy import proxy

QUANTCTL = str(ROOT / ".venv" / "bin" / "quantctl")


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A sandbox of the module's own, in a project whose gates are open."""
    folder = tmp_path_factory.mktemp("at-once")
    with deployed(folder) as plain:
        yield Team({**plain.environ, "QUANT_PROJECT": str(situations.open_gates(folder))}, plain.clone, plain.credentials)


def begin(environ: dict[str, str], *words: str) -> subprocess.Popen[str]:
    """A command that runs beside others."""
    return subprocess.Popen([QUANTCTL, *words], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ended(*running: subprocess.Popen[str]) -> tuple[list[int], str]:
    """How each ended, and what all of them said."""
    said = "\n".join(process.communicate(timeout=600)[0] for process in running)
    assert "Traceback" not in said and "fault of its own" not in said, said
    return [process.returncode for process in running], said


@contextlib.contextmanager
def held(team: Team, env: str) -> Iterator[subprocess.Popen[str]]:
    """An update whose engine stands still once it moves the Git folder, until the block ends."""
    arrived, stopped = threading.Event(), threading.Event()

    def before(method: str, path: str) -> None:
        if method == "PATCH" and "/api/2.0/repos/" in path:
            arrived.set()
            stopped.wait(30)

    with proxy(team.environ["DATABRICKS_HOST"], before) as host:
        running = begin({**team.environ, "DATABRICKS_HOST": host}, "up", env, "--yes")
        assert arrived.wait(300), ended(running)
        [engine] = [one for one in orphans.processes().values() if (one.parent, one.name) == (running.pid, "pulumi")]
        os.kill(engine.pid, signal.SIGSTOP)  # it hears nothing of an answer, and no request is late
        stopped.set()
        try:
            yield running
        finally:
            os.kill(engine.pid, signal.SIGCONT)
            running.wait(300)


def at(team: Team, env: str) -> str:
    """Where the workspace has the folder; its branch and it agree, and nothing is locked."""
    [head, *_] = team.git("ls-remote", "origin", f"refs/heads/{env}").split()
    assert team.git_folder(f"/{env}").head_commit_id == head
    assert json.loads(team.quantctl("lock", env, "--format", "json").stdout) == []
    return head


def change(team: Team, branch: str, text: str) -> str:
    return team.commit(branch, "src/at_once.py", f"# {text}\n", text)


@pytest.mark.real
def test_whoever_comes_while_an_update_runs_is_told_and_changes_nothing(team: Team) -> None:
    """Another update, a promotion, a rotation, a repair, drift, and whoever would take the sandbox away."""
    first = change(team, "quant", "one")
    team.git("push", "-q", "origin", f"{first}:refs/heads/quant_stg")
    second = change(team, "quant", "two")
    team.up("quant")
    keys = {file: file.read_text() for file in State(Path(team.environ["QUANT_SANDBOX"])).public_keys.glob("*")}
    with held(team, "quant_stg") as running:
        for words in (
            ("up", "quant_stg", "--yes"),
            ("promote", "quant", "quant_stg", "--yes"),
            ("keys", "rotate", "quant_stg", "--yes"),
            ("repair", "quant_stg"),
        ):
            refused = team.quantctl(*words)
            assert refused.returncode == 1 and "quant_stg is locked" in refused.stderr, refused.stdout + refused.stderr
        looked = team.quantctl("drift", "quant_stg")
        assert looked.returncode == 1 and "the stack is locked by" in looked.stdout, looked.stdout
        for words in (("down", "--yes"), ("sandbox", "reset", "--yes"), ("sandbox", "stop")):
            refused = team.quantctl(*words)
            assert refused.returncode == 1 and "An update of quant_stg runs" in refused.stderr, refused.stderr
        for line in commands(refused.stderr) + commands(team.quantctl("up", "quant_stg", "--yes").stderr):
            shown = team.quantctl(*line.split()[1:])
            assert "Traceback" not in shown.stderr
            assert ("alive" in shown.stdout) is not ("release" in line), f"{line}: {shown.stdout}{shown.stderr}"
        assert team.git("ls-remote", "origin", "refs/heads/quant_stg").split()[0] == first
    [status], said = ended(running)
    assert status == 0, said
    assert at(team, "quant_stg") == first
    assert {file: file.read_text() for file in keys} == keys
    done = team.quantctl("promote", "quant", "quant_stg", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert at(team, "quant_stg") == second
    assert situations.wrong(team, said) == []


@pytest.mark.real
def test_of_two_updates_of_one_stack_one_goes_on(team: Team) -> None:
    """The other is told that it is locked, or that what it has shown is no longer what would run."""
    commit = change(team, "quant", "three")
    statuses, said = ended(*(begin(team.environ, "up", "quant", "--yes") for _ in range(2)))
    assert sorted(statuses) in ([0, 0], [0, 1]), said
    if 1 in statuses:
        assert any(word in said for word in ("quant is locked", "is not what was reviewed")), said
    assert at(team, "quant") == commit


@pytest.mark.real
def test_two_promotions_into_different_targets_both_go_on(team: Team) -> None:
    """Each moves its own branch, and records its own decision."""
    into_live = change(team, "quant_lr", "limited")
    team.up("quant_lr")
    into_staging = change(team, "quant", "four")
    team.up("quant")
    edges = ("quant", "quant_stg"), ("quant_lr", "quant_live")
    statuses, said = ended(*(begin(team.environ, "promote", *edge, "--yes") for edge in edges))
    assert statuses == [0, 0], said
    assert (at(team, "quant_stg"), at(team, "quant_live")) == (into_staging, into_live)
    for env, commit in (("quant_stg", into_staging), ("quant_live", into_live)):
        [last, *_] = json.loads(team.quantctl("history", env, "--format", "json").stdout)
        assert last["commit"] == commit


@pytest.mark.real
def test_two_first_deployments_in_two_folders_and_one_in_each(tmp_path: Path) -> None:
    """`make up` in two clones at once: both come up. A second one in the same folder is refused, and so is `make down`."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    both = [{**usual, "QUANT_SANDBOX": str(tmp_path / name), "XDG_CONFIG_HOME": str(tmp_path)} for name in ("one", "two")]
    running = [begin(environ, "up") for environ in both]
    try:
        deadline = time.monotonic() + 300
        while not (tmp_path / "one" / "pulumi" / "first-deployment").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        for words in (("up",), ("down", "--yes"), ("sandbox", "reset", "--yes")):
            done = subprocess.run([QUANTCTL, *words], env=both[0], capture_output=True, text=True, check=False)
            assert done.returncode == 1 and "Another command is at work on this sandbox" in done.stderr, done.stderr
            assert f"quantctl up, process {running[0].pid}" in done.stderr
        statuses, said = ended(*running)
        assert statuses == [0, 0], said
        assert said.count("The four environments are up") == 2
    finally:
        for environ in both:
            subprocess.run([QUANTCTL, "down", "--yes"], env=environ, capture_output=True, check=False)
    assert not list(tmp_path.glob("*/sandbox.pid"))


def test_a_turn_ends_with_its_process(tmp_path: Path) -> None:
    """A command that was killed keeps nobody out; one that is at work is named."""
    place = State(tmp_path / "state")
    ours = pytest.raises(UserError, match=f"quantctl up, process {os.getpid()}")
    with turn.taken(place, "up"), ours, turn.taken(place, "down"):
        pass
    program = "import pathlib, time; from quantctl.laptop import turn; from sandbox.state import State\n"
    program += (
        f"with turn.taken(State(pathlib.Path({str(place.folder)!r})), 'up'):\n print('has it', flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [str(ROOT / ".venv/bin/python"), "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "has it\n"
        with pytest.raises(UserError, match=f"process {other.pid}"), turn.taken(place, "down"):
            pass
        other.kill()
        other.wait()
    with turn.taken(place, "down"):
        assert f"process {os.getpid()}" in (place.folder / "turn").read_text()


def test_only_a_living_engine_keeps_a_sandbox(tmp_path: Path) -> None:
    """A lock that a killed engine left does not; a folder without stacks has none."""
    place = State(tmp_path / "state")
    turn.need_idle(place)
    folder = place.pulumi / ".pulumi" / "locks" / "organization" / "quant" / "quant_stg"
    folder.mkdir(parents=True)
    (folder / "gone.json").write_text("cut off")
    turn.need_idle(place)
    assert not control.stop(place)
