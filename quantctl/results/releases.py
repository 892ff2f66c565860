"""The releases on record, as the text of a release note."""

from __future__ import annotations

from collections.abc import Sequence

from infra.errors import UserError as InfraError
from infra.vocabulary import Environment
from quantctl.errors import UserError
from quantctl.forge import Forge, connect
from quantctl.records import deployments, reports
from quantctl.records.deployments import PREFIXES, Record
from quantctl.records.repository import Pipelines, read_pipelines
from quantctl.results import cumulative, signed
from quantctl.results.contract import contract_files, read_contracts
from quantctl.results.declared import Declared, change_files, read_changes
from quantctl.results.release_note import Release, note
from quantctl.results.report import parsed
from quantctl.stack_settings import stack_settings


def text_of(env: Environment, since: str, environ: dict[str, str]) -> str:
    """What the last release changed, or all after the deployment `since` together.

    Raises:
        UserError: nothing is on record, or what was declared cannot be read.
    """
    settings = stack_settings(env, environ)
    pipelines = read_pipelines(settings.remote, PREFIXES, settings.signers)
    records = deployments.records(pipelines, "deployment", env)
    if not records:
        raise UserError(f"No deployment of {env} is on record.", do_next="quantctl up, promote and rollback record theirs")
    forge = connect(settings, environ)
    if since:
        first, later = _after(records, since)
        return cumulative.since(first, [_release(pipelines, one, forge) for one in later])
    return note(_release(pipelines, records[-1], forge))


def _release(pipelines: Pipelines, record: Record, forge: Forge) -> Release:
    """A release, with the newest report that was recorded before it."""
    source = record.source or record.environment
    found = [one for one in reports.of(pipelines, source, record.commit, parsed).reports if one.at <= record.at]
    report = found[-1].report if found else None
    given = signed.of(report.digest, forge.sign_offs(source, record.commit)) if report is not None else signed.Signed()
    commits = pipelines.between(record.previous, record.commit) if record.previous else []
    return Release(record, commits, _changes(pipelines, record), report, given)


def _after(records: Sequence[Record], wanted: str) -> tuple[Record, Sequence[Record]]:
    """A deployment by the begin of its commit, and those after it."""
    found = [number for number, one in enumerate(records) if one.commit.startswith(wanted.lower())]
    if not found or len(wanted) < 4:
        listed = ", ".join(f"{one.commit[:12]} ({one.at:%Y-%m-%d})" for one in records[-8:])
        raise UserError(
            f"{wanted!r} names no deployment on record.", expected=f"one of {listed}", do_next="quantctl history"
        )
    return records[found[-1]], records[found[-1] + 1 :]


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
