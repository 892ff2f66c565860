"""Read what a team runs by hand, in the workspace and in the account. Nothing is changed.

Whoever looks has to see it: a workspace administrator, and a Snowflake role that is shown the whole schema.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from infra.errors import without_credentials
from infra.naming import names_of
from infra.outside.branch import Snapshot, take_snapshot
from infra.outside.local_edits import folder_edits
from infra.settings import Settings
from infra.vocabulary import Persona
from quantctl.adopt import account_look
from quantctl.adopt.model import Entry, Folder, Job, Json, Look, Scope
from quantctl.drift.account import Account
from quantctl.drift.belongings import lies_in
from quantctl.engine.lock.backend import locks
from quantctl.engine.state import STACK, States, name_of
from quantctl.errors import UserError
from quantctl.workspace import Workspace

_AT_ONCE = 8
_DAYS = 30  # of runs that are remembered
_KINDS = {"user_name": "user", "group_name": "group", "service_principal_name": "servicePrincipal"}
Say = Callable[[str], None]


def look(settings: Settings, environ: dict[str, str], say: Say) -> Look:
    """Everything that is there of an environment.

    Raises:
        UserError: something could not be read; what is not known is never taken for "not there".
    """
    env = settings.environment.value
    workspace = Workspace(environ, say=say)
    say("reads the workspace")
    seen = read_workspace(settings, workspace)
    say("reads the account")
    account = _account(environ)
    try:
        found = account_look.read(account, settings)
    finally:
        account.close()
    state = States(environ).of(env)
    held = [name_of(one) for one in state.resources if one.get("type") != STACK and one.get("custom")]
    return Look(
        environment=env,
        at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        deployer=settings.deployer,
        folder=seen.folder,
        jobs=seen.jobs,
        scope=seen.scope,
        groups=workspace.members(),
        managed_groups=_managed(settings, workspace),
        holds=[name for name in held if not name.startswith("default")],
        locked=", ".join(lock.owner for lock in locks(env, environ)),
        **found,
    )


def _managed(settings: Settings, workspace: Workspace) -> dict[str, str]:
    """The personas' groups that are there, where the stack would make them."""
    names = [settings.names(persona).group for persona in Persona]
    return workspace.group_ids(names) if settings.groups == "managed" else {}


@dataclass(frozen=True)
class InWorkspace:
    """The part of a look that the workspace tells."""

    folder: Folder | None
    jobs: list[Job]
    scope: Scope | None


def read_workspace(settings: Settings, workspace: Workspace) -> InWorkspace:
    """The Git folder, the jobs that belong to it, and the secret scope."""
    listed = workspace.jobs()
    folder = _folder(settings, workspace, listed)
    return InWorkspace(folder, _jobs(settings, folder, workspace, listed), _scope(settings, workspace))


def _account(environ: Mapping[str, str]) -> Account:
    import snowflake.connector.errors

    try:
        return Account(environ)
    except (snowflake.connector.errors.Error, ValueError) as error:
        raise UserError(
            f"The Snowflake account does not let this shell in: {' '.join(str(error).split())[:300]}",
            do_next="set SNOWFLAKE_USER, SNOWFLAKE_ROLE and its key; a look needs a role that sees the schema",
        ) from None


def _folder(settings: Settings, workspace: Workspace, listed: Iterable[Json]) -> Folder | None:
    """The Git folder at the path that the settings say, or where the jobs' files are."""
    path = settings.folder
    there = workspace.git_folder(path)
    if there is None:
        candidates = [one for one in where_jobs_run(listed, settings.branch) if workspace.git_folder(one)]
        if len(candidates) > 1:
            raise UserError(
                f"{settings.environment}: two Git folders are called {settings.branch}: {', '.join(candidates)}.",
                do_next=f"say which one is the environment's: quant:folder in Pulumi.{settings.environment}.yaml",
            )
        if not candidates:
            return None
        path = candidates[0]
        there = workspace.git_folder(path)
        assert there is not None
    remote = without_credentials(str(workspace.repo(there.id).get("url")))
    if remote.removesuffix(".git") != without_credentials(settings.remote).removesuffix(".git"):
        raise UserError(
            f"{settings.environment}: the Git folder {path} is a clone of {remote}, not of the pipelines repository.",
            expected=without_credentials(settings.remote),
            do_next="set quant:remote (or QUANT_REMOTE) to the repository that the folder is cloned from",
        )
    snapshot = take_snapshot(settings.remote, settings.branch)
    tree = snapshot.tree_at(there.commit) or snapshot.tree_anywhere(there.commit)
    if tree is None:
        edited = [f"its commit {there.commit[:12]} is on no branch"]
    else:
        edits = folder_edits(workspace, path, snapshot.repository, tree)
        edited = [*edits.edited, *(f"{file} (unknown: {why})" for file, why in (edits.unknown or {}).items())]
    above = path.rsplit("/", 1)[0]
    parent = workspace.directory(above) if above else None
    return Folder(
        id=there.id,
        path=path,
        branch=there.branch,
        commit=there.commit,
        acl=entries(workspace.permissions("repos", there.id)),
        parent=parent or 0,
        parent_acl=entries(workspace.permissions("directories", parent)) if parent else [],
        edited=edited,
        head=snapshot.commit,
        code_differs=_code_differs(snapshot, there.commit, settings.workflows),
    )


