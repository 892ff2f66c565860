"""`${var.name}` in a workflow file: an id that is not the environment's own, from quant:variables. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from infra.workflows.format import Way, Wrong
from infra.workflows.problems import one_of
from infra.workflows.scene import Scene

_VARIABLE = re.compile(r"\$\{var\.([A-Za-z_][A-Za-z0-9_]*)\}")


def fill_in(job: Any, scene: Scene) -> list[Wrong]:
    """Put the values of the settings in place of their names; those that no setting says are returned."""
    return list(_within(job, (), scene))


def _within(value: Any, way: Way, scene: Scene) -> Iterator[Wrong]:
    for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
        if isinstance(item, (dict, list)):
            yield from _within(item, (*way, key), scene)
        elif isinstance(item, str) and (named := _VARIABLE.search(item)):
            known = {name: str(one) for name, one in scene.settings.variables.items() if isinstance(one, (str, int))}
            if missing := [name for name in _VARIABLE.findall(item) if name not in known]:
                said = one_of(missing[0], sorted(known))
                yield Wrong((*way, key), f"{named[0]} has no value; say it in quant:variables of each stack; {said}")
            else:
                for name, text in known.items():
                    item = item.replace(f"${{var.{name}}}", text)
                (dict if isinstance(value, dict) else list).__setitem__(value, key, item)
