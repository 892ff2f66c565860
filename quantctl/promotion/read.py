"""Reading what the gates of an edge are told: Git, the workspace and the forge, at the same time."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from infra.errors import UserError as InfraError
from infra.naming import names_of
from infra.outside.workspace import Run
from infra.promotion import Edge, Gates, gates_of
from infra.settings import Settings
from infra.workflows import Files, read_workflows
from quantctl.engine.history import last_change
from quantctl.engine.state import States
from quantctl.errors import UserError
from quantctl.forge import Approvals, Forge, Verdict
from quantctl.promotion import move, soak
from quantctl.promotion.gates import Facts, Line, Soaked, Unknown
from quantctl.promotion.namesakes import namesakes
from quantctl.promotion.results_gate import ResultsSeen
from quantctl.records import deployments
from quantctl.records.repository import Commit, Pipelines
from quantctl.results.recorded import seen
from quantctl.stack_settings import stack_settings
from quantctl.text.plain import one_line
from quantctl.workspace import Workspace

T = TypeVar("T")


@dataclass(frozen=True)
class Side:
    """One environment of an edge."""

    settings: Settings
    head: str
    deployed: str | Unknown | None


@dataclass(frozen=True)
class Reading:
    """An edge as it is now."""

    edge: Edge
    gates: Gates
    pipelines: Pipelines
    source: Side
    target: Side
    facts: Facts


def read(
    edge: Edge,
    pipelines: Pipelines,
    workspace: Workspace,
    forge: Forge,
    states: States,
    heads: tuple[str, str] | None = None,
) -> Reading:
    """Everything that the edge's gates need; of the two branches as they are, or of `heads` (source, target).

    Raises:
        UserError: a branch is missing, or the settings are wrong; what else cannot be read is an Unknown fact.
    """
    source, target = (stack_settings(env, states.environ) for env in (edge.source, edge.target))
    head, below = heads or (pipelines.head(source.branch), pipelines.head(target.branch))
    with ThreadPoolExecutor(10) as pool:
        line = pool.submit(_try, lambda: line_of(pipelines, head, below))
        now = pool.submit(_try, workspace.now)
        at_source = pool.submit(_try, lambda: deployed_commit(workspace, source))
        at_target = pool.submit(_try, lambda: deployed_commit(workspace, target))
        vouched = pool.submit(_try, lambda: forge.vouches_for("deployment", edge.source))
        state = pool.submit(_try, lambda: states.of(source.environment))
        listed = pool.submit(_try, workspace.jobs)

        def soaked_since() -> list[Soaked]:
            answer, time, commit = _known(vouched.result()), _known(now.result()), _known(at_source.result())
            if answer.verdict is not Verdict.YES:
                raise UserError(f"{answer.evidence}.")
            if left := _known(state.result()).unfinished:
                raise UserError(f"{edge.source} is not whole: {left[0]}. `quantctl up {edge.source}` finishes it.")
            asked = _Soak(source, target, time, pipelines, workspace, states)
            return [] if commit is None else asked.of(commit, _known(state.result()).jobs, created(_known(listed.result())))

        soaked = pool.submit(_try, soaked_since)
        active = pool.submit(_try, lambda: workspace.active_runs(states.of(target.environment).jobs))
        approvals = pool.submit(_try, lambda: _approvals(forge, edge, pipelines, line.result()))
        promoter = pool.submit(_try, forge.is_release_manager)
        signed = pool.submit(_try, lambda: list(forge.sign_offs(edge.source, head)))

        def results_seen() -> ResultsSeen | None:
            if not gates_of(edge, target.gates).results_days:
                return None
            answer = forge.vouches_for("results", edge.source)
            if answer.verdict is not Verdict.YES:
                raise UserError(f"{answer.evidence}.")

            def runs(env: str, workflow: str, since: datetime.datetime) -> list[Run]:
                job = states.of(env).jobs.get(workflow)
                return [] if job is None else workspace.runs(job, since)

            return seen(pipelines, edge.source, edge.target, head, lambda: _known(signed.result()), runs)

        results = pool.submit(_try, results_seen)
        vetoes = pool.submit(_try, lambda: _vetoes(forge, edge, pipelines, line.result()))
        others = pool.submit(_try, lambda: namesakes(_known(state.result()).job_names, _known(listed.result())))
    signatures = signed.result()
    facts = Facts(
        now=now.result(),
        line=line.result(),
        deployed=at_source.result(),
        soaked=soaked.result(),
        approvals=approvals.result(),
        sign_offs=signatures if isinstance(signatures, Unknown) else [str(one) for one in signatures],
        signed=() if isinstance(signatures, Unknown) else signatures,
        results=results.result(),
        release_manager=promoter.result(),
        active=active.result(),
        freezes=target.freezes,
        vetoes=vetoes.result(),
        namesakes=others.result(),
    )
    sides = Side(source, head, at_source.result()), Side(target, below, at_target.result())
    return Reading(edge, gates_of(edge, target.gates), pipelines, *sides, facts)


def line_of(pipelines: Pipelines, source: str, target: str) -> Line:
    """How two heads stand to each other. What a rollback took back is waiting again."""
    foreign, present = pipelines.foreign(target, source), set()
    if foreign:
        present = pipelines.present(target, source)
    contained, same = pipelines.contains(source, target), pipelines.tree(source) == pipelines.tree(target)
    base = target if contained else pipelines.trees(source).get(pipelines.tree(target), target)
    return Line(
        source,
        target,
        pipelines.between(base, source),
        [commit for commit in foreign if commit.id not in present],
        [commit for commit in foreign if commit.id in present],
        *_reverted(pipelines, source, target, base),
        same,
    )


def _reverted(pipelines: Pipelines, source: str, target: str, base: str) -> tuple[list[Commit], Commit | None]:
    """What of the source the target had and has taken back, and with what: its content is older than what they share."""
    shared = pipelines.merge_base(source, target)
    if shared in (None, base, target) or not pipelines.contains(str(shared), base):
        return [], None
    back = pipelines.between(base, str(shared))
    alone = pipelines.between(source, target)
    return (back, alone[0]) if back and alone else ([], None)


def deployed_commit(workspace: Workspace, settings: Settings) -> str | None:
    """Where the environment's Git folder is; None before the first deployment."""
    folder = workspace.git_folder(settings.folder)
    return folder.commit if folder else None


