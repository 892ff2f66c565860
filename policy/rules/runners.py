"""Outside development, jobs run as a service principal; in every stack all of them as the same one. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from rules.environments import DEVELOPMENT
from rules.values import UNKNOWN, Declared, Props, kind, shown


def check(resource_type: str, props: Props, stack: str) -> list[str]:
    """A job that would run as a person, or as whoever deployed it."""
    run_as = props.get("runAs")
    if kind(resource_type) != "databricks:Job" or stack == DEVELOPMENT or run_as is UNKNOWN:
        return []
    said = run_as or {}
    user, principal = said.get("userName"), said.get("servicePrincipalName")
    if principal and not user:
        return []
    found = f"userName {shown(user)}" if user else shown(principal)
    return [
        f"Job runAs: found {found}, expected servicePrincipalName alone: the jobs of {stack} do not depend on a person."
        f" Set it to the application id of quant:servicePrincipal in Pulumi.{stack}.yaml."
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
    if run_as is UNKNOWN or not run_as:
        return run_as or None
    return run_as.get("servicePrincipalName") or run_as.get("userName")
