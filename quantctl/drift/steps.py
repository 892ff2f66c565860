"""What the engine tells of a refresh: for each resource what was declared, what the state says, and what was read. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quantctl.engine.history import LastUpdate
from quantctl.engine.state import missing, stack_outputs

# What the Snowflake provider keeps of SHOW and DESCRIBE beside the properties that it compares; a login changes it.
_BESIDE = ("showOutputs", "describeOutputs", "parameters", "__")
_PART = re.compile(r"\[(\d+)\]|\[\"([^\"]+)\"\]|([^.\[\]]+)")
_PROVIDERS = "pulumi:providers"

Json = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One resource: what was declared last (`inputs`), what the state took it to have become (`old`), and what was read.

    `new` is None when it is gone. After a failed update `old` holds what was wanted, and `failed` the provider's reasons:
    only `inputs` is what was really deployed. `changed` are the paths that the engine names as different; `unsaid` is a
    difference of which it names none, as of every dynamic resource.
    """

    urn: str
    inputs: Mapping[str, Any]
    old: Mapping[str, Any]
    new: Mapping[str, Any] | None
    changed: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    unsaid: bool = False
    id: str = ""

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
class Checkpoint:
    """A stack's state: its resources, the commit that its last whole update deployed, and what was begun and not ended.

    `missing` is how many of the resources that were declared last it does not hold.
    """

    steps: tuple[Step, ...] = ()
    commit: str = ""
    begun: tuple[str, ...] = ()
    missing: int = 0


@dataclass(frozen=True)
class Refresh:
    """All steps of a stack, and what the engine complained of; `commit`, `begun` and `missing` are those of the state."""

    steps: tuple[Step, ...] = ()
    errors: tuple[str, ...] = field(default=())
    commit: str = ""
    begun: tuple[str, ...] = ()
    last: LastUpdate | None = None
    missing: int = 0

    def of(self, *types: str) -> list[Step]:
        """The steps of some types."""
        return [step for step in self.steps if step.type in types]


def checkpoint(exported: Json) -> Checkpoint:
    """What `pulumi stack export` printed; in its steps nothing has changed. Secrets stay encrypted."""
    deployment = exported.get("deployment") or {}
    listed = [each for each in deployment.get("resources") or [] if not each.get("delete")]
    begun = tuple(
        f"{one['type']} {one['resource']['type'].rsplit(':', 1)[-1]} {one['resource']['urn'].rsplit('::', 1)[-1]}"
        for one in deployment.get("pending_operations") or []
    )
    steps = tuple(_kept(each) for each in listed if _ours(each))
    return Checkpoint(steps, str(stack_outputs(listed).get("commit") or ""), begun, missing(listed))


def read_refresh(text: str, held: Checkpoint) -> Refresh:
    """The engine's stream of events (`--json` with PULUMI_ENABLE_STREAMING_JSON_PREVIEW), for the resources of a state.

    Without the stream `--json` gives what was read only where it differs, and nothing at all where a provider says that
    something differs and not in what.

    Raises:
        ValueError: it has no end, so that it is not known whether all of it was told.
    """
    dependencies = {step.urn: step.dependencies for step in held.steps}
    asked: dict[str, None] = {}
    steps: dict[str, Step] = {}
    errors: list[str] = []
    ended = False
    for event in _events(text):
        if before := event.get("resourcePreEvent"):
            if _asks(before["metadata"]):
                asked[before["metadata"]["urn"]] = None
        elif after := event.get("resOutputsEvent"):
            metadata = after["metadata"]
            if metadata["urn"] in asked:
                steps[metadata["urn"]] = _step(metadata, dependencies.get(metadata["urn"], ()))
        elif (told := event.get("diagnosticEvent")) and told.get("severity") == "error":
            errors.append(" ".join(str(told.get("message", "")).split()))
        ended = ended or "summaryEvent" in event
    if not ended:
        raise ValueError("the engine did not come to an end")
    errors += [f"{urn.rsplit('::', 1)[-1]} was asked about, and nothing was read" for urn in asked if urn not in steps]
    return Refresh(tuple(steps.values()), tuple(dict.fromkeys(errors)), held.commit, held.begun, missing=held.missing)


def _events(text: str) -> Iterator[Json]:
    for line in text.splitlines():
        if line.startswith("{"):
            try:
                event = json.loads(line)
            except ValueError:
                continue  # cut off; the summary is missing then
            if isinstance(event, dict):
                yield event


def _asks(metadata: Mapping[str, Any]) -> bool:
    return metadata.get("op") == "refresh" and _ours(metadata.get("old") or {})


def _ours(resource: Mapping[str, Any]) -> bool:
    return bool(resource.get("custom")) and _PROVIDERS not in resource["urn"]


def _kept(resource: Mapping[str, Any]) -> Step:
    outputs = resource.get("outputs") or {}
    return Step(
        urn=resource["urn"],
        inputs=resource.get("inputs") or {},
        old=outputs,
        new=outputs,
        dependencies=tuple(resource.get("dependencies") or ()),
        failed=tuple(resource.get("initErrors") or ()),
        id=str(resource.get("id") or ""),
    )


def _step(metadata: Mapping[str, Any], dependencies: tuple[str, ...]) -> Step:
    old, new = metadata["old"], metadata.get("new")
    gone = not new or metadata.get("op") == "delete"
    return Step(
        urn=metadata["urn"],
        inputs=old.get("inputs") or {},
        old=old.get("outputs") or {},
        new=None if gone or not new else (new.get("outputs") or {}),
        changed=() if gone else _paths(metadata),
        dependencies=dependencies,
        failed=tuple(old.get("initErrors") or ()),
        id=str(old.get("id") or ""),
        unsaid=metadata.get("op") == "update" and not (metadata.get("detailedDiff") or metadata.get("diffs")),
    )


def _paths(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    if metadata.get("op") != "update":
        return ()
    told = metadata.get("detailedDiff") or metadata.get("diffs") or ()
    return tuple(path for path in told if not path.startswith(_BESIDE))


def singular(name: str) -> str:
    """`onSuccesses` as `onSuccess`, `dependsOns` as `dependsOn`: Pulumi puts the names of lists into the plural."""
    return name.removesuffix("es") if name.endswith("sses") else re.sub("(?<!s)s$", "", name)


def value_at(values: Any, path: str) -> Any:
    """The value at a path of the engine's, such as `tasks[0].maxRetries`; None where there is none."""
    for index, quoted, plain in _PART.findall(path):
        if index:
            values = values[int(index)] if isinstance(values, Sequence) and len(values) > int(index) else None
        else:
            values = values.get(quoted or plain) if isinstance(values, Mapping) else None
    return values
