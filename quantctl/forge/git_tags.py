"""Annotated tags of the pipelines repository, by the git program, in the bare cache that infra/source.py keeps."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from infra.errors import without_credentials
from infra.source import take_snapshot
from quantctl.errors import UserError
from quantctl.forge.approval_tags import PREFIX, Tag
from quantctl.forge.model import Person

_SECONDS = 60
_FORMAT = "%00".join(
    ["%(refname)", "%(objecttype)", "%(objectname)", "%(object)", "%(taggername)", "%(taggeremail:trim)",
     "%(taggerdate:iso-strict)", "%(contents:subject)"]
)  # fmt: skip


def approval_tags(remote: str, target: str, commit: str) -> list[Tag]:
    """The approvals of a commit for a branch that the remote has now.

    Raises:
        infra.errors.UserError, UserError: the remote cannot be read.
    """
    repository = take_snapshot(remote, target).repository
    local = f"refs/quant/approvals/{os.getpid()}"
    _need(repository, remote, "fetch", "--quiet", "--no-tags", remote, f"+refs/tags/{PREFIX}/{target}/{commit}/*:{local}/*")
    try:
        listed = _need(repository, remote, "for-each-ref", f"--format={_FORMAT}", local)
    finally:
        for name in _need(repository, remote, "for-each-ref", "--format=%(refname)", local).split():
            _git(repository, "update-ref", "-d", name)
    return [_tag(line, f"{PREFIX}/{target}/{commit}/", len(local) + 1) for line in listed.splitlines()]


def _tag(line: str, prefix: str, skipped: int) -> Tag:
    name, kind, itself, inner, tagger, email, when, subject = line.split("\0")
    return Tag(prefix + name[skipped:], kind, inner if kind == "tag" else itself, tagger, email, when, subject)


def push_tag(remote: str, name: str, commit: str, by: Person, text: str) -> None:
    """Make an annotated tag on the remote; one of that name is left as it is.

    Raises:
        infra.errors.UserError, UserError: the remote cannot be written, or does not hold the commit.
    """
    repository = take_snapshot(remote, name.split("/")[1]).repository
    local = f"quant-new/{os.getpid()}"
    identity = {"GIT_COMMITTER_NAME": by.name, "GIT_COMMITTER_EMAIL": by.email}
    _need(repository, remote, "tag", "--force", "--annotate", "--message", text, local, commit, **identity)
    try:
        pushed = _git(repository, "push", "--quiet", remote, f"refs/tags/{local}:refs/tags/{name}")
        if pushed.returncode and not _git(repository, "ls-remote", remote, f"refs/tags/{name}").stdout.strip():
            raise UserError(
                f"The tag {name} could not be pushed to {without_credentials(remote)}.",
                found=_said(pushed),
                do_next="check your access to the pipelines repository (git's credential helper)",
            )
    finally:
        _git(repository, "tag", "--delete", local)


def _git(repository: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=5", "LC_ALL": "C"}
    command = ["git", "-C", str(repository), *arguments]
    try:
        return subprocess.run(
            command, env={**os.environ, **quiet, **environ}, capture_output=True, text=True, errors="replace",
            timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no answer in {_SECONDS} s")


def _need(repository: Path, remote: str, *arguments: str, **environ: str) -> str:
    done = _git(repository, *arguments, **environ)
    if done.returncode:
        raise UserError(
            f"git {arguments[0]} failed for {without_credentials(remote)}.",
            found=_said(done),
            do_next="check QUANT_REMOTE (or quant:remote in Pulumi.yaml), the network, and your access to it",
        )
    return done.stdout


def _said(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return without_credentials("; ".join(lines[:3])) or f"exit {done.returncode}"
