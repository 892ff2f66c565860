"""Where what was read is not what was declared last, whatever the state says that it became. Pure.

The engine compares what it read with the state's inputs through the provider, which passes over what it does not send
(zero, false, empty), what it has no value for, and an order. Here the values themselves are compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from quantctl.drift.steps import Step, value_at

# What a list of objects is told apart by, in this order.
_KEYS = ("taskKey", "jobClusterKey", "environmentKey", "name", "id", "key")
_SECRET = ("4dabf18193072939515e22adb298388d", "[secret]")  # what the engine prints, or keeps, in a secret's place
# Of the provider's own making: neither declared by anybody nor somebody's change.
_OWN = ("id", "url", "format", "jobId", "providerConfig", "alwaysRunning", "controlRunState", "runJobAs")
_MISSING = object()


def differences(step: Step) -> tuple[str, ...]:
    """Paths at which the real thing differs from what was declared: the engine's, and those that it does not tell."""
    if step.new is None:
        return ()
    found = list(step.changed)
    more = [*_declared(step), *(_undeclared(step) if step.type == "Job" else ())]
    for path in more:
        if not any(_within(path, other) or _within(other, path) for other in found):
            found.append(path)
    return tuple(found)


def unexplained(step: Step) -> bool:
    """Whether the engine says that something differs, and what was read does not say what: then it is unknown, not clean."""
    return step.unsaid and not differences(step)


def same(one: Any, other: Any) -> bool:
    """Whether two values mean the same to a provider: nothing, zero, false and empty do, and so does another order."""
    return bool(_plain(one) == _plain(other))


def is_empty(value: Any) -> bool:
    """Nothing, zero, false or empty: what a provider does not send."""
    return value in (None, "", False, 0, [], {}, "false", "0")


def _declared(step: Step) -> Iterator[str]:
    """A difference that was there when the update ended well is the provider's way to spell it, unless it is one between
    nothing and something: that was never sent."""
    for path in _paths(step.inputs, step.new, ""):
        declared, real = value_at(step.inputs, path), value_at(step.new, path)
        settled = not step.failed and same(value_at(step.old, path), real)
        if not settled or (is_empty(declared) and not is_empty(real)):
            yield path


def _paths(declared: Any, real: Any, path: str) -> Iterator[str]:
    if _is_secret(declared) or _is_secret(real):
        return
    if isinstance(declared, Mapping) and isinstance(real, Mapping):
        for key, value in declared.items():
            if not key.startswith("__"):
                yield from _paths(value, real.get(key), f"{path}.{_word(key)}" if path else _word(key))
    elif _objects(declared) and _objects(real):
        pairs = _paired(declared, real)
        if pairs is None:
            yield path
        else:
            for index, value, other in pairs:
                yield from _paths(value, other, f"{path}[{index}]")
    elif not same(declared, real):
        yield path


def _paired(declared: Sequence[Mapping[str, Any]], real: Sequence[Mapping[str, Any]]) -> list[tuple[int, Any, Any]] | None:
    """Objects of two lists, by what they are called and else by their place; None where they are not the same ones."""
    if len(declared) != len(real):
        return None
    for key in _KEYS:
        mine, theirs = [one.get(key) for one in declared], [one.get(key) for one in real]
        if all(mine) and len(set(map(str, mine))) == len(mine):
            if sorted(map(str, mine)) != sorted(map(str, theirs)):
                return None
            if mine != theirs:  # another order: a path would name another object in each list
                by_name = dict(zip(map(str, theirs), real, strict=True))
                alike = all(not list(_paths(one, by_name[str(one[key])], "x")) for one in declared)
                return [] if alike else None
            break
    return [(index, one, other) for index, (one, other) in enumerate(zip(declared, real, strict=True))]


def _undeclared(step: Step) -> Iterator[str]:
    """Settings of a job that nobody declared: there since the update, or left as an empty text in an emptied list.

    The provider passes over a block for which nothing is configured (its log: "no value configured but platform returned
    some value").
    """
    assert step.new is not None
    for path, real in _leaves(step.new, ""):
        if value_at(step.inputs, path) not in (None, [], {}) or path.partition(".")[0] in _OWN:
            continue
        if real == [""] or (not is_empty(real) and not same(value_at(step.old, path), real) and not step.failed):
            yield path


def _leaves(values: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        here = f"{path}.{_word(key)}" if path else _word(key)
        if key.startswith("__"):
            continue
        if isinstance(value, Mapping):
            yield from _leaves(value, here)
        else:
            yield here, value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        formed = {key: _plain(inner) for key, inner in value.items() if not key.startswith("__")}
        return {key: inner for key, inner in formed.items() if inner != ""} or ""
    if isinstance(value, (list, tuple)):
        return sorted((_plain(each) for each in value), key=lambda each: json.dumps(each, sort_keys=True)) or ""
    if is_empty(value):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _objects(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(each, Mapping) for each in value)


def _is_secret(value: Any) -> bool:
    return value == _SECRET[1] or (isinstance(value, Mapping) and _SECRET[0] in value)


def _within(path: str, other: str) -> bool:
    return path == other or path.startswith((f"{other}.", f"{other}["))


def _word(key: str) -> str:
    return key if key.isidentifier() else f'["{key}"]'
