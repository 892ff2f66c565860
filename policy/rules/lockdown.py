"""The lock-down of quant_live, and of secrets everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rules.inputs import Inputs

_PERMISSIONS = "databricks:index/permissions:Permissions"
_FOLDER_KEYS = ("repoId", "repoPath", "directoryId", "directoryPath")
_APPLICATION_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)


def folder(kind: str, inputs: Inputs, stack: str) -> Iterator[str]:
    """Folder and directories: people read, the service principal runs."""
    if stack == "quant_live" and kind == _PERMISSIONS and any(key in inputs for key in _FOLDER_KEYS):
        yield from _above(inputs, people=("CAN_READ",), principals=("CAN_READ", "CAN_RUN"))


def jobs(kind: str, inputs: Inputs, stack: str) -> Iterator[str]:
    """Jobs: people look, service principals run and own; nobody edits in the user interface."""
    if stack != "quant_live":
        return
    if kind == _PERMISSIONS and "jobId" in inputs:
        yield from _above(inputs, people=("CAN_VIEW",), principals=("CAN_VIEW", "CAN_MANAGE_RUN", "IS_OWNER"))
    if kind == "databricks:index/job:Job" and inputs.get("editMode") != "UI_LOCKED":
        yield f"{inputs.get('name')}: edit_mode is {inputs.get('editMode')!r}; in quant_live it is 'UI_LOCKED'."


def secret_acl(kind: str, inputs: Inputs, stack: str) -> Iterator[str]:
    """No group and no person reads the key of a service user, and nobody manages it but its maker."""
    if kind != "databricks:index/secretAcl:SecretAcl":
        return
    principal, permission = str(inputs.get("principal")), inputs.get("permission")
    if permission != "READ" or not _APPLICATION_ID.fullmatch(principal):
        yield f"found {permission} for {principal!r}; READ for one service principal (an application id) is allowed."


def _above(inputs: Inputs, people: tuple[str, ...], principals: tuple[str, ...]) -> Iterator[str]:
    for entry in inputs.get("accessControls") or []:
        who, allowed = _who(entry or {}, people, principals)
        level = (entry or {}).get("permissionLevel")
        if level is not None and level not in allowed:
            yield f"{who} has {level}; in quant_live at most {allowed[-1]} is allowed."


def _who(entry: dict[str, Any], people: tuple[str, ...], principals: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    if principal := entry.get("servicePrincipalName"):
        return f"service principal {principal}", principals
    return str(entry.get("groupName") or entry.get("userName")), people
