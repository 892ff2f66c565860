"""The pipelines repository from the promoter's side: real git, no engine."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest

from infra.errors import UserError
from infra.promotion import EDGES, Edge
from infra.vocabulary import Environment
from quantctl.errors import UserError as CtlError
from quantctl.forge import MergeOutcome, MergeRequest, MergeResult, Person, Verdict
from quantctl.forge.plain_git import PlainGit
from quantctl.promotion import move
from quantctl.promotion.gates import Facts, Line, Unknown, answer
from quantctl.promotion.read import line_of
from quantctl.records import deployments
from quantctl.records.deployments import Record
from quantctl.records.repository import Moved, Pipelines, read_pipelines

RHEA = Person("Rhea", "rhea@quant.example", "rhea", "a test")
NOW = 1_700_000_000
WHEN = datetime.fromtimestamp(NOW, UTC)


class World:
    """A remote with a clone, and the promoter's view of it."""

    def __init__(self, folder: Path) -> None:
        self.remote, self.clone = folder / "remote.git", folder / "clone"
        subprocess.run(["git", "init", "-q", "--bare", "-b", "quant", str(self.remote)], check=True)
        subprocess.run(["git", "clone", "-q", str(self.remote), str(self.clone)], check=True, capture_output=True)

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.clone, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, branch: str, name: str, content: str) -> str:
        """On top of the remote's branch, which begins empty; pushed."""
        self.git("fetch", "-q", "origin")
        there = subprocess.run(
            ["git", "rev-parse", "-q", "--verify", f"origin/{branch}"], cwd=self.clone, check=False, capture_output=True
        )
        self.git("checkout", "-q", *(["--detach", f"origin/{branch}"] if there.returncode == 0 else ["--orphan", "new"]))
        (self.clone / name).write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", f"{name}: {content}")
        self.git("push", "-q", "origin", f"HEAD:refs/heads/{branch}")
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str, commit: str) -> None:
        self.git("push", "-q", "origin", f"{commit}:refs/heads/{name}")

    def read(self) -> Pipelines:
        return read_pipelines(str(self.remote), (*deployments.PREFIXES, "approval"))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Git knows who acts, and has a cache of its own."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Rhea")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "rhea@quant.example")
        monkeypatch.setenv(f"GIT_{who}_DATE", f"{NOW - 60} +0000")  # nothing is recorded before it is committed
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield World(tmp_path)


def decision(commit: str, previous: str, environment: str = "quant_stg") -> Record:
    return Record("promotion", environment, WHEN, commit, previous, "Rhea", "promotion", source="quant")


def test_what_would_move_is_told(world: World) -> None:
    """Commits that the target lacks, the newest first; nothing is foreign on a straight line."""
    first = world.commit("quant", "a", "1")
    world.branch("quant_stg", first)
    second, third = world.commit("quant", "a", "2"), world.commit("quant", "b", "1")
    found = world.read()
    line = line_of(found, found.head("quant"), found.head("quant_stg"))
    assert [commit.id for commit in line.ahead] == [third, second]
    assert (line.ahead[0].email, line.ahead[0].subject) == ("rhea@quant.example", "b: 1")
    assert line.foreign == []


def test_a_commit_that_the_source_never_had_is_foreign(world: World) -> None:
    """A hot fix made on the target itself; a merge or a rollback that repeats a tree is none, but it is named."""
    first = world.commit("quant", "a", "1")
    world.branch("quant_stg", first)
    second = world.commit("quant", "a", "2")
    found = world.read()
    merged = found.commit_tree(found.tree(second), [first, second], "Merge", RHEA, NOW)
    back = found.commit_tree(found.tree(first), [merged], "Roll back", RHEA, NOW)
    found.push({"refs/heads/quant_stg": (back, first)})
    found = world.read()
    line = line_of(found, second, back)
    assert line.foreign == []
    assert [commit.id for commit in line.ahead] == [second]  # what was taken back waits again
    assert line.revert is not None and line.revert.id == back
    assert [commit.id for commit in line.reverted] == [second]
    verdict, evidence = fast_forward(line)
    assert verdict is Verdict.YES and "undoes a revert made on quant_stg" in evidence and "'Roll back'" in evidence
    fix = world.commit("quant_stg", "a", "hot fix")
    found = world.read()
    assert [commit.id for commit in line_of(found, second, fix).foreign] == [fix]


