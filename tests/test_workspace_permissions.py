"""Who may do what: each level on each call, where levels come from, and what the permissions API refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, NotFound, PermissionDenied
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel
from databricks.sdk.service.jobs import JobSettings, SparkPythonTask, SubmitTask, Task

from tests.workspace_sandbox import ADMIN, DANA, DEPLOYER, EDDIE, PRINCIPAL, Workspace

pytest_plugins = ["tests.workspace_sandbox"]
FILE = "src/common/__init__.py"


def give(workspace: Workspace, kind: str, number: int, level: str | None, who: str = DANA) -> None:
    """That one level and, on a job, the owner."""
    entries = [AccessControlRequest(user_name=who, permission_level=PermissionLevel(level))] if level else []
    if kind == "jobs" and level != "IS_OWNER":
        entries.append(AccessControlRequest(user_name=ADMIN, permission_level=PermissionLevel.IS_OWNER))
    workspace.client().permissions.set(kind, str(number), access_control_list=entries)


def tried(actions: dict[str, Callable[[], Any]]) -> set[str]:
    """The actions that were not refused; a refusal is 403 or 404 and names no defect."""
    done = set()
    for name, action in actions.items():
        try:
            action()
        except (PermissionDenied, NotFound) as refused:
            assert "sandbox" not in str(refused)
        except DatabricksError as refused:
            assert refused.error_code == "INVALID_PARAMETER_VALUE" and "does not exist" in str(refused), (name, refused)
        else:
            done.add(name)
    return done


FOLDER = [
    (None, set()),
    ("CAN_READ", {"get", "status", "list", "read", "export", "permissions"}),
    ("CAN_RUN", {"run"}),
    ("CAN_EDIT", {"write"}),
    ("CAN_MANAGE", {"repos", "pull", "add", "mkdirs", "remove", "share", "delete"}),
]
LEVELS = [level for level, _ in FOLDER]


@pytest.mark.parametrize("above", [False, True], ids=["on it", "inherited"])
@pytest.mark.parametrize("level", LEVELS)
def test_a_level_on_a_git_folder_allows_what_it_allows(workspace: Workspace, level: str | None, above: bool) -> None:
    """Each call with each level, had on the folder itself or on the directory above; each level has those below it."""
    admin, dana = workspace.client(), workspace.client(DANA)
    top = workspace.name("top")
    admin.workspace.mkdirs(f"/{top}")
    folder = workspace.folder(path=f"/{top}/git")
    path, number = folder.path or "", folder.id or 0
    if above:
        give(workspace, "directories", admin.workspace.get_status(f"/{top}").object_id or 0, level)
    else:
        give(workspace, "repos", number, level)
    before = admin.workspace.download(f"{path}/{FILE}").read()
    task = SubmitTask("once", spark_python_task=SparkPythonTask(f"{path}/{FILE}"))
    entry = AccessControlRequest(user_name=EDDIE, permission_level=PermissionLevel.CAN_READ)

    def delete_all() -> None:
        admin.workspace.delete(f"{path}/added") if "add" in expected else None
        dana.repos.delete(number)

    expected = set().union(*(allowed for name, allowed in FOLDER if LEVELS.index(name) <= LEVELS.index(level)))
    done = tried(
        {
            "get": lambda: dana.repos.get(number),
            "status": lambda: dana.workspace.get_status(path),
            "list": lambda: list(dana.workspace.list(path)),
            "read": lambda: dana.workspace.download(f"{path}/{FILE}"),
            "export": lambda: dana.workspace.export(path),
            "permissions": lambda: dana.permissions.get("repos", str(number)),
            "run": lambda: dana.jobs.submit(run_name="once", tasks=[task]),
            "write": lambda: dana.workspace.upload(f"{path}/{FILE}", before, overwrite=True),
            "pull": lambda: dana.repos.update(number, branch="quant_stg"),
            "add": lambda: dana.workspace.upload(f"{path}/added", b"x"),
            "mkdirs": lambda: dana.workspace.mkdirs(f"{path}/made"),
            "remove": lambda: dana.workspace.delete(f"{path}/made"),
            "share": lambda: dana.permissions.update("repos", str(number), access_control_list=[entry]),
        }
    )
    if [repo.id for repo in dana.repos.list(path_prefix=path)] == [number]:
        done.add("repos")
    done |= tried({"delete": delete_all})
    assert done == expected


JOB = [
    (None, set()),
    ("CAN_VIEW", {"get", "list", "runs", "run"}),
    ("CAN_MANAGE_RUN", {"start", "cancel", "output"}),
    ("CAN_MANAGE", {"reset", "update", "share", "delete", "permissions"}),
    ("IS_OWNER", set()),
]
JOB_LEVELS = [level for level, _ in JOB]


@pytest.mark.parametrize("level", JOB_LEVELS)
def test_a_level_on_a_job_allows_what_it_allows(workspace: Workspace, level: str | None) -> None:
    """Each call with each level; each level has those below it."""
    admin, dana = workspace.client(), workspace.client(DANA)
    folder = workspace.folder()
    tasks = [Task("a", spark_python_task=SparkPythonTask(f"{folder.path}/{FILE}"))]
    name = workspace.name("job")
    number = admin.jobs.create(name=name, tasks=tasks).job_id or 0
    run = admin.jobs.run_now(number).result()
    task_run = (run.tasks or [])[0].run_id or 0
    give(workspace, "jobs", number, level)
    settings = JobSettings(name=name, tasks=tasks)
    entry = AccessControlRequest(user_name=EDDIE, permission_level=PermissionLevel.CAN_VIEW)
    expected = set().union(*(allowed for name, allowed in JOB if JOB_LEVELS.index(name) <= JOB_LEVELS.index(level)))
    done = tried(
        {
            "get": lambda: dana.jobs.get(number),
            "run": lambda: dana.jobs.get_run(run.run_id or 0),
            "output": lambda: dana.jobs.get_run_output(task_run),
            "permissions": lambda: dana.permissions.get("jobs", str(number)),
            "start": lambda: dana.jobs.run_now(number),
            "cancel": lambda: dana.jobs.cancel_run(run.run_id or 0),
            "reset": lambda: dana.jobs.reset(number, settings),
            "update": lambda: dana.jobs.update(number, new_settings=JobSettings(timeout_seconds=5)),
            "share": lambda: dana.permissions.update("jobs", str(number), access_control_list=[entry]),
        }
    )
    done |= {"list"} if [job.job_id for job in dana.jobs.list(name=name.upper())] == [number] else set()
    done |= {"runs"} if [one.run_id for one in dana.jobs.list_runs(job_id=number)][-1:] == [run.run_id] else set()
    done |= tried({"delete": lambda: dana.jobs.delete(number)})
    assert done == expected


def test_inherited_levels_are_told_with_where_they_come_from(workspace: Workspace) -> None:
    """Direct and inherited entries side by side, admins always; object type and id as the provider wants them."""
    admin, top = workspace.client(), workspace.name("top")
    admin.workspace.mkdirs(f"/{top}")
    above = admin.workspace.get_status(f"/{top}").object_id or 0
    folder = workspace.folder(path=f"/{top}/git")
    give(workspace, "directories", above, "CAN_RUN")
    give(workspace, "repos", folder.id or 0, "CAN_READ")
    found = admin.permissions.get("repos", str(folder.id))
    assert (found.object_type, found.object_id) == ("repo", f"/repos/{folder.id}")
    listed = {entry.user_name or entry.group_name: entry for entry in found.access_control_list or []}
    assert set(listed) == {DANA, "admins"}
    assert listed[DANA].display_name == "Dana"
    told = [(one.permission_level, one.inherited, one.inherited_from_object) for one in listed[DANA].all_permissions or []]
    assert told == [
        (PermissionLevel.CAN_READ, False, None),
        (PermissionLevel.CAN_RUN, True, [f"/directories/{above}"]),
    ]
    assert [
        level.permission_level
        for level in admin.permissions.get_permission_levels("jobs", job(admin)).permission_levels or []
    ]


def job(client: WorkspaceClient) -> str:
    """A job of the client's."""
    return str(client.jobs.create(name="any").job_id)


