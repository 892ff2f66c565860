"""The matrices of faults and kills, without the engine: which cases there are, and that a journal loses none."""

from __future__ import annotations

import collections
import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import matrix, rewound
from tests.faults import KINDS, Fault, sample
from tests.kills import SIGNALS, SITUATIONS, kills
from tests.matrix import Journal
from tests.world import leavings


def test_kills_have_equal_shares_wherever_they_are_stopped() -> None:
    """60 moments of each situation, each signal at 10; after a fifth of them a fifth of each."""
    whole, begun = list(kills(4, 0)), list(kills(4, 56))
    assert len({f"{one.situation}: {one}" for one in whole}) == len(whole) == 280
    for series, of_each, signals in ((whole, 60, 10), (begun, 12, 2)):
        killed = collections.Counter(one.situation for one in series if one.victim not in SIGNALS)
        assert killed == dict.fromkeys(SITUATIONS, of_each)
        assert [sum(one.victim == name for one in series) for name in SIGNALS] == [signals] * len(SIGNALS)


def test_moments_of_one_victim_are_spread_over_the_run() -> None:
    """In each fifth of the time there is one, for every victim that is struck ten times."""
    moments = collections.defaultdict(list)
    for one in kills(4, 0):
        moments[one.situation, one.victim].append(one.share)
    assert all({int(share * 5) for share in shares} == set(range(5)) for shares in moments.values() if len(shares) >= 10)


def test_every_kind_of_fault_strikes_every_request() -> None:
    """The whole matrix, each case once."""
    cases = sample(1, 0)
    assert len({f"{one.situation}: {one}" for one in cases}) == len(cases) == 37 * len(KINDS)


def test_a_journal_goes_on_where_a_run_was_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was judged is not run again, and still counts."""

    @contextlib.contextmanager
    def nowhere(folder: Path) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(carried_out=0)

    monkeypatch.setattr(matrix, "rewound", nowhere)
    cases, run, said = sample(1, 4), list[str](), list[str]()

    def strike(stage: object, fault: Fault) -> tuple[bool, list[str]]:
        if len(run) == 2:
            raise KeyboardInterrupt
        run.append(str(fault))
        return True, ["a job twice"] if len(run) == 1 else []

    journal = Journal(tmp_path / "journal.jsonl")
    with pytest.raises(KeyboardInterrupt):
        matrix.matrix(cases, strike, said.append, journal)
    assert run == [str(one) for one in cases[:2]]
    run.clear()
    assert matrix.matrix(cases, strike, said.append, journal) == 2
    assert run == [str(one) for one in cases[2:]]
    assert list(journal.judged().values()) == ["not whole", "whole", "not whole", "whole"]


def test_a_way_back_is_carried_out_once_for_what_is_left_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Again where something else was left, where something still runs, and where it did not help."""
    team = tmp_path / "team"
    (team / "state").mkdir(parents=True)
    monkeypatch.setattr(rewound, "control", SimpleNamespace(stop=lambda _: True, start=lambda _: None))
    whole, half, left, runs, helps = {"job a": "1"}, {"job a": "2"}, ["a record"], [False], [True]
    there = [half]

    def quantctl(*words: str) -> SimpleNamespace:
        if words[0] == "up" and helps[0]:
            there[0] = whole
        return SimpleNamespace(returncode=2 if words[0] == "drift" else 0, stdout="", stderr="")

    monkeypatch.setattr(rewound, "world", lambda _: there[0])
    monkeypatch.setattr(rewound, "leavings", lambda _: list(left))
    monkeypatch.setattr(rewound, "engine_runs", lambda _: runs[0])
    shell: Any = SimpleNamespace(clone=team / "pipelines", environ={"QUANT_SANDBOX": str(team / "state")}, quantctl=quantctl)
    stage = rewound.Rewound(shell, tmp_path / "kept")

    def judged() -> tuple[list[str], int]:
        there[0] = half
        return stage.made_whole(rewound.Scene(("up", "quant_stg", "--yes"), {}, whole, 1.0, whole), 1, ""), stage.carried_out

    assert [judged(), judged()] == [([], 1), ([], 1)]
    left.append("another")
    assert [judged(), judged()] == [([], 2), ([], 2)]
    runs[0] = True
    assert judged() == ([], 3)
    runs[0], helps[0] = False, False
    left.clear()
    assert [judged()[1], judged()[1]] == [4, 5]
    assert judged()[0] == ["job a: 2 (expected 1)"]


def test_what_a_run_leaves_is_more_than_tables(tmp_path: Path) -> None:
    """A record in Git, how an update ended, a lock of Git's and a file that was cut short: each tells two runs apart."""
    remote, history = tmp_path / "remote.git", tmp_path / "pulumi/.pulumi/history/quant/quant_stg"
    history.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    seen = [leavings(tmp_path)]
    (history / "quant_stg-1.history.json").write_text('{"kind": "update", "result": "failed"}')
    seen.append(leavings(tmp_path))
    (history / "quant_stg-2.checkpoint.json").touch()
    seen.append(leavings(tmp_path))
    (remote / "index.lock").touch()
    seen.append(leavings(tmp_path))
    git = ["git", "-C", str(remote), "-c", "user.name=Dana", "-c", "user.email=dana@quant.example"]

    def made(*words: str) -> str:
        return subprocess.run([*git, *words], input="", capture_output=True, text=True, check=True).stdout.strip()

    tree = made("mktree")
    for name in ("20261126T050025Z-a4db29879de9", "20261126T060025Z-e5883efc096c"):
        made("tag", "-m", "x", f"promotion/quant_stg/{name}", made("commit-tree", "-m", name, tree))
        seen.append(leavings(tmp_path))
    assert [len(one) for one in seen] == [0, 1, 2, 3, 4, 5]
    assert seen[-1].count(f"promotion/quant_stg/ {tree}") == 2
