"""The sample, end to end: a change as declared, a release, a failed night, a change beyond what it declares, a way back."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import clock
from tests.conftest import Team, deployed
from tests.promotion_stage import Stage

pytestmark = pytest.mark.real
JOBS = ("factor_returns", "positions_snapshot", "risk_model", "signal_report")
GATES = {
    "quant_stg -> quant_live": {
        "soakDays": 1, "successfulRuns": 1, "approvals": 1, "resultsDays": 1, "stakeholders": ["users", "owner"],
    },
}  # fmt: skip
CANARY = "CANARYINSTRUMENT"


@dataclass(frozen=True)
class Story:
    """A team with its project, and what it does in it."""

    team: Team
    stage: Stage
    project: Path

    def run(self, *words: str, status: int = 0, persona: str = "release_manager") -> str:
        """quantctl as a persona; its standard output."""
        done = self.done(*words, persona=persona)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def done(self, *words: str, persona: str = "release_manager") -> subprocess.CompletedProcess[str]:
        """The same, however it ends."""
        environ = self.stage.environ(self.project, "--as", persona)
        command = [sys.executable, "-m", "quantctl.main", *words]
        return subprocess.run(
            command, cwd=self.project, env=environ, capture_output=True, text=True, timeout=1200, check=False
        )

    def results(self, *words: str, status: int = 0) -> dict[str, Any]:
        """A report of one day, as JSON."""
        found: dict[str, Any] = json.loads(self.run("results", *words, "--days", "1", "--format", "json", status=status))
        return found

    def gate(self) -> dict[str, dict[str, str]]:
        """What the gates of the way to production say, which stops."""
        told = self.run("promote", "quant_stg", "quant_live", "--dry-run", "--format", "json", status=3)
        return {one["name"]: one for one in json.loads(told)["gates"]}

    def start(self, env: str, *workflows: str, **parameters: str) -> None:
        """Run jobs to their end."""
        workspace = self.team.workspace("deployer")
        for workflow in workflows:
            job = next(iter(workspace.jobs.list(name=f"{env} {workflow}")))
            run = workspace.jobs.run_now(job.job_id or 0, job_parameters=parameters or None).result()
            assert run.state is not None

    @property
    def today(self) -> str:
        """By the sandbox's clock."""
        answer = requests.get(self.team.environ["DATABRICKS_HOST"], timeout=10)
        return parsedate_to_datetime(answer.headers["Date"]).date().isoformat()

    def sql(self, env: str, statement: str) -> None:
        """A statement of an environment's service user."""
        with self.team.snowflake(f"service_principal:{env}") as connection:
            connection.cursor().execute(statement)

    def on_a_terminal(self, *words: str, reader: str = "") -> tuple[int, str]:
        """quantctl on a terminal of its own, in Snowflake as `reader`: exit status, and what it showed."""
        environ = {**self.stage.environ(self.project, "--as", "release_manager"), "COLUMNS": "200"}
        if reader:
            who = self.team.credentials[reader]
            key = Path(who["snowflake_key_file"]).read_text()
            names = {"USER": who["snowflake_user"], "ROLE": who["snowflake_role"], "PRIVATE_KEY": key}
            environ |= {f"SNOWFLAKE_{name}": value for name, value in names.items()}
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "quantctl.main", *words]
        process = subprocess.Popen(command, cwd=self.project, env=environ, stdout=theirs, stderr=theirs)
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:  # on Linux the end of a terminal whose other side is closed
            pass
        os.close(ours)
        return process.wait(), shown.decode()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A sandbox of this story's own: it moves the clock."""
    folder = tmp_path_factory.mktemp("results")
    with deployed(folder) as team:
        state = Path(team.environ["QUANT_SANDBOX"])
        moment = time.time() + clock.ahead(state)
        clock.forward(state, clock.DAY - moment % clock.DAY)  # a day begins: the story does not cross midnight
        stage = Stage(team, folder)
        project = stage.project("own", GATES)
        file = project / "Pulumi.quant_lr.yaml"
        limited = '"MARKET,SIZE"}'
        assert limited in file.read_text()
        file.write_text(file.read_text().replace(limited, f"{limited}, baseline: true"))
        yield Story(team, stage, project)


