"""How the parts of a job fit together: keys, tasks, compute, dependencies, triggers. Pure; the types are right already."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from infra.workflows.format import Way, Wrong, fields
from infra.workflows.merge import NAMED
from infra.workflows.problems import one_of, quoted

_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
_PARAMETER = re.compile(r"[A-Za-z0-9_.-]+")
# https://docs.databricks.com/api/workspace/jobs/create
MOST = {"tasks": 1000, "job_clusters": 100, "tags": 25}
_COMPUTE = ("existing_cluster_id", "job_cluster_key", "new_cluster")
_WHEN = ("continuous", "schedule", "trigger")
# The provider takes exactly one of these (terraform-provider-databricks 1.126, jobs/resource_job.go, trigger_eoo).
_TRIGGERS = ("file_arrival", "periodic", "table_update")
_INIT_SCRIPTS = 10
_GRAPH = 20  # names of a cycle that are shown


def kinds() -> tuple[str, ...]:
    """What a task may be."""
    return tuple(sorted(key for key in fields("JobTask") if key.endswith("_task")))


def rule_problems(job: Any) -> Iterator[Wrong]:
    """Everything that the types cannot say."""
    if not job.get("name"):
        yield Wrong(("name",), "missing.")
    if not job.get("tasks"):
        yield Wrong(("tasks",), "missing; a job has at least one.")
    for key, most in MOST.items():
        if len(job.get(key) or ()) > most:
            yield Wrong((key,), f"found {len(job[key])}, at most {most} are kept.")
    yield from _names(job)
    yield from _triggers(job)
    yield from _tasks(job)
    for way, cluster in clusters(job):
        yield from _cluster(way, cluster)


def tasks(job: Any) -> Iterator[tuple[Way, Any]]:
    """Every task, and what a for-each task repeats, with its way."""
    for index, task in enumerate(job.get("tasks") or ()):
        yield ("tasks", index), task
        inner = (task.get("for_each_task") or {}).get("task")
        if inner:
            yield ("tasks", index, "for_each_task", "task"), inner


def clusters(job: Any) -> Iterator[tuple[Way, Any]]:
    """Every cluster that a job makes, with its way."""
    for index, one in enumerate(job.get("job_clusters") or ()):
        if one.get("new_cluster"):
            yield ("job_clusters", index, "new_cluster"), one["new_cluster"]
    for way, task in tasks(job):
        if task.get("new_cluster"):
            yield (*way, "new_cluster"), task["new_cluster"]


def _names(job: Any) -> Iterator[Wrong]:
    for many, name in NAMED.items():
        entries = job.get(many) or ()
        times = Counter(entry.get(name) for entry in entries)
        for index, entry in enumerate(entries):
            key = entry.get(name)
            pattern = _PARAMETER if many == "parameters" else _KEY
            if not pattern.fullmatch(key or ""):
                allowed = "letters, digits, _ . and -" if many == "parameters" else "up to 100 letters, digits, _ and -"
                yield Wrong((many, index, name), f"found {quoted(key)}, expected {allowed}.")
            if times[key] > 1:
                yield Wrong((many, index, name), f"{key!r} stands twice; keys differ.")


def _triggers(job: Any) -> Iterator[Wrong]:
    said = [key for key in _WHEN if key in job]
    if len(said) > 1:
        yield Wrong((said[1],), f"stands beside {said[0]}; a job has one of {', '.join(_WHEN)}.")
    if "trigger" in job:
        found = [key for key in job["trigger"] if key != "pause_status"]
        if len(found) != 1 or found[0] not in _TRIGGERS:
            shown = f"found {', '.join(found)}" if found else "found none"
            yield Wrong(("trigger",), f"{shown}, expected one of {', '.join(_TRIGGERS)}.")
        if job["trigger"].get("table_update", {}).get("table_names") == []:
            yield Wrong(("trigger", "table_update", "table_names"), "found an empty list.")


def _tasks(job: Any) -> Iterator[Wrong]:
    keys = [str(task.get("task_key")) for task in job.get("tasks") or ()]
    by_key = {str(task.get("task_key")): task for task in job.get("tasks") or ()}
    known = {
        "job_cluster_key": [str(one.get("job_cluster_key")) for one in job.get("job_clusters") or ()],
        "environment_key": [str(one.get("environment_key")) for one in job.get("environments") or ()],
    }
    for way, task in tasks(job):
        yield from _one_kind(way, task)
        yield from _one_compute(way, task)
        for key, words in known.items():
            if key in task and task[key] not in words:
                where = "job_clusters" if key == "job_cluster_key" else "environments"
                text = f"{quoted(task[key])} is not in {where}; {one_of(task[key], words)}"
                yield Wrong((*way, key), text)
        if len(way) > 2:  # repeated by a for-each task
            if task.get("depends_on"):
                yield Wrong((*way, "depends_on"), "a task that is repeated depends on nothing; say it of the for_each_task.")
            if not _KEY.fullmatch(str(task.get("task_key") or "")):
                yield Wrong((*way, "task_key"), f"found {quoted(task.get('task_key'))}, expected letters, digits, _ and -.")
            continue
        for index, dependency in enumerate(task.get("depends_on") or ()):
            yield from _dependency((*way, "depends_on", index), task, dependency, by_key)
    yield from _cycle(job, keys)


def _one_kind(way: Way, task: Any) -> Iterator[Wrong]:
    found = [kind for kind in kinds() if kind in task]
    if len(found) != 1:
        said = f"is of {len(found)} kinds ({', '.join(found)})" if found else "is of no kind"
        yield Wrong(way, f"the task {quoted(task.get('task_key'))} {said}; it has one of {', '.join(_COMMON)}, ...")
    if "sql_task" in task:
        inner = [key for key in ("alert", "dashboard", "file", "query") if key in task["sql_task"]]
        if len(inner) != 1:
            shown = ", ".join(inner) or "none"
            yield Wrong((*way, "sql_task"), f"found {shown}, expected one of alert, dashboard, file, query.")


_COMMON = ("notebook_task", "spark_python_task", "python_wheel_task", "sql_task", "dbt_task", "run_job_task")


def _one_compute(way: Way, task: Any) -> Iterator[Wrong]:
    found = [key for key in _COMPUTE if key in task]
    if len(found) > 1:
        yield Wrong((*way, found[1]), f"stands beside {found[0]}; a task runs on one cluster.")


def _dependency(way: Way, task: Any, dependency: Any, by_key: dict[str, Any]) -> Iterator[Wrong]:
    wanted, own = str(dependency.get("task_key")), str(task.get("task_key"))
    if wanted == own:
        yield Wrong((*way, "task_key"), f"the task {own!r} depends on itself.")
    elif wanted not in by_key:
        others = [key for key in by_key if key != own]
        yield Wrong((*way, "task_key"), f"{wanted!r} is not a task here; {one_of(wanted, others)}")
    elif "outcome" in dependency:
        if "condition_task" not in by_key[wanted]:
            yield Wrong((*way, "outcome"), f"{wanted!r} is no condition_task, so it has no outcome.")
        elif dependency["outcome"] not in ("true", "false"):
            yield Wrong((*way, "outcome"), f'found {quoted(dependency["outcome"])}, expected "true" or "false".')


def _cycle(job: Any, keys: Sequence[str]) -> Iterator[Wrong]:
    needs = {
        str(task.get("task_key")): {
            str(one.get("task_key")) for one in task.get("depends_on") or () if one.get("task_key") != task.get("task_key")
        }
        for task in job.get("tasks") or ()
    }
    if (found := cycle({key: needs[key] & needs.keys() for key in needs})) is not None:
        shown = " -> ".join(found[:_GRAPH])
        yield Wrong(("tasks", keys.index(found[0]), "depends_on"), f"the tasks depend on each other in a circle: {shown}.")


def cycle(needs: dict[str, set[str]]) -> list[str] | None:
    """The first circle of a graph, the same name at both ends; None when there is none."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        return [str(one) for one in error.args[1]]
    return None


