"""Jobs run the code of their own environment, on compute that nobody else changes, and report to nobody outside. Pure.

Every key of a job stands in rules/job_keys.py or is judged here; a key that does neither is refused, so that a new one is
judged before it is used. Keys are the Pulumi SDK's; what they mean:
https://docs.databricks.com/api/workspace/jobs/create
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from rules.environments import Environment, named
from rules.job_keys import FREE, OBJECTS
from rules.own_places import Problems, in_folder, list_it, listed, no_foreign_secret
from rules.own_words import arguments, command, configuration, coordinates, pairs, requirement, variables
from rules.values import UNKNOWN, Props, kind, shown

Judge = Callable[[Any, str, Environment], Problems]

# https://docs.databricks.com/compute/access-mode-limitations
_ACCESS_MODES = (
    "DATA_SECURITY_MODE_AUTO", "DATA_SECURITY_MODE_DEDICATED", "DATA_SECURITY_MODE_STANDARD", "SINGLE_USER",
    "USER_ISOLATION",
)  # fmt: skip
_HANDED_ON = re.compile(r"\{\{\s*job\.parameters\.[\w.-]+\s*\}\}")


def check(resource_type: str, props: Props, stack: str) -> list[str]:
    """What of a job comes from elsewhere, or goes elsewhere."""
    environment = named(stack)
    if environment is None or kind(resource_type) != "databricks:Job":
        return []
    return [f"Job {problem}" for key, value in props.items() for problem in _key("job", key, value, key, environment)]


def _key(parent: str, key: str, value: Any, where: str, environment: Environment) -> Problems:
    """What is wrong with the value at one key; `parent` tells keys apart that mean two things."""
    if value is None or value is UNKNOWN:
        return
    judge = _JUDGED.get(f"{parent}.{key}") or _JUDGED.get(key)
    if judge is not None:
        yield from judge(value, where, environment)
    elif key in OBJECTS or f"{parent}.{key}" in OBJECTS:
        yield from _object(key, value, where, environment)
    elif key not in FREE:
        yield f"{where}: found {shown(value)}, a key that no rule of the pack knows. Leave it out."
    else:
        yield from no_foreign_secret(value, where, environment)


def _object(key: str, value: Any, where: str, environment: Environment) -> Problems:
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _object(key, item, f"{where}[{number}]", environment)
    elif isinstance(value, dict):
        for inner, item in value.items():
            yield from _key(key, inner, item, f"{where}.{inner}", environment)
    elif value is not UNKNOWN and value is not None:
        yield f"{where}: found {shown(value)}, expected keys and values."


def _own_parameters(environment: Environment) -> dict[str, Any]:
    return {
        "environment": environment.name,
        "secret_scope": environment.secret_scope,
        "snowflake_account": environment.text("account"),
        "snowflake_database": environment.database,
        "snowflake_role": environment.service_role,
        "snowflake_schema": environment.schema,
        "snowflake_user": environment.service_user,
        "snowflake_warehouse": environment.warehouse,
    }


def _handed_on(value: Any, where: str, environment: Environment) -> Problems:
    """Parameters for a job that a task runs: those that name the environment name this one, or hand on the job's own."""
    own = _own_parameters(environment)
    for key, item in pairs(value):
        wanted = own.get(key.lower(), item)
        if item is not UNKNOWN and item != wanted and not (isinstance(item, str) and _HANDED_ON.fullmatch(item)):
            yield f"{where}.{key}: found {shown(item)}, expected {wanted!r}, that of {environment.name}."
        yield from no_foreign_secret(item, f"{where}.{key}", environment)


def _parameters(value: Any, where: str, environment: Environment) -> Problems:
    """The job's parameters: those that name the environment name this one."""
    own = _own_parameters(environment)
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        name = item.get("name") if isinstance(item, dict) else None
        if UNKNOWN in (item, name):
            continue
        if not isinstance(name, str):
            yield f"{where}[{number}]: found {shown(item)}, expected a name and a default."
            continue
        found, wanted = item.get("default"), own.get(name.lower(), item.get("default"))
        if found is not UNKNOWN and found != wanted:
            yield f"{where}[{number}]: found {name} {shown(found)}, expected {wanted!r}, that of {environment.name}."
        yield from no_foreign_secret(item, f"{where}[{number}]", environment)


def _mail(value: Any, where: str, environment: Environment) -> Problems:
    if isinstance(value, list):
        for number, item in enumerate(value):
            if item is not UNKNOWN and item != "":  # a list that was emptied stays as [""]
                yield from _mail(item, f"{where}[{number}]", environment)
        return
    found = re.fullmatch(r"[\w.'+-]+@([^@\s]+)", value) if isinstance(value, str) else None
    domain = found[1].lower() if found else None
    if domain not in environment.listed.mail_domains and not (domain and environment.allows(domain)):
        known = ", ".join(sorted(environment.listed.mail_domains)) or "none"
        yield f"{where}: found {shown(value)}, expected an address of {known}. Or list the domain in policy/allowed.yaml."


