"""What an environment makes of a job: its folder, names, parameters, schedules, limits. Pure."""

from __future__ import annotations

from typing import Any

from infra.limited_release import limit
from infra.naming import Names
from infra.settings import Settings
from infra.workflows.belongings import belonging_problems
from infra.workflows.document import Json, Map, copied, place
from infra.workflows.format import Way, Wrong, fit, spelled
from infra.workflows.merge import override, without_nulls
from infra.workflows.places import settle
from infra.workflows.problems import Problem
from infra.workflows.rules import clusters, rule_problems
from infra.workflows.scene import Scene
from infra.workflows.values import value_problems
from infra.workflows.variables import fill_in
from infra.workflows.written import Written

_WHEN = ("schedule", "trigger", "continuous")


def checked(written: Written, environment: str | None) -> tuple[Map, list[Problem]]:
    """The job of an environment as the file has it, and what is wrong with it by itself, whatever the commit."""
    job = written.job if environment is None else override(written.job, written.overrides[environment])
    prefix = "" if environment is None else f"per_environment.{environment}: "
    fitted, wrong = fit(without_nulls(job), written.lenient)
    if not wrong:
        wrong = [*rule_problems(fitted), *value_problems(fitted)]
    return fitted, [_problem(written, fitted, one.way, prefix, one.text) for one in wrong]


def misplaced(written: Written, fitted: Map, scene: Scene, environment: str) -> list[Problem]:
    """Paths of another environment's change that are wrong in whatever stack: told long before it gets there."""
    job: Map = copied(fitted)
    prefix = f"per_environment.{environment}: "
    return [_problem(written, job, one.way, prefix, one.text) for one in settle(job, scene, written.start)]


def expanded(written: Written, fitted: Map, scene: Scene) -> tuple[Json, list[Problem]]:
    """The job as the environment declares it, and what is wrong with it there. The job is right by itself already."""
    job: Map = copied(fitted)
    wrong: list[Wrong] = fill_in(job, scene) if written.start.bundle is None and not written.start.pasted else []
    wrong += settle(job, scene, written.start)
    wrong += belonging_problems(job, scene)
    given = parameters_of(scene.settings, scene.names)
    reserved = {name.lower() for name in given}
    for index, parameter in enumerate(job.get("parameters") or ()):
        if parameter["name"].lower() in reserved:
            text = f"{parameter['name']!r} is given by the environment; choose another name."
            wrong.append(Wrong(("parameters", index, "name"), text))
    if wrong:
        return job, [_problem(written, job, one.way, "", one.text) for one in dict.fromkeys(wrong)]
    _in_the_providers_order(job)
    _without_what_is_never_sent(job)
    release = scene.settings.limited_release
    if release is not None:
        limit(job, release)
    job["parameters"] = [
        *(job.get("parameters") or ()),
        *({"name": name, "default": value} for name, value in given.items()),
    ]
    for key in _WHEN:
        if key in job:
            paused = scene.settings.schedules == "paused" or job[key].get("pause_status") == "PAUSED"
            job[key]["pause_status"] = "PAUSED" if paused else "UNPAUSED"
    job.setdefault("max_concurrent_runs", 1)
    job.setdefault("queue", {"enabled": True})
    return plain(job), []


def _problem(written: Written, job: Any, way: Way, prefix: str, text: str) -> Problem:
    return Problem(place(job, way, written.mark), f"{prefix}{spelled(way)}", text)


def _in_the_providers_order(job: Map) -> None:
    """Any other order than the one in which the provider reads would be a difference for ever.

    terraform-provider-databricks, jobs/jobs_api_go_sdk.go: sortTasksByKey, adjustTasks, sortWebhooksByID; what a for-each
    task repeats is left as it is.
    """
    for holder in (job, *job["tasks"]):
        for hooks in (holder.get("webhook_notifications") or {}).values():
            hooks.sort(key=lambda hook: str(hook["id"]))
    for task in job["tasks"]:
        if task.get("depends_on"):
            task["depends_on"].sort(key=lambda dependency: str(dependency["task_key"]))
    job["tasks"].sort(key=lambda task: str(task["task_key"]))


def _without_what_is_never_sent(job: Map) -> None:
    """A setting of Spark that the provider drops in silence, and Databricks has not looked at for years.

    terraform-provider-databricks, jobs/resource_job.go, jobSettingsSchema: reConf suppresses it.
    """
    for _, cluster in clusters(job):
        cluster.get("spark_conf", {}).pop("spark.databricks.delta.preview.enabled", None)


def parameters_of(settings: Settings, names: Names) -> dict[str, str]:
    """The parameters that every job of the environment has; their names are its own."""
    return {
        "environment": settings.environment.value,
        "secret_scope": names.secret_scope,
        "snowflake_account": settings.account,
        "snowflake_database": settings.database.upper(),
        "snowflake_role": names.service_role,
        "snowflake_schema": names.schema,
        "snowflake_user": names.service_user,
        "snowflake_warehouse": settings.warehouse.upper(),
    }


def plain(value: Any) -> Any:
    """Without the places: dicts and lists."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value