def test_a_change_is_released_on_its_results(story: Story) -> None:
    """A half-life with its declared effect: a report, a limited canary, two signatures, the release, its note."""
    story.run("sandbox", "soak", "quant_stg", "quant_lr", "quant_live", "--days", "1", persona="deployer")
    first = story.results("quant_stg", "--record")
    tables = {one["table"]: one for one in first["tables"]}
    assert first["verdict"] == "as expected" and first["role"] == "QUANT_COMPARERS"
    assert tables["RISK_MODEL"]["expected"] == "changed" and tables["RISK_MODEL"]["differing"] == 5
    assert "as declared" in tables["RISK_MODEL"]["told"][0]
    assert [name for name, one in tables.items() if one["differing"]] == ["RISK_MODEL"]
    # The canary is limited, and compared with the same slice.
    canary = story.results("quant_lr")
    limited = {one["table"]: one for one in canary["tables"]}
    assert limited["FACTOR_RETURNS"]["rows"][0] == 2 and canary["verdict"] == "as expected"
    assert limited["RISK_MODEL"]["differing"] == 2 and "as declared" in limited["RISK_MODEL"]["told"][0]
    # Two people sign off, each for somebody, on this report.
    digest = first["digest"][:12]
    for number, (by, whom) in enumerate((("Uma Tester", "users"), ("Olga Owner", "owner"))):
        asked = story.gate()["sign-off"]
        assert asked["verdict"] == "no" and (number == 0 or "missing: owner" in asked["evidence"])
        words = ("--by", by, "--for", whom, "--note", "the numbers agree", "--report", digest)
        assert f"on report {digest}" in story.run("signoff", "quant_stg", *words)
    told = story.gate()
    assert told["sign-off"]["verdict"] == told["results"]["verdict"] == "yes"
    assert "Olga Owner for owner" in told["sign-off"]["evidence"]
    # It is released, and users are told what it changed.
    story.run("approve", "quant_live", "--from", "quant_stg", persona="reviewer")
    story.run("promote", "quant_stg", "quant_live", "--yes")
    note = story.run("release-note", "quant_live", persona="support")
    wanted = (
        "# quant_live: promotion", "from quant_stg", "The half-life of a return is 42 days", "`RISK_MODEL.VOLATILITY`",
        "`RISK_MODEL`: 100% of VOLATILITY differ (median ", "unchanged: `FACTOR_RETURNS`, `POSITIONS`, `PRICES`", digest,
        "Uma Tester for users: the numbers agree", "Olga Owner for owner", "Risk model: half-life of 42 days",
        "quantctl rollback quant_live",
    )  # fmt: skip
    assert [one for one in wanted if one not in note] == []
    first_one = json.loads(story.run("history", "quant_live", "--format", "json"))[-1]["commit"]
    together = story.run("release-note", "quant_live", "--since", first_one[:12])
    assert "1 release since" in together and "RISK_MODEL.VOLATILITY" in together and "together at most" in together


def test_a_failed_night_is_told_apart_from_code(story: Story) -> None:
    """A run fails in production; run again, everything is as expected, and the report is kept."""
    story.sql("quant_live", "DELETE FROM QUANT.QUANT_LIVE.POSITIONS")
    for env in ("quant_stg", "quant_live"):
        story.start(env, *(one for one in JOBS if (env, one) != ("quant_live", "positions_snapshot")))
    story.start("quant_live", "positions_snapshot", snowflake_schema="NOWHERE")
    night = story.results("quant_stg", "--until", story.today, status=2)
    [found] = night["findings"]
    assert (found["id"], found["cause"]) == ("POSITIONS:empty/run", "run")
    assert "of positions_snapshot failed" in found["because"]
    story.start("quant_live", "positions_snapshot")
    assert story.results("quant_stg", "--until", story.today, "--record")["verdict"] == "as expected"


def test_a_change_that_does_more_than_it_declares_is_stopped(story: Story) -> None:
    """It also writes a table whose code has not changed: found, named, stopped; accepted by name, until a day runs again."""
    team = story.team
    team.git("fetch", "-q", "origin")
    risk = team.git("show", "origin/quant_stg:src/risk_model.py").replace("HALF_LIFE_DAYS = 42", "HALF_LIFE_DAYS = 30")
    beside = 'cursor.execute(f"UPDATE {prefix}.POSITIONS SET QUANTITY = QUANTITY + 100")\n        cursor.execute(asked'
    assert "cursor.execute(asked" in risk
    team.commit(
        "quant_stg", "src/risk_model.py", risk.replace("cursor.execute(asked", beside, 1) + "\n", "Half-life of 30 days"
    )
    effect = 'why: It reacts faster.\nexpect:\n  RISK_MODEL.VOLATILITY: {relative: "<= 1"}\n'
    team.commit("quant_stg", "changes/half-life-30.yaml", effect, "Declare the half-life")
    story.run("up", "quant_stg", "--yes", persona="deployer")
    story.start("quant_stg", "risk_model")
    # Both signed for the commit before: nothing that was recorded or signed holds for this one.
    moved = story.gate()
    assert moved["sign-off"]["verdict"] == moved["results"]["verdict"] == "no"
    assert "no report of this commit is recorded" in moved["results"]["evidence"]
    made = story.results("quant_stg", "--until", story.today, "--record", status=2)
    [found] = made["findings"]
    assert found["id"] == "POSITIONS.QUANTITY:values" and "6 values" in found["text"]
    stopped = story.gate()["results"]
    assert stopped["verdict"] == "no" and found["id"] in stopped["evidence"]
    digest, because = made["digest"][:12], "wanted by the desk"
    words = ("--by", "Uma Tester", "--note", "as asked", "--accept", found["id"], "--because", because)
    assert f"on report {digest}" in story.run("signoff", "quant_stg", *words)
    assert because in story.gate()["results"]["evidence"]
    page = story.run("results", "quant_stg", "--report", digest, "--format", "html", status=2)
    assert because in page and "Half-life of 30 days" in page
    # A day of the window is run again: the report no longer says what is there, and the sign-off counts no more.
    story.start("quant_live", "positions_snapshot")
    told = story.gate()
    assert "is stale: positions_snapshot of quant_live was run again" in told["results"]["evidence"]
    assert told["sign-off"]["verdict"] == "no" and "names this report" in told["sign-off"]["evidence"]


