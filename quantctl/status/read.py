"""Reading what `quantctl status` shows: Git, workspace and forge at the same time, each with its own patience."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from infra.errors import without_credentials
from infra.outside import git
from infra.outside.local_edits import Edits, folder_edits
from infra.outside.workspace import GitFolder
from infra.promotion import EDGES, Edge, gates_of
from infra.settings import Settings
from infra.vocabulary import Environment
from quantctl.engine.state import States
from quantctl.errors import UserError
from quantctl.forge import connect
from quantctl.promotion.gates import Facts, Unknown, answer
from quantctl.promotion.read import read
from quantctl.promotion.resume import pending
from quantctl.records import deployments, signoffs
from quantctl.records.deployments import PREFIXES, Record
from quantctl.records.repository import Commit, Pipelines, read_pipelines
from quantctl.records.signoffs import SignOff
from quantctl.stack_settings import stack_settings
from quantctl.status.asking import Patience, PatientForge, PatientWorkspace, Say, at_once, attempt
from quantctl.status.model import Deployed, Drift, DriftVerdict, EdgeStatus, EnvironmentStatus, Status, Workflow
from quantctl.status.runs import by_day, first_day
from quantctl.status.signs import signs
from quantctl.text.links import folder_page, job_page

WORKSPACE_SECONDS = 60.0  # after so long nothing more is asked of the workspace
FindDrift = Callable[[Sequence[str], Mapping[str, str]], Sequence[Any]]


def read_status(days: int, environ: Mapping[str, str], say: Say, find_drift: FindDrift | None = None) -> Status:
    """Everything that can be read; what cannot is an Unknown with the reason.

    `find_drift` is quantctl.drift.find, where the engine is to be asked too.
    """
    with Patience(say) as patience:
        settings = {env: attempt(partial(stack_settings, env, environ)) for env in Environment}
        known = [one for one in settings.values() if isinstance(one, Settings)]
        if not known:
            why = [one.why for one in settings.values() if isinstance(one, Unknown)]
            raise UserError("No environment's settings can be read.", found="; ".join(dict.fromkeys(why)))
        targets = {edge.target for edge in EDGES}
        workspace = PatientWorkspace(WORKSPACE_SECONDS, environ, say)
        patience.reading("the pipelines repository and the workspace")
        begun = at_once(
            {
                "pipelines": partial(read_pipelines, known[0].remote, (*PREFIXES, "approval"), known[0].signers),
                "now": workspace.now,
                **{
                    one.environment: partial(connect, one, environ)
                    for one in known
                    if one.environment in targets or one.gitlab
                },
            }
        )
        pipelines, now = begun["pipelines"], begun["now"]
        at = datetime.datetime.now(datetime.UTC) if isinstance(now, Unknown) else now
        patience.reading("folders, runs and gates")
        world = _World(settings, pipelines, workspace, environ, at, days)
        unset = Unknown("its settings cannot be read")
        forges = {env: PatientForge(begun.get(env, unset), workspace) for env in Environment}
        asks: dict[Any, Callable[[], Any]] = {edge: partial(world.edge, edge, forges[edge.target]) for edge in EDGES}
        asks |= {env: partial(world.environment, env, forges[env]) for env in Environment}
        found = at_once(asks)
        environments = [_whole(env, found[env]) for env in Environment]
        if find_drift is not None:
            patience.reading("every resource, by the engine (--drift)")
            environments = with_drift(environments, find_drift, environ)
    edges = [one if isinstance(one, EdgeStatus) else EdgeStatus(e, one, []) for e in EDGES for one in (found[e],)]
    clock = "this machine" if isinstance(now, Unknown) else "the workspace"
    host = str(environ.get("DATABRICKS_HOST") or environ.get("DATABRICKS_CONFIG_PROFILE") or "")
    return Status(at, clock, without_credentials(known[0].remote), without_credentials(host), days, environments, edges)


class _World:
    """What every environment and every edge is read from."""

    def __init__(
        self,
        settings: Mapping[Environment, Settings | Unknown],
        pipelines: Pipelines | Unknown,
        workspace: PatientWorkspace,
        environ: Mapping[str, str],
        at: datetime.datetime,
        days: int,
    ) -> None:
        self._settings, self._pipelines, self._workspace = settings, pipelines, workspace
        self._environ, self._at, self._days = environ, at, days
        self._states = States(environ)

    def edge(self, edge: Edge, forge: PatientForge) -> EdgeStatus:
        """What would move, and the gates. Where Git cannot be read, those that need no Git still answer."""
        target = _known(self._settings[edge.target])
        asked: Any = forge  # what of a Forge the gates need
        reading = attempt(lambda: read(edge, _known(self._pipelines), self._workspace, asked, self._states))
        if not isinstance(reading, Unknown):
            line, gates = reading.facts.line, answer(edge, reading.gates, reading.facts)
            if isinstance(line, Unknown):
                return EdgeStatus(edge, line, gates)
            return EdgeStatus(edge, list(line.ahead), gates, len(line.foreign))
        why = reading
        facts = Facts(
            now=attempt(self._workspace.now),
            line=why,
            deployed=why,
            soaked=why,
            approvals=why,
            sign_offs=why,
            release_manager=attempt(forge.is_release_manager),
            active=attempt(lambda: self._workspace.active_runs(self._states.of(target.environment).jobs)),
            freezes=target.freezes,
        )
        return EdgeStatus(edge, why, answer(edge, gates_of(edge, target.gates), facts))

    def environment(self, env: Environment, forge: PatientForge) -> EnvironmentStatus:
        """One environment, from Git, the workspace and the forge."""
        settings = _known(self._settings[env])
        asks: dict[str, Callable[[], Any]] = {
            "folder": partial(self._workspace.git_folder, settings.folder),
            "runs": partial(self._runs, settings),
        }
        asked = at_once(asks)
        workflows, left = asked["runs"] if isinstance(asked["runs"], tuple) else (asked["runs"], ())
        pipelines, where = self._pipelines, _deployed(self._pipelines, asked["folder"], self._environ)
        if isinstance(pipelines, Unknown):
            drift = signs(env, where, pipelines, 0, pipelines, None, left)
            return EnvironmentStatus(env, pipelines, where, pipelines, workflows, drift, pipelines, pipelines)
        head = attempt(lambda: _commit(pipelines, pipelines.head(settings.branch)))
        undeployed: Sequence[Commit] | Unknown = []
        on_branch: bool | Unknown = True
        if isinstance(head, Unknown):
            undeployed, on_branch = head, head
        elif isinstance(where, Unknown):
            undeployed = where
        elif where is not None:
            on_branch = pipelines.contains(head.id, where.commit)
            if on_branch:
                undeployed = pipelines.between(where.commit, head.id)
        last = attempt(lambda: deployments.last(pipelines, env))
        edits = self._edits(settings, where) if isinstance(where, Deployed) and where.subject else None
        recorded = last.commit if isinstance(last, Record) else last
        begun = attempt(lambda: pending(pipelines, settings.branch, env))
        return EnvironmentStatus(
            name=env,
            head=head,
            deployed=where,
            undeployed=undeployed,
            workflows=workflows,
            drift=signs(
                env, where, on_branch, 0 if isinstance(undeployed, Unknown) else len(undeployed), recorded, edits, left
            ),
            sign_offs=attempt(lambda: sign_offs(settings, pipelines, where, forge)),
            last=last,
            interrupted=begun if isinstance(begun, Record) else None,
            until=settings.limited_release.until if settings.limited_release else None,
        )

    def _runs(self, settings: Settings) -> tuple[list[Workflow], Sequence[str]]:
        """The runs of the stack's jobs, and what its state says that the last update left."""
        state = self._states.of(settings.environment)
        jobs = state.jobs
        since = first_day(self._at, self._days)
        found = at_once({name: partial(self._workspace.runs, job, since) for name, job in jobs.items()}, threads=8)
        runs = {name: _known(told) for name, told in found.items()}
        flows = by_day(runs, self._workspace.active_runs(jobs), self._at, self._days)
        return [replace(one, page=job_page(self._environ, jobs[one.name])) for one in flows], state.unfinished

    def _edits(self, settings: Settings, where: Deployed) -> Edits | Unknown:
        pipelines = _known(self._pipelines)
        tree = partial(git.tree, pipelines.repository, where.commit)
        return attempt(lambda: folder_edits(self._workspace, settings.folder, pipelines.repository, tree()))


