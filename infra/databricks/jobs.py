"""The jobs of an environment, from the workflow files of the commit that its folder is bound to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from infra.access import Access, Persona
from infra.databricks.job_arguments import arguments
from infra.sdk import databricks, databricks_arguments
from infra.settings import Settings


@dataclass(frozen=True)
class JobsArgs:
    """`definitions` are Jobs API settings, as `infra.workflows.read_workflows` expands them."""

    settings: Settings
    definitions: list[dict[str, Any]]
    access: dict[Persona, Access]


class Jobs(pulumi.ComponentResource):
    """One job a workflow, run by the environment's service principal, owned by the deployer."""

    def __init__(self, args: JobsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("quant:databricks:Jobs", "jobs", None, opts)
        settings = args.settings
        child = pulumi.ResourceOptions(parent=self, protect=settings.is_live)
        job_type, job_fields = databricks("Job"), databricks_arguments("Job")
        entries = [
            {"group_name": persona.group, "permission_level": access.job}
            for persona, access in args.access.items()
            if access.job
        ]
        entries.append({"service_principal_name": settings.service_principal, "permission_level": "CAN_MANAGE_RUN"})
        entries.append({"service_principal_name": settings.deployer, "permission_level": "IS_OWNER"})
        self.ids: dict[str, pulumi.Output[str]] = {}
        for definition in args.definitions:
            name = definition["name"]
            fields = arguments(definition, job_fields, f"workflow {name}")
            fields["name"] = f"{settings.environment} {name}"
            job = job_type(
                name,
                **fields,
                run_as={"service_principal_name": settings.service_principal},
                edit_mode="UI_LOCKED",
                opts=child,
            )
            databricks("Permissions")(f"job/{name}", job_id=job.id, access_controls=entries, opts=child)
            self.ids[name] = job.id
        self.register_outputs({"ids": self.ids})
