"""Runs of jobs: started, looked at, cancelled. https://docs.databricks.com/api/workspace/jobs/runnow"""

from __future__ import annotations

import json

from sandbox.workspace import fields, levels, paging, permissions
from sandbox.workspace.call import Call, Json
from sandbox.workspace.errors import invalid
from sandbox.workspace.job_settings import check_run_as, check_tasks, tasks_of
from sandbox.workspace.jobs import job_row, need_offset, page_of_arrays, run_as
from sandbox.workspace.paths import plain
from sandbox.workspace.run_state import is_active, now, state
from sandbox.workspace.world import WORKSPACE_ID

_PAGE, _MAXIMUM = 20, 25  # runs in a list; a limit of 0 is the highest
_OFFSET = 10_000
_KINDS = ("JOB_RUN", "SUBMIT_RUN", "WORKFLOW_RUN")


def run_now(call: Call) -> Json:
    """POST /api/2.2/jobs/run-now"""
    row = job_row(call, call.number("job_id"), "CAN_MANAGE_RUN")
    token = call.text("idempotency_token", "")
    if known := _same(call, token, row["id"]):
        return {"run_id": known, "number_in_job": known}
    settings = json.loads(row["settings"])
    defaults = {str(p["name"]): str(p.get("default") or "") for p in settings.get("parameters") or []}
    given = {name: fields.text(name, value) for name, value in call.mapping("job_parameters").items()}
    if unknown := sorted(set(given) - set(defaults)):
        raise invalid(f"Job parameters {unknown} are not defined in the job.")
    values = [{"name": name, "default": default, "value": given.get(name, default)} for name, default in defaults.items()]
    body = _new(call, settings["name"], tasks_of(settings), token)
    body |= {"job_id": row["id"], "run_type": "JOB_RUN", "run_as_user_name": run_as(row), "job_parameters": values}
    call.runner.start(call.world, body, settings)
    return {"run_id": body["run_id"], "number_in_job": body["run_id"]}


def submit(call: Call) -> Json:
    """POST /api/2.2/jobs/runs/submit: files of a folder, run once as run_as or the caller, who needs CAN_RUN there"""
    tasks, as_whom = call.mappings("tasks"), call.mapping("run_as")
    if not tasks:
        raise invalid("At least one task must be given.")
    check_tasks(tasks)
    check_run_as(call, as_whom)
    for task in tasks:
        spec = task.get("spark_python_task") or task.get("notebook_task") or {}
        path = str(spec.get("python_file") or spec.get("notebook_path") or "")
        inside = plain(path) if path.startswith("/") else path
        for row in call.store.rows("select * from ws_folder"):
            if inside.startswith(row["path"] + "/"):
                permissions.require(call, "repos", row["id"], "CAN_RUN", inside)
    token = call.text("idempotency_token", "")
    if known := _same(call, token, None):
        return {"run_id": known}
    body = _new(call, call.text("run_name", "Untitled"), tasks, token)
    body |= {
        "job_id": call.store.new_id(),
        "run_type": "SUBMIT_RUN",
        "run_as_user_name": str(as_whom.get("service_principal_name") or as_whom.get("user_name") or call.who.name),
        "job_parameters": [],
    }
    call.runner.start(call.world, body, {"timeout_seconds": call.number("timeout_seconds", 0)})
    return {"run_id": body["run_id"]}


def get(call: Call) -> Json:
    """GET /api/2.2/jobs/runs/get?run_id=&page_token=: of a run, or of one of its tasks"""
    run_id = call.number("run_id")
    body = _load(call, run_id)
    if body["run_id"] != run_id:
        task = next(task for task in body["tasks"] if task["run_id"] == run_id)
        above = ("job_id", "run_name", "run_type", "creator_user_name")
        return {**{key: body[key] for key in above}, **_told(call, task), "job_run_id": body["run_id"]}
    arrays, token = page_of_arrays(_told(call, body), call.query.get("page_token"))
    return {**_told(call, body), **arrays, **({"next_page_token": token} if token else {})}


def list_(call: Call) -> Json:
    """GET /api/2.2/jobs/runs/list?job_id=&active_only=&completed_only=&run_type=&limit=&page_token=: the newest first"""
    job_id, size, offset = call.number("job_id", 0), call.number("limit", _PAGE), call.number("offset", 0)
    if not 0 <= size <= _MAXIMUM:
        raise invalid(f"Invalid limit {size} - it has to be no more than {_MAXIMUM}.")
    need_offset(offset, _OFFSET)
    active, completed = call.flag("active_only"), call.flag("completed_only")
    if active and completed:
        raise invalid("active_only and completed_only cannot both be true.")
    kind = call.text("run_type", "")
    if kind and kind not in _KINDS:
        raise invalid(f"run_type {kind!r} is not one of {', '.join(_KINDS)}.")
    since, until = call.number("start_time_from", 0), call.number("start_time_to", 2**62)
    rows = call.store.rows("select body from ws_run where parent is null and ? in (0, job_id) order by id desc", job_id)
    seen = [
        body
        for body in (json.loads(row["body"]) for row in rows)
        if _may_view(call, body)
        and (not active or is_active(body))
        and (not completed or not is_active(body))
        and kind in ("", body["run_type"])
        and since <= body["start_time"] <= until
    ][offset:]
    ids = [body["run_id"] for body in seen]
    page, token = paging.cut(seen, ids, call.query.get("page_token"), size or _MAXIMUM, newest_first=True)
    shown = [_listed(call, body, expand=call.flag("expand_tasks")) for body in page]
    return {
        **({"runs": shown} if shown else {}),
        "has_more": token is not None,
        **({"next_page_token": token} if token else {}),
    }


