"""A promotion or rollback that was interrupted: what of it stands in Git, and what is asked before it is finished."""

from __future__ import annotations

from infra.promotion import EDGES, Edge
from infra.vocabulary import Environment
from quantctl.errors import UserError
from quantctl.forge import Forge
from quantctl.records.deployments import Record, unfinished
from quantctl.records.repository import Pipelines


def pending(pipelines: Pipelines, branch: str, environment: str) -> Record | None:
    """The decision that the branch has followed and no deployment has finished."""
    head = pipelines.head(branch)

    def holds(commit: str) -> bool:
        known = pipelines.knows(commit) and pipelines.contains(head, commit)
        return known and pipelines.tree(head) == pipelines.tree(commit)

    return unfinished(pipelines, environment, holds)


def edge_of(begun: Record) -> Edge | None:
    """The edge of an interrupted promotion; None for a rollback, and for a decision that names no edge. Pure."""
    return next((edge for edge in EDGES if (edge.source, edge.target) == (begun.source, begun.environment)), None)


def heads_of(pipelines: Pipelines, begun: Record, source: str) -> tuple[str, str]:
    """The two commits that an interrupted promotion brings together, so that its gates are asked of them again.

    The target has followed already: its branch then is what the decision names.

    Raises:
        UserError: the source's line (`source` is its head) does not hold what was promoted.
    """
    if begun.previous and pipelines.knows(begun.previous):
        if pipelines.contains(source, begun.commit):
            return begun.commit, begun.previous
        if (same := pipelines.trees(source).get(pipelines.tree(begun.commit))) is not None:
            return same, begun.previous
    raise UserError(
        f"An interrupted promotion into {begun.environment} is not resumed: {begun.source} does not hold what it brought.",
        found=f"its decision {begun.tag}",
        do_next=f"`quantctl rollback {begun.environment}` takes it back",
    )


def begin(begun: Record, dry_run: bool) -> str:
    """What is said when something interrupted is finished.

    Raises:
        UserError: nothing may be changed (--dry-run); says what is left.
    """
    if dry_run:
        raise UserError(
            f"A {begun.how} of {begun.environment} to {begun.commit[:12]} was interrupted.",
            found=f"its decision {begun.tag}, and no deployment of it",
            do_next=f"the same command without --dry-run resumes it; by hand: quantctl up {begun.environment}",
        )
    return f"resuming the {begun.how} to {begun.commit[:12]}, decided at {begun.at:%Y-%m-%d %H:%M} UTC ..."


def need_permission(forge: Forge, env: str) -> None:
    """Who may promote into production may take it back; nobody else.

    Raises:
        UserError: the promoter is no release manager, or that is unknown.
    """
    if env != Environment.LIVE:
        return
    answer = forge.is_release_manager()
    if answer.allowed is not True:
        raise UserError(
            f"Only a release manager rolls {env} back.",
            found=f"{forge.promoter()!s}: {answer.evidence}",
            do_next="ask one; or say who you are (docs/promotion.md)",
        )
