"""A baseline: production's code run on what a limited release holds, so that what differs is the change's. Pure.

Where a number depends on everything (a regression over all instruments), the same slice of production says nothing of it.
Its workflow is run once more, from production's commit, with the limited release's parameters and into another schema.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from databricks.sdk.service.jobs import SubmitTask

from infra.naming import names_of
from infra.outside.workspace import Run
from infra.settings import Settings
from quantctl.errors import UserError
from quantctl.results.contract import Contract
from quantctl.results.history import History
from quantctl.results.model import Night

_PARAMETER = re.compile(r"\{\{\s*job\.parameters\.([\w.-]+)\s*\}\}")
_DAY = re.compile(r"\{\{\s*job\.start_time\.iso_date\s*\}\}")
_NAME = re.compile(r"quantctl baseline (\S+) (.+) (\d{4}-\d\d-\d\d) ([0-9a-f]{40}|[0-9a-f]{64})")
_SCHEMA = "snowflake_schema"
# What a task of a one-time run may have: no shared cluster, for one.
_KEPT = frozenset(SubmitTask.__dataclass_fields__)
Found = Mapping[tuple[str, datetime.date], tuple[str, Run]]


def workflows(contracts: Sequence[Contract]) -> list[str]:
    """The workflows of the tables that have a baseline and of what these are made of, in the order in which they run."""
    by_table = {one.table: one for one in contracts}
    ordered: dict[str, None] = {}

    def add(table: Contract, above: frozenset[str]) -> None:
        for name in table.inputs:
            if name not in above:  # tables may be made of each other
                add(by_table[name], above | {name})
        if table.workflow:
            ordered.setdefault(table.workflow)

    for one in contracts:
        if one.baseline:
            add(one, frozenset({one.table}))
    return list(ordered)


def run_name(env: str, workflow: str, day: datetime.date, commit: str) -> str:
    """What a run is called: by it the run is found again, with the day and the code that it is of."""
    return f"quantctl baseline {env} {workflow} {day} {commit}"


def one_time(job: Mapping[str, Any], settings: Settings, folder: str, day: datetime.date, commit: str) -> dict[str, Any]:
    """A job of the environment, as production's commit defines it, as a run of one day into the baseline's schema.

    Raises:
        UserError: it does not take its schema from the job's parameter, so that it would write the environment's own.
    """
    given = {str(one["name"]): str(one.get("default") or "") for one in job.get("parameters") or []}
    given[_SCHEMA] = names_of(settings).baseline
    used: set[str] = set()

    def parameter(found: re.Match[str]) -> str:
        used.add(found[1])
        return given.get(found[1], "")

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            text = _DAY.sub(day.isoformat(), _PARAMETER.sub(parameter, value))
            text = text.replace(f"/Workspace{settings.folder}/", f"/Workspace{folder}/")
            return f"{folder}/{text.removeprefix(f'{settings.folder}/')}" if text.startswith(f"{settings.folder}/") else text
        if isinstance(value, Mapping):
            return {key: filled(one) for key, one in value.items()}
        return [filled(one) for one in value] if isinstance(value, list) else value

    clusters = {one["job_cluster_key"]: one["new_cluster"] for one in job.get("job_clusters") or []}
    tasks = []
    for task in job.get("tasks") or []:
        made = {key: value for key, value in task.items() if key in _KEPT}
        if shared := clusters.get(task.get("job_cluster_key")):
            made["new_cluster"] = shared
        if notebook := task.get("notebook_task"):  # a job hands its parameters to notebooks by itself
            whole = {f"{name}": f"{{{{job.parameters.{name}}}}}" for name in given} | (notebook.get("base_parameters") or {})
            made["notebook_task"] = {**notebook, "base_parameters": whole}
        tasks.append(filled(made))
    if _SCHEMA not in used:
        raise UserError(
            f"{job['name']} has no baseline: it does not take its schema from the job's parameters.",
            found="no {{job.parameters.snowflake_schema}} in its tasks",
            do_next="let its tasks write where that parameter says, or take quant.baseline out of the contract",
        )
    body = {
        "run_name": run_name(settings.environment, str(job["name"]), day, commit),
        "tasks": tasks,
        "run_as": {"service_principal_name": settings.service_principal},
    }
    more = {key: filled(job[key]) for key in ("environments", "timeout_seconds") if job.get(key)}
    return {**body, **more}


def found_in(env: str, listed: Iterable[tuple[str, Run]]) -> Found:
    """(workflow, day) -> the commit and the run of the newest baseline, of one-time runs by name, the newest first."""
    found: dict[tuple[str, datetime.date], tuple[str, Run]] = {}
    for name, run in listed:
        match = _NAME.fullmatch(name)
        if match and match[1] == env:
            found.setdefault((match[2], datetime.date.fromisoformat(match[3])), (match[4], run))
    return found


def night(workflow: str, day: datetime.date, found: Found, history: History) -> Night:
    """The baseline's run of a day, as the night of the other side."""
    commit, run = found.get((workflow, day), (None, None))
    if commit is None or run is None:
        return Night(None)
    code = history.at(commit) if history.pipelines.knows(commit) else ""
    it = None if isinstance(code, str) else code.get(workflow)
    return Night(run, commit, it.identity if it is not None else None)
