"""Moving a maturity branch forward, so that no commit is ever lost: compare-and-swap, and never another history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from quantctl.errors import UserError
from quantctl.forge import Forge, MergeOutcome, MergeRequest, MergeResult, Person
from quantctl.records import deployments
from quantctl.records.deployments import Record
from quantctl.records.repository import Commit, Moved, Pipelines, Refused, read_pipelines
from quantctl.text.markdown import fenced

Say = Callable[[str], None]
_LABELS = ("promotion",)


@dataclass(frozen=True)
class Step:
    """What is to become of a branch: at `seen` now, then at `commit` or at a forward commit with the tree of `tree_of`.

    `source` is the branch that is at `commit`; None for a rollback.
    """

    branch: str
    seen: str
    commit: str
    tree_of: str
    why: str
    source: str | None = None


@dataclass(frozen=True)
class Way:
    """How the step is done: the commit that moves the branch, and the branch that a merge request of it comes from."""

    commit: str
    branch: str


def way(pipelines: Pipelines, step: Step, merge_commits: bool, who: Person | None = None) -> Way:
    """The source's own head where that comes out with the right tree, else a forward commit that is made for the step.

    `merge_commits`: the forge makes them. Made again, by whomever, the forward commit is the same one; where a host checks
    committers, `who` commits it, and one that stands there already is taken.
    """
    if step.commit == step.tree_of and step.source is not None:
        base = pipelines.merge_base(step.seen, step.commit)
        # A merge leaves the source's tree only where the target has not changed since they parted.
        merges = base not in (None, step.commit) and pipelines.tree(step.seen) == pipelines.tree(str(base))
        if base == step.seen or (merges and merge_commits):
            return Way(step.commit, step.source)
    parents = [step.seen] if pipelines.contains(step.seen, step.commit) else [step.seen, step.commit]
    tree, below = pipelines.tree(step.tree_of), f"forward/{step.branch}/"
    for branch, commit in sorted(pipelines.heads.items()):
        if branch.startswith(below) and (pipelines.tree(commit), pipelines.parents(commit)) == (tree, parents):
            return Way(commit, branch)
    source = pipelines.commit(step.tree_of)
    author = Person(source.author, source.email, "", "a commit")
    at = max(source.at, pipelines.commit(step.seen).at) + 1
    made = pipelines.commit_tree(tree, parents, step.why, author, at, who)
    return Way(made, f"{below}{made[:12]}")


def push(pipelines: Pipelines, step: Step, decision: Record, who: Person) -> Record:
    """Move the branch and record the decision, both or neither. Returns the decision as it was recorded.

    Raises:
        UserError: the branch is not where it was seen any more, the host does not let you, or your signature does not count;
            nothing was changed.
    """
    moved: dict[str, tuple[str, str | None]] = {f"refs/heads/{step.branch}": (decision.commit, step.seen)}
    recorded = _recorded(pipelines, decision)
    if recorded is None:
        ref, tag = deployments.tag_of(pipelines, decision, who)
        deployments.need_right(pipelines, decision, ref, tag)
        moved[ref] = (tag, None)
        recorded = replace(decision, tag=ref.removeprefix("refs/tags/"))
    try:
        pipelines.push(moved)
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
    return recorded


def request(pipelines: Pipelines, forge: Forge, step: Step, found: Way) -> MergeRequest:
    """The merge request of the step: the open one, or a new one, from a branch of its own where it needs that.

    Raises:
        UserError: the branch or the merge request could not be made.
    """
    if pipelines.heads.get(found.branch) != found.commit:
        try:
            pipelines.push({f"refs/heads/{found.branch}": (found.commit, None)})
        except (Moved, Refused) as error:
            raise UserError(f"The branch {found.branch} of the merge request could not be made: {error}.") from None
    subject, _, text = step.why.partition("\n\n")
    # Subjects of commits are others' words: as code a forge obeys none of them.
    return forge.open_merge_request(found.branch, step.branch, subject, fenced(text.splitlines()), _LABELS)


def merge(pipelines: Pipelines, forge: Forge, wanted: MergeRequest, decision: Record) -> tuple[Record, MergeOutcome]:
    """Try to merge exactly what was decided, once. Returns the decision as it was recorded, before the merge, so that none
    is lost, and how the merge ended.

    The forge compares the source's head; the target's is compared right before and looked at afterwards.

    Raises:
        UserError: the target is not where it was seen, or was moved in the same moment: then it is not deployed.
    """
    target, fresh = decision.environment, read_pipelines(pipelines.remote)
    landed = fresh.contains(fresh.head(wanted.target), decision.commit)  # by an attempt that was killed
    if not landed and fresh.head(wanted.target) != decision.previous:
        raise UserError(
            f"{target} was changed by somebody else meanwhile; nothing was merged.",
            found=f"its branch is at {fresh.head(wanted.target)[:12]}, not at {str(decision.previous)[:12]}",
            do_next="look at what came (quantctl status), and run the same command again",
        )
    if not decision.tag:
        decision = _recorded(pipelines, decision) or replace(
            decision, tag=deployments.write(pipelines, decision, forge.promoter())
        )
    outcome = forge.merge(wanted, decision.commit)
    if outcome.result is MergeResult.MERGED:
        after = read_pipelines(pipelines.remote)
        if came := strangers(after, after.head(wanted.target), decision, outcome.commit):
            raise UserError(
                f"{target} was changed by somebody else in the moment of the merge; it is not deployed, and no deployment is"
                " recorded.",
                found="its branch holds, besides what was decided: "
                + "; ".join(f"{commit.id[:12]} by {commit.author}: {commit.subject!r}" for commit in came),
                do_next=f"look at them; `quantctl up {target}` deploys it, `quantctl rollback {target}` takes it back",
            )
    return decision, outcome


def strangers(pipelines: Pipelines, head: str, decision: Record, merged: str | None) -> list[Commit]:
    """Commits of the target that neither stood there, nor were decided, nor are the merge itself."""
    new = pipelines.between(decision.previous, head)
    return [one for one in new if one.id != merged and not pipelines.contains(decision.commit, one.id)]


def _recorded(pipelines: Pipelines, decision: Record) -> Record | None:
    """The same decision, if it stands already from an attempt before."""
    earlier = deployments.records(pipelines, "promotion", decision.environment)
    same = (one for one in reversed(earlier) if (one.commit, one.previous) == (decision.commit, decision.previous))
    return next(same, None)
