"""The command lines of `quantctl check` and `quantctl show`."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from infra.vocabulary import Environment


class Format(enum.StrEnum):
    """How the mistakes are told."""

    text = "text"
    json = "json"
    gitlab = "gitlab"
    github = "github"


class ShowFormat(enum.StrEnum):
    """How a job is printed."""

    yaml = "yaml"
    json = "json"


Folder = Annotated[Path, typer.Argument(metavar="[FOLDER]", help="The pipelines repository, a working tree.")]


def check(
    folder: Folder = Path(),
    format: Annotated[Format, typer.Option("--format", help="text, json, gitlab (code quality) or github.")] = Format.text,
) -> None:
    """Are the workflows of a pipelines repository right for all four environments, and its contracts?

    Reads files only: no endpoint, no credentials, no engine. Exit 0: right, 1: problems, 2: no such folder or settings.
    """
    from quantctl.check.run import checked  # slow to load, and `--help` needs none of it

    raise typer.Exit(checked(folder, format))


def show(
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="Its file without ending, or its name.")],
    env: Annotated[Environment, typer.Argument(metavar="ENV")],
    folder: Annotated[Path, typer.Option("--folder", help="The pipelines repository, a working tree.")] = Path(),
    format: Annotated[ShowFormat, typer.Option("--format", help="yaml or json.")] = ShowFormat.yaml,
) -> None:
    """Print a job as an environment would declare it."""
    from quantctl.check.run import shown

    typer.echo(shown(workflow, env, folder, format))
