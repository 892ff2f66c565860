"""Runs of jobs: the tasks' Python files really run, in order, from the Git folder, as the job's run_as identity."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

from sandbox.workspace import permissions
from sandbox.workspace.call import Call, Json, World
from sandbox.workspace.errors import invalid
from sandbox.workspace.git_folders import clone_path, plain
from sandbox.workspace.jobs import job_row, run_as
from sandbox.workspace.store import Store

_KEEP = 64 * 1024  # bytes of a task's output
_PAGE = 25


def run_now(call: Call) -> Json:
    """POST /api/2.2/jobs/run-now"""
    row = job_row(call, int(call.need("job_id")), "CAN_MANAGE_RUN")
    settings = json.loads(row["settings"])
    known = {p["name"]: p["default"] for p in settings.get("parameters", [])}
    given = dict(call.body.get("job_parameters") or {})
    if unknown := sorted(set(given) - set(known)):
        raise invalid(f"Job parameters {unknown} are not defined in the job.")
    run_id = call.store.new_id()
    tasks = [
        {"run_id": call.store.new_id(), "task_key": task["task_key"], "attempt_number": 0, **_state("PENDING"),
         **{key: task[key] for key in ("depends_on", "spark_python_task", "notebook_task") if key in task}}
        for task in settings.get("tasks", [])
    ]  # fmt: skip
    body: Json = {
        "run_id": run_id,
        "job_id": row["id"],
        "run_name": settings["name"],
        "creator_user_name": call.who.name,
        "run_as_user_name": run_as(row),
        "run_type": "JOB_RUN",
        "trigger": "ONE_TIME",
        "start_time": _now(),
        "job_parameters": [{"name": n, "default": d, "value": str(given.get(n, d))} for n, d in known.items()],
        "tasks": tasks,
        **_state("RUNNING"),
    }
    _save(call.store, body)
    threading.Thread(target=_run, args=(call.world, body), daemon=True).start()
    return {"run_id": run_id, "number_in_job": run_id}


def submit(call: Call) -> Json:
    """POST /api/2.2/jobs/runs/submit: files of a folder, run once as the caller, who needs CAN_RUN there"""
    tasks = [
        {"run_id": call.store.new_id(), "task_key": str(task.get("task_key", "")), "attempt_number": 0, **_state("PENDING"),
         **{key: task[key] for key in ("depends_on", "spark_python_task", "notebook_task") if key in task}}
        for task in call.need("tasks")
    ]  # fmt: skip
    for task in tasks:
        spec = task.get("spark_python_task") or task.get("notebook_task") or {}
        path = plain(str(spec.get("python_file") or spec.get("notebook_path") or ""))
        for row in call.store.rows("select * from ws_folder"):
            if path.startswith(row["path"] + "/"):
                permissions.require(call, "repos", row["id"], "CAN_RUN", path)
    run_id = call.store.new_id()
    body: Json = {
        "run_id": run_id, "job_id": 0, "run_name": str(call.body.get("run_name", "Untitled")), "run_type": "SUBMIT_RUN",
        "creator_user_name": call.who.name, "run_as_user_name": call.who.name, "trigger": "ONE_TIME", "start_time": _now(),
        "job_parameters": [], "tasks": tasks, **_state("RUNNING"),
    }  # fmt: skip
    _save(call.store, body)
    threading.Thread(target=_run, args=(call.world, body), daemon=True).start()
    return {"run_id": run_id}


def get(call: Call) -> Json:
    """GET /api/2.2/jobs/runs/get"""
    run_id = call.number("run_id")
    body = _load(call, run_id)
    if body["run_id"] != run_id:
        task = next(task for task in body["tasks"] if task["run_id"] == run_id)
        return {**{key: body[key] for key in ("job_id", "run_name", "run_type")}, **task}
    return body


def list_(call: Call) -> Json:
    """GET /api/2.2/jobs/runs/list"""
    job_id = call.number("job_id", 0)
    rows = call.store.rows("select job_id, body from ws_run where ? in (0, job_id) order by id desc", job_id)
    seen = [
        json.loads(row["body"])
        for row in rows
        if row["job_id"] and permissions.level_of(call.store, call.who, "jobs", str(row["job_id"]))
    ]
    if call.query.get("active_only") == "true":
        seen = [body for body in seen if body["state"]["life_cycle_state"] != "TERMINATED"]
    if call.query.get("completed_only") == "true":
        seen = [body for body in seen if body["state"]["life_cycle_state"] in ("TERMINATED", "INTERNAL_ERROR")]
    start, count = call.number("page_token", call.number("offset", 0)), call.number("limit", _PAGE)
    more = start + count < len(seen)
    page = seen[start : start + count]
    if call.query.get("expand_tasks") != "true":
        page = [{key: value for key, value in body.items() if key != "tasks"} for body in page]
    return {"runs": page, "has_more": more, **({"next_page_token": str(start + count)} if more else {})}


def get_output(call: Call) -> Json:
    """GET /api/2.2/jobs/runs/get-output: of one task's run"""
    run_id = call.number("run_id")
    body = _load(call, run_id)
    tasks = [task for task in body["tasks"] if run_id in (task["run_id"], body["run_id"])]
    if len(tasks) != 1:
        raise invalid("Retrieving the output of runs with multiple tasks is not supported. Please retrieve a task's.")
    task = tasks[0]
    row = call.store.row("select body from ws_run where parent = ? and id = ?", body["run_id"], task["run_id"])
    output = json.loads(row["body"]) if row else {}
    answer: Json = {
        "metadata": {**task, "job_id": body["job_id"]},
        "logs": output.get("logs", ""),
        "logs_truncated": False,
    }
    if output.get("error"):
        answer |= {"error": output["error"], "error_trace": output.get("logs", "")}
    return answer


