"""An id that the workspace gave belongs to a resource that the same stack declares. Pure.

While a resource is still to be created its id is unknown, but where an id comes from is not; afterwards both are known and
must say the same. Judged over the whole stack, so a preview finds it before anything is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rules.environments import Environment, named
from rules.values import UNKNOWN, Declared, kind, shown, title, whole

_OF = {"jobId": "databricks:Job", "repoId": "databricks:Repo"}


def comes_from(resource: Declared, key: str, own: Mapping[str, Declared]) -> list[str]:
    """The URNs among `own` that the id at a property of `resource` is of."""
    value = resource.props.get(key)
    if value is UNKNOWN:
        return [urn for urn in resource.refers.get(key, ()) if urn in own]
    return [urn for urn, one in own.items() if _same(one.props.get("id"), value)]


def check_stack(resources: Iterable[Declared], stack: str) -> list[tuple[str, str | None]]:
    """Permissions, and tasks that run a job, whose id is not of the stack's own."""
    environment, everything = named(stack), list(resources)
    if environment is None:
        return []
    of_kind = {
        what: {one.urn: one for one in everything if kind(one.type) == what}
        for what in ("databricks:Job", "databricks:Repo")
    }
    found: list[tuple[str, str | None]] = []
    for resource in everything:
        what = kind(resource.type)
        if what == "databricks:Permissions":
            for key, wanted in _OF.items():
                if resource.props.get(key) is not None and not comes_from(resource, key, of_kind[wanted]):
                    found.append((_told("Permissions", key, resource.props[key], wanted, stack), resource.urn))
        elif what == "databricks:Job":
            for value in _foreign(resource, of_kind["databricks:Job"], environment):
                found.append((_told(f"Job {resource.name}", "jobId", value, "databricks:Job", stack), resource.urn))
    return found


def _foreign(job: Declared, own: Mapping[str, Declared], environment: Environment) -> Iterator[Any]:
    """The ids of jobs that tasks of a job run and that are neither the stack's own nor listed."""
    known = {str(whole(one.props.get("id"))) for one in own.values()}
    for value in _job_ids(job.props.get("tasks")):
        if value is UNKNOWN:
            if not any(urn in own for urn in job.refers.get("tasks", ())):
                yield value
        elif str(whole(value)) not in known and not environment.allows(str(whole(value))):
            yield value


def _told(who: str, key: str, value: Any, wanted: str, stack: str) -> str:
    return (
        f"{who} {key}: found {shown(value)}, which is no {title(wanted)} that {stack} declares. Take the id from"
        f" the resource; or list the job for {stack} in policy/allowed.yaml."
    )


def _same(one: Any, other: Any) -> bool:
    return one is not None and one is not UNKNOWN and str(whole(one)) == str(whole(other))


def _job_ids(value: Any) -> Iterator[Any]:
    """The ids of the jobs that tasks run, wherever a task stands."""
    if isinstance(value, list):
        for item in value:
            yield from _job_ids(item)
    elif isinstance(value, dict):
        inner = value.get("runJobTask")
        if isinstance(inner, dict) and inner.get("jobId") is not None:
            yield inner["jobId"]
        for item in value.values():
            yield from _job_ids(item)
