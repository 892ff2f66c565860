"""All jobs of a stack run as its own service principal, and as nobody else. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from rules.environments import named
from rules.values import UNKNOWN, Declared, Props, kind, shown


def check(resource_type: str, props: Props, stack: str) -> list[str]:
    """A job that would run as a person, as another principal, or as whoever deployed it."""
    environment, run_as = named(stack), props.get("runAs")
    if kind(resource_type) != "databricks:Job" or environment is None or run_as is UNKNOWN:
        return []
    said = {key: value for key, value in run_as.items() if value is not None} if isinstance(run_as, dict) else {}
    principal = said.get("servicePrincipalName")
    if set(said) == {"servicePrincipalName"} and (
        principal is UNKNOWN or (isinstance(principal, str) and principal.lower() == environment.principal)
    ):
        return []
    found = ", ".join(f"{key} {shown(value)}" for key, value in said.items()) or "nothing"
    return [
        f"Job runAs: found {found}, expected servicePrincipalName {environment.principal} alone: the jobs of {stack} run as"
        f" quant:servicePrincipal of Pulumi.{stack}.yaml."
    ]


def check_stack(resources: Iterable[Declared], stack: str) -> list[tuple[str, str | None]]:
    """Jobs of one stack that run as different principals."""
    jobs_of: dict[str, list[str]] = defaultdict(list)
    for resource in resources:
        if kind(resource.type) == "databricks:Job" and (runner := _runner(resource.props.get("runAs"))) is not UNKNOWN:
            jobs_of[shown(runner)].append(resource.name)
    if len(jobs_of) < 2:
        return []
    found = "; ".join(f"{runner} runs {', '.join(sorted(jobs))}" for runner, jobs in sorted(jobs_of.items()))
    return [(f"Job runAs: found {found}; expected one principal for all jobs of {stack}. Set runAs alike.", None)]


def _runner(run_as: Any) -> Any:
    if run_as is UNKNOWN or not isinstance(run_as, dict):
        return run_as or None
    return run_as.get("servicePrincipalName") or run_as.get("userName")
