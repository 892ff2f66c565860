"""`quantctl preview`: read what is wanted, run the previews, print and post."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from infra.vocabulary import Environment
from quantctl import where
from quantctl.errors import UserError
from quantctl.preview.formats import as_json, widget
from quantctl.preview.merge_request import MergeRequest, merge_request
from quantctl.preview.note import LIMITS, SPARE, note
from quantctl.preview.posting import forge_of, post
from quantctl.preview.run import Progress, Wanted, previews
from quantctl.preview.story import Story
from quantctl.text.terminal import Console
from quantctl.update import guarded as update

FAILED, REFUSED = 1, 3


class Format(StrEnum):
    """How the previews are printed."""

    markdown = "markdown"
    json = "json"
    widget = "gitlab-widget"


def show(
    envs: Annotated[list[Environment] | None, typer.Argument(metavar="[ENV]...", help="Stacks; without: see below.")] = None,
    what_if: Annotated[
        str | None,
        typer.Option(
            "--what-if",
            metavar="REF",
            help="As after the branch moved to a branch, tag or commit, or to !7, a merge request's source.",
        ),
    ] = None,
    post_it: Annotated[bool, typer.Option("--post", help="Write or refresh the one note on the merge request.")] = False,
    number: Annotated[
        int | None, typer.Option("--merge-request", metavar="N", help="Which one; in a pipeline: its own.")
    ] = None,
    format: Annotated[
        Format, typer.Option("--format", help="The note, everything as JSON, or GitLab's report.")
    ] = Format.markdown,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Write GitLab's report for its widget here.")
    ] = None,
    save_plan: Annotated[
        Path | None,
        typer.Option("--save-plan", metavar="FILE", help="Keep what was previewed, for quantctl up ENV --plan FILE."),
    ] = None,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Ask the providers about every resource, even where nothing has changed.")
    ] = False,
) -> None:
    """What would happen, in a reviewer's words: commits, workflows, access, schema, policies. Changes nothing.

    Without ENV: in the pipeline of a merge request into a maturity branch that one environment, as it would be after the
    merge; everywhere else all four. Exit status: 0 fine, 1 a preview failed, 3 a policy refuses.
    """
    environ = where.enter(tell=post_it)
    request = merge_request(os.environ)
    wanted = [replace(one, thorough=thorough) for one in choose(list(envs or []), what_if, request, save_plan)]
    with told() as progress:
        if save_plan is not None:
            stories = [update.save(wanted[0], environ, save_plan, progress)]
        else:
            stories = previews(wanted, environ, progress)
    if save_plan is not None and exit_status(stories):
        typer.echo(f"No plan is kept in {save_plan}: there is nothing that could be run.", err=True)
    if report is not None:
        report.write_text(widget(stories) + "\n")
    if format is Format.markdown:
        typer.echo(note(stories, where=request.pipeline), nl=False)
    else:
        typer.echo(as_json(stories) if format is Format.json else widget(stories))
    if post_it:  # last: what cannot be posted has been printed
        whole = note(stories, LIMITS["gitlab"] - SPARE, request.pipeline)
        typer.echo(post(forge_of(wanted[0].environment, environ), number or request.number, whole), err=True)
    raise typer.Exit(exit_status(stories))


def choose(envs: list[Environment], ref: str | None, request: MergeRequest, save_plan: Path | None) -> list[Wanted]:
    """Which stacks are previewed, and at which ref. Pure.

    Raises:
        UserError: options that do not go together.
    """
    target = request.environment
    chosen = [str(env) for env in dict.fromkeys(envs)] or ([target] if target else [str(env) for env in Environment])
    if ref is not None and len(chosen) > 1 and not envs:
        raise UserError(
            "--what-if needs to know whose branch moves.", do_next=f"name it: quantctl preview ENV --what-if {ref}"
        )
    if save_plan is not None and len(chosen) != 1:
        raise UserError(
            "A plan is one environment's.",
            found=", ".join(chosen),
            do_next="name one: quantctl preview ENV --save-plan FILE",
        )
    return [Wanted(env, ref or (request.source if env == target else None)) for env in chosen]


def exit_status(stories: list[Story]) -> int:
    """1 when it is not known what would happen, else 3 when a policy refuses, else 0. Pure."""
    if any(story.failed and not story.refused for story in stories):
        return FAILED
    return REFUSED if any(story.refused for story in stories) else 0


@contextmanager
def told() -> Iterator[Progress]:
    """A line a stack on standard error; off a terminal only how each ended."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Bars(*columns, console=console) as bars:
        rows: dict[str, TaskID] = {}

        def tell(env: str, words: str) -> None:
            if env not in rows:
                rows[env] = bars.add_task("", total=1)
            over = not words.startswith("looks at")
            bars.update(rows[env], description=f"{env:<11} {words}", completed=1 if over else 0)

        yield tell
