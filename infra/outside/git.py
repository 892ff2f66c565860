"""The git program: one question at a time, never a prompt, soon given up; and the cache that it reads from.

Reads only; what writes to a remote stands in quantctl.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra.errors import UserError, without_credentials

# Git must never ask a question in an engine that has no terminal, and must give up soon.
_QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=5"}
ANSWER_SECONDS = 6.0  # for one question; both providers would be silent for minutes
FETCH_SECONDS = 300.0  # for a first fetch, once the host has answered

Done = subprocess.CompletedProcess[bytes]


def run(
    command: list[str], seconds: float | None = None, *, given: bytes = b"", environ: Mapping[str, str] | None = None
) -> Done:
    """Run git; `given` is its standard input. An exit status of 124 is no answer in `seconds`.

    Raises:
        UserError: git is not installed.
    """
    seconds = seconds or ANSWER_SECONDS
    environment = {**os.environ, **_QUIET, "LC_ALL": "C", **(environ or {})}
    pipe = subprocess.PIPE
    try:
        # A group of its own, so that the helper which git talks through ends with it.
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=True)
    except FileNotFoundError:
        raise UserError("git is not installed: install it (Debian: apt-get install git) and run again.") from None
    try:
        out, told = process.communicate(given, timeout=seconds)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        return Done(command, 124, b"", f"no answer in {seconds:.0f} s".encode())
    return Done(command, process.returncode, out, told)


def run_in(
    repository: Path,
    *arguments: str,
    seconds: float | None = None,
    given: bytes = b"",
    environ: Mapping[str, str] | None = None,
) -> Done:
    """Run git in a repository."""
    return run(["git", "-C", str(repository), *arguments], seconds, given=given, environ=environ)


def need(result: Done, remote: str) -> bytes:
    """The output of what had to succeed.

    Raises:
        UserError: names the remote, and what git said.
    """
    if result.returncode:
        raise UserError(
            f"Git: the pipelines repository {without_credentials(remote)} cannot be read: {said(result)}."
            " Check QUANT_REMOTE (or quant:remote in Pulumi.yaml), the network, and your access to it."
        )
    return result.stdout


def said(result: Done) -> str:
    """What git said when it failed, on one line and without credentials."""
    lines = [line.strip() for line in result.stderr.decode(errors="replace").splitlines() if line.strip()]
    return without_credentials("; ".join(lines[:2]).removeprefix("fatal: ").rstrip(".")) or f"exit {result.returncode}"


def cache(remote: str) -> Path:
    """A bare repository for `remote` in the user's cache, made once though several stacks may deploy at the same time.

    Raises:
        UserError: the cache cannot be written.
    """
    repository = _cache_folder(remote)
    try:
        repository.parent.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(repository):
            if not (repository / "HEAD").exists():
                need(run(["git", "init", "--quiet", "--bare", str(repository)]), remote)
    except OSError as error:
        raise UserError(
            f"the Git cache {repository.parent} cannot be written ({error.strerror}): make room there, or name another"
            " folder in XDG_CACHE_HOME."
        ) from None
    return repository


@contextlib.contextmanager
def one_at_a_time(repository: Path) -> Iterator[None]:
    """Nobody else writes refs of the cache meanwhile."""
    with repository.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _cache_folder(remote: str) -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "quant" / "git" / hashlib.sha256(remote.encode()).hexdigest()[:16]
