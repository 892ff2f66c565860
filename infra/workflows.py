"""Workflow files: Databricks' own Jobs API fields, one job a file, and how an environment changes it. Pure.

The format is the one of Asset Bundles' `resources.jobs.<key>` (Jobs API 2.2, `jobs/create`), so that a definition can be
pasted in, plus `per_environment`. Paths are relative to the repository's root.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.errors import UserError
from infra.naming import Names
from infra.settings import Environment, Settings

Json = dict[str, Any]

# Where a task points to a file of the repository: task field -> key. Paths with a scheme or from the root are left alone.
_FILE_KEYS: dict[str, str] = {
    "spark_python_task": "python_file",
    "notebook_task": "notebook_path",
}


class _Format(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Task(_Format):
    """One task of a job."""

    task_key: str = Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")
    description: str | None = None
    depends_on: list[Json] | None = None
    run_if: str | None = None
    disabled: bool | None = None
    spark_python_task: Json | None = None
    notebook_task: Json | None = None
    python_wheel_task: Json | None = None
    sql_task: Json | None = None
    dbt_task: Json | None = None
    pipeline_task: Json | None = None
    spark_jar_task: Json | None = None
    run_job_task: Json | None = None
    condition_task: Json | None = None
    for_each_task: Json | None = None
    environment_key: str | None = None
    job_cluster_key: str | None = None
    existing_cluster_id: str | None = None
    new_cluster: Json | None = None
    libraries: list[Json] | None = None
    max_retries: int | None = None
    min_retry_interval_millis: int | None = None
    retry_on_timeout: bool | None = None
    timeout_seconds: int | None = None
    email_notifications: Json | None = None
    webhook_notifications: Json | None = None
    notification_settings: Json | None = None
    health: Json | None = None


class Parameter(_Format):
    """A job parameter; tasks refer to it as {{job.parameters.<name>}}."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    default: str


class Schedule(_Format):
    """When the job runs; whether it does is the environment's to say."""

    quartz_cron_expression: str
    timezone_id: str


