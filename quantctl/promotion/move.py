"""Moving a maturity branch forward, so that no commit is ever lost: compare-and-swap, and never another history."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from quantctl import deployments
from quantctl.deployments import Record
from quantctl.errors import UserError
from quantctl.forge import Forge
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


def forward(pipelines: Pipelines, step: Step, at: int) -> str:
    """The commit that the branch is moved to: `commit` itself where that is a fast-forward, else one that is made for it."""
    if step.commit == step.tree_of and pipelines.contains(step.commit, step.seen):
        return step.commit
    parents = [step.seen] if pipelines.contains(step.seen, step.commit) else [step.seen, step.commit]
    return pipelines.commit_tree(pipelines.tree(step.tree_of), parents, step.why, at)


def push(pipelines: Pipelines, step: Step, decision: Record) -> Record:
    """Move the branch and record the decision, both or neither. Returns the decision as it was recorded.

    Raises:
        UserError: the branch is not where it was seen any more, or the host does not let you; nothing was changed.
    """
    ref, tag = deployments.tag_of(pipelines, decision)
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


def merge(
    pipelines: Pipelines, forge: Forge, step: Step, decision: Record, source: str, wait_seconds: float, say: Say
) -> Record:
    """Open the merge request or find it, wait until its approvals are given, and merge exactly what was decided.

    Returns the decision as it was recorded, which is before the merge: killed between the two, nothing has moved.

    Raises:
        UserError: it cannot be merged; says what is left.
    """
    branch = source
    if decision.commit != pipelines.heads.get(source):  # a forward commit of ours has a branch of its own
        branch = f"{decision.how}/{step.branch}/{decision.commit[:12]}"
        if branch not in pipelines.heads:
            try:
                pipelines.push({f"refs/heads/{branch}": (decision.commit, None)})
            except (Moved, Refused) as error:
                raise UserError(f"the branch {branch} could not be made: {error}.") from None
    request = forge.open_merge_request(branch, step.branch, step.why.splitlines()[0], step.why)
    say(f"Merge request {request.url}")
    deadline = time.monotonic() + wait_seconds
    while True:
        lacking = forge.lacks(request)
        if not lacking:
            break
        if time.monotonic() >= deadline:
            raise UserError(
                f"The merge request {request.url} is open and waits: {lacking}.",
                do_next="when it has that, run the same command again: it goes on from here (or --wait MINUTES)",
            )
        say(f"waiting: {lacking} ...")
        time.sleep(_LOOK_SECONDS)
    recorded = replace(decision, tag=deployments.write(pipelines, decision))
    forge.merge(request, decision.commit)
    return recorded
