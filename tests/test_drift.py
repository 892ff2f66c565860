"""Drift with the real engine, on a system that somebody changes by hand with clients that nobody here wrote."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel
from databricks.sdk.service.jobs import CronSchedule, JobSettings, SparkPythonTask, Task
from databricks.sdk.service.workspace import AclPermission, ImportFormat

from quantctl import drift
from quantctl.drift.grants import HANDS_ON
from quantctl.drift.steps import Checkpoint, Refresh
from quantctl.engine import refresh as engine
from quantctl.keys.pair import new_pair
from tests.conftest import Team, git_folder

pytestmark = pytest.mark.real
EDDIE = "eddie@quant.example"
LIVE_PRINCIPAL = "00000000-0000-4000-8000-000000000004"
ALL = ["quant", "quant_stg", "quant_lr", "quant_live"]


def run(team: Team, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """`quantctl drift --format json`: exit status, environments by name, what was told meanwhile."""
    done = team.quantctl("drift", *arguments, "--format", "json")
    assert done.stdout, done.stderr
    said = json.loads(done.stdout)
    assert said["exit_status"] == done.returncode
    return done.returncode, {each["environment"]: each for each in said["environments"]}, done.stderr


def words(environment: dict[str, Any], kind: str = "drift") -> set[str]:
    """What an environment's findings of a class say."""
    return {
        f"{f['resource']} | {f['property']} | {f['declared']} -> {f['real']}"
        for f in environment["findings"]
        if f["class"] == kind
    }


def sql(team: Team, persona: str, *statements: str) -> None:
    with team.snowflake(persona) as connection:
        for statement in statements:
            connection.cursor().execute(statement)


def repo_id(workspace: WorkspaceClient, path: str) -> int:
    return git_folder(workspace, path).id or 0


def share(workspace: WorkspaceClient, kind: str, number: int) -> None:
    """Let Eddie manage it."""
    entry = AccessControlRequest(user_name=EDDIE, permission_level=PermissionLevel.CAN_MANAGE)
    workspace.permissions.update(kind, str(number), access_control_list=[entry])


def change_staging(team: Team, workspace: WorkspaceClient, jobs: dict[str, int]) -> set[str]:
    """Thirteen changes in quant_stg; what they are called."""
    share(workspace, "jobs", jobs["quant_stg risk_model"])
    workspace.jobs.update(jobs["quant_stg signal_report"], new_settings=JobSettings(timeout_seconds=77))
    workspace.repos.update(repo_id(workspace, "/quant_stg"), branch="quant_live")
    workspace.secrets.put_acl("quant_stg", "quant-developers", permission=AclPermission.READ)
    sql(
        team,
        "deployer",
        "ALTER SCHEMA QUANT.QUANT_STG SET COMMENT = 'by hand'",
        "GRANT USAGE ON SCHEMA QUANT.QUANT_STG TO ROLE QUANT_END_USERS",
        "GRANT SELECT ON FUTURE TABLES IN SCHEMA QUANT.QUANT_STG TO ROLE QUANT_END_USERS",
        "GRANT DATABASE ROLE QUANT.QUANT_STG_WRITER TO ROLE QUANT_DEVELOPERS",
        "GRANT CREATE TABLE ON SCHEMA QUANT.QUANT_STG TO DATABASE ROLE QUANT.QUANT_STG_READER",
        "REVOKE USAGE ON SCHEMA QUANT.QUANT_STG FROM DATABASE ROLE QUANT.QUANT_STG_READER",
        "REVOKE DATABASE ROLE QUANT.QUANT_STG_READER FROM ROLE QUANT_REVIEWERS",
        "ALTER USER SVC_QUANT_STG SET DISABLED = TRUE",
        "GRANT ROLE QUANT_STG_SVC TO USER DANA",
    )
    staging, live = (team.head(branch)[:12] for branch in ("quant_stg", "quant_live"))
    return {
        f"permissions of job risk_model | {EDDIE} | nothing -> CAN_MANAGE",
        "job quant_stg signal_report | timeoutSeconds | 1800 -> 77",
        f"Git folder /quant_stg | commit | quant_stg at {staging} -> quant_live at {live}",
        "secret scope quant_stg | ACL of quant-developers | nothing -> READ",
        "Snowflake schema QUANT_STG | comment | Outputs of branch quant_stg. Declared by Pulumi stack quant_stg. -> by hand",
        "schema QUANT.QUANT_STG | USAGE for role QUANT_END_USERS | nothing -> granted",
        "future tables of QUANT.QUANT_STG | SELECT for role QUANT_END_USERS | nothing -> granted",
        "database role QUANT.QUANT_STG_WRITER | held by | nothing -> role QUANT_DEVELOPERS",
        "schema QUANT.QUANT_STG | CREATE TABLE for database role QUANT_STG_READER | nothing -> granted",
        'grant on schema QUANT.QUANT_STG to QUANT.QUANT_STG_READER | privileges | ["USAGE"] -> []',
        "database role QUANT.QUANT_STG_READER of role QUANT_REVIEWERS |  | there -> missing",
        "service user SVC_QUANT_STG | disabled | false -> true",
        "role QUANT_STG_SVC | held by | nothing -> user DANA",
    }


