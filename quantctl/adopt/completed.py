"""What an import leaves out of the state though it is there, so that the next update changes nothing for it. Pure.

`pulumi import` keeps what the provider reads. The Snowflake provider never reads a user's mins_to_unlock and takes -1 for
"not said" (pkg/resources/user.go); the Databricks provider leaves out the entry of whoever is logged in, when it knows of
none (permissions/permission_definitions.go, prepareResponse), and knows a directory by its id alone.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]
_DIRECTORY = "databricks:index/directory:Directory"
_USER, _PERMISSIONS = "snowflake:index/serviceUser:ServiceUser", "databricks:index/permissions:Permissions"

# How the bridge's own form of an output differs from the provider's; without it the bridge works it out itself.
_DELTA = "__pulumi_raw_state_delta"
# What the program ignores: it stays as the import found it (infra/snowflake/service_user.py).
_IGNORED = {_USER: frozenset({"defaultSecondaryRolesOption", "displayName", "loginName", "minsToUnlock"})}
_NOBODY = {"groupName": "", "servicePrincipalName": "", "userName": ""}


def completed(exported: Json, me: str, acls: Mapping[str, Sequence[Json]], declared: Mapping[str, frozenset[str]]) -> Json:
    """A stack's export with what is missing; `acls` are the entries of the permissions API by id, `me` is logged in.

    `declared` are the names of what the program says of each resource, by URN: an import takes everything that a provider
    reads for said, and a preview would call all of it taken away.
    """
    made = copy.deepcopy(exported)
    resources = (made.get("deployment") or {}).get("resources") or []
    listed = [one.get("outputs") or {} for one in resources if one.get("type") == _DIRECTORY]
    paths = {str(one.get("objectId")): str(one.get("path")) for one in listed}
    for one in resources:
        if not one.get("custom"):
            one["protect"] = False  # `--protect` says it of components too, the program of none
        if one.get("inputs") and (said := declared.get(str(one.get("urn")))) is not None:
            kept = said | _IGNORED.get(str(one.get("type")), frozenset())
            one["inputs"] = {key: value for key, value in one["inputs"].items() if key in kept or key.startswith("__")}
        if one.get("type") == _USER and (one.get("outputs") or {}).get("minsToUnlock") is None:
            one["outputs"]["minsToUnlock"] = -1
            one["outputs"].pop(_DELTA, None)
        if one.get("type") == _PERMISSIONS:
            _by_path(one, paths)
            _with_own_entry(one, me, acls.get(str(one.get("id")), ()))
    return made


def _by_path(one: Json, paths: Mapping[str, str]) -> None:
    """A directory's permissions are declared by its path, and imported by its id; the other would be a replacement."""
    kind, _, number = str(one.get("id")).lstrip("/").partition("/")
    if kind == "directories" and number in paths:
        one["inputs"].pop("directoryId", None)
        one["inputs"]["directoryPath"] = paths[number]
        one["outputs"] |= {"directoryId": None, "directoryPath": paths[number]}
        one["outputs"].pop(_DELTA, None)


def _with_own_entry(one: Json, me: str, entries: Sequence[Json]) -> None:
    """The entry of whoever is logged in, as the permissions API has it."""
    listed = (one.get("outputs") or {}).get("accessControls") or []
    if any(me.lower() in (entry.get("servicePrincipalName"), entry.get("userName")) for entry in listed):
        return
    for entry in entries:
        for wire, key in (("service_principal_name", "servicePrincipalName"), ("user_name", "userName")):
            levels = [level for level in entry.get("all_permissions") or [] if not level.get("inherited")]
            if str(entry.get(wire) or "").lower() == me.lower() and levels:
                mine = [{key: me.lower(), "permissionLevel": str(level.get("permission_level"))} for level in levels]
                one["inputs"]["accessControls"] += [{"__defaults": [], **each} for each in mine]
                one["outputs"]["accessControls"] += [{**_NOBODY, **each} for each in mine]
                one["outputs"].pop(_DELTA, None)
