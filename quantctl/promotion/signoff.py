"""`quantctl signoff`: somebody's word for the deployed commit, on the report of its results where there is one."""

from __future__ import annotations

from collections.abc import Mapping

import typer

from infra.vocabulary import Environment
from quantctl.errors import UserError
from quantctl.forge import connect
from quantctl.records import reports
from quantctl.records.repository import Pipelines, read_pipelines
from quantctl.records.signoffs import Words
from quantctl.results.contract import contract_files
from quantctl.results.report import SHORT, Report, parsed
from quantctl.results.terminal import shown
from quantctl.stack_settings import stack_settings
from quantctl.text.terminal import Console
from quantctl.workspace import Workspace


def sign_off(
    env: Environment,
    note: str,
    by: str,
    report: str,
    stakeholder: str,
    accepted: Mapping[str, str],
    environ: Mapping[str, str],
) -> None:
    """Record a sign-off of the deployed commit; `report` begins the digest of the one that was looked at, "" is the newest.

    Raises:
        UserError: nothing is deployed, or there is no such report or finding.
    """
    settings, workspace = stack_settings(env, environ), Workspace(environ)
    folder = workspace.git_folder(settings.folder)
    if folder is None:
        raise UserError(f"{env} is not deployed, so there is nothing to sign off.", do_next=f"pulumi up -s {env}")
    pipelines = read_pipelines(settings.remote, (reports.PREFIX,), settings.signers)
    if not pipelines.knows(folder.commit):
        raise UserError(
            f"{env} is at a commit that no branch holds, so it cannot be signed off.",
            found=f"the folder {settings.folder} at {folder.commit[:12]}",
            do_next=f"quantctl drift {env}",
        )
    looked_at = _report(pipelines, env, folder.commit, report)
    if looked_at is not None:
        Console(stderr=True, markup=True).print(shown(looked_at))
    words = Words(note.strip(), looked_at.digest if looked_at else "", stakeholder, _known(looked_at, accepted))
    forge, at = connect(settings, environ), int(workspace.now().timestamp())
    made = forge.sign_off(env, folder.commit, by, str(words), at)
    on = f" on report {looked_at.digest[:SHORT]}" if looked_at else ""
    typer.echo(f"Signed off: {folder.commit[:12]} in {env}{on}, by {made.by} ({made.where}).")


def _report(pipelines: Pipelines, env: str, commit: str, digest: str) -> Report | None:
    """The report that is meant: the newest of the commit, or the one that is named; None where there are no contracts."""
    found = [one.report for one in reports.of(pipelines, env, commit, parsed).reports]
    fitting = [one for one in found if one.digest.startswith(digest)]
    if digest and not fitting:
        listed = ", ".join(one.digest[:SHORT] for one in found) or "none"
        raise UserError(f"{env} has no such report of {commit[:12]}.", found=digest, expected=f"one of {listed}")
    if not found and contract_files(pipelines.blobs(commit)):
        typer.echo(
            f"No report of {commit[:12]} is recorded: this sign-off names none (quantctl results {env} --record).", err=True
        )
    return fitting[-1] if fitting else None


def _known(report: Report | None, accepted: Mapping[str, str]) -> Mapping[str, str]:
    """Finding -> why it is accepted; each is one of the report's."""
    known = [one.id for one in report.findings] if report else []
    if strange := [id for id in accepted if id not in known]:
        listed = ", ".join(known) or "none"
        raise UserError("The report has no such finding.", found=strange[0], expected=f"one of {listed}")
    return accepted
