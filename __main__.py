"""One stack is one environment: settings -> snapshot of the branch -> declare the environment -> outputs."""

from __future__ import annotations

import gc

gc.disable()  # first: the program ends within seconds, and collecting costs more than a tenth of them for 4 MB of 120

import json
import os
from pathlib import Path

import pulumi

from infra.four_stacks import need_different
from infra.limited_release import warning
from infra.naming import names_of
from infra.outside.preflight import check
from infra.outside.workspace import Workspace
from infra.runtime import run
from infra.service_keys import need_held, need_keys
from infra.settings import need_token, read_settings
from infra.tracing import refuse_to_be_traced
from infra.what_if import what_if
from infra.workflows import Files, read_definitions


def declare() -> pulumi.Output[str]:
    """Everything that stands between a branch head and the resources of its environment; what is wrong when all is done."""
    refuse_to_be_traced()
    config = json.loads(os.environ.get("PULUMI_CONFIG", "{}"))
    settings = read_settings(pulumi.get_stack(), config, os.environ)
    need_different(pulumi.get_stack(), config, Path(pulumi.get_root_directory()))
    names = names_of(settings)
    need_keys(settings)
    snapshot = check(settings, os.environ, what_if(os.environ, pulumi.runtime.is_dry_run()))
    if not pulumi.runtime.is_dry_run():  # a preview's reader may not list what is in the scope
        need_token(settings)
        need_held(settings, Workspace(os.environ).secrets_if_any(names.secret_scope))
    release = settings.limited_release
    if release and release.until and (said := warning(release, Workspace(os.environ).now().date())):
        pulumi.warn(said)
    present = frozenset(snapshot.tree)
    reading = read_definitions(Files(present, settings.workflows, snapshot.read), present, settings, names)
    for note in reading.notes:
        (pulumi.warn if note.warns else pulumi.info)(str(note))

    # Only now: a mistake above is told without waiting for the SDKs to load.
    from infra.environment import QuantEnvironment

    environment = QuantEnvironment(settings, names, snapshot, reading.workflows)
    environment.folder.commit.apply(lambda deployed: moved_meanwhile(snapshot.commit, deployed))
    pulumi.export("branch", settings.branch)
    pulumi.export("commit", environment.folder.commit)
    pulumi.export("folder", settings.folder)
    pulumi.export("jobs", environment.jobs.ids)
    pulumi.export("schema", f"{settings.database.upper()}.{names.schema}")
    return environment.schema.refused


def moved_meanwhile(declared: str, deployed: str) -> None:
    """The workspace checks out a branch's head, which may have moved since it was resolved."""
    if deployed and deployed != declared and not pulumi.runtime.is_dry_run():
        pulumi.warn(
            f"the branch moved while deploying: {declared[:12]} was previewed, the folder is at {deployed[:12]}."
            " Run pulumi up again, so that the jobs are those of the same commit."
        )


run(declare)
