"""The bare repository of the project, through git itself."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

DEFAULT_BRANCH = "quant"
_FORMAT = "%H%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x01"


@dataclass(frozen=True)
class Commit:
    """A commit, as `git log` tells it; dates are ISO 8601."""

    sha: str
    parents: tuple[str, ...]
    author: tuple[str, str, str]
    committer: tuple[str, str, str]
    message: str


@dataclass(frozen=True)
class Repository:
    """git in one bare repository."""

    path: Path

    def git(self, *arguments: str, text: str | None = None, environ: dict[str, str] | None = None) -> str | None:
        """What git says, None when it fails."""
        outer = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        plain = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_DIR": str(self.path)}
        done = subprocess.run(
            ["git", *arguments], input=text, env={**outer, **plain, **(environ or {})},
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        return done.stdout if done.returncode == 0 else None

    def resolve(self, name: str) -> str | None:
        """The commit of a branch, tag or (short) commit; no expression of git's revision language."""
        if name.startswith("-") or any(sign in name for sign in "^~:@{ "):
            return None
        for full in (f"refs/heads/{name}", f"refs/tags/{name}", name):
            if found := self.git("rev-parse", "--verify", "--quiet", f"{full}^{{commit}}"):
                return found.strip()
        return None

    def head(self, branch: str) -> str | None:
        """The commit of a branch."""
        found = self.git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")
        return found.strip() if found else None

    def refs(self, under: str) -> list[tuple[str, str]]:
        """(short name, object) of every ref in a folder such as `refs/heads`."""
        shown = self.git("for-each-ref", "--format=%(refname) %(objectname)", under) or ""
        pairs = (line.split(" ") for line in shown.splitlines())
        return [(name.removeprefix(under + "/"), sha) for name, sha in pairs]

    def contains(self, newer: str, older: str) -> bool:
        """Whether `older` is `newer` or an ancestor of it."""
        return self.git("merge-base", "--is-ancestor", older, newer) is not None

    def base(self, one: str, other: str) -> str | None:
        """The best common ancestor."""
        found = self.git("merge-base", one, other)
        return found.strip() if found else None

    def log(self, *which: str, limit: int = 10_000) -> list[Commit]:
        """Commits, newest first."""
        shown = self.git("log", f"--max-count={limit}", f"--format={_FORMAT}", *which, "--") or ""
        return [_commit(part.lstrip("\n")) for part in shown.split("\x01") if part.strip("\n")]

    def commit(self, sha: str) -> Commit | None:
        """One commit."""
        return next(iter(self.log("--no-walk", sha, limit=1)), None)

    def merged_tree(self, ours: str, theirs: str) -> str | None:
        """The tree of a merge, None on conflicts: https://git-scm.com/docs/git-merge-tree"""
        found = self.git("merge-tree", "--write-tree", ours, theirs)
        return found.splitlines()[0] if found else None

    def make_commit(self, tree: str, parents: list[str], message: str, identity: dict[str, str]) -> str:
        """A commit object that no ref names yet."""
        arguments = [part for parent in parents for part in ("-p", parent)]
        made = self.git("commit-tree", tree, *arguments, text=message, environ=identity)
        if not made:
            raise OSError(f"git commit-tree failed in {self.path}")
        return made.strip()

    def move(self, ref: str, new: str, old: str) -> bool:
        """Compare-and-swap of a ref; `old` is all zeros for one that must not exist."""
        return self.git("update-ref", ref, new, old) is not None

    def delete(self, ref: str, old: str) -> bool:
        """Delete a ref that still is what it was."""
        return self.git("update-ref", "-d", ref, old) is not None


def _commit(shown: str) -> Commit:
    sha, parents, *people, message = shown.split("\0", 8)
    author, committer = (people[0], people[1], people[2]), (people[3], people[4], people[5])
    return Commit(sha, tuple(parents.split()), author, committer, message)
