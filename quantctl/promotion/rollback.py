"""A rollback: a forward commit that restores the tree of an earlier deployment, and the update.

Protected branches and Git folders both refuse rewritten history; code and jobs go back together, as they travel together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from infra.vocabulary import Environment
from quantctl.engine.state import States
from quantctl.errors import UserError
from quantctl.forge import MergeResult, Verdict, connect
from quantctl.preview.note import section
from quantctl.promotion import changes, deploy, move
from quantctl.promotion.promote import LOOK_SECONDS, Options, Outcome
from quantctl.promotion.resume import begin, need_permission, pending
from quantctl.records import deployments
from quantctl.records.deployments import PREFIXES, Record
from quantctl.records.repository import Commit, Pipelines, read_pipelines
from quantctl.records.signatures import need_signing
from quantctl.stack_settings import stack_settings
from quantctl.workspace import Workspace


@dataclass
class Rollback:
    """What is told of a rollback: `to` is the earlier deployment whose tree comes back."""

    environment: str
    outcome: Outcome = Outcome.BEGUN
    old: str = ""
    to: Record | None = None
    commits: list[Commit] = field(default_factory=list)
    workflows: changes.Workflows = field(default_factory=lambda: changes.Workflows([], [], {}))
    preview: str = ""

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "environment": self.environment,
            "outcome": self.outcome.value,
            "from": self.old,
            "to": self.to.commit if self.to else None,
            "taken_back": [{"id": c.id, "author": c.author, "subject": c.subject} for c in self.commits],
            "workflows": self.workflows.__dict__,
            "preview": self.preview,
        }


def rollback(
    env: Environment, wanted: str | None, options: Options, ask: Callable[[Rollback], bool], environ: dict[str, str]
) -> Rollback:
    """Bring an environment back to what an earlier deployment was.

    Raises:
        UserError: there is no such deployment, or it could not be done; says what is left.
    """
    settings = stack_settings(env, environ)
    workspace, forge = Workspace(environ), connect(settings, environ)
    pipelines = read_pipelines(settings.remote, PREFIXES, settings.signers)
    if not options.dry_run:
        need_signing(pipelines.repository, settings.signers)
    head = pipelines.head(settings.branch)
    report = Rollback(env.value, old=head)
    need_permission(forge, env)
    vouched = forge.vouches_for("deployment", env)
    if vouched.verdict is not Verdict.YES and wanted is None:  # a forged one would bring back what it likes
        raise UserError(
            f"The earlier deployments of {env} are unknown: {vouched.evidence}.",
            do_next=f"quantctl rollback {env} COMMIT, with a commit that you know",
        )
    begun = pending(pipelines, settings.branch, env)
    # An interrupted promotion is not finished on the way back.
    if begun is not None and begun.how == "rollback" and forge.vouches_for("promotion", env).verdict is Verdict.YES:
        options.say(begin(begun, options.dry_run))
        deploy.finish(begun, settings, workspace, forge.promoter(), environ, options.say)
        report.outcome = Outcome.FINISHED
        return report
    report.to = _earlier(pipelines, env, head, wanted)
    report.commits = pipelines.between(report.to.commit, head)
    report.workflows = changes.workflows(pipelines, settings, head, report.to.commit)
    step = move.Step(settings.branch, head, head, report.to.commit, _why(env, report))
    who = forge.promoter() if forge.merge_requests else None
    found = move.way(pipelines, step, forge.makes_merge_commits, who)
    # What is not in the remote yet cannot be previewed by commit; its tree is that of the earlier one.
    story = deploy.preview(env, report.to.commit, States(environ), options.say)
    report.preview = section(story)
    if story.failed or story.refused:
        report.outcome = Outcome.REFUSED
        return report
    if options.dry_run:
        report.outcome = Outcome.WOULD
        return report
    if not ask(report):
        report.outcome = Outcome.DECLINED
        return report
    # What would keep the update from running is found before the branch moves.
    deploy.make_ready(env, States(environ), options.say)
    decision = Record(
        kind="promotion",
        environment=env.value,
        at=workspace.now(),
        commit=found.commit,
        previous=head,
        by=str(forge.promoter()),
        how="rollback",
        source=report.to.tag,
    )
    options.say(f"moving {step.branch} forward to {found.commit[:12]}, which has the tree of {report.to.commit[:12]} ...")
    if forge.merge_requests:
        asked = move.request(pipelines, forge, step, found)
        options.say(f"merge request {asked.url}")
        deadline = time.monotonic() + options.wait_seconds
        decision, merged = move.merge(pipelines, forge, asked, decision)
        while merged.result is MergeResult.NOT_READY and time.monotonic() < deadline:
            options.say(f"waiting: {merged.said} ...")
            time.sleep(LOOK_SECONDS)
            decision, merged = move.merge(pipelines, forge, asked, decision)
        merged.must(asked)
    else:
        decision = move.push(pipelines, step, decision, forge.promoter())
    deploy.finish(decision, settings, workspace, forge.promoter(), environ, options.say)
    report.outcome = Outcome.ROLLED_BACK
    return report


def _earlier(pipelines: Pipelines, env: Environment, head: str, wanted: str | None) -> Record:
    """The deployment that is asked for: by the beginning of its commit, else the newest that was something else."""
    recorded = deployments.records(pipelines, "deployment", env)
    others = [one for one in reversed(recorded) if pipelines.tree(one.commit) != pipelines.tree(head)]
    if wanted is None:
        if others:
            return others[0]
        raise UserError(
            f"There is no earlier deployment of {env} to go back to.",
            found=f"{len(recorded)} recorded, none of another tree than {head[:12]}",
            do_next=f"quantctl history {env}; by hand: a commit with the old tree, pushed to {env}, and pulumi up",
        )
    found = {one.commit: one for one in others if one.commit.startswith(wanted.lower())}
    if len(found) != 1 or len(wanted) < 4:
        listed = ", ".join(f"{one.commit[:12]} ({one.at:%Y-%m-%d})" for one in others[:8])
        raise UserError(
            f"{wanted!r} names no earlier deployment of {env}."
            if not found
            else f"{wanted!r} names several, or is too short.",
            expected=listed or "there is none of another tree",
            do_next=f"`quantctl history {env}` lists them",
        )
    return next(iter(found.values()))


def _why(env: Environment, report: Rollback) -> str:
    assert report.to is not None
    told = "\n".join(f"- {commit.id[:12]} {commit.subject}" for commit in report.commits)
    return f"Roll {env} back to {report.to.commit[:12]}\n\nTakes back:\n{told}\n\nDeployed before as {report.to.tag}."
