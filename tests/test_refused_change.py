"""A change that the account refused is not taken for done: it is told first, and tried again, until it is so."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.conftest import Team
from tests.ways_out import carry_out, the_way

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


def _is_tried_again(team: Team) -> None:
    done = team.quantctl("up", "quant_lr", "--yes")
    assert done.returncode != 0 and not managed(team), done.stdout + done.stderr
    assert "Insufficient privileges to operate on schema" in done.stdout + done.stderr
    assert 'ALTER SCHEMA "QUANT"."QUANT_LR" ENABLE MANAGED ACCESS' in done.stdout + done.stderr


def test_managed_access_that_was_refused_is_told_first_and_tried_again(team: Team, turned_off: None) -> None:
    """Not one update ends well before it is on; each says in one line, and first, what the account refused."""
    first = team.pulumi("up", "--refresh", "--yes", "--skip-preview", "-s", "quant_lr")
    assert first.returncode != 0 and not managed(team)
    shown = team.quantctl("preview", "quant_lr")
    lines = [line for line in shown.stdout.splitlines() if line.strip()]
    told = [number for number, line in enumerate(lines) if "the last update of schema failed" in line]
    assert told and "quantctl up quant_lr" in lines[told[0]], shown.stdout
    _is_tried_again(team)
    for _ in range(2):  # the provider compares with what was wanted, and has nothing to do: the program says so
        blind = team.pulumi("up", "--yes", "--skip-preview", "-s", "quant_lr")
        assert blind.returncode != 0 and not managed(team)
        assert f"{SCHEMA} has no managed access: the account refused to turn it on" in blind.stdout
        assert "unhandled" not in blind.stdout and "Traceback" not in blind.stdout, blind.stdout
    looked = team.pulumi("preview", "-s", "quant_lr")
    assert looked.returncode == 0 and "warning: QUANT.QUANT_LR has no managed access" in looked.stdout
    told = json.loads(team.quantctl("drift", "quant_lr", "--format", "json").stdout)["environments"][0]["findings"]
    assert [one["property"] for one in told] == ["last update", "withManagedAccess"] and told[1]["real"] == "false"
    _is_tried_again(team)
    still = team.pulumi("up", "--yes", "--skip-preview", "-s", "quant_lr")
    sql(team, f"ALTER SCHEMA {SCHEMA} ENABLE MANAGED ACCESS")
    done = carry_out(the_way(still.stdout, "up"), team.environ)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the last update of schema failed" not in team.quantctl("preview", "quant_lr").stdout
