"""Jobs API field names -> the names of the Pulumi SDK, derived from the SDK's own types.

The provider's schema names repeated blocks in the singular and the bridge puts them in the plural, so `depends_on`
becomes `depends_ons` and `on_failure` becomes `on_failures`. The SDK's input types tell which.
"""

from __future__ import annotations

import collections.abc
import typing
from functools import cache
from typing import Any

from pulumi._types import (
    input_type_py_to_pulumi_names,
    input_type_types,
    is_input_type,
)  # no public reader of an input type's fields exists

from infra.errors import UserError


def arguments(value: dict[str, Any], input_type: type, where: str) -> dict[str, Any]:
    """`value` with every key as `input_type` spells it.

    Raises:
        UserError: a key that the Jobs API of this SDK does not have: where, key, allowed keys.
    """
    fields = _fields(input_type)
    result: dict[str, Any] = {}
    for key, item in value.items():
        name = next((spelling for spelling in (key, *_plurals(key)) if spelling in fields), None)
        if name is None:
            allowed = ", ".join(sorted(_api_name(field, fields) for field in fields))
            raise UserError(f"{where}.{key}: unknown key; allowed are {allowed}.")
        result[name] = _convert(item, fields[name], f"{where}.{key}")
    return result


def _convert(item: Any, kind: type | None, where: str) -> Any:
    if kind is None:
        return item
    if isinstance(item, dict):
        return arguments(item, kind, where)
    if isinstance(item, list):
        return [_convert(entry, kind, f"{where}[{index}]") for index, entry in enumerate(item)]
    return item


def _plurals(key: str) -> tuple[str, ...]:
    plurals = [f"{key}s", f"{key}es"]
    if key.endswith("y"):
        plurals.append(f"{key[:-1]}ies")
    return tuple(plurals)


def _api_name(field: str, fields: dict[str, type | None]) -> str:
    """The Jobs API spelling of an SDK field: lists of the first level keep their plural, as the API does."""
    singular = field[:-1]
    return singular if singular in {"depends_on", "on_failure", "on_success", "on_start"} else field


@cache
def _fields(input_type: type) -> dict[str, type | None]:
    kinds = input_type_types(input_type)
    names = input_type_py_to_pulumi_names(input_type)
    return {name: _input_type_in(kinds[wire]) for name, wire in names.items() if wire in kinds}


def _input_type_in(kind: Any) -> type | None:
    """The input type that stands in `Optional[Sequence[Input[X]]]` and the like; None for plain values and maps."""
    if isinstance(kind, type) and is_input_type(kind):
        return kind
    if typing.get_origin(kind) in (dict, collections.abc.Mapping):
        return None
    for inner in typing.get_args(kind):
        if (found := _input_type_in(inner)) is not None:
            return found
    return None