EDGE = Edge(Environment.DEV, Environment.STAGING)


def fast_forward(line: Line) -> tuple[Verdict, str]:
    """What the gate says of it."""
    unread = Unknown("not read")
    facts = Facts(unread, line, unread, unread, unread, unread, unread, unread)
    [gate] = [gate for gate in answer(EDGE, EDGES[EDGE], facts) if gate.name == "fast-forward"]
    return gate.verdict, gate.evidence


def test_a_hotfix_that_was_picked_back_is_present(world: World) -> None:
    """By git's patch id, also where it came by a merge commit of the forge; one that was changed on the way is not."""
    first = world.commit("quant", "a", "1")
    world.branch("quant_stg", first)
    fix = world.commit("quant_stg", "hot", "fix")
    found = world.read()
    merged = found.commit_tree(found.tree(fix), [first, fix], "Merge branch 'hot'", RHEA, NOW)
    world.git("push", "-q", "--force", "origin", f"{first}:refs/heads/quant_stg")
    found.push({"refs/heads/quant_stg": (merged, first)})
    world.commit("quant", "b", "1")
    line = line_of(world.read(), world.read().head("quant"), merged)
    assert [commit.id for commit in line.foreign] == [fix]  # the merge itself brings nothing
    assert fast_forward(line)[0] is Verdict.NO
    world.git("fetch", "-q", "origin")
    world.git("checkout", "-q", "--detach", "origin/quant")
    world.git("cherry-pick", "-x", fix)
    world.git("push", "-q", "origin", "HEAD:refs/heads/quant")
    found = world.read()
    line = line_of(found, found.head("quant"), merged)
    assert line.foreign == [] and {commit.id for commit in line.present} == {fix, merged}
    verdict, evidence = fast_forward(line)
    assert verdict is Verdict.YES and "the same change under another id" in evidence and fix[:12] in evidence
    # Promoted, it is no question any more, though the picked commit then stands in both histories.
    forward = found.commit_tree(found.tree(found.head("quant")), [merged, found.head("quant")], "Promote", RHEA, NOW)
    world.commit("quant", "b", "2")
    line = line_of(world.read(), world.read().head("quant"), forward)
    assert (line.foreign, line.present, line.revert) == ([], [], None)
    world.git("checkout", "-q", "--detach", merged)
    (world.clone / "hot").write_text("another fix")
    world.git("commit", "-q", "-am", "Fix differently")
    other = world.git("rev-parse", "HEAD")
    world.git("push", "-q", "origin", "HEAD:refs/heads/quant_stg")
    line = line_of(world.read(), found.head("quant"), other)
    assert [commit.id for commit in line.foreign] == [other]


def test_the_command_that_the_gate_names_clears_it(world: World) -> None:
    """Run as it is printed, in a clone."""
    first = world.commit("quant", "a", "1")
    world.branch("quant_stg", first)
    world.commit("quant", "b", "1")
    world.commit("quant_stg", "hot", "fix")
    found = world.read()
    verdict, evidence = fast_forward(line_of(found, found.head("quant"), found.head("quant_stg")))
    assert verdict is Verdict.NO
    command = re.search(r"In a clone: `(.+?)`; then", evidence)
    assert command is not None
    subprocess.run(["bash", "-c", command[1]], cwd=world.clone, check=True, capture_output=True)
    found = world.read()
    verdict, evidence = fast_forward(line_of(found, found.head("quant"), found.head("quant_stg")))
    assert verdict is Verdict.YES, evidence


