"""Ctrl-C and SIGTERM: the engine is asked to stop and waited for; twice it is ended. With a stand-in, and with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests import situations
from tests.conftest import Team
from tests.paths import ROOT
from tests.workspace_proxy import proxy

# Stops when it is asked, and says so; or does not.
_ENGINE = """#!{python}
import signal, sys, time
def stop(*_):
    open({said!r}, "a").write("asked\\n")
    if {stops}:
        time.sleep(0.3)
        open({said!r}, "a").write("state written\\n")
        sys.exit(1)
signal.signal(signal.SIGINT, stop)
open({said!r}, "a").write("begun\\n")
while True:
    time.sleep(0.05)
"""
_COMMAND = """
import signal, sys
from quantctl.engine import process
from quantctl.engine.signals import Interrupted, on_signal
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, on_signal)
import os
from concurrent.futures import ThreadPoolExecutor
try:
    if len(sys.argv) > 1:
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(process.run, ["up"], os.environ) for _ in range(2)]:
                done.result()
    else:
        process.run(["up"], os.environ)
except Interrupted as stopped:
    sys.exit(stopped.status)
"""


class Running:
    """A command that runs an engine, and what the engine says."""

    def __init__(self, folder: Path, stops: bool, *arguments: str) -> None:
        self.said = folder / "said"
        self.said.touch()
        engine = folder / "pulumi"
        engine.write_text(_ENGINE.format(python=sys.executable, said=str(self.said), stops=stops))
        engine.chmod(0o755)
        environ = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
        command = [sys.executable, "-c", _COMMAND, *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True)

    def wait_for(self, words: str, times: int = 1) -> None:
        """Until the engine has said it."""
        for _ in range(600):
            if self.said.read_text().count(words) >= times:
                return
            time.sleep(0.05)
        pytest.fail(f"never said: {words}")


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("arguments", [(), ("two",)], ids=["one engine", "two at once"])
def test_once_the_engine_ends_what_it_has_begun(
    signum: signal.Signals, status: int, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    """It writes its state before it goes; the exit status tells the signal."""
    running = Running(tmp_path, True, *arguments)
    running.wait_for("begun", 2 if arguments else 1)
    running.process.send_signal(signum)
    _, told = running.process.communicate(timeout=60)
    assert (running.process.returncode, running.said.read_text().count("state written")) == (status, 2 if arguments else 1)
    assert "Stopping: the engine ends what it has begun" in told


def test_twice_it_is_ended_and_what_is_left_is_told(tmp_path: Path) -> None:
    """An engine that does not stop, and its whole process group."""
    running = Running(tmp_path, False)
    running.wait_for("begun")
    running.process.send_signal(signal.SIGINT)
    running.wait_for("asked")
    running.process.send_signal(signal.SIGINT)
    _, told = running.process.communicate(timeout=60)
    assert running.process.returncode == 130
    assert "finds out what it had begun" in told


def test_with_nothing_running_the_command_ends(tmp_path: Path) -> None:
    """At once, and without a traceback."""
    program = (
        "import os, signal, sys\n"
        "from quantctl import main\n"
        "main.command = lambda: (lambda **_: os.kill(os.getpid(), signal.SIGTERM))\n"
        "main.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (143, "")


_WAITING = """
import atexit, time, typer
from quantctl import main
app = typer.Typer()
@app.command()
def wait() -> None:
    print("begun", flush=True)
    time.sleep(600)
main.command = lambda: typer.main.get_command(app)
atexit.register(lambda: (print("ending", flush=True), time.sleep(2)))
main.main()
"""


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_one_more_signal_while_a_command_ends_changes_nothing(signum: signal.Signals, status: int) -> None:
    """A command in which no engine runs: the exit status tells the first signal, and nobody sees a traceback."""
    command, pipe = [sys.executable, "-c", _WAITING], subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as run:
        assert run.stdout is not None and run.stdout.readline() == "begun\n"
        run.send_signal(signum)
        assert run.stdout.readline() == "ending\n"
        run.send_signal(signal.SIGINT)
        _, told = run.communicate(timeout=60)
    assert (run.returncode, told) == (status, "")


def test_an_unforeseen_error_is_a_sentence_and_a_file(tmp_path: Path) -> None:
    """No traceback reaches a user, and nothing of it is lost."""
    program = "from quantctl import main\nmain.command = lambda: (lambda **_: 1 / 0)\nmain.main()\n"
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 70
    assert "ZeroDivisionError: division by zero" in done.stderr and "Traceback" not in done.stderr
    [kept] = tmp_path.glob("quantctl-*.log")
    assert "Traceback" in kept.read_text() and str(kept) in done.stderr


@pytest.mark.real
@pytest.mark.parametrize(("signum", "status", "times"), [(signal.SIGINT, 130, 1), (signal.SIGTERM, 143, 2)])
def test_in_the_middle_of_an_update_nothing_is_lost(team: Team, signum: signal.Signals, status: int, times: int) -> None:
    """The real engine while it moves the folder: once, no lock is left; twice, the next one goes on."""
    arrived, over = threading.Event(), threading.Event()

    def before(method: str, path: str) -> None:
        if method == "PATCH" and "/api/2.0/repos/" in path:
            arrived.set()
            over.wait(30)

    with situations.put_back(team):
        command = [str(ROOT / ".venv" / "bin" / "quantctl"), *situations.prepare(team, "update", 100 + times)]
        with proxy(team.environ["DATABRICKS_HOST"], before) as host:
            environ = {**team.environ, "DATABRICKS_HOST": host}
            with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
                assert arrived.wait(300)
                for _ in range(times):
                    run.send_signal(signum)
                    time.sleep(0.5)
                over.set()
                told, _ = run.communicate(timeout=300)
        assert run.returncode == status, told
        assert ("Stopping: the engine ends what it has begun" in told) and ("Ended at once" in told) is (times == 2), told
        if times == 1:
            assert json.loads(team.quantctl("lock", situations.ENV, "--format", "json").stdout) == []
            assert json.loads(team.pulumi("stack", "export", "-s", situations.ENV).stdout)["deployment"]["resources"]
        done = team.quantctl("up", situations.ENV, "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        assert situations.wrong(team, told, done.stdout, done.stderr) == []