def definitions(pipelines: Pipelines, settings: Settings, commit: str) -> list[dict[str, Any]]:
    """The environment's jobs as they are at a commit, as Jobs API settings."""
    blobs = pipelines.blobs(commit)
    files = Files(blobs, settings.workflows, lambda paths: pipelines.read_all(commit, paths))
    return read_workflows(files, frozenset(blobs), settings, names_of(settings))


@dataclass(frozen=True)
class _Soak:
    """How long the source's workflows have run as the target will get them."""

    source: Settings
    target: Settings
    now: datetime.datetime
    pipelines: Pipelines
    workspace: Workspace
    states: States

    def of(self, commit: str, jobs: Mapping[str, int], made: Mapping[int, datetime.datetime]) -> list[Soaked]:
        """Every workflow of the deployed commit; `jobs` are the stack's, `made` is when the workspace got each job."""
        env, current = self.source.environment, self._identities(commit)

        @cache
        def identities_at(at: str) -> dict[str, str] | None:
            try:
                return current if at == commit else self._identities(at)
            except InfraError:  # what cannot be expanded any more is not the same
                return None

        recorded = deployments.records(self.pipelines, "deployment", env, self.now)
        told = recorded and recorded[-1].commit == commit
        unrecorded = None if told else last_change(self.states.history(env))
        found = []
        for workflow in sorted(current):
            begun = soak.since(workflow, commit, recorded, identities_at, unrecorded)
            if begun is None or workflow not in jobs:
                unknown = f"nothing tells when {commit[:12]} was deployed"
                found.append(Soaked(workflow, None, note="has no job of this stack" if workflow not in jobs else unknown))
            else:
                begun = max(begun, made.get(jobs[workflow], begun))  # no record is believed against the workspace
                found.append(Soaked(workflow, begun, self.workspace.runs(jobs[workflow], begun)))
        return found

    def _identities(self, commit: str) -> dict[str, str]:
        here, there = (definitions(self.pipelines, one, commit) for one in (self.source, self.target))
        return soak.identities(here, self.pipelines.blobs(commit), self.source.workflows, there)


def created(jobs: Iterable[Mapping[str, Any]]) -> dict[int, datetime.datetime]:
    """Job id -> when the workspace got it, where it says so."""
    times = ((int(job["job_id"]), job.get("created_time")) for job in jobs)
    return {id: datetime.datetime.fromtimestamp(at / 1000, datetime.UTC) for id, at in times if isinstance(at, int)}


def _approvals(forge: Forge, edge: Edge, pipelines: Pipelines, line: Line | Unknown) -> Approvals:
    if isinstance(line, Unknown):
        raise UserError(line.why)
    found = _way(forge, edge, pipelines, line)
    given = forge.approvals(found.branch, edge.target, found.commit, writers(line.ahead))
    known = forge.knows_authors()
    if known.verdict is not Verdict.YES:
        names = ", ".join(one.by for one in given.given) or "nobody"
        raise UserError(f"{known.evidence}. Approved by {names}.")
    return given


def _vetoes(forge: Forge, edge: Edge, pipelines: Pipelines, line: Line | Unknown) -> Sequence[str] | None:
    if not forge.merge_requests:
        return None
    if isinstance(line, Unknown):
        raise UserError(line.why)
    found = _way(forge, edge, pipelines, line)
    return forge.vetoes(found.branch, edge.target, found.commit)


def _way(forge: Forge, edge: Edge, pipelines: Pipelines, line: Line) -> move.Way:
    """The commit that is approved: in plain Git the source's own."""
    if not forge.merge_requests:
        return move.Way(line.source, edge.source)
    return move.way(pipelines, step_of(edge, line), forge.makes_merge_commits)


def writers(commits: Iterable[Commit]) -> set[str]:
    """E-mail addresses of who has written or committed some of them."""
    return {email for commit in commits for email in commit.writers}


def _known(fact: T | Unknown) -> T:
    """A fact that another one needs."""
    if isinstance(fact, Unknown):
        raise UserError(fact.why)
    return fact


def step_of(edge: Edge, line: Line) -> move.Step:
    """What a promotion does to the target's branch; the words are those of its merge request or forward commit."""
    told = "\n".join(f"- {commit.id[:12]} {one_line(commit.subject)}" for commit in line.ahead)
    why = f"Promote {edge.source} to {edge.target}: {line.source[:12]}\n\n{told}"
    return move.Step(edge.target.value, line.target, line.source, line.source, why, edge.source.value)


def _try(ask: Callable[[], T]) -> T | Unknown:
    try:
        return ask()
    except InfraError as error:
        return Unknown(str(error))
