"""A change that the account refused is not taken for done: it is told first, and tried again, until it is so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Team

pytestmark = pytest.mark.real
SCHEMA = "QUANT.QUANT_LR"


@pytest.fixture
def turned_off(team: Team) -> Iterator[None]:
    """Managed access was turned off by hand; only an account administrator can turn it on again."""
    sql(team, f"ALTER SCHEMA {SCHEMA} DISABLE MANAGED ACCESS")
    yield
    sql(team, f"ALTER SCHEMA {SCHEMA} ENABLE MANAGED ACCESS")
    team.up("quant_lr")
    assert team.changes("quant_lr") == {}


def sql(team: Team, statement: str) -> None:
    with team.snowflake("admin") as account:
        account.cursor().execute(statement)


def managed(team: Team) -> bool:
    with team.snowflake("admin") as account:
        cursor = account.cursor()
        rows = cursor.execute("SHOW SCHEMAS IN DATABASE QUANT").fetchall()
        names = [column.name for column in cursor.description]
    [row] = [dict(zip(names, row, strict=True)) for row in rows if "QUANT_LR" in row]
    return "MANAGED ACCESS" in str(row["options"])


def test_managed_access_that_was_refused_is_told_first_and_tried_again(team: Team, turned_off: None) -> None:
    """Not one update ends well before it is on; each says in one line, and first, what the account refused."""
    first = team.pulumi("up", "--refresh", "--yes", "--skip-preview", "-s", "quant_lr")
    assert first.returncode != 0 and not managed(team)
    shown = team.quantctl("preview", "quant_lr")
    lines = [line for line in shown.stdout.splitlines() if line.strip()]
    told = [number for number, line in enumerate(lines) if "the last update of schema failed" in line]
    assert told and "quantctl up quant_lr" in lines[told[0]], shown.stdout
    for done in (
        team.quantctl("up", "quant_lr", "--yes"),
        team.quantctl("up", "quant_lr", "--yes"),
        team.pulumi("up", "--refresh", "--yes", "--skip-preview", "-s", "quant_lr"),
    ):
        assert done.returncode != 0 and not managed(team), done.stdout + done.stderr
        assert "Insufficient privileges to operate on schema" in done.stdout + done.stderr
    assert (
        "The last update of schema in quant_lr was refused, and is tried again" in team.quantctl("repair", "quant_lr").stdout
    )
    sql(team, f"ALTER SCHEMA {SCHEMA} ENABLE MANAGED ACCESS")
    done = team.quantctl("up", "quant_lr", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the last update of schema failed" not in team.quantctl("preview", "quant_lr").stdout
