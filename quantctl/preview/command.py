"""The command line of `quantctl preview`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from infra.vocabulary import Environment
from quantctl import where


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
    from quantctl.preview.show import previewed  # slow to load, and `--help` needs none of it

    raise typer.Exit(previewed(list(envs or []), what_if, thorough, save_plan, report, format, post_it, number, environ))
