"""What a stack may add, declared for real: personal folders, a limited release, a warehouse, groups, keys that rotate."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest
from databricks.sdk.errors import NotFound
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.jobs import RunResultState

from infra.vocabulary import DECLARED, Persona
from tests.conftest import Team, git_folder

pytestmark = pytest.mark.real
DANA = "dana@quant.example"


def up(team: Team, stack: str, config: str | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    chosen = ["--config-file", config] if config else []
    return team.pulumi("up", "--yes", "--skip-preview", "-s", stack, *chosen, **environ)


def must(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def clean(team: Team, stack: str, config: str, **environ: str) -> None:
    """Neither a refresh nor the preview after it finds a difference."""
    must(team.pulumi("preview", "--refresh", "--expect-no-changes", "-s", stack, "--config-file", config, **environ))


def test_a_group_that_is_missing_is_told(team: Team) -> None:
    """With the setting that names it, before anything is tried."""
    names = {"developers": {"group": "desk-developers", "role": "DESK_DEVELOPERS"}}
    missing = team.pulumi("preview", "-s", "quant", "--config-file", team.config("quant", personas=names))
    assert missing.returncode != 0
    for word in ("'desk-developers' does not exist", "quant:personas.developers.group", "Pulumi.quant.yaml"):
        assert word in missing.stdout, missing.stdout


def test_a_personal_folder_is_its_developers_own(team: Team, kind: str) -> None:
    """Made once, never pulled back, and not deleted while it holds what nobody else has; beside managed groups and roles.

    With Git folders of either kind.
    """
    words = [persona.value for persona in Persona]
    names = {word: {"group": f"desk-{word.lower()}", "role": f"DESK_{word.upper()}"} for word in words}
    config = team.config("quant", developers=[DANA], personas=names, groups="managed")
    must(up(team, "quant", config))
    found = [group.display_name for group in team.workspace("deployer").groups.list()]
    assert {f"desk-{word.lower()}" for word in words} <= set(found)
    dana = team.workspace("developer")
    folder = git_folder(dana, f"/Users/{DANA}/quant")
    assert (folder.path, folder.branch) == (f"/Users/{DANA}/quant", "quant")
    assert folder.id is not None
    dana.repos.update(folder.id, branch="quant_stg")
    dana.workspace.upload(f"{folder.path}/src/risk_model.py", b"# an idea\n", overwrite=True)
    clean(team, "quant", config)
    for command in ("preview", "up"):
        skip = ["--yes", "--skip-preview"] if command == "up" else []
        refused = team.pulumi(command, *skip, "-s", "quant")
        assert refused.returncode != 0
        for word in (f"/Users/{DANA}/quant", "src/risk_model.py", "quant:developers"):
            assert word in refused.stdout, refused.stdout
        assert "Traceback" not in refused.stdout
    assert dana.workspace.download(f"{folder.path}/src/risk_model.py").read() == b"# an idea\n"
    original = team.git("show", "origin/quant_stg:src/risk_model.py") + "\n"
    dana.workspace.upload(f"{folder.path}/src/risk_model.py", original.encode(), overwrite=True)
    must(up(team, "quant"))
    with pytest.raises(NotFound):
        dana.workspace.get_status(f"/Users/{DANA}/quant")


def test_a_limited_release_limits_and_warns(team: Team) -> None:
    """Parameters, the stricter health rule and the people told reach every job; a date in the past warns."""
    release = {
        "parameters": {"universe": "TOP50"},
        "notify": ["desk@quant.example"],
        "maxDurationSeconds": 600,
        "until": "2020-01-31",
    }
    config = team.config("quant_lr", limitedRelease=release)
    said = must(up(team, "quant_lr", config))
    for word in ("warning", "Pulumi.quant_lr.yaml", "quant:limitedRelease.until", "2020-01-31"):
        assert word in said
    clean(team, "quant_lr", config)
    jobs = [job for job in team.workspace("deployer").jobs.list(expand_tasks=True) if job.settings]
    limited = [job.settings for job in jobs if job.settings and (job.settings.name or "").startswith("quant_lr ")]
    assert limited
    for settings in limited:
        assert "TOP50" in [p.default for p in settings.parameters or [] if p.name == "universe"]
        assert settings.health and settings.health.rules
        assert min(rule.value for rule in settings.health.rules) <= 600
        assert settings.email_notifications and settings.email_notifications.on_failure == ["desk@quant.example"]
    must(up(team, "quant_lr"))


def test_a_warehouse_and_a_git_credential_of_its_own(team: Team) -> None:
    """Declared with quota and network policy, and with the token as a secret; gone again without a trace."""
    managed = {"size": "SMALL", "autoSuspendSeconds": 120, "statementTimeoutSeconds": 900, "monthlyCredits": 10}
    config = team.config(
        "quant_stg",
        warehouse="QUANT_STG_WH",
        managedWarehouse=managed,
        allowedAddresses=["10.0.0.0/8", "127.0.0.1"],
        gitCredential={"username": "deploy-token"},
    )
    admin = {**team.admin(), "QUANT_GIT_TOKEN": "glpat-not-a-real-one"}
    refused = up(team, "quant_stg", config, QUANT_GIT_TOKEN=admin["QUANT_GIT_TOKEN"])
    assert refused.returncode != 0
    assert "Insufficient privileges" in refused.stdout  # a resource monitor is an account administrator's
    must(up(team, "quant_stg", config, **admin))
    clean(team, "quant_stg", config, **admin)
    clean(team, "quant_stg", config, **team.admin())  # a preview does without the token
    with team.snowflake("admin") as connection:
        cursor = connection.cursor()
        columns = [c.name for c in cursor.describe("SHOW WAREHOUSES LIKE 'QUANT_STG_WH'")]
        row = dict(zip(columns, cursor.execute("SHOW WAREHOUSES LIKE 'QUANT_STG_WH'").fetchone(), strict=True))
        assert (str(row["auto_suspend"]), row["resource_monitor"]) == ("120", "QUANT_STG_WH_MONITOR")
    principal = team.workspace("service_principal:quant_stg")
    assert [held.git_username for held in principal.git_credentials.list()] == ["deploy-token"]
    assert "glpat-not-a-real-one" not in must(team.pulumi("stack", "export", "-s", "quant_stg"))
    must(up(team, "quant_stg", **admin))
    with team.snowflake("admin") as connection:
        assert connection.cursor().execute("SHOW WAREHOUSES LIKE 'QUANT_STG_WH'").fetchall() == []


def test_a_stack_file_narrows_and_never_widens(team: Team) -> None:
    """A narrowed level is declared; a wider one is refused with file, key and what is allowed."""
    config = team.config("quant_live", access={"developers": {"folder": "none", "job": "none"}})
    assert set(team.changes("quant_live", "--config-file", config)) == {"update"}
    wider = team.config("quant_live", access={"developers": {"folder": "CAN_MANAGE"}, "endUsers": {"job": "CAN_VIEW"}})
    refused = team.pulumi("preview", "-s", "quant_live", "--config-file", wider)
    assert refused.returncode != 0
    for word in ("Pulumi.quant_live.yaml", "quant:access.developers.folder", "none, CAN_READ", "quant:access.endUsers.job"):
        assert word in refused.stdout, refused.stdout
    assert "Traceback" not in refused.stdout


_LOOP = """
import pathlib, sys, time
from common.snowflake import arguments, connect
parser = arguments("A table, written again and again.")
parser.add_argument("--stop")
args = parser.parse_args()
written = 0
while not pathlib.Path(args.stop).exists():
    with connect(args) as connection:
        cursor = connection.cursor()
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {args.database}.{args.schema}.LOOP (N NUMBER)")
        cursor.execute(f"INSERT INTO {args.database}.{args.schema}.LOOP VALUES (%s)", (written,))
        written += 1
        pathlib.Path(args.stop + ".written").write_text(str(written))
