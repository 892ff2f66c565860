"""Processes that an engine left which was killed: its plugins, the program and its language host. They are ended.

A kill -9 takes the engine alone: its plugins run on in process groups of their own. They are known by what they are, whose
they are, and by what the engine gave them: the state's backend in their environment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_BACKEND = "PULUMI_BACKEND_URL"
_WAIT_SECONDS = 3.0
_PLUGIN = ("pulumi-resource-", "pulumi-language-", "pulumi-analyzer-")
_ENGINE = "pulumi"


@dataclass(frozen=True)
class Process:
    """One process of this machine: `parent` is 1, or a supervisor's, once whoever started it has gone."""

    pid: int
    parent: int
    user: int
    words: tuple[str, ...]
    backend: str
    began: str = ""  # in the kernel's ticks; it stays when the process becomes another program

    @property
    def name(self) -> str:
        """The program's file name."""
        return self.words[0].rsplit("/", 1)[-1] if self.words else ""

    @property
    def shown(self) -> str:
        """What it is for people: the plugin, where an interpreter runs it."""
        files = [word.rsplit("/", 1)[-1] for word in self.words[:4]]
        return next((file for file in files if file.startswith(_PLUGIN)), self.name)

    @property
    def of_engine(self) -> bool:
        """A plugin, the program as a language host runs it, or the policy pack (`python .../policy 127.0.0.1:PORT`)."""
        files = [word.rsplit("/", 1)[-1] for word in self.words[:4]]
        policy = len(files) > 2 and files[1] == "policy" and files[2].startswith("127.0.0.1:")
        return policy or any(file.startswith(_PLUGIN) for file in files)


def orphans(processes: Mapping[int, Process], user: int, backend: str) -> list[Process]:
    """Those of this user and this backend above which there is no engine any more. Pure."""
    return [
        one
        for one in processes.values()
        if one.of_engine and one.user == user and backend and one.backend == backend and not _has_engine(one, processes)
    ]


def _has_engine(one: Process, processes: Mapping[int, Process]) -> bool:
    seen: set[int] = set()
    while one.parent in processes and one.pid not in seen:
        seen.add(one.pid)
        one = processes[one.parent]
        if one.name == _ENGINE:
            return True
    return False


def end_orphans(environ: Mapping[str, str], say: Callable[[str], None]) -> int:
    """End what a killed engine left; how many. Where a system does not tell about its processes it is none."""
    if not (_PROC / "self" / "environ").exists():
        return 0
    left = orphans(processes(), os.getuid(), environ.get(_BACKEND, ""))
    for one in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one.pid, signal.SIGTERM)
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline and any(_still(one) for one in left):
        time.sleep(0.05)
    for one in left:
        if _still(one):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)
    if left:
        names = ", ".join(sorted({one.shown for one in left}))
        say(f"ended {len(left)} process{'' if len(left) == 1 else 'es'} that an update left which was killed ({names})")
    return len(left)


def end_all(backend: str) -> None:
    """End engines, and what they started, whose states' backend begins with this: one that is about to be thrown away."""
    if not (_PROC / "self" / "environ").exists():
        return
    for one in processes().values():
        if one.user == os.getuid() and one.backend.startswith(backend) and (one.of_engine or one.name == _ENGINE):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)


def _still(one: Process) -> bool:
    """Whether it runs: the same one, not another that was given its number."""
    found = _process(one.pid)
    return found is not None and found.began == one.began


def processes() -> dict[int, Process]:
    found = (_process(int(entry.name)) for entry in _PROC.iterdir() if entry.name.isdigit())
    return {one.pid: one for one in found if one is not None}


def _process(pid: int) -> Process | None:
    folder = _PROC / str(pid)
    try:
        # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the name in brackets may hold anything
        told = (folder / "stat").read_text().rpartition(")")[2].split()
        state, parent, began = told[0], told[1], told[19]
        words = tuple((folder / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0"))
        user = folder.stat().st_uid
    except (OSError, ValueError, LookupError):
        return None
    if state == "Z":
        return None
    backend = ""
    with contextlib.suppress(OSError):  # another user's
        for entry in (folder / "environ").read_bytes().split(b"\0"):
            name, _, value = entry.partition(b"=")
            if name == _BACKEND.encode():
                backend = value.decode(errors="replace")
    return Process(pid, int(parent), user, words, backend, began)
