"""What a rule sees of a resource: its inputs, as far as they are known in a preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi_policy.proxy import UnknownValueError

Inputs = dict[str, Any]
STACKS = ("quant", "quant_stg", "quant_lr", "quant_live")


def plain(value: Any) -> Any:
    """Dictionaries and lists; what is not known before the update is None."""
    if isinstance(value, Mapping):
        return {key: _known(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_known(value, index) for index in range(len(value))]
    return value


def _known(holder: Any, key: Any) -> Any:
    try:
        return plain(holder[key])
    except UnknownValueError:
        return None


def stack_of(urn: str) -> str:
    """`urn:pulumi:<stack>::<project>::<type>::<name>`"""
    return urn.removeprefix("urn:pulumi:").partition("::")[0]