print("written", written)
"""


def wait_for_more_rows(stop: Path) -> None:
    """Until the loop has logged in and written twice more, however slow the machine is."""
    note = Path(f"{stop}.written")
    before = int(note.read_text() or 0) if note.exists() else 0
    for _ in range(1200):
        if note.exists() and int(note.read_text() or 0) >= before + 2:
            return
        time.sleep(0.1)
    raise AssertionError("the loop does not write")


def test_keys_rotate_while_a_job_writes(team: Team) -> None:
    """A job logs in again and again while its key is rotated: no login is refused, and the old key stays until then."""
    stop = team.clone.parent / "stop"
    team.git("fetch", "-q", "origin")
    workflow = team.git("show", "origin/quant:workflows/positions_snapshot.yml")
    before = team.git("rev-parse", "origin/quant")
    text = workflow.replace("src/positions_snapshot.py", "src/loop.py").replace("name: positions_snapshot", "name: loop")
    text = text.replace('- "--account"', f'- "--stop={stop}"\n        - "--account"', 1)
    assert "src/loop.py" in text and "--stop" in text
    team.commit("quant", "src/loop.py", _LOOP, "A loop")
    team.commit("quant", "workflows/loop.yml", text, "Its workflow")
    # An update of one resource does not deploy the new workflow, and drift does not take that for half a destroy.
    some = ("stack", "output", "-s", "quant", "--json")
    assert DECLARED in json.loads(must(team.pulumi(*some)))
    must(team.pulumi("up", "--yes", "--skip-preview", "-s", "quant", "--target", "**secretScope:SecretScope::*"))
    assert DECLARED not in json.loads(must(team.pulumi(*some)))
    must(up(team, "quant"))
    assert DECLARED in json.loads(must(team.pulumi(*some)))
    workspace = team.workspace("developer")
    [job] = workspace.jobs.list(name="quant loop")
    waiter = workspace.jobs.run_now(job.job_id or 0)
    try:
        wait_for_more_rows(stop)
        must(team.quantctl("keys", "rotate", "quant", "--yes"))
        early = team.quantctl("keys", "retire", "quant", "--yes")
        assert early.returncode == 1 and "loop runs since before the new key" in early.stderr
        assert team.keys_accepted("quant") == 2
        wait_for_more_rows(stop)
    finally:
        stop.touch()
    run = waiter.result()
    must(team.quantctl("keys", "retire", "quant", "--yes"))
    assert team.keys_accepted("quant") == 1
    outputs = [workspace.jobs.get_run_output(task.run_id or 0).logs for task in run.tasks or []]
    assert run.state and run.state.result_state is RunResultState.SUCCESS, "\n".join(map(str, outputs))
    with team.snowflake("service_principal:quant") as connection:
        assert connection.cursor().execute("SELECT COUNT(*) FROM QUANT.QUANT.LOOP").fetchone()[0] > 3
    restored = team.git("commit-tree", f"{before}^{{tree}}", "-p", "origin/quant", "-p", "HEAD", "-m", "Take it back")
    team.git("push", "-q", "origin", f"{restored}:refs/heads/quant")
    must(up(team, "quant"))


def test_a_removed_production_workflow_is_protected(team: Team) -> None:
    """A job of quant_live does not go by accident: the engine says how to let it go."""
    before = team.head("quant_live")
    team.commit("quant_live", "workflows/signal_report.yml", None, "Remove a workflow")
    done = up(team, "quant_live")
    assert done.returncode != 0
    assert "protect" in done.stdout
    restored = team.git("commit-tree", f"{before}^{{tree}}", "-p", "HEAD", "-m", "Put it back")
    team.git("push", "-q", "origin", f"{restored}:refs/heads/quant_live")
    must(up(team, "quant_live"))
    with pytest.raises(DatabricksError):
        [job] = team.workspace("release_manager").jobs.list(name="quant_live signal_report")
        team.workspace("release_manager").jobs.delete(job.job_id or 0)
