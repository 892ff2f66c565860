"""`quantctl approve`: say that what would be promoted has been read, as somebody who has written nothing of it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from infra.promotion import EDGES
from infra.vocabulary import Environment
from quantctl import environment, project
from quantctl.errors import UserError
from quantctl.forge import connect
from quantctl.pipelines import read_pipelines
from quantctl.stack_settings import stack_settings


def approve(
    target: Annotated[Environment, typer.Argument(help="Into which the change is to be promoted.", show_default=False)],
    source: Annotated[
        Environment | None, typer.Option("--from", help="Where it comes from; needed where there are two ways.")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="What was looked at; kept with the approval.")] = "",
) -> None:
    """Approve the commits that a promotion to TARGET would move, at the source's head as it is now.

    In GitLab this approves the merge request; with plain Git it makes the annotated tag approval/TARGET/COMMIT/WHO.
    Whoever has written some of the commits is refused. A commit that comes afterwards needs an approval of its own.
    """
    origin = source_of(target, source)
    environ = environment.enter(project.state())
    settings = stack_settings(target, environ)
    pipelines = read_pipelines(settings.remote)
    head = pipelines.head(origin)
    commits = pipelines.between(pipelines.head(target), head)
    if not commits:
        raise UserError(f"There is nothing to approve: {target} holds all of {origin}.")
    approval = connect(settings, environ).approve(origin, target, head, note, {commit.email for commit in commits})
    console = Console(soft_wrap=True)
    console.print(f"{origin} -> {target} at {head[:12]}, approved by {escape(approval.by)}: {escape(approval.where)}")
    for commit in commits:
        console.print(f"  {commit.id[:12]}  {escape(commit.subject)}  [dim]{escape(commit.author)}[/dim]")


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