def cancel(call: Call) -> Json:
    """POST /api/2.2/jobs/runs/cancel"""
    body = _load(call, call.number("run_id"), "CAN_MANAGE_RUN")
    if body["state"]["life_cycle_state"] != "TERMINATED":
        body |= _state("TERMINATED", "CANCELED", "Run cancelled.") | {"end_time": _now()}
        _save(call.store, body)
    return {}


def end_interrupted(store: Store) -> None:
    """Runs that a kill of the sandbox ended: told as the product tells a lost cluster."""
    for row in store.rows("select body from ws_run where parent is null"):
        body = json.loads(row["body"])
        if body["state"]["life_cycle_state"] in ("PENDING", "RUNNING"):
            lost = _state("INTERNAL_ERROR", "FAILED", "The run was lost: the workspace was restarted.")
            open_tasks = [task for task in body["tasks"] if task["state"]["life_cycle_state"] in ("PENDING", "RUNNING")]
            for task in open_tasks:
                task |= lost
            _save(store, {**body, **lost, "end_time": _now()})


def _run(world: World, body: Json) -> None:
    parameters = {entry["name"]: entry["value"] for entry in body["job_parameters"]}
    results: dict[str, str] = {}
    waiting = list(body["tasks"])
    while waiting:
        task = next((t for t in waiting if all(d["task_key"] in results for d in t.get("depends_on", []))), waiting[0])
        waiting.remove(task)
        if _cancelled(world.store, body):
            return
        if any(results.get(d["task_key"]) != "SUCCESS" for d in task.get("depends_on", [])):
            task |= _state("TERMINATED", "UPSTREAM_FAILED", "An upstream task failed.")
            results[task["task_key"]] = "UPSTREAM_FAILED"
            continue
        task |= {**_state("RUNNING"), "start_time": _now()}
        _save(world.store, body)
        code, logs = _execute(world, body["run_as_user_name"], task, parameters)
        result = "SUCCESS" if code == 0 else "FAILED"
        last = logs.strip().splitlines()[-1] if logs.strip() else f"exit {code}"
        error = "" if code == 0 else f"{last} (exit {code})"
        task |= {**_state("TERMINATED", result, error), "end_time": _now()}
        results[task["task_key"]] = result
        world.store.write(
            "insert or replace into ws_run values (?, ?, ?, ?)",
            task["run_id"], body["job_id"], body["run_id"], json.dumps({"logs": logs, "error": error}),
        )  # fmt: skip
        _save(world.store, body)
    failed = [key for key, result in results.items() if result == "FAILED"]
    message = f"Task {failed[0]} failed with message: Workload failed, see run output for details." if failed else ""
    if not _cancelled(world.store, body):
        _save(
            world.store,
            {**body, **_state("TERMINATED", "FAILED" if failed else "SUCCESS", message), "end_time": _now()},
        )


