"""What `pulumi refresh --preview-only --json` says: one step a resource, with the state before and what was read. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# What the Snowflake provider keeps of SHOW and DESCRIBE beside the properties that it compares; a login changes it.
_BESIDE = ("showOutputs", "describeOutputs", "parameters", "__")
_PART = re.compile(r"\[(\d+)\]|\[\"([^\"]+)\"\]|([^.\[\]]+)")


@dataclass(frozen=True)
class Step:
    """One resource: what the stack's state holds (`inputs`, `old`), and what was read (`new`; None when it is gone)."""

    urn: str
    inputs: Mapping[str, Any]
    old: Mapping[str, Any]
    new: Mapping[str, Any] | None
    changed: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """The resource's own type, such as `Job`."""
        return self.urn.split("::")[2].split("$")[-1].rsplit(":", 1)[-1]

    @property
    def within(self) -> str:
        """The types of the components that it stands in."""
        return self.urn.split("::")[2].rpartition("$")[0]

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.split("::", 3)[-1]


@dataclass(frozen=True)
class Refresh:
    """All steps of a stack, and what the engine complained of."""

    steps: tuple[Step, ...] = ()
    errors: tuple[str, ...] = field(default=())

    def of(self, *types: str) -> list[Step]:
        """The steps of some types."""
        return [step for step in self.steps if step.type in types]


def read_state(text: str) -> tuple[Step, ...]:
    """The resources of `pulumi stack export`, as steps in which nothing has changed. Secrets stay encrypted.

    Raises:
        ValueError: it is no export.
    """
    said = json.loads(text)
    if not isinstance(said, dict):
        raise ValueError("no JSON object")
    listed = (said.get("deployment") or {}).get("resources") or []
    custom = [
        each for each in listed if each.get("custom") and "pulumi:providers" not in each["urn"] and not each.get("delete")
    ]
    return tuple(_step({"urn": each["urn"], "op": "same", "oldState": each, "newState": each}) for each in custom)


def read_refresh(text: str) -> Refresh:
    """The engine's JSON.

    Raises:
        ValueError: it is none.
    """
    said = json.loads(text)
    if not isinstance(said, dict):
        raise ValueError("no JSON object")
    steps = [_step(step) for step in said.get("steps") or [] if (step.get("oldState") or {}).get("custom")]
    errors = [
        " ".join(str(each.get("message", "")).split())
        for each in said.get("diagnostics") or []
        if each.get("severity") == "error"
    ]
    return Refresh(tuple(step for step in steps if "pulumi:providers" not in step.urn), tuple(dict.fromkeys(errors)))


def _step(step: Mapping[str, Any]) -> Step:
    old, new = step["oldState"], step.get("newState")
    gone = new is None or step.get("op") == "delete"
    paths = () if gone or step.get("op") != "update" else tuple(step.get("detailedDiff") or step.get("diffReasons") or ())
    return Step(
        urn=step["urn"],
        inputs=old.get("inputs") or {},
        old=old.get("outputs") or {},
        new=None if new is None or gone else (new.get("outputs") or {}),
        changed=tuple(path for path in paths if not path.startswith(_BESIDE)),
        dependencies=tuple(old.get("dependencies") or ()),
    )


def value_at(values: Any, path: str) -> Any:
    """The value at a path of the engine's, such as `tasks[0].maxRetries`; None where there is none."""
    for index, quoted, plain in _PART.findall(path):
        if index:
            values = values[int(index)] if isinstance(values, Sequence) and len(values) > int(index) else None
        else:
            values = values.get(quoted or plain) if isinstance(values, Mapping) else None
    return values
