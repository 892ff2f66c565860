"""The git program: one question at a time, never a prompt, soon given up; and the cache that it reads from.

Reads only; what writes to a remote stands in quantctl.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.errors import UserError, without_credentials

# Git must never ask a question in an engine that has no terminal, and must give up soon.
_QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=5"}
ANSWER_SECONDS = 6.0  # for one question; both providers would be silent for minutes
READ_SECONDS = 60.0  # for reading the cache
FETCH_SECONDS = 300.0  # for a first fetch, once the host has answered

# What is fetched comes as a pack, all of it at once. Git otherwise unpacks a small fetch object by object, commits first:
# another stack's run sees a commit whose tree is not there yet, and after a kill it never is.
# https://git-scm.com/docs/git-config#Documentation/git-config.txt-fetchunpackLimit
_AS_PACKS = "unpackLimit = 1"

Done = subprocess.CompletedProcess[bytes]


def is_public(remote: str) -> bool:
    """Whether the remote lets somebody without any login read it; False where it does not answer."""
    alone = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_COUNT": "0", "GIT_ASKPASS": ""}
    nobody = re.sub(r"//[^@/]*@", "//", remote)
    return run(["git", "-c", "credential.helper=", "ls-remote", "--heads", nobody], environ=alone).returncode == 0


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


@dataclass(frozen=True)
class Entry:
    """A file of a commit: what Git stores of it. `odd_name`: its name is not UTF-8, and is shown with escapes."""

    mode: str
    id: str
    odd_name: bool = False

    @property
    def is_link(self) -> bool:
        """A symbolic link."""
        return self.mode == "120000"

    @property
    def is_submodule(self) -> bool:
        """Another repository's commit; no file of this one."""
        return self.mode == "160000"


def tree(repository: Path, commit: str) -> dict[str, Entry]:
    """Path -> entry of everything in a commit.

    Raises:
        UserError: the repository does not hold the commit.
    """
    result = run_in(repository, "ls-tree", "-r", "-z", commit, seconds=READ_SECONDS)
    if result.returncode:
        raise UserError(
            f"git ls-tree failed at {commit[:12]} in the cache {repository}: {said(result)}; delete the cache and run again."
        )
    found = {}
    for line in result.stdout.split(b"\0"):
        if line:
            meta, _, path = line.partition(b"\t")
            mode, _, rest = meta.decode().partition(" ")
            name = path.decode(errors="backslashreplace")
            found[name] = Entry(mode, rest.split()[1], name.encode() != path)
    return found


def contents(repository: Path, ids: Iterable[str], kind: str = "blob") -> dict[str, bytes]:
    """Id -> content of objects of a kind, by one process for all of them.

    Raises:
        UserError: one of them is not in the repository, or is of another kind.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    given = "".join(f"{one}\n" for one in wanted).encode()
    out = run_in(repository, "cat-file", "--batch", seconds=READ_SECONDS, given=given).stdout
    found, at = {}, 0
    for one in wanted:  # https://git-scm.com/docs/git-cat-file#_batch_output
        end = out.find(b"\n", at)
        header = out[at:end].split() if end >= 0 else []
        if len(header) != 3 or header[1] != kind.encode():
            raise UserError(
                f"git cat-file: the {kind} {one[:12]} is not in the cache {repository}; delete the cache and run again."
            )
        size = int(header[2])
        found[one] = out[end + 1 : end + 1 + size]
        at = end + size + 2
    return found


def blob_id(content: bytes) -> str:
    """The id under which Git stores a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


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
            if _AS_PACKS not in (repository / "config").read_text():
                need(run_in(repository, "config", "fetch.unpackLimit", "1"), remote)
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
