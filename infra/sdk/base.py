"""What the generated classes share: names as the engine spells them, the plugin's version, and which outputs are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pulumi
from google.protobuf.struct_pb2 import Struct


class Declared(pulumi.CustomResource):
    """A resource of which nothing is read but its id and the outputs in `READ`, by properties of its class."""

    READ: ClassVar[tuple[str, ...]] = ()

    def what_is_read(self, outputs: Struct) -> Struct:
        """Of what the engine answers."""
        found = Struct()
        for name in self.READ:
            if name in outputs:
                found.fields[name].CopyFrom(outputs.fields[name])
        return found


def wire(properties: Mapping[str, Any], free: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Properties as the engine spells them: `pauseStatus`. The keys of a mapping in `free` are the user's own."""
    return {camel(name): _value(name, value, free) for name, value in properties.items() if value is not None}


def camel(name: str) -> str:
    """`pause_status` as the engine spells it."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def options(version: str, given: pulumi.ResourceOptions | None, secret: Sequence[str] = ()) -> pulumi.ResourceOptions:
    """The given options, for the plugin of this version; what it answers for `secret` is kept encrypted."""
    defaults = pulumi.ResourceOptions(version=version, additional_secret_outputs=list(secret) or None)
    return pulumi.ResourceOptions.merge(defaults, given)


def secret(value: Any) -> Any:
    """Encrypted wherever it is kept."""
    return None if value is None else pulumi.Output.secret(value)


def _value(name: str, value: Any, free: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        return dict(value) if name in free else wire(value, free)
    return [_value("", item, free) for item in value] if isinstance(value, (list, tuple)) else value
