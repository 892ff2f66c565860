"""Before and after an update: what it is about to create, or has created, may be there already and in no state.

An answer that was lost after the handler ran leaves no pending operation; so each planned create is looked for.
"""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from infra.errors import without_credentials
from infra.outside.workspace_connection import Missing
from infra.what_if import LOOKING
from quantctl.drift.account import asking
from quantctl.engine import twins
from quantctl.engine.history import last_failure
from quantctl.engine.interrupted import ID_FROM_INPUTS, Operation, take_in
from quantctl.engine.process import run
from quantctl.engine.state import JOB, State, States
from quantctl.engine.twins import There, Update, Verdict
from quantctl.errors import UserError
from quantctl.workspace import Workspace

_SECONDS = 20
_REPO, _SCOPE = "databricks:index/repo:Repo", "databricks:index/secretScope:SecretScope"
# https://docs.snowflake.com/en/sql-reference/sql/show: each has name, created_on and owner
_SHOWN = {
    "snowflake:index/accountRole:AccountRole": "ROLES",
    "snowflake:index/databaseRole:DatabaseRole": "DATABASE ROLES IN DATABASE {database}",
    "snowflake:index/networkPolicy:NetworkPolicy": "NETWORK POLICIES",
    "snowflake:index/resourceMonitor:ResourceMonitor": "RESOURCE MONITORS",
    "snowflake:index/schema:Schema": "SCHEMAS IN DATABASE {database}",
    "snowflake:index/serviceUser:ServiceUser": "USERS",
    "snowflake:index/warehouse:Warehouse": "WAREHOUSES",
}
_EPOCH = datetime.datetime.fromtimestamp(0, datetime.UTC)
Say = Callable[[str], None]
Json = dict[str, Any]


def creates_of_plan(engine: Json) -> list[Operation]:
    """What a plan of the engine's (`preview --save-plan`) would create. Pure."""
    found = []
    for urn, one in (engine.get("resourcePlans") or {}).items():
        goal = one.get("goal") or {}
        if one.get("steps") == ["create"] and goal.get("custom", True):
            inputs = (goal.get("inputDiff") or {}).get("adds") or {}
            found.append(Operation("creating", urn, str(goal.get("type")), inputs, *_place(goal)))
    return found


def creates_of_preview(said: Json) -> list[Operation]:
    """What `preview --json` says that would be created. Pure."""
    found = []
    for step in said.get("steps") or []:
        new = step.get("newState") or {}
        if step.get("op") == "create" and new.get("custom"):
            found.append(Operation("creating", step["urn"], str(new.get("type")), new.get("inputs") or {}, *_place(new)))
    return found


def _place(resource: Mapping[str, Any]) -> tuple[str, str]:
    return str(resource.get("parent", "")), str(resource.get("provider", ""))


def previewed(env: str, environ: dict[str, str]) -> list[Operation]:
    """What an update would create now.

    Raises:
        UserError: the preview failed.
    """
    done = run(["preview", "--json", "-s", env], {**environ, LOOKING: "true"}, must=False)
    if done.code != 0:
        raise UserError(f"What an update of {env} would create is unknown: {done.reason}", do_next=f"quantctl preview {env}")
    return creates_of_preview(json.loads(done.out))


def needs_a_look(env: str, states: States) -> bool:
    """Whether the last update of a stack did not end well, so that something may be there that no state holds."""
    return last_failure(env, states) is not None


def settle(
    env: str,
    creates: Sequence[Operation],
    states: States,
    say: Say,
    *,
    change: bool = True,
    since: datetime.datetime | None = None,
) -> int:
    """Before an update: take in what is surely ours, remove jobs that are there twice; how many of both.

    `since` is from when on the state may lack something, where the history of its updates does not say it.

    Raises:
        UserError: something is there that is not surely ours, and the create would be refused; or it cannot be read.
    """
    wanted = [one for one in creates if one.type in (JOB, _REPO, _SCOPE) or one.type in _SHOWN]
    done, environ = 0, states.environ
    if wanted:
        workspace = Workspace(environ, seconds=_SECONDS)
        update = _update(env, workspace, states, since)
        with asking(environ) as shown:
            verdicts = [(one, _judged(one, workspace, shown, update)) for one in wanted]
        _need_none(env, [verdict for _, verdict in verdicts], say)
        for operation, verdict in verdicts:
            done += _carry_out(operation, verdict, env, environ, workspace, say if change else _would(say), change)
    return done + after(env, states, say, change=change)


def after(env: str, states: States, say: Say, *, change: bool = True, since: datetime.datetime | None = None) -> int:
    """After an update: remove jobs that a repeated request made beside those of the state, unless they ran; how many.

    `since` is when the update began; without it, what no update has made good since.

    Raises:
        UserError: one has run, so a person decides.
    """
    if not (names := states.of(env).job_names):
        return 0
    workspace = Workspace(states.environ, seconds=_SECONDS)
    listed = workspace.jobs()
    if not _spare(listed, names):
        return 0
    states.forget(env)  # a job that somebody's update made meanwhile is in the state by now
    if not (spare := _spare(listed, states.of(env).job_names)):
        return 0
    update = Update(_me(workspace), since) if since else _update(env, workspace, states)
    removed, verdicts = 0, []
    for name in sorted({str(job["settings"]["name"]) for job in spare}):
        of_name = [_job(job, workspace) for job in spare if job["settings"]["name"] == name]
        verdicts.append(twins.beside(f"job {name}", of_name, update))
    for verdict in verdicts:
        removed += _remove(verdict, workspace, say if change else _would(say), change)
    _need_none(env, verdicts, say)
    return removed


