"""Running runs: the tasks' Python files really run, in order, from the Git folder, as the job's run_as identity."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sandbox.workspace.fields import Json
from sandbox.workspace.run_state import is_active, now, save, save_output, state
from sandbox.workspace.task_process import ActiveRun, execute
from sandbox.workspace.world import World

_GRACE = 3.0  # seconds to wait for the runs when the sandbox stops
_ENDED = {
    "CANCELED": ("TERMINATED", "CANCELED", "Run cancelled."),
    "TIMEDOUT": ("TERMINATED", "TIMEDOUT", "The run was ended: it took longer than timeout_seconds."),
    "LOST": ("INTERNAL_ERROR", "FAILED", "The run was lost: the workspace was stopped."),
}
_BAD = ("FAILED", "TIMEDOUT", "UPSTREAM_FAILED")
# https://docs.databricks.com/jobs/run-if: the results of the tasks above -> whether the task runs.
_RUN_IF: dict[str, Callable[[list[str]], bool]] = {
    "ALL_SUCCESS": lambda above: all(result == "SUCCESS" for result in above),
    "AT_LEAST_ONE_SUCCESS": lambda above: any(result == "SUCCESS" for result in above),
    "NONE_FAILED": lambda above: not any(result in _BAD for result in above),
    "ALL_DONE": lambda above: True,
    "AT_LEAST_ONE_FAILED": lambda above: any(result in _BAD for result in above),
    "ALL_FAILED": lambda above: all(result in _BAD for result in above),
}


class Runner:
    """The runs that have not ended, each with a thread of its own."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._active: dict[int, ActiveRun] = {}
        self._threads: dict[int, threading.Thread] = {}

    def start(self, world: World, body: Json, limits: Json) -> None:
        """Begin a run, or queue it, or skip it where the job has enough of them and no queue.

        https://docs.databricks.com/jobs/advanced (maximum concurrent runs, queueing)
        """
        run = ActiveRun(body, limits)
        queue = (limits.get("queue") or {}).get("enabled", True)
        with self._changed:
            full = self._started(body["job_id"]) >= run.at_most
            if full and not queue:
                why = f"Run skipped: the job already has {run.at_most} active run(s), as many as max_concurrent_runs allows."
                for part in (body, *body["tasks"]):
                    part |= {**state("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED", why), "end_time": now()}
                save(world.store, body)
                return
            body |= state("QUEUED" if full else "RUNNING")
            save(world.store, body)
            run.started = not full
            self._active[body["run_id"]] = run
            thread = threading.Thread(target=self._work, args=(world, run), daemon=True)
            self._threads[body["run_id"]] = thread
        thread.start()

    def cancel(self, world: World, run_id: int) -> None:
        """End a run; what is already over stays as it was."""
        with self._changed:
            run = self._active.get(run_id)
            if run is None:
                return
            with run.lock:
                if run.ended is None:
                    run.body |= state("TERMINATING", message="The run is being cancelled.")
                    save(world.store, run.body)
                run.end("CANCELED")
            self._changed.notify_all()

    def stop(self) -> None:
        """The sandbox stops: no task outlives it."""
        with self._changed:
            for run in self._active.values():
                run.end("LOST")
            self._changed.notify_all()
            threads = list(self._threads.values())
        deadline = time.monotonic() + _GRACE
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _started(self, job_id: int) -> int:
        return sum(run.started for run in self._active.values() if run.body["job_id"] == job_id)

    def _work(self, world: World, run: ActiveRun) -> None:
        try:
            with self._changed:
                while not run.started and run.ended is None:
                    if self._started(run.body["job_id"]) < run.at_most:
                        run.started = True
                        run.body |= state("RUNNING")
                        save(world.store, run.body)
                    else:
                        self._changed.wait()
            _run(world, run)
        finally:
            with self._changed:
                if is_active(run.body):  # the thread failed; nobody shall wait for the run for ever
                    run.body |= {
                        **state("INTERNAL_ERROR", "FAILED", "The run failed in the sandbox itself."),
                        "end_time": now(),
                    }
                    save(world.store, run.body)
                del self._active[run.body["run_id"]]
                del self._threads[run.body["run_id"]]
                self._changed.notify_all()


def _run(world: World, run: ActiveRun) -> None:
    deadline = time.monotonic() + run.timeout if run.timeout else None
    results: dict[str, str] = {}
    waiting = list(run.body["tasks"])
    while waiting and run.ended is None:
        task = next(t for t in waiting if all(d["task_key"] in results for d in t.get("depends_on") or []))
        waiting.remove(task)
        results[task["task_key"]] = _task(world, run, task, results, deadline)
    with run.lock:
        result = _ENDED[run.ended] if run.ended else _result(run.body["tasks"], results)
        for task in filter(is_active, run.body["tasks"]):
            task |= {**state(*result), "end_time": now()}
        ended = now()
        run.body |= {**state(*result), "end_time": ended, "run_duration": ended - run.body["start_time"]}
        save(world.store, run.body)


def _task(world: World, run: ActiveRun, task: Json, results: dict[str, str], deadline: float | None) -> str:
    """Run one task when its turn has come, and tell its result."""
    above = [results[d["task_key"]] for d in task.get("depends_on") or []]
    if above and not _RUN_IF.get(str(task.get("run_if") or "ALL_SUCCESS"), _RUN_IF["ALL_SUCCESS"])(above):
        result = "UPSTREAM_FAILED" if any(one in _BAD for one in above) else "EXCLUDED"
        message = "An upstream task failed." if result == "UPSTREAM_FAILED" else "The task's run_if condition was not met."
        with run.lock:
            task |= {**state("TERMINATED", result, message), "end_time": now()}
            save(world.store, run.body)
        return result
    with run.lock:
        task |= {**state("RUNNING"), "start_time": now()}
        save(world.store, run.body)
    code, logs, truncated = execute(world, run, task, deadline)
    with run.lock:
        if run.ended and run.ended != "TIMEDOUT":
            result, error = _ENDED[run.ended][1], _ENDED[run.ended][2]
            task |= {**state(*_ENDED[run.ended]), "end_time": now()}
        else:
            result = {0: "SUCCESS", None: "TIMEDOUT"}.get(code, "FAILED")
            last = logs.strip().splitlines()[-1] if logs.strip() else f"exit {code}"
            error = "" if code == 0 else _ENDED["TIMEDOUT"][2] if code is None else f"{last} (exit {code})"
            task |= {**state("TERMINATED", result, error), "end_time": now()}
        task["execution_duration"] = task["end_time"] - task["start_time"]
        save_output(world.store, run.body, task, {"logs": logs, "error": error, "truncated": truncated})
        save(world.store, run.body)
    return result


def _result(tasks: list[Json], results: dict[str, str]) -> tuple[str, str, str]:
    """A run is what its last tasks are: https://docs.databricks.com/jobs/run-if (job run status)."""
    needed = {d["task_key"] for task in tasks for d in task.get("depends_on") or []}
    failed = [key for key, result in results.items() if result in ("FAILED", "TIMEDOUT")]
    if any(result in _BAD for key, result in results.items() if key not in needed):
        first = failed[0] if failed else next(key for key, result in results.items() if result in _BAD)
        return "TERMINATED", "FAILED", f"Task {first} failed with message: Workload failed, see run output for details."
    return "TERMINATED", "SUCCESS_WITH_FAILURES" if failed else "SUCCESS", ""
