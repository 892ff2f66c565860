"""What a team's own reviewed list allows beyond the rules: policy/allowed.yaml. Pure, but for reading that file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

# Nothing makes these right: they do what no rule can judge, or give away what belongs to the deployer.
NEVER = {
    "snowflake:Execute": "found SQL of its own, which no policy can judge. Declare what it does with the resource for it.",
    "snowflake:UnsafeExecute": "found SQL of its own, which no policy can judge. Declare what it does with a resource.",
    "snowflake:GrantOwnership": "found a change of owner; the deployer owns what it declares. Remove it.",
    "command:Command": "found a command, which no policy can judge. Remove it.",
}


class Malformed(Exception):
    """The list cannot be read: the pack does not start."""


@dataclass(frozen=True)
class Allowed:
    """Types (with more properties of a known type), and references by environment."""

    types: Mapping[str, frozenset[str] | None] = field(default_factory=dict)  # None: every property
    references: Mapping[str, frozenset[str]] = field(default_factory=dict)
    mail_domains: frozenset[str] = frozenset()
    webhooks: Mapping[str, frozenset[str]] = field(default_factory=dict)  # of the environments that list any


def read(path: Path) -> Allowed:
    """The list that lies beside the pack.

    Raises:
        Malformed: it is no such list; nothing is then allowed, not even the usual.
    """
    try:
        found = yaml.safe_load(path.read_bytes()) or {}
    except (OSError, yaml.YAMLError) as error:
        raise Malformed(f"{path.name} cannot be read: {error}") from None
    return parse(found, path.name)


def parse(found: Any, name: str) -> Allowed:
    """The list from its YAML."""
    known = {"types", "references", "mail_domains"}
    if not isinstance(found, dict) or not set(found) <= known:
        raise Malformed(f"{name}: expected the keys {', '.join(sorted(known))} only")
    types = found.get("types") or {}
    references = found.get("references") or {}
    domains = found.get("mail_domains") or []
    if not (isinstance(types, dict) and isinstance(references, dict) and isinstance(domains, list)):
        raise Malformed(f"{name}: types and references are keys and values, mail_domains is a list")
    for one, properties in types.items():
        if one in NEVER or not (properties == "any" or _texts(properties)):
            raise Malformed(f"{name}: types.{one}: expected a type that may be allowed, with `any` or a list of properties")
    for environment, listed in references.items():
        lists = list(listed.values()) if isinstance(listed, dict) else [listed]
        if not all(map(_texts, lists)):
            raise Malformed(f"{name}: references.{environment}: expected lists of texts")
    if not _texts(domains):
        raise Malformed(f"{name}: mail_domains: expected a list of texts")
    return Allowed(
        {one: None if properties == "any" else frozenset(properties) for one, properties in types.items()},
        {environment: flat(listed) for environment, listed in references.items()},
        frozenset(domain.lower() for domain in domains),
        {environment: found for environment, listed in references.items() if (found := webhooks(listed)) is not None},
    )


def webhooks(listed: Any) -> frozenset[str] | None:
    """The notification destinations of an environment's lists; None where it lists none, and any is right."""
    return flat(listed["webhooks"]) if isinstance(listed, dict) and listed.get("webhooks") is not None else None


def flat(value: Any) -> frozenset[str]:
    """The texts of a list, or of lists under headings: what `quant:allowed` holds."""
    if isinstance(value, str):
        return frozenset({value})
    if isinstance(value, list | tuple):
        return frozenset().union(*map(flat, value))
    if isinstance(value, dict):
        return flat(list(value.values()))
    return frozenset()


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one.strip("/ ") for one in value)