def get_output(call: Call) -> Json:
    """GET /api/2.2/jobs/runs/get-output: of one task's run"""
    run_id = call.number("run_id")
    # https://docs.databricks.com/security/auth/access-control (jobs): CAN VIEW sees results, CAN MANAGE RUN the logs.
    body = _load(call, run_id, "CAN_MANAGE_RUN")
    tasks = [task for task in body["tasks"] if run_id in (task["run_id"], body["run_id"])]
    if len(tasks) != 1:
        raise invalid("Retrieving the output of runs with multiple tasks is not supported. Please retrieve a task's.")
    task = tasks[0]
    row = call.store.row("select body from ws_run where id = ?", task["run_id"])
    output = json.loads(row["body"]) if row else {}
    answer: Json = {
        "metadata": {**task, "job_id": body["job_id"], "run_name": body["run_name"]},
        "logs": output.get("logs", ""),
        "logs_truncated": output.get("truncated", False),
    }
    if output.get("error"):
        answer |= {"error": output["error"], "error_trace": output.get("logs", "")}
    return answer


def cancel(call: Call) -> Json:
    """POST /api/2.2/jobs/runs/cancel: it is over soon after; one that is over stays as it was"""
    body = _load(call, call.number("run_id"), "CAN_MANAGE_RUN")
    call.runner.cancel(call.world, body["run_id"])
    return {}


def _new(call: Call, name: str, tasks: list[Json], token: str) -> Json:
    run_id, start = call.store.new_id(), now()
    kept = ("run_if", "timeout_seconds", "description")
    made = [
        {
            "run_id": call.store.new_id(),
            "task_key": str(task["task_key"]),
            "attempt_number": 0,
            "start_time": 0,
            "end_time": 0,
            **state("PENDING"),
            **{key: value for key, value in task.items() if key in kept or key.endswith("_task")},
            **_dependencies(task),
        }
        for task in tasks
    ]
    return {
        "run_id": run_id,
        "number_in_job": run_id,
        "original_attempt_run_id": run_id,
        "run_name": str(name),
        "creator_user_name": call.who.name,
        "trigger": "ONE_TIME",
        "format": "MULTI_TASK",
        "start_time": start,
        "end_time": 0,
        "tasks": made,
        **state("PENDING"),
        **({"idempotency_token": token} if token else {}),
    }


def _dependencies(task: Json) -> Json:
    needed = [{**dependency, "task_key": str(dependency["task_key"])} for dependency in task.get("depends_on") or []]
    return {"depends_on": needed} if needed else {}


def _same(call: Call, token: str, job_id: int | None) -> int | None:
    """The run that the same request has started before: https://docs.databricks.com/api/workspace/jobs/runnow"""
    if not token:
        return None
    for row in call.store.rows("select id, job_id, body from ws_run where parent is null and instr(body, ?)", token):
        body = json.loads(row["body"])
        same_job = row["job_id"] == job_id if job_id is not None else body["run_type"] == "SUBMIT_RUN"
        if body.get("idempotency_token") == token and same_job and body["creator_user_name"] == call.who.name:
            return int(row["id"])
    return None


def _listed(call: Call, body: Json, *, expand: bool) -> Json:
    told = _told(call, body)
    if not expand:
        return {key: value for key, value in told.items() if key not in ("tasks", "job_parameters")}
    arrays, token = page_of_arrays(told, None)
    return {**told, **arrays, **({"has_more": True} if token else {})}


def _told(call: Call, body: Json) -> Json:
    """A run or a task's run, with its page and with its durations in milliseconds where it has ended."""
    told: Json = {"setup_duration": 0, "execution_duration": 0, "cleanup_duration": 0, "queue_duration": 0, **body}
    if body["start_time"] and not is_active(body):
        told.setdefault("run_duration", body["end_time"] - body["start_time"])
    if "tasks" in body:
        host = call.world.job_env(call.who.name)["DATABRICKS_HOST"]
        told["run_page_url"] = f"{host}/?o={WORKSPACE_ID}#job/{body['job_id']}/run/{body['run_id']}"
        told["tasks"] = [_told(call, task) for task in body["tasks"]]
    return told


def _may_view(call: Call, body: Json) -> bool:
    if body["run_type"] == "JOB_RUN":
        return levels.has(call.store, call.who, "jobs", body["job_id"], "CAN_VIEW")
    return call.who.is_admin or bool(body["creator_user_name"] == call.who.name)


def _load(call: Call, run_id: int, level: str = "CAN_VIEW") -> Json:
    row = call.store.row("select * from ws_run where id = ?", run_id)
    if row is not None and row["parent"] is not None:
        row = call.store.row("select * from ws_run where id = ?", row["parent"])
    if row is None:
        raise invalid(f"Run {run_id} does not exist.")
    body: Json = json.loads(row["body"])
    if body["run_type"] == "JOB_RUN":
        permissions.require(call, "jobs", body["job_id"], level, f"job {body['job_id']}")
    elif not _may_view(call, body):
        raise invalid(f"Run {run_id} does not exist.")
    return body
