"""The main job, as a platform engineer does it: real Git, real engine, real providers, on a sandbox."""

from __future__ import annotations

import socket
import subprocess

import pytest
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.jobs import RunResultState

from tests.conftest import Team, git_folder
from tests.paths import ROOT
from tests.ways_out import carry_out, the_way
from tests.workspace_proxy import proxy

pytestmark = pytest.mark.real
STACKS = ("quant", "quant_stg", "quant_lr", "quant_live")


@pytest.mark.parametrize("stack", STACKS)
def test_a_deployed_environment_has_nothing_to_change(team: Team, stack: str) -> None:
    """A preview right after make up that reads everything again finds no difference."""
    done = team.pulumi("preview", "--refresh", "--expect-no-changes", "-s", stack)
    assert done.returncode == 0, done.stdout


def test_a_code_promotion_changes_the_folder_alone(team: Team) -> None:
    """Moving the branch ref shows one changed resource from old to new commit; after up the workspace has its content."""
    old = team.head("quant_stg")
    new = team.commit("quant_stg", "src/positions_snapshot.py", "print('promoted')\n", "Change code only")
    assert team.changes("quant_stg") == {"update": ["databricks:index/repo:Repo::folder"]}
    shown = team.pulumi("preview", "--diff", "-s", "quant_stg").stdout
    assert f'commitHash: "{old}" => "{new}"' in shown
    team.up("quant_stg")
    folder = team.git_folder("/quant_stg")
    assert folder.head_commit_id == new
    assert team.file("/quant_stg/src/positions_snapshot.py") == "print('promoted')\n"


def test_a_changed_workflow_changes_its_job_too(team: Team) -> None:
    """A push that edits a workflow file shows the folder and that one job."""
    path = "workflows/signal_report.yml"
    team.git("fetch", "-q", "origin")
    text = team.git("show", f"origin/quant_lr:{path}")
    team.commit("quant_lr", path, text + "\ntimeout_seconds: 1234\n" if "timeout_seconds" not in text else
                text.replace("timeout_seconds:", "timeout_seconds: 1234 #"), "Change a workflow")  # fmt: skip
    changed = team.changes("quant_lr")["update"]
    assert sorted(changed) == ["databricks:index/job:Job::signal_report", "databricks:index/repo:Repo::folder"]
    team.up("quant_lr")
    jobs = {job.settings.name: job for job in team.workspace("deployer").jobs.list() if job.settings}
    settings = jobs["quant_lr signal_report"].settings
    assert settings and settings.timeout_seconds == 1234


def test_a_rollback_moves_forward(team: Team) -> None:
    """A new commit with the old tree brings the old code back."""
    before = team.head("quant_stg")
    old = team.file("/quant_stg/src/risk_model.py")
    team.commit("quant_stg", "src/risk_model.py", "raise SystemExit('broken')\n", "Break it")
    team.up("quant_stg")
    restored = team.git("commit-tree", f"{before}^{{tree}}", "-p", "origin/quant_stg", "-p", "HEAD", "-m", "Roll back")
    team.git("push", "-q", "origin", f"{restored}:refs/heads/quant_stg")
    team.up("quant_stg")
    assert team.file("/quant_stg/src/risk_model.py") == old


def test_rewritten_history_is_refused_before_anything_is_tried(team: Team) -> None:
    """The preview says that history was rewritten and names the two ways out; the product's own pull refuses it too."""
    before = team.head("quant_lr")
    team.git("checkout", "-q", "-B", "work", f"{before}~1")
    team.git("commit", "-q", "--allow-empty", "-m", "Another history")
    team.git("push", "-q", "--force", "origin", "HEAD:refs/heads/quant_lr")
    done = team.pulumi("preview", "-s", "quant_lr")
    assert done.returncode != 0
    for word in ("was rewritten", "forward commit", "replace the folder"):
        assert word in done.stdout, done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    workspace = team.workspace("deployer")
    folder = git_folder(workspace, "/quant_lr")
    assert folder.id is not None
    with pytest.raises(DatabricksError, match="rewritten"):
        workspace.repos.update(folder.id, branch="quant_lr")
    # The second way out, as the message says it; the first is test_a_rollback_moves_forward.
    workspace.repos.delete(folder.id)
    assert team.pulumi("up", "--refresh", "--yes", "--skip-preview", "-s", "quant_lr").returncode == 0
    folder = git_folder(workspace, "/quant_lr")
    assert folder.head_commit_id == team.git("rev-parse", "HEAD")
    team.git("push", "-q", "--force", "origin", f"{before}:refs/heads/quant_lr")
    workspace.repos.delete(folder.id or 0)
    assert team.pulumi("up", "--refresh", "--yes", "--skip-preview", "-s", "quant_lr").returncode == 0


