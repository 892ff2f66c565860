"""Jobs run the code of their own environment, on compute that nobody else changes, and report to nobody outside. Pure.

Every key of a job stands in rules/job_keys.py or is judged here; a key that does neither is refused, so that a new one is
judged before it is used. Keys are the Pulumi SDK's; what they mean:
https://docs.databricks.com/api/workspace/jobs/create
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from rules.environments import Environment, named
from rules.job_keys import FREE, OBJECTS
from rules.values import UNKNOWN, Props, Secret, kind, shown, whole

Problems = Iterator[str]
Judge = Callable[[Any, str, Environment], Problems]

_WORKSPACE = "/Workspace"
_REQUIREMENT = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._, -]*\])? *((===|[<>=!~]=|[<>]) *[A-Za-z0-9.*+!_-]+ *,? *)*"
    r"(;[A-Za-z0-9_ .'\"<>=!()]*)?"
)
_COORDINATES = re.compile(r"[\w.-]+:[\w.-]+(:[\w.-]+){1,3}")
_SECRET_REFERENCE = re.compile(r"\{\{\s*secrets/([^/}]*)/")
_ELSEWHERE = re.compile(r"[\w+.-]+:/|/|.*\.(py|jar|zip|whl|egg|R|tar\.gz)$|git\+")
# https://docs.databricks.com/compute/access-mode-limitations
_ACCESS_MODES = (
    "DATA_SECURITY_MODE_AUTO", "DATA_SECURITY_MODE_DEDICATED", "DATA_SECURITY_MODE_STANDARD", "SINGLE_USER",
    "USER_ISOLATION",
)  # fmt: skip
_SPARK = re.compile(
    r"spark\.(sql|databricks|executor\.(memory|cores|instances)|driver\.(memory|cores|maxResultSize)|default|task|shuffle"
    r"|dynamicAllocation|speculation|network|rpc|memory|scheduler|serializer|master|locality|broadcast|rdd|ui)\b.*"
)
# Names that steer which code an interpreter or an installer runs.
_STEERING = re.compile(
    r"(PIP|UV|LD|PYTHON|PYSPARK|SPARK|HADOOP|JAVA|JDK|_JAVA|R|CONDA|GIT|SSH|DATABRICKS|SNOWFLAKE|MAVEN|IVY|DBT|BASH)_.*"
    r"|PYTHON\w*|PATH|CLASSPATH|BASH_ENV|ENV|IFS|\w*_?PROXY|\w*_INDEX(_URL)?",
    re.IGNORECASE,
)


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
        yield from _free(value, where, environment)


def _object(key: str, value: Any, where: str, environment: Environment) -> Problems:
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _object(key, item, f"{where}[{number}]", environment)
    elif isinstance(value, dict):
        for inner, item in value.items():
            yield from _key(key, inner, item, f"{where}.{inner}", environment)
    elif value is not UNKNOWN and value is not None:
        yield f"{where}: found {shown(value)}, expected keys and values."


def _free(value: Any, where: str, environment: Environment) -> Problems:
    """Whatever it is, it names no other environment's secret: Databricks replaces these references in some places."""
    if isinstance(value, Secret):
        yield from _free(value.value, where, environment)
    elif isinstance(value, str):
        for scope in _SECRET_REFERENCE.findall(value):
            if scope != environment.secret_scope:
                expected = f"expected scope {environment.secret_scope!r} alone. Remove it."
                yield f"{where}: found a secret of scope {scope!r}, {expected}"
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _free(item, f"{where}[{number}]", environment)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _free(item, f"{where}.{key}", environment)


def is_inside(path: str, environment: Environment) -> bool:
    """Whether a path lies in the environment's own Git folder; `/Workspace` before it or not."""
    own = environment.folder
    parts = path.removeprefix(_WORKSPACE).split("/")
    if own is None or {"", ".", ".."}.intersection(parts[1:]) or re.search(r"[\\\x00-\x1f%]", path):
        return False
    found = "/".join(parts)
    return found == own or found.startswith(f"{own}/")


