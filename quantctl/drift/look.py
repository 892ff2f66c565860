"""Look at environments, all at once and reading only: engine, Git, workspace and account. Then `judge` decides."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from infra.errors import UserError as InfraError
from infra.naming import names_of
from infra.outside.account import reach_snowflake
from infra.outside.branch import Snapshot, take_snapshot
from infra.outside.local_edits import Edits, folder_edits
from infra.outside.workspace_connection import reach_databricks
from infra.settings import Settings
from quantctl.drift.account import Account
from quantctl.drift.belongings import Scope
from quantctl.drift.finding import EnvironmentDrift, report, unknown
from quantctl.drift.folder import Folder, deployed_commit
from quantctl.drift.judge import Read, judge
from quantctl.drift.steps import Refresh, Step
from quantctl.drift.unchanged import unchanged
from quantctl.engine import refresh as engine
from quantctl.engine.history import last_failure
from quantctl.engine.lock.backend import folder_of, locks
from quantctl.engine.state import States
from quantctl.stack_settings import stack_settings
from quantctl.workspace import Workspace

_AT_ONCE = 8  # questions to the workspace
SECONDS = 300.0  # for one run of the engine
Say = Callable[[str], None]
T = TypeVar("T")


def find(
    envs: Sequence[str],
    environ: Mapping[str, str],
    *,
    seconds: float = SECONDS,
    thorough: bool = False,
    say: Say = lambda text: None,
) -> list[EnvironmentDrift]:
    """What differs in each environment between what was deployed and what is there. Nothing is changed, nothing hangs.

    `os.environ` must be `environ` (`quantctl.environment.enter`): the SDKs read it. `seconds` limits each run of the engine;
    `thorough` asks the engine about unchanged jobs too.
    """
    return [judge(read) if isinstance(read, Read) else read for read in look(envs, environ, seconds, thorough, say)]


def look(
    envs: Sequence[str], environ: Mapping[str, str], seconds: float, thorough: bool, say: Say
) -> list[Read | EnvironmentDrift]:
    """What was read of each environment; or at once that it is unknown, where there is nothing to ask about."""
    with ThreadPoolExecutor(3 + 8 * len(envs)) as pool:  # most of these threads wait for somebody else
        reached = [pool.submit(_tried, partial(reach, environ)) for reach in (reach_databricks, reach_snowflake)]
        chosen = {env: _tried(partial(stack_settings, env, environ)) for env in envs}
        silent = tuple(reason for task in reached if (reason := task.result()))
        if silent:
            return [report(env, [unknown(env, "the environment", reason) for reason in silent]) for env in chosen]
        world = _World(environ, seconds, thorough, say, pool)
        reading = {env: world.read(settings) for env, settings in chosen.items() if isinstance(settings, Settings)}
        try:
            return [
                reading[env]() if isinstance(settings, Settings) else report(env, [unknown(env, "its settings", settings)])
                for env, settings in chosen.items()
            ]
        finally:
            world.close()


class _World:
    """What all environments share: the workspace with its list of jobs, the account, and how many engines run at once."""

    def __init__(
        self, environ: Mapping[str, str], seconds: float, thorough: bool, say: Say, pool: ThreadPoolExecutor
    ) -> None:
        self._environ, self._seconds, self._thorough, self._say, self._pool = environ, seconds, thorough, say, pool
        self._engines = threading.Semaphore(max(2, os.cpu_count() or 2))
        self._states = States(environ, seconds)
        self._workspace = Workspace(environ, say=say)
        self._account = pool.submit(_tried, partial(Account, environ))
        self._jobs = pool.submit(_tried, self._workspace.jobs)

    def read(self, settings: Settings) -> Callable[[], Read]:
        """Begin to read one environment; what is returned waits for it."""
        env = settings.environment.value
        names, database = names_of(settings), settings.database.upper()
        refresh = self._pool.submit(self._refresh, env)
        snapshot = self._pool.submit(_tried, partial(take_snapshot, settings.remote, settings.branch))
        edits = self._pool.submit(self._edits, settings.folder, snapshot)
        scope = self._pool.submit(_tried, partial(read_scope, self._workspace, names.secret_scope, names.secret_key))
        held = self._pool.submit(self._with, self._account, lambda account: account.held(database, names))
        last = self._pool.submit(_tried, partial(last_failure, env, self._states))
        locked = self._pool.submit(_tried, partial(locked_by, env, self._environ))
        folder = self._pool.submit(_tried, partial(read_folder, self._workspace, settings.folder))

        def wait() -> Read:
            seen, branch = refresh.result(), snapshot.result()
            ended, held_by = last.result(), locked.result()
            if isinstance(held_by, str):
                seen = replace(seen, errors=(*seen.errors, held_by))
            seen = replace(seen, errors=(*seen.errors, ended)) if isinstance(ended, str) else replace(seen, last=ended)
            ahead = branch.ahead_of(deployed_commit(seen)) if isinstance(branch, Snapshot) else None
            return Read(
                settings,
                seen,
                branch,
                ahead,
                self._jobs.result(),
                edits.result(),
                scope.result(),
                held.result(),
                folder.result(),
            )

        return wait

    def close(self) -> None:
        """Log out of the account."""
        account = self._account.result()
        if isinstance(account, Account):
            _tried(account.close)

    def _refresh(self, env: str) -> Refresh:
        held = engine.state(env, self._states)
        if isinstance(held, str):
            return Refresh(errors=(held,))
        skipped = [] if self._thorough else self._unchanged(held.steps)
        with self._engines:
            asked, of = len(held.steps) - len(skipped), len(held.steps)
            self._say(f"{env}: asking the engine about {asked} of {of} resources ...")
            return engine.look(env, self._environ, held, skipped, self._seconds)

    def _unchanged(self, held: Sequence[Step]) -> list[Step]:
        """Jobs and their permissions about which the engine need not be asked."""
        listed = self._jobs.result()
        if isinstance(listed, str):
            return []
        declared = {str(step.old.get("id")) for step in held if step.type == "Job"}
        jobs = {str(job["job_id"]): job.get("settings") or {} for job in listed if str(job["job_id"]) in declared}
        return unchanged(held, jobs, self._permissions(jobs))

    def _permissions(self, jobs: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
        """Who may do what with each job; one that cannot be asked about is left out, and the engine judges it."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            asked = {job: pool.submit(_tried, partial(self._workspace.permissions, "jobs", job)) for job in jobs}
        found = {job: answer.result() for job, answer in asked.items()}
        return {job: told for job, told in found.items() if not isinstance(told, str)}

    def _edits(self, folder: str, snapshot: Future[Snapshot | str]) -> Edits | str:
        at = snapshot.result()
        if isinstance(at, str):
            return Edits()  # told once, as the branch that cannot be read
        return _tried(partial(read_edits, self._workspace, folder, at))

    @staticmethod
    def _with(client: Future[T | str], ask: Callable[[T], Any]) -> Any:
        """What a client answers, or the reason why not."""
        connected = client.result()
        return connected if isinstance(connected, str) else _tried(partial(ask, connected))