def test_a_job_writes_its_own_schema_and_no_other(team: Team) -> None:
    """A run writes its table; the same job, pointed at quant_live, is refused by the account."""
    workspace = team.workspace("developer")
    job = next(job for job in workspace.jobs.list(name="quant factor_returns"))
    assert job.job_id is not None
    workspace.jobs.run_now(job.job_id).result()
    with team.snowflake("developer") as connection:
        [(rows,)] = connection.cursor().execute("SELECT COUNT(*) FROM QUANT.QUANT.FACTOR_RETURNS").fetchall()
    assert rows > 0
    run = workspace.jobs.run_now(job.job_id, job_parameters={"target_schema": "QUANT_LIVE"}).result()
    assert run.state and run.state.result_state is RunResultState.FAILED
    compute = next(task for task in run.tasks or [] if task.task_key == "compute")
    assert "does not exist or not authorized" in (workspace.jobs.get_run_output(compute.run_id or 0).logs or "")


def test_a_branch_that_moves_while_deploying_is_told(team: Team) -> None:
    """The workspace checks out the head of then: the run says so, and the next one makes it whole."""
    path = "workflows/signal_report.yml"
    team.git("fetch", "-q", "origin")
    workflow = team.git("show", f"origin/quant_stg:{path}")
    declared = team.commit("quant_stg", "src/positions_snapshot.py", "print('first')\n", "Change code")
    moved: list[str] = []

    def meanwhile(method: str, where: str) -> None:
        if method == "PATCH" and where.startswith("/api/2.0/repos/") and not moved:
            changed = workflow.replace("What to trade next", "moved")
            moved.append(team.commit("quant_stg", path, changed, "Meanwhile"))

    with proxy(team.environ["DATABRICKS_HOST"], meanwhile) as host:
        done = team.pulumi("up", "--yes", "--skip-preview", "-s", "quant_stg", DATABRICKS_HOST=host)
    assert done.returncode == 0, done.stdout
    for word in ("the branch moved while deploying", declared[:12], moved[0][:12], "Run pulumi up again"):
        assert word in done.stdout, done.stdout
    assert team.changes("quant_stg") == {"update": ["databricks:index/job:Job::signal_report"]}
    team.up("quant_stg")
    assert team.changes("quant_stg") == {}


def test_quant_live_is_protected(team: Team) -> None:
    """Production is not destroyed by a command, and nobody but the deployer edits its folder."""
    done = team.pulumi("destroy", "--yes", "--skip-preview", "-s", "quant_live")
    assert done.returncode != 0
    assert "protect" in done.stdout + done.stderr
    for persona in ("developer", "release_manager", "support"):
        with pytest.raises(Exception, match="CAN_EDIT"):
            team.workspace(persona).workspace.upload("/quant_live/src/risk_model.py", b"x", overwrite=True)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"QUANT_REMOTE": "http://127.0.0.1:9/none.git"}, ["127.0.0.1:9", "QUANT_REMOTE"]),
        ({"DATABRICKS_HOST": "http://127.0.0.1:9"}, ["Databricks", "127.0.0.1:9", "DATABRICKS_HOST"]),
        ({"SNOWFLAKE_PORT": "9"}, ["Snowflake", "127.0.0.1:9", "SNOWFLAKE_PORT"]),
        ({"DATABRICKS_TOKEN": "dapi-wrong"}, ["Databricks", "Invalid access token", "DATABRICKS_TOKEN"]),
    ],
)
def test_an_endpoint_that_does_not_answer_is_told_in_seconds(team: Team, changed: dict[str, str], words: list[str]) -> None:
    """One message names the endpoint and the setting; nothing hangs and nothing is a traceback."""
    said = refused_in_seconds(team, **changed)
    for word in words:
        assert word in said, said