def _path(value: Any, where: str, environment: Environment) -> Problems:
    if not isinstance(value, str) or not (is_inside(value, environment) or _is_listed(value, environment)):
        yield (
            f"{where}: found {shown(value)}, expected a path in {_WORKSPACE}{environment.folder}, the Git folder of"
            f" {environment.name}: what it runs was promoted to it. {_list(environment)}"
        )


def _is_listed(value: Any, environment: Environment) -> bool:
    return isinstance(value, str) and not {"..", "."}.intersection(value.split("/")) and environment.allows(value)


def _listed(value: Any, where: str, environment: Environment) -> Problems:
    if not _is_listed(str(whole(value)) if isinstance(value, int | float | str) else value, environment):
        yield f"{where}: found {shown(value)}, which is not known to belong to {environment.name}. {_list(environment)}"


def _list(environment: Environment) -> str:
    also = "" if environment.name == "quant_live" else " or quant:allowed"
    return f"Or list it for {environment.name} in policy/allowed.yaml{also}."


def _requirement(value: Any, where: str, environment: Environment) -> Problems:
    """A requirement by name and version; a file or a requirements file of the folder; or what is listed."""
    if isinstance(value, str):
        text = re.sub(r"^(-r|--requirement|-e|--editable)[ =]+", "", value.strip())
        if is_inside(text, environment) or _is_listed(text, environment):
            return
        if text == value.strip() and _REQUIREMENT.fullmatch(text):
            return
        option, _, address = text.partition(" ") if " " in text else text.partition("=")
        if option in ("--index-url", "--extra-index-url", "--find-links", "-i", "-f") and _is_listed(
            address.strip(), environment
        ):
            return
    yield (
        f"{where}: found {shown(value)}, expected a requirement such as pandas>=2, or a file in"
        f" {_WORKSPACE}{environment.folder}: packages come from the workspace's own index. {_list(environment)}"
    )


def _coordinates(value: Any, where: str, environment: Environment) -> Problems:
    if not (isinstance(value, str) and (_COORDINATES.fullmatch(value) or is_inside(value, environment))):
        yield from _listed(value, where, environment)


def _arguments(value: Any, where: str, environment: Environment) -> Problems:
    """Arguments of spark-submit: what looks like a file, an address or a package is judged as one."""
    if not isinstance(value, str):
        yield f"{where}: found {shown(value)}, expected a text."
        return
    for piece in re.split(r"[,=\s]", value):
        if _ELSEWHERE.match(piece) or ":" in piece:
            yield from _path(piece, where, environment)


def _command(value: Any, where: str, environment: Environment) -> Problems:
    """A command line: a file or an address in it lies in the folder."""
    for word in re.split(r"[=\s]+", value) if isinstance(value, str) else [value]:
        if not isinstance(word, str) or re.match(r"/|[\w+.-]+:/", word) or ".." in word.split("/"):
            yield from _path(word, where, environment)


def _configuration(value: Any, where: str, environment: Environment) -> Problems:
    for key, item in _pairs(value, where):
        if not (_SPARK.fullmatch(key) or environment.allows(key)):
            yield f"{where}.{key}: found a setting that may bring code or credentials of others. {_list(environment)}"
        elif item is not UNKNOWN and (not isinstance(item, str) or _ELSEWHERE.match(item)):
            yield from _path(item, f"{where}.{key}", environment)
        yield from _free(item, f"{where}.{key}", environment)


def _variables(value: Any, where: str, environment: Environment) -> Problems:
    if not isinstance(value, dict):
        yield f"{where}: found {shown(value)}, expected names and values."
        return
    for key, item in value.items():
        usual = (key, item) == ("PYSPARK_PYTHON", "/databricks/python3/bin/python3")
        if _STEERING.fullmatch(key) and not usual and not environment.allows(key):
            yield f"{where}.{key}: found a variable that steers which code runs or whom it asks. {_list(environment)}"
        yield from _free(item, f"{where}.{key}", environment)


