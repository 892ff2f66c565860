"""Workflow files: Databricks' own Jobs API fields, and what an environment makes of them. Pure.

A file below `workflows/` holds one job, with the keys of `jobs/create` (Jobs API 2.2) and `per_environment`; or it is a
piece of an Asset Bundle, `resources.jobs`, as it was pasted in (infra/bundles.py).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import yaml

from infra.bundles import jobs_of_bundle
from infra.errors import UserError
from infra.job_format import Json, fields, job, problems
from infra.limited_release import limit
from infra.merge import merge, without_nulls
from infra.naming import Names
from infra.settings import Settings
from infra.task_files import place
from infra.vocabulary import Environment

_NAME = r"[A-Za-z0-9][A-Za-z0-9_. -]{0,99}"
_TASK_KEY = r"[A-Za-z0-9_-]{1,100}"
_MERGE = "tag:yaml.org,2002:merge"
_PARAMETER = r"[A-Za-z0-9_.-]+"


def workflow_files(paths: Iterable[str], folder: str) -> list[str]:
    """The workflow files among the paths of a commit: YAML directly below the workflows folder."""
    return [path for path in paths if path.rpartition("/")[0] == folder and path.endswith((".yml", ".yaml"))]


def read_workflows(files: Mapping[str, bytes], present: frozenset[str], settings: Settings, names: Names) -> list[Json]:
    """The jobs of an environment, as Jobs API settings, from workflow files (path -> content), sorted by name.

    `present` holds every path of the commit, so that a task whose file is missing is refused here.

    Raises:
        UserError: one line a problem: file, key, what was found, what is allowed.
    """
    jobs: dict[str, tuple[str, Json]] = {}
    wrong: list[str] = []
    for path in sorted(files):
        try:
            expanded = [_expand(path, written, present, settings, names) for written in _written(path, files[path])]
        except UserError as error:
            wrong.append(str(error))
            continue
        for one in expanded:
            if one["name"] in jobs:
                wrong.append(f"{path}: name: {one['name']!r} is already the name of {jobs[one['name']][0]}; names differ.")
            else:
                jobs[one["name"]] = (path, one)
    if wrong:
        raise UserError("\n".join(wrong))
    return [one for _, (_, one) in sorted(jobs.items())]


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE]
        times = Counter(key.value for key in keys)
        for key in keys:
            if times[key.value] > 1:
                raise yaml.MarkedYAMLError(None, None, f"the key {key.value!r} stands twice", key.start_mark)
        return super().construct_mapping(node, deep)


def _written(path: str, content: bytes) -> list[Json]:
    """The jobs that a file holds, each with its `per_environment`."""
    try:
        value = yaml.load(content, _Loader)  # a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UserError(f"{path}:{where} cannot be read: {getattr(error, 'problem', None) or error}.") from None
    if not isinstance(value, dict):
        raise UserError(f"{path}: found {type(value).__name__}, expected the keys of one job (name, tasks, ...).")
    return jobs_of_bundle(path, value) if "resources" in value else [value]


def _expand(path: str, written: Json, present: frozenset[str], settings: Settings, names: Names) -> Json:
    overrides = written.get("per_environment") or {}
    base = without_nulls({key: value for key, value in written.items() if key != "per_environment"})
    if not isinstance(overrides, dict) or not set(overrides) <= set(Environment):
        found = sorted(map(str, overrides)) if isinstance(overrides, dict) else overrides
        raise UserError(f"{path}: per_environment: found {found}, expected some of {', '.join(Environment)}.")
    _must_be_right(path, base)
    # Every environment's change is checked in every environment: a mistake is told long before it gets to production.
    for environment, override in overrides.items():
        if not isinstance(override, dict):
            raise UserError(f"{path}: per_environment.{environment}: found {override!r}, expected keys of a job.")
        _must_be_right(f"{path}: per_environment.{environment}, merged", without_nulls(merge(base, override)))
    one: Json = without_nulls(merge(base, overrides.get(settings.environment) or {}))
    place(path, one, present, settings.folder)
    for task in one["tasks"]:
        if task.get("depends_on"):
            task["depends_on"] = sorted(task["depends_on"], key=lambda dependency: str(dependency["task_key"]))
    # The provider reads tasks back in this order (terraform-provider-databricks, jobs/resource_job.go, sortTasksByKey);
    # any other would be a difference for ever.
    one["tasks"] = sorted(one["tasks"], key=lambda task: str(task["task_key"]))
    if settings.limited_release is not None:
        limit(one, settings.limited_release)
    one["parameters"] = _parameters(path, one.get("parameters", []), settings, names)
    for key in ("schedule", "trigger", "continuous"):
        if one.get(key):
            paused = settings.schedules == "paused" or one[key].get("pause_status") == "PAUSED"
            one[key]["pause_status"] = "PAUSED" if paused else "UNPAUSED"
    one.setdefault("max_concurrent_runs", 1)
    one.setdefault("queue", {"enabled": True})
    return one


def _must_be_right(path: str, one: Json) -> None:
    """Raise UserError with every problem that the job has by itself, whatever the commit."""
    wrong = list(problems(one, job())) or _own_rules(one)
    if wrong:
        raise UserError("\n".join(f"{path}: {text}" for text in wrong))


def _own_rules(one: Json) -> list[str]:
    """What the types cannot say. The types are right already."""
    if not one.get("name"):
        return ["name: missing."]
    if not one.get("tasks"):
        return ["tasks: missing; a job has at least one."]
    wrong = (
        [] if re.fullmatch(_NAME, one["name"]) else [f"name: found {one['name']!r}, expected letters, digits, _ . - only."]
    )
    keys = [str(task.get("task_key") or "") for task in one["tasks"]]
    for key, task in zip(keys, one["tasks"], strict=True):
        if not re.fullmatch(_TASK_KEY, key):
            wrong.append(f"tasks: task_key: found {key!r}, expected letters, digits, _ and - only.")
        if keys.count(key) > 1:
            wrong.append(f"tasks: two tasks have the task_key {key!r}; keys differ.")
        for dependency in task.get("depends_on") or []:
            if dependency["task_key"] not in keys:
                wrong.append(
                    f"tasks.{key}.depends_on: {dependency['task_key']!r} is not a task here; tasks are {', '.join(keys)}."
                )
    given = [parameter["name"] for parameter in one.get("parameters", [])]
    wrong += [
        f"parameters: {name!r} stands twice; names differ." for name in sorted({n for n in given if given.count(n) > 1})
    ]
    wrong += [f"parameters: found the name {name!r}." for name in given if not re.fullmatch(_PARAMETER, name)]
    return list(dict.fromkeys(wrong))


def _parameters(path: str, written: list[Json], settings: Settings, names: Names) -> list[Json]:
    """The file's parameters, then the environment's; the environment's names are its own."""
    given = {
        "environment": settings.environment.value,
        "secret_scope": names.secret_scope,
        "snowflake_account": settings.account,
        "snowflake_database": settings.database.upper(),
        "snowflake_role": names.service_role,
        "snowflake_schema": names.schema,
        "snowflake_user": names.service_user,
        "snowflake_warehouse": settings.warehouse.upper(),
    }
    for parameter in written:
        if parameter["name"] in given:
            raise UserError(f"{path}: parameters: {parameter['name']!r} is given by the environment; choose another name.")
    return [*written, *({"name": name, "default": value} for name, value in given.items())]


def allowed_keys() -> list[str]:
    """What a job may say in a workflow file."""
    shape = job()
    assert shape.input_type is not None
    return sorted([*fields(shape.input_type), "per_environment"])
