"""Every job has its Permissions, and these name exactly one owner. Pure.

Without an owner in the entries, whoever deploys becomes the owner; two cannot be (databricks/cli #4466, #3849).
"""

from __future__ import annotations

from collections.abc import Iterable

from rules.values import UNKNOWN, Declared, Props, kind, shown


def check(resource_type: str, props: Props, stack: str) -> list[str]:
    """Permissions of a job with no owner or with several."""
    entries = props.get("accessControls")
    if kind(resource_type) != "databricks:Permissions" or props.get("jobId") is None or entries is UNKNOWN:
        return []
    if UNKNOWN in (levels := [entry if entry is UNKNOWN else entry.get("permissionLevel") for entry in entries or []]):
        return []
    owners = levels.count("IS_OWNER")
    if owners == 1:
        return []
    return [
        f"Permissions of a job: found {owners} entries with IS_OWNER, expected exactly one. Give IS_OWNER to the deployer"
        f" (quant:deployer) of {stack}, and to nobody else."
    ]


def check_stack(resources: Iterable[Declared], stack: str) -> list[tuple[str, str | None]]:
    """Jobs without Permissions, or with more than one, each with its URN."""
    everything = list(resources)
    permissions = [one for one in everything if kind(one.type) == "databricks:Permissions"]
    found: list[tuple[str, str | None]] = []
    for job in everything:
        if kind(job.type) != "databricks:Job":
            continue
        # While the job is still to be created its id is unknown, but where the id comes from is not.
        own = [
            one
            for one in permissions
            if job.urn in one.refers.get("jobId", ())
            or (isinstance(one.props.get("jobId"), str) and one.props["jobId"] == job.props.get("id"))
        ]
        if len(own) != 1:
            names = shown(", ".join(sorted(one.name for one in own)) or None)
            found.append(
                (f"Job {job.name} of {stack}: found {names} as its Permissions, expected exactly one. Declare it.", job.urn)
            )
    return found