def _pairs(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    yield from value.items() if isinstance(value, dict) else [(f"({shown(value)})", value)]


def _parameters(value: Any, where: str, environment: Environment) -> Problems:
    """The job's parameters: those that name the environment name this one."""
    own = {
        "environment": environment.name,
        "secret_scope": environment.secret_scope,
        "snowflake_account": environment.text("account"),
        "snowflake_database": environment.database,
        "snowflake_role": environment.service_role,
        "snowflake_schema": environment.schema,
        "snowflake_user": environment.service_user,
        "snowflake_warehouse": environment.warehouse,
    }
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        if item is UNKNOWN:
            continue
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str):
            yield f"{where}[{number}]: found {shown(item)}, expected a name and a default."
            continue
        found, wanted = item.get("default"), own.get(name.lower(), item.get("default"))
        if found is not UNKNOWN and found != wanted:
            yield f"{where}[{number}]: found {name} {shown(found)}, expected {wanted!r}, that of {environment.name}."
        yield from _free(item, f"{where}[{number}]", environment)


def _mail(value: Any, where: str, environment: Environment) -> Problems:
    if isinstance(value, list):
        for number, item in enumerate(value):
            if item is not UNKNOWN and item != "":  # a list that was emptied stays as [""]
                yield from _mail(item, f"{where}[{number}]", environment)
        return
    found = re.fullmatch(r"[^@\s]+@([^@\s]+)", value) if isinstance(value, str) else None
    domain = found[1].lower() if found else None
    if domain not in environment.listed.mail_domains and not (domain and environment.allows(domain)):
        known = ", ".join(sorted(environment.listed.mail_domains)) or "none"
        yield f"{where}: found {shown(value)}, expected an address of {known}. Or list the domain in policy/allowed.yaml."


def _mails(value: Any, where: str, environment: Environment) -> Problems:
    """Lists of addresses by occasion, and switches."""
    for key, item in _pairs(value, where):
        if not isinstance(item, bool) and item is not None and item is not UNKNOWN:
            yield from _mail(item, f"{where}.{key}", environment)


def _webhooks(value: Any, where: str, environment: Environment) -> Problems:
    """Lists of destinations by occasion."""
    for key, item in _pairs(value, where):
        for number, one in enumerate(item if isinstance(item, list) else [item]):
            if one is not UNKNOWN and one is not None:
                there = f"{where}.{key}[{number}]"
                yield from _destination(one.get("id") if isinstance(one, dict) else one, there, environment)


def _destination(value: Any, where: str, environment: Environment) -> Problems:
    """A notification destination of the workspace; one of the list where there is one."""
    if not isinstance(value, str) or (environment.webhooks is not None and value not in environment.webhooks):
        yield f"{where}: found {shown(value)}, expected a notification destination of the workspace. {_list(environment)}"


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
        _path,
    ),
    **dict.fromkeys(
        ("existingClusterId", "instancePoolId", "driverInstancePoolId", "instanceProfileArn", "googleServiceAccount",
         "policyId", "pipelineId", "queryId", "alertId", "dashboardId", "dockerImage.url",
         "repo", "endpoint", "s3.destination"),
        _listed,
    ),
    "coordinates": _coordinates,
    "dataSecurityMode": _access_mode,
    "commands": _many(_command),
    "dbtCommands": _many(_command),
    "destinationId": _destination,
    "dependencies": _many(_requirement),
    "emailNotifications": _mails,
    "environmentVariables": _variables,
    "gitSource": _not_ours,
    "deployment": _not_ours,
    "javaDependencies": _many(_coordinates),
    "job.parameters": _parameters,
    "package": _requirement,
    "runAs": _elsewhere,
    "runJobTask.jobId": _elsewhere,
    "singleUserName": _runner,
    "source": _workspace_source,
    "sparkConf": _configuration,
    "sparkEnvVars": _variables,
    "sparkSubmitParams": _many(_arguments),
    "sparkSubmitTask.parameters": _many(_arguments),
    "userName": _mail,
    "warehouseId": _sql_warehouse,
    "webhookNotifications": _webhooks,
}  # fmt: skip
