"""How a change of one environment is laid over a job. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

# Lists whose entries have a name: entries of the same name are merged, others are added.
_NAMED = {"tasks": "task_key", "parameters": "name", "job_clusters": "job_cluster_key", "environments": "environment_key"}


def merge(base: Any, over: Mapping[str, Any]) -> Any:
    """Objects are merged, lists of named things by their names (see _NAMED), the rest is replaced."""
    merged = copy.deepcopy(base)
    for key, value in over.items():
        there = merged.get(key)
        if isinstance(value, Mapping) and isinstance(there, dict):
            merged[key] = merge(there, value)
        elif key in _NAMED and isinstance(value, list) and isinstance(there, list):
            merged[key] = _merge_named(there, value, _NAMED[key])
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _merge_named(base: list[Any], over: list[Any], name: str) -> list[Any]:
    merged = list(base)
    for item in over:
        index = next((i for i, old in enumerate(merged) if _same(old, item, name)), None)
        if index is None:
            merged.append(copy.deepcopy(item))
        else:
            merged[index] = merge(merged[index], item)
    return merged


def _same(old: object, new: object, name: str) -> bool:
    return isinstance(old, dict) and isinstance(new, dict) and old.get(name) == new.get(name)


def without_nulls(value: Any) -> Any:
    """A key that is null is a key that is not there; so an environment takes a key away by writing null."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value