class JobFields(_Format):
    """What a job may say; `run_as`, `edit_mode`, permissions and `git_source` are the environment's."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_. -]{0,99}$")
    description: str | None = None
    tags: dict[str, str] | None = None
    schedule: Schedule | None = None
    trigger: Json | None = None
    continuous: Json | None = None
    parameters: list[Parameter] = []
    max_concurrent_runs: int | None = None
    timeout_seconds: int | None = None
    queue: Json | None = None
    health: Json | None = None
    email_notifications: Json | None = None
    webhook_notifications: Json | None = None
    notification_settings: Json | None = None
    job_clusters: list[Json] | None = None
    environments: list[Json] | None = None
    performance_target: Literal["PERFORMANCE_OPTIMIZED", "STANDARD"] | None = None
    tasks: list[Task] = Field(min_length=1)


class WorkflowFile(JobFields):
    """A file below `workflows/`."""

    per_environment: dict[Environment, Json] = {}


def read_workflows(files: Mapping[str, bytes], present: frozenset[str], settings: Settings, names: Names) -> list[Json]:
    """The jobs of an environment, as Jobs API settings, from workflow files (path -> content), sorted by name.

    `present` holds every path of the commit, so that a task whose file is missing is refused here.

    Raises:
        UserError: one line a problem: file, key, what was found, what is allowed.
    """
    jobs: dict[str, tuple[str, Json]] = {}
    problems: list[str] = []
    for path in sorted(files):
        try:
            job = _expand(path, files[path], present, settings, names)
        except UserError as error:
            problems.append(str(error))
            continue
        if job["name"] in jobs:
            problems.append(f"{path}: name: {job['name']!r} is already the name of {jobs[job['name']][0]}; names differ.")
            continue
        jobs[job["name"]] = (path, job)
    if problems:
        raise UserError("\n".join(problems))
    return [job for _, (_, job) in sorted(jobs.items())]


def _expand(path: str, content: bytes, present: frozenset[str], settings: Settings, names: Names) -> Json:
    written = _validate(path, _parse(path, content), WorkflowFile)
    override = written.pop("per_environment", {}).get(settings.environment.value, {})
    job = _validate(path, _merge(written, override), JobFields, f"per_environment.{settings.environment.value}, merged: ")
    keys = [task["task_key"] for task in job["tasks"]]
    for task in job["tasks"]:
        if keys.count(task["task_key"]) > 1:
            raise UserError(f"{path}: tasks: two tasks have the task_key {task['task_key']!r}; keys differ.")
        for dependency in task.get("depends_on", []):
            if dependency.get("task_key") not in keys:
                raise UserError(
                    f"{path}: tasks.{task['task_key']}.depends_on: {dependency.get('task_key')!r} is not a task here;"
                    f" tasks are {', '.join(keys)}."
                )
        _place(path, task, present, settings)
        if "depends_on" in task:
            task["depends_on"] = sorted(task["depends_on"], key=lambda dependency: str(dependency["task_key"]))
    # The provider reads tasks back in this order (terraform-provider-databricks, jobs/resource_job.go, sortTasksByKey);
    # any other would be a difference for ever.
    job["tasks"] = sorted(job["tasks"], key=lambda task: str(task["task_key"]))
    job["parameters"] = _parameters(path, job.get("parameters", []), settings, names)
    for key in ("schedule", "trigger", "continuous"):
        if key in job:
            job[key]["pause_status"] = "PAUSED" if settings.schedules == "paused" else "UNPAUSED"
    job.setdefault("max_concurrent_runs", 1)
    job.setdefault("queue", {"enabled": True})
    return job


def _parse(path: str, content: bytes) -> Json:
    try:
        value = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UserError(f"{path}:{where} is not YAML: {getattr(error, 'problem', None) or error}.") from None
    if not isinstance(value, dict):
        raise UserError(f"{path}: found {type(value).__name__}, expected the fields of one job (name, tasks, ...).")
    return value


def _validate(path: str, value: Json, model: type[JobFields], where: str = "") -> Json:
    try:
        parsed = model.model_validate(value)
    except ValidationError as error:
        raise UserError("\n".join(f"{path}: {where}{_explain(entry, model)}" for entry in error.errors())) from None
    return parsed.model_dump(mode="json", exclude_none=True, exclude_unset=True)


def _explain(entry: Any, model: type[BaseModel]) -> str:
    location = [str(part) for part in entry["loc"]]
    key = ".".join(location)
    if entry["type"] == "extra_forbidden":
        owner: type[BaseModel] = model
        if location[0] == "tasks":
            owner = Task
        elif location[0] == "parameters":
            owner = Parameter
        elif location[0] == "schedule":
            owner = Schedule
        return f"{key}: unknown key; allowed are {', '.join(sorted(owner.model_fields))}."
    if entry["type"] == "missing":
        return f"{key}: missing."
    return f"{key}: found {entry.get('input')!r}: {entry['msg']}."


def _merge(base: Json, over: Mapping[str, Any]) -> Json:
    """Objects are merged, tasks by task_key and parameters by name; everything else is replaced."""
    merged = copy.deepcopy(base)
    for key, value in over.items():
        identity = {"tasks": "task_key", "parameters": "name"}.get(key)
        if isinstance(value, Mapping) and isinstance(merged.get(key), dict):
            merged[key] = _merge(merged[key], value)
        elif identity and isinstance(value, list) and isinstance(merged.get(key), list):
            merged[key] = _merge_list(merged[key], value, identity)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _merge_list(base: list[Json], over: list[Any], identity: str) -> list[Any]:
    merged = list(base)
    for item in over:
        found = next(
            (i for i, old in enumerate(merged) if isinstance(item, dict) and old.get(identity) == item.get(identity)),
            None,
        )
        if found is None:
            merged.append(item)
        else:
            merged[found] = _merge(merged[found], item)
    return merged


def _place(path: str, task: Json, present: frozenset[str], settings: Settings) -> None:
    """Make the task's file absolute, in the environment's folder; refuse one that is not in the commit."""
    tasks = [task]
    if isinstance(inner := task.get("for_each_task", {}).get("task"), dict):
        tasks.append(inner)
    for entry in tasks:
        for kind, key in _FILE_KEYS.items():
            file = entry.get(kind, {}).get(key)
            if not isinstance(file, str) or file.startswith("/") or re.match(r"[a-z0-9]+:/", file):
                continue
            relative = file.removeprefix("./")
            # A notebook is a .py file in Git and has no extension in the workspace.
            found = (
                {relative} if key == "python_file" else {relative, f"{relative}.py", f"{relative}.ipynb", f"{relative}.sql"}
            )
            if not found & present:
                raise UserError(
                    f"{path}: tasks.{task['task_key']}.{kind}.{key}: {file!r} is not in the commit; paths are relative to"
                    " the repository's root, for example src/factor_returns.py."
                )
            if key == "notebook_path":
                relative = re.sub(r"\.(py|sql|ipynb)$", "", relative)
            entry[kind][key] = f"/Workspace{settings.folder}/{relative}"


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
    taken = [parameter["name"] for parameter in written]
    for name in taken:
        if name in given:
            raise UserError(f"{path}: parameters: {name!r} is given by the environment; choose another name.")
        if taken.count(name) > 1:
            raise UserError(f"{path}: parameters: {name!r} stands twice; names differ.")
    return [*written, *({"name": name, "default": value} for name, value in given.items())]