def change_production(team: Team, workspace: WorkspaceClient, jobs: dict[str, int]) -> tuple[set[str], set[str]]:
    """Ten changes in quant_live that are fixed, and what stays until a person removes it."""
    share(workspace, "repos", repo_id(workspace, "/quant_live"))
    workspace.jobs.delete(jobs["quant_live factor_returns"])
    workspace.secrets.delete_acl("quant_live", LIVE_PRINCIPAL)
    workspace.secrets.put_secret("quant_live", "extra", string_value="x")
    task = Task(task_key="a", spark_python_task=SparkPythonTask(python_file="/Workspace/quant_live/src/risk_model.py"))
    daily = CronSchedule(quartz_cron_expression="0 0 6 * * ?", timezone_id="UTC")
    workspace.jobs.create(name="rogue", tasks=[task], schedule=daily)
    key = new_pair().public
    sql(team, "service_principal:quant_live", "CREATE TABLE QUANT.QUANT_LIVE.POSITIONS (N NUMBER)")
    sql(
        team,
        "deployer",
        "REVOKE USAGE ON WAREHOUSE QUANT_WH FROM ROLE QUANT_LIVE_SVC",
        f"ALTER USER SVC_QUANT_LIVE SET RSA_PUBLIC_KEY_2 = '{key}'",
        "ALTER SCHEMA QUANT.QUANT_LIVE SET DATA_RETENTION_TIME_IN_DAYS = 1",
        "GRANT SELECT ON TABLE QUANT.QUANT_LIVE.POSITIONS TO ROLE QUANT_DEVELOPERS",
        "REVOKE SELECT ON TABLE QUANT.QUANT_LIVE.POSITIONS FROM DATABASE ROLE QUANT.QUANT_LIVE_READER",
        "GRANT INSERT ON TABLE QUANT.QUANT_LIVE.POSITIONS TO DATABASE ROLE QUANT.QUANT_LIVE_READER",
        "GRANT USAGE ON SCHEMA QUANT.QUANT_LIVE TO DATABASE ROLE QUANT.QUANT_LIVE_READER WITH GRANT OPTION",
    )
    table = "table QUANT.QUANT_LIVE.POSITIONS"
    fixed = {
        f"permissions of the Git folder | {EDDIE} | nothing -> CAN_MANAGE",
        "job quant_live factor_returns |  | there -> missing, and 1 that hung on it",
        f"secret scope quant_live, ACL of {LIVE_PRINCIPAL} |  | there -> missing",
        'grant on warehouse QUANT_WH to QUANT_LIVE_SVC | privileges | ["USAGE"] -> []',
        f"service user SVC_QUANT_LIVE | rsaPublicKey2 | nothing -> {key[:157]}...",
        "Snowflake schema QUANT_LIVE | dataRetentionTimeInDays | 14 -> 1",
        f"{table} | SELECT for role QUANT_DEVELOPERS | nothing -> granted",
        f"{table} | SELECT for QUANT_LIVE_READER | granted -> not granted",
        f"{table} | INSERT for database role QUANT_LIVE_READER | nothing -> granted",
        f"schema QUANT.QUANT_LIVE | USAGE for database role QUANT_LIVE_READER | granted -> {HANDS_ON}",
    }
    deployer = team.credentials["deployer"]["databricks_user"]
    return fixed, {
        "secret quant_live/extra |  | no such key -> there",
        f"job rogue | tasks in /quant_live | no such job -> made by {deployer}, runs by itself",
    }


