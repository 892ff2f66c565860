"""Workflow files of the project's own form, and jobs as `databricks jobs get` prints them. Pure."""

from __future__ import annotations

from infra.vocabulary import Environment
from infra.workflows.document import Map, copied, place
from infra.workflows.places import From
from infra.workflows.problems import Mark, Problem, Refused, one_of, quoted
from infra.workflows.rules import tasks
from infra.workflows.scene import Note
from infra.workflows.written import Written

# Of `jobs get`: facts of the job that was exported, and what the environment says itself.
_OF_THE_ANSWER = frozenset(
    {
        "job_id", "created_time", "creator_user_name", "run_as_user_name", "run_as_owner", "effective_budget_policy_id",
        "effective_usage_policy_id", "has_more", "next_page_token", "trigger_state", "run_as", "path",
    }
)  # fmt: skip
_OF_THE_EXPORT = ("format", "deployment")
_SET_ASIDE = ("run_as", "edit_mode", "git_source", "permissions", "parent_path")


def is_export(value: Map) -> bool:
    """Whether a file is the answer to `databricks jobs get`."""
    return isinstance(value.get("settings"), Map) and not {"tasks", "name"} & value.keys()


def native(key: str, path: str, value: Map) -> tuple[Written, list[Note]]:
    """The one job of a workflow file or an export.

    Raises:
        Refused: `per_environment` is not as it should be.
    """
    notes: list[Note] = []
    wrong: list[Problem] = []
    start = From()
    overrides: dict[str, Map] = {}
    absent: set[str] = set()
    job = value
    if is_export(value):
        job = copied(value["settings"])
        for other in value:
            if other not in _OF_THE_ANSWER | {"settings", "per_environment"}:
                said = f"unknown key beside settings; {one_of(other, sorted(_OF_THE_ANSWER))}"
                wrong.append(Problem(value.marks[other], other, said))
        if "per_environment" in value:
            job.put("per_environment", value["per_environment"], value.marks["per_environment"])
        aside = [one for one in _SET_ASIDE if job.pop(one, None) is not None]
        if aside:
            notes.append(Note(Mark(path), f"set aside, because the environment says it: {', '.join(aside)}."))
        start = From(exported=True)
    else:
        job = copied(value)
    for one in _OF_THE_EXPORT:
        job.pop(one, None)
    said = job.pop("per_environment", None)
    if said is not None and not isinstance(said, Map):
        wrong.append(_environments(value, f"found {quoted(said)}"))
    for environment, override in said.items() if isinstance(said, Map) else ():
        if environment not in set(Environment):
            wrong.append(_environments(said, f"found {quoted(environment)}", environment))
        elif override is None:
            absent.add(environment)
        elif not isinstance(override, Map):
            text = f"found {quoted(override)}, expected keys of a job, or null where there is none."
            wrong.append(Problem(said.marks[environment], f"per_environment.{environment}", text))
        else:
            overrides[environment] = copied(override)
    if wrong:
        raise Refused(wrong)
    for one in (job, *overrides.values()):
        _name_jobs(one)
    return Written(key, Mark(path), job, start, overrides, frozenset(absent)), notes


def _environments(value: Map, found: str, key: str = "per_environment") -> Problem:
    mark = place(value, (key,), value.mark)
    return Problem(mark, "per_environment", f"{found}, expected some of {', '.join(Environment)}.")


def _name_jobs(job: Map) -> None:
    """`run_job_task: {job: factor_returns}` is the id of the job that this workflow declares."""
    if not isinstance(job.get("tasks"), list) or not all(isinstance(task, dict) for task in job["tasks"]):
        return
    for _, task in _tasks(job):
        runs = task.get("run_job_task")
        if isinstance(runs, Map) and isinstance(runs.get("job"), str) and "job_id" not in runs:
            mark = runs.marks["job"]
            runs.put("job_id", f"${{resources.jobs.{runs.pop('job')}.id}}", mark)


def _tasks(job: Map) -> list[tuple[object, Map]]:
    try:
        return [(way, task) for way, task in tasks(job) if isinstance(task, Map)]
    except (AttributeError, TypeError):  # not of the right types; that is told where types are checked
        return []
