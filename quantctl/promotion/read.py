"""Reading what the gates of an edge are told: Git, the workspace and the forge, at the same time."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from infra.errors import UserError as InfraError
from infra.naming import names_of
from infra.promotion import Edge, Gates, gates_of
from infra.settings import Settings
from infra.workflows import Files, read_workflows
from quantctl.engine.process import run
from quantctl.engine.state import read_state
from quantctl.errors import UserError
from quantctl.forge import Approvals, Forge
from quantctl.promotion import move, soak
from quantctl.promotion.gates import Facts, Line, Soaked, Unknown
from quantctl.records import deployments, signoffs
from quantctl.records.repository import Pipelines
from quantctl.stack_settings import stack_settings
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


def read(edge: Edge, pipelines: Pipelines, workspace: Workspace, forge: Forge, environ: Mapping[str, str]) -> Reading:
    """Everything that the edge's gates need.

    Raises:
        UserError: a branch is missing, or the settings are wrong; what else cannot be read is an Unknown fact.
    """
    source, target = stack_settings(edge.source, environ), stack_settings(edge.target, environ)
    head, below = pipelines.head(source.branch), pipelines.head(target.branch)
    with ThreadPoolExecutor(6) as pool:
        line = pool.submit(_try, lambda: line_of(pipelines, head, below))
        now = pool.submit(_try, workspace.now)
        at_source = pool.submit(_try, lambda: deployed_commit(workspace, source))
        at_target = pool.submit(_try, lambda: deployed_commit(workspace, target))
        soaked = pool.submit(_try, lambda: _soaked(source, at_source.result(), pipelines, workspace, environ))
        active = pool.submit(_try, lambda: workspace.active_runs(read_state(target.environment, environ).jobs))
        approvals = pool.submit(_try, lambda: _approvals(forge, edge, pipelines, line.result()))
        promoter = pool.submit(_try, forge.is_release_manager)
    facts = Facts(
        now=now.result(),
        line=line.result(),
        deployed=at_source.result(),
        soaked=soaked.result(),
        approvals=approvals.result(),
        sign_offs=_try(lambda: [str(one) for one in signoffs.of(pipelines, edge.source, head)]),
        release_manager=promoter.result(),
        active=active.result(),
        freezes=target.freezes,
    )
    sides = Side(source, head, at_source.result()), Side(target, below, at_target.result())
    return Reading(edge, gates_of(edge, target.gates), pipelines, *sides, facts)


def line_of(pipelines: Pipelines, source: str, target: str) -> Line:
    """How two heads stand to each other. What a rollback took back is waiting again."""
    foreign = pipelines.foreign(target, source)
    base = target if pipelines.contains(source, target) else pipelines.trees(source).get(pipelines.tree(target), target)
    return Line(source, target, pipelines.between(base, source), foreign)


def deployed_commit(workspace: Workspace, settings: Settings) -> str | None:
    """Where the environment's Git folder is; None before the first deployment."""
    folder = workspace.git_folder(settings.folder)
    return folder.commit if folder else None


def definitions(pipelines: Pipelines, settings: Settings, commit: str) -> list[dict[str, Any]]:
    """The environment's jobs as they are at a commit, as Jobs API settings."""
    blobs = pipelines.blobs(commit)
    files = Files(blobs, settings.workflows, lambda paths: pipelines.read_all(commit, paths))
    return read_workflows(files, frozenset(blobs), settings, names_of(settings))


def _soaked(
    settings: Settings,
    commit: str | Unknown | None,
    pipelines: Pipelines,
    workspace: Workspace,
    environ: Mapping[str, str],
) -> list[Soaked]:
    if isinstance(commit, Unknown):
        raise UserError(commit.why)
    if commit is None:
        return []

    @cache
    def identities(at: str) -> dict[str, str] | None:
        try:
            return soak.identities(definitions(pipelines, settings, at), pipelines.blobs(at), settings.workflows)
        except InfraError:  # what cannot be expanded any more is not the same
            return None

    recorded = deployments.records(pipelines, "deployment", settings.environment)
    told = recorded and recorded[-1].commit == commit
    unrecorded = None if told else last_change(settings.environment, environ)
    jobs = read_state(settings.environment, environ).jobs
    found = []
    for workflow in sorted(identities(commit) or {}):
        begun = soak.since(workflow, commit, recorded, identities, unrecorded)
        if begun is None or workflow not in jobs:
            note = "has no job of this stack" if workflow not in jobs else f"nothing tells when {commit[:12]} was deployed"
            found.append(Soaked(workflow, None, note=note))
        else:
            found.append(Soaked(workflow, begun, workspace.runs(jobs[workflow], begun)))
    return found


def last_change(env: str, environ: Mapping[str, str]) -> datetime.datetime | None:
    """When the engine last changed something in a stack: the end of that update, in UTC."""
    done = run(["stack", "history", "--json", "--page-size", "20", "--page", "1", "-s", env], environ)
    for update in json.loads(done.out or "[]"):
        changes: Mapping[str, int] = update.get("resourceChanges") or {}
        if update.get("kind") == "update" and any(number for what, number in changes.items() if what != "same"):
            ended = str(update["endTime"]).replace("Z", "+00:00")
            return datetime.datetime.fromisoformat(ended).astimezone(datetime.UTC)
    return None


def _approvals(forge: Forge, edge: Edge, pipelines: Pipelines, line: Line | Unknown) -> Approvals:
    if isinstance(line, Unknown):
        raise UserError(line.why)
    authors = {commit.email for commit in line.ahead}
    if not forge.merge_requests:
        return forge.approvals(edge.source, edge.target, line.source, authors)
    found = move.way(pipelines, step_of(edge, line), forge.makes_merge_commits)
    return forge.approvals(found.branch, edge.target, found.commit, authors)


def step_of(edge: Edge, line: Line) -> move.Step:
    """What a promotion does to the target's branch; the words are those of its merge request or forward commit."""
    told = "\n".join(f"- {commit.id[:12]} {commit.subject}" for commit in line.ahead)
    why = f"Promote {edge.source} to {edge.target}: {line.source[:12]}\n\n{told}"
    return move.Step(edge.target.value, line.target, line.source, line.source, why, edge.source.value)


def _try(ask: Callable[[], T]) -> T | Unknown:
    try:
        return ask()
    except InfraError as error:
        return Unknown(str(error))
