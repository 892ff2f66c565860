"""What job settings must be like. https://docs.databricks.com/api/workspace/jobs/create"""

from __future__ import annotations

from typing import Any

from sandbox.workspace import fields, job_values, rule_sets
from sandbox.workspace.auth import identity
from sandbox.workspace.call import Call, Json
from sandbox.workspace.errors import denied, invalid

MERGED = {"tasks": "task_key", "job_clusters": "job_cluster_key"}  # arrays that jobs/update merges, by this key
_TASKS, _NAME, _KEY = 1000, 4096, 100
_NUMBERS = {"max_concurrent_runs": 1000, "timeout_seconds": 2**31 - 1}
_OBJECTS = (
    "run_as", "schedule", "trigger", "continuous", "queue", "health", "email_notifications", "webhook_notifications",
    "notification_settings", "git_source", "deployment", "tags",
)  # fmt: skip
_ARRAYS = ("tasks", "job_clusters", "parameters", "environments")
_CLUSTER = {
    "aws_attributes": {"availability": "SPOT_WITH_FALLBACK", "zone_id": "us-east-1c"},
    "data_security_mode": "SINGLE_USER",
    "enable_elastic_disk": False,
}
_TASK_OBJECTS = (
    "spark_python_task",
    "notebook_task",
    "new_cluster",
    "email_notifications",
    "webhook_notifications",
    "health",
)


def with_defaults(settings: Json) -> Json:
    """Fields that the product answers although nobody sent them."""
    said = {key: value for key, value in settings.items() if value is not None}
    older = "tasks" not in said and any(key.endswith("_task") for key in said)  # API 2.0: the job is its only task
    return {
        "max_concurrent_runs": 1,
        "email_notifications": {},
        "format": "SINGLE_TASK" if older else "MULTI_TASK",
        "timeout_seconds": 0,
        **said,
        "name": str(said.get("name") or "Untitled"),
    }


def answered(settings: Json) -> Json:
    """Job settings as the product tells them: with what it fills in for notifications, tasks and clusters."""
    told = {"webhook_notifications": {}, **settings}
    for name, filled in (("tasks", _task), ("job_clusters", _with_cluster)):
        if settings.get(name):
            told[name] = [filled(item) for item in settings[name]]
    return _with_cluster(told)


def _task(task: Json) -> Json:
    told: Json = {"run_if": "ALL_SUCCESS", "timeout_seconds": 0, "email_notifications": {}, "webhook_notifications": {}}
    told |= {key: value for key, value in task.items() if value is not None}
    if task.get("depends_on"):
        told["depends_on"] = sorted(task["depends_on"], key=lambda needed: str(needed["task_key"]))
    if task.get("notebook_task"):
        told["notebook_task"] = {"source": "WORKSPACE", **task["notebook_task"]}
    return _with_cluster(told)


def _with_cluster(holder: Json) -> Json:
    """What has a cluster of its own, with that cluster's defaults on AWS."""
    return {**holder, "new_cluster": {**_CLUSTER, **holder["new_cluster"]}} if holder.get("new_cluster") else holder


def tasks_of(settings: Json) -> list[Json]:
    """The tasks, also of a job in the older format."""
    only = {key: value for key, value in settings.items() if key.endswith("_task")}
    return list(settings.get("tasks") or ([{"task_key": "main", **only}] if only else []))


def check(call: Call, settings: Json, run_as_before: Any = None, *, whole: bool = True) -> None:
    """Refuse settings of a wrong form; `whole` ones must also fit together.

    Raises:
        ApiError: 400, or 403 for a run_as that the caller may not set.
    """
    _types(settings)
    name = settings.get("name")
    if name is not None and len(fields.text("name", name).encode()) > _NAME:
        raise invalid(f"The job name is longer than {_NAME} bytes.")
    for field, highest in _NUMBERS.items():
        if not 0 <= fields.number(field, settings.get(field, 0)) <= highest:
            raise invalid(f"{field} must be between 0 and {highest}.")
    tasks = tasks_of(settings)
    check_tasks(tasks, whole=whole)
    job_values.check(settings, tasks)
    if whole:
        job_values.check_keys(settings, tasks)
    said = settings.get("run_as") or {}
    if said and said != run_as_before:
        check_run_as(call, said)


def check_tasks(tasks: list[Json], *, whole: bool = True) -> None:
    """Refuse tasks that have no key of their own, or depend on what there is not, or on themselves."""
    if len(tasks) > _TASKS:
        raise invalid(f"The number of tasks exceeds the maximum of {_TASKS}.")
    for task in tasks:
        if not task.get("task_key"):
            raise invalid("Every task must have a task_key.")
        if len(fields.text("task_key", task["task_key"])) > _KEY:
            raise invalid(f"A task_key is longer than {_KEY} characters.")
        for field in _TASK_OBJECTS:
            fields.mapping(field, task.get(field) or {})
        fields.number("timeout_seconds", task.get("timeout_seconds", 0))
        for kind in ("spark_python_task", "notebook_task"):
            fields.items("parameters", (task.get(kind) or {}).get("parameters") or [])
            fields.mapping("base_parameters", (task.get(kind) or {}).get("base_parameters") or {})
        for dependency in fields.mappings("depends_on", task.get("depends_on")):
            fields.text("task_key", dependency.get("task_key"))
    keys = [str(task["task_key"]) for task in tasks]
    if len(set(keys)) < len(keys):
        raise invalid("Task keys must be unique.")
    if whole:
        _graph({str(task["task_key"]): [str(d["task_key"]) for d in task.get("depends_on") or []] for task in tasks})


def _graph(needs: dict[str, list[str]]) -> None:
    for key, wanted in needs.items():
        for other in wanted:
            if other not in needs:
                raise invalid(f"Task {key} depends on {other}, which does not exist.")
    done: set[str] = set()
    while len(done) < len(needs):
        ready = {key for key, wanted in needs.items() if key not in done and done.issuperset(wanted)}
        if not ready:
            raise invalid(f"The task dependencies have a cycle: {', '.join(sorted(set(needs) - done))}.")
        done |= ready


def _types(settings: Json) -> None:
    for field in _OBJECTS:
        fields.mapping(field, settings.get(field) or {})
    for field in _ARRAYS:
        fields.mappings(field, settings.get(field))
    for cluster in settings.get("job_clusters") or []:
        fields.text("job_cluster_key", cluster.get("job_cluster_key"))
    for parameter in settings.get("parameters") or []:
        fields.text("name", parameter.get("name"))
        fields.text("default", parameter.get("default", ""))
    for name, value in (settings.get("run_as") or {}).items():
        fields.text(name, value if value is not None else "")


def check_run_as(call: Call, said: Json) -> None:
    """Refuse a run_as that is nobody, or that the caller may not set."""
    name = said.get("service_principal_name") or said.get("user_name")
    if not name:
        return
    who = identity(call.store, str(name))
    if who is None or (who.kind == "user") != bool(said.get("user_name")):
        raise invalid(f"run_as: '{name}' cannot be found.")
    # Workspace admins may name any user, and of service principals those alone on which they have the user role:
    # https://learn.microsoft.com/azure/databricks/admin/workspace-settings/restrict-workspace-admins
    if who.kind == "user" and (who.name == call.who.name or call.who.is_admin):
        return
    if who.kind == "user" or not rule_sets.may_use(call.store, call.who, who.name):
        missing_role = "" if who.kind == "user" else f": the role {rule_sets.USER} on it is missing"
        raise denied(f"{call.who.name} may not set run_as to {name}{missing_role}.")
