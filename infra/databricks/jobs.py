"""The jobs of an environment, from the workflow files of the commit that its folder is bound to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from infra.access import DEPLOYER, SERVICE_PRINCIPAL, Access
from infra.databricks.permissions import group_entries, principal_entry
from infra.job_format import arguments, job
from infra.sdk.databricks import Job, Permissions
from infra.settings import Settings
from infra.vocabulary import Persona


@dataclass(frozen=True)
class JobsArgs:
    """`definitions` are Jobs API settings, as `infra.workflows.read_workflows` expands them."""

    settings: Settings
    definitions: list[dict[str, Any]]
    row: dict[Persona, Access]


class Jobs(pulumi.ComponentResource):
    """One job a workflow, run by the environment's service principal, owned by the deployer."""

    def __init__(self, args: JobsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("quant:databricks:Jobs", "jobs", None, opts)
        settings = args.settings
        child = pulumi.ResourceOptions(parent=self, protect=settings.is_live)
        shape = job()
        entries = group_entries(settings, args.row, "job")
        entries.append(principal_entry(settings.service_principal, SERVICE_PRINCIPAL.job))
        # Exactly one owner, always said: without one the caller becomes owner (databricks/cli #4466, #3849).
        entries.append(principal_entry(settings.deployer, DEPLOYER.job))
        self.ids: dict[str, pulumi.Output[str]] = {}
        for definition in args.definitions:
            name = definition["name"]
            fields = arguments({**definition, "name": f"{settings.environment} {name}"}, shape)
            declared = Job(
                name,
                **fields,
                # Always said: leaving it out later does not take it back (databricks/cli #4873).
                run_as={"service_principal_name": settings.service_principal},
                edit_mode="UI_LOCKED",
                opts=child,
            )
            Permissions(f"job/{name}", job_id=declared.id, access_controls=entries, opts=child)
            self.ids[name] = declared.id
        self.register_outputs({"ids": self.ids})
