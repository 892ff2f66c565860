"""Job definitions."""

from __future__ import annotations

from typing import Any

import pytest
from databricks.sdk.errors import NotFound, PermissionDenied
from databricks.sdk.service.jobs import (
    JobAccessControlRequest,
    JobParameterDefinition,
    JobPermissionLevel,
    JobRunAs,
    JobSettings,
    SparkPythonTask,
    Task,
)

from sandbox import identities
from tests.workspace_sandbox import ADMIN, DANA, DEPLOYER, PRINCIPAL, Workspace

pytest_plugins = ["tests.workspace_sandbox"]
FILE = SparkPythonTask("/x/y.py")
OTHER = identities.SERVICE_PRINCIPALS["quant_stg"]


def keys(settings: JobSettings | None) -> list[str]:
    """The keys of the tasks."""
    assert settings is not None
    return [task.task_key for task in settings.tasks or []]


def test_a_job_is_answered_as_it_was_sent(workspace: Workspace) -> None:
    """Order and spelling of settings stay; creator, run_as and what the product fills in are added."""
    sent: dict[str, Any] = {
        "name": "Ünïcode",
        "tags": {"b": "2", "A": "1"},
        "tasks": [{"task_key": "z", "spark_python_task": {"python_file": "/f.py", "parameters": ["-x"]}}, {"task_key": "a"}],
        "parameters": [{"name": "p", "default": "1"}],
        "run_as": {"service_principal_name": PRINCIPAL},
        "something_new": {"deep": [1, None, True]},
    }  # fmt: skip
    number = workspace.http("POST", "/api/2.2/jobs/create", json=sent).json()["job_id"]
    job = workspace.http("GET", "/api/2.2/jobs/get", params={"job_id": number}).json()
    filled = {"run_if": "ALL_SUCCESS", "timeout_seconds": 0, "email_notifications": {}, "webhook_notifications": {}}
    tasks = [{**filled, **task} for task in sent["tasks"]]
    assert {key: job["settings"][key] for key in sent} == {**sent, "tasks": tasks}
    assert job["settings"]["webhook_notifications"] == {}
    assert (job["creator_user_name"], job["run_as_user_name"]) == (ADMIN, PRINCIPAL)
    assert (job["settings"]["max_concurrent_runs"], job["settings"]["format"]) == (1, "MULTI_TASK")


def test_reset_replaces_and_keeps_run_as(workspace: Workspace) -> None:
    """What is left out is gone, run_as alone stays as it was (databricks/cli #4873)."""
    admin = workspace.client()
    number = admin.jobs.create(name="a", timeout_seconds=5, run_as=JobRunAs(service_principal_name=PRINCIPAL)).job_id or 0
    admin.jobs.reset(number, JobSettings(name="b", tasks=[Task("t", spark_python_task=FILE)]))
    found = admin.jobs.get(number)
    assert found.settings and (found.settings.name, found.settings.timeout_seconds) == ("b", 0)
    assert (keys(found.settings), found.run_as_user_name) == (["t"], PRINCIPAL)


def test_update_merges_tasks_and_replaces_the_rest(workspace: Workspace) -> None:
    """By task_key; fields_to_remove takes fields, and single tasks as tasks/<key>."""
    admin = workspace.client()
    tasks = [Task("a", spark_python_task=FILE), Task("b", spark_python_task=FILE)]
    number = admin.jobs.create(name="n", tags={"x": "1"}, description="d", tasks=tasks).job_id or 0
    new = JobSettings(tags={"y": "2"}, tasks=[Task("b", description="new"), Task("c", spark_python_task=FILE)])
    admin.jobs.update(number, new_settings=new, fields_to_remove=["description", "tasks/a"])
    found = admin.jobs.get(number).settings
    assert found and (found.name, found.tags, found.description) == ("n", {"y": "2"}, None)
    assert keys(found) == ["b", "c"]
    assert (found.tasks or [])[0].spark_python_task is None


