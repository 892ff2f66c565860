"""Workflow files of jobs that exist: the common part once, `per_environment` for the rest. Pure.

Paths are the repository's, literals that follow the environment are its parameters, what the product or the API takes anyway
is left out, and ids of what is not the environment's own are names of the settings.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from infra.workflows.format import OF_THE_ENVIRONMENT
from infra.workflows.merge import NAMED
from quantctl.adopt.literals import Values, replaced
from quantctl.adopt.pairing import Workflow

Json = dict[str, Any]
# What the Jobs API fills in: https://docs.databricks.com/api/workspace/jobs/get
_DEFAULTS: dict[str, Any] = {
    "max_concurrent_runs": 1, "max_retries": 0, "min_retry_interval_millis": 0, "retry_on_timeout": False,
    "run_if": "ALL_SUCCESS", "timeout_seconds": 0, "performance_target": "PERFORMANCE_OPTIMIZED",
    "disable_auto_optimization": False, "pause_status": "UNPAUSED", "source": "WORKSPACE", "disabled": False,
}  # fmt: skip
_GIT = "GIT"
_OF_LITERALS = ("parameters", "base_parameters", "named_parameters", "job_parameters", "spark_env_vars", "commands")
_IDS = {
    "existing_cluster_id": "cluster",
    "instance_pool_id": "pool",
    "driver_instance_pool_id": "pool",
    "pipeline_id": "pipeline",
}
_LAST = ("parameters", "job_clusters", "tasks", "environments")
_FIRST = ("name", "description", "tags", "schedule", "trigger", "continuous")
_HEAD = "# yaml-language-server: $schema=../workflow.schema.json\n"


@dataclass
class Scene:
    """What the environments are called; by environment. `ids` collects ids that become `quant:variables`."""

    folders: Mapping[str, str]
    known: Mapping[str, Values]
    keys: Mapping[str, Mapping[int, str]]  # job id -> workflow
    paused: frozenset[str]  # environments whose settings pause all schedules
    there: frozenset[str]  # environments that exist
    ids: dict[str, dict[str, str]] = field(default_factory=dict)  # environment -> variable -> id


def file_of(workflow: Workflow, scene: Scene) -> str:
    """The text of one workflow file."""
    jobs = {env: _cleaned(env, job.settings, workflow.name, scene) for env, job in workflow.jobs.items()}
    jobs = _with_parameters(jobs, scene)
    jobs = {env: _with_names_of_ids(env, job, scene) for env, job in jobs.items()}
    base = _base(list(jobs.values()))
    base = {key: base[key] for key in sorted(base, key=_place)}
    changes: Json = {env: change for env, job in jobs.items() if (change := _change(base, job))}
    changes |= dict.fromkeys(sorted(scene.there - set(jobs)))  # not there: null
    if changes:
        base["per_environment"] = changes
    return _HEAD + yaml.dump(base, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _cleaned(env: str, settings: Json, name: str, scene: Scene) -> Json:
    """One job with the repository's paths and without what is not said in a file."""
    from_git = "git_source" in settings
    job = {key: value for key, value in copy.deepcopy(settings).items() if key not in OF_THE_ENVIRONMENT}
    given = {key.lower() for key in scene.known[env]}
    job["parameters"] = [one for one in job.get("parameters") or [] if str(one.get("name")).lower() not in given]
    for when in ("schedule", "trigger", "continuous"):
        if when in job and env in scene.paused:
            job[when].pop("pause_status", None)
    for task in _tasks(job):
        if (run := task.get("run_job_task")) and int(run.get("job_id") or 0) in scene.keys[env]:
            run["job"] = scene.keys[env][int(run.pop("job_id"))]
    queue = job.pop("queue", None) or {}
    made = _without_defaults(_relative(job, scene.folders[env], from_git))
    if not queue.get("enabled"):
        made["queue"] = {"enabled": False}  # the product would queue runs
    return {"name": name, **{key: value for key, value in made.items() if key != "name"}}


def _place(key: str) -> int:
    """What it is, when it runs, how, and at last what it does."""
    return _FIRST.index(key) if key in _FIRST else 100 + _LAST.index(key) if key in _LAST else 50


def _tasks(job: Json) -> Iterator[Json]:
    for task in job.get("tasks") or []:
        yield task
        if inner := (task.get("for_each_task") or {}).get("task"):
            yield inner


def _relative(value: Any, folder: str, from_git: bool, key: str = "") -> Any:
    if isinstance(value, str):
        path = value.removeprefix("/Workspace")
        if key not in _OF_LITERALS and path.startswith(f"{folder}/"):
            return path.removeprefix(f"{folder}/")
        return "." if key not in _OF_LITERALS and path == folder else value
    if isinstance(value, dict):
        if from_git and value.get("source") == _GIT:
            value = {one: item for one, item in value.items() if one != "source"}
        return {one: _relative(item, folder, from_git, key if key in _OF_LITERALS else one) for one, item in value.items()}
    return [_relative(item, folder, from_git, key) for item in value] if isinstance(value, list) else value


