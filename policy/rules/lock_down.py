"""In quant_live nobody is above the lock-down levels: neither on folders nor on jobs. Pure.

The deployer is an administrator of the workspace, so the folder needs no entry of it; of the jobs it is the owner.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rules.environments import LIVE
from rules.values import UNKNOWN, Props, kind, listed, shown

_FOLDERS = ("directory", "notebook", "repo", "workspaceFile")  # each by id or by path
_NOT_A_TARGET = ("accessControls", "authorization", "objectType", "providerConfig")
_LEVELS = {  # what is governed -> what persons may have, what service principals may have
    "folder": (("CAN_READ",), ("CAN_READ", "CAN_RUN")),
    "job": (("CAN_VIEW",), ("CAN_VIEW", "CAN_MANAGE_RUN", "IS_OWNER")),
}


def check(resource_type: str, props: Props, stack: str) -> list[str]:
    """What would open quant_live to somebody."""
    if stack != LIVE:
        return []
    rule = {"databricks:Permissions": _permissions, "databricks:Job": _job}.get(kind(resource_type))
    return list(rule(props)) if rule else []


def _permissions(props: Props) -> Iterator[str]:
    targets = [key for key, value in props.items() if key not in _NOT_A_TARGET and value is not None]
    for target in targets:
        governed = "job" if target == "jobId" else "folder" if re.sub("(Id|Path)$", "", target) in _FOLDERS else None
        if governed is None:
            yield (
                f"Permissions of {target}: found an object that {LIVE} has no lock-down level for; allowed are folders and"
                " jobs. Leave it out, or give it a level in policy/rules/lock_down.py."
            )
            continue
        persons, principals = _LEVELS[governed]
        for entry in listed(props.get("accessControls")):
            person = entry.get("groupName") or entry.get("userName")
            level, allowed = entry.get("permissionLevel"), persons if person else principals
            if level is not UNKNOWN and level not in allowed:
                who = shown(person or entry.get("servicePrincipalName"))
                yield (
                    f"Permissions of a {governed}: found {who} with {shown(level)}; in {LIVE} a"
                    f" {'user or group' if person else 'service principal'} has at most {' or '.join(allowed)}."
                    " Lower the level; what must change goes through the branch."
                )


def _job(props: Props) -> Iterator[str]:
    mode = props.get("editMode")
    if mode not in ("UI_LOCKED", UNKNOWN):
        yield f"Job editMode: found {shown(mode)}, expected 'UI_LOCKED': nobody edits a job of {LIVE} by hand. Set it."
