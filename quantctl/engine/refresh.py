"""Run the engine for a drift run: a look, which never hangs, and a fix, which never promotes."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from infra.outside.branch import Snapshot
from quantctl.drift.steps import Checkpoint, Refresh, Step, checkpoint, read_refresh
from quantctl.engine.process import Done, policy, run
from quantctl.engine.state import States
from quantctl.errors import UserError


def state(env: str, states: States) -> Checkpoint | str:
    """What the stack's state holds, or the reason why that cannot be read."""
    try:
        held = checkpoint(states.exported(env))
    except UserError as error:
        return str(error)
    except (KeyError, TypeError, AttributeError):
        return "the stack's state was not understood"
    return held if held.steps else "the stack holds nothing: it was never deployed, or its state is lost"


def look(env: str, environ: Mapping[str, str], held: Checkpoint, skipped: Sequence[Step], seconds: float) -> Refresh:
    """`pulumi refresh --preview-only`: what the state holds and what is really there. Nothing is written.

    Its events have both as values, with one path for each difference; `--event-log` exists for the engine's own developers
    only. The program does not run: what is judged is what was deployed, not what a changed program would declare.
    `skipped` are steps that are known to be unchanged.
    """
    left_out = [word for step in skipped for word in ("--exclude", step.urn)]
    streamed = {**environ, "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
    done = _run(["refresh", "--preview-only", "--json", "-s", env, *left_out], streamed, seconds)
    if done.code is None:
        return Refresh(errors=(f"no answer in {seconds:.0f} s",), commit=held.commit, begun=held.begun, missing=held.missing)
    try:
        refresh = read_refresh(done.out, held)
    except (ValueError, KeyError, TypeError):
        return Refresh(errors=(done.reason,), commit=held.commit, begun=held.begun, missing=held.missing)
    known = {step.urn for step in skipped}
    steps = (*(step for step in refresh.steps if step.urn not in known), *skipped)
    return dataclasses.replace(refresh, steps=steps, errors=refresh.errors or ((done.reason,) if done.code else ()))


def fix(env: str, environ: Mapping[str, str], targets: Sequence[str], seconds: float) -> str | None:
    """`pulumi up --refresh` of these resources alone, of all where none is named. What was wrong, or None."""
    chosen = [word for target in targets for word in ("--target", target)]
    done = _run(["up", "--yes", "--skip-preview", "--refresh", "-s", env, *policy(), *chosen], environ, seconds)
    if done.code == 0:
        return None
    return f"no answer in {seconds:.0f} s" if done.code is None else done.reason


@contextlib.contextmanager
def at_commit(environ: Mapping[str, str], snapshot: Snapshot, commit: str) -> Iterator[dict[str, str]]:
    """An environment in which the program finds the branch at `commit`, wherever it is now: a fix is no promotion.

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


def _run(words: list[str], environ: Mapping[str, str], seconds: float) -> Done:
    try:
        return run(words, environ, must=False, seconds=seconds)
    except UserError as error:  # no engine
        return Done(127, "", f"error: {error}")
