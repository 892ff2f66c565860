"""What `quantctl check` and `quantctl show` do once their options are read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import typer
import yaml

from infra.errors import UserError as InfraError
from infra.naming import names_of
from infra.settings import Settings
from infra.vocabulary import Environment
from infra.workflows import Workflow, read_definitions
from infra.workflows.problems import one_of
from quantctl.check import told
from quantctl.check.command import Format, ShowFormat
from quantctl.check.judge import judge
from quantctl.check.working_tree import files_of, paths_of
from quantctl.errors import UserError
from quantctl.promotion.soak import is_code
from quantctl.stack_settings import stack_settings

_USAGE = 2
_DECLARED = (".yaml", ".yml")  # contracts and changes: what is no code and no documentation
# Nothing is asked of the remote, but settings name one.
_NO_REMOTE = {"QUANT_REMOTE": "https://none.invalid/pipelines.git"}


def checked(folder: Path, format: Format) -> int:
    """Judge a working tree and say what is wrong; the exit status."""
    try:
        present = paths_of(folder)
        settings = {environment: _settings(environment) for environment in Environment}
        workflows = next(iter(settings.values())).workflows
        declared = {path: (folder / path).read_bytes() for path in present if not is_code(path) and path.endswith(_DECLARED)}
        verdict = judge(files_of(folder, present, workflows), present, settings, declared)
    except InfraError as error:
        typer.echo(str(error), err=True)
        return _USAGE
    say = {Format.text: told.text, Format.json: told.as_json, Format.gitlab: told.gitlab, Format.github: told.github}
    if said := say[format](verdict):
        typer.echo(said)
    return 1 if verdict.problems else 0


def shown(workflow: str, env: Environment, folder: Path, format: ShowFormat) -> str:
    """A job as an environment would declare it.

    Raises:
        UserError: no workflow is called so.
    """
    settings = _settings(env)
    present = paths_of(folder)
    reading = read_definitions(files_of(folder, present, settings.workflows), present, settings, names_of(settings))
    found = next((one for one in reading.workflows if workflow in (one.key, one.name)), None)
    if found is None:
        said = one_of(workflow, [one.key for one in reading.workflows])
        raise UserError(f"no workflow is called {workflow!r}; {said}")
    job = declared(found, settings)
    if format is ShowFormat.json:
        return json.dumps(job, indent=2)
    return yaml.safe_dump(job, sort_keys=False, allow_unicode=True, width=110).rstrip()


def declared(workflow: Workflow, settings: Settings) -> dict[str, object]:
    """The Jobs API settings of the job, with what the environment adds outside the definition."""
    name = f"{settings.environment} {workflow.name}"
    run_as = {"service_principal_name": settings.service_principal}
    return {**workflow.job, "name": name, "run_as": run_as, "edit_mode": "UI_LOCKED"}


def _settings(environment: Environment) -> Settings:
    return stack_settings(environment, _NO_REMOTE | dict(os.environ))
