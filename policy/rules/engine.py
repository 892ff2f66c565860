"""Between pulumi-policy and the rules: what the engine sends becomes plain, what a rule finds becomes a violation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.deserialize import serialize_properties

from rules.values import Declared, Props, plain

ResourceRule = Callable[[str, Props, str], list[str]]
StackRule = Callable[[Iterable[Declared], str], list[tuple[str, str | None]]]


def stack_of(urn: str) -> str:
    """The stack's name, which a policy pack is told nowhere else: `urn:pulumi:<stack>::<project>::<type>::<name>`."""
    return urn.removeprefix("urn:pulumi:").partition("::")[0]


def resource_policy(name: str, description: str, rule: ResourceRule) -> ResourceValidationPolicy:
    """A policy that judges each resource before it is sent to its provider."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for message in rule(args.resource_type, _read(args.props), stack_of(args.urn)):
            report(message, None)

    return ResourceValidationPolicy(name, description, validate)


def secret_policy(name: str, description: str, rule: ResourceRule) -> ResourceValidationPolicy:
    """The same for a rule that must know which values are secret; policy/rules/plain_secrets.py says why it is done so.

    The engine asks for the remediation of a resource first and for its validation right afterwards. A violation of a
    policy at this level is reported as mandatory.
    """
    marked: dict[str, Props] = {}

    def remember(args: ResourceValidationArgs) -> None:
        marked[args.urn] = _read(args.props)

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        props = marked.pop(args.urn, None)
        for message in rule(args.resource_type, _read(args.props) if props is None else props, stack_of(args.urn)):
            report(message, None)

    return ResourceValidationPolicy(name, description, validate, EnforcementLevel.REMEDIATE, remediate=remember)


def stack_policy(name: str, description: str, rule: StackRule) -> StackValidationPolicy:
    """A policy that judges all resources of the stack together, as they stand at the end."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        declared = [
            Declared(
                resource.urn,
                resource.resource_type,
                _read(resource.props),
                {key: [other.urn for other in others] for key, others in resource.property_dependencies.items()},
            )
            for resource in args.resources
        ]
        if declared:
            for message, urn in rule(declared, stack_of(declared[0].urn)):
                report(message, urn)

    return StackValidationPolicy(name, description, validate)


def _read(props: Any) -> Props:
    """Properties without the SDK's proxies, which end the whole validation when it meets one value that is unknown."""
    read: Props = plain(serialize_properties(props))
    return read
