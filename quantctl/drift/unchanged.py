"""Jobs and their permissions that are surely as the state has them, so that the engine need not be asked. Pure.

The engine spends 80 ms of processor time on each job and on each of its permissions, because of the size of the providers'
schemas. The list of jobs tells the same settings: where they say nothing else than the state, nothing has changed. Whatever
is spelled in another way here is not surely unchanged, and the engine judges it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from quantctl.drift.declared import differences, same
from quantctl.drift.steps import Step, singular

# Of the provider's own making, and not in the Jobs API's settings.
_OWN = ("id", "url", "providerConfig", "alwaysRunning", "controlRunState")
# Maps whose keys are the user's: no other spelling, and an empty value is one.
_FREE = (
    "tags",
    "customTags",
    "sparkConf",
    "sparkEnvVars",
    "baseParameters",
    "namedParameters",
    "jobParameters",
    "parameters",
)
_WHO = {"userName": "user_name", "groupName": "group_name", "servicePrincipalName": "service_principal_name"}


def unchanged(
    state: Sequence[Step], jobs: Mapping[str, Mapping[str, Any]], permissions: Mapping[str, Sequence[Mapping[str, Any]]]
) -> list[Step]:
    """The steps that are as they were; `jobs` are settings by id, `permissions` access control lists by job id."""
    found = []
    for step in state:
        if not _as_declared(step):
            continue  # whatever is real
        job = str(step.old.get("jobId" if step.type == "Permissions" else "id") or "")
        if step.type == "Job" and job in jobs and same_job(step.old, jobs[job]):
            found.append(step)
        if step.type == "Permissions" and job in permissions and same_permissions(step.old, permissions[job]):
            found.append(step)
    return found


def _as_declared(step: Step) -> bool:
    """Whether the state says that the resource became what was declared."""
    if step.type == "Permissions":
        return not step.failed and same(step.inputs.get("accessControls"), step.old.get("accessControls"))
    return not step.failed and not differences(replace(step, new=step.old))


def same_job(outputs: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Whether the state's outputs of a job and the Jobs API's settings say the same."""
    kept = {key: value for key, value in outputs.items() if key not in _OWN and not key.startswith("__")}
    return bool(form(kept) == form(settings))


def same_permissions(outputs: Mapping[str, Any], listed: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the state's entries and those that the permissions API lists are the same; inherited ones are nobody's."""
    declared = [
        (key, entry[name], entry.get("permissionLevel"))
        for entry in outputs.get("accessControls") or []
        for name, key in _WHO.items()
        if entry.get(name)
    ]
    real = [
        (key, entry[key], level.get("permission_level"))
        for entry in listed
        for level in entry.get("all_permissions") or []
        for key in _WHO.values()
        if entry.get(key) and not level.get("inherited")
    ]
    return sorted(map(str, declared)) == sorted(map(str, real))


def form(value: Any, *, free: bool = False) -> Any:
    """One form for both spellings. What is empty, zero or false is left out: both providers and API take it for not said."""
    if isinstance(value, Mapping):
        formed = {key if free else _key(key): form(inner, free=_is_free(key, inner)) for key, inner in value.items()}
        return tuple(sorted((key, each) for key, each in formed.items() if free or each)) if formed else ()
    if isinstance(value, (list, tuple)):
        formed_list = [form(each) for each in value]
        # The order of objects (tasks, clusters) is the provider's own, that of plain values (arguments) has a meaning.
        return tuple(sorted(formed_list, key=str)) if value and isinstance(value[0], Mapping) else tuple(formed_list)
    return "" if value in (None, False, 0) else str(value)


def _is_free(key: str, inner: Any) -> bool:
    return isinstance(inner, Mapping) and _camel(key) in _FREE


def _key(key: str) -> str:
    """`on_success` and `onSuccesses`, `depends_on` and `dependsOns` are one."""
    return singular(_camel(key))


def _camel(key: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match.group(1).upper(), key)
