"""A promotion, step by step: gates, preview, decision, branch, update, verification, record.

Killed anywhere, the same command run again goes on: the decision is recorded together with the moving of the branch,
so what is left to do stands in Git.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from infra.promotion import Edge
from quantctl.engine.state import States
from quantctl.errors import UserError
from quantctl.forge import MergeResult, Verdict, connect, wait_for_approvals
from quantctl.preview.note import section
from quantctl.promotion import changes, deploy, move
from quantctl.promotion.gates import Gate, Unknown, answer, stopped
from quantctl.promotion.read import Reading, read, step_of, writers
from quantctl.promotion.resume import begin, edge_of, heads_of, need_permission, pending
from quantctl.records.deployments import PREFIXES, Record
from quantctl.records.repository import Commit, Pipelines, read_pipelines
from quantctl.records.signatures import need_signing
from quantctl.stack_settings import stack_settings
from quantctl.workspace import Workspace

LOOK_SECONDS = 5.0  # between two looks at active runs, or at a merge request


class Outcome(StrEnum):
    """How a promotion ended."""

    BEGUN = "begun"
    NOTHING = "nothing to do"
    WOULD = "would go ahead"
    STOPPED = "stopped by a gate"
    REFUSED = "the preview failed, or a policy refuses it"
    DECLINED = "declined"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled back"
    FINISHED = "an interrupted one was finished"


@dataclass
class Report:
    """What is told of a promotion, in the order in which it becomes known."""

    edge: Edge
    old: str
    new: str
    outcome: Outcome = Outcome.BEGUN
    gates: list[Gate] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    workflows: changes.Workflows = field(default_factory=lambda: changes.Workflows([], [], {}))
    preview: str = ""
    request: str = ""
    interrupted: str = ""  # the decision of a promotion that is not resumed

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "source": self.edge.source.value,
            "target": self.edge.target.value,
            "outcome": self.outcome.value,
            "from": self.old,
            "to": self.new,
            "gates": [gate.as_json() for gate in self.gates],
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
    options.say(f"reading {edge.source} and {edge.target} ...")
    return _Promotion(edge, options, environ).run()


class _Promotion:
    """One run of the command: what it works with, and its steps."""

    def __init__(self, edge: Edge, options: Options, environ: dict[str, str]) -> None:
        self._edge, self._options, self._environ = edge, options, environ
        self._target = stack_settings(edge.target, environ)
        self._workspace, self._forge = Workspace(environ), connect(self._target, environ)
        self._deadline = time.monotonic() + options.wait_seconds
        self._pipelines, self._states = self._fetch(), States(environ)
        heads = self._pipelines.head(self._target.branch), self._pipelines.head(edge.source)
        self._report = Report(edge, *heads)

    def run(self) -> Report:
        """All of them."""
        if not self._options.dry_run:
            need_signing(self._pipelines.repository, self._target.signers)
        if (begun := self._begun()) is not None:
            return self._resume(begun)
        reading = self._read()
        self._report.outcome = self._look(reading) or self._go(reading)
        return self._report

    def _fetch(self) -> Pipelines:
        return read_pipelines(self._target.remote, (*PREFIXES, "approval"), self._target.signers)

    def _begun(self) -> Record | None:
        """What was interrupted; a decision that might be anybody's is none."""
        begun = pending(self._pipelines, self._target.branch, self._edge.target)
        if begun is None:
            return None
        vouched = self._forge.vouches_for("promotion", self._edge.target)
        if vouched.verdict is Verdict.YES:
            return begun
        self._options.say(f"{begun.tag} looks like an interrupted {begun.how}, and is not resumed: {vouched.evidence}")
        return None

    def _resume(self, begun: Record) -> Report:
        """Finish it, once its gates have been asked again; of a rollback, who may."""
        edge, report = edge_of(begun), self._report
        if edge is None:
            need_permission(self._forge, begun.environment)
        else:
            heads = heads_of(self._pipelines, begun, self._pipelines.head(edge.source))
            reading = self._read(edge, heads)
            report.gates = answer(edge, reading.gates, reading.facts)
            if stopped(report.gates):
                report.outcome, report.interrupted = Outcome.STOPPED, begun.tag
                return report
        self._options.say(begin(begun, self._options.dry_run))
        self._deploy(begun)
        report.outcome, report.new = Outcome.FINISHED, begun.commit
        return report

    def _read(self, edge: Edge | None = None, heads: tuple[str, str] | None = None) -> Reading:
        """The edge as it is, once no run is active in the target or the time to wait for that is over.

        After each wait everything is read again: branches, tags, approvals, states.
        """
        while True:
            self._states = States(self._environ)
            reading = read(edge or self._edge, self._pipelines, self._workspace, self._forge, self._states, heads)
            active = reading.facts.active
            if not active or isinstance(active, Unknown) or time.monotonic() >= self._deadline:
                return reading
            self._options.say(f"waiting for runs in {self._edge.target}: {', '.join(sorted(active))} ...")
            time.sleep(LOOK_SECONDS)
            self._pipelines = self._fetch()

    def _look(self, reading: Reading) -> Outcome | None:
        """Gates, changes and preview; why it ends here, or None when it goes on."""
        report, options = self._report, self._options
        report.old, report.new = reading.target.head, reading.source.head
        report.gates = answer(self._edge, reading.gates, reading.facts)
        report.commits = changes.commits(reading)
        if not report.commits and not getattr(reading.facts.line, "foreign", ()):
            need_deployed(reading)
            return Outcome.NOTHING
        report.workflows = changes.workflows(self._pipelines, self._target, report.old, report.new)
        stopping = stopped(report.gates)
        doomed = bool(stopping) and not (self._forge.merge_requests and may_be_opened(report.gates))
        refused = False
        if options.dry_run or not doomed:
            story = deploy.preview(self._edge.target, report.new, self._states, options.say)
            report.preview, refused = section(story), story.failed or story.refused
        if doomed or (options.dry_run and stopping):
            return Outcome.STOPPED
        if refused:
            return Outcome.REFUSED
        if options.dry_run:
            return Outcome.WOULD
        return None if options.ask(report) else Outcome.DECLINED

    def _go(self, reading: Reading) -> Outcome:
        """Move the branch, by push or by merge request, and deploy."""
        assert not isinstance(reading.facts.line, Unknown), "a gate that needs it has said yes"
        step = step_of(self._edge, reading.facts.line)
        who = self._forge.promoter() if self._forge.merge_requests else None
        found = move.way(self._pipelines, step, self._forge.makes_merge_commits, who)
        if self._forge.merge_requests:
            return self._merge(reading, step, found)
        self._make_ready()
        self._options.say(f"moving {step.branch} from {step.seen[:12]} to {found.commit[:12]} ...")
        self._deploy(move.push(self._pipelines, step, self._decide(reading, found), self._forge.promoter()))
        return Outcome.PROMOTED

    def _merge(self, reading: Reading, step: move.Step, found: move.Way) -> Outcome:
        """Open the merge request early, so that it can be approved while the rest is waited for; merge it last."""
        request = move.request(self._pipelines, self._forge, step, found)
        self._report.request = request.url
        self._options.say(f"merge request {request.url}")
        only_approvals = {gate.name for gate in stopped(self._report.gates)} == {"approvals"}
        reading = self._wait_for_approvals(reading, found) if only_approvals else self._again()
        self._make_ready()
        decision = self._decide(reading, found)
        while not stopped(self._report.gates):
            decision, outcome = move.merge(self._pipelines, self._forge, request, decision)
            if outcome.result is MergeResult.MERGED:
                self._deploy(decision)
                return Outcome.PROMOTED
            if outcome.result is not MergeResult.NOT_READY or time.monotonic() >= self._deadline:
                outcome.must(request)
            self._options.say(f"waiting: {outcome.said} ...")
            time.sleep(LOOK_SECONDS)
            self._again()
        return Outcome.STOPPED

    def _wait_for_approvals(self, reading: Reading, found: move.Way) -> Reading:
        """Wait for them, then look at everything again."""
        asked = (found.branch, self._edge.target, found.commit, writers(self._report.commits), reading.gates.approvals)
        wait_for_approvals(self._forge, *asked, self._deadline - time.monotonic(), self._options.say)
        return self._again()

    def _again(self) -> Reading:
        """Everything as it is after a wait: what was read before has grown old.

        Raises:
            UserError: one of the branches is not where it was reviewed.
        """
        self._pipelines = self._fetch()
        reading, report = self._read(), self._report
        if (reading.target.head, reading.source.head) != (report.old, report.new):
            moved = self._edge.target if reading.target.head != report.old else self._edge.source
            raise UserError(
                f"{moved} has changed during the wait; nothing was merged.",
                do_next="look at what came (quantctl status), and run the same command again",
            )
        report.gates = answer(self._edge, reading.gates, reading.facts)
        return reading

    def _decide(self, reading: Reading, found: move.Way) -> Record:
        now = reading.facts.now
        return Record(
            kind="promotion",
            environment=self._edge.target.value,
            at=datetime.datetime.now(datetime.UTC) if isinstance(now, Unknown) else now,
            commit=found.commit,
            previous=self._report.old,
            by=str(self._forge.promoter()),
            how="promotion",
            source=self._edge.source.value,
            gates=[gate.as_json() for gate in self._report.gates],
        )

    def _make_ready(self) -> None:
        """Before the branch moves: what would keep its update from running is found now."""
        deploy.make_ready(self._edge.target, States(self._environ), self._options.say)

    def _deploy(self, decision: Record) -> None:
        who, say = self._forge.promoter(), self._options.say
        deploy.finish(decision, self._target, self._workspace, who, self._environ, say)


