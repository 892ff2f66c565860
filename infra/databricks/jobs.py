"""The jobs of an environment, from the definitions of the commit that its folder is bound to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import pulumi

from infra.access import DEPLOYER, SERVICE_PRINCIPAL, Access
from infra.databricks.as_written import hooks
from infra.databricks.permissions import group_entries, principal_entry
from infra.sdk.databricks import Job, Permissions
from infra.settings import Settings
from infra.vocabulary import Persona
from infra.workflows import Workflow
from infra.workflows.format import JOB_ID, arguments

# What could be the name of a workflow while the name was the logical name.
_TAKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,99}")


@dataclass(frozen=True)
class JobsArgs:
    """`workflows` are those that `infra.workflows.read_definitions` makes of a commit."""

    settings: Settings
    workflows: list[Workflow]
    row: dict[Persona, Access]


class Jobs(pulumi.ComponentResource):
    """One job a workflow, run by the environment's service principal, owned by the deployer."""

    def __init__(self, args: JobsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("quant:databricks:Jobs", "jobs", None, opts)
        settings = args.settings
        entries = group_entries(settings, args.row, "job")
        entries.append(principal_entry(settings.service_principal, SERVICE_PRINCIPAL.job))
        # Exactly one owner, always said: without one the caller becomes owner (databricks/cli #4466, #3849).
        entries.append(principal_entry(settings.deployer, DEPLOYER.job))
        self.ids: dict[str, pulumi.Output[str]] = {}
        names = logical_names(args.workflows)
        written = {names[one.key][0]: one.job for one in args.workflows}
        around = hooks(written) if written else None
        for workflow in in_order(args.workflows):
            name, *earlier = names[workflow.key]
            fields = with_ids(arguments({**workflow.job, "name": f"{settings.environment} {workflow.name}"}), self.ids)
            declared = Job(
                name,
                **fields,
                # Always said: leaving it out later does not take it back (databricks/cli #4873).
                run_as={"service_principal_name": settings.service_principal},
                edit_mode="UI_LOCKED",
                opts=pulumi.ResourceOptions.merge(self._child(settings, earlier), pulumi.ResourceOptions(hooks=around)),
            )
            Permissions(
                f"job/{name}",
                job_id=declared.id,
                access_controls=entries,
                opts=self._child(settings, [f"job/{one}" for one in earlier]),
            )
            self.ids[workflow.key] = declared.id
        self.register_outputs({"ids": self.ids})

    def _child(self, settings: Settings, earlier: list[str]) -> pulumi.ResourceOptions:
        aliases = [pulumi.Alias(name=one) for one in earlier]
        return pulumi.ResourceOptions(parent=self, protect=settings.is_live, aliases=aliases or None)


def in_order(workflows: Iterable[Workflow]) -> list[Workflow]:
    """What is run before what runs it."""
    by_key = {one.key: one for one in workflows}
    order = TopologicalSorter({one.key: sorted(one.runs) for one in by_key.values()}).static_order()
    return [by_key[key] for key in order]


def logical_names(workflows: Iterable[Workflow]) -> dict[str, list[str]]:
    """Key -> the job's name in the state, and those it may have had: it was once called by its display name.

    Where one workflow's key is another's display name, both stay what they were, so that neither becomes the other's job.
    """
    all_ = list(workflows)
    of_name = {one.name: one.key for one in all_ if _TAKEN.fullmatch(one.name)}
    keys = {one.key for one in all_}
    made: dict[str, str] = {}
    for one in all_:
        stays = one.name in of_name and (one.name in keys - {one.key} or of_name.get(one.key, one.key) != one.key)
        made[one.key] = one.name if stays else one.key
    used = set(made.values())
    return {one.key: [made[one.key], *sorted(({one.key} | ({one.name} & of_name.keys())) - used)] for one in all_}


def with_ids(value: Any, ids: Mapping[str, pulumi.Output[str]]) -> Any:
    """The arguments with the ids of the jobs that they name."""
    if isinstance(value, dict):
        return {key: with_ids(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [with_ids(item, ids) for item in value]
    if not isinstance(value, str) or not (named := JOB_ID.findall(value)):
        return value
    if JOB_ID.fullmatch(value):
        return ids[named[0]]  # the provider takes a number's text where a number is meant
    parts = JOB_ID.split(value)  # text, key, text, key, ..., text
    return pulumi.Output.concat(*(ids[part] if index % 2 else part for index, part in enumerate(parts)))
