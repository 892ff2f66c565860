"""git, as a child process that never asks and never waits for ever."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

from sandbox.workspace.errors import ApiError
from sandbox.workspace.world import World

_SECONDS = 60


def clone_path(world: World, folder_id: int) -> Path:
    """Where the clone of a Git folder lies."""
    return world.folders / str(folder_id)


def git(
    arguments: list[str], cwd: Path | None = None, login: tuple[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run git; a remote that does not answer, and a clone that is gone, are exit codes as well.

    Args:
        login: a remote's URL, and NAME:TOKEN for it alone: in the environment, which only the same user can read.
    """
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    if login:
        header = "Authorization: Basic " + base64.b64encode(login[1].encode()).decode()
        key = f"http.{login[0]}.extraHeader"
        environment |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": key, "GIT_CONFIG_VALUE_0": header}
    command = ["git", "-c", "core.autocrlf=false", "-c", "gc.auto=0", "-c", "core.quotePath=false", *arguments]
    try:
        return subprocess.run(
            command,
            cwd=cwd,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"the remote did not answer in {_SECONDS} s")
    except FileNotFoundError:
        return subprocess.CompletedProcess(command, 128, "", "the Git folder is gone")


def must(clone: Path, *arguments: str) -> str:
    """Output of git where a failure is not the caller's fault."""
    result = git(list(arguments), clone)
    if result.returncode:
        raise ApiError(500, "INTERNAL_ERROR", f"git {arguments[0]}: {said(result)}")
    return result.stdout.rstrip("\n")


def said(result: subprocess.CompletedProcess[str]) -> str:
    """The first line of what git complained about."""
    lines = result.stderr.strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else f"exit {result.returncode}"
