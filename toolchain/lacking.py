"""Inputs that the pinned Python packages know and the providers built here do not: `lacking.json`, by `make lacking`.

The packages are newer than the Terraform providers that the Go registry serves. The built plugin drops such an input, and
the official one takes it; who reads workflow files says so.
"""

from __future__ import annotations

import json
import subprocess
import typing
from collections.abc import Iterator, Mapping
from functools import cache as once
from importlib import import_module
from typing import Any

from toolchain import cache

FILE = cache.HERE / "lacking.json"
Json = dict[str, Any]


@once
def inputs(resource: str) -> frozenset[str]:
    """What the built provider lacks of a resource, e.g. of `Job`: paths of the package's own names, `tasks.alert_task`."""
    found: Json = json.loads(FILE.read_text())
    return frozenset(found.get(resource, ()))


def compared() -> Json:
    """`lacking.json` anew, from the installed packages and the built plugins."""
    from infra.sdk.generate import RESOURCES  # what the program declares

    return {
        resource: lacking
        for provider, resources in RESOURCES.items()
        for told in (_told(provider),)
        for resource in resources
        if (lacking := sorted(_missing(_arguments(provider, resource), told[_token(provider, resource)])))
    }


def _told(provider: str) -> Json:
    """What the built plugin says that each resource takes; see toolchain/providers/bridge/inputs.go."""
    plugin = cache.built_bin() / f"pulumi-resource-{provider}"
    answer = subprocess.run([str(plugin), "-inputs"], capture_output=True, text=True, check=True, timeout=60)
    found: Json = json.loads(answer.stdout)
    return found


def _token(provider: str, resource: str) -> str:
    return f"{provider}:index/{resource[0].lower()}{resource[1:]}:{resource}"


def _arguments(provider: str, resource: str) -> type:
    found: type = getattr(import_module(f"pulumi_{provider}"), f"{resource}Args")
    return found


def _missing(arguments: type, known: Mapping[str, Any], above: str = "") -> Iterator[str]:
    from pulumi._types import input_type_py_to_pulumi_names, input_type_types  # no public reader of a type's fields exists

    kinds = input_type_types(arguments)
    for name, wire in input_type_py_to_pulumi_names(arguments).items():
        if wire not in kinds:
            continue
        if wire not in known:
            yield above + name
        elif (block := _block(kinds[wire])) is not None:
            yield from _missing(block, known[wire] or {}, f"{above}{name}.")


def _block(kind: Any) -> type | None:
    """The input type within `Optional[Input[Sequence[X]]]` and the like."""
    from pulumi._types import is_input_type

    if isinstance(kind, type) and is_input_type(kind):
        return kind
    return next((found for part in typing.get_args(kind) if (found := _block(part)) is not None), None)


if __name__ == "__main__":
    FILE.write_text(json.dumps(compared(), indent=1) + "\n")
