"""Workflow files and stack files from what was found: written to be reviewed, used by nobody yet."""

from __future__ import annotations

from collections.abc import Mapping

from infra.naming import names_of
from infra.settings import Settings
from infra.vocabulary import Environment
from infra.workflows.expand import parameters_of
from quantctl import project
from quantctl.adopt import folder, stack_file, workflow_files
from quantctl.adopt.decisions import Decisions
from quantctl.adopt.folder import Place
from quantctl.adopt.model import Json, Look
from quantctl.adopt.pairing import Workflow, paired
from quantctl.errors import UserError
from quantctl.stack_settings import stack_settings


def generate(looks: Mapping[str, Look], decided: Mapping[str, Decisions], environ: Mapping[str, str]) -> list[Workflow]:
    """Write the files of every environment that was looked at; the workflows that they hold.

    Raises:
        UserError: jobs cannot be told apart, or a stack file would be refused.
    """
    files: dict[str, Json] = {}
    settings: dict[str, Settings] = {}
    for env, look in looks.items():
        files[env] = _own(env, look, decided.get(env), environ)
        settings[env] = _written(env, files[env], environ)
    left = {env: one.jobs_left for env, one in decided.items()}
    workflows = paired(looks, left)
    scene = workflow_files.Scene(
        folders={env: look.folder.path for env, look in looks.items() if look.folder},
        known={env: parameters_of(one, names_of(one)) for env, one in settings.items()},
        keys={env: {job.id: one.name for one in workflows for e, job in one.jobs.items() if e == env} for env in looks},
        paused=frozenset(env for env, one in settings.items() if one.schedules == "paused"),
        there=frozenset(env for env, look in looks.items() if look.folder),
    )
    texts = {f"{one.name}.yml": workflow_files.file_of(one, scene) for one in workflows}
    for env, ids in scene.ids.items():
        if ids:
            more = {"variables": ids, "allowed": stack_file.allowed_ids(ids, settings[env])}
            _written(env, stack_file.merged(files[env], more), environ)
    place = Place.of(next(iter(looks), Environment.DEV.value))
    for old in place.workflows.glob("*.yml"):
        if old.name not in texts:
            old.unlink()
    for name, text in texts.items():
        folder.write(place.workflows / name, text)
    return workflows


def _own(env: str, look: Look, decided: Decisions | None, environ: Mapping[str, str]) -> Json:
    settings = stack_settings(env, environ)
    found = stack_file.from_look(look, settings)
    if more := stack_file.allowed(look, settings):
        found["allowed"] = more
    if decided is not None and (kept := decided.narrowing):
        found["access"] = stack_file.narrowed(kept, settings)
    return found


def _written(env: str, found: Json, environ: Mapping[str, str]) -> Settings:
    """The proposed stack file, and the settings that the program would read from it."""
    place = Place.of(env)
    text = (project.root() / f"Pulumi.{env}.yaml").read_text()
    try:
        folder.write(place.stack_file, stack_file.with_settings(text, found))
    except ValueError as error:
        raise UserError(f"Pulumi.{env}.yaml cannot be added to: {error}.", do_next="give it a line `config:`") from None
    return stack_settings(env, environ, place.stack_file)
