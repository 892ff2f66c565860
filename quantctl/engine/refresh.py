"""Run the engine for a drift run: a look, which never hangs, and a mend, which never promotes."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from infra.outside.branch import Snapshot
from quantctl import project
from quantctl.drift.steps import Refresh, Step, read_refresh, read_state
from quantctl.engine.stacks import POLICY, quiet

_running: set[subprocess.Popen[str]] = set()


def state(env: str, environ: Mapping[str, str], seconds: float) -> tuple[Step, ...] | str:
    """What the stack's state holds, or the reason why that cannot be read."""
    code, out, said = _run(["stack", "export", "-s", env], environ, seconds)
    if code is None:
        return f"the stack's state: no answer in {seconds:.0f} s"
    try:
        held = read_state(out) if code == 0 else ()
    except (ValueError, KeyError, TypeError):
        return "the stack's state is no JSON"
    if code == 0 and not held:
        return "the stack holds nothing: it was never deployed, or its state is lost"
    return held or _reason(out + said) or f"exit {code}"


def look(env: str, environ: Mapping[str, str], skipped: Sequence[Step], seconds: float) -> Refresh:
    """`pulumi refresh --preview-only`: what the state holds and what is really there. Nothing is written.

    `--json` has both as values, with one path for each difference; the event log (`--event-log`) exists for the engine's own
    developers only. The program does not run: what is judged is what was deployed, not what a changed program would declare.
    `skipped` are steps that are known to be unchanged.
    """
    left_out = [word for step in skipped for word in ("--exclude", step.urn)]
    code, out, said = _run(["refresh", "--preview-only", "--json", "-s", env, *left_out], environ, seconds)
    if code is None:
        return Refresh(errors=(f"no answer in {seconds:.0f} s",))
    try:
        refresh = read_refresh(out)
    except (ValueError, KeyError, TypeError):
        return Refresh(errors=(_reason(out + said) or f"exit {code}",))
    known = {step.urn for step in skipped}
    steps = (*(step for step in refresh.steps if step.urn not in known), *skipped)
    return Refresh(steps, refresh.errors or ((_reason(said) or f"exit {code}",) if code else ()))


def mend(env: str, environ: Mapping[str, str], targets: Sequence[str], seconds: float) -> str | None:
    """`pulumi up --refresh` of these resources alone, so that nothing else is deployed. What was wrong, or None."""
    return _up(env, environ, ["--refresh"], "--target", targets, seconds)


def replace(env: str, environ: Mapping[str, str], targets: Sequence[str], seconds: float) -> str | None:
    """Put the value of secrets again: they are replaced without a deletion, in production too. What was wrong, or None."""
    return _up(env, environ, ["--ignore-protect"], "--target-replace", targets, seconds)


@contextlib.contextmanager
def at_commit(environ: Mapping[str, str], snapshot: Snapshot, commit: str) -> Iterator[dict[str, str]]:
    """An environment in which the program finds the branch at `commit`, wherever it is now: a mend is no promotion.

    Git reads a local repository in place of the remote (https://git-scm.com/docs/git-config#Documentation/git-config.txt-urlltbasegtinsteadOf);
    the remote's name, and so what is declared, stays.
    """
    folder = Path(tempfile.mkdtemp(prefix="quant-drift-"))
    try:
        git = ["git", "-C", str(folder)]
        subprocess.run(["git", "init", "--quiet", "--bare", str(folder)], check=True, capture_output=True)
        (folder / "objects" / "info" / "alternates").write_text(f"{snapshot.repository / 'objects'}\n")
        subprocess.run([*git, "update-ref", f"refs/heads/{snapshot.branch}", commit], check=True, capture_output=True)
        count = int(environ.get("GIT_CONFIG_COUNT") or 0)
        yield {
            **environ,
            "GIT_CONFIG_COUNT": str(count + 1),
            f"GIT_CONFIG_KEY_{count}": f"url.file://{folder}.insteadOf",
            f"GIT_CONFIG_VALUE_{count}": snapshot.remote,
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stop() -> None:
    """End what runs, as Ctrl-C does; each of these runs in a group that the terminal's Ctrl-C does not reach."""
    for process in list(_running):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)


def _up(
    env: str, environ: Mapping[str, str], more: list[str], flag: str, targets: Sequence[str], seconds: float
) -> str | None:
    chosen = [word for target in targets for word in (flag, target)]
    command = ["up", "--yes", "--skip-preview", *more, "-s", env, *POLICY, *chosen]
    code, out, said = _run(command, environ, seconds)
    if code == 0:
        return None
    return f"no answer in {seconds:.0f} s" if code is None else _reason(out + said) or f"exit {code}"


def _run(words: list[str], environ: Mapping[str, str], seconds: float) -> tuple[int | None, str, str]:
    """Exit status (None when it took too long), standard output and error."""
    command = ["pulumi", *words, "--non-interactive", "--color", "never"]
    pipe = subprocess.PIPE
    try:
        # A group of its own, so that the providers end with it.
        process = subprocess.Popen(
            command,
            env=dict(environ),
            cwd=project.root(),
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except FileNotFoundError:
        return 127, "", "the engine `pulumi` was not found: quantctl toolchain --obtain"
    _running.add(process)
    try:
        out, said = process.communicate(timeout=seconds)
    except BaseException as error:
        _end(process)
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        return None, "", ""
    finally:
        _running.discard(process)
    return process.returncode, out, said


def _end(process: subprocess.Popen[str]) -> None:
    """Ask once, as Ctrl-C does, so that an update leaves its state whole; then insist."""
    for how, wait in ((signal.SIGINT, 10.0), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            process.communicate(timeout=wait)
            return
        except subprocess.TimeoutExpired:
            continue


def _reason(said: str) -> str:
    """The engine's error lines on one line; else its last words."""
    lines = [line.strip() for line in quiet(said).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error:")] or [line for line in lines if "error" in line.lower()]
    return "; ".join(dict.fromkeys(line.removeprefix("error: ") for line in (errors or lines[-1:])))[:600]