def _code_differs(snapshot: Snapshot, commit: str, workflows: str) -> list[str]:
    """Files that differ between the folder's commit and the branch's head, but for workflow files."""
    if commit == snapshot.commit:
        return []
    there = snapshot.tree_at(commit)
    if there is None:
        return [f"the commit {commit[:12]} itself, which is not in the branch's history"]
    paths = {*there, *snapshot.tree}
    differ = sorted(path for path in paths if there.get(path) != snapshot.tree.get(path))
    return [path for path in differ if not path.startswith(f"{workflows}/")]


def where_jobs_run(listed: Iterable[Json], branch: str) -> list[str]:
    """Folders called as the branch in which tasks have files; nobody's own. Pure."""
    found: set[str] = set()
    for text in _texts([job.get("settings") for job in listed]):
        path = text.removeprefix("/Workspace")
        if path.startswith("/") and f"/{branch}/" in path and not path.startswith(("/Users/", "/Repos/", "/Shared/Users/")):
            found.add(path[: path.index(f"/{branch}/") + len(branch) + 1])
    return sorted(found)


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _jobs(settings: Settings, folder: Folder | None, workspace: Workspace, listed: list[Json]) -> list[Job]:
    if folder is None:
        return []
    chosen = belonging(listed, folder.path, settings.remote, settings.branch)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return sorted(pool.map(partial(_job, workspace), chosen), key=lambda job: job.name)


def belonging(listed: Iterable[Json], folder: str, remote: str, branch: str) -> list[int]:
    """Ids of the jobs whose tasks lie in the folder, that run its branch from Git, or that only run such jobs. Pure."""
    jobs = {int(one["job_id"]): one.get("settings") or {} for one in listed}
    found = {number for number, job in jobs.items() if lies_in(job, folder) or _from_git(job, remote, branch)}
    while more := {number for number, job in jobs.items() if number not in found and _runs_only(job, found)}:
        found |= more
    return sorted(found)


def _from_git(job: Json, remote: str, branch: str) -> bool:
    source = job.get("git_source") or {}
    url = without_credentials(str(source.get("git_url") or "")).removesuffix(".git")
    return bool(url) and url == without_credentials(remote).removesuffix(".git") and source.get("git_branch") == branch


def _runs_only(job: Json, known: set[int]) -> bool:
    runs = [task.get("run_job_task") for task in job.get("tasks") or []]
    return bool(runs) and all(one and int(one.get("job_id") or 0) in known for one in runs)


def _job(workspace: Workspace, number: int) -> Job:
    job = workspace.job(number)
    since = workspace.now() - datetime.timedelta(days=_DAYS)
    runs = workspace.runs(number, since)
    acl = entries(workspace.permissions("jobs", number))
    owners = [entry.who for entry in acl if entry.level == "IS_OWNER"]
    return Job(
        id=number,
        settings=job.get("settings") or {},
        owner=owners[0] if owners else str(job.get("creator_user_name") or ""),
        run_as=str(job.get("run_as_user_name") or ""),
        acl=acl,
        runs=sorted(run.run_id for run in runs),
        active=sorted(run.run_id for run in runs if not run.result),
    )


def entries(listed: Iterable[Json]) -> list[Entry]:
    """An answer of the permissions API without what is inherited. Pure."""
    return [
        Entry(who=str(one[key]), kind=kind, level=str(level["permission_level"]))
        for one in listed
        for key, kind in _KINDS.items()
        if one.get(key)
        for level in one.get("all_permissions") or []
        if not level.get("inherited")
    ]


def _scope(settings: Settings, workspace: Workspace) -> Scope | None:
    """The scope that the settings name, or the one that the jobs' principal may read."""
    scopes, wanted = workspace.secret_scopes(), names_of(settings).secret_scope
    if wanted not in scopes:
        principal = settings.service_principal.lower()
        read = [one for one in scopes if principal in {who.lower() for who in workspace.secret_acls(one)}]
        if len(read) > 1:
            raise UserError(
                f"{settings.environment}: the service principal reads several secret scopes: {', '.join(read)}.",
                do_next=f"say which one holds the key: quant:names.secretScope in Pulumi.{settings.environment}.yaml",
            )
        if not read:
            return None
        wanted = read[0]
    return Scope(name=wanted, acls=workspace.secret_acls(wanted), secrets=workspace.secrets(wanted))
