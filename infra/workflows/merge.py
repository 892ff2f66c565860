"""How one definition is laid over another: a workflow file's way, and a bundle's. Pure."""

from __future__ import annotations

from typing import Any

from infra.workflows.document import Map, Seq, copied

# Lists of a job whose entries have a name: entries of the same name are merged, others are added.
NAMED = {"tasks": "task_key", "parameters": "name", "job_clusters": "job_cluster_key", "environments": "environment_key"}


def override(base: Map, over: Map, named: dict[str, str] = NAMED) -> Map:
    """`per_environment`: objects are merged, the job's lists of named things by their names, the rest is replaced.

    An empty list or text clears, null takes a key away.
    """
    merged: Map = copied(base)
    for key, value in over.items():
        there, mark = merged.get(key), over.marks[key]
        if isinstance(value, Map) and isinstance(there, Map):
            merged.put(key, override(there, value, {}), merged.marks[key])
        elif key in named and isinstance(value, Seq) and value and isinstance(there, Seq):
            merged.put(key, _by_name(there, value, named[key]), merged.marks[key])
        else:
            merged.put(key, copied(value), mark)
    return merged


def _by_name(base: Seq, over: Seq, name: str) -> Seq:
    merged = Seq(base.mark, base, base.marks)
    for item, mark in zip(over, over.marks, strict=True):
        index = next((i for i, old in enumerate(merged) if _same(old, item, name)), None)
        if index is None:
            merged.append(copied(item))
            merged.marks.append(mark)
        else:
            merged[index] = override(merged[index], item, {})
    return merged


def _same(old: object, new: object, name: str) -> bool:
    return isinstance(old, Map) and isinstance(new, Map) and name in new and old.get(name) == new[name]


def laid_over(base: Any, over: Any) -> Any:
    """A bundle's way: objects are merged, lists concatenated, the rest replaced; null changes nothing.

    https://docs.databricks.com/dev-tools/bundles/settings (targets); databricks/cli, libs/dyn/merge
    """
    if isinstance(base, Map) and isinstance(over, Map):
        merged: Map = copied(base)
        for key, value in over.items():
            both = isinstance(value, (Map, Seq)) and isinstance(merged.get(key), type(value))
            keeps = both or (value is None and key in merged)
            merged.put(key, laid_over(merged.get(key), value), merged.marks[key] if keeps else over.marks[key])
        return merged
    if isinstance(base, Seq) and isinstance(over, Seq):
        return Seq(base.mark, [*base, *copied(over)], [*base.marks, *over.marks])
    return base if over is None else copied(over)


def entries_joined(job: Map) -> Map:
    """The bundle tool's second step: entries of one name within tasks, clusters, parameters, environments become one."""
    joined: Map = copied(job)
    for key, name in NAMED.items():
        if not isinstance(joined.get(key), Seq):
            continue
        made = Seq(joined[key].mark)
        for item, mark in zip(joined[key], joined[key].marks, strict=True):
            index = next((i for i, old in enumerate(made) if _same(old, item, name)), None)
            if index is None:
                made.append(item)
                made.marks.append(mark)
            else:
                made[index] = laid_over(made[index], item)
        joined[key] = made
    return joined


def without_nulls(value: Any) -> Any:
    """A key that is null is a key that is not there; so an environment takes a key away by writing null."""
    if isinstance(value, Map):
        made = Map(value.mark)
        for key, item in value.items():
            if item is not None:
                made.put(key, without_nulls(item), value.marks.get(key, value.mark))
        return made
    return Seq(value.mark, map(without_nulls, value), value.marks) if isinstance(value, Seq) else value
