"""Findings in what the engine read: resources that are gone or changed. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.managed_access import PROPERTY, is_off
from quantctl.drift.declared import differences
from quantctl.drift.finding import By, Class, Finding, Fix
from quantctl.drift.steps import Refresh, Step, value_at

_LONG = 160  # characters of a value that are shown
_SECRET = re.compile(r"password|token|secret|private_?key|stringValue", re.I)
_LEVEL = "permissionLevel"
_WHO = ("userName", "groupName", "servicePrincipalName")
_WORDS = {
    "Repo": "Git folder",
    "Permissions": "permissions",
    "Schema": "Snowflake schema",
    "DatabaseRole": "database role",
    "AccountRole": "account role",
    "ServiceUser": "service user",
    "GrantDatabaseRole": "grant of a database role",
    "GrantAccountRole": "grant of an account role",
    "GrantPrivilegesToDatabaseRole": "grant",
    "GrantPrivilegesToAccountRole": "grant",
    "SecretScope": "secret scope",
    "SecretAcl": "secret ACL",
    "GitCredential": "Git credential",
    "NetworkPolicy": "network policy",
    "ResourceMonitor": "resource monitor",
}


def engine_findings(env: str, refresh: Refresh) -> list[Finding]:
    """One finding a property that differs; a resource that is gone is one finding, with what hung on it."""
    gone = {step.urn: step for step in refresh.steps if step.new is None}
    found = [_gone(env, step, refresh, gone) for step in gone.values() if not gone.keys() & set(step.dependencies)]
    for step in refresh.steps:
        if step.new is None or is_personal(step):
            continue
        if step.type == "Permissions":
            found += _permissions(env, step, step.new)
        else:
            found += _properties(env, step, step.new)
        if step.type == "Schema" and PROPERTY not in step.changed and is_off(step.new):
            do = Fix(f"ALTER SCHEMA {step.new.get('fullyQualifiedName')} ENABLE MANAGED ACCESS, as an account administrator")
            found.append(Finding(env, Class.DRIFT, named(step), PROPERTY, "true", "false", do, step.urn))
    return found


def is_personal(step: Step) -> bool:
    """A personal Git folder: its developer's own once it is there."""
    return step.type == "Repo" and "PersonalFolders" in step.within


def is_git_folder(step: Step) -> bool:
    """The environment's own Git folder."""
    return step.type == "Repo" and not is_personal(step)


def named(step: Step) -> str:
    """What a person calls it."""
    word, old = _WORDS.get(step.type, step.type.lower()), step.old
    match step.type:
        case "Repo" | "Directory":
            return f"{word} {old.get('path')}"
        case "Job":
            return f"job {old.get('name') or step.name}"
        case "Permissions":
            whose = {"folder": "the Git folder", "parent": "the folder above"}.get(step.name, step.name.replace("/", " ", 1))
            return f"permissions of {whose}"
        case "GrantDatabaseRole":
            return f"database role {_bare(old.get('databaseRoleName'))} of role {_bare(old.get('parentRoleName'))}"
        case "GrantAccountRole":
            return f"role {_bare(old.get('roleName'))} of user {_bare(old.get('userName'))}"
        case "GrantPrivilegesToDatabaseRole" | "GrantPrivilegesToAccountRole":
            return f"grant {_on(step)} to {_bare(old.get('databaseRoleName') or old.get('accountRoleName'))}"
        case "SecretAcl":
            return f"secret scope {old.get('scope')}, ACL of {old.get('principal')}"
        case "Secret":
            return f"secret {old.get('scope')}/{old.get('key')}"
    return f"{word} {old.get('displayName') or old.get('name') or step.name}"


def _bare(name: Any) -> str:
    return str(name or "").replace('"', "")


def _on(step: Step) -> str:
    schema, objects = step.inputs.get("onSchema"), step.inputs.get("onSchemaObject") or {}
    for scope in ("all", "future"):
        if part := objects.get(scope):
            return f"on {scope} {part.get('objectTypePlural', '').lower()} in {_bare(part.get('inSchema'))}"
    if schema:
        return f"on schema {_bare(schema.get('schemaName'))}"
    account = step.inputs.get("onAccountObject") or {}
    return f"on {str(account.get('objectType', '')).lower()} {_bare(account.get('objectName'))}"


