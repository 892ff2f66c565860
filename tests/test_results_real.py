"""The sample, end to end: a change as declared, a failed night, a change that does more than it declares, a canary."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from tests.conftest import Team, deployed, shell
from tests.paths import ROOT

pytestmark = pytest.mark.real
JOBS = ("factor_returns", "positions_snapshot", "risk_model", "signal_report")


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A sandbox of this story's own: it moves the clock."""
    with deployed(tmp_path_factory.mktemp("results")) as made:
        yield made


def run(team: Team, persona: str, *words: str, status: int = 0) -> str:
    """quantctl as a persona; its standard output."""
    command = [sys.executable, "-m", "quantctl.main", *words]
    environ = shell(team.environ, "--as", persona)
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def results(team: Team, *words: str, status: int = 0) -> dict[str, Any]:
    """A report of quant_stg of one day, as JSON."""
    found: dict[str, Any] = json.loads(
        run(team, "release_manager", "results", *words, "--days", "1", "--format", "json", status=status)
    )
    return found


def gate(team: Team) -> dict[str, dict[str, str]]:
    """What the gates of the way to production say."""
    told = run(team, "release_manager", "promote", "quant_stg", "quant_live", "--dry-run", "--format", "json", status=3)
    return {one["name"]: one for one in json.loads(told)["gates"]}


def start(team: Team, env: str, workflow: str, **parameters: str) -> None:
    """Run a job to its end."""
    workspace = team.workspace("deployer")
    job = next(iter(workspace.jobs.list(name=f"{env} {workflow}")))
    run = workspace.jobs.run_now(job.job_id or 0, job_parameters=parameters or None).result()
    assert run.state is not None


def today(team: Team) -> str:
    """By the sandbox's clock."""
    answer = requests.get(team.environ["DATABRICKS_HOST"], timeout=10)
    return parsedate_to_datetime(answer.headers["Date"]).date().isoformat()


def sql(team: Team, env: str, statement: str) -> None:
    """A statement of an environment's service user."""
    with team.snowflake(f"service_principal:{env}") as connection:
        connection.cursor().execute(statement)


def test_the_results_of_a_promotion_are_looked_at(team: Team) -> None:
    """A report as declared, two signatures on it, a limited canary, a day that is run again, a night that failed."""
    run(team, "deployer", "sandbox", "soak", "quant_stg", "quant_lr", "quant_live", "--days", "1")
    # A change of half-life, with its declared effect.
    first = results(team, "quant_stg", "--record")
    tables = {one["table"]: one for one in first["tables"]}
    assert first["verdict"] == "as expected" and first["role"] == "QUANT_COMPARERS"
    assert tables["RISK_MODEL"]["expected"] == "changed" and tables["RISK_MODEL"]["differing"] == 5
    assert "as declared" in tables["RISK_MODEL"]["told"][0]
    assert [name for name, one in tables.items() if one["differing"]] == ["RISK_MODEL"]
    # The canary is limited, and compared with the same slice.
    canary = results(team, "quant_lr")
    limited = {one["table"]: one["rows"][0] for one in canary["tables"]}
    assert limited["FACTOR_RETURNS"] == 2 and canary["verdict"] == "as expected"
    # Two people sign off, each for somebody, on this report.
    assert gate(team)["sign-off"]["verdict"] == "no"
    digest = first["digest"][:12]
    for by, whom in (("Uma Tester", "users"), ("Olga Owner", "owner")):
        words = ("--by", by, "--for", whom, "--note", "the numbers agree", "--report", digest)
        assert f"on report {digest}" in run(team, "release_manager", "signoff", "quant_stg", *words)
    told = gate(team)
    assert told["sign-off"]["verdict"] == "yes" and "Olga Owner for owner" in told["sign-off"]["evidence"]
    assert "1 day of 3" in told["results"]["evidence"]
    # On a night a run fails in production: told apart from code.
    sql(team, "quant_live", "DELETE FROM QUANT.QUANT_LIVE.POSITIONS")
    for env in ("quant_stg", "quant_live"):
        for workflow in JOBS:
            bad = {"snowflake_schema": "NOWHERE"} if (env, workflow) == ("quant_live", "positions_snapshot") else {}
            start(team, env, workflow, **bad)
    night = results(team, "quant_stg", "--until", today(team), "--record", status=2)
    found = {one["id"]: one for one in night["findings"]}
    assert set(found) == {"POSITIONS:empty/run"} and found["POSITIONS:empty/run"]["cause"] == "run"
    assert "of positions_snapshot failed" in found["POSITIONS:empty/run"]["because"]
    # The day is run again: the report no longer says what is there.
    start(team, "quant_live", "positions_snapshot")
    evidence = gate(team)["results"]["evidence"]
    assert "is stale: positions_snapshot of quant_live was run again" in evidence


def test_a_change_that_does_more_than_it_declares_is_stopped(team: Team) -> None:
    """It also writes a table whose code has not changed: found, named, and the gate says no."""
    team.git("fetch", "-q", "origin")
    risk = team.git("show", "origin/quant_stg:src/risk_model.py").replace("HALF_LIFE_DAYS = 42", "HALF_LIFE_DAYS = 30")
    beside = 'cursor.execute(f"UPDATE {prefix}.POSITIONS SET QUANTITY = QUANTITY + 100")\n        cursor.execute(asked'
    assert "cursor.execute(asked" in risk
    team.commit(
        "quant_stg", "src/risk_model.py", risk.replace("cursor.execute(asked", beside, 1) + "\n", "Half-life of 30 days"
    )
    effect = 'why: It reacts faster.\nexpect:\n  RISK_MODEL.VOLATILITY: {relative: "<= 1"}\n'
    team.commit("quant_stg", "changes/half-life-30.yaml", effect, "Declare the half-life")
    team.up("quant_stg")
    start(team, "quant_stg", "risk_model")
    made = results(team, "quant_stg", "--until", today(team), "--record", status=2)
    [found] = made["findings"]
    assert found["id"] == "POSITIONS.QUANTITY:values" and "6 values" in found["text"]
    told = gate(team)["results"]
    assert told["verdict"] == "no"
    digest, because = made["digest"][:12], "wanted by the desk"
    words = ("--by", "Uma Tester", "--note", "as asked", "--accept", found["id"], "--because", because)
    assert f"on report {digest}" in run(team, "release_manager", "signoff", "quant_stg", *words)
    page = run(team, "release_manager", "results", "quant_stg", "--report", digest, "--format", "html", status=2)
    assert because in page and "Half-life of 30 days" in page