def sign_offs(
    settings: Settings, pipelines: Pipelines, where: Deployed | Unknown | None, forge: PatientForge
) -> Sequence[SignOff]:
    """Tags of the repository, whatever commit they are of; in GitLab comments of the commit that is deployed."""
    if settings.gitlab is None:
        return signoffs.of(pipelines, settings.environment)
    if isinstance(where, Unknown):
        raise UserError(where.why)
    found: Sequence[SignOff] = forge.sign_offs(settings.environment, where.commit) if where and where.commit else []
    return found


def _commit(pipelines: Pipelines, commit: str) -> Commit:
    # https://git-scm.com/docs/gitrevisions: <rev>^! is the commit alone, without its parents
    return pipelines.between(None, f"{commit}^!")[0]


def _deployed(
    pipelines: Pipelines | Unknown, folder: GitFolder | Unknown | None, environ: Mapping[str, str]
) -> Deployed | Unknown | None:
    if folder is None or isinstance(folder, Unknown):
        return folder
    subject = ""
    if not isinstance(pipelines, Unknown) and folder.commit and pipelines.knows(folder.commit):
        subject = _commit(pipelines, folder.commit).subject
    return Deployed(folder.commit, folder.branch, subject, folder_page(environ, folder.id))


def _known(fact: Any) -> Any:
    """A fact that is needed to go on."""
    if isinstance(fact, Unknown):
        raise UserError(fact.why)
    return fact


def _whole(env: Environment, found: EnvironmentStatus | Unknown) -> EnvironmentStatus:
    """Where nothing at all could be read, every fact is that."""
    if isinstance(found, EnvironmentStatus):
        return found
    drift = Drift(DriftVerdict.UNKNOWN, [found.why])
    return EnvironmentStatus(env, found, found, found, found, drift, found, found)


def with_drift(
    environments: Sequence[EnvironmentStatus], find: FindDrift, environ: Mapping[str, str]
) -> list[EnvironmentStatus]:
    """The same with the engine's verdicts in the place of the folder's signs."""
    found = attempt(lambda: {one.environment: one for one in find([one.name.value for one in environments], environ)})
    return [
        EnvironmentStatus(**{**one.__dict__, "drift": _engine(found if isinstance(found, Unknown) else found[one.name])})
        for one in environments
    ]


def _engine(found: Any) -> Drift:
    if isinstance(found, Unknown):
        return Drift(DriftVerdict.UNKNOWN, [found.why])
    return Drift(DriftVerdict(found.verdict.value), [_finding(one) for one in found.findings], full=True)


def _finding(one: Any) -> str:
    """Resource, property, declared and real, as `quantctl drift` says them."""
    what = " ".join(part for part in (one.resource, one.property) if part)
    compared = f"declared {one.declared}, is {one.real}" if one.declared else one.real
    return f"{what}: {compared}"
