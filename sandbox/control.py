"""Start, stop, reset and look at the sandbox process of one state folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sandbox import switches
from sandbox.state import Endpoints, State, write_atomically
from sandbox.switches import Switches
from sandbox.workspace.store import Store

START_SECONDS = 30.0
STOP_SECONDS = 8.0


class SandboxError(Exception):
    """The sandbox could not be started or stopped; the message says why and what to do."""


@dataclass(frozen=True)
class Status:
    running: bool
    pid: int | None
    endpoints: Endpoints | None


def start(state: State) -> Endpoints:
    """Running and answering when this returns; a running one is left as it is."""
    try:
        switches.Switches().changed(switches.of_environment(os.environ))
    except switches.SwitchError as error:
        raise SandboxError(f"The sandbox was not started. {error}") from None
    state.prepare()
    with _one_at_a_time(state):
        _end_moved(state)
        pid = _our_pid(state)
        running = _wait_until_answering(state, pid) if pid is not None else None
        if running is None:  # never started, or just dying
            pid = _our_pid(state) or _spawn(state)
            running = _wait_until_answering(state, pid)
        if running is None:
            raise SandboxError(_no_answer(state, pid))
        return running


def stop(state: State) -> bool:
    """True when a process of ours was ended. Another process with that pid is never touched."""
    if not state.folder.exists():
        return False
    with _one_at_a_time(state):
        _end_moved(state)
        pid = _our_pid(state)
        if pid is not None:
            _end(state, pid)
        state.pid_file.unlink(missing_ok=True)
        return pid is not None


def reset(state: State) -> Endpoints:
    """Empty workspace, account and stacks; same keys, tokens, ports and remote."""
    stop(state)
    state.clear()
    return start(state)


def switch(state: State, changes: Mapping[str, str | int | bool], *, existing: bool = True) -> Switches:
    """Make the sandbox behave otherwise, from now on: see sandbox/switches.py. It need not be restarted.

    Args:
        existing: Git folders that are there (outside /Repos) become such as new ones will be.
    """
    if not state.folder.is_dir():
        raise SandboxError(f"There is no sandbox yet in {state.folder}: start it first.")
    try:
        made = switches.write(state.folder, changes)
    except switches.SwitchError as error:
        raise SandboxError(str(error)) from None
    if existing and "git_folders" in changes and state.database.exists():
        cli = made.git_folders == switches.CLI
        Store(state.database).write("update ws_folder set cli = ? where path not like '/Repos/%'", cli)
    return made


def status(state: State) -> Status:
    pid = _our_pid(state)
    endpoints = state.endpoints()
    return Status(pid is not None and endpoints is not None and _answers(endpoints), pid, endpoints)


def _spawn(state: State) -> int:
    command = [sys.executable, "-m", "sandbox.server", "--state", str(state.folder)]
    source = str(Path(__file__).resolve().parents[1])
    # A shell that is somebody (`quantctl env --as`) makes no server that is.
    personal = ("GIT_CONFIG_", "GIT_AUTHOR_", "GIT_COMMITTER_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(personal)}
    environment = {**inherited, "PYTHONPATH": source}
    with _private(state.log) as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=source,
            env=environment,
            start_new_session=True,
            umask=0o077,
        )
    write_atomically(state.pid_file, str(process.pid))
    return process.pid


def _wait_until_answering(state: State, pid: int) -> Endpoints | None:
    """None when the process ended or does not answer in time."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and _is_ours(state, pid):
        endpoints = state.endpoints()
        if endpoints is not None and endpoints.pid == pid and _answers(endpoints):
            return endpoints
        time.sleep(0.03)
    return None


def _no_answer(state: State, pid: int | None) -> str:
    return (
        f"The sandbox did not answer (process {pid}).\n"
        f"  found: {_last_lines(state.log)}\n"
        "  expected: both servers answering on 127.0.0.1\n"
        f"  do next: read {state.log}, then `quantctl sandbox stop` and `quantctl sandbox start`"
    )


def _end(state: State, pid: int) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if not _is_ours(state, pid):
                return
            time.sleep(0.03)
    raise SandboxError(f"The sandbox process {pid} does not end.\ndo next: end it by hand: kill -9 {pid}")


def _end_moved(state: State) -> None:
    """End the server of this folder that was started before the folder was moved: it would go on with our database."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(state.pid_file.read_text())
        words = _command_line(pid)
        if "sandbox.server" in words and str(state.folder) not in words:
            served = State(Path(words[words.index("--state") + 1]))
            if not served.folder.exists():
                _end(served, pid)


def _our_pid(state: State) -> int | None:
    try:
        pid = int(state.pid_file.read_text())
    except (OSError, ValueError):
        return None
    return pid if _is_ours(state, pid) else None


def _is_ours(state: State, pid: int) -> bool:
    """The process lives, is a sandbox server and serves this very state folder."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    if Path("/proc/self/cmdline").exists():
        words = _command_line(pid)
        return "sandbox.server" in words and str(state.folder) in words
    shown = subprocess.run(
        ["ps", "-ww", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    ).stdout.strip()
    return "sandbox.server" in shown and shown.endswith(f"--state {state.folder}")


def _command_line(pid: int) -> list[str]:
    """Empty for a process that is gone; for a moment also for one that is just being started."""
    with contextlib.suppress(OSError):
        for _ in range(10):
            if shown := Path(f"/proc/{pid}/cmdline").read_bytes():
                return shown.decode(errors="replace").split("\0")
            time.sleep(0.01)
    return []


def _answers(endpoints: Endpoints) -> bool:
    return all(
        _answers_http(f"http://{endpoints.host}:{port}/")
        for port in (endpoints.databricks_port, endpoints.snowflake_port, endpoints.git_port)
    )


def _answers_http(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(url, timeout=3).close()
    except urllib.error.HTTPError as answer:
        answer.close()
    except OSError:
        return False
    return True


def _last_lines(path: Path) -> str:
    with contextlib.suppress(OSError):
        return " | ".join(path.read_text(errors="replace").strip().splitlines()[-3:]) or "an empty log"
    return "no log"


def _private(path: Path) -> IO[bytes]:
    """A file to append to, that its owner alone may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


@contextlib.contextmanager
def _one_at_a_time(state: State) -> Iterator[None]:
    with _private(state.folder / "sandbox.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
