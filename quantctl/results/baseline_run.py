"""Run production's code with a limited release's parameters, into a schema of its own."""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence
from typing import Any

import typer

from infra.naming import names_of
from infra.settings import Settings
from infra.vocabulary import Environment
from quantctl.errors import UserError
from quantctl.promotion.read import definitions, deployed_commit
from quantctl.records.repository import read_pipelines
from quantctl.results.baseline import one_time, workflows
from quantctl.results.read import contracts_at
from quantctl.stack_settings import stack_settings
from quantctl.workspace import Workspace

_LONGEST = 2 * 60 * 60  # seconds until a run is no longer waited for
_LOOK = 1.0


def succeeded(env: Environment, day: datetime.date | None, environ: dict[str, str]) -> bool:
    """Run it for a day, None is yesterday; whether each workflow did what it should.

    Raises:
        UserError: there is nothing to run, or not what is deployed.
    """
    settings, live = stack_settings(env, environ), stack_settings(Environment.LIVE, environ)
    if settings.limited_release is None or not settings.limited_release.baseline:
        raise UserError(
            f"{env} has no baseline.",
            expected="quant:limitedRelease with baseline: true, in Pulumi.quant_lr.yaml",
            do_next="set it, and quantctl up quant_lr: it declares the schema (docs/results.md)",
        )
    workspace = Workspace(environ)
    pipelines = read_pipelines(settings.remote)
    here, commit = deployed_commit(workspace, settings), deployed_commit(workspace, live)
    if here is None or commit is None or not pipelines.knows(here) or not pipelines.knows(commit):
        raise UserError(f"{env} or quant_live is not deployed at a commit of its repository.", do_next="quantctl status")
    wanted = workflows(contracts_at(pipelines, here))
    if not wanted:
        raise UserError("No contract says quant.baseline: true, so no table needs a baseline.", do_next="docs/results.md")
    jobs = {str(job["name"]): job for job in definitions(pipelines, settings, commit)}
    if missing := [name for name in wanted if name not in jobs]:
        raise UserError(f"quant_live has no workflow {missing[0]} at {commit[:12]}, so it has no baseline.")
    of = day or workspace.now().date() - datetime.timedelta(days=1)
    folder = f"{settings.folder}_base"
    bodies = [one_time(jobs[name], settings, folder, of, commit) for name in wanted]
    typer.echo(f"{commit[:12]} of quant_live, {of}, into {names_of(settings).baseline}: {', '.join(wanted)}", err=True)
    return _run(workspace, settings, live, folder, commit, bodies)


def _run(
    workspace: Workspace, settings: Settings, live: Settings, folder: str, commit: str, bodies: Sequence[dict[str, Any]]
) -> bool:
    """One after the other, from a Git folder that is there as long as they run; whether each did what it should."""
    number = _folder(workspace, settings, folder)
    try:
        if (head := workspace.check_out(number, live.branch)) != commit:
            raise UserError(
                "quant_live's branch is not where quant_live is, so that its code cannot be checked out.",
                found=f"the branch at {head[:12]}, the folder at {commit[:12]}",
                do_next="quantctl status; run it again when quant_live is up to date",
            )
        workspace.let_run(number, settings.service_principal)
        for body in bodies:
            result = _wait(workspace, workspace.submit(body))
            typer.echo(f"{body['run_name']}: {result.lower()}")
            if result != "SUCCESS":  # what comes after is made of it
                return False
    finally:
        workspace.delete_git_folder(number)
    return True


def _folder(workspace: Workspace, settings: Settings, folder: str) -> int:
    """The Git folder, made, or left by a run that was killed; it is deleted afterwards, so it must be ours."""
    found = workspace.git_folder(folder)
    if found is None:
        return workspace.make_git_folder(settings.remote, settings.git_provider, folder)
    if (url := workspace.repo(found.id).get("url")) != settings.remote:
        raise UserError(
            f"{folder} is somebody else's Git folder, and a baseline needs the place.",
            found=f"a folder of {url}",
            do_next="move it away",
        )
    return found.id


def _wait(workspace: Workspace, number: int) -> str:
    deadline = time.monotonic() + _LONGEST
    while time.monotonic() < deadline:
        if result := workspace.run(number).result:
            return result
        time.sleep(_LOOK)
    return f"run {number} has not ended after {_LONGEST // 3600} hours"