def test_equal_content_in_different_commits_is_told(world: World) -> None:
    """It is not "both are at one commit"."""
    first = world.commit("quant", "a", "1")
    found = world.read()
    same = found.commit_tree(found.tree(first), [first], "The same again", RHEA, NOW)
    found.push({"refs/heads/quant_stg": (same, None)})
    found = world.read()
    verdict, evidence = fast_forward(line_of(found, first, same))
    assert verdict is Verdict.NO and "two commits with the same content" in evidence
    assert first[:12] in evidence and same[:12] in evidence


def test_a_branch_is_moved_with_its_decision_or_not_at_all(world: World) -> None:
    """One push, all or none; a branch that has moved meanwhile is not touched and the tag is not there either."""
    first = world.commit("quant", "a", "1")
    world.branch("quant_stg", first)
    second = world.commit("quant", "a", "2")
    step = move.Step("quant_stg", first, second, second, "Promote", "quant")
    move.push(world.read(), step, decision(second, first), RHEA)
    found = world.read()
    assert found.head("quant_stg") == second
    [record] = deployments.records(found, "promotion", "quant_stg")
    assert (record.commit, record.previous, record.by) == (second, first, "Rhea")
    third = world.commit("quant", "a", "3")
    with pytest.raises(CtlError, match="moved by somebody else meanwhile"):
        move.push(world.read(), step, decision(third, first), RHEA)
    assert len(deployments.records(world.read(), "promotion", "quant_stg")) == 1


def test_promotions_that_race_lose_no_commit(world: World) -> None:
    """Many pairs at once, of promotions and against a push: one wins, the other is told, and nothing leaves the history."""
    base = world.commit("quant", "a", "0")
    world.branch("quant_stg", base)
    stood = [base]
    for number in range(14):
        seen = world.read()
        old = seen.head("quant_stg")
        step = move.Step("quant_stg", old, world.commit("quant", "a", f"ours {number}"), "", "Promote", "quant")
        step = replace(step, tree_of=step.commit)
        theirs = seen.commit_tree(seen.tree(old), [old], f"Theirs {number}", RHEA, NOW + number)
        both = Barrier(2)

        def promote(step: move.Step = step, both: Barrier = both) -> bool:
            found = world.read()
            commit = move.way(found, step, merge_commits=False).commit
            both.wait()
            try:
                move.push(found, step, decision(commit, step.seen), RHEA)
            except CtlError as error:
                assert "moved by somebody else meanwhile" in str(error)
                return False
            return True

        def push(seen: Pipelines = seen, theirs: str = theirs, old: str = old, both: Barrier = both) -> bool:
            both.wait()
            try:
                seen.push({"refs/heads/quant_stg": (theirs, old)})
            except Moved:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            first, second = pool.submit(promote), pool.submit(promote if number % 2 else push)
        assert [first.result(), second.result()].count(True) == 1
        stood.append(world.read().head("quant_stg"))
    last = world.read()
    assert all(last.contains(last.head("quant_stg"), commit) for commit in stood)
    told = deployments.records(last, "promotion", "quant_stg")
    assert {record.commit for record in told} <= set(stood)


def test_what_came_in_the_moment_of_a_merge_is_told(world: World) -> None:
    """Commits of the target that neither stood there nor were decided; the merge commit itself is none."""
    first = world.commit("quant", "a", "1")
    second = world.commit("quant", "a", "2")
    found = world.read()
    merged = found.commit_tree(found.tree(second), [first, second], "Merge", RHEA, NOW)
    decided = decision(second, first)
    assert move.strangers(found, merged, decided, merged) == []
    assert move.strangers(found, second, decided, second) == []
    theirs = found.commit_tree(found.tree(first), [first], "Theirs", RHEA, NOW)
    over = found.commit_tree(found.tree(second), [theirs, second], "Merge", RHEA, NOW)
    assert [one.id for one in move.strangers(found, over, decided, over)] == [theirs]
    later = found.commit_tree(found.tree(first), [merged], "Right after", RHEA, NOW)
    assert [one.id for one in move.strangers(found, later, decided, merged)] == [later]


