"""A promotion, step by step: gates, preview, decision, branch, update, verification, record.

Killed anywhere, the same command run again goes on: the decision is recorded together with the moving of the branch,
so what is left to do stands in Git.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from infra.promotion import Edge
from quantctl.deployments import PREFIXES, Record, unfinished
from quantctl.errors import UserError
from quantctl.forge import Forge, Verdict, connect, wait_for_approvals
from quantctl.pipelines import Commit, Pipelines, read_pipelines
from quantctl.promotion import changes, deploy, move
from quantctl.promotion.gates import Gate, Unknown, answer, stopped
from quantctl.promotion.read import Reading, read, step_of
from quantctl.stack_settings import stack_settings
from quantctl.workspace import Workspace

_LOOK_SECONDS = 5.0  # between two looks at active runs


class Outcome(StrEnum):
    """How a promotion ended."""

    NOTHING = "nothing to do"
    WOULD = "would go ahead"
    STOPPED = "stopped by a gate"
    DECLINED = "declined"
    PROMOTED = "promoted"
    FINISHED = "an interrupted one was finished"


@dataclass
class Report:
    """What is told of a promotion, in the order in which it becomes known."""

    edge: Edge
    outcome: Outcome = Outcome.NOTHING
    old: str = ""
    new: str = ""
    gates: list[Gate] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    workflows: changes.Workflows = field(default_factory=lambda: changes.Workflows([], [], {}))
    preview: str = ""
    request: str = ""

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "source": self.edge.source.value,
            "target": self.edge.target.value,
            "outcome": self.outcome.value,
            "from": self.old,
            "to": self.new,
            "gates": [{"name": g.name, "verdict": g.verdict.value, "evidence": g.evidence} for g in self.gates],
            "commits": [{"id": c.id, "author": c.author, "subject": c.subject} for c in self.commits],
            "workflows": self.workflows.__dict__,
            "preview": self.preview,
            "merge_request": self.request or None,
        }


@dataclass(frozen=True)
class Options:
    """How far to go. `ask` is shown the report and says whether to go on; `say` tells progress; waiting is in seconds."""

    dry_run: bool
    ask: Callable[[Report], bool]
    say: Callable[[str], None]
    wait_seconds: float = 0.0


def promote(edge: Edge, options: Options, environ: dict[str, str]) -> Report:
    """Bring what the source has to the target, if every gate says yes.

    Raises:
        UserError: it could not be done; says what is left.
    """
    target = stack_settings(edge.target, environ)
    workspace, forge = Workspace(), connect(target, environ)
    options.say(f"reading {edge.source} and {edge.target} ...")
    pipelines = read_pipelines(target.remote, (*PREFIXES, "approval"))
    report = Report(edge, old=pipelines.head(target.branch), new=pipelines.head(edge.source))
    if begun := pending(pipelines, target.branch, edge.target):
        if options.dry_run:
            raise UserError(
                f"A {begun.how} of {edge.target} to {begun.commit[:12]} was interrupted.",
                found=f"its decision {begun.tag}, and no deployment of it",
                do_next=f"the same command without --dry-run finishes it; by hand: quantctl up {edge.target}",
            )
        options.say(
            f"finishing the {begun.how} of {begun.commit[:12]} that was decided at {begun.at:%Y-%m-%d %H:%M} UTC ..."
        )
        deploy.finish(begun, target, workspace, forge.promoter(), environ, options.say)
        report.outcome, report.new = Outcome.FINISHED, begun.commit
        return report
    reading = _ready(edge, pipelines, workspace, forge, options, environ)
    report.gates = answer(edge, reading.gates, reading.facts)
    report.commits = changes.commits(reading)
    if not report.commits and not getattr(reading.facts.line, "foreign", ()):
        _need_deployed(reading)
        return report
    report.workflows = changes.workflows(pipelines, target, report.old, report.new)
    report.preview = deploy.preview(edge.target, report.new, environ, options.say)
    if options.dry_run:
        report.outcome = Outcome.STOPPED if stopped(report.gates) else Outcome.WOULD
        return report
    if stopped(report.gates) and not _lacks_approvals_alone(report.gates, forge):
        report.outcome = Outcome.STOPPED
        return report
    if not options.ask(report):
        report.outcome = Outcome.DECLINED
        return report
    assert not isinstance(reading.facts.line, Unknown), "a gate that needs it has said yes"
    step = step_of(edge, reading.facts.line)
    found = move.way(pipelines, step, forge.makes_merge_commits)
    if not forge.merge_requests:
        options.say(f"moving {step.branch} from {report.old[:12]} to {found.commit[:12]} ...")
        decision = move.push(pipelines, step, _decision(reading, report, found, forge), forge.promoter())
    else:
        request = move.request(pipelines, forge, step, found)
        report.request = request.url
        options.say(f"merge request {request.url}")
        if stopped(report.gates):
            reading = _wait_for_approvals(reading, report, found, workspace, forge, options, environ)
            if stopped(report.gates):
                report.outcome = Outcome.STOPPED
                return report
        decided = _decision(reading, report, found, forge)
        decision = move.merge(pipelines, forge, request, decided, options.wait_seconds, options.say)
    deploy.finish(decision, target, workspace, forge.promoter(), environ, options.say)
    report.outcome = Outcome.PROMOTED
    return report


def _wait_for_approvals(
    reading: Reading,
    report: Report,
    found: move.Way,
    workspace: Workspace,
    forge: Forge,
    options: Options,
    environ: dict[str, str],
) -> Reading:
    """Wait for them, then look at everything again: what was read before has grown old."""
    authors, needed = {commit.email for commit in report.commits}, reading.gates.approvals
    asked = (found.branch, report.edge.target, found.commit, authors, needed)
    wait_for_approvals(forge, *asked, options.wait_seconds, options.say)
    fresh = read(report.edge, reading.pipelines, workspace, forge, environ)
    report.gates = answer(report.edge, fresh.gates, fresh.facts)
    return fresh


def pending(pipelines: Pipelines, branch: str, environment: str) -> Record | None:
    """The decision that the branch has followed and no deployment has finished."""
    head = pipelines.head(branch)

    def holds(commit: str) -> bool:
        known = pipelines.knows(commit) and pipelines.contains(head, commit)
        return known and pipelines.tree(head) == pipelines.tree(commit)

    return unfinished(pipelines, environment, holds)


def _ready(
    edge: Edge, pipelines: Pipelines, workspace: Workspace, forge: Forge, options: Options, environ: dict[str, str]
) -> Reading:
    """The edge as it is, once no run is active in the target or the time to wait for that is over."""
    deadline = time.monotonic() + options.wait_seconds
    while True:
        reading = read(edge, pipelines, workspace, forge, environ)
        active = reading.facts.active
        if not active or isinstance(active, Unknown) or time.monotonic() >= deadline:
            return reading
        options.say(f"waiting for runs in {edge.target}: {', '.join(sorted(active))} ...")
        time.sleep(_LOOK_SECONDS)


def _need_deployed(reading: Reading) -> None:
    """Nothing is ahead; then the target is deployed too, or something else than a promotion is needed."""
    if isinstance(reading.target.deployed, Unknown):
        raise UserError(reading.target.deployed.why)
    if reading.target.deployed != reading.target.head:
        raise UserError(
            f"{reading.edge.target} has everything of {reading.edge.source}, but it is not deployed.",
            found=f"its branch at {reading.target.head[:12]}, its folder at {(reading.target.deployed or 'no commit')[:12]}",
            do_next=f"it was moved without quantctl promote; quantctl up {reading.edge.target} deploys it",
        )


def _lacks_approvals_alone(gates: list[Gate], forge: Forge) -> bool:
    """Then a merge request is opened, where they are given."""
    return forge.merge_requests and {gate.name for gate in stopped(gates)} == {"approvals"}


def _decision(reading: Reading, report: Report, found: move.Way, forge: Forge) -> Record:
    now = reading.facts.now
    assert not isinstance(now, Unknown), "a gate that needs the time has said yes"
    return Record(
        kind="promotion",
        environment=reading.edge.target.value,
        at=now,
        commit=found.commit,
        previous=report.old,
        by=str(forge.promoter()),
        how="promotion",
        source=reading.edge.source.value,
        gates=[{"name": g.name, "verdict": g.verdict.value, "evidence": g.evidence} for g in report.gates],
    )


def exit_status(report: Report) -> int:
    """0: it went ahead, would, or there was nothing to do; 3: a gate stops it; 1: it was declined."""
    return {Outcome.STOPPED: 3, Outcome.DECLINED: 1}.get(report.outcome, 0)


def mark(verdict: Verdict) -> str:
    """One character for a table."""
    return {Verdict.YES: "✓", Verdict.NO: "✗"}.get(verdict, "?")