def delete_again(env: str, before: State, states: States, say: Say) -> None:
    """After an update: delete the jobs that it took out of the state and that are there still.

    The provider believes a proxy that answers 200 with a page of its own; ids of `before` were ours.

    Raises:
        UserError: the workspace cannot be asked.
    """
    workspace = Workspace(states.environ, seconds=_SECONDS)
    for name, job in before.jobs.items():
        if job not in states.of(env).jobs.values():
            with contextlib.suppress(Missing):
                workspace.job(str(job))
                say(f"deleting job {name} ({job}) again: it was there although its deletion was confirmed")
                workspace.delete_job(str(job))


def _spare(listed: Sequence[Json], names: Mapping[str, int]) -> list[Json]:
    """Jobs that are called as one of the state's and are another one."""
    of_name = [job for job in listed if (job.get("settings") or {}).get("name") in names]
    return [job for job in of_name if int(job["job_id"]) not in names.values()]


def _judged(one: Operation, workspace: Workspace, shown: Callable[[str], list[Json]], update: Update) -> Verdict:
    there = _there(one, workspace, shown, update)
    return twins.planned(f"{one.name} ({_called(one)})", there, update, unique=one.type != JOB)


def _called(one: Operation) -> str:
    return str(one.inputs.get("path") or one.inputs.get("name"))


def _there(one: Operation, workspace: Workspace, shown: Callable[[str], list[Json]], update: Update) -> list[There]:
    """What is where the operation would create something."""
    name = str(one.inputs.get("name"))
    if one.type == JOB:
        # The query knows no upper case.
        return [_job(job, workspace) for job in workspace.jobs(name=name) if job["settings"].get("name") == name]
    if one.type == _REPO:
        folder = workspace.git_folder(str(one.inputs["path"]).removeprefix("/Workspace"))
        return [There(str(folder.id), like=_our_clone(one, folder.id, workspace, update))] if folder else []
    if one.type == _SCOPE:
        if name not in workspace.secret_scopes():
            return []
        # Whoever creates a scope manages it.
        managers = {who.lower() for who, level in workspace.secret_acls(name).items() if level == "MANAGE"}
        return [There(name, like=bool(managers & update.me) and not workspace.secrets(name))]
    of_name = [row for row in shown(_SHOWN[one.type].format(**one.inputs)) if str(row["name"]) == name]
    identity = ID_FROM_INPUTS[one.type].format(**one.inputs)
    return [There(identity, row["created_on"].astimezone(datetime.UTC), str(row.get("owner"))) for row in of_name]


def _our_clone(one: Operation, number: int, workspace: Workspace, update: Update) -> bool:
    """Of the repository that is declared, and made by us: whoever makes a Git folder manages it, by an entry of its own."""
    ours = without_credentials(str(workspace.repo(number).get("url"))) == without_credentials(str(one.inputs.get("url")))
    managers = {
        str(entry.get("service_principal_name") or entry.get("user_name") or "").lower()
        for entry in workspace.permissions("repos", number)
        for level in entry.get("all_permissions") or []
        if level.get("permission_level") == "CAN_MANAGE" and not level.get("inherited")
    }
    return ours and bool(managers & update.me)


def _job(job: Json, workspace: Workspace) -> There:
    made = datetime.datetime.fromtimestamp(int(job.get("created_time", 0)) / 1000, datetime.UTC)
    ran = bool(workspace.runs(int(job["job_id"]), _EPOCH))
    return There(str(job["job_id"]), made, str(job.get("creator_user_name") or ""), ran=ran)


def _update(env: str, workspace: Workspace, states: States, since: datetime.datetime | None = None) -> Update:
    me = _me(workspace) | {states.environ.get("SNOWFLAKE_ROLE", "").lower()}
    if since is not None:
        return Update(me, since)
    last = last_failure(env, states)
    if isinstance(last, str):
        raise UserError(
            f"Whether the last update of {env} ended well is unknown: {last}", do_next=f"pulumi stack history -s {env}"
        )
    since = datetime.datetime.fromisoformat(last.since).astimezone(datetime.UTC) if last and last.since else None
    return Update(me, since)


def _me(workspace: Workspace) -> frozenset[str]:
    return frozenset({str(workspace.me().get("userName", "")).lower()})


def _need_none(env: str, verdicts: Sequence[Verdict], say: Say) -> None:
    for verdict in verdicts:
        if verdict.tell:
            say(verdict.tell)
    if stopping := [verdict.stop for verdict in verdicts if verdict.stop]:
        raise UserError(
            f"{env} is not updated: something is there that is in nobody's state.\n  " + "\n  ".join(stopping),
            expected="what an update creates is not there, or was made by an update of ours that failed",
            do_next="look at it; rename or delete it if nobody needs it, else `pulumi import` it (docs/state.md)",
        )


def _carry_out(
    operation: Operation, verdict: Verdict, env: str, environ: dict[str, str], workspace: Workspace, say: Say, change: bool
) -> int:
    done = _remove(verdict, workspace, say, change)
    if verdict.take:
        say(f"taking {operation.name} into the state: an update that failed had made it ({verdict.take})")
        if change:
            take_in(operation, verdict.take, env, environ)
        done += 1
    return done


def _remove(verdict: Verdict, workspace: Workspace, say: Say, change: bool) -> int:
    for job in verdict.remove:
        say(f"removing job {job}: a repeated request made it, and it never ran")
        if change:
            with contextlib.suppress(Missing):
                workspace.delete_job(job)
    return len(verdict.remove)


def _would(say: Say) -> Say:
    return lambda text: say(f"would be done: {text}")
