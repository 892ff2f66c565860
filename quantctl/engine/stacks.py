"""Run the engine on the four stacks.

The tracked stack files carry their salt: the engine leaves them alone.
"""

from __future__ import annotations

import datetime
import json
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantctl import project
from quantctl.engine.lock.locks import from_message, refusal
from quantctl.errors import UserError
from sandbox.state import State

PROJECT = "quant"
POLICY = ("--policy-pack", "policy")
_SUMMARY = re.compile(r"^\s+\D{0,4}(\d+) (created|updated|deleted|replaced|unchanged|refreshed|to \w+)\b", re.M)
_NOISE = re.compile(
    r"using pulumi-(resource|language|analyzer)-\S+ from \$PATH|resource plugin \S+ is expected to have version|^\s*$", re.I
)
_STEP = re.compile(r"^ *[-+~]+ +\S+:\S+ .*(creating|updating|deleting|replacing|refreshing|created|updated|deleted)")


@dataclass(frozen=True)
class Result:
    environment: str
    counts: dict[str, int]

    @property
    def changed(self) -> int:
        return sum(number for what, number in self.counts.items() if what != "unchanged")


def exists(state: State, env: str) -> bool:
    return _checkpoint(state, env).exists()


def ensure(state: State, env: str, environ: dict[str, str]) -> bool:
    """Create the stack when it is missing. True when it was made now."""
    if exists(state, env):
        return False
    run(["stack", "init", env, "--no-select"], environ)
    return True


def up(
    env: str, environ: dict[str, str], progress: Callable[[str], None], options: Sequence[str] = ("--skip-preview",)
) -> Result:
    """`pulumi up` of one stack; each step is told to `progress`. quantctl.promotion.deploy.make_ready comes before.

    Raises:
        UserError: it failed, or the stack is locked; then it says by whom.
    """
    command = ["up", "--yes", *options, "--non-interactive", "--color", "never", "-s", env, *POLICY]
    process = _start(command, environ, project.root())
    lines: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if _STEP.match(line):
            progress(line.strip())
    code = process.wait()
    shown = quiet("".join(lines))
    if code != 0:
        if held := from_message(env, shown):
            raise refusal(env, held, datetime.datetime.now(datetime.UTC))
        shown = shown[max(shown.find("Diagnostics:"), 0) :]  # what went well is not what the reader looks for
        raise UserError(
            f"`pulumi up -s {env}` failed (exit {code}). The engine said:\n\n{shown}\n",
            do_next=f'mend what it names and run `make up` again; by hand: eval "$(quantctl env)"; pulumi up -s {env}',
        )
    summary = shown[shown.rfind("Resources:") :]
    return Result(env, {what: int(number) for number, what in _SUMMARY.findall(summary)})


def outputs(env: str, environ: dict[str, str]) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(run(["stack", "output", "--json", "-s", env], environ).stdout)
    return loaded


def quiet(output: str) -> str:
    """Without the warnings that a plugin was found on PATH, and without empty lines."""
    return "\n".join(line for line in output.splitlines() if not _NOISE.search(line))


def _checkpoint(state: State, env: str) -> Path:
    return state.pulumi / ".pulumi" / "stacks" / PROJECT / f"{env}.json"


def _start(arguments: list[str], environ: dict[str, str], folder: Path) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            ["pulumi", *arguments],
            env=environ,
            cwd=folder,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except FileNotFoundError:
        raise UserError(
            "The engine `pulumi` was not found.",
            found=f"PATH={environ.get('PATH', '')[:60]}...",
            do_next="`quantctl toolchain --obtain`",
        ) from None


def run(
    arguments: list[str], environ: dict[str, str], *, value: str | None = None, must: bool = True
) -> subprocess.CompletedProcess[str]:
    """A short command of the engine, in the project; `value` is its standard input.

    Raises:
        UserError: there is no engine; or it failed, and it must not.
    """
    try:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            env=environ,
            cwd=project.root(),
            input=value or "",
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise UserError("The engine `pulumi` was not found.", do_next="`quantctl toolchain --obtain`") from None
    if must and done.returncode != 0:
        raise UserError(f"`pulumi {' '.join(arguments[:6])}` failed (exit {done.returncode}):\n{_said(done)}")
    return done


def _said(done: subprocess.CompletedProcess[str]) -> str:
    said = quiet(done.stdout + done.stderr)
    return said[max(said.find("Diagnostics:"), 0) :]