def read_edits(workspace: Workspace, path: str, snapshot: Snapshot) -> Edits:
    """Files of the Git folder that are not as the commit has them that it is at; none where there is no folder."""
    folder = workspace.git_folder(path)
    if folder is None:
        return Edits()
    tree = snapshot.tree_at(folder.commit) or snapshot.tree_anywhere(folder.commit)
    if tree is None:
        raise InfraError(f"it is at {folder.commit[:12]}, which is on no branch, so local edits are unknown")
    return folder_edits(workspace, path, snapshot.repository, tree)


def locked_by(env: str, environ: Mapping[str, str]) -> str | None:
    """Why nothing is certain now: an update runs, or was killed. Asked of a folder alone, where it costs nothing."""
    if folder_of(environ) is None or not (held := locks(env, dict(environ))):
        return None
    return f"the stack is locked by {held[0].owner}: an update runs, or was killed (quantctl lock {env})"


def read_folder(workspace: Workspace, path: str) -> Folder:
    """The Git folder that really is at the environment's path, and who has what of it from the folders above."""
    found = workspace.git_folder(path)
    return Folder() if found is None else Folder(found, tuple(workspace.permissions("repos", found.id)))


def read_scope(workspace: Workspace, name: str, key: str) -> Scope | None:
    """The secret scope; None when there is none, which the engine tells."""
    if name not in workspace.secret_scopes():
        return None
    return Scope(name, workspace.secret_acls(name), workspace.secrets(name), key)


def _tried(ask: Callable[[], T]) -> T | str:
    """The answer, or the reason why there is none, on one line."""
    try:
        return ask()
    except (InfraError, OSError, ValueError) as error:
        return one_line(error)
    except (LookupError, TypeError) as error:  # an answer without a field that the documentation has
        return f"an answer was not understood: {error!r}"
    except Exception as error:
        # Most of a second to load, unless this is one of its own: whoever asks the workspace does not wait for it.
        from snowflake.connector.errors import Error

        if not isinstance(error, Error):
            raise
        return one_line(error)


def one_line(error: Exception) -> str:
    """What it says, or what it is."""
    return " ".join(str(error).split())[:600] or type(error).__name__
