"""What a comparison costs: statements, seconds and memory of the client, at 100,000 and at a million rows a side.

`pytest -m clients tests/test_results_scale.py -s` prints the figures of docs/results.md, beside what other tools do.
"""

from __future__ import annotations

import datetime
import gc
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.state import State
from tests.account_sandbox import running
from tests.results_world import FIRST, Desk

pytestmark = pytest.mark.clients
TWENTY = FIRST + datetime.timedelta(days=19)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A sandbox of these tests' own."""
    with running(State(Path(tmp_path_factory.mktemp("scale")))) as account:
        yield Desk(account)


def cost(desk: Desk, rows: int) -> tuple[int, float, int]:
    """Statements, seconds, and the most memory in bytes that the client takes for the pair."""
    desk.make(rows=rows // 20)
    desk.account.sql("UPDATE QUANT.B.RETURNS SET RETURN = RETURN * 1.01 WHERE MOD(HELD, 700) = 0")
    desk.looked(whole=True)  # what is loaded once
    peaks = []
    for _ in range(5):  # the least of them: garbage that happens to be there at the peak is not the client's need
        gc.collect()
        tracemalloc.start()
        began = time.monotonic()
        looked = desk.looked(whole=True)
        seconds = time.monotonic() - began
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert looked.figures is not None and looked.figures.whole.rows == (rows, rows)
    return len(desk.sent), seconds, min(peaks)


def test_the_clients_memory_does_not_grow_with_the_rows(desk: Desk) -> None:
    """Three statements either way, and memory within a tenth: what comes back is a row a day."""
    small, large = cost(desk, 100_000), cost(desk, 1_000_000)
    for name, (statements, seconds, peak) in (("100,000", small), ("1,000,000", large)):
        print(f"{name} rows a side: {statements} statements, {seconds:.1f} s, {peak / 1024:.0f} KB of the client")
    print(f"ten times the rows: {large[1] / small[1]:.1f} times the seconds, {large[2] / small[2]:.2f} times the memory")
    assert small[0] == large[0] == 3
    assert abs(large[2] - small[2]) <= 0.1 * small[2]


def test_the_same_data_has_the_same_digest_a_hundred_times(desk: Desk) -> None:
    """Whatever the account does at once."""
    desk.make()
    desk.account.sql("UPDATE QUANT.B.RETURNS SET RETURN = RETURN * 1.01 WHERE MOD(HELD, 700) = 0")
    assert len({desk.report().digest for _ in range(100)}) == 1
