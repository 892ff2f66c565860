"""Rows that differ: on a terminal alone, with the rights of the caller's own role, and nowhere else."""

from __future__ import annotations

import datetime
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quantctl.errors import UserError
from quantctl.results.account import Reader
from quantctl.results.rows import Rows, need_a_terminal, read_rows, shown
from quantctl.results.statements import Question, Window
from quantctl.text.terminal import Console
from sandbox.state import State
from tests.account_sandbox import running
from tests.paths import ROOT
from tests.results_world import FIRST, LAST, TODAY, Connected, Desk, Masked, contract

DAY = datetime.date(2026, 11, 10)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The account of a sandbox of these tests' own: one value differs, and one key stands on either side alone."""
    with running(State(Path(tmp_path_factory.mktemp("rows")))) as account:
        made = Desk(account)
        made.make()
        account.sql(f"INSERT INTO QUANT.A.RETURNS VALUES ('{DAY}', 'CANARY-HERE', 0, 'desk', 0)")
        account.sql(f"INSERT INTO QUANT.B.RETURNS VALUES ('{DAY}', 'CANARY-THERE', 0, 'desk', 0)")
        account.sql(f"UPDATE QUANT.B.RETURNS SET DESK = 'CANARY-DESK' WHERE DAY = '{DAY}' AND FACTOR = 'F7'")
        account.sql("UPDATE QUANT.B.RETURNS SET RETURN = RETURN * (1 + 1e-12)")
        yield made


def rows(desk: Desk, most: int = 20, role: str = "ACCOUNTADMIN", masked: str = "") -> Rows:
    """What is read of the two tables."""
    connected: Any = Connected(desk.account, role)
    reader = Masked(masked, connected, role) if masked else Reader(connected, role, 60)
    names = ("QUANT.A.RETURNS", "QUANT.B.RETURNS")
    return read_rows(reader, Question(contract(), names, ({}, {}), TODAY, Window(FIRST, LAST)), most)


def test_rows_that_differ_are_shown_with_both_values(desk: Desk) -> None:
    """By key, each column that differs with both values, the side of a lone one; what differs by noise is no such row."""
    screen = io.StringIO()
    Console(file=screen, width=200).print(shown(rows(desk), ("quant_stg", "quant_live")))
    told = screen.getvalue()
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in told.splitlines() if "2026" in line]
    assert [line[:2] + line[-1:] for line in cells] == [
        [f"{DAY}", "CANARY-HERE", "in quant_stg alone"], [f"{DAY}", "CANARY-THERE", "in quant_live alone"],
        [f"{DAY}", "F7", ""],
    ]  # fmt: skip
    assert "CANARY-DESK" in cells[2] and "desk 1" in cells[2]
    assert len(rows(desk, most=2).rows) == 2


def test_the_account_decides_who_sees_rows(desk: Desk) -> None:
    """A role that may read neither table, or is shown masked values, is told so."""
    with pytest.raises(UserError, match="may not read it"):
        rows(desk, role="PUBLIC")
    hidden = rows(desk, masked="DESK")
    assert "DESK" not in hidden.columns and "masked" in hidden.hidden["DESK"]
    assert [row[2] for row in hidden.rows] == ["CANARY-HERE", "CANARY-THERE"]
    with pytest.raises(UserError, match="cannot be paired"):
        rows(desk, masked="FACTOR")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--output rows.txt",
        "--record",
        "--post",
        "--format json",
        "--format html",
        "--report 3f9c51d07a12",
        "--as-before",
    ],
)
def test_rows_go_nowhere_but_to_a_terminal(words: str, tmp_path: Path) -> None:
    """A pipe, a file, a record, a note: refused in words before anything is read."""
    command = [sys.executable, "-m", "quantctl.main", "results", "quant_stg", "--table", "POSITIONS", "--rows", "5"]
    done = subprocess.run(
        [*command, *words.split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "HOME": f"{tmp_path}"},
    )
    assert done.returncode == 1 and "on a terminal and nowhere else" in done.stderr and done.stdout == ""


def test_rows_are_of_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal too."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    need_a_terminal(["A"], {"--output": None})
    for tables in ([], ["A", "B"]):
        with pytest.raises(UserError, match="one table"):
            need_a_terminal(tables, {})