def _cluster(way: Way, cluster: Any) -> Iterator[Wrong]:
    if "autoscale" in cluster:
        if cluster.get("num_workers"):
            yield Wrong((*way, "num_workers"), "stands beside autoscale; a cluster has one of them.")
        scale = cluster["autoscale"]
        low, high = scale.get("min_workers"), scale.get("max_workers")
        if isinstance(low, int) and isinstance(high, int) and low > high:
            yield Wrong((*way, "autoscale", "min_workers"), f"found {low}, which is more than max_workers ({high}).")
    clouds = [key for key in ("aws_attributes", "azure_attributes", "gcp_attributes") if key in cluster]
    if len(clouds) > 1:
        yield Wrong((*way, clouds[1]), f"stands beside {clouds[0]}; a cluster is in one cloud.")
    for key in ("node_type_id", "driver_node_type_id"):
        if cluster.get(key) and cluster.get("instance_pool_id"):
            yield Wrong((*way, key), "stands beside instance_pool_id; the pool says the node type.")
    if len(cluster.get("init_scripts") or ()) > _INIT_SCRIPTS:
        yield Wrong((*way, "init_scripts"), f"found {len(cluster['init_scripts'])}, at most {_INIT_SCRIPTS} are kept.")
    for index, script in enumerate(cluster.get("init_scripts") or ()):
        if len(script) != 1:
            yield Wrong((*way, "init_scripts", index), f"found {', '.join(script) or 'none'}, expected one place.")