def may_be_opened(gates: Iterable[Gate]) -> bool:
    """Whether a merge request is opened although gates stop the promotion: there is something to merge, and who asks may.

    Nobody's veto is overridden by it: a closed one is not opened again.
    """
    needed = {"fast-forward", "release-manager", "merge-request"}
    return not any(gate.name in needed for gate in stopped(gates))


def need_deployed(reading: Reading) -> None:
    """Nothing is ahead; then the target is deployed too, or something else than a promotion is needed."""
    if isinstance(reading.target.deployed, Unknown):
        raise UserError(reading.target.deployed.why)
    if reading.target.deployed != reading.target.head:
        raise UserError(
            f"{reading.edge.target} has everything of {reading.edge.source}, but it is not deployed.",
            found=f"its branch at {reading.target.head[:12]}, its folder at {(reading.target.deployed or 'no commit')[:12]}",
            do_next=f"it was moved without quantctl promote; `quantctl up {reading.edge.target}` deploys it",
        )


def exit_status(report: Report) -> int:
    """0: it went ahead, would, or there was nothing to do; 3: a gate or a policy stops it; 1: it was declined."""
    return {Outcome.STOPPED: 3, Outcome.REFUSED: 3, Outcome.DECLINED: 1}.get(report.outcome, 0)


def mark(verdict: Verdict) -> str:
    """One character for a table."""
    return {Verdict.YES: "✓", Verdict.NO: "✗"}.get(verdict, "?")
