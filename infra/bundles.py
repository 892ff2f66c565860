"""Jobs pasted from an Asset Bundle: `resources.jobs.<key>`, and `targets.<environment>.resources.jobs.<key>`. Pure.

https://docs.databricks.com/dev-tools/bundles/resources
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.errors import UserError
from infra.job_format import Json
from infra.vocabulary import Environment

# What a bundle says of a job that is the environment's to say, and where it is said instead.
_ELSEWHERE = {
    "permissions": "levels come from the access matrix (docs/access.md)",
    "run_as": "jobs run as the environment's service principal (quant:servicePrincipal)",
    "git_source": "jobs run the files of the environment's Git folder",
    "edit_mode": "jobs are locked in every environment",
    "lifecycle": "production is protected by its stack",
}


def jobs_of_bundle(path: str, value: Json) -> list[Json]:
    """The jobs in the form of workflow files.

    Raises:
        UserError: what cannot be kept, each with its key and the place where it is said instead.
    """
    wrong = [f"{key}: a workflow file keeps resources.jobs and targets only." for key in value if key not in _KEPT]
    jobs = _jobs(value.get("resources"), "resources", wrong)
    overrides: dict[str, dict[str, Json]] = {key: {} for key in jobs}
    targets = value.get("targets") or {}
    if not isinstance(targets, dict):
        wrong.append(f"targets: found {targets!r}, expected environments.")
        targets = {}
    for target, content in targets.items():
        where = f"targets.{target}"
        if target not in set(Environment):
            wrong.append(f"{where}: not an environment; expected some of {', '.join(Environment)}.")
            continue
        if not isinstance(content, dict):
            wrong.append(f"{where}: found {content!r}, expected resources.")
            continue
        wrong += [f"{where}.{key}: only resources.jobs is kept." for key in content if key != "resources"]
        for key, job in _jobs(content.get("resources"), f"{where}.resources", wrong).items():
            if key not in jobs:
                wrong.append(f"{where}.resources.jobs.{key}: not a job of this file; jobs are {', '.join(jobs)}.")
            else:
                overrides[key][target] = job
    wrong += [f"{where}: {text!r} refers to the bundle; write the value itself." for where, text in _references(value, "")]
    if wrong:
        raise UserError("\n".join(f"{path}: {text}" for text in wrong))
    return [{"name": key, **job, "per_environment": overrides[key]} for key, job in jobs.items()]


_KEPT = ("resources", "targets")


def _jobs(resources: Any, where: str, wrong: list[str]) -> dict[str, Json]:
    if not isinstance(resources, dict) or not isinstance(resources.get("jobs", {}), dict):
        wrong.append(f"{where}: found {resources!r}, expected jobs.")
        return {}
    wrong += [f"{where}.{kind}: only jobs are kept." for kind in resources if kind != "jobs"]
    found: dict[str, Json] = {}
    for key, job in (resources.get("jobs") or {}).items():
        if not isinstance(job, dict):
            wrong.append(f"{where}.jobs.{key}: found {job!r}, expected keys of a job.")
            continue
        wrong += [f"{where}.jobs.{key}.{name}: not kept: {why}." for name, why in _ELSEWHERE.items() if name in job]
        found[str(key)] = job
    return found


def _references(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """`${var.x}`, `${bundle.target}`, `${resources.jobs.x.id}`: they mean something inside a bundle only."""
    if isinstance(value, str) and "${" in value:
        yield where, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _references(item, f"{where}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _references(item, f"{where}[{index}]")
