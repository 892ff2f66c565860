"""One task as a process of its own: its file, its arguments, its time, its output."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from sandbox.workspace import child, levels, notebooks
from sandbox.workspace.auth import identity
from sandbox.workspace.clone import clone_path
from sandbox.workspace.errors import ApiError
from sandbox.workspace.fields import Json
from sandbox.workspace.paths import plain
from sandbox.workspace.world import World

_KEEP = 64 * 1024  # bytes of a task's output


class ActiveRun:
    """A run that has not ended; whoever ends it first says why."""

    def __init__(self, body: Json, limits: Json) -> None:
        self.body, self.started = body, False
        self.timeout, self.at_most = int(limits.get("timeout_seconds", 0)), int(limits.get("max_concurrent_runs", 1))
        self.lock = threading.RLock()
        self.ended: str | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def end(self, why: str) -> None:
        """Stop it and the process of the task that is running, with what that has started."""
        with self.lock:
            self.ended = self.ended or why
            if self.process is not None and self.process.poll() is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.process.pid, signal.SIGKILL)


def execute(world: World, run: ActiveRun, task: Json, deadline: float | None) -> tuple[int | None, str, bool]:
    """Exit code (None: out of time) and output of one task, and whether that was cut."""
    if spec := task.get("spark_python_task"):
        path, arguments = str(spec.get("python_file") or ""), [str(value) for value in spec.get("parameters") or []]
    elif spec := task.get("notebook_task"):
        path = str(spec.get("notebook_path") or "")
        arguments = [part for k, v in (spec.get("base_parameters") or {}).items() for part in (f"--{k}", str(v))]
    else:
        kind = next((key for key in task if key.endswith("_task")), "no task at all")
        return 1, f"This sandbox runs spark_python_task and notebook_task; task {task['task_key']} is {kind}.", False
    found = _file_of(world, path, run.body["run_as_user_name"])
    if isinstance(found, str):
        return 1, found, False
    root, file = found
    filled = [_filled(argument, run.body, task) for argument in arguments]
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "PYTHONPATH": f"{root}{os.pathsep}{file.parent}",
        "PYTHONDONTWRITEBYTECODE": "1",
        **world.job_env(run.body["run_as_user_name"]),
    }
    own = int(task.get("timeout_seconds") or 0)
    limits = [limit for limit in (deadline, time.monotonic() + own if own else None) if limit is not None]
    with tempfile.TemporaryFile() as output:
        with run.lock:
            if run.ended:
                return 1, "", False
            # Arguments of a task are no secrets; the token is in the environment, which only the same user can read.
            run.process = subprocess.Popen(
                [sys.executable, "-I", child.__file__, str(os.getpid()), str(file), *filled],
                cwd=root, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        code = _wait(run, min(limits) if limits else None, overall=deadline)
        size = output.seek(0, os.SEEK_END)
        output.seek(max(0, size - _KEEP))
        return code, output.read().decode(errors="replace"), size > _KEEP


def _wait(run: ActiveRun, until: float | None, *, overall: float | None) -> int | None:
    """The exit code, or None when the time was up and the process was ended."""
    process = run.process
    assert process is not None
    try:
        code: int | None = process.wait(None if until is None else max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        if until == overall:
            run.end("TIMEDOUT")
        code = None
    with run.lock, contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # with what it left behind
    process.wait()
    run.process = None
    return code


def _filled(argument: str, body: Json, task: Json) -> str:
    """Dynamic value references: https://docs.databricks.com/jobs/dynamic-value-references"""
    known = {f"job.parameters.{entry['name']}": entry["value"] for entry in body["job_parameters"]}
    known |= {"job.id": str(body["job_id"]), "job.name": body["run_name"], "job.run_id": str(body["run_id"])}
    begun = datetime.fromtimestamp(body["start_time"] / 1000, UTC)
    known |= {"job.start_time.iso_date": begun.date().isoformat(), "job.start_time.iso_datetime": begun.isoformat()}
    known |= {"task.name": task["task_key"], "task.run_id": str(task["run_id"])}

    def value(match: re.Match[str]) -> str:
        name = match[1]
        return str(known.get(name, "" if name.startswith("job.parameters.") else match[0]))

    return re.sub(r"\{\{\s*([\w.-]+)\s*\}\}", value, argument)


def _file_of(world: World, path: str, who: str) -> tuple[Path, Path] | str:
    """The clone and the file in it that the identity may run, or why not."""
    absent = f"Cannot read the python file {path}. Please check driver logs for more details."
    try:
        inside = plain(path)
    except ApiError:
        return f"This sandbox runs files of Git folders, by their workspace path; {path!r} is not one."
    found = identity(world.store, who)
    for row in world.store.rows("select * from ws_folder"):
        if not inside.startswith(row["path"] + "/"):
            continue
        if found is None or not levels.has(world.store, found, "repos", row["id"], "CAN_RUN"):
            return (
                f"Unable to access {inside}. Either it does not exist, or the identity used to run this job, {who},"
                " lacks the required permissions."
            )
        root = clone_path(world, row["id"])
        file = notebooks.file_of(root / inside[len(row["path"]) + 1 :])
        if file.is_file() and file.suffix in (".ipynb", *notebooks.OTHERS):
            return f"{inside}: this sandbox does not emulate a run of a notebook that is no Python file ({file.name})."
        if file.is_file():
            return root, file
    return absent
