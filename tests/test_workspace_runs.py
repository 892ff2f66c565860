"""Runs of jobs: real processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, OperationFailed, PermissionDenied
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel
from databricks.sdk.service.jobs import (
    ConditionTask,
    ConditionTaskOp,
    JobParameterDefinition,
    JobRunAs,
    NotebookTask,
    QueueSettings,
    Run,
    RunIf,
    RunResultState,
    SparkPythonTask,
    Task,
    TaskDependency,
)
from databricks.sdk.service.workspace import AclPermission

from sandbox import identities
from tests.workspace_sandbox import ADMIN, DANA, PRINCIPAL, Workspace

pytest_plugins = ["tests.workspace_sandbox"]
FILES = {
    "say.py": "import os, sys\nprint('said', *sys.argv[1:])\nprint(os.getcwd())\n",
    "fail.py": "import sys\nprint('before')\nsys.exit('it broke')\n",
    "sleep.py": "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "open(sys.argv[1], 'w').write(str(child.pid))\ntime.sleep(60)\n",
    "much.py": "print('x' * 100_000)\nprint('end')\n",
    "me.py": "from databricks.sdk import WorkspaceClient\nimport sys\n"
    "client = WorkspaceClient()\nprint(client.current_user.me().user_name)\n"
    "print(len(client.secrets.get_secret(sys.argv[1], 'key').value))\n",
    "jupyter.ipynb": '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
    "notebook.py": "# Databricks notebook source\nimport sys\nprint(sys.argv[1:])\n",
}
WAIT = timedelta(seconds=30)


@pytest.fixture(scope="module")
def path(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Git folder with the files above."""
    branch = workspace.name("runs")
    workspace.commit(tmp_path_factory.mktemp("runs") / "clone", branch, FILES)
    return workspace.folder(branch).path or ""


def python(key: str, file: str, *parameters: str, after: str | None = None, **more: Any) -> Task:
    """A task that runs a file."""
    depends = [TaskDependency(after)] if after else None
    return Task(key, spark_python_task=SparkPythonTask(file, parameters=list(parameters)), depends_on=depends, **more)


def results(run: Run) -> dict[str, str]:
    """Task -> result."""
    return {
        task.task_key: task.state.result_state.value for task in run.tasks or [] if task.state and task.state.result_state
    }


def until(true: Callable[[], bool]) -> None:
    """Wait for something for ten seconds."""
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)


def told(client: WorkspaceClient, run_id: int) -> str:
    """How far a run is, or how it ended."""
    state = client.jobs.get_run(run_id).state
    assert state and state.life_cycle_state
    return str((state.result_state or state.life_cycle_state).value)


def is_told(client: WorkspaceClient, run_id: int, word: str) -> bool:
    """Whether a run is that far."""
    return told(client, run_id) == word


