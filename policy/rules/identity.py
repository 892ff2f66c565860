"""Who jobs run as, and who owns them."""

from __future__ import annotations

from collections.abc import Iterator

from rules.inputs import Inputs

JOB = "databricks:index/job:Job"
PERMISSIONS = "databricks:index/permissions:Permissions"


def run_as(kind: str, inputs: Inputs, stack: str) -> Iterator[str]:
    """A person who leaves takes nothing along."""
    if kind != JOB or stack == "quant":
        return
    said = inputs.get("runAs") or {}
    if said.get("userName") or said.get("groupName") or not said.get("servicePrincipalName"):
        yield f"{inputs.get('name')}: run_as is {said or 'not said'}; from quant_stg on a service principal is."


def one_owner(kind: str, inputs: Inputs, stack: str) -> Iterator[str]:
    """Neither nobody (then the caller becomes owner) nor two."""
    if kind != PERMISSIONS or "jobId" not in inputs:
        return
    owners = [entry for entry in inputs.get("accessControls") or [] if (entry or {}).get("permissionLevel") == "IS_OWNER"]
    if len(owners) != 1:
        yield f"found {len(owners)} entries with IS_OWNER; a job has exactly one owner."


def without_permissions(jobs: list[str], with_permissions: set[str]) -> Iterator[tuple[str, str]]:
    """A message and the job's URN, for each job whose permissions nobody declares."""
    for urn in jobs:
        if urn not in with_permissions:
            yield "no Permissions are declared for this job, so its owner is whoever ran the update.", urn
