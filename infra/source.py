"""Git: the head of a maturity branch, and files at that very commit. Reads only; the git program does the work."""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from infra.errors import UserError, without_credentials

# Git must never ask a question in an engine that has no terminal, and must give up soon.
_QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=5"}
_ANSWER_SECONDS = 6.0  # for one question; both providers would be silent for minutes
_FETCH_SECONDS = 300.0  # for a first fetch, once the host has answered


@dataclass(frozen=True)
class Snapshot:
    """A branch as it is now: its head and a local bare repository in which the commit's files can be read."""

    remote: str
    branch: str
    commit: str
    repository: Path

    def files(self, folder: str = "") -> list[str]:
        """Paths of all files below `folder` at this commit, relative to the repository's root."""
        out = self._git("ls-tree", "-r", "-z", "--name-only", self.commit, *(["--", folder] if folder else []))
        return [name.decode() for name in out.split(b"\0") if name]

    def read(self, path: str) -> bytes:
        """The content of `path` at this commit."""
        return self._git("cat-file", "blob", f"{self.commit}:{path}")

    def blobs(self) -> dict[str, str]:
        """Path -> blob id of every file at this commit."""
        return _blobs(self._git("ls-tree", "-r", "-z", self.commit))

    def blobs_at(self, commit: str) -> dict[str, str] | None:
        """The same at another commit; None when this branch's history does not hold it."""
        if not self.contains(commit):
            return None
        return _blobs(self._git("ls-tree", "-r", "-z", commit))

    def blobs_anywhere(self, commit: str) -> dict[str, str] | None:
        """The same at a commit of any branch of the remote; None when no branch holds it."""
        heads = "+refs/heads/*:refs/quant/all/*"
        fetch = ("fetch", "--quiet", "--no-tags", "--prune", self.remote, heads)
        _run_in(self.repository, *fetch, seconds=_FETCH_SECONDS)
        found = _run_in(self.repository, "for-each-ref", "--contains", commit, "refs/quant/all")
        if found.returncode or not found.stdout.strip():
            return None
        return _blobs(self._git("ls-tree", "-r", "-z", commit))

    def contains(self, commit: str) -> bool:
        """Whether `commit` is this head or one of its ancestors; if not, history was rewritten under a folder on it."""
        return _run_in(self.repository, "merge-base", "--is-ancestor", commit, self.commit).returncode == 0

    def ahead_of(self, commit: str) -> int | None:
        """How many commits this head is ahead of `commit`; None when its history does not hold that."""
        if not commit or not self.contains(commit):
            return None
        return int(self._git("rev-list", "--count", f"{commit}..{self.commit}"))

    def _git(self, *arguments: str) -> bytes:
        result = _run_in(self.repository, *arguments)
        if result.returncode:
            raise UserError(f"git {arguments[0]} failed at {self.commit[:12]} of {self.remote}: {_said(result)}")
        return result.stdout


def take_snapshot(remote: str, branch: str) -> Snapshot:
    """Resolve the head of `branch` and bring its history into the user's cache, unless it is there already.

    Raises:
        UserError: git is not installed, the host does not answer, access is refused, or the branch is missing.
    """
    repository = _cache_folder(remote)
    _make(repository, remote)
    commit = _head(remote, branch)
    if _run_in(repository, "cat-file", "-e", f"{commit}^{{commit}}").returncode:
        commit = _fetch(repository, remote, f"refs/heads/{branch}")
    # Keep the commit reachable for as long as the branch's last snapshot stands.
    _run_in(repository, "update-ref", f"refs/quant/heads/{branch}", commit)
    return Snapshot(remote=remote, branch=branch, commit=commit, repository=repository)


def _head(remote: str, branch: str) -> str:
    """The commit that the branch is at, asked of the remote."""
    ref = f"refs/heads/{branch}"
    result = _run(["git", "ls-remote", "--exit-code", remote, ref])
    if result.returncode == 2:  # https://git-scm.com/docs/git-ls-remote: no matching ref
        raise UserError(
            f"branch {branch!r} does not exist in {without_credentials(remote)} (QUANT_REMOTE or quant:remote):"
            f" push it first, for example git push {without_credentials(remote)} HEAD:{ref}."
        )
    listed = (line.split(b"\t", 1) for line in _need(result, remote).splitlines())
    return next(commit.decode() for commit, name in listed if name == ref.encode())  # the pattern matches ends of names too


def _fetch(repository: Path, remote: str, ref: str) -> str:
    """Bring the branch's history; returns the head that came."""
    # A ref of our own per process: two stacks that deploy at once share the repository.
    local = f"refs/quant/{os.getpid()}"
    fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", remote, f"+{ref}:{local}")
    _need(_run_in(repository, *fetch, seconds=_FETCH_SECONDS), remote)
    commit = _need(_run_in(repository, "rev-parse", f"{local}^{{commit}}"), remote).decode().strip()
    _run_in(repository, "update-ref", "-d", local)
    return commit


def _make(repository: Path, remote: str) -> None:
    """The cache's repository, made once though several stacks may deploy at the same time."""
    try:
        repository.parent.mkdir(parents=True, exist_ok=True)
        with repository.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (repository / "HEAD").exists():
                _need(_run(["git", "init", "--quiet", "--bare", str(repository)]), remote)
    except OSError as error:
        raise UserError(
            f"the Git cache {repository.parent} cannot be written ({error.strerror}): make room there, or name another"
            " folder in XDG_CACHE_HOME."
        ) from None


def _cache_folder(remote: str) -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "quant" / "git" / hashlib.sha256(remote.encode()).hexdigest()[:16]


def _run(command: list[str], seconds: float | None = None) -> subprocess.CompletedProcess[bytes]:
    seconds = seconds or _ANSWER_SECONDS
    environment = {**os.environ, **_QUIET, "LC_ALL": "C"}
    pipe = subprocess.PIPE
    try:
        # A group of its own, so that the helper which git talks through ends with it.
        process = subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment, start_new_session=True)
    except FileNotFoundError:
        raise UserError("git is not installed: install it (Debian: apt-get install git) and run again.") from None
    try:
        out, said = process.communicate(timeout=seconds)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        return subprocess.CompletedProcess(command, 124, b"", f"no answer in {seconds:.0f} s".encode())
    return subprocess.CompletedProcess(command, process.returncode, out, said)


def _run_in(repository: Path, *arguments: str, seconds: float | None = None) -> subprocess.CompletedProcess[bytes]:
    return _run(["git", "-C", str(repository), *arguments], seconds)


def _need(result: subprocess.CompletedProcess[bytes], remote: str) -> bytes:
    """The output of what had to succeed."""
    if result.returncode:
        raise UserError(_unreachable(remote, _said(result)))
    return result.stdout


def _unreachable(remote: str, said: str) -> str:
    return (
        f"Git: the pipelines repository {without_credentials(remote)} cannot be read: {said}."
        " Check QUANT_REMOTE (or quant:remote in Pulumi.yaml), the network, and your access to it."
    )


def _blobs(listing: bytes) -> dict[str, str]:
    entries = (entry.split(b"\t", 1) for entry in listing.split(b"\0") if entry)
    return {path.decode(): meta.split()[2].decode() for meta, path in entries}


def _said(result: subprocess.CompletedProcess[bytes]) -> str:
    lines = [line.strip() for line in result.stderr.decode(errors="replace").splitlines() if line.strip()]
    return without_credentials("; ".join(lines[:2]).removeprefix("fatal: ").rstrip(".")) or f"exit {result.returncode}"