def test_put_replaces_and_patch_adds(workspace: Workspace) -> None:
    """A second entry for somebody takes the place of the first."""
    admin, number = workspace.client(), str(workspace.folder().id)

    def direct() -> dict[str, str]:
        listed = admin.permissions.get("repos", number).access_control_list or []
        who = {entry.user_name or entry.group_name or "": entry.all_permissions or [] for entry in listed}
        return {
            name: one.permission_level.value
            for name, own in who.items()
            for one in own
            if not one.inherited and one.permission_level
        }

    def entry(who: str, level: str) -> list[AccessControlRequest]:
        return [AccessControlRequest(user_name=who, permission_level=PermissionLevel(level))]

    assert direct() == {ADMIN: "CAN_MANAGE"}
    admin.permissions.update("repos", number, access_control_list=entry(DANA, "CAN_READ"))
    admin.permissions.update("repos", number, access_control_list=entry(DANA, "CAN_RUN"))
    assert direct() == {ADMIN: "CAN_MANAGE", DANA: "CAN_RUN"}
    admin.permissions.set("repos", number, access_control_list=entry(EDDIE, "CAN_EDIT"))
    assert direct() == {EDDIE: "CAN_EDIT"}


def test_a_service_principal_may_come_as_a_user_name(workspace: Workspace) -> None:
    """So the provider names whoever it runs as; it is told as what it is. Names know no case."""
    admin, number = workspace.client(), str(workspace.folder().id)
    entries = [
        AccessControlRequest(user_name=PRINCIPAL.upper(), permission_level=PermissionLevel.CAN_MANAGE),
        AccessControlRequest(user_name=DANA.title(), permission_level=PermissionLevel.CAN_READ),
    ]
    answer = admin.permissions.set("repos", number, access_control_list=entries)
    told = {(entry.user_name, entry.service_principal_name) for entry in answer.access_control_list or []}
    assert {(DANA, None), (None, PRINCIPAL)} <= told


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([], "must have exactly one owner"),
        ([{"user_name": DANA, "permission_level": "CAN_MANAGE"}], "must have exactly one owner"),
        (
            [{"user_name": DANA, "permission_level": "IS_OWNER"}, {"user_name": ADMIN, "permission_level": "IS_OWNER"}],
            "can only have one owner",
        ),
        ([{"group_name": "quant-developers", "permission_level": "IS_OWNER"}], "group cannot be the owner"),
        ([{"user_name": DANA, "permission_level": "CAN_READ"}], "not one of"),
        ([{"user_name": DANA}], "not one of"),
        ([{"permission_level": "CAN_VIEW"}], "Exactly one of"),
        ([{"user_name": DANA, "group_name": "users", "permission_level": "CAN_VIEW"}], "Exactly one of"),
        ([{"user_name": "nobody@x.y", "permission_level": "CAN_VIEW"}], "UserName(nobody@x.y) does not exist"),
        ([{"group_name": "nobody", "permission_level": "CAN_VIEW"}], "GroupName(nobody) does not exist"),
        ([{"service_principal_name": DANA, "permission_level": "CAN_VIEW"}], f"ServicePrincipalName({DANA}) does not exist"),
    ],
)
def test_entries_that_cannot_be_are_refused_and_change_nothing(
    workspace: Workspace, entries: list[dict[str, str]], words: str
) -> None:
    """One owner, no group as owner, levels of the object's kind, principals that there are."""
    number = job(workspace.client())
    before = workspace.http("GET", f"/api/2.0/permissions/jobs/{number}").json()
    answer = workspace.http("PUT", f"/api/2.0/permissions/jobs/{number}", json={"access_control_list": entries})
    assert answer.status_code == (404 if "does not exist" in words else 400)
    assert words in answer.json()["message"]
    assert workspace.http("GET", f"/api/2.0/permissions/jobs/{number}").json() == before