def test_every_change_by_hand_is_found_and_fixed(team: Team) -> None:
    """25 kinds of change, each told in its own words; --fix fixes them and says what it leaves to a person."""
    team.git("fetch", "-q", "origin")
    workspace = team.workspace("deployer")
    jobs = {str(job.settings.name): job.job_id or 0 for job in workspace.jobs.list() if job.settings}
    staging = change_staging(team, workspace, jobs)
    production, left = change_production(team, workspace, jobs)
    try:
        code, found, _ = run(team, "quant_stg", "quant_live")
        assert code == 2, [one for each in found.values() for one in each["findings"] if one["class"] == "unknown"]
        assert words(found["quant_stg"]) == staging
        assert words(found["quant_live"]) == production | left
        assert all(finding["fix"] for each in found.values() for finding in each["findings"])

        # Production is asked about, and nobody is there to answer.
        refused = team.quantctl("drift", "quant_live", "--fix")
        assert refused.returncode == 1
        assert "Nothing was changed" in refused.stderr

        code, found, said = run(team, "quant_stg", "quant_live", "--fix", "--yes")
        assert code == 2, said
        assert found["quant_stg"]["verdict"] == "clean", words(found["quant_stg"])
        assert words(found["quant_live"]) == {text.replace("runs by itself", "does not run by itself") for text in left}
        # What nobody declared still has its data.
        with team.snowflake("service_principal:quant_live") as connection:
            assert connection.cursor().execute("SELECT COUNT(*) FROM QUANT.QUANT_LIVE.POSITIONS").fetchone() == (0,)
        assert "BEGIN" not in said
    finally:
        for job in workspace.jobs.list(name="rogue"):
            workspace.jobs.delete(job.job_id or 0)
        workspace.secrets.delete_secret("quant_live", "extra")
        sql(team, "service_principal:quant_live", "DROP TABLE QUANT.QUANT_LIVE.POSITIONS")
    code, found, _ = run(team, "quant_live", "--thorough")
    assert (code, words(found["quant_live"])) == (0, set())


def test_a_fix_promotes_nothing(team: Team) -> None:
    """A branch that moved on waits, which is no drift; fixing a job beside it deploys what was deployed."""
    before = team.head("quant_lr")
    workspace = team.workspace("deployer")
    [job] = [job.job_id or 0 for job in workspace.jobs.list(name="quant_lr signal_report")]
    settings = workspace.jobs.get(job).settings
    assert settings is not None
    text = team.git("show", "origin/quant_lr:workflows/signal_report.yml")
    assert "\ntags:" in text
    longer = text.replace("\ntags:", "\nmax_concurrent_runs: 2\ntags:")
    ahead = team.commit("quant_lr", "workflows/signal_report.yml", longer, "Two runs at once")
    try:
        workspace.jobs.update(job, new_settings=JobSettings(timeout_seconds=77))
        code, found, _ = run(team, "quant_lr", "--fix")
        assert (code, found["quant_lr"]["verdict"]) == (0, "waiting")
        place = f"Git folder /quant_lr | commit | quant_lr at {before[:12]}"
        assert words(found["quant_lr"], "waiting") == {f"{place} -> quant_lr at {ahead[:12]}, 1 commit ahead"}
        fixed = workspace.jobs.get(job).settings
        assert fixed == settings and fixed.timeout_seconds != 77 and fixed.max_concurrent_runs == 1
        assert workspace.repos.get(repo_id(workspace, "/quant_lr")).head_commit_id == before

        # A folder that was pulled by hand, with local edits: nothing but a promotion would fix it, so it is told.
        workspace.repos.update(repo_id(workspace, "/quant_lr"), branch="quant_lr")
        file = "/quant_lr/src/risk_model.py"
        original = workspace.workspace.download(file).read()
        workspace.workspace.upload(file, b"# an idea\n", format=ImportFormat.AUTO, overwrite=True)
        code, found, _ = run(team, "quant_lr", "--fix", "--strict")
        assert code == 2
        assert words(found["quant_lr"]) == {
            f"{place} -> quant_lr at {ahead[:12]}",
            "Git folder /quant_lr | local edits | none -> src/risk_model.py",
        }
        assert workspace.workspace.download(file).read() == b"# an idea\n"
        assert workspace.jobs.get(job).settings == fixed
        workspace.workspace.upload(file, original, format=ImportFormat.AUTO, overwrite=True)
    finally:
        restored = team.git("commit-tree", f"{before}^{{tree}}", "-p", ahead, "-m", "Take it back")
        team.git("push", "-q", "origin", f"{restored}:refs/heads/quant_lr")
        team.up("quant_lr")


