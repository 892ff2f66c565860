"""Jobs, secrets and secret ACLs that nobody declared, and a secret that was overwritten by hand. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantctl.drift.changed import named, shown
from quantctl.drift.finding import By, Class, Finding, Mend
from quantctl.drift.steps import Refresh
from quantctl.drift.unchanged import form

# https://docs.databricks.com/api/workspace/jobs/get
_BY_HAND = (
    *("schedule", "trigger", "continuous", "email_notifications", "webhook_notifications", "notification_settings"),
    *("health", "git_source", "tags", "parameters", "job_clusters"),
)
_SCHEDULES = ("schedule", "trigger", "continuous")


@dataclass(frozen=True)
class Scope:
    """The environment's secret scope: principal -> permission, and key -> when it was set, in ms since 1970."""

    name: str
    acls: Mapping[str, str]
    secrets: Mapping[str, int]


def job_findings(env: str, refresh: Refresh, jobs: Sequence[Mapping[str, Any]], folder: str) -> list[Finding]:
    """Jobs that no stack declares: with a task in the environment's folder, or with the name of one that it declares.

    `jobs` are those of the whole workspace.
    """
    declared = {str(step.old.get("id")) for step in refresh.of("Job")}
    names = {str(step.inputs.get("name")): str(step.old.get("id")) for step in refresh.of("Job")}
    found = []
    for job in jobs:
        settings = job.get("settings") or {}
        if str(job["job_id"]) in declared:
            continue
        if (known := names.get(str(settings.get("name")))) is not None:
            found.append(_twin(env, job, known))
        elif lies_in(settings, folder):
            found.append(_undeclared(env, job, folder))
    return found


def _twin(env: str, job: Mapping[str, Any], known: str) -> Finding:
    settings, number = job.get("settings") or {}, str(job["job_id"])
    live = is_live(settings)
    do = f"quantctl repair {env} removes the one that never ran" + ("; --fix only pauses it" if live else "")
    real = f"job {number} too, made by {job.get('creator_user_name') or 'somebody'}" + (", runs by itself" if live else "")
    mend = Mend(do, By.PAUSE, (number,)) if live else Mend(do)
    return Finding(env, Class.DRIFT, f"job {settings.get('name')}", "exists twice", f"job {known}", real, mend)


def setting_findings(env: str, refresh: Refresh, jobs: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Settings of declared jobs that somebody added: a provider does not read a block for which nothing is declared.

    Only what people set; what the service adds by itself is nobody's change.
    """
    real = {str(job["job_id"]): job.get("settings") or {} for job in jobs}
    for step in refresh.of("Job"):
        settings = real.get(str(step.old.get("id")), {})
        declared = {key for values in (step.inputs, step.old) for key, value in dict(form(values)).items() if value}
        for setting in _BY_HAND:
            [(key, value)] = form({setting: settings.get(setting)}) or [("", None)]
            if value and key not in declared:
                number = str(step.old.get("id"))
                change = json.dumps({"job_id": int(number), "fields_to_remove": [setting]})
                mend = Mend(f"databricks jobs update --json '{change}'", By.SETTING, (number, setting))
                words = (named(step), setting, "nothing", shown(settings[setting]))
                yield Finding(env, Class.DRIFT, *words, mend, step.urn)


def lies_in(settings: Any, folder: str) -> bool:
    """Whether any path in a job's settings is in the folder. Databricks takes paths with and without /Workspace."""
    if isinstance(settings, str):
        return settings.startswith((f"{folder}/", f"/Workspace{folder}/"))
    if isinstance(settings, Mapping):
        return any(lies_in(value, folder) for value in settings.values())
    return isinstance(settings, list) and any(lies_in(value, folder) for value in settings)


def is_live(settings: Mapping[str, Any]) -> bool:
    """Whether the job runs by itself."""
    return any(settings.get(key) and settings[key].get("pause_status") != "PAUSED" for key in _SCHEDULES)


def paused(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a job's update says so that it no longer runs by itself."""
    return {key: {**settings[key], "pause_status": "PAUSED"} for key in _SCHEDULES if settings.get(key)}


def _undeclared(env: str, job: Mapping[str, Any], folder: str) -> Finding:
    settings, number = job.get("settings") or {}, str(job["job_id"])
    who = job.get("creator_user_name") or "somebody"
    runs = "runs by itself" if is_live(settings) else "does not run by itself"
    do = f"a workflow file for it in the pipelines repository, or databricks jobs delete {number}"
    mend = Mend(do)
    if is_live(settings):
        mend = Mend(f"{do}; --fix only pauses it", By.PAUSE, (number,))
    resource = f"job {settings.get('name') or number}"
    return Finding(env, Class.DRIFT, resource, f"tasks in {folder}", "no such job", f"made by {who}, {runs}", mend)


def scope_findings(env: str, refresh: Refresh, scope: Scope, deployer: str) -> list[Finding]:
    """Who may read the scope's secrets though nobody said so, and what lies in it beside what is declared.

    Whoever creates a scope manages it, and that is the deployer.
    """
    return [*_acls(env, refresh, scope, deployer), *_secrets(env, refresh, scope)]


def _acls(env: str, refresh: Refresh, scope: Scope, deployer: str) -> Iterator[Finding]:
    declared = {str(step.inputs.get("principal")).lower() for step in refresh.of("SecretAcl")} | {deployer.lower()}
    for principal, level in sorted(scope.acls.items()):
        if principal.lower() not in declared:
            words = f"databricks secrets delete-acl {scope.name} {principal}"
            resource = f"secret scope {scope.name}"
            yield Finding(
                env,
                Class.DRIFT,
                resource,
                f"ACL of {principal}",
                "nothing",
                level,
                Mend(words, By.ACL, (scope.name, principal)),
            )


def _secrets(env: str, refresh: Refresh, scope: Scope) -> Iterator[Finding]:
    declared = {str(step.inputs.get("key")): step for step in refresh.of("Secret")}
    for key, updated in sorted(scope.secrets.items()):
        resource = f"secret {scope.name}/{key}"
        if key not in declared:
            # A secret's value is read back by nobody: what is deleted is lost.
            mend = Mend(f"databricks secrets delete-secret {scope.name} {key}, once nobody misses it")
            yield Finding(env, Class.DRIFT, resource, "", "no such key", "there", mend)
            continue
        step = declared[key]
        put = step.old.get("lastUpdatedTimestamp")
        if step.new is not None and put and updated != int(put):
            urn = step.urn
            # Replaced without a deletion, which the engine refuses all the same where the resource is protected.
            words = f"pulumi up --ignore-protect --target-replace '**Secret::{step.name}' -s {env}"
            mend = Mend(words, By.REPLACE, (urn,))
            yield Finding(env, Class.DRIFT, named(step), "value", "as deployed", "overwritten since", mend, urn)
