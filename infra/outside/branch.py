"""Git: the head of a maturity branch, and files at that very commit. Reads only; the git program does the work."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from infra.errors import UserError, without_credentials
from infra.outside.git import FETCH_SECONDS, Entry, cache, contents, need, one_at_a_time, run, run_in, said, tree


@dataclass(frozen=True)
class Snapshot:
    """A branch as it is now: its head and a local bare repository in which the commit's files can be read."""

    remote: str
    branch: str
    commit: str
    repository: Path

    @cached_property
    def tree(self) -> Mapping[str, Entry]:
        """Path -> entry of everything at this commit."""
        return tree(self.repository, self.commit)

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Path -> content of files at this commit."""
        wanted = list(paths)
        found = contents(self.repository, [self.tree[path].id for path in wanted])
        return {path: found[self.tree[path].id] for path in wanted}

    def tree_at(self, commit: str) -> Mapping[str, Entry] | None:
        """The tree of another commit; None when this branch's history does not hold it."""
        if commit == self.commit:
            return self.tree
        return tree(self.repository, commit) if commit and self.contains(commit) else None

    def tree_anywhere(self, commit: str) -> Mapping[str, Entry] | None:
        """The tree of a commit of any branch of the remote; None when no branch holds it.

        Raises:
            UserError: the remote cannot be read.
        """
        heads = "+refs/heads/*:refs/quant/all/*"
        fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--prune", self.remote, heads)
        with one_at_a_time(self.repository):
            need(run_in(self.repository, *fetch, seconds=FETCH_SECONDS), self.remote)
        found = run_in(self.repository, "for-each-ref", "--contains", commit, "refs/quant/all")
        return None if found.returncode or not found.stdout.strip() else tree(self.repository, commit)

    def contains(self, commit: str) -> bool:
        """Whether `commit` is this head or one of its ancestors; if not, history was rewritten under a folder on it."""
        known = commit == self.commit  # as in most runs: git is not asked
        return known or run_in(self.repository, "merge-base", "--is-ancestor", commit, self.commit).returncode == 0

    def moved_to(self, ref: str) -> Snapshot:
        """This branch as if it had moved to `ref`: a branch, tag or commit of the remote, or `!7`, a merge request's source.

        Raises:
            UserError: the remote has nothing of that name.
        """
        return replace(self, commit=_resolve(self.repository, self.remote, ref))

    def ahead_of(self, commit: str) -> int | None:
        """How many commits this head is ahead of `commit`; None when its history does not hold that."""
        if commit == self.commit:
            return 0
        if not commit or not self.contains(commit):
            return None
        return int(self._git("rev-list", "--count", f"{commit}..{self.commit}"))

    def _git(self, *arguments: str) -> bytes:
        result = run_in(self.repository, *arguments)
        if result.returncode:
            raise UserError(f"git {arguments[0]} failed at {self.commit[:12]} of {self.remote}: {said(result)}")
        return result.stdout


def take_snapshot(remote: str, branch: str) -> Snapshot:
    """Resolve the head of `branch` and bring its history into the user's cache, unless it is there already.

    Raises:
        UserError: git is not installed, the host does not answer, access is refused, or the branch is missing.
    """
    repository = cache(remote)
    commit = _head(remote, branch)
    # Keeps the commit reachable for as long as the branch's last snapshot stands; refused where the cache does not hold it.
    if run_in(repository, "update-ref", f"refs/quant/heads/{branch}", commit).returncode:
        commit = _fetch(repository, remote, f"refs/heads/{branch}")
        run_in(repository, "update-ref", f"refs/quant/heads/{branch}", commit)
    return Snapshot(remote=remote, branch=branch, commit=commit, repository=repository)


def missing_branch(remote: str, branch: str) -> UserError:
    """What is told where a maturity branch is not there."""
    shown = without_credentials(remote)
    return UserError(
        f"branch {branch!r} does not exist in {shown} (QUANT_REMOTE or quant:remote):"
        f" push it first, for example git push {shown} HEAD:refs/heads/{branch}."
    )


def _head(remote: str, branch: str) -> str:
    """The commit that the branch is at, asked of the remote."""
    ref = f"refs/heads/{branch}"
    result = run(["git", "ls-remote", "--exit-code", remote, ref])
    if result.returncode == 2:  # https://git-scm.com/docs/git-ls-remote: no matching ref
        if not need(run(["git", "ls-remote", "--heads", remote]), remote).strip():
            # git takes any page for a repository of the old protocol, without refs.
            shown = without_credentials(remote)
            raise UserError(
                f"Git: {shown} answers and has no branch at all: it is an empty repository, or no Git host (a login page of"
                " a proxy?). Check QUANT_REMOTE (or quant:remote in Pulumi.yaml)."
            )
        raise missing_branch(remote, branch)
    listed = (line.split(b"\t", 1) for line in need(result, remote).splitlines())
    return next(commit.decode() for commit, name in listed if name == ref.encode())  # the pattern matches ends of names too


def _resolve(repository: Path, remote: str, ref: str) -> str:
    """The commit that `ref` names in the remote, brought into the cache."""
    if re.fullmatch(r"!\d+", ref):  # what GitLab and GitHub call the head of a merge request
        names = [f"refs/merge-requests/{ref[1:]}/head", f"refs/pull/{ref[1:]}/head"]
    else:
        names = [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}"]
    listed = need(run(["git", "ls-remote", remote, *names]), remote).decode().splitlines()
    found = {name: commit for commit, _, name in (line.partition("\t") for line in listed)}
    for name in names:
        if name in found:
            return _commit(repository, found[name]) or _fetch(repository, remote, name)
    if re.fullmatch(r"[0-9a-f]{7,40}", ref):
        # A host may refuse to be asked for a commit by its id; then it comes with a branch or not at all.
        for wanted in [], ([ref] if len(ref) == 40 else []), ["+refs/heads/*:refs/quant/all/*"]:
            fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", remote, *wanted)
            if wanted:
                with one_at_a_time(repository):
                    run_in(repository, *fetch, seconds=FETCH_SECONDS)
            if known := _commit(repository, ref):
                return known
    raise UserError(
        f"{ref!r} is no branch, tag or commit of {without_credentials(remote)} (QUANT_REMOTE or quant:remote), nor a merge"
        " request of it, as !7 is: push it first."
    )


def _commit(repository: Path, object_id: str) -> str | None:
    """The commit behind an object that the cache holds."""
    done = run_in(repository, "rev-parse", "--quiet", "--verify", f"{object_id}^{{commit}}")
    return done.stdout.decode().strip() if done.returncode == 0 else None


def _fetch(repository: Path, remote: str, ref: str) -> str:
    """Bring the branch's history; returns the head that came."""
    # A ref of this call alone: stacks that deploy at once, and threads that look at several, share the repository.
    local = f"refs/quant/{uuid.uuid4().hex}"
    fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", remote, f"+{ref}:{local}")
    with one_at_a_time(repository):
        need(run_in(repository, *fetch, seconds=FETCH_SECONDS), remote)
    commit = need(run_in(repository, "rev-parse", f"{local}^{{commit}}"), remote).decode().strip()
    run_in(repository, "update-ref", "-d", local)
    return commit