def _mails(value: Any, where: str, environment: Environment) -> Problems:
    """Lists of addresses by occasion, and switches."""
    for key, item in pairs(value):
        if not isinstance(item, bool) and item is not None and item is not UNKNOWN:
            yield from _mail(item, f"{where}.{key}", environment)


def _webhooks(value: Any, where: str, environment: Environment) -> Problems:
    """Lists of destinations by occasion."""
    for key, item in pairs(value):
        for number, one in enumerate(item if isinstance(item, list) else [item]):
            if one is not UNKNOWN and one is not None:
                there = f"{where}.{key}[{number}]"
                yield from _destination(one.get("id") if isinstance(one, dict) else one, there, environment)


def _destination(value: Any, where: str, environment: Environment) -> Problems:
    """A notification destination of the workspace; one of the list where there is one."""
    if not isinstance(value, str) or (environment.webhooks is not None and value not in environment.webhooks):
        yield f"{where}: found {shown(value)}, expected a notification destination of the workspace. {list_it(environment)}"


def _sql_warehouse(value: Any, where: str, environment: Environment) -> Problems:
    """Compute alone: what runs there is the job's own file, as the job's own principal."""
    if not isinstance(value, str):
        yield f"{where}: found {shown(value)}, expected the id of a SQL warehouse."


def _runner(value: Any, where: str, environment: Environment) -> Problems:
    if not isinstance(value, str) or value.lower() != environment.principal:
        yield f"{where}: found {shown(value)}, expected {environment.principal}, that runs the jobs. Leave it out."


def _workspace_source(value: Any, where: str, environment: Environment) -> Problems:
    if value != "WORKSPACE":
        yield f"{where}: found {shown(value)}, expected 'WORKSPACE': jobs run what stands in the Git folder. Leave it out."


def _access_mode(value: Any, where: str, environment: Environment) -> Problems:
    if value not in _ACCESS_MODES:
        yield f"{where}: found {shown(value)}, expected one of {', '.join(_ACCESS_MODES)}: others do not isolate users."


def _elsewhere(value: Any, where: str, environment: Environment) -> Problems:
    """Judged by another rule: rules/runners.py, rules/own_ids.py."""
    return iter(())


def _not_ours(value: Any, where: str, environment: Environment) -> Problems:
    yield f"{where}: found {shown(value)}, which runs or stores code that was not promoted. Leave it out."


def _many(one: Judge) -> Judge:
    """A judge of a list of such values, or of one alone."""
    return partial(_each, one)  # pragma: no mutate  # as in rules/table.py


def _each(one: Judge, value: Any, where: str, environment: Environment) -> Problems:
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        if item is not UNKNOWN and item is not None:
            yield from one(item, f"{where}[{number}]" if isinstance(value, list) else where, environment)


_JUDGED: dict[str, Judge] = {
    **dict.fromkeys(
        ("destination", "egg", "jar", "jarUri", "notebookPath", "profilesDirectory", "projectDirectory", "pythonFile",
         "requirements", "whl", "file.path", "parentPath", "workspacePath", "fileArrival.url", "baseEnvironment"),
        in_folder,
    ),
    **dict.fromkeys(
        ("existingClusterId", "instancePoolId", "driverInstancePoolId", "instanceProfileArn", "googleServiceAccount",
         "policyId", "pipelineId", "queryId", "alertId", "dashboardId", "dockerImage.url",
         "repo", "endpoint", "s3.destination"),
        listed,
    ),
    "coordinates": coordinates,
    "dataSecurityMode": _access_mode,
    "commands": _many(command),
    "dbtCommands": _many(command),
    "destinationId": _destination,
    "dependencies": _many(requirement),
    "emailNotifications": _mails,
    "environmentVariables": variables,
    "gitSource": _not_ours,
    "deployment": _not_ours,
    "javaDependencies": _many(coordinates),
    "job.parameters": _parameters,
    "jobParameters": _handed_on,
    "package": requirement,
    "runAs": _elsewhere,
    "runJobTask.jobId": _elsewhere,
    "singleUserName": _runner,
    "source": _workspace_source,
    "sparkConf": configuration,
    "sparkEnvVars": variables,
    "sparkSubmitParams": _many(arguments),
    "sparkSubmitTask.parameters": _many(arguments),
    "userName": _mail,
    "warehouseId": _sql_warehouse,
    "webhookNotifications": _webhooks,
}  # fmt: skip
