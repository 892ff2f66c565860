"""Settings of a job that nobody declared and somebody set by hand, such as a description or tags. Pure.

The provider does not read back what was not declared, so the engine cannot see it. The list of jobs can: what it says,
beside what was declared and what the product itself fills in, somebody has set.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from quantctl.drift.changed import named, shown
from quantctl.drift.finding import By, Class, Finding, Fix
from quantctl.drift.steps import Refresh, singular

Json = Mapping[str, Any]
# What the product answers where nothing was said: https://docs.databricks.com/api/workspace/jobs/get. "tasks" is each task,
# one that runs for each item too. What is empty, zero or false says nothing in any place.
_FILLED_IN: dict[str, tuple[Any, ...]] = {
    "continuous.pause_status": ("UNPAUSED",),
    "continuous.task_retry_mode": ("NEVER", "ON_FAILURE"),
    "format": ("MULTI_TASK",),
    "max_concurrent_runs": (1,),
    "name": ("Untitled",),
    "performance_target": ("PERFORMANCE_OPTIMIZED", "STANDARD"),
    "queue.enabled": (True,),
    "schedule.pause_status": ("UNPAUSED",),
    "trigger.pause_status": ("UNPAUSED",),
    "tasks.dbt_task.schema": ("default",),
    "tasks.dbt_task.source": ("GIT", "WORKSPACE"),
    "tasks.notebook_task.source": ("GIT", "WORKSPACE"),
    "tasks.run_if": ("ALL_SUCCESS",),
    "tasks.spark_python_task.source": ("GIT", "WORKSPACE"),
    "tasks.sql_task.file.source": ("GIT", "WORKSPACE"),
}
# The product's and the environment's own; of clusters and serverless environments the product fills in what it likes.
_NOT_JUDGED = ("deployment", "edit_mode", "environments", "job_clusters", "new_cluster", "parent_path", "run_as")
_NAMES = ("task_key", "name", "id", "metric")  # by which the objects of a list are the same
_FREE = ("base_parameters", "custom_tags", "job_parameters", "named_parameters", "tags")


def by_hand(env: str, refresh: Refresh, jobs: Sequence[Json], told: Sequence[Finding] = ()) -> list[Finding]:
    """One finding a setting; `jobs` is the workspace's list, `told` what the engine has seen already."""
    seen = {(one.urn, _key(one.property)) for one in told}
    real = {str(job.get("job_id")): job.get("settings") or {} for job in jobs}
    found = []
    for step in refresh.of("Job"):
        if step.new is None:
            continue
        settings = real.get(str(step.old.get("id")), {})
        for path, value in _whole(step.inputs, settings):
            if (step.urn, _key(path)) in seen:
                continue
            fix = _fix(str(step.old.get("id")), path)
            found.append(Finding(env, Class.DRIFT, named(step), path, "nothing", shown(value), fix, step.urn))
    return found


def without_parts(found: Sequence[Finding]) -> list[Finding]:
    """The findings without those of a part of a block that is told as a whole: an update does not take such a block out."""
    whole = {(one.urn, _key(one.property)) for one in found if one.fix.by is By.SETTING}
    return [one for one in found if one.fix.by is By.SETTING or (one.urn, _key(_block(one.property))) not in whole]


def _whole(declared: Json, settings: Json) -> Iterator[tuple[str, Any]]:
    """The same as `undeclared`, with a block of the job that nobody declared told once, as a whole."""
    said = {_key(key) for key, value in declared.items() if not _is_empty(value)}
    told: set[str] = set()
    for path, value in undeclared(declared, settings):
        block = _block(path)
        if _key(block) in said:
            yield path, value
        elif block not in told:
            told.add(block)
            yield block, settings[block]


def _block(path: str) -> str:
    """The job's own key that a path begins with."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _fix(job: str, path: str) -> Fix:
    """A setting of the job itself is taken out as a whole; one within a task has no such words."""
    if re.search(r"[.\[]", path):
        return Fix("remove it from the job by hand, or declare it in the workflow's file")
    change = json.dumps({"job_id": int(job), "fields_to_remove": [path]})
    return Fix(f"databricks jobs update --json '{change}'", By.SETTING, (job, path))


def undeclared(declared: Json, real: Json) -> Iterator[tuple[str, Any]]:
    """Path and value of every setting that is neither declared nor the product's; `declared` in the provider's spelling."""
    yield from _object(declared, real, "", "")


def _object(declared: Json, real: Json, kind: str, path: str) -> Iterator[tuple[str, Any]]:
    said = {_key(key): value for key, value in declared.items() if not key.startswith("__")}
    for key, value in real.items():
        here, place = f"{kind}.{key}".lstrip("."), f"{path}.{key}".lstrip(".")
        here = "tasks" if here == "tasks.for_each_task.task" else here
        if key in _NOT_JUDGED or _is_empty(value) or value in _FILLED_IN.get(here, ()):
            continue
        given = said.get(_key(key))
        if isinstance(value, Mapping):
            if key in _FREE:
                kept = given if isinstance(given, Mapping) else {}
                yield from ((f"{place}.{name}", inner) for name, inner in value.items() if name not in kept)
            else:
                yield from _object(given if isinstance(given, Mapping) else {}, value, here, place)
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            yield from _objects(given if isinstance(given, list) else [], value, here, place)
        elif _is_empty(given):
            yield place, value


def _objects(declared: Sequence[Any], real: Sequence[Any], kind: str, path: str) -> Iterator[tuple[str, Any]]:
    """Objects that were declared, by their names; those that came or went are the engine's to see."""
    if not declared:
        yield path, real
        return
    for index, one in enumerate(real):
        name = next((name for name in _NAMES if name in one), None)
        same = [other for other in declared if name and _value(other, name) == str(one[name])]
        if len(same) == 1:
            yield from _object(same[0], one, kind, f"{path}[{index}]")


def _value(declared: Json, name: str) -> str:
    return next((str(value) for key, value in declared.items() if _key(key) == _key(name)), "")


def _is_empty(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_empty, value.values()))
    return value in (None, "", 0, False) or value == []


def _key(key: str) -> str:
    """`on_success` and `onSuccesses` are one."""
    return singular(key.replace("_", "").lower())
