"""The policy pack: every promise about the four environments, mandatory, on what is really sent to the engine.

Written independently of infra/, so that a mistake there is caught here. Run with `--policy-pack policy`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from rules import binding, grants, identity, lockdown, secrets
from rules.inputs import Inputs, plain, stack_of

Rule = Callable[[str, Inputs, str], Iterator[str]]


def resource_policy(name: str, description: str, rule: Rule) -> ResourceValidationPolicy:
    """A rule that looks at one resource at a time."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for message in rule(args.resource_type, plain(args.props), stack_of(args.urn)):
            report(message, None)

    return ResourceValidationPolicy(name, description, validate, EnforcementLevel.MANDATORY)


def every_job_is_owned(args: StackValidationArgs, report: ReportViolation) -> None:
    """Each job's permissions are declared, so that its owner is."""
    with_permissions = {
        dependency.urn
        for resource in args.resources
        if resource.resource_type == identity.PERMISSIONS
        for dependency in resource.property_dependencies.get("jobId", [])
    }
    jobs = [resource.urn for resource in args.resources if resource.resource_type == identity.JOB]
    for message, urn in identity.without_permissions(jobs, with_permissions):
        report(message, urn)


PolicyPack(
    "quant",
    [
        resource_policy("one-name", "Stack, branch, folder, schema, scope and jobs bear one name.", binding.one_name),
        resource_policy("locked-folder", "In quant_live nobody is above CAN_READ on the folder.", lockdown.folder),
        resource_policy(
            "locked-jobs", "In quant_live nobody is above CAN_VIEW on jobs, which are UI_LOCKED.", lockdown.jobs
        ),
        resource_policy("locked-secret", "The environment's service principal alone reads its secret.", lockdown.secret_acl),
        resource_policy("runs-as-principal", "From staging on, jobs run as a service principal.", identity.run_as),
        resource_policy("one-owner", "Every job has exactly one owner.", identity.one_owner),
        resource_policy("plain-grants", "No ALL PRIVILEGES, OWNERSHIP, PUBLIC or always_apply.", grants.plain_grants),
        resource_policy("one-writer", "In quant_live the service user's role alone writes.", grants.one_writer),
        resource_policy("no-plain-secret", "No secret stands where the engine shows it.", secrets.no_plain_secret),
        StackValidationPolicy(
            "owned-jobs", "Every job's permissions are declared.", every_job_is_owned, EnforcementLevel.MANDATORY
        ),
    ],
)
