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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.state import Endpoints, State

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
    state.prepare()
    with _one_at_a_time(state):
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
    with state.log.open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=source,
            env=environment,
            start_new_session=True,
        )
    state.pid_file.write_text(str(process.pid))
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


@contextlib.contextmanager
def _one_at_a_time(state: State) -> Iterator[None]:
    with (state.folder / "sandbox.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
