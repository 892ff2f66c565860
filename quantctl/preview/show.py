"""What `quantctl preview` does once its options are read: run the previews, print, keep and post."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import typer
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from infra.vocabulary import Environment
from quantctl.engine.state import States
from quantctl.errors import UserError
from quantctl.preview.command import Format
from quantctl.preview.formats import as_json, widget
from quantctl.preview.merge_request import MergeRequest, merge_request
from quantctl.preview.note import LIMITS, SPARE, note
from quantctl.preview.posting import forge_of, post
from quantctl.preview.run import Progress, Wanted, previews
from quantctl.preview.story import Story
from quantctl.text.terminal import Console
from quantctl.update import guarded as update

FAILED, REFUSED = 1, 3


def previewed(
    envs: list[Environment],
    what_if: str | None,
    thorough: bool,
    save_plan: Path | None,
    report: Path | None,
    format: Format,
    post_it: bool,
    number: int | None,
    environ: dict[str, str],
) -> int:
    """Run, print and perhaps post the previews; the exit status."""
    request = merge_request(os.environ)
    wanted = [replace(one, thorough=thorough) for one in choose(envs, what_if, request, save_plan)]
    with told() as progress:
        if save_plan is not None:
            stories = [update.save(wanted[0], environ, save_plan, progress)]
        else:
            stories = previews(wanted, States(environ), progress)
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
    return exit_status(stories)


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
