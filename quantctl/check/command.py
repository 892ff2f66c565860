"""`quantctl check` and `quantctl show`."""

from __future__ import annotations

import enum
import json
import os
from pathlib import Path
from typing import Annotated

import typer
import yaml

from infra.errors import UserError as InfraError
from infra.naming import names_of
from infra.settings import Settings
from infra.vocabulary import Environment
from infra.workflows import Workflow, read_definitions
from infra.workflows.problems import one_of
from quantctl.check import told
from quantctl.check.judge import judge
from quantctl.check.working_tree import files_of, paths_of
from quantctl.errors import UserError
from quantctl.promotion.soak import is_code
from quantctl.stack_settings import stack_settings

_USAGE = 2
_DECLARED = (".yaml", ".yml")  # contracts and changes: what is no code and no documentation
# Nothing is asked of the remote, but settings name one.
_NO_REMOTE = {"QUANT_REMOTE": "https://none.invalid/pipelines.git"}


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
    try:
        present = paths_of(folder)
        settings = {environment: _settings(environment) for environment in Environment}
        workflows = next(iter(settings.values())).workflows
        declared = {path: (folder / path).read_bytes() for path in present if not is_code(path) and path.endswith(_DECLARED)}
        verdict = judge(files_of(folder, present, workflows), present, settings, declared)
    except InfraError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(_USAGE) from None
    say = {Format.text: told.text, Format.json: told.as_json, Format.gitlab: told.gitlab, Format.github: told.github}
    if said := say[format](verdict):
        typer.echo(said)
    if verdict.problems:
        raise typer.Exit(1)


def show(
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="Its file without ending, or its name.")],
    env: Annotated[Environment, typer.Argument(metavar="ENV")],
    folder: Annotated[Path, typer.Option("--folder", help="The pipelines repository, a working tree.")] = Path(),
    format: Annotated[ShowFormat, typer.Option("--format", help="yaml or json.")] = ShowFormat.yaml,
) -> None:
    """Print a job as an environment would declare it."""
    settings = _settings(env)
    present = paths_of(folder)
    reading = read_definitions(files_of(folder, present, settings.workflows), present, settings, names_of(settings))
    found = next((one for one in reading.workflows if workflow in (one.key, one.name)), None)
    if found is None:
        said = one_of(workflow, [one.key for one in reading.workflows])
        raise UserError(f"no workflow is called {workflow!r}; {said}")
    job = declared(found, settings)
    if format is ShowFormat.json:
        typer.echo(json.dumps(job, indent=2))
    else:
        typer.echo(yaml.safe_dump(job, sort_keys=False, allow_unicode=True, width=110).rstrip())


def declared(workflow: Workflow, settings: Settings) -> dict[str, object]:
    """The Jobs API settings of the job, with what the environment adds outside the definition."""
    name = f"{settings.environment} {workflow.name}"
    run_as = {"service_principal_name": settings.service_principal}
    return {**workflow.job, "name": name, "run_as": run_as, "edit_mode": "UI_LOCKED"}


def _settings(environment: Environment) -> Settings:
    return stack_settings(environment, _NO_REMOTE | dict(os.environ))
