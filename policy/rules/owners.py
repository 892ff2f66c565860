"""Every job has its Permissions, and these name exactly one owner. Pure.

Without an owner in the entries, whoever deploys becomes the owner; two cannot be (databricks/cli #4466, #3849).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rules.own_ids import comes_from
from rules.values import UNKNOWN, Declared, Props, kind, shown


def check(resource_type: str, props: Props, stack: str) -> list[str]:
    """Permissions of a job with no owner or with several."""
    entries = props.get("accessControls")
    if kind(resource_type) != "databricks:Permissions" or props.get("jobId") is None or entries is UNKNOWN:
        return []
    levels = [_level(entry) for entry in entries] if isinstance(entries, list) else []
    owners = levels.count("IS_OWNER")
    if UNKNOWN in levels or owners == 1:
        return []
    return [
        f"Permissions of a job: found {owners} entries with IS_OWNER, expected exactly one. Give IS_OWNER to the deployer"
        f" (quant:deployer) of {stack}, and to nobody else."
    ]


def _level(entry: Any) -> Any:
    return entry.get("permissionLevel") if isinstance(entry, dict) else entry


def check_stack(resources: Iterable[Declared], stack: str) -> list[tuple[str, str | None]]:
    """Jobs without Permissions, or with more than one, each with its URN."""
    everything = list(resources)
    permissions = [
        one for one in everything if kind(one.type) == "databricks:Permissions" and one.props.get("jobId") is not None
    ]
    jobs = {one.urn: one for one in everything if kind(one.type) == "databricks:Job"}
    own: dict[str, list[str]] = {urn: [] for urn in jobs}
    for one in permissions:
        for urn in comes_from(one, "jobId", jobs):
            own[urn].append(one.name)
    return [
        (
            f"Job {jobs[urn].name} of {stack}: found {shown(', '.join(sorted(names)) or None)} as its Permissions, expected"
            " exactly one. Declare it.",
            urn,
        )
        for urn, names in own.items()
        if len(names) != 1
    ]
