"""Moving a maturity branch forward, so that no commit is ever lost: compare-and-swap, and never another history."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from quantctl import deployments
from quantctl.deployments import Record
from quantctl.errors import UserError
from quantctl.forge import Forge, MergeRequest, MergeResult, Person
from quantctl.pipelines import Moved, Pipelines, Refused

Say = Callable[[str], None]
_LOOK_SECONDS = 5.0  # between two looks at a merge request


@dataclass(frozen=True)
class Step:
    """What is to become of a branch: at `seen` now, then at `commit`, or at a forward commit that has its tree."""

    branch: str
    seen: str
    commit: str
    tree_of: str
    why: str
    who: Person


def forward(pipelines: Pipelines, step: Step) -> str:
    """The commit that the branch is moved to: `commit` itself where that is a fast-forward, else one that is made for it.

    Made again by the same person it is the same commit: its time follows from the branch's.
    """
    if step.commit == step.tree_of and pipelines.contains(step.commit, step.seen):
        return step.commit
    parents = [step.seen] if pipelines.contains(step.seen, step.commit) else [step.seen, step.commit]
    return pipelines.commit_tree(pipelines.tree(step.tree_of), parents, step.why, step.who, pipelines.time(step.seen) + 1)


def push(pipelines: Pipelines, step: Step, decision: Record) -> Record:
    """Move the branch and record the decision, both or neither. Returns the decision as it was recorded.

    Raises:
        UserError: the branch is not where it was seen any more, or the host does not let you; nothing was changed.
    """
    ref, tag = deployments.tag_of(pipelines, decision, step.who)
    try:
        pipelines.push({f"refs/heads/{step.branch}": (decision.commit, step.seen), ref: (tag, None)})
    except Moved:
        raise UserError(
            f"{step.branch} was moved by somebody else meanwhile; nothing was changed.",
            found=f"it is not at {step.seen[:12]} any more",
            do_next="look at what came (quantctl status), and run the same command again",
        ) from None
    except Refused as refused:
        raise UserError(
            f"the host refused to move {step.branch}: {refused}; nothing was changed.",
            do_next=f"ask somebody who may push to {step.branch}",
        ) from None
    return replace(decision, tag=ref.removeprefix("refs/tags/"))


def request(pipelines: Pipelines, forge: Forge, step: Step, commit: str, source: str | None) -> MergeRequest:
    """The merge request that brings `commit`: of the branch `source` where that is at it, else of a branch made for it.

    Raises:
        UserError: the branch or the merge request could not be made.
    """
    branch = source
    if branch is None or commit != pipelines.heads.get(branch):
        branch = f"forward/{step.branch}/{commit[:12]}"
        if branch not in pipelines.heads:
            try:
                pipelines.push({f"refs/heads/{branch}": (commit, None)})
            except (Moved, Refused) as error:
                raise UserError(f"The branch {branch} of the merge request could not be made: {error}.") from None
    subject, _, text = step.why.partition("\n\n")
    return forge.open_merge_request(branch, step.branch, subject, text)


def merge(
    pipelines: Pipelines, forge: Forge, wanted: MergeRequest, decision: Record, wait_seconds: float, say: Say
) -> Record:
    """Merge exactly what was decided. Returns the decision as it was recorded: before the merge, so that none is lost.

    Raises:
        UserError: it was not merged; says what is left.
    """
    recorded = _recorded(pipelines, decision) or replace(
        decision, tag=deployments.write(pipelines, decision, forge.promoter())
    )
    deadline = time.monotonic() + wait_seconds
    while True:
        outcome = forge.merge(wanted, decision.commit)
        if outcome.result is MergeResult.MERGED:
            return recorded
        if outcome.result is not MergeResult.NOT_READY or time.monotonic() >= deadline:
            break
        say(f"waiting: {outcome.said} ...")
        time.sleep(_LOOK_SECONDS)
    what_next = {
        MergeResult.NOT_READY: "when it has what it lacks, run the same command again: it goes on (or --wait MINUTES)",
        MergeResult.MOVED: "look at what came (quantctl status), and run the same command again",
        MergeResult.CONFLICT: f"bring what stands on {wanted.target} alone to {wanted.source} first",
        MergeResult.REFUSED: f"ask somebody who may merge into {wanted.target}",
    }
    raise UserError(
        f"The merge request {wanted.url} was not merged ({outcome.result}).",
        found=outcome.said,
        do_next=what_next[outcome.result],
    )


def _recorded(pipelines: Pipelines, decision: Record) -> Record | None:
    """The same decision, if it stands already from an attempt before."""
    earlier = deployments.records(pipelines, "promotion", decision.environment)
    same = (one for one in reversed(earlier) if (one.commit, one.previous) == (decision.commit, decision.previous))
    return next(same, None)
