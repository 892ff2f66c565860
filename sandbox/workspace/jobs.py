"""Job definitions: settings are kept as they were sent. https://docs.databricks.com/api/workspace/jobs"""

from __future__ import annotations

import json
import sqlite3
import time

from sandbox.workspace import permissions
from sandbox.workspace.auth import identity
from sandbox.workspace.call import Call, Json
from sandbox.workspace.errors import denied, invalid

_PAGE = 20


def create(call: Call) -> Json:
    """POST /api/2.2/jobs/create"""
    settings = {key: value for key, value in call.body.items() if key != "access_control_list"}
    settings.setdefault("name", "Untitled")
    _check(call, settings)
    job_id = call.store.new_id()
    with call.store.together():
        call.store.write(
            "insert into ws_job values (?, ?, ?, ?)",
            job_id, call.who.name, int(time.time() * 1000), json.dumps(_defaults(settings)),
        )  # fmt: skip
        permissions.grant(call.store, "jobs", job_id, call.who, "IS_OWNER")
    return {"job_id": job_id}


def get(call: Call) -> Json:
    """GET /api/2.2/jobs/get"""
    row = job_row(call, call.number("job_id"), "CAN_VIEW")
    return _answer(call, row)


def list_(call: Call) -> Json:
    """GET /api/2.2/jobs/list: what the caller may view"""
    rows = [
        row
        for row in call.store.rows("select * from ws_job order by id desc")
        if permissions.level_of(call.store, call.who, "jobs", str(row["id"]))
    ]
    if name := call.query.get("name"):
        rows = [row for row in rows if json.loads(row["settings"])["name"].lower() == name.lower()]
    start = call.number("page_token", call.number("offset", 0))
    count = min(call.number("limit", _PAGE), 100)
    page = [_answer(call, row) for row in rows[start : start + count]]
    if call.query.get("expand_tasks", "false") != "true":
        for job in page:
            job["settings"] = {key: value for key, value in job["settings"].items() if key != "tasks"}
    more = start + count < len(rows)
    return {"jobs": page, "has_more": more, **({"next_page_token": str(start + count)} if more else {})}


def reset(call: Call) -> Json:
    """POST /api/2.2/jobs/reset: these settings and no others"""
    row = job_row(call, int(call.need("job_id")), "CAN_MANAGE")
    settings = dict(call.need("new_settings"))
    settings.setdefault("name", "Untitled")
    # run_as that is left out stays as it was (databricks/cli #4873).
    if (before := json.loads(row["settings"]).get("run_as")) and "run_as" not in settings:
        settings["run_as"] = before
    _check(call, settings)
    call.store.write("update ws_job set settings = ? where id = ?", json.dumps(_defaults(settings)), row["id"])
    return {}


def update(call: Call) -> Json:
    """POST /api/2.2/jobs/update: some top-level fields"""
    row = job_row(call, int(call.need("job_id")), "CAN_MANAGE")
    settings = {**json.loads(row["settings"]), **call.body.get("new_settings", {})}
    for field in call.body.get("fields_to_remove", []):
        settings.pop(str(field), None)
    _check(call, settings)
    call.store.write("update ws_job set settings = ? where id = ?", json.dumps(_defaults(settings)), row["id"])
    return {}


def delete(call: Call) -> Json:
    """POST /api/2.2/jobs/delete"""
    row = job_row(call, int(call.need("job_id")), "CAN_MANAGE")
    with call.store.together():
        call.store.write("delete from ws_job where id = ?", row["id"])
        permissions.forget(call.store, "jobs", row["id"])
    return {}


def job_row(call: Call, job_id: int, level: str) -> sqlite3.Row:
    """The job, when the caller has at least `level` on it."""
    row = call.store.row("select * from ws_job where id = ?", job_id)
    if row is None:
        # The product answers this code for a job, and not RESOURCE_DOES_NOT_EXIST.
        raise invalid(f"Job {job_id} does not exist.")
    permissions.require(call, "jobs", job_id, level, f"job {job_id}")
    return row


def run_as(row: sqlite3.Row) -> str:
    """Whose rights the job's runs have: the service principal or user of run_as, else the creator."""
    said = json.loads(row["settings"]).get("run_as") or {}
    return str(said.get("service_principal_name") or said.get("user_name") or row["creator"])


def _answer(call: Call, row: sqlite3.Row) -> Json:
    return {
        "job_id": row["id"],
        "creator_user_name": row["creator"],
        "run_as_user_name": run_as(row),
        "created_time": row["created"],
        "settings": json.loads(row["settings"]),
    }


def _defaults(settings: Json) -> Json:
    return {
        "max_concurrent_runs": 1,
        "email_notifications": {},
        "format": "MULTI_TASK",
        "timeout_seconds": 0,
        **settings,
    }


def _check(call: Call, settings: Json) -> None:
    keys = [task.get("task_key") for task in settings.get("tasks", [])]
    if None in keys:
        raise invalid("Every task must have a task_key.")
    if len(set(keys)) < len(keys):
        raise invalid("Task keys must be unique.")
    for task in settings.get("tasks", []):
        for dependency in task.get("depends_on", []):
            if dependency.get("task_key") not in keys:
                raise invalid(f"Task {task['task_key']} depends on {dependency.get('task_key')}, which does not exist.")
    said = settings.get("run_as") or {}
    name = said.get("service_principal_name") or said.get("user_name")
    if name:
        who = identity(call.store, name)
        if who is None or (who.kind == "user") != ("user_name" in said and bool(said["user_name"])):
            raise invalid(f"run_as: '{name}' cannot be found.")
        if name != call.who.name and not call.who.is_admin:
            raise denied(f"{call.who.name} may not set run_as to {name}: the user role on the service principal is missing.")
