"""Which fields of a resource change, found by name rather than by position: a task by its key. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from quantctl.preview.events import Json, Step
from quantctl.preview.redact import HIDDEN

# What tells the items of a list apart, in the order of preference.
_KEYS = ("taskKey", "environmentKey", "jobClusterKey", "name", "key", "metric", "groupName", "servicePrincipalName")
_MISSING = object()


@dataclass(frozen=True)
class Field:
    """One changed field; `old` or `new` is None where there is none."""

    name: str
    old: str | None
    new: str | None


def changed(step: Step) -> tuple[Field, ...]:
    """What an update changes. Where only the real thing differs from what is declared, its real value is the old one."""
    found = list(_compare("", step.old, step.new))
    told = {re.split(r"[.\[]", field.name, maxsplit=1)[0] for field in found}
    for path in step.differs:
        top = re.split(r"[.\[]", path, maxsplit=1)[0]
        name = spelled(top)
        if name in told or (top not in step.new and top not in step.old):
            continue  # told already; or computed by the provider, and no input
        told.add(name)
        if HIDDEN in (step.old.get(top), step.new.get(top)):
            found.append(Field(name, HIDDEN, HIDDEN))
        elif top in step.real:
            found += _compare(name, step.real[top], step.new.get(top, _MISSING))
    return tuple(found)


def spelled(name: str) -> str:
    """A property as the Jobs API spells it: `timeoutSeconds` -> `timeout_seconds`, `dependsOns` -> `depends_on`."""
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: f"_{match.group(1).lower()}", name)
    singular = re.fullmatch(r"(depends_on|on_\w+?)(s|es)", snake)
    return singular.group(1) if singular and snake != "on_success" else snake


def text(value: Any) -> str:
    """A value as it is shown: plain text as it is, all else as JSON on one line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _compare(path: str, old: Any, new: Any) -> Iterator[Field]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _compare(_below(path, key), old.get(key, _MISSING), new.get(key, _MISSING))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(path, old, new)
    else:
        yield Field(path, *(None if value is _MISSING or value is None else text(value) for value in (old, new)))


def _compare_lists(path: str, old: list[Any], new: list[Any]) -> Iterator[Field]:
    if (before := _keyed(old)) is not None and (after := _keyed(new)) is not None:
        for key in sorted({*before, *after}):
            yield from _compare(f"{path}[{key}]", before.get(key, _MISSING), after.get(key, _MISSING))
        return
    gone = [item for item in old if item not in new]
    come = [item for item in new if item not in old]
    if gone or come:
        yield Field(f"{path}[]", *(", ".join(map(text, items)) or None for items in (gone, come)))
    else:
        yield Field(path, text(old), text(new))


def _keyed(items: list[Any]) -> dict[str, Json] | None:
    """The items by what tells them apart; None when nothing does."""
    for key in _KEYS:
        names = [item.get(key) if isinstance(item, dict) else None for item in items]
        if all(isinstance(name, str) for name in names) and len(set(names)) == len(names) and items:
            return dict(zip(map(str, names), items, strict=True))
    return None if items else {}


def _below(path: str, key: str) -> str:
    return f"{path}.{spelled(key)}" if path else spelled(key)