def _execute(world: World, who: str, task: Json, parameters: dict[str, str]) -> tuple[int, str]:
    """Exit code and output of one task."""
    if spec := task.get("spark_python_task"):
        path, arguments = str(spec["python_file"]), [str(value) for value in spec.get("parameters", [])]
    elif spec := task.get("notebook_task"):
        path = str(spec["notebook_path"])
        arguments = [part for k, v in (spec.get("base_parameters") or {}).items() for part in (f"--{k}", str(v))]
    else:
        return 1, "This sandbox runs spark_python_task and notebook_task; this task is neither."
    found = _file_of(world, path)
    if found is None:
        return 1, f"Cannot read the python file {path}. Please check driver logs for more details."
    root, file = found
    filled = [re.sub(r"\{\{job\.parameters\.([\w.-]+)\}\}", lambda m: parameters.get(m[1], ""), a) for a in arguments]
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "PYTHONPATH": f"{root}{os.pathsep}{file.parent}",
        "PYTHONDONTWRITEBYTECODE": "1",
        **world.job_env(who),
    }
    # Arguments of a task are no secrets; the token is in the environment, which only the same user can read.
    result = subprocess.run(
        [sys.executable, str(file), *filled],
        cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    return result.returncode, result.stdout[-_KEEP:].decode(errors="replace")


def _file_of(world: World, path: str) -> tuple[Path, Path] | None:
    inside = plain(path)
    for row in world.store.rows("select * from ws_folder"):
        if inside.startswith(row["path"] + "/"):
            root = clone_path(world, row["id"])
            relative = inside[len(row["path"]) + 1 :]
            for candidate in (root / relative, root / f"{relative}.py"):
                if candidate.is_file():
                    return root, candidate
    return None


def _load(call: Call, run_id: int, level: str = "CAN_VIEW") -> Json:
    row = call.store.row("select * from ws_run where id = ?", run_id)
    if row is not None and row["parent"] is not None:
        row = call.store.row("select * from ws_run where id = ?", row["parent"])
    if row is None:
        for parent in call.store.rows("select * from ws_run where parent is null"):
            if any(task["run_id"] == run_id for task in json.loads(parent["body"])["tasks"]):
                row = parent
    if row is None:
        raise invalid(f"Run {run_id} does not exist.")
    body: Json = json.loads(row["body"])
    if row["job_id"]:
        permissions.require(call, "jobs", row["job_id"], level, f"job {row['job_id']}")
    elif not call.who.is_admin and body["creator_user_name"] != call.who.name:
        raise invalid(f"Run {run_id} does not exist.")
    return body


def _cancelled(store: Store, body: Json) -> bool:
    row = store.row("select body from ws_run where id = ?", body["run_id"])
    return row is not None and json.loads(row["body"])["state"].get("result_state") == "CANCELED"


def _save(store: Store, body: Json) -> None:
    store.write("insert or replace into ws_run values (?, ?, null, ?)", body["run_id"], body["job_id"], json.dumps(body))


def _state(life_cycle: str, result: str | None = None, message: str = "") -> Json:
    """Both ways in which the product tells a run's state."""
    state: Json = {"life_cycle_state": life_cycle, "state_message": message}
    status: Json = {"state": life_cycle}
    if result:
        state["result_state"] = result
        code = {"SUCCESS": "SUCCESS", "CANCELED": "USER_CANCELED"}.get(result, "RUN_EXECUTION_ERROR")
        status = {"state": "TERMINATED", "termination_details": {"code": code, "message": message, "type": "SUCCESS"}}
        if result != "SUCCESS":
            status["termination_details"]["type"] = "CLIENT_ERROR"
    return {"state": state, "status": status}


def _now() -> int:
    return int(time.time() * 1000)