def engine_fix(env: str, *urns: str) -> Fix:
    """`pulumi up --refresh`, of these resources alone when quantctl does it."""
    return Fix(f"pulumi up --refresh -s {env}", By.ENGINE, urns)


def _gone(env: str, step: Step, refresh: Refresh, gone: Mapping[str, Step]) -> Finding:
    with_it = [other.urn for other in refresh.steps if other.urn in gone and _hangs_on(other, step.urn, gone)]
    real = "missing" + (f", and {len(with_it)} that hung on it" if with_it else "")
    return Finding(env, Class.DRIFT, named(step), "", "there", real, engine_fix(env, step.urn, *with_it), step.urn)


def _hangs_on(step: Step, urn: str, gone: Mapping[str, Step]) -> bool:
    return any(each == urn or (each in gone and _hangs_on(gone[each], urn, gone)) for each in step.dependencies)


def _properties(env: str, step: Step, new: Mapping[str, Any]) -> Iterator[Finding]:
    for path in differences(step):
        if is_git_folder(step) and path in ("branch", "commitHash", "tag"):
            continue  # quantctl.drift.folder, which knows the branch
        declared, real = value_at(step.inputs, path), value_at(new, path)
        if declared is None and not step.failed:
            declared = value_at(step.old, path)
        # An empty list and none at all are the same to the providers.
        if declared != real and not (declared in (None, [], {}) and real in (None, [], {})):
            # What a provider does not mark as a secret, the engine prints (pulumi/pulumi #9330).
            hidden = _SECRET.search(path) is not None
            words = (named(step), path, *(("hidden", "another") if hidden else (shown(declared), shown(real))))
            yield Finding(env, Class.DRIFT, *words, _property_fix(env, step, path), step.urn)


def _property_fix(env: str, step: Step, path: str) -> Fix:
    """The engine; but it does not take away a setting that nobody declared, so that one is removed from the job."""
    job, top = str(step.old.get("id")), path.partition(".")[0].partition("[")[0]
    if step.type != "Job" or path in step.changed or value_at(step.inputs, path) is not None:
        return engine_fix(env, step.urn)
    if step.inputs.get(top) or not job.isdigit():
        return Fix(f"remove {path} on the page of job {job}; the provider leaves it as it is")
    # https://docs.databricks.com/api/workspace/jobs/update: fields_to_remove takes whole fields
    setting = re.sub("([A-Z])", lambda match: f"_{match.group(1).lower()}", top)
    change = json.dumps({"job_id": int(job), "fields_to_remove": [setting]})
    return Fix(f"databricks jobs update --json '{change}'", By.SETTING, (job, setting))


def _permissions(env: str, step: Step, new: Mapping[str, Any]) -> Iterator[Finding]:
    """One finding a principal: who came, who is missing, whose level is another."""
    before, settled, now = _entries(step.inputs), _entries(step.old), _entries(new)
    if not step.changed and not step.failed and settled == now:
        return  # as the update left it
    for who in sorted(before.keys() | now.keys()):
        if before.get(who) != now.get(who):
            declared, real = before.get(who, "nothing"), now.get(who, "nothing")
            yield Finding(env, Class.DRIFT, named(step), who, declared, real, engine_fix(env, step.urn), step.urn)


def _entries(values: Mapping[str, Any]) -> dict[str, str]:
    listed = [entry for entry in values.get("accessControls") or [] if isinstance(entry, Mapping)]
    return {next((str(entry[who]) for who in _WHO if entry.get(who)), "?"): str(entry.get(_LEVEL)) for entry in listed}


def shown(value: Any) -> str:
    """A value for people: short, and on one line."""
    if value is None or value == "":
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    text = re.sub(r"\s+", " ", text)
    return text if len(text) <= _LONG else f"{text[: _LONG - 3]}..."
