"""The pipelines repository as a promoter sees it: what stands where, what would move, and moving it without losing anything.

Works on the cache of infra.git; a ref of the remote changes only if it still is what was seen (compare-and-swap).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.errors import UserError, without_credentials
from infra.outside import git
from infra.outside.branch import missing_branch
from infra.signers import Signer
from quantctl.forge.model import Person
from quantctl.records.signatures import can_sign, verified
from quantctl.records.tags import LARGEST, Tag, parse

_SEEN = "refs/quant/all"
_TAGS = "refs/quant/tags"


@dataclass(frozen=True)
class Commit:
    """A commit as a reviewer reads it; `at` is seconds since 1970, 0 where it cannot be read.

    Author and committer are what the commit says: free text, unless a host checks it.
    """

    id: str
    author: str
    email: str
    at: int
    subject: str
    committer: str = ""

    @property
    def writers(self) -> set[str]:
        """E-mail addresses of who wrote it and of who committed it."""
        return {self.email, self.committer} - {""}


class Moved(Exception):
    """The remote refused a push because a ref is not what was seen any more; nothing was changed."""


class Refused(Exception):
    """The remote refused a push for a reason of its own, which is the message; nothing was changed."""


@dataclass(frozen=True)
class Pipelines:
    """The remote as it was when it was read: `heads` is branch -> commit id. `signers` say whose records count."""

    remote: str
    repository: Path
    heads: Mapping[str, str]
    signers: Mapping[str, Signer] = field(default_factory=dict)

    def head(self, branch: str) -> str:
        """The commit that a branch is at.

        Raises:
            UserError: there is no such branch.
        """
        if branch not in self.heads:
            raise missing_branch(self.remote, branch)
        return self.heads[branch]

    def contains(self, descendant: str, ancestor: str) -> bool:
        """Whether `ancestor` is `descendant` or stands in its history."""
        return git.run_in(self.repository, "merge-base", "--is-ancestor", ancestor, descendant).returncode == 0

    def knows(self, commit: str) -> bool:
        """Whether any branch holds the commit, as far as it has been fetched."""
        return git.run_in(self.repository, "cat-file", "-e", f"{commit}^{{commit}}").returncode == 0

    def between(self, old: str | None, new: str) -> list[Commit]:
        """Commits of `new` that `old` does not hold, the newest first."""
        return self._commits(new, *([f"^{old}"] if old else []))

    def _commits(self, *revisions: str) -> list[Commit]:
        form = "%x00".join(("%H", "%an", "%ae", "%at", "%ce", "%s"))  # no value can hold a NUL, and every other separator
        options = [word for word in revisions if word.startswith("--")]
        given = "".join(f"{word}\n" for word in revisions if word not in options).encode()  # may be thousands
        listed = (
            self._git("log", "-z", f"--format={form}", *options, "--stdin", given=given).removesuffix(b"\0").split(b"\0")
        )
        words = [word.decode(errors="replace") for word in listed]
        return [
            Commit(id, author, email, _seconds(at), subject, committer)
            for id, author, email, at, committer, subject in zip(*(words[n::6] for n in range(6)), strict=False)
        ]

    def committed(self, commits: Iterable[str]) -> dict[str, int]:
        """Commit id -> when it was committed, of those that are there."""
        given = "".join(f"{commit}^{{commit}}\n" for commit in dict.fromkeys(commits)).encode()
        if not given:
            return {}
        checked = (line.split() for line in self._git("cat-file", "--batch-check", given=given).decode().splitlines())
        wanted = [found[0] for found in checked if found[1:2] == ["commit"]]
        if not wanted:
            return {}
        listed = self._git("log", "--no-walk=unsorted", "--format=%H %ct", *wanted).decode().splitlines()
        return {id: _seconds(at) for id, _, at in (line.partition(" ") for line in listed)}

    def commit(self, commit: str) -> Commit:
        """One commit."""
        return self._commits("--no-walk", commit)[0]

    def merge_base(self, one: str, other: str) -> str | None:
        """Their best common ancestor."""
        done = git.run_in(self.repository, "merge-base", one, other)
        return done.stdout.decode().strip() or None

    def tree(self, commit: str) -> str:
        """The id of a commit's tree."""
        return self._git("rev-parse", "--verify", f"{commit}^{{tree}}").decode().strip()

    def trees(self, commit: str) -> dict[str, str]:
        """Tree id -> the newest commit that has it, of everything in the history of `commit`."""
        return {tree: id for id, tree in reversed(self._trees(commit).items())}

    def _trees(self, *revisions: str) -> dict[str, str]:
        """Commit id -> tree id, the newest first."""
        pairs = (line.split() for line in self._git("log", "--format=%H %T", *revisions).decode().splitlines())
        return {pair[0]: pair[1] for pair in pairs}

    def foreign(self, target: str, source: str) -> list[Commit]:
        """Commits of `target` alone whose tree is no tree of the source's line: something was made there.

        A merge or a rollback that only repeats a tree is none: what a forge's merge commit or `quantctl rollback` leaves.
        Nor is what stands before one, for there the target had the source's content and nothing else.
        """
        trees = self._trees(target, f"^{source}")
        if not trees:
            return []
        known = self.trees(source)
        repeated = [f"^{commit}" for commit, tree in trees.items() if tree in known]
        return [commit for commit in self._commits(target, f"^{source}", *repeated) if trees[commit.id] not in known]

    def present(self, target: str, source: str) -> set[str]:
        """Commits of `target` alone that bring the source nothing: it has the same change under another id, or they merge.

        https://git-scm.com/docs/git-rev-list#Documentation/git-rev-list.txt---cherry-mark; a merge is what git itself would
        make of its parents, which are looked at by themselves.
        """
        marked = ("rev-list", "--cherry-mark", "--right-only", "--no-merges", f"{source}...{target}")
        same = {line[1:] for line in self._git(*marked).decode().split() if line.startswith("=")}
        merges = self._git("rev-list", "--merges", "--parents", target, f"^{source}").decode().splitlines()
        return same | {commit for commit, *parents in map(str.split, merges) if self._is_plain_merge(commit, parents)}

    def _is_plain_merge(self, commit: str, parents: list[str]) -> bool:
        if len(parents) != 2:
            return False
        done = git.run_in(self.repository, "merge-tree", "--write-tree", *parents, seconds=git.READ_SECONDS)
        return done.returncode == 0 and done.stdout.decode().split()[:1] == [self.tree(commit)]

    def blobs(self, commit: str) -> dict[str, str]:
        """Path -> mode and object id of everything at a commit."""
        return {path: f"{entry.mode} {entry.id}" for path, entry in git.tree(self.repository, commit).items()}

    def read(self, commit: str, path: str) -> bytes:
        """A file at a commit."""
        return self._git("cat-file", "blob", f"{commit}:{path}")

    def read_all(self, commit: str, paths: Iterable[str]) -> dict[str, bytes]:
        """Path -> content of several files at a commit."""
        tree, wanted = git.tree(self.repository, commit), list(paths)
        found = git.contents(self.repository, [tree[path].id for path in wanted])
        return {path: found[tree[path].id] for path in wanted}

    def tags(self, prefix: str) -> list[Tag]:
        """Tags below `prefix`/ as they were when the remote was read, the oldest first; none that is malformed."""
        listed = self._git("for-each-ref", "--format=%(objecttype) %(objectname) %(refname)", f"{_TAGS}/{prefix}/")
        refs = [line.split(" ", 2) for line in listed.decode(errors="replace").splitlines()]
        objects = self._objects(id for kind, id, _ in refs if kind == "tag")
        found = []
        for kind, id, ref in refs:
            name = ref.removeprefix(f"{_TAGS}/")
            if kind == "commit":
                found.append(Tag(name, id, annotated=False))
            elif id in objects and (tag := parse(name, id, objects[id])) is not None:
                found.append(tag)
        return sorted(found, key=lambda tag: (tag.at, tag.name))

    def signer_of(self, tags: Iterable[Tag]) -> dict[str, str]:
        """Name of a tag -> who signed it, of those that one of the signers did."""
        signed = {tag.name: tag.id for tag in tags if tag.signed}
        who = verified(self.repository, signed.values(), self.signers)
        return {name: who[id] for name, id in signed.items() if id in who}

    def _objects(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Id -> content of tag objects, of those that are no larger than a record is."""
        given = "".join(f"{id}\n" for id in ids).encode()
        checked = (line.split() for line in self._git("cat-file", "--batch-check", given=given).splitlines())
        small = [id.decode() for id, _, size in checked if int(size) <= LARGEST]
        return git.contents(self.repository, small, "tag")

    def parents(self, commit: str) -> list[str]:
        """The ids of a commit's parents."""
        return self._git("rev-parse", f"{commit}^@").decode().split()

    def commit_tree(
        self, tree: str, parents: Iterable[str], message: str, who: Person, at: int, committer: Person | None = None
    ) -> str:
        """Make a commit, in the cache alone: its id."""
        words = [word for parent in parents for word in ("-p", parent)]
        as_whom = {**_as(who, at), **{key: it for key, it in _as(committer or who, at).items() if "COMMITTER" in key}}
        made = self._git("commit-tree", tree, *words, given=message.encode(), environ=as_whom)
        return made.decode().strip()

    def make_tag(self, name: str, commit: str, message: str, who: Person, at: int) -> str:
        """Make an annotated tag object, signed where git is set up to: its id. It stands in the remote once it is pushed.

        Raises:
            UserError: git could not sign it.
        """
        ref, signs = f"refs/tags/{name}", can_sign(self.repository)
        kind = "-s" if signs else "-a"
        made = ("-c", "tag.gpgSign=false", "tag", "--force", kind, "--cleanup=verbatim", "-F", "-", name, commit)
        with git.one_at_a_time(self.repository):
            done = git.run_in(
                self.repository, *made, seconds=60, given=f"{message.strip()}\n".encode(), environ=_as(who, at)
            )
            id = "" if done.returncode else self._git("rev-parse", "--verify", ref).decode().strip()
            if id:
                self._git("update-ref", "-d", ref)
        # git 2.39 makes an unsigned tag, and is content, where the key is not there.
        tag = parse(name, id, self._objects([id]).get(id, b"")) if id else None
        if tag is None or tag.signed != signs:
            raise UserError(
                f"git could not sign the tag {name}: {git.said(done)}. It signs with user.signingKey; nothing was pushed."
                if signs
                else f"git could not make the tag {name}: {git.said(done)}; nothing was pushed."
            )
        return id

    def push(self, refs: Mapping[str, tuple[str, str | None]]) -> None:
        """Move and create refs, all or none. Full ref name -> (new object id, what it must be now; None: not there).

        Raises:
            Moved: a ref is not what was seen; Refused: the host does not let you; UserError: the host does not answer.
        """
        leases = [f"--force-with-lease={ref}:{old or ''}" for ref, (_, old) in refs.items()]
        specs = [f"{new}:{ref}" for ref, (new, _) in refs.items()]
        done = git.run_in(
            self.repository, "push", "--porcelain", "--atomic", *leases, self.remote, *specs, seconds=git.FETCH_SECONDS
        )
        if done.returncode == 0:
            return
        lines = done.stdout.decode(errors="replace").splitlines()
        rejected = [line for line in lines if line.startswith("!")]
        told = [
            line.removeprefix("remote:").strip()
            for line in done.stderr.decode(errors="replace").splitlines()
            if line.startswith("remote:") and line.removeprefix("remote:").strip()
        ]
        if any(_is_stale(line) for line in rejected) or "cannot lock ref" in " ".join([*rejected, *told]):
            raise Moved(" ".join(rejected))
        if rejected or told:
            raise Refused(without_credentials("; ".join(told) or rejected[0].split("\t")[-1]))
        raise UserError(
            f"Git: {without_credentials(self.remote)} refused the push: {git.said(done)}. Check your access to it"
            " (git's credential helper logs in) and the network; nothing was changed."
        )

    def _git(self, *arguments: str, given: bytes = b"", environ: Mapping[str, str] | None = None) -> bytes:
        done = git.run_in(self.repository, *arguments, seconds=60, given=given, environ=environ)
        if done.returncode:
            raise UserError(f"git {arguments[0]} failed in the cache {self.repository}: {git.said(done)}")
        return done.stdout


def read_pipelines(remote: str, tags: Iterable[str] = (), signers: Mapping[str, Signer] | None = None) -> Pipelines:
    """All branches of the remote with their history, and the tags below the prefixes `tags`, which count by `signers`.

    Raises:
        UserError: git is not installed, the host does not answer or refuses.
    """
    repository = git.cache(remote)
    specs = [f"+refs/heads/*:{_SEEN}/*", *(f"+refs/tags/{prefix}/*:{_TAGS}/{prefix}/*" for prefix in tags)]
    with git.one_at_a_time(repository):
        git.need(git.run(["git", "ls-remote", "--exit-code", "--heads", remote]), remote)  # a silent host is given up soon
        fetch = ("fetch", "--quiet", "--no-tags", "--prune", "--no-write-fetch-head", remote, *specs)
        git.need(git.run_in(repository, *fetch, seconds=git.FETCH_SECONDS), remote)
        listed = git.need(git.run_in(repository, "for-each-ref", "--format=%(refname) %(objectname)", _SEEN), remote)
    pairs = (line.split() for line in listed.decode().splitlines())
    return Pipelines(remote, repository, {name.removeprefix(f"{_SEEN}/"): commit for name, commit in pairs}, signers or {})


def _as(who: Person, at: int) -> dict[str, str]:
    """Git's own variables: https://git-scm.com/docs/git-commit-tree#_commit_information"""
    roles = ("AUTHOR", "COMMITTER")
    values = {"NAME": who.name, "EMAIL": who.email, "DATE": f"{at} +0000"}
    # Nobody can be asked for a passphrase here: an agent has the key, or it has none.
    return {f"GIT_{role}_{key}": value for role in roles for key, value in values.items()} | {"SSH_ASKPASS_REQUIRE": "never"}


def _seconds(text: str) -> int:
    """A time of Git's in seconds since 1970; 0 for what is missing, negative or beyond every calendar."""
    return int(text) if re.fullmatch(r"\d{1,11}", text) else 0


def _is_stale(line: str) -> bool:
    """https://git-scm.com/docs/git-push, the porcelain output; `fetch first` and the like when the lease was too late."""
    return any(
        word in line for word in ("stale info", "fetch first", "non-fast-forward", "already exists", "failed to update ref")
    )
