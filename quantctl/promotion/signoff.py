"""`quantctl signoff`: somebody's word for the deployed commit, on the report of its results where there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from quantctl import where
from quantctl.errors import UserError
from quantctl.forge import connect
from quantctl.options import EnvArgument
from quantctl.records import reports
from quantctl.records.repository import Pipelines, read_pipelines
from quantctl.records.signoffs import Words
from quantctl.results.contract import contract_files
from quantctl.results.report import SHORT, Report, parsed
from quantctl.results.terminal import shown
from quantctl.stack_settings import stack_settings
from quantctl.text.terminal import Console
from quantctl.workspace import Workspace


def signoff_command(
    env: EnvArgument,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What was looked at, and what is thought of it.")],
    by: Annotated[
        str, typer.Option("--by", metavar="NAME", help="Who signs off, where you record it for somebody. Not in GitLab.")
    ] = "",
    report: Annotated[str, typer.Option("--report", metavar="DIGEST", help="Which report; default: the newest.")] = "",
    stakeholder: Annotated[str, typer.Option("--for", metavar="WHO", help="For whom they speak (stakeholders).")] = "",
    accept: Annotated[list[str] | None, typer.Option("--accept", metavar="ID", help="A finding that is accepted.")] = None,
    because: Annotated[list[str] | None, typer.Option("--because", metavar="TEXT", help="Why; one for each.")] = None,
) -> None:
    """Record that the deployed commit of ENV does what its users need; it is never changed.

    Names the recorded report of its results that was looked at, and shows it. In GitLab a comment on the commit, by a member
    of the UAT group; in plain Git a signed tag.
    """
    environ = where.enter(tell=True)
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
    words = Words(note.strip(), looked_at.digest if looked_at else "", stakeholder, _accepted(looked_at, accept, because))
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


def _accepted(report: Report | None, ids: Sequence[str] | None, because: Sequence[str] | None) -> Mapping[str, str]:
    """Finding -> why it is accepted; each has its reason."""
    ids, because = ids or (), because or ()
    if len(ids) != len(because) or not all(text.strip() for text in because):
        raise UserError(
            "Each --accept needs a --because.", found=f"{len(ids)} and {len(because)}", expected="a reason for each"
        )
    known = [one.id for one in report.findings] if report else []
    if strange := [id for id in ids if id not in known]:
        listed = ", ".join(known) or "none"
        raise UserError("The report has no such finding.", found=strange[0], expected=f"one of {listed}")
    return dict(zip(ids, because, strict=True))