def test_rows_are_seen_on_a_terminal_and_stay_there(story: Story) -> None:
    """By whom the account lets read both; not by the deployer; in no format, record or note."""
    story.sql(
        "quant_stg",
        f"INSERT INTO QUANT.QUANT_STG.POSITIONS (DAY, INSTRUMENT, QUANTITY) VALUES ('{story.today}', '{CANARY}', 1)",
    )
    asked = ("results", "quant_stg", "--days", "1", "--until", story.today)
    status, shown = story.on_a_terminal(*asked, "--table", "POSITIONS", "--rows", "20", reader="release_manager")
    assert status == 0 and CANARY in shown and "in quant_stg alone" in shown and "FOXTROT" in shown, shown
    status, shown = story.on_a_terminal(*asked, "--table", "POSITIONS", "--rows", "20")
    assert status == 1 and "as QUANT_DEPLOYER: " in shown and "Insufficient privileges" in shown and CANARY not in shown
    artefacts = [story.run(*asked, "--format", one, status=2) for one in ("table", "json", "markdown", "html")]
    story.run(*asked, "--record", status=2)
    story.team.git("fetch", "-q", "--tags", "origin")
    artefacts.append(story.team.git("for-each-ref", "--format=%(contents)", "refs/tags"))
    for text in artefacts:
        assert "extra-keys" in text
        assert [value for value in (CANARY, "FOXTROT") if value in text] == []


def test_a_rollback_is_verified_by_its_results(story: Story) -> None:
    """Until the jobs have run again the tables are not as they were; then they are."""
    story.run("rollback", "quant_stg", "--yes")
    assert "HALF_LIFE_DAYS = 42" in story.team.file("/quant_stg/src/risk_model.py")
    asked = ("results", "quant_stg", "--days", "1", "--until", story.today, "--as-before")
    done = story.done(*asked)
    assert done.returncode == 2 and "Not as in report" in done.stderr, done.stderr
    assert "POSITIONS: 100% of QUANTITY differ, 0% did" in done.stderr and "RISK_MODEL" in done.stderr
    story.sql("quant_stg", f"DELETE FROM QUANT.QUANT_STG.POSITIONS WHERE INSTRUMENT = '{CANARY}'")
    story.start("quant_stg", "risk_model", "positions_snapshot")
    done = story.done(*asked)
    assert done.returncode == 0 and "As before: every table stands to quant_live as in report" in done.stderr, done.stderr


def test_what_depends_on_everything_is_compared_with_a_baseline(story: Story) -> None:
    """The same code makes other numbers where it is limited, so a slice lies; production's code with the limit does not."""
    team = story.team
    team.git("fetch", "-q", "origin")
    risk = team.git("show", "origin/quant_live:src/risk_model.py")
    rows = "rows = [(args.day.isoformat(), factor, volatility(returns[factor])) for factor in wanted]"
    assert rows in risk
    share = (
        "whole = sum(row[2] for row in rows)\n        rows = [(day, factor, value / whole) for day, factor, value in rows]"
    )
    risk = risk.replace(rows, f"{rows}\n        {share}") + "\n"
    for env in ("quant_lr", "quant_live"):
        team.commit(env, "src/risk_model.py", risk, "Volatilities as shares of all")
        story.run("up", env, "--yes", persona="deployer")
        story.start(env, "factor_returns", "risk_model")
    asked = ("results", "quant_lr", "--days", "1", "--until", story.today, "--table", "RISK_MODEL", "--format", "json")
    [found] = json.loads(story.run(*asked, status=2))["findings"]
    assert found["id"] == "RISK_MODEL.VOLATILITY:values" and found["cause"] == "inputs"
    file = "contracts/risk_model.odcs.yaml"
    day = "{property: quant.day,"
    text = team.git("show", f"origin/quant_lr:{file}")
    text = text.replace(day, f"{{property: quant.baseline, value: true}}\n      - {day}")
    team.commit("quant_lr", file, f"{text}\n", "A baseline")
    story.run("up", "quant_lr", "--yes", persona="deployer")
    [before] = json.loads(story.run(*asked, status=1))["findings"]
    assert before["level"] == "unknown" and "QUANT_LR_BASE" in before["text"]
    for of in ([], ["--day", story.today]):  # yesterday's first: what the code keeps from day to day begins there
        told = story.run("baseline", "quant_lr", *of, persona="deployer")
        assert told.count("success") == 2, told
    assert json.loads(story.run("drift", "quant_lr", "--format", "json", persona="deployer"))
    made = json.loads(story.run(*asked))
    [table] = made["tables"]
    assert made["verdict"] == "as expected" and table["baseline"] and table["rows"] == [2, 2] and table["expected"] == "same"
    assert all(one.path != "/quant_lr_base" for one in team.workspace("deployer").workspace.list("/"))
