"""`quantctl approve`: say that what would be promoted has been read, as somebody who has written nothing of it."""

from __future__ import annotations

from collections.abc import Mapping

from infra.promotion import EDGES, Edge
from infra.vocabulary import Environment
from quantctl.errors import UserError
from quantctl.forge import connect
from quantctl.promotion.move import Way, way
from quantctl.promotion.read import line_of, step_of, writers
from quantctl.records.repository import read_pipelines
from quantctl.stack_settings import stack_settings
from quantctl.text.terminal import Console


def approve(target: Environment, source: Environment | None, note: str, environ: Mapping[str, str]) -> None:
    """Approve what a promotion into `target` would move, as whom the shell names; show what that is.

    Raises:
        UserError: nothing is promoted there, nothing waits, or who asks has written some of it.
    """
    origin = source_of(target, source)
    settings = stack_settings(target, environ)
    pipelines = read_pipelines(settings.remote)
    forge, edge = connect(settings, environ), Edge(origin, target)
    line = line_of(pipelines, pipelines.head(origin), pipelines.head(target))
    if not line.ahead:
        raise UserError(f"There is nothing to approve: {target} holds all of {origin}.")
    found = Way(line.source, origin)
    if forge.merge_requests:
        found = way(pipelines, step_of(edge, line), forge.makes_merge_commits)
        if forge.find_merge_request(found.branch, target) is None:
            raise UserError(
                f"What would be promoted from {origin} into {target} has no open merge request.",
                do_next=f"`quantctl promote {origin} {target}` opens it, whatever its other gates say",
            )
    approval = forge.approve(found.branch, target, found.commit, note, writers(line.ahead))
    console = Console(soft_wrap=True)
    console.print(f"{origin} -> {target} at {line.source[:12]}, approved by {approval.by}: {approval.where}")
    for commit in line.ahead:
        console.print(f"  {commit.id[:12]}  {commit.subject}  ({commit.author})")


def source_of(target: Environment, source: Environment | None) -> Environment:
    """Where a change into `target` comes from. Pure.

    Raises:
        UserError: nothing is promoted there, or not from there, or there are two ways and none was named.
    """
    sources = [edge.source for edge in EDGES if edge.target is target]
    if not sources:
        raise UserError(f"Nothing is promoted into {target}: changes are pushed to it.")
    if source is None and len(sources) > 1:
        raise UserError(
            f"Two ways lead to {target}.", found="no --from", expected=" or ".join(f"--from {one}" for one in sources)
        )
    if source is not None and source not in sources:
        raise UserError(
            f"Nothing is promoted from {source} to {target}.", expected=" or ".join(f"--from {one}" for one in sources)
        )
    return source or sources[0]
