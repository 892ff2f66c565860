"""quantctl in a process of its own whose libraries are loaded already: the same command line, for a third of the time.

A server imports them once and forks; what a command sees of its shell (environment, folder, standard streams, process
group) is its own.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.paths import ROOT

# Of quantctl's own modules none does anything when it is imported; the others are slow to load.
_LOADED = ["quantctl.main", "quantctl.adopt.steps", "quantctl.drift.look", "quantctl.preview.show"]
_LOADED += ["quantctl.update.guarded", "databricks.sdk", "snowflake.connector", "pytest"]
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(_LOADED)


class Command:
    """A command that runs; its output so far, and how it ended."""

    def __init__(self, words: tuple[str, ...], environ: Mapping[str, str]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._out, self._err = Path(self._folder.name) / "out", Path(self._folder.name) / "err"
        for file in (self._out, self._err):
            file.touch()
        self._words = words
        self._process: ForkServerProcess = _context.Process(
            target=_main, args=(words, dict(environ), str(self._out), str(self._err))
        )
        self._process.start()

    @property
    def pid(self) -> int:
        """Its process, which leads a process group."""
        return int(self._process.pid or 0)

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.is_alive()

    @property
    def told(self) -> str:
        """Standard error so far."""
        return self._err.read_text()

    def wait(self, seconds: float = 300.0) -> subprocess.CompletedProcess[str]:
        """Its end, as subprocess tells it."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            self._process.kill()
            raise TimeoutError(f"{self._words}: {self.told}")
        return subprocess.CompletedProcess(self._words, self._process.exitcode, self._out.read_text(), self.told)


def quantctl(*words: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return Command(words, environ).wait()


def _main(words: tuple[str, ...], environ: dict[str, str], out: str, err: str) -> None:
    os.setsid()
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    for number, name in ((1, out), (2, err)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_APPEND), number)
    sys.argv = [str(ROOT / ".venv" / "bin" / "quantctl"), *words]
    from quantctl.main import main

    main()
