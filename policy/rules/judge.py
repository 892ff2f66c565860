"""Every rule by name, and which of them find something wrong with a resource or with a whole stack. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rules import (
    agreement,
    branch_protection,
    grants,
    identities,
    lock_down,
    managed_access,
    own_code,
    own_ids,
    owners,
    plain_secrets,
    protected,
    providers,
    runners,
    secret_scope,
)
from rules.values import Declared, Props

# Printed as docs/policy.md; a test compares.
RULES = {
    "known-type": "Every resource is of a type, and has properties, that the pack knows or policy/allowed.yaml lists.",
    "one-name": "Names, paths, branch, repository, database and schema are the environment's own.",
    "own-code": "Jobs run code of their own Git folder, on compute and packages of their own, and report to the team.",
    "own-ids": "A job or a folder that is referred to by its id is one that the same stack declares.",
    "own-secret": "The service principal that runs the environment's jobs alone reads its secret scope.",
    "default-provider": "Providers are the default ones; host, account and credentials come from the environment variables.",
    "four-identities": "Service principal, folder, schema and branch differ between the four stack files.",
    "locked-down": "Nobody is above the access matrix on folders and jobs, and jobs are UI_LOCKED.",
    "runs-as-principal": "Jobs run as the environment's service principal.",
    "one-runner": "All jobs of a stack run as the same principal.",
    "one-owner": "Permissions of a job name exactly one owner.",
    "owned-jobs": "Every job has its Permissions, and so its owner.",
    "protected": "In quant_live every resource is protected from deletion.",
    "protected-branch": "Nobody pushes to quant_live, certain members merge into it, and merge requests are approved.",
    "managed-access": "A schema is granted on by its owner alone, keeps its history, and is never replaced.",
    "grants": "Roles are granted what stands in the list for them, on their own schema alone.",
    "plain-secrets": "No secret stands in a plain property, and no private key in any.",
    "plain-outputs": "No secret is an output of the stack.",
}
OF_THE_STACK = frozenset({"one-runner", "owned-jobs", "own-ids", "plain-outputs"})

_RESOURCE: tuple[tuple[str, Callable[[str, Props, str], list[str]]], ...] = (
    ("known-type", agreement.known_type),
    ("one-name", agreement.names),
    ("own-code", own_code.check),
    ("own-secret", secret_scope.check),
    ("locked-down", lock_down.check),
    ("runs-as-principal", runners.check),
    ("one-owner", owners.check),
    ("protected-branch", branch_protection.check),
    ("managed-access", managed_access.check),
    ("grants", grants.check),
    ("plain-secrets", plain_secrets.check),
)
_STACK: tuple[tuple[str, Callable[[Iterable[Declared], str], list[tuple[str, str | None]]]], ...] = (
    ("one-runner", runners.check_stack),
    ("owned-jobs", owners.check_stack),
    ("own-ids", own_ids.check_stack),
    ("plain-outputs", plain_secrets.check_stack),
)
# The rules of the whole stack look at these alone.
SEEN_IN_STACK = frozenset({"databricks:Job", "databricks:Permissions", "databricks:Repo", "pulumi:Stack"})


@dataclass(frozen=True)
class Violation:
    """A rule that does not hold; without a URN it is the stack's as a whole."""

    rule: str
    message: str
    urn: str | None = None


def of_resource(
    urn: str, resource_type: str, props: Props, *, is_protected: bool, is_sent: bool = True
) -> Iterator[Violation]:
    """What is wrong with a resource, before it is sent to its provider; without `is_sent` it has no values to look at."""
    stack, name = stack_of(urn), urn.rpartition("::")[2]
    for rule, check in _RESOURCE:
        for message in check(resource_type, props, stack) if is_sent or rule == "known-type" else ():
            yield Violation(rule, message, urn)
    for rule, found in (
        ("default-provider", providers.check(resource_type, props, stack, name)),
        ("four-identities", identities.check(resource_type, stack)),
        ("protected", protected.check(resource_type, stack, is_protected=is_protected)),
    ):
        for message in found:
            yield Violation(rule, message, urn)


def of_stack(resources: list[Declared]) -> Iterator[Violation]:
    """What is wrong with all resources of a stack together, as they stand at the end."""
    if resources:
        for rule, check in _STACK:
            for message, urn in check(resources, stack_of(resources[0].urn)):
                yield Violation(rule, message, urn)


def stack_of(urn: str) -> str:
    """The stack's name: `urn:pulumi:<stack>::<project>::<type>::<name>`."""
    return urn.removeprefix("urn:pulumi:").partition("::")[0]
