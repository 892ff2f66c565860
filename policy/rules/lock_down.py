"""Nobody is above the level that the access matrix gives, and jobs are changed by their branch alone. Pure.

Persons have what the group of their persona has; of the principals only the environment's own and the deployer are named.
In quant_live that leaves reading to persons, and managing jobs to the deployer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rules.environments import FOLDER_LEVELS, JOB_LEVELS, Environment, named
from rules.table import Table, anything, judge, one_of
from rules.values import UNKNOWN, Props, kind, shown, whole

_TARGETS = ("directoryPath", "jobId", "repoId", "repoPath")
TABLE: Table = {
    "databricks:Job": {"editMode": one_of("UI_LOCKED")},
    "databricks:Permissions": {"accessControls": anything, "objectType": anything, **dict.fromkeys(_TARGETS, anything)},
}


def check(resource_type: str, props: Props, stack: str) -> list[str]:
    """What would open the environment to somebody."""
    if kind(resource_type) != "databricks:Permissions":
        return list(judge(TABLE, resource_type, props, stack))
    environment = named(stack)
    return [] if environment is None else list(_permissions(props, environment))


def _permissions(props: Props, environment: Environment) -> Iterator[str]:
    targets = [key for key in _TARGETS if props.get(key) is not None]
    if len(targets) != 1:
        yield (
            f"Permissions: found {', '.join(targets) or 'nothing known'} as what is governed, expected one of"
            f" {', '.join(_TARGETS)}: {environment.name} governs its folder and its jobs. Leave the others out."
        )
        return
    [target] = targets
    yield from _target(target, props[target], environment)
    entries = props.get("accessControls")
    if entries is UNKNOWN:
        return
    if not isinstance(entries, list):
        yield f"Permissions accessControls: found {shown(entries)}, expected a list of entries."
        return
    for entry in entries:
        if entry is not UNKNOWN:
            yield from _entry(target, entry, environment)


def _target(target: str, value: Any, environment: Environment) -> Iterator[str]:
    if value is UNKNOWN:
        return
    if target == "directoryPath" and value not in environment.above:
        expected = f"a directory above {environment.folder}" if environment.above else f"none: {environment.folder} has none"
        yield f"Permissions directoryPath: found {shown(value)}, expected {expected}. Declare it in the stack it belongs to."
    elif target == "repoPath" and value != environment.folder:
        yield f"Permissions repoPath: found {shown(value)}, expected {environment.folder!r}, that of {environment.name}."
    elif target in ("jobId", "repoId") and not (isinstance(whole(value), str | int) and str(whole(value)).isdigit()):
        yield f"Permissions {target}: found {shown(value)}, expected the id of what the stack declares."


def _entry(target: str, entry: Any, environment: Environment) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield f"Permissions accessControls: found {shown(entry)}, expected a group or a service principal with its level."
        return
    level = entry.get("permissionLevel")
    who = {key: value for key, value in entry.items() if key != "permissionLevel" and value is not None}
    if UNKNOWN in who.values() or level is UNKNOWN:
        return
    order = JOB_LEVELS if target == "jobId" else FOLDER_LEVELS
    most = _most(target, who, environment)
    # An owner is exactly an owner: who deploys is never less (rules/owners.py counts them).
    fits = level == most if most == "IS_OWNER" else most is not None and level in order[: order.index(most) + 1]
    if not fits:
        named_ = ", ".join(map(shown, who.values())) or "nobody"
        yield (
            f"Permissions {target}: found {named_} with {shown(level)}; in {environment.name} it has"
            f" {'at most ' + most if most else 'nothing'} (docs/access.md). Lower the level; what must change goes"
            " through the branch."
        )


def _most(target: str, who: dict[str, Any], environment: Environment) -> str | None:
    """The most that somebody may have on a target; None when it is nothing."""
    if set(who) == {"groupName"}:
        level = environment.levels.get(who["groupName"]) if isinstance(who["groupName"], str) else None
        return None if level is None else level.job if target == "jobId" else level.folder
    if set(who) == {"servicePrincipalName"} and isinstance(who["servicePrincipalName"], str):
        application = who["servicePrincipalName"].lower()
        if application == environment.principal:
            return {"jobId": "CAN_MANAGE_RUN", "directoryPath": "CAN_READ"}.get(target, "CAN_RUN")
        if application == environment.deployer:
            return "IS_OWNER" if target == "jobId" else "CAN_MANAGE"
    return None