def _without_defaults(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        if key in _OF_LITERALS or key == "tags":
            return value
        made = {one: _without_defaults(item, one) for one, item in value.items()}
        return {one: item for one, item in made.items() if item not in ({}, [], None) and item != _DEFAULTS.get(one, [])}
    return [_without_defaults(item) for item in value] if isinstance(value, list) and key not in _OF_LITERALS else value


def _with_parameters(jobs: Mapping[str, Json], scene: Scene) -> dict[str, Json]:
    """Each text of the tasks' parameters is looked at in all environments that have it at the same place."""
    made = {env: copy.deepcopy(job) for env, job in jobs.items()}
    places: dict[str, dict[str, tuple[Any, Any, str]]] = {}
    for env, job in made.items():
        for way, holder, at, hint in _texts(job):
            places.setdefault(way, {})[env] = (holder, at, hint)
    for here in places.values():
        found = {env: holder[at] for env, (holder, at, _) in here.items()}
        hint = next(iter(here.values()))[2]
        for env, text in replaced(found, scene.known, hint, scene.folders).items():
            holder, at, _ = here[env]
            holder[at] = text
    return made


def _texts(job: Json) -> Iterator[tuple[str, Any, Any, str]]:
    """Every text below the tasks' parameters: its way, what holds it, where, and the option before it or its name."""
    for task in _tasks(job):
        for kind, holder in task.items():
            for key in _OF_LITERALS if isinstance(holder, dict) else ():
                yield from _inside(holder.get(key), f"{task.get('task_key')}.{kind}.{key}")


def _inside(value: Any, way: str) -> Iterator[tuple[str, Any, Any, str]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for at, item in items:
        if isinstance(item, str):
            before = str(value[at - 1] if isinstance(value, list) and at else at)
            option = item.partition("=")[0] if item.startswith("-") and "=" in item else before
            # Options are found by their name: an environment may have more of them.
            yield f"{way}[{option if option.startswith('-') else at}]", value, at, before
        else:
            yield from _inside(item, f"{way}[{at}]")


def _with_names_of_ids(env: str, job: Json, scene: Scene) -> Json:
    """Ids of clusters, pools and pipelines are values of the settings."""
    made = copy.deepcopy(job)

    def walk(value: Any, name: str) -> None:
        for key, item in list(value.items()) if isinstance(value, dict) else ():
            if key in _IDS and isinstance(item, str) and not item.startswith("${"):
                variable = f"{_IDS[key]}_of_{re.sub(r'[^A-Za-z0-9_]', '_', name)}"
                same = [one for one, number in scene.ids.setdefault(env, {}).items() if number == item]
                variable = same[0] if same else variable
                scene.ids[env][variable] = item
                value[key] = f"${{var.{variable}}}"
            else:
                walk(item, name)
        for item in value if isinstance(value, list) else ():
            walk(item, name)

    walk(made, str(job["name"]))
    return made


def _base(jobs: Sequence[Json]) -> Json:
    """What all environments have alike, or most of them where it can be taken back."""
    base: Json = {}
    for key in dict.fromkeys(key for job in jobs for key in job):
        found = [job[key] for job in jobs if key in job]
        if key in NAMED and len(found) == len(jobs):
            base[key] = _base_list(found, NAMED[key])
        elif len(found) * 2 > len(jobs) or len(jobs) == 1:
            base[key] = copy.deepcopy(_most(found))
    return base


def _base_list(lists: Sequence[list[Json]], name: str) -> list[Json]:
    """Entries that all environments have, each as most have it; an entry that one lacks is no part of the base."""
    in_all = set.intersection(*({str(one.get(name)) for one in entries} for entries in lists))
    entries: list[Json] = []
    for one in lists[0]:
        if str(one.get(name)) in in_all:
            entries.append(copy.deepcopy(_most([next(e for e in each if e.get(name) == one.get(name)) for each in lists])))
    return entries


def _most(values: Sequence[Any]) -> Any:
    texts = [json.dumps(value, sort_keys=True) for value in values]
    return values[max(range(len(values)), key=lambda index: (texts.count(texts[index]), -index))]


def _change(base: Json, job: Json) -> Json:
    """What `per_environment` has to say so that the base becomes this job."""
    change: Json = {key: None for key in base if key not in job}
    for key, value in job.items():
        there = base.get(key)
        if value == there:
            continue
        if key in NAMED and isinstance(there, list):
            change[key] = _change_list(there, value, NAMED[key])
        elif isinstance(value, dict) and isinstance(there, dict):
            change[key] = _object(there, value)
        else:
            change[key] = value
    return change


def _change_list(base: Sequence[Json], entries: Sequence[Json], name: str) -> list[Json]:
    known = {one.get(name): one for one in base}
    return [
        {name: one[name], **_object(known[one[name]], one)} if one.get(name) in known else one
        for one in entries
        if one != known.get(one.get(name))
    ]


def _object(base: Json, value: Json) -> Json:
    """Objects are merged; null takes a key away."""
    change: Json = {key: None for key in base if key not in value}
    for key, item in value.items():
        if item != base.get(key):
            both = isinstance(item, dict) and isinstance(base.get(key), dict)
            change[key] = _object(base[key], item) if both else item
    return change


class _Dumper(yaml.SafeDumper):
    """Lists stand below their key, in line with it, and nothing is an alias."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True
