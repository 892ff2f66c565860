"""What the engine tells of a preview, read from its stream of JSON events into plain values without secrets. Pure.

The events are those of https://github.com/pulumi/pulumi, sdk/go/common/apitype/events.go. `preview --json` alone gives a
summary without policy results; with PULUMI_ENABLE_STREAMING_JSON_PREVIEW it gives the events.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from quantctl.engine.process import quiet
from quantctl.preview.redact import Redactor

# https://github.com/pulumi/pulumi, sdk/go/common/resource/plugin/rpc.go: UnknownStringValue
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
AFTERWARDS = "(known afterwards)"
_SHOWN = ("create", "update", "delete", "replace", "same", "import")  # the other steps are parts of a replacement

Json = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """What happens to one resource. `type` is short (`databricks:Job`); `old` and `new` are its inputs."""

    op: str
    urn: str
    type: str
    name: str
    old: Json
    new: Json
    real: Json = field(default_factory=dict)  # the old outputs
    differs: tuple[str, ...] = ()  # paths of the detailed diff
    retained: bool = False  # a deletion leaves the real thing alone
    id: str = ""  # the provider's; empty for what is not there yet


@dataclass(frozen=True)
class Violation:
    """A policy that does not hold. `mandatory` ones refuse the update."""

    policy: str
    resource: str
    message: str
    mandatory: bool


@dataclass(frozen=True)
class Events:
    """One preview. `policies` is how many hold; `failed` is whether the engine gave up."""

    steps: tuple[Step, ...] = ()
    violations: tuple[Violation, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    policies: int = 0
    failed: bool = True


def read(lines: Iterable[str], redactor: Redactor) -> Events:
    """The events of one preview; without the last one it failed."""
    steps: dict[str, Step] = {}
    violations: list[Violation] = []
    said: dict[str, list[str]] = {"error": [], "warning": []}
    passed: set[str] = set()
    failed = True
    for event in _parsed(lines):
        if step := event.get("resourcePreEvent"):
            metadata = step["metadata"]
            if metadata["op"] in _SHOWN:
                steps[metadata["urn"]] = _step(metadata, redactor)
        elif told := event.get("diagnosticEvent"):
            # What the program itself says of a definition is for reviewers, though it is no warning.
            own = told.get("severity") == "info" and "::pulumi:pulumi:Stack::" in str(told.get("urn"))
            severity = "warning" if own else told.get("severity")
            if severity in said and (text := quiet(told["message"].strip())):
                said[severity].append(redactor.text(text))
        elif policy := event.get("policyEvent"):
            violations.append(_violation(policy, redactor))
        elif summary := event.get("policyAnalyzeSummaryEvent") or event.get("policyAnalyzeStackSummaryEvent"):
            passed |= set(summary.get("passed") or [])
        elif end := event.get("summaryEvent"):
            failed = end.get("result") != "succeeded"
    broken = {violation.policy for violation in violations}
    return Events(
        tuple(steps.values()),
        tuple(sorted(set(violations), key=lambda violation: (violation.policy, violation.resource, violation.message))),
        tuple(text for text in dict.fromkeys(said["error"]) if text != "preview failed"),
        tuple(dict.fromkeys(said["warning"])),
        len(passed - broken),
        failed,
    )


def progress(line: str) -> str | None:
    """The resource that a line tells of, None for any other line."""
    if '"resourcePreEvent"' not in line:
        return None
    match = re.search(r'"urn":"[^"]*::([^":]+)"', line)
    return match.group(1) if match else None


def short_type(type_token: str) -> str:
    """`databricks:index/job:Job` -> `databricks:Job`."""
    package, _, rest = type_token.partition(":")
    return f"{package}:{rest.rpartition(':')[2]}"


def _parsed(lines: Iterable[str]) -> Iterator[Json]:
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue  # not of the stream
        if isinstance(event, dict):
            yield event


def _step(metadata: Json, redactor: Redactor) -> Step:
    old, new = metadata.get("old") or {}, metadata.get("new") or {}
    maps = (old.get("inputs") or {}, new.get("inputs") or {}, old.get("outputs") or {})
    before, after, real = (_plain(each) for each in redactor.maps(*maps))
    return Step(
        op=metadata["op"],
        urn=metadata["urn"],
        type=short_type(metadata["type"]),
        name=metadata["urn"].rpartition("::")[2],
        old=before,
        new=after,
        real=real,
        differs=tuple(sorted(metadata.get("detailedDiff") or metadata.get("diffs") or ())),
        retained=bool(old.get("retainOnDelete")),
        id=str(old.get("id") or ""),
    )


def _violation(event: Mapping[str, Any], redactor: Redactor) -> Violation:
    return Violation(
        policy=event["policyName"],
        resource=(event.get("resourceUrn") or "").rpartition("::")[2],
        message=redactor.text(event["message"].strip()),
        # A violation at the level `remediate` refuses too: policy/rules/engine.py.
        mandatory=event.get("enforcementLevel") in ("mandatory", "remediate"),
    )


def _plain(value: Any) -> Any:
    """Without the bridge's own keys, and with words where the engine has a sign."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return AFTERWARDS if value == _UNKNOWN else value
