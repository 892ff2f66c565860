"""Beside other people's tools, on the same tables: what each says, sends and takes. `pytest -m clients`.

The table of docs/results.md is what this test found: words and statements must be the same, seconds and megabytes be of the
same order. WRITE_FIGURES=1 writes it anew.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.state import State
from tests.account_sandbox import Account, running
from tests.paths import ROOT
from tests.results_world import Desk

pytestmark = pytest.mark.clients
_DOC = ROOT / "docs" / "results.md"
_BETWEEN = re.compile(r"(?<=<!-- beside -->\n).*?(?=<!-- end of beside -->)", re.S)
_PACKAGES = {
    "datacompy": ["datacompy==1.1.0", "snowflake-connector-python<5"],
    "reladiff": ["reladiff==0.6.0", "snowflake-connector-python<5", "cryptography"],
}
_ROWS = 100_000
_PAIRS = {
    "NOISE": ("noise of 1e-12", "UPDATE {} SET RETURN = RETURN * (1 + 1e-12)"),
    "PERCENT": ("1 % in one row of seven", "UPDATE {} SET RETURN = RETURN * 1.01 WHERE MOD(HELD, 700) = 0"),
    "MISSING": ("three keys missing", "DELETE FROM {} WHERE FACTOR = 'F7' AND DAY < '2026-11-04'"),
    "DOUBLE": ("one key twice", "INSERT INTO {} SELECT * FROM {} WHERE FACTOR = 'F7' AND DAY = '2026-11-04'"),
}
_TICKS = os.sysconf("SC_CLK_TCK")


def test_what_other_tools_say_of_the_same_tables(tmp_path: Path) -> None:
    """And what it costs: the client's processor and memory, and the account's processor."""
    with running(State(tmp_path / "state")) as account:
        _tables(account)
        found = {
            tool: {pair: _compared(account, _python(tool, tmp_path), tool, pair) for pair in _PAIRS}
            for tool in ("quantctl", *_PACKAGES)
        }
    table = _table(found)
    before = _DOC.read_text()
    [kept] = _BETWEEN.findall(before)
    if os.environ.get("WRITE_FIGURES"):
        _DOC.write_text(_BETWEEN.sub(lambda _: table, before))
    else:
        assert _words(table) == _words(kept)
        for here, there in zip(_figures(table), _figures(kept), strict=True):
            assert here <= 3 * there + 1 and there <= 3 * here + 1, (table, kept)


def _tables(account: Account) -> None:
    desk = Desk(account)
    desk.make(rows=_ROWS // 20)
    for schema in ("BASE", *_PAIRS):
        account.sql(f"CREATE SCHEMA QUANT.{schema}")
        name = f"QUANT.{schema}.RETURNS"
        account.sql(f"CREATE TABLE {name} AS SELECT * FROM QUANT.A.RETURNS")
        if schema in _PAIRS:
            account.sql(_PAIRS[schema][1].replace("{}", name))
        account.sql(
            f"CREATE VIEW QUANT.{schema}.TEXTED AS SELECT DAY::VARCHAR AS DAY, FACTOR, RETURN, DESK, HELD FROM {name}"
        )


def _python(tool: str, tmp_path: Path) -> str:
    """The interpreter of an environment that has the tool, made once."""
    if tool not in _PACKAGES:
        return sys.executable
    folder, uv = tmp_path / tool, shutil.which("uv")
    assert uv is not None, "uv makes the environments of the clients"
    if not folder.exists():
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(folder)], check=True)
        subprocess.run(
            [uv, "pip", "install", "-q", "--python", str(folder / "bin" / "python"), *_PACKAGES[tool]], check=True
        )
    return str(folder / "bin" / "python")


def _compared(account: Account, python: str, tool: str, pair: str) -> dict[str, Any]:
    where = [account.endpoints.host, str(account.endpoints.snowflake_port), str(account.state.key_file("ada"))]
    environ = os.environ | ({"PYTHONPATH": str(ROOT)} if tool == "quantctl" else {})
    before = _processor(account.endpoints.pid)
    command = [python, str(ROOT / "tests" / "clients" / "compare.py"), tool, *where, pair]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout.splitlines()[-1]), "account": _processor(account.endpoints.pid) - before}


def _processor(pid: int) -> float:
    """Seconds that a process has taken of the processors. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html"""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _table(found: dict[str, dict[str, dict[str, Any]]]) -> str:
    rows = [["", *found], ["---"] * (len(found) + 1)]
    rows += [[what, *(one[pair]["says"] for one in found.values())] for pair, (what, _) in _PAIRS.items()]
    for what, key, form in (
        ("statements", "statements", "{:.0f}"), ("seconds of the client's processor", "seconds", "{:.1f}"),
        ("seconds of the account's", "account", "{:.1f}"), ("megabytes of the client", "megabytes", "{:.0f}"),
    ):  # fmt: skip
        rows.append([what, *(form.format(max(each[key] for each in one.values())) for one in found.values())])
    return "".join(["\n", *(f"| {' | '.join(row)} |\n" for row in rows), "\n"])


def _words(table: str) -> list[str]:
    """All but the lines of seconds and megabytes."""
    return [line for line in table.splitlines() if not line.startswith(("| seconds", "| megabytes"))]


def _figures(table: str) -> list[float]:
    lines = [line for line in table.splitlines() if line.startswith(("| seconds", "| megabytes"))]
    return [float(cell) for line in lines for cell in line.split("|")[2:-1]]
