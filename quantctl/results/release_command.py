"""`quantctl release-note`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.errors import UserError as InfraError
from quantctl import where
from quantctl.errors import UserError
from quantctl.forge import connect
from quantctl.options import EnvArgument
from quantctl.records import deployments, reports
from quantctl.records.deployments import PREFIXES, Record
from quantctl.records.repository import Pipelines, read_pipelines
from quantctl.results import signed
from quantctl.results.contract import contract_files, read_contracts
from quantctl.results.declared import Declared, change_files, read_changes
from quantctl.results.release_note import Release, note
from quantctl.results.report import parsed
from quantctl.stack_settings import stack_settings
from quantctl.status.command import write_whole


def release_note_command(
    env: EnvArgument,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write there instead.")] = None,
) -> None:
    """What the last release of ENV changed for its users, in Markdown: declared changes, sizes, exceptions, signatures."""
    environ = where.enter()
    settings = stack_settings(env, environ)
    pipelines = read_pipelines(settings.remote, PREFIXES, settings.signers)
    record = deployments.last(pipelines, env)
    if record is None:
        raise UserError(f"No deployment of {env} is on record.", do_next="quantctl up, promote and rollback record theirs")
    source = record.source or env
    found = [one for one in reports.of(pipelines, source, record.commit, parsed).reports if one.at <= record.at]
    report = found[-1].report if found else None
    given = signed.Signed()
    if report is not None:
        given = signed.of(report.digest, connect(settings, environ).sign_offs(source, record.commit))
    commits = pipelines.between(record.previous, record.commit) if record.previous else []
    text = note(Release(record, commits, _changes(pipelines, record), report, given))
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_whole(output, text)
        typer.echo(f"written: {output}", err=True)


def _changes(pipelines: Pipelines, record: Record) -> list[Declared]:
    """What the release declares: files that the deployment before had not, or had otherwise."""
    now = pipelines.blobs(record.commit)
    before = pipelines.blobs(record.previous) if record.previous else {}
    fresh = [path for path in change_files(now) if now[path] != before.get(path)]
    try:
        contracts = read_contracts(pipelines.read_all(record.commit, contract_files(now)))
        return read_changes(pipelines.read_all(record.commit, fresh), contracts)
    except InfraError as error:
        raise UserError("What the release declares cannot be read.", found=str(error)) from None
