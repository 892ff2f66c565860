"""Runs as they are kept and answered."""

from __future__ import annotations

import json

from sandbox import clock
from sandbox.workspace.fields import Json
from sandbox.workspace.store import Store

ACTIVE = ("QUEUED", "PENDING", "RUNNING", "TERMINATING")
_CODES = {
    "SUCCESS": ("SUCCESS", "SUCCESS"),
    "SUCCESS_WITH_FAILURES": ("SUCCESS", "SUCCESS"),
    "CANCELED": ("USER_CANCELED", "CLIENT_ERROR"),
    "MAXIMUM_CONCURRENT_RUNS_REACHED": ("MAX_CONCURRENT_RUNS_EXCEEDED", "CLIENT_ERROR"),
}


def now() -> int:
    """Milliseconds since 1970, on the sandbox's clock."""
    return int(clock.now() * 1000)


def state(life_cycle: str, result: str | None = None, message: str = "") -> Json:
    """Both ways in which the product tells a run's state."""
    older: Json = {"life_cycle_state": life_cycle, "state_message": message}
    newer: Json = {"state": life_cycle}
    if result:
        code, kind = _CODES.get(result, ("RUN_EXECUTION_ERROR", "CLIENT_ERROR"))
        older["result_state"] = result
        newer = {"state": "TERMINATED", "termination_details": {"code": code, "message": message, "type": kind}}
    return {"state": older, "status": newer}


def is_active(body: Json) -> bool:
    """Whether a run or task has not ended."""
    return body["state"]["life_cycle_state"] in ACTIVE


def save(store: Store, body: Json) -> None:
    """Write a run, and at its first time its tasks."""
    with store.together():
        store.write("insert or replace into ws_run values (?, ?, null, ?)", body["run_id"], body["job_id"], json.dumps(body))
        for task in body["tasks"]:
            store.write(
                "insert or ignore into ws_run values (?, ?, ?, '{}')", task["run_id"], body["job_id"], body["run_id"]
            )


def save_output(store: Store, body: Json, task: Json, output: Json) -> None:
    """Write what a task put out."""
    store.write(
        "insert or replace into ws_run values (?, ?, ?, ?)",
        task["run_id"], body["job_id"], body["run_id"], json.dumps(output),
    )  # fmt: skip


def end_interrupted(store: Store) -> None:
    """Runs that a kill of the sandbox ended: told as the product tells a lost cluster."""
    for row in store.rows("select body from ws_run where parent is null"):
        body = json.loads(row["body"])
        if not is_active(body):
            continue
        lost = state("INTERNAL_ERROR", "FAILED", "The run was lost: the workspace was restarted.")
        if body["state"]["life_cycle_state"] == "TERMINATING":  # a cancellation that was answered
            lost = state("TERMINATED", "CANCELED", "Run cancelled.")
        for task in filter(is_active, body["tasks"]):
            task |= {**lost, "end_time": now()}
        save(store, {**body, **lost, "end_time": now()})