def test_only_an_admin_hands_a_job_on(workspace: Workspace) -> None:
    """Its owner may share it and may not make somebody else the owner."""
    dana = workspace.client(DANA)
    number = job(dana)
    mine = AccessControlRequest(user_name=DANA, permission_level=PermissionLevel.IS_OWNER)
    theirs = AccessControlRequest(user_name=EDDIE, permission_level=PermissionLevel.IS_OWNER)
    viewer = AccessControlRequest(user_name=EDDIE, permission_level=PermissionLevel.CAN_VIEW)
    dana.permissions.set("jobs", number, access_control_list=[mine, viewer])
    with pytest.raises(PermissionDenied, match="owner"):
        dana.permissions.set("jobs", number, access_control_list=[theirs])
    workspace.client().permissions.set("jobs", number, access_control_list=[theirs])
    with pytest.raises(PermissionDenied):
        dana.jobs.get(int(number))


def test_what_is_not_there_has_no_permissions(workspace: Workspace) -> None:
    """Unknown objects and numbers that are none are 404, unknown kinds 400."""
    for path in ("repos/1", "jobs/abc", "directories/x"):
        assert workspace.http("GET", f"/api/2.0/permissions/{path}").status_code == 404
    assert workspace.http("GET", "/api/2.0/permissions/clusters/1").status_code == 400
    with pytest.raises(BadRequest):
        workspace.client(DEPLOYER).permissions.get("clusters", "1")
    assert "sandbox" in json.dumps(workspace.http("GET", "/api/2.0/permissions/clusters/1").json())
