"""The matrices of faults and kills, without the engine: which cases there are, and that a journal loses none."""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import matrix
from tests.faults import KINDS, Fault, sample
from tests.kills import SIGNALS, SITUATIONS, kills
from tests.matrix import Journal


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
    assert len({f"{one.situation}: {one}" for one in cases}) == len(cases) == 31 * len(KINDS)


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
