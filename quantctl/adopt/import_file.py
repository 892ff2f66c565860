"""The file for `pulumi import`: the program's own names, parents and components, with the ids of real objects. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from quantctl.adopt.identity import Declared

Json = dict[str, Any]
_VERSION = re.compile(r"::default_(\d+)_(\d+)_(\d+)::")
_STACK = "pulumi:pulumi:Stack"


def declared(text: str) -> list[Declared]:
    """What `pulumi preview --json` says that a stack with an empty state would create, parents first."""
    found = []
    for step in json.loads(text).get("steps") or []:
        new = step.get("newState") or {}
        kind = str(new.get("type"))
        if step.get("op") == "create" and kind != _STACK and not kind.startswith("pulumi:providers:"):
            parent, provider = str(new.get("parent") or ""), str(new.get("provider") or "")
            inputs = new.get("inputs") or {}
            found.append(Declared(step["urn"], kind, bool(new.get("custom")), inputs, parent, provider))
    return found


def import_file(resources: Iterable[Declared], identity: Callable[[Declared], str | None]) -> Json:
    """What `pulumi import --file` reads: every component, and each resource that is there."""
    chosen = [(one, identity(one) if one.custom else None) for one in resources]
    by_urn = {one.urn: one for one, _ in chosen}
    made = [_entry(one, number, by_urn) for one, number in chosen if number is not None or not one.custom]
    return {"resources": made}


def _entry(one: Declared, number: str | None, known: dict[str, Declared]) -> Json:
    entry: Json = {"type": one.type, "name": _label(one), "logicalName": one.name}
    if one.parent in known:
        entry["parent"] = _label(known[one.parent])
    if number is None:
        return {**entry, "component": True}
    version = _VERSION.search(one.provider)
    return {**entry, "id": number, **({"version": ".".join(version.groups())} if version else {})}


def _label(one: Declared) -> str:
    """A name within the file: unlike the logical one it names a single resource, or a component of the same kind."""
    return f"{one.kind if one.custom else one.type} {one.name}"