def alive(pid: int) -> bool:
    """Whether a process runs."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_a_file_really_runs(workspace: Workspace, path: str) -> None:
    """With its parameters, references filled in, from the Git folder; its output is answered."""
    admin = workspace.client()
    words = ("{{job.parameters.who}}", "{{job.id}}", "{{task.name}}", "{{job.start_time.iso_date}}", "{{other}}")
    say = python("say", f"/Workspace{path}/say.py", *words)
    job = admin.jobs.create(name="say", tasks=[say], parameters=[JobParameterDefinition("who", "nobody")]).job_id or 0
    run = admin.jobs.run_now(job, job_parameters={"who": "dana"}).result(timeout=WAIT)
    assert run.state and run.state.result_state is RunResultState.SUCCESS
    assert run.start_time and run.end_time and run.end_time >= run.start_time
    assert [(one.name, one.default, one.value) for one in run.job_parameters or []] == [("who", "nobody", "dana")]
    output = admin.jobs.get_run_output((run.tasks or [])[0].run_id or 0)
    [task] = run.tasks or []
    assert (task.setup_duration, task.cleanup_duration) == (0, 0) and task.execution_duration is not None
    assert run.run_duration == run.end_time - run.start_time
    assert (run.run_page_url or "").startswith(f"{workspace.endpoints.databricks_host}/?o=4000000000000001#job/{job}/run/")
    assert admin.jobs.get_run(task.run_id or 0).job_run_id == run.run_id
    said, folder = (output.logs or "").splitlines()
    day = datetime.fromtimestamp(run.start_time / 1000, UTC).date()
    assert said == f"said dana {job} say {day} {{{{other}}}}"
    assert Path(folder).parent == workspace.state.folders
    assert (output.error, output.logs_truncated) == (None, False)


def test_a_failed_task_fails_the_run_and_what_depends_on_it_is_not_run(workspace: Workspace, path: str) -> None:
    """The error names the exit; run_if lets a task follow a failure, and the run is what its last tasks are."""
    admin = workspace.client()
    tasks = [
        python("broken", f"{path}/fail.py"),
        python("after", f"{path}/say.py", after="broken"),
        python("later", f"{path}/say.py", after="after"),
        python("anyway", f"{path}/say.py", after="broken", run_if=RunIf.ALL_DONE),
    ]
    job = admin.jobs.create(name="fails", tasks=tasks).job_id or 0
    run = admin.jobs.run_now(job).result(timeout=WAIT)
    assert run.state and run.state.result_state is RunResultState.FAILED
    assert "broken" in (run.state.state_message or "")
    assert results(run) == {
        "broken": "FAILED", "after": "UPSTREAM_FAILED", "later": "UPSTREAM_FAILED", "anyway": "SUCCESS",
    }  # fmt: skip
    output = admin.jobs.get_run_output(next(t.run_id or 0 for t in run.tasks or [] if t.task_key == "broken"))
    assert (output.logs, output.error) == ("before\nit broke\n", "it broke (exit 1)")
    with pytest.raises(Exception, match="multiple tasks"):
        admin.jobs.get_run_output(run.run_id or 0)
    fixed = admin.jobs.create(name="fixed", tasks=[tasks[0], tasks[3]]).job_id or 0
    after = admin.jobs.run_now(fixed).result(timeout=WAIT)
    assert after.state and after.state.result_state is RunResultState.SUCCESS_WITH_FAILURES


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (Task("t", condition_task=ConditionTask(ConditionTaskOp.EQUAL_TO, "1", "1")), "task t is condition_task"),
        (Task("t"), "task t is no task at all"),
        (Task("t", spark_python_task=SparkPythonTask("dbfs:/x.py")), "'dbfs:/x.py' is not one"),
        (Task("t", spark_python_task=SparkPythonTask("/no/such.py")), "Cannot read the python file /no/such.py"),
        (Task("t", notebook_task=NotebookTask("{path}/jupyter")), "does not emulate a run of a notebook that is no Python"),
    ],
)
def test_a_task_that_cannot_run_fails_with_the_reason(workspace: Workspace, path: str, task: Task, words: str) -> None:
    """Kinds that are not emulated, places that are not, files that are not there: the run ends and says why."""
    admin = workspace.client()
    if task.notebook_task:
        task = Task("t", notebook_task=NotebookTask(task.notebook_task.notebook_path.format(path=path)))
    job = admin.jobs.create(name="cannot", tasks=[task]).job_id or 0
    run = admin.jobs.run_now(job).result(timeout=WAIT)
    assert run.state and run.state.result_state is RunResultState.FAILED
    assert words in (admin.jobs.get_run_output((run.tasks or [])[0].run_id or 0).error or "")


def test_a_notebook_runs_with_its_parameters(workspace: Workspace, path: str) -> None:
    """Named without its extension."""
    admin = workspace.client()
    notebook = NotebookTask(f"{path}/notebook", base_parameters={"a": "1"})
    job = admin.jobs.create(name="notebook", tasks=[Task("n", notebook_task=notebook)]).job_id or 0
    run = admin.jobs.run_now(job).result(timeout=WAIT)
    assert admin.jobs.get_run_output((run.tasks or [])[0].run_id or 0).logs == "['--a', '1']\n"


def test_a_run_is_whoever_the_job_says(workspace: Workspace, path: str) -> None:
    """Its token is that of run_as, which needs CAN_RUN on the folder, and its own secret."""
    admin, scope = workspace.client(), workspace.name("scope")
    admin.secrets.create_scope(scope)
    admin.secrets.put_secret(scope, "key", string_value="secret")
    admin.secrets.put_acl(scope, PRINCIPAL, AclPermission.READ)
    run_as = JobRunAs(service_principal_name=PRINCIPAL)
    job = admin.jobs.create(name="who", tasks=[python("me", f"{path}/me.py", scope)], run_as=run_as).job_id or 0
    run = admin.jobs.run_now(job).result(timeout=WAIT)
    error = admin.jobs.get_run_output((run.tasks or [])[0].run_id or 0).error or ""
    assert "lacks the required permissions" in error and PRINCIPAL in error
    number = str(admin.workspace.get_status(path).object_id)
    entry = AccessControlRequest(service_principal_name=PRINCIPAL, permission_level=PermissionLevel.CAN_RUN)
    admin.permissions.update("repos", number, access_control_list=[entry])
    run = admin.jobs.run_now(job).result(timeout=WAIT)
    assert (admin.jobs.get_run_output((run.tasks or [])[0].run_id or 0).logs or "").splitlines() == [PRINCIPAL, "8"]


def test_the_end_of_a_long_output_is_kept(workspace: Workspace, path: str) -> None:
    """And it is said that it was cut."""
    admin = workspace.client()
    job = admin.jobs.create(name="much", tasks=[python("much", f"{path}/much.py")]).job_id or 0
    run = admin.jobs.run_now(job).result(timeout=WAIT)
    output = admin.jobs.get_run_output((run.tasks or [])[0].run_id or 0)
    assert output.logs_truncated and (output.logs or "").endswith("x\nend\n") and len(output.logs or "") == 64 * 1024


@pytest.mark.parametrize("how", ["cancel", "run timeout", "task timeout"])
def test_a_run_that_is_ended_ends_its_processes(workspace: Workspace, path: str, tmp_path: Path, how: str) -> None:
    """Cancelled, or out of time: the process and its children are gone, and the run says why it ended."""
    admin, note = workspace.client(), tmp_path / "pid"
    task = python("sleep", f"{path}/sleep.py", str(note), timeout_seconds=2 if how == "task timeout" else None)
    after = python("after", f"{path}/say.py", after="sleep")
    seconds = 2 if how == "run timeout" else None
    job = admin.jobs.create(name="sleeps", tasks=[task, after], timeout_seconds=seconds).job_id or 0
    waiter = admin.jobs.run_now(job)
    until(lambda: note.exists() and note.read_text() != "")
    pid = int(note.read_text())
    assert alive(pid)
    if how == "cancel":
        admin.jobs.cancel_run(waiter.run_id).result(timeout=WAIT)
    run = waiter.result(timeout=WAIT)
    expected = {
        "cancel": ("CANCELED", {"sleep": "CANCELED", "after": "CANCELED"}),
        "run timeout": ("TIMEDOUT", {"sleep": "TIMEDOUT", "after": "TIMEDOUT"}),
        "task timeout": ("FAILED", {"sleep": "TIMEDOUT", "after": "UPSTREAM_FAILED"}),
    }[how]
    assert run.state and run.state.result_state and (run.state.result_state.value, results(run)) == expected
    until(lambda: not alive(pid))
    admin.jobs.cancel_run(waiter.run_id)
    assert admin.jobs.get_run(waiter.run_id).state == run.state


def test_a_second_run_is_skipped_or_queued(workspace: Workspace, path: str, tmp_path: Path) -> None:
    """max_concurrent_runs is kept; with a queue the second waits for the first."""
    admin = workspace.client()
    for queue in (False, True):
        note = tmp_path / f"pid-{queue}"
        tasks = [python("sleep", f"{path}/sleep.py", str(note))]
        job = admin.jobs.create(name="one", tasks=tasks, queue=QueueSettings(queue)).job_id or 0
        first, second = admin.jobs.run_now(job), admin.jobs.run_now(job)
        assert told(admin, second.run_id) == ("QUEUED" if queue else "MAXIMUM_CONCURRENT_RUNS_REACHED")
        assert len(list(admin.jobs.list_runs(job_id=job, active_only=True))) == (2 if queue else 1)
        until(note.exists)
        admin.jobs.cancel_run(first.run_id).result(timeout=WAIT)
        if queue:
            until(partial(is_told, admin, second.run_id, "RUNNING"))
            admin.jobs.cancel_run(second.run_id).result(timeout=WAIT)
        assert len(list(admin.jobs.list_runs(job_id=job, completed_only=True))) == 2


def test_a_run_is_started_once(workspace: Workspace, path: str) -> None:
    """The same idempotency token answers the same run; unknown parameters and jobs are refused."""
    admin = workspace.client()
    job = admin.jobs.create(name="once", tasks=[python("say", f"{path}/say.py")]).job_id or 0
    numbers = {admin.jobs.run_now(job, idempotency_token="abc").run_id for _ in range(3)}
    assert len(numbers) == 1
    with pytest.raises(Exception, match=r"\['nobody'\] are not defined"):
        admin.jobs.run_now(job, job_parameters={"nobody": "1"})
    with pytest.raises(Exception, match="Job 1 does not exist"):
        admin.jobs.run_now(1)
    with pytest.raises(PermissionDenied, match="CAN_MANAGE_RUN"):
        workspace.client(DANA).jobs.run_now(job)
    with pytest.raises(NotFound, match="Run 1 does not exist"):
        admin.jobs.get_run(1)


def test_runs_are_listed_in_pages_and_by_what_they_are(workspace: Workspace, path: str) -> None:
    """The newest first, limits up to 25, active and completed ones apart."""
    admin = workspace.client()
    job = admin.jobs.create(name="list", tasks=[python("say", f"{path}/say.py")], queue=QueueSettings(True)).job_id or 0
    made = [admin.jobs.run_now(job).run_id for _ in range(5)]
    assert [run.run_id for run in admin.jobs.list_runs(job_id=job, limit=2)] == made[::-1]
    until(lambda: len(list(admin.jobs.list_runs(job_id=job, completed_only=True))) == 5)
    [run] = [run for run in admin.jobs.list_runs(job_id=job, expand_tasks=True) if run.run_id == made[0]]
    assert [task.task_key for task in run.tasks or []] == ["say"]
    for query in ({"limit": 26}, {"limit": -1}, {"active_only": "true", "completed_only": "true"}, {"run_type": "X"}):
        answer = workspace.http("GET", "/api/2.2/jobs/runs/list", params=query)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "runs" not in workspace.http("GET", "/api/2.2/jobs/runs/list?start_time_to=1").json()
    with pytest.raises((OperationFailed, NotFound)):
        admin.jobs.get_run_output(1)


def test_a_submitted_run_is_run_as_who_is_named(workspace: Workspace, path: str) -> None:
    """With that identity's rights, by whoever may set it: dana has no user role on the principal."""
    another = identities.SERVICE_PRINCIPALS["quant_live"]  # whom no other test gives the folder, or its role to dana
    workspace.may_use(ADMIN, another)
    body = {"run_name": "once", "run_as": {"service_principal_name": another},
            "tasks": [{"task_key": "a", "spark_python_task": {"python_file": f"{path}/say.py"}}]}  # fmt: skip
    number = workspace.http("POST", "/api/2.2/jobs/runs/submit", json=body).json()["run_id"]
    until(lambda: told(workspace.client(), number) not in ("PENDING", "RUNNING", "TERMINATING"))
    run = workspace.client().jobs.get_run(number)
    assert run.state and run.state.result_state is RunResultState.FAILED
    output = workspace.client().jobs.get_run_output((run.tasks or [])[0].run_id or 0)
    assert "lacks the required permissions" in f"{output.error} {output.logs}"
    refused = workspace.http("POST", "/api/2.2/jobs/runs/submit", DANA, json=body)
    assert refused.status_code == 403
    wrong = body | {"run_as": {"user_name": "nobody@x.y"}}
    assert workspace.http("POST", "/api/2.2/jobs/runs/submit", json=wrong).status_code == 400


def test_a_submitted_run_is_the_callers_own(workspace: Workspace, path: str) -> None:
    """It is listed for its starter and for admins, for nobody else."""
    admin, dana = workspace.client(), workspace.client(DANA)
    body = {"run_name": "once", "tasks": [{"task_key": "a", "spark_python_task": {"python_file": f"{path}/say.py"}}]}
    number = workspace.http("POST", "/api/2.2/jobs/runs/submit", json=body).json()["run_id"]
    until(partial(is_told, admin, number, "SUCCESS"))
    assert number in {run.run_id for run in admin.jobs.list_runs()}
    assert number not in {run.run_id for run in dana.jobs.list_runs()}
    with pytest.raises(NotFound):
        dana.jobs.get_run(number)
