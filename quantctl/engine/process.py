"""The one place that starts `pulumi`: in the project's folder, in a process group of its own, and never left behind.

Ctrl-C or SIGTERM once asks the engine to stop, and it is waited for, so that its state is whole and its lock is released;
a second one insists. A terminal's Ctrl-C does not reach the group: `_stop` hands it on.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import toolchain
from quantctl import project
from quantctl.engine import tuning
from quantctl.engine.signals import Interrupted, hold
from quantctl.errors import UserError

_STARTS_PROGRAMS = (3, 256)  # an engine from this version on starts a policy pack that is a program
_NOISE = re.compile(
    r"using pulumi-(resource|language|analyzer)-\S+ from \$PATH|resource plugin \S+ is expected to have version|^\s*$", re.I
)
# Of a plan that an error cut short, once for each resource that was not reached.
_UNSEEN = re.compile(r"^(?: +\S+ \(.*\):\n)? +error: expected resource operations for \S+ but none were seen\n", re.M)
# What changes neither a state nor its history; every other command may.
_READS = (
    ("preview",), ("refresh", "--preview-only"), ("stack", "export"), ("stack", "history"), ("stack", "ls"),
    ("stack", "output"), ("config", "get"), ("version",), ("whoami",),
)  # fmt: skip
_END_SECONDS = 20.0  # for an engine that was asked to stop because it took too long

_running: set[subprocess.Popen[str]] = set()
_asked: list[int] = []  # the signals that came while an engine ran
_changes: list[str] = []  # a stack whenever a run that may change its state begins, and when it has ended; empty: any stack


@dataclass(frozen=True)
class Done:
    """How a command of the engine ended: `code` None when it took too long; standard output and error."""

    code: int | None
    out: str
    err: str

    @property
    def said(self) -> str:
        """Both outputs, from the diagnostics on, without the noise of plugins."""
        text = quiet(self.out + self.err)
        return text[max(text.find("Diagnostics:"), 0) :]

    @property
    def reason(self) -> str:
        """The engine's error lines and what a policy refused, on one line; else its last words, or its exit status."""
        lines = [line.strip() for line in quiet(self.out + self.err).splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("error:")] or [line for line in lines if "error" in line.lower()]
        refused = [" ".join(line.split()).removeprefix("- ") for line in lines if "[mandatory]" in line]
        told = "; ".join(dict.fromkeys(line.removeprefix("error: ") for line in (*refused, *(errors or lines[-1:]))))[:600]
        return told or f"exit {self.code}"


@functools.cache
def policy() -> tuple[str, ...]:
    """`--policy-pack` with ours: as a program where the engine starts one, at half the cost of a Python plugin."""
    found = toolchain.locate()
    told = next((program.version for program in found.programs if program.name == "pulumi"), "") if found else ""
    numbers = re.match(r"v?(\d+)\.(\d+)", told)
    starts = numbers is not None and (int(numbers[1]), int(numbers[2])) >= _STARTS_PROGRAMS
    folder = project.checkout() / "policy"
    program = folder / "pack"
    return ("--policy-pack", str(program if starts and os.access(program, os.X_OK) else folder))  # a copy may have no modes


def run(
    words: Sequence[str],
    environ: Mapping[str, str],
    *,
    value: str | None = None,
    must: bool = True,
    seconds: float | None = None,
    each: Callable[[str], None] | None = None,
) -> Done:
    """`pulumi WORDS`; `value` is its standard input, `each` is told every line of its output as it comes.

    Raises:
        UserError: there is no engine; or it failed, and it must not.
        Interrupted: it was asked to stop by a signal, and has stopped.
    """
    command = ["pulumi", *words, "--non-interactive", "--color", "never"]
    with _noted(words), tempfile.TemporaryFile("w+", errors="replace") as errors:
        try:
            process = subprocess.Popen(
                command,
                env=tuning.tuned(environ),
                cwd=project.root(),
                stdin=subprocess.PIPE if value is not None else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except FileNotFoundError:
            raise UserError("The engine `pulumi` was not found.", do_next="`quantctl toolchain --obtain`") from None
        _running.add(process)
        late = threading.Event()
        clock = threading.Timer(seconds, _too_late, (process, late)) if seconds else None
        if clock:
            clock.start()
        try:
            if value is not None and process.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write(value)
                    process.stdin.close()
            lines = []
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if each is not None:
                    each(line)
            code = process.wait()
        except BaseException:
            _end(process)
            raise
        finally:
            if clock:
                clock.cancel()
            _running.discard(process)
        errors.seek(0)
        done = Done(None if late.is_set() else code, "".join(lines), errors.read())
    if _asked and done.code != 0:
        raise Interrupted(_asked[0])
    if must and done.code != 0:
        raise UserError(f"`pulumi {' '.join(words[:6])}` failed (exit {done.code}):\n{done.said}")
    return done


def changes(env: str) -> int:
    """Another number once a run of this process may have changed the stack, however it ended: what was read is old then."""
    return sum(one in (env, "") for one in _changes)


def note_change(env: str) -> None:
    """Say that the stack's state may be another one now; empty: any stack's."""
    _changes.append(env)  # a list takes it from several threads at once


@contextlib.contextmanager
def _noted(words: Sequence[str]) -> Iterator[None]:
    if any(tuple(words[: len(one)]) == one for one in _READS):
        yield
        return
    env = words[words.index("-s") + 1] if "-s" in words else ""
    note_change(env)  # what is read from now on is of the middle of it
    try:
        yield
    finally:
        note_change(env)


def quiet(output: str) -> str:
    """Without warnings about plugins on PATH, without what a plan misses after another error, without empty lines."""
    causes = _UNSEEN.sub("", output)
    output = causes if "error:" in causes else output
    return "\n".join(line for line in output.splitlines() if not _NOISE.search(line))


def _stop(signum: int) -> bool:
    """Ask the engines that run to stop; the second time, end them. False when none runs."""
    running = list(_running)  # no lock: a signal may come while it is held
    if not running:
        return False
    _asked.append(signum)
    if len(_asked) == 1:
        print("\nStopping: the engine ends what it has begun. Once more ends it at once.", file=sys.stderr)
        for process in running:  # the engine alone: it stops its plugins itself
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGINT)
        return True
    print("\nEnded at once. The next `quantctl up` finds out what it had begun.", file=sys.stderr)
    for process in running:
        _kill(process)
    return True


hold(_stop)


def _too_late(process: subprocess.Popen[str], late: threading.Event) -> None:
    late.set()
    _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """Ask once, as Ctrl-C does, so that an update leaves its state whole; then insist."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGINT)
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        _kill(process)
        process.wait()


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
