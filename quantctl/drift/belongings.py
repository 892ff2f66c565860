"""Jobs, secrets and secret ACLs that nobody declared. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.naming import SECRET_KEY
from infra.service_keys import is_ours
from quantctl.drift.finding import By, Class, Finding, Fix
from quantctl.drift.steps import Refresh

_SCHEDULES = ("schedule", "trigger", "continuous")


@dataclass(frozen=True)
class Scope:
    """The environment's secret scope: principal -> permission, and key -> when it was set, in ms since 1970."""

    name: str
    acls: Mapping[str, str]
    secrets: Mapping[str, int]
    key: str = SECRET_KEY


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
    do = f"`quantctl repair {env}` removes the one that never ran" + ("; --fix only pauses it" if live else "")
    real = f"job {number} too, made by {job.get('creator_user_name') or 'somebody'}" + (", runs by itself" if live else "")
    fix = Fix(do, By.PAUSE, (number,)) if live else Fix(do)
    return Finding(env, Class.DRIFT, f"job {settings.get('name')}", "exists twice", f"job {known}", real, fix)


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
    fix = Fix(do)
    if is_live(settings):
        fix = Fix(f"{do}; --fix only pauses it", By.PAUSE, (number,))
    resource = f"job {settings.get('name') or number}"
    return Finding(env, Class.DRIFT, resource, f"tasks in {folder}", "no such job", f"made by {who}, {runs}", fix)


def scope_findings(env: str, refresh: Refresh, scope: Scope, deployer: str, others: Sequence[str] = ()) -> list[Finding]:
    """Who may read the scope's secrets though nobody said so, and what lies in it beside what is declared, or is missing.

    Whoever creates a scope manages it, and that is the deployer. `others` are the keys of quant:secrets.
    """
    return [*_acls(env, refresh, scope, deployer), *_secrets(env, refresh, scope, others)]


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
                Fix(words, By.ACL, (scope.name, principal)),
            )


def _secrets(env: str, refresh: Refresh, scope: Scope, others: Sequence[str]) -> Iterator[Finding]:
    declared = {str(step.inputs.get("key")) for step in refresh.of("Secret")} | set(others)
    for key in sorted(scope.secrets):
        if key not in declared and not is_ours(key, scope.key):
            # A secret's value is read back by nobody: what is deleted is lost.
            remove = f"`databricks secrets delete-secret {scope.name} {key}`, once nobody misses it"
            fix = Fix(f"{remove}; or name it in quant:secrets")
            yield Finding(env, Class.DRIFT, f"secret {scope.name}/{key}", "", "no such key", "there", fix)
    for key in sorted(set(others) - scope.secrets.keys()):
        fix = Fix(f"`databricks secrets put-secret {scope.name} {key}`; or take it out of quant:secrets")
        yield Finding(env, Class.DRIFT, f"secret {scope.name}/{key}", "", "there", "no such key", fix)