@pytest.fixture
def inside(team: Team, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """This process is one that was started in the team's shell."""
    for name in list(os.environ):
        if name.startswith(("PULUMI_", "DATABRICKS_", "SNOWFLAKE_", "QUANT_")):
            monkeypatch.delenv(name)
    for name, value in team.environ.items():
        monkeypatch.setenv(name, value)
    yield team.environ


def test_nothing_is_found_where_nothing_was_changed(inside: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty looks in a row at an untouched system, jobs that ran included, find nothing.

    Two of them ask the engine, one of them about everything; the other eighteen read Git, workspace and account again.
    """
    seen: dict[str, Refresh] = {}
    look = engine.look

    def remember(env: str, *rest: Any) -> Refresh:
        seen[env] = look(env, *rest)
        return seen[env]

    monkeypatch.setattr(engine, "look", remember)
    for thorough in (False, True):
        assert {each.environment: each.findings for each in drift.find(ALL, inside, thorough=thorough)} == dict.fromkeys(
            ALL, ()
        )
    states = {env: Checkpoint(seen[env].steps, seen[env].commit) for env in ALL}
    monkeypatch.setattr(engine, "state", lambda env, *rest: states[env])
    monkeypatch.setattr(engine, "look", lambda env, *rest: seen[env])
    for _ in range(18):
        assert {each.environment: each.verdict for each in drift.find(ALL, inside)} == dict.fromkeys(ALL, "clean")


def test_one_environment_that_does_not_answer(team: Team, tmp_path: Path) -> None:
    """It is unknown, with the reason; the others are reported; the exit status is 1, and the command ends."""
    real = shutil.which("pulumi", path=team.environ["PATH"])
    assert real is not None
    silent = tmp_path / "pulumi"
    silent.write_text(f'#!/bin/sh\ncase "$*" in *refresh*"-s quant_lr"*) exec sleep 600;; esac\nexec {real} "$@"\n')
    silent.chmod(0o755)
    slow = Team({**team.environ, "PATH": f"{tmp_path}:{team.environ['PATH']}"}, team.clone, team.credentials)
    sql(team, "deployer", "GRANT DATABASE ROLE QUANT.QUANT_STG_READER TO ROLE QUANT_END_USERS")
    try:
        code, found, _ = run(slow, "quant_stg", "quant_lr", "--timeout", "15")
        assert code == 1
        assert words(found["quant_lr"], "unknown") == {"what the engine reads |  |  -> no answer in 15 s"}
        assert words(found["quant_lr"]) == set()
        assert words(found["quant_stg"]) == {
            "database role QUANT.QUANT_STG_READER | held by | nothing -> role QUANT_END_USERS"
        }
    finally:
        sql(team, "deployer", "REVOKE DATABASE ROLE QUANT.QUANT_STG_READER FROM ROLE QUANT_END_USERS")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"DATABRICKS_HOST": "http://127.0.0.1:9"}, "Databricks: http://127.0.0.1:9 does not answer"),
        ({"SNOWFLAKE_PORT": "9"}, "Snowflake: http://127.0.0.1:9 does not answer"),
        ({"QUANT_REMOTE": "http://127.0.0.1:9/remote.git"}, "Git: the pipelines repository"),
        ({"SNOWFLAKE_USER": "NOBODY"}, "JWT token is invalid"),
    ],
)
def test_what_cannot_be_read_is_unknown(team: Team, changed: dict[str, str], reason: str) -> None:
    """Never drift, never clean, within seconds and without a traceback."""
    away = Team({**team.environ, **changed}, team.clone, team.credentials)
    code, found, said = run(away, "quant", "--timeout", "60")
    assert code == 1
    assert (found["quant"]["verdict"], words(found["quant"])) == ("unknown", set())
    assert any(reason in text for text in words(found["quant"], "unknown")), found
    assert "Traceback" not in said
