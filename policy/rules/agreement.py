"""What is declared is of a type that the pack knows, and bears a name of its own environment. Pure.

Both are lists of what is right: a type, a property or a name that stands in neither is refused. A team adds types of its own
in policy/allowed.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any
from unicodedata import category

from rules import grants, lock_down, managed_access, secret_scope
from rules.allowed import NEVER
from rules.environments import DEVELOPMENT, STACKS, Environment, identifier_parts, named
from rules.table import (
    Table,
    address,
    anything,
    called,
    each,
    judge,
    number,
    one_of,
    optional,
    own,
    qualified,
    text,
)
from rules.values import UNKNOWN, Props, kind, shown, title

# Control and format characters, among them those that turn the direction of reading, and line separators.
_HIDDEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def _among(names: str, what: str, value: Any, environment: Environment) -> str | None:
    return None if isinstance(value, str) and value in getattr(environment, names) else f"{what} of {environment.name}."


def _role(value: Any, environment: Environment) -> str | None:
    if isinstance(value, str) and (value == environment.service_role or value in environment.roles):
        return None
    return f"{environment.service_role!r} or the role of a persona. Correct it."


def _branch(value: Any, environment: Environment) -> str | None:
    if value == environment.name:
        return None
    return f"{environment.name!r}: the folder is bound to the branch of its environment. Correct it."


def _job(value: Any, environment: Environment) -> str | None:
    if isinstance(value, str) and re.fullmatch(rf"{environment.name} .+", value) and not _HIDDEN & set(map(category, value)):
        return None
    return f"{environment.name!r}, a space and a name that can be seen: every list of jobs says whose job it is."


def _mergers(value: Any, environment: Environment) -> str | None:
    known = {
        environment.release_managers,
        "noOne",
        "developers",
        "maintainers",
        *environment.levels,
    } | environment.references
    return None if isinstance(value, str) and value in known else "a level or the group of a persona."


def _approver(value: Any, environment: Environment) -> str | None:
    known = {environment.release_managers, *environment.levels} | environment.references
    return None if isinstance(value, str) and value in known else "the group of a persona."


def _recorder(value: Any, environment: Environment) -> str | None:
    said = environment.parts("gitlab")
    listed = said.get("recorders") if isinstance(said, dict) else None
    if value == "maintainers" or (isinstance(value, str) and value[:1] == "@" and value in (listed or [])):
        return None
    return "maintainers, or an account (@name) of quant:gitlab.recorders: who makes records is believed."


def _username(value: Any, environment: Environment) -> str | None:
    said = environment.parts("gitCredential")
    wanted = said.get("username") if isinstance(said, dict) else None
    return None if value is not None and value == wanted else "the user name of quant:gitCredential."


def _environments_name(value: Any, environment: Environment) -> str | None:
    return None if value == environment.name else f"{environment.name!r}: a credential is its environment's. Correct it."


def _login(value: Any, environment: Environment) -> str | None:
    others = {other.service_user for stack in STACKS if stack != environment.name and (other := named(stack)) is not None}
    return None if value is None or str(value).upper() not in others else "no other environment's service user."


def _schema(value: Any, environment: Environment) -> str | None:
    known = len(found := identifier_parts(value)) == 1 and found[0] in environment.schemas
    names = " or ".join(map(repr, environment.schemas))
    return None if known else f"{names}, that of {environment.name}. Correct it, or select the stack that it belongs to."


NAMES: Table = {
    "databricks:Directory": {"path": partial(_among, "above", "a directory above the folder")},
    "databricks:GitCredential": {
        "gitProvider": own("git_provider", "quant:gitProvider"),
        "gitUsername": _username,
        "name": optional(_environments_name),
        "personalAccessToken": anything,
        "principalId": lambda value, _: "the id of the service principal: else it is the deployer's." if not value else None,
    },
    "databricks:Group": {"displayName": partial(_among, "levels", "the group of a persona")},
    "databricks:Job": {"name": _job},
    "databricks:Repo": {
        "branch": _branch,
        "commitHash": optional(lambda value, _: None if re.fullmatch("[0-9a-f]{40}", str(value)) else "a commit."),
        "gitProvider": own("git_provider", "quant:gitProvider"),
        "path": own("folder", "quant:folder"),
        "url": own("remote", "quant:remote or QUANT_REMOTE", ": the pipelines repository"),
    },
    "databricks:SecretScope": {"name": own("secret_scope", "quant:names.secretScope")},
    "pulumi-python:BranchProtection": {
        "approvals": number(0, 100),
        "approvers": each(_approver),
        "branch": _branch,
        "forcePush": one_of(False),
        "mergers": each(_mergers, 1),
        "project": own("gitlab_project", "quant:gitlab.project or QUANT_GITLAB_PROJECT"),
        "pushers": each(_mergers, 1),
        "recorders": each(_recorder, 1),
        "url": own("gitlab_url", "quant:gitlab.url or QUANT_GITLAB_URL"),
    },
    "snowflake:AccountRole": {"name": _role},
    "snowflake:DatabaseRole": {
        "database": called("database"),
        "name": lambda value, env: None if value in (env.reader, env.writer) else f"{env.reader} or {env.writer}.",
    },
    "snowflake:NetworkPolicy": {"name": called("network_policy"), "allowedIpLists": each(address, 1)},
    "snowflake:ResourceMonitor": {
        "name": called("monitor"),
        "creditQuota": number(1, 1_000_000),
        "notifyTriggers": optional(each(number(1, 100))),
        "suspendImmediateTrigger": optional(number(1, 200)),
        "suspendTrigger": optional(number(1, 200)),
    },
    "snowflake:Schema": {"database": called("database"), "name": _schema},
    "snowflake:ServiceUser": {
        "name": called("service_user"),
        "defaultNamespace": optional(qualified("schema")),
        "defaultRole": optional(called("service_role")),
        "defaultSecondaryRolesOption": optional(one_of("ALL", "DEFAULT", "NONE", "default")),
        "defaultWarehouse": optional(called("warehouse")),
        "disabled": optional(one_of("default", "false", "true")),
        "loginName": _login,
        "networkPolicy": optional(called("network_policy")),
        "rsaPublicKey": optional(text),
        "rsaPublicKey2": optional(text),
    },
    "snowflake:Warehouse": {"name": called("warehouse"), "resourceMonitor": optional(called("monitor"))},
}
# What only says how, and gives nobody anything.
_FREE = {
    "snowflake:AccountRole": {"comment"},
    "snowflake:DatabaseRole": {"comment"},
    "snowflake:NetworkPolicy": {"comment"},
    "snowflake:Schema": {"comment"},
    "snowflake:ServiceUser": {"comment", "displayName", "minsToUnlock"},
    "snowflake:Warehouse": {
        "autoResume", "autoSuspend", "comment", "initiallySuspended", "maxConcurrencyLevel",
        "statementQueuedTimeoutInSeconds", "statementTimeoutInSeconds", "warehouseSize", "warehouseType",
        "enableQueryAcceleration", "queryAccelerationMaxScaleFactor",
    },
}  # fmt: skip
_JUDGED: tuple[Table, ...] = (NAMES, grants.TABLE, managed_access.TABLE, lock_down.TABLE, secret_scope.TABLE)
KNOWN: dict[str, frozenset[str]] = {
    one: frozenset().union(_FREE.get(one, ()), *(table.get(one, ()) for table in _JUDGED))
    for one in {one for table in _JUDGED for one in table}
}
# A dynamic provider is code of the program, known by the module and the class that it stands in.
_DYNAMIC, _OURS = "pulumi-python:", ("pulumi-python:dynamic/gitlab:BranchProtection",)
_COMPONENTS = ("quant:index:", "quant:databricks:", "quant:gitlab:", "quant:snowflake:")


def known_type(resource_type: str, props: Props, stack: str) -> list[str]:
    """A type or a property that no rule knows."""
    what = kind(resource_type)
    if what in NEVER:
        return [f"{title(resource_type)}: {NEVER[what]}"]
    if what == "pulumi:StackReference":
        return ["StackReference: an environment reads nothing of another one."]
    if what == "pulumi:Stack" or resource_type.startswith((*_COMPONENTS, "pulumi:providers:")):
        return []
    environment = named(stack)
    types = environment.listed.types if environment is not None else {}
    more = types.get(what, frozenset())
    if more is None or what == "databricks:Job":  # every key of a job: rules/own_code.py
        return []
    if (what not in KNOWN and what not in types) or (resource_type.startswith(_DYNAMIC) and resource_type not in _OURS):
        return [
            f"type: found {resource_type}, which no rule of the pack knows. Leave it out; or list {what} in"
            " policy/allowed.yaml, which is a reviewed change of the pack."
        ]
    return [
        f"{title(resource_type)} {key}: found {shown(value)}, a property that no rule of the pack knows. Leave it out; or"
        f" list it under {what} in policy/allowed.yaml, which is a reviewed change of the pack."
        for key, value in props.items()
        if value is not None and key not in KNOWN.get(what, ()) and key not in more
    ]


def names(resource_type: str, props: Props, stack: str) -> list[str]:
    """A name, a path or a place that is not the environment's own."""
    what = kind(resource_type)
    if what == "pulumi:Stack" and stack not in STACKS:
        return [f"stack: found {stack!r}, allowed are {', '.join(STACKS)}. Select one of these with -s."]
    if what == "databricks:Repo" and isinstance(path := props.get("path"), str) and is_personal(path):
        return list(_personal(props, path, stack))
    return list(judge(NAMES, resource_type, props, stack))


def is_personal(path: str) -> bool:
    """`/Users/...`, or below `/Repos` a folder that a user's name begins, with or without `/Workspace` before it."""
    parts = path.removeprefix("/Workspace").strip("/").split("/")
    return parts[0] == "Users" or (parts[0] == "Repos" and any("@" in part for part in parts[1:2]))


def _personal(props: Props, path: str, stack: str) -> Iterator[str]:
    # The branch of a personal folder is its developer's own; what it is cloned from is not.
    if stack != DEVELOPMENT or not re.fullmatch(rf"/(Users|Repos)/[^/\s]+@[^/\s]+/{DEVELOPMENT}", path):
        yield (
            f"Repo path: found {path!r}, a personal folder; allowed are /Users/<user>/{DEVELOPMENT} and"
            f" /Repos/<user>/{DEVELOPMENT}, in stack {DEVELOPMENT} alone. Declare it there, or set quant:folder"
            " to a folder that is nobody's own."
        )
    environment = named(stack)
    if environment is not None and props.get("url") not in (UNKNOWN, environment.remote):
        yield f"Repo url: found {shown(props.get('url'))}, expected the pipelines repository, {shown(environment.remote)}."
