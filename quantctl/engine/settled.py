"""Whether the providers' Diff may be left out where a resource's inputs are as they were. Pure.

The engine can take equal inputs for "unchanged" without asking the provider (PULUMI_ENABLE_LEGACY_DIFF). The provider says
more only where it sees more than inputs: outputs that differ from them (a refresh recorded drift, an update failed half
way), parameters that it reads in the account, the workspace that it talks to. Each of those is looked for here, and one
that is found or not known is a reason to leave nothing out: docs/decisions/0013-diffs-left-out.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]
Parameters = Mapping[str, Mapping[str, tuple[str, str]]]  # URN -> KEY -> (value, the level that it is set at)

_SECRET = "4dabf18193072939515e22adb298388d"  # how the engine marks a secret in a state
_LEVELS = {
    "snowflake:index/schema:Schema": "SCHEMA",
    "snowflake:index/serviceUser:ServiceUser": "USER",
    "snowflake:index/warehouse:Warehouse": "WAREHOUSE",
}
# What a provider answers beside what was declared, whatever was declared ("Computed" in its schema, and not "Optional", or
# always answered). Anything else that is answered and was not declared is a difference.
_ANSWERED = {
    "databricks:index/directory:Directory": ("objectId", "workspacePath"),
    "databricks:index/gitCredential:GitCredential": (),
    "databricks:index/group:Group": ("aclPrincipalId", "url"),
    "databricks:index/job:Job": ("url",),
    "databricks:index/permissions:Permissions": ("objectType",),
    "databricks:index/repo:Repo": ("workspacePath",),
    "databricks:index/secretAcl:SecretAcl": (),
    "databricks:index/secretScope:SecretScope": ("backendType",),
    "snowflake:index/accountRole:AccountRole": ("fullyQualifiedName", "showOutputs"),
    "snowflake:index/databaseRole:DatabaseRole": ("fullyQualifiedName", "showOutputs"),
    "snowflake:index/grantAccountRole:GrantAccountRole": (),
    "snowflake:index/grantDatabaseRole:GrantDatabaseRole": (),
    "snowflake:index/grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole": (),
    "snowflake:index/grantPrivilegesToDatabaseRole:GrantPrivilegesToDatabaseRole": (),
    "snowflake:index/networkPolicy:NetworkPolicy": ("describeOutputs", "fullyQualifiedName", "showOutputs"),
    "snowflake:index/resourceMonitor:ResourceMonitor": ("fullyQualifiedName", "showOutputs"),
    "snowflake:index/schema:Schema": ("describeOutputs", "fullyQualifiedName", "parameters", "showOutputs"),
    "snowflake:index/serviceUser:ServiceUser": ("fullyQualifiedName", "parameters", "showOutputs"),
    "snowflake:index/warehouse:Warehouse": ("fullyQualifiedName", "parameters", "showOutputs"),
}
# Values that the product has where nothing was declared; the provider takes them for that (DiffSuppressFunc).
_DEFAULTS = {
    ("databricks:index/job:Job", "format"): "MULTI_TASK",
    ("snowflake:index/serviceUser:ServiceUser", "userType"): "SERVICE",
    ("snowflake:index/serviceUser:ServiceUser", "minsToUnlock"): -1,
    ("snowflake:index/serviceUser:ServiceUser", "minsToBypassMfa"): -1,
}
# The same within a job: the product fills it in, and the provider takes it for nothing (resource_job.go, SetSuppressDiff).
_FILLED_IN = {
    "tasks.runIf": "ALL_SUCCESS",
    "tasks.forEachTask.task.runIf": "ALL_SUCCESS",
    "tasks.dbtTask.source": "WORKSPACE",
    "tasks.notebookTask.source": "WORKSPACE",
    "tasks.sparkPythonTask.source": "WORKSPACE",
    "tasks.sqlTask.file.source": "WORKSPACE",
}
_SETS = ("accessControls", "allowedIpLists", "notifyTriggers", "privileges")  # their order has no meaning
_NEVER_READ = ("stringValue", "personalAccessToken")  # neither product ever answers a secret's value


def with_parameters(resources: Sequence[Json]) -> dict[str, tuple[str, str]]:
    """URN -> level and name of the objects whose parameters the provider reads in the account."""
    return {
        one["urn"]: (_LEVELS[one["type"]], str(one.get("id", "")))
        for one in resources
        if one.get("custom") and one["type"] in _LEVELS
    }


def unsettled(resources: Sequence[Json], parameters: Parameters, workspace: str) -> dict[str, str]:
    """URN -> why the provider has to be asked about it; `resources` of an exported state, secrets in plain text."""
    found = {}
    for one in resources:
        if one.get("custom") and not one["type"].startswith("pulumi:providers:"):
            reason = _reason(one, parameters.get(one["urn"]), workspace)
            if reason is not None:
                found[one["urn"]] = reason
    return found


def _reason(one: Json, parameters: Mapping[str, tuple[str, str]] | None, workspace: str) -> str | None:
    kind, inputs, outputs = one["type"], one.get("inputs") or {}, one.get("outputs") or {}
    if kind not in _ANSWERED:
        return "a type that is not known here"
    for mark in ("initErrors", "pendingReplacement", "delete", "external", "taint"):
        if one.get(mark):
            return f"the state marks it: {mark}"
    if kind in _LEVELS and parameters is None:
        return "its parameters in the account are not known"
    if kind.startswith("databricks:"):
        home = (outputs.get("providerConfig") or {}).get("workspaceId")
        if home is not None and home != workspace:
            return "it lies in another workspace"
    for name, value in inputs.items():
        if name == "__defaults" or (name in _NEVER_READ and _is_secret(value) and _is_secret(outputs.get(name))):
            continue
        if not _agrees(value, outputs.get(name), name):
            return f"{name}: the state holds something else than what was declared"
    read = {_camel(key): value for key, value in (parameters or {}).items()}
    for name, value in outputs.items():
        if name in inputs or name in ("id", "providerConfig") or name in _ANSWERED[kind] or name.startswith("__"):
            continue
        if name not in read and not _is_default(kind, name, value, inputs):
            return f"{name}: the state holds something that was not declared"
    for key, (value, level) in (parameters or {}).items():
        name, own = _camel(key), level == _LEVELS[kind]
        if name not in outputs:
            continue  # none that the provider manages
        if own != (name in inputs) or _written(outputs[name]) != value:
            return f"{name}: the account has something else than the state"
    return None


def _agrees(given: Any, held: Any, path: str) -> bool:
    """Whether what is held is what was given, and nothing beside it that says something."""
    if _is_secret(given) or _is_secret(held):
        return _plain(given) == _plain(held) and _plain(given) is not None
    if isinstance(given, Mapping):
        if not isinstance(held, Mapping):
            return False
        names = [key for key in given if key != "__defaults"]
        rest = [(f"{path}.{key}", value) for key, value in held.items() if key not in given]
        return all(_agrees(given[key], held.get(key), f"{path}.{key}") for key in names) and all(
            _is_empty(value) or _FILLED_IN.get(inner) == value for inner, value in rest
        )
    if isinstance(given, list):
        if not isinstance(held, list) or len(given) != len(held):
            return False
        if path in _SETS:
            given, held = sorted(given, key=_said), sorted(held, key=_said)
        return all(_agrees(one, other, path) for one, other in zip(given, held, strict=True))
    return type(given) is type(held) and bool(given == held)


def _said(value: Any) -> str:
    """An object without what is empty, to sort by."""
    if isinstance(value, Mapping):
        value = {key: inner for key, inner in value.items() if key != "__defaults" and not _is_empty(inner)}
    return json.dumps(value, sort_keys=True)


def _is_empty(value: Any) -> bool:
    if _is_secret(value):
        return "plaintext" in value and _plain(value) in (None, "")
    if isinstance(value, Mapping):
        return all(_is_empty(inner) for key, inner in value.items() if key != "__defaults")
    return value in (None, "", 0, False) or value == []


def _is_default(kind: str, name: str, value: Any, inputs: Json) -> bool:
    if (kind, name) in _DEFAULTS:
        return bool(_DEFAULTS[kind, name] == value)
    # The account logs a user in by its name where no other login was declared.
    return _is_empty(value) or (name in ("loginName", "displayName") and _plain(value) == inputs.get("name"))


def _is_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and _SECRET in value


def _plain(value: Any) -> Any:
    """A secret's value, None where it is encrypted; any other value itself."""
    if not _is_secret(value):
        return value
    return json.loads(value["plaintext"]) if "plaintext" in value else None


def _written(value: Any) -> str:
    """A value as SHOW PARAMETERS writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _camel(key: str) -> str:
    """LOG_LEVEL -> logLevel."""
    head, *rest = key.lower().split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)