def test_endpoints_that_are_silent_are_told_in_seconds(team: Team) -> None:
    """A host that takes connections and never answers is given up, and all three are told at once."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        url = f"http://127.0.0.1:{port}"
        said = refused_in_seconds(team, QUANT_REMOTE=f"{url}/x.git", DATABRICKS_HOST=url, SNOWFLAKE_PORT=port)
        for word in ("QUANT_REMOTE", "DATABRICKS_HOST", "SNOWFLAKE_PORT"):
            assert word in said, said


def refused_in_seconds(team: Team, *arguments: str, **changed: str) -> str:
    """What a preview says that is refused before a provider is asked, without a traceback.

    Both providers repeat a question to a silent host for more than three minutes (measured); a busy machine takes one to
    start the engine. That the program itself gives up after 15 seconds is tested in tests/test_preflight.py.
    """
    try:
        done = subprocess.run(
            ["pulumi", "preview", "-s", "quant_stg", "--non-interactive", "--color", "never", *arguments],
            cwd=ROOT,
            env={**team.environ, **changed}, capture_output=True, text=True, timeout=150, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        pytest.fail("the preview went on to the providers")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"schedules": "sometimes"}, ["Pulumi.quant_stg.yaml", "quant:schedules", "'sometimes'", "'live' or 'paused'"]),
        ({"branch": "quant_live"}, ["Pulumi.quant_stg.yaml", "quant:branch", "'quant_live'", "'quant_stg'"]),
        ({"gitToken": "hunter2"}, ["Pulumi.quant_stg.yaml", "quant:gitToken", "plain text", "--secret"]),
        ({"serviceUserKey": "hunter2"}, ["Pulumi.quant_stg.yaml", "quant:serviceUserKey", "quantctl keys rotate quant_stg"]),
    ],
)
def test_a_wrong_value_in_a_stack_file_is_told(team: Team, changed: dict[str, object], words: list[str]) -> None:
    """File, key, what was found and what is allowed; a secret in plain text is not repeated."""
    said = refused_in_seconds(team, "--config-file", team.config("quant_stg", **changed))
    for word in words:
        assert word in said, said
    assert "hunter2" not in said


def test_a_dirty_folder_is_told(team: Team) -> None:
    """Local edits of the folder are named before a pull is tried."""
    workspace = team.workspace("deployer")
    before = team.file("/quant/src/risk_model.py")
    workspace.workspace.upload("/quant/src/risk_model.py", b"# edited by hand\n", overwrite=True)
    try:
        done = team.pulumi("preview", "-s", "quant")
        assert done.returncode != 0
        for word in ("/quant", "local edits", "src/risk_model.py", "quant:folder"):
            assert word in done.stdout, done.stdout
    finally:
        workspace.workspace.upload("/quant/src/risk_model.py", before.encode(), overwrite=True)


def test_a_wrong_workflow_file_is_told(team: Team) -> None:
    """An unknown key in a pushed workflow file names file, key and the keys there are."""
    before = team.head("quant_lr")
    text = team.git("show", "origin/quant_lr:workflows/risk_model.yml")
    team.commit("quant_lr", "workflows/risk_model.yml", text + "\nretrys: 3\n", "A typo")
    try:
        done = team.pulumi("preview", "-s", "quant_lr")
        for word in ("workflows/risk_model.yml", "retrys", "max_concurrent_runs"):
            assert word in done.stdout, done.stdout
        assert "Traceback" not in done.stdout + done.stderr
    finally:
        team.git("push", "-q", "--force", "origin", f"{before}:refs/heads/quant_lr")


def test_a_missing_branch_is_told(team: Team) -> None:
    """A branch that is not there names itself and the push that makes it."""
    before = team.head("quant_lr")
    team.git("push", "-q", "origin", ":refs/heads/quant_lr")
    try:
        done = team.pulumi("preview", "-s", "quant_lr")
        assert "branch 'quant_lr' does not exist" in done.stdout
        assert "Traceback" not in done.stdout + done.stderr
        team.git("checkout", "-q", "--detach", before)
        made = carry_out(the_way(done.stdout, "push"), team.environ, team.clone)
        assert made.returncode == 0, made.stderr
        assert team.changes("quant_lr") == {}
    finally:
        team.git("push", "-q", "origin", f"{before}:refs/heads/quant_lr")