def test_permissions_may_come_with_the_job(workspace: Workspace) -> None:
    """access_control_list of jobs/create; the caller owns it where no owner is said."""
    admin = workspace.client()
    entry = JobAccessControlRequest(user_name=DANA, permission_level=JobPermissionLevel.CAN_VIEW)
    number = admin.jobs.create(name="n", access_control_list=[entry]).job_id or 0
    assert workspace.client(DANA).jobs.get(number).job_id == number
    with pytest.raises(PermissionDenied):
        workspace.client(DANA).jobs.run_now(number)
    assert "access_control_list" not in workspace.http("GET", f"/api/2.2/jobs/get?job_id={number}").json()["settings"]


INVALID = "INVALID_PARAMETER_VALUE"
DAILY = {"quartz_cron_expression": "0 0 6 ? * MON-FRI", "timezone_id": "Europe/Berlin"}
# Too short, both days said, neither, a 25th hour, a word, a step of nought, an eighth day.
NEVER = ("0 0 6 *", "0 0 6 * * *", "0 0 6 ? * ?", "0 0 25 * * ?", "daily", "0 0/0 6 * * ?", "0 0 6 ? * 8")
TASK = {"task_key": "a", "spark_python_task": {"python_file": "/f.py"}}


@pytest.mark.parametrize(
    "cron",
    [
        "0 15 22 ? * *",
        "0 0/5 6-18 * * ?",
        "0 0 6 L * ?",
        "0 0 6 ? * 2#1,FRIL",
        "0 0 6 15W JAN-JUN/2 ? 2030",
        "10,20 * * * * ?",
    ],
)
def test_schedules_that_come_are_taken(workspace: Workspace, cron: str) -> None:
    """Every form of Quartz; zones by name and by offset."""
    for zone in ("UTC", "America/Los_Angeles", "GMT+02:00"):
        schedule = {"quartz_cron_expression": cron, "timezone_id": zone}
        answer = workspace.http("POST", "/api/2.2/jobs/create", json={"name": "n", "schedule": schedule})
        assert answer.ok, answer.text


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"tasks": [{}]}, "INVALID_PARAMETER_VALUE", "task_key"),
        ({"tasks": [TASK, TASK]}, "INVALID_PARAMETER_VALUE", "unique"),
        ({"tasks": [{**TASK, "depends_on": [{"task_key": "b"}]}]}, "INVALID_PARAMETER_VALUE", "depends on b"),
        ({"tasks": [{**TASK, "depends_on": [{"task_key": "a"}]}]}, "INVALID_PARAMETER_VALUE", "cycle"),
        (
            {"tasks": [{**TASK, "depends_on": [{"task_key": "b"}]},
                       {"task_key": "b", "depends_on": [{"task_key": "a"}]}, {"task_key": "c"}]},
            "INVALID_PARAMETER_VALUE", "cycle: a, b",
        ),
        ({"run_as": {"user_name": "nobody@x.y"}}, "INVALID_PARAMETER_VALUE", "nobody@x.y"),
        ({"run_as": {"user_name": PRINCIPAL}}, "INVALID_PARAMETER_VALUE", "cannot be found"),
        ({"max_concurrent_runs": -1}, "INVALID_PARAMETER_VALUE", "max_concurrent_runs"),
        ({"timeout_seconds": "soon"}, "MALFORMED_REQUEST", "timeout_seconds"),
        ({"name": ["a"]}, "MALFORMED_REQUEST", "name"),
        ({"tasks": {"a": 1}}, "MALFORMED_REQUEST", "tasks"),
        ({"tasks": ["a"]}, "MALFORMED_REQUEST", "tasks"),
        ({"schedule": "daily"}, "MALFORMED_REQUEST", "schedule"),
        *(({"schedule": {"quartz_cron_expression": cron, "timezone_id": "UTC"}}, INVALID, "quartz cron") for cron in NEVER),
        ({"schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "Europe/Atlantis"}}, INVALID, "timezone_id"),
        ({"schedule": {"timezone_id": "UTC"}}, INVALID, "quartz_cron_expression"),
        ({"schedule": {**DAILY, "pause_status": "STOPPED"}}, INVALID, "schedule.pause_status"),
        ({"continuous": {"pause_status": "PAUSED"}, "schedule": DAILY}, INVALID, "Only one of"),
        ({"email_notifications": {"on_failure": [""]}}, INVALID, "not a valid email address"),
        ({"tasks": [{**TASK, "email_notifications": {"on_start": ["a@b.c", " "]}}]}, INVALID, "not a valid email address"),
        ({"webhook_notifications": {"on_failure": [{"id": str(n)} for n in range(4)]}}, INVALID, "at most 3"),
        ({"webhook_notifications": {"on_failure": [{}]}}, INVALID, "Missing required field: id"),
        ({"tasks": [{**TASK, "job_cluster_key": "k"}]}, INVALID, "'k' is not defined in job_clusters"),
        ({"tasks": [{**TASK, "environment_key": "k"}]}, INVALID, "'k' is not defined in environments"),
        ({"tasks": [{**TASK, "run_if": "SOMETIMES"}]}, INVALID, "run_if"),
        ({"tasks": [{"task_key": "a", "notebook_task": {"notebook_path": "/n", "source": "SVN"}}]}, INVALID, "source"),
        ({"edit_mode": "OPEN"}, INVALID, "edit_mode"),
        ({"health": {"rules": [{"metric": "SPEED", "op": "GREATER_THAN"}]}}, INVALID, "health.rules.metric"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(workspace: Workspace, settings: dict[str, Any], code: str, words: str) -> None:
    """By create, reset and update alike, and the job stays as it was."""
    number = workspace.http("POST", "/api/2.2/jobs/create", json={"name": "n", "tasks": [{"task_key": "z"}]}).json()[
        "job_id"
    ]
    before = workspace.http("GET", f"/api/2.2/jobs/get?job_id={number}").json()
    for call, body in (
        ("create", settings),
        ("reset", {"job_id": number, "new_settings": settings}),
        ("update", {"job_id": number, "new_settings": settings}),
    ):
        answer = workspace.http("POST", f"/api/2.2/jobs/{call}", json=body)
        assert (answer.status_code, answer.json()["error_code"]) == (400, code), (call, answer.text)
        assert words in answer.json()["message"]
    assert workspace.http("GET", f"/api/2.2/jobs/get?job_id={number}").json() == before


def test_jobs_run_as_a_service_principal_only_for_who_has_the_user_role(workspace: Workspace) -> None:
    """Administrators too; a user may name themselves, an administrator any user."""
    admin, dana = workspace.client(), workspace.client(DANA)
    assert dana.jobs.create(name="mine", run_as=JobRunAs(user_name=DANA)).job_id
    assert admin.jobs.create(name="hers", run_as=JobRunAs(user_name=DANA)).job_id
    for client, run_as in (
        (dana, JobRunAs(user_name=ADMIN)),
        (dana, JobRunAs(service_principal_name=OTHER)),
        (admin, JobRunAs(service_principal_name=OTHER)),
    ):
        with pytest.raises(PermissionDenied, match="run_as"):
            client.jobs.create(name="theirs", run_as=run_as)
    assert workspace.client(DEPLOYER).jobs.create(name="ours", run_as=JobRunAs(service_principal_name=OTHER)).job_id
    workspace.may_use(DANA, OTHER)
    assert dana.jobs.create(name="theirs", run_as=JobRunAs(service_principal_name=OTHER)).job_id


def test_what_the_product_fills_in_is_told_and_not_kept(workspace: Workspace) -> None:
    """Of notebooks, clusters and dependencies; a reset by what was read changes nothing."""
    cluster = {"spark_version": "15.4.x-scala2.12", "node_type_id": "i3.xlarge", "num_workers": 1}
    sent = {
        "name": "n", "job_clusters": [{"job_cluster_key": "k", "new_cluster": cluster}],
        "tasks": [
            {"task_key": "b", "notebook_task": {"notebook_path": "/n"}}, {"task_key": "a", "job_cluster_key": "k"},
            {"task_key": "c", "depends_on": [{"task_key": "b"}, {"task_key": "a"}], "new_cluster": cluster},
        ],
    }  # fmt: skip
    number = workspace.http("POST", "/api/2.2/jobs/create", json=sent).json()["job_id"]

    def told() -> dict[str, Any]:
        found: dict[str, Any] = workspace.http("GET", f"/api/2.2/jobs/get?job_id={number}").json()["settings"]
        return found

    first, _, last = told()["tasks"]
    assert first["notebook_task"] == {"notebook_path": "/n", "source": "WORKSPACE"}
    assert last["depends_on"] == [{"task_key": "a"}, {"task_key": "b"}]
    for one in (told()["job_clusters"][0]["new_cluster"], last["new_cluster"]):
        assert one.items() >= cluster.items() and one["data_security_mode"] == "SINGLE_USER" and one["aws_attributes"]
    before = told()
    workspace.http("POST", "/api/2.2/jobs/reset", json={"job_id": number, "new_settings": before}).raise_for_status()
    assert told() == before


def test_a_job_that_is_not_there(workspace: Workspace) -> None:
    """INVALID_PARAMETER_VALUE in words that the clients know as not found; a number that is none is malformed."""
    with pytest.raises(NotFound, match="Job 1 does not exist"):
        workspace.client().jobs.get(1)
    for number in ("abc", "1.5", "9" * 30):
        answer = workspace.http("GET", "/api/2.2/jobs/get", params={"job_id": number})
        assert (answer.status_code, answer.json()["error_code"]) == (400, "MALFORMED_REQUEST")
    assert workspace.http("GET", "/api/2.2/jobs/get").json()["message"] == "Missing required field: job_id"


def test_more_than_a_hundred_tasks_come_in_pages(workspace: Workspace) -> None:
    """The client library gathers them all; API 2.1 shows none; a list shows a hundred and says that there are more."""
    admin, name = workspace.client(), workspace.name("large")
    tasks = [Task(f"t{number:03}", spark_python_task=FILE) for number in range(230)]
    parameters = [JobParameterDefinition(f"p{number:03}", "") for number in range(120)]
    number = admin.jobs.create(name=name, tasks=tasks, parameters=parameters).job_id or 0
    found = admin.jobs.get(number).settings
    assert keys(found) == [task.task_key for task in tasks]
    assert found and len(found.parameters or []) == 120
    assert len(workspace.http("GET", f"/api/2.2/jobs/get?job_id={number}").json()["settings"]["tasks"]) == 100
    assert "tasks" not in workspace.http("GET", f"/api/2.1/jobs/get?job_id={number}").json()["settings"]
    shown = workspace.http("GET", "/api/2.2/jobs/list", params={"name": name, "expand_tasks": "true"}).json()["jobs"][0]
    assert (len(shown["settings"]["tasks"]), shown["has_more"]) == (100, True)
    [expanded] = admin.jobs.list(name=name, expand_tasks=True)
    assert keys(expanded.settings) == [task.task_key for task in tasks]
    [plain] = admin.jobs.list(name=name)
    assert keys(plain.settings) == []


def test_lists_are_the_newest_first_and_lose_nothing_between_pages(workspace: Workspace) -> None:
    """Also when a job is made, and another deleted, between two pages; limits are 1 to 100."""
    admin, name = workspace.client(), workspace.name("many")
    made = [admin.jobs.create(name=name).job_id or 0 for _ in range(7)]
    listing = admin.jobs.list(name=name, limit=3)
    seen = [next(listing).job_id for _ in range(3)]
    admin.jobs.create(name=name)
    admin.jobs.delete(made[4])
    seen += [job.job_id for job in listing]
    assert seen == made[::-1]
    for limit in (0, -1, 101, 10**30):
        answer = workspace.http("GET", "/api/2.2/jobs/list", params={"limit": limit})
        assert answer.status_code == 400
    assert workspace.http("GET", "/api/2.2/jobs/list?offset=1001").json()["error_code"] == "INVALID_PARAMETER_VALUE"
    older = workspace.http("GET", "/api/2.1/jobs/list", params={"name": name, "offset": 2, "limit": 2}).json()
    assert (len(older["jobs"]), older["has_more"]) == (2, True)
