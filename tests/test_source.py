"""Git: branch heads and files at a commit, from a real repository."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from infra.errors import UserError
from infra.outside.branch import take_snapshot


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit on branch quant, and a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    work = tmp_path / "work"
    work.mkdir()
    git(work, "init", "-q", "-b", "quant")
    commit(work, "a.py", "one")
    return work


def git(work: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t.example"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=work, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(work: Path, name: str, content: str) -> str:
    (work / name).write_text(content)
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", content)
    return git(work, "rev-parse", "HEAD")


def test_a_moved_branch_is_seen(remote: Path) -> None:
    """Each snapshot names the head of now, and reads the files of exactly that commit."""
    first = take_snapshot(str(remote), "quant")
    moved = commit(remote, "a.py", "two")
    second = take_snapshot(str(remote), "quant")
    assert (second.commit, second.read(["a.py"]), first.read(["a.py"])) == (moved, {"a.py": b"two"}, {"a.py": b"one"})
    assert second.contains(first.commit)


def test_branches_that_are_looked_at_at_once_are_not_mixed_up(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several threads of one process bring several branches into an empty cache; each gets its own."""
    names = [f"b{number}" for number in range(6)]
    heads = {}
    for name in names:
        git(remote, "checkout", "-q", "-b", name, "quant")
        heads[name] = commit(remote, "a.py", name)
    for round_ in range(5):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / f"cache{round_}"))
        with ThreadPoolExecutor(len(names)) as pool:
            found = list(pool.map(lambda name: take_snapshot(str(remote), name), names))
            known = list(pool.map(found[0].tree_anywhere, [one.commit for one in found]))
        assert {one.branch: one.commit for one in found} == heads
        assert [one is not None for one in known] == [True] * len(names)


def test_whether_a_branch_holds_a_commit_is_unknown_where_the_host_is_silent(remote: Path) -> None:
    """It is not "on no branch"."""
    snapshot = take_snapshot(str(remote), "quant")
    head = commit(remote, "a.py", "two")
    remote.rename(remote.with_name("elsewhere"))
    with pytest.raises(UserError, match="cannot be read"):
        snapshot.tree_anywhere(head)


def test_rewritten_history_is_seen(remote: Path) -> None:
    """A head that does not descend from the deployed commit does not contain it."""
    old = take_snapshot(str(remote), "quant").commit
    git(remote, "commit", "-q", "--amend", "-m", "rewritten")
    assert not take_snapshot(str(remote), "quant").contains(old)


def test_a_missing_branch_says_what_to_push(remote: Path) -> None:
    """The message names the branch, the remote's setting, and the push that fixes it."""
    with pytest.raises(UserError, match=r"'quant_lr' does not exist.*QUANT_REMOTE.*git push"):
        take_snapshot(str(remote), "quant_lr")


def test_an_unreachable_remote_names_the_setting(remote: Path) -> None:
    """A remote that is not there is told with the setting that points at it, and without a password."""
    with pytest.raises(UserError, match="QUANT_REMOTE") as raised:
        take_snapshot("http://me:hunter2@127.0.0.1:9/x.git", "quant")
    assert "hunter2" not in str(raised.value)


_QUESTIONS = ("ls-remote", "fetch", "cat-file", "update-ref", "init", "ls-tree", "merge-base", "rev-list")


def test_a_head_that_is_known_is_not_fetched_again(remote: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview of an unmoved branch costs one question of the remote, and none about the commit that it is at."""
    first = take_snapshot(str(remote), "quant")
    asked: list[str] = []
    real = subprocess.Popen

    def counted(command: list[str], **options: Any) -> Any:
        asked.append(next(word for word in command if word in _QUESTIONS))
        return real(command, **options)

    monkeypatch.setattr(subprocess, "Popen", counted)
    second = take_snapshot(str(remote), "quant")
    assert second.commit == first.commit
    assert asked == ["ls-remote", "update-ref"]
    assert second.contains(first.commit) and second.ahead_of(first.commit) == 0
    assert second.tree_at(first.commit) == second.tree_at(first.commit) == second.tree
    assert asked == ["ls-remote", "update-ref", "ls-tree"]


def test_a_commit_comes_whole_or_not_at_all(remote: Path) -> None:
    """Two stacks read one cache, and a fetch may be killed: no commit is there before its files are. An old cache too."""
    repository = take_snapshot(str(remote), "quant").repository
    assert git(repository, "config", "--unset", "fetch.unpackLimit") == ""
    commit(remote, "a.py", "two")
    assert take_snapshot(str(remote), "quant").repository == repository
    counted = dict(line.split(": ") for line in git(repository, "count-objects", "-v").splitlines())
    assert (counted["count"], counted["packs"]) == ("0", "2"), counted


def test_a_host_that_is_silent_is_given_up(remote: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that takes the connection and never answers is told in seconds."""
    monkeypatch.setattr("infra.outside.git.ANSWER_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.git"
        with pytest.raises(UserError, match=r"no answer in 1 s.*QUANT_REMOTE"):
            take_snapshot(url, "quant")
        # Nor does the helper that git talks through go on behind it.
        assert ends(lambda: any(url in command for command in commands()))


def commands() -> Iterator[str]:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            yield file.read_text(errors="replace")


def ends(still: Callable[[], bool]) -> bool:
    """Whether something ends within 5 seconds: a process that was killed is there for a moment longer."""
    for _ in range(100):
        if not still():
            return True
        time.sleep(0.05)
    return False


def test_a_branch_is_not_taken_for_one_that_ends_alike(remote: Path) -> None:
    """refs/heads/x/refs/heads/quant is another branch."""
    git(remote, "branch", "x/refs/heads/quant")
    head = commit(remote, "a.py", "two")
    assert take_snapshot(str(remote), "quant").commit == head


def test_a_cache_that_cannot_be_written_is_told(remote: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the folder and the variable that moves it."""
    (remote / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(remote / "file"))
    with pytest.raises(UserError, match="XDG_CACHE_HOME"):
        take_snapshot(str(remote), "quant")