class Busy(PlainGit):
    """A forge on which somebody else is at work too: before a merge, and in the same moment."""

    def __init__(self, world: World, theirs: str | None = None) -> None:
        self._world, self._theirs, self.merged = world, theirs, 0

    def promoter(self) -> Person:
        return RHEA

    def merge(self, request: MergeRequest, sha: str) -> MergeOutcome:
        found = self._world.read()
        seen = found.head(request.target)
        under = self._theirs or seen
        self.merged += 1
        commit = found.commit_tree(found.tree(sha), [under, sha], "Merge", RHEA, NOW)
        found.push({f"refs/heads/{request.target}": (commit, seen)})
        return MergeOutcome(MergeResult.MERGED, "merged", commit)


def test_a_merge_compares_both_heads(world: World) -> None:
    """A target that has moved is not merged into; one that moves in the same moment is told, and is nothing to resume."""
    first = world.commit("quant", "a", "1")
    world.branch("quant_stg", first)
    second = world.commit("quant", "a", "2")
    found, decided = world.read(), decision(second, first)
    request = MergeRequest(7, "!7", "quant", "quant_stg", second, "opened", "Promote", "Rhea")
    theirs = found.commit_tree(found.tree(first), [first], "Theirs", RHEA, NOW)
    found.push({"refs/heads/quant_stg": (theirs, first)})
    late = Busy(world)
    with pytest.raises(CtlError, match="was changed by somebody else meanwhile; nothing was merged"):
        move.merge(found, late, request, decided)
    assert late.merged == 0 and deployments.records(world.read(), "promotion", "quant_stg") == []
    world.git("push", "-q", "--force", "origin", f"{first}:refs/heads/quant_stg")
    with pytest.raises(CtlError, match="in the moment of the merge; it is not deployed") as told:
        move.merge(world.read(), Busy(world, theirs), request, decided)
    assert "'Theirs'" in str(told.value)
    world.git("push", "-q", "--force", "origin", f"{first}:refs/heads/quant_stg")
    recorded, outcome = move.merge(world.read(), Busy(world), request, decided)
    assert outcome.result is MergeResult.MERGED and recorded.tag.startswith("promotion/quant_stg/")


def test_a_forward_commit_that_stands_there_is_taken(world: World) -> None:
    """Where a host checks committers, each person makes another one; the first that is pushed is everybody's."""
    first = world.commit("quant", "a", "1")
    second = world.commit("quant", "a", "2")
    found = world.read()
    back = found.commit_tree(found.tree(first), [second], "Roll back", RHEA, NOW)
    found.push({"refs/heads/quant_stg": (back, None)})
    step = move.Step("quant_stg", back, second, second, "Promote again", "quant")
    uma = Person("Uma", "uma@quant.example", "uma", "a test")
    rheas, umas = (move.way(found, step, True, who) for who in (RHEA, uma))
    assert rheas != umas and rheas == move.way(found, step, True, RHEA)
    assert found.commit(umas.commit).writers == {"rhea@quant.example", "uma@quant.example"}
    found.push({f"refs/heads/{umas.branch}": (umas.commit, None)})
    assert move.way(world.read(), step, True, RHEA) == umas == move.way(world.read(), step, True)


def test_a_target_that_is_no_ancestor_is_moved_forward(world: World) -> None:
    """After a rollback the next promotion is a forward commit with both histories and the source's tree."""
    first = world.commit("quant", "a", "1")
    second = world.commit("quant", "a", "2")
    found = world.read()
    back = found.commit_tree(found.tree(first), [second], "Roll back", RHEA, NOW)
    found.push({"refs/heads/quant_stg": (back, None)})
    found = world.read()
    step = move.Step("quant_stg", back, second, second, "Promote again", "quant")
    commit = move.way(found, step, merge_commits=False).commit
    move.push(found, step, decision(commit, back), RHEA)
    found = world.read()
    assert found.contains(found.head("quant_stg"), back) and found.contains(found.head("quant_stg"), second)
    assert found.tree(found.head("quant_stg")) == found.tree(second)


def test_a_remote_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the remote and the setting."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(UserError, match="QUANT_REMOTE"):
        read_pipelines(str(tmp_path / "none.git"))
