"""What `quantctl results` does once its options are read: compare, record, show."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import typer

from infra.promotion import EDGES
from infra.vocabulary import Environment
from quantctl.errors import UserError
from quantctl.results.as_before import as_before
from quantctl.results.command import Asked, Format
from quantctl.results.keeping import before, on_record, post, write_record
from quantctl.results.markdown import markdown
from quantctl.results.page import page
from quantctl.results.proposal import proposal
from quantctl.results.read import Options, read_results
from quantctl.results.report import Report, report_of
from quantctl.results.rows import show_rows
from quantctl.results.signed import Signed
from quantctl.results.terminal import shown
from quantctl.stack_settings import stack_settings
from quantctl.text.terminal import Console
from quantctl.text.whole_file import write_whole

_COLUMNS = 160
UNEXPECTED, UNKNOWN = 2, 1


def answered(env: Environment, asked: Asked, environ: dict[str, str]) -> int:
    """Compare, or show what was recorded; the exit status."""
    options = Options(asked.days, asked.until, asked.tables, asked.everything)
    if asked.rows:
        show_rows(env, asked.against or leads_to(env), options, asked.rows, environ)
        return 0
    if asked.propose:
        _show_text(proposal(stack_settings(env, environ), asked.propose, environ), asked.output)
        return 0
    if asked.report:
        told, signed = on_record(env, asked.report, environ)
    else:
        against = asked.against or leads_to(env)
        found = read_results(env, against, options, environ, lambda text: typer.echo(text, err=True))
        told, signed = report_of(found), Signed()
        if asked.record:
            typer.echo(f"recorded: {write_record(env, told, environ)}", err=True)
    _show(told, signed, asked.format, asked.output)
    if asked.post:
        typer.echo(post(env, told, environ), err=True)
    if asked.rolled_back:
        verified = as_before(told, before(env, told, environ))
        typer.echo(str(verified), err=True)
        return UNEXPECTED if verified.other else 0
    return UNEXPECTED if told.unexpected else UNKNOWN if told.unknown else 0


def leads_to(env: Environment) -> Environment:
    """The environment that an edge leads to; of two the one nearest to production.

    Raises:
        UserError: no edge leads from there.
    """
    ways = [edge.target for edge in EDGES if edge.source is env]
    if not ways:
        raise UserError(f"Nothing comes after {env}.", do_next=f"say against what: quantctl results {env} --against ENV")
    return ways[-1]


def written(report: Report, signed: Signed, format: Format) -> str:
    """As a file or a pipe gets it."""
    if format is Format.html:
        return page(report, signed)
    if format is Format.markdown:
        return markdown(report)
    if format is Format.json:
        body = report.model_dump(mode="json")
        return f"{json.dumps({'digest': report.digest, 'verdict': report.verdict, **body}, indent=2)}\n"
    text = io.StringIO()
    Console(file=text, width=_COLUMNS, markup=True).print(shown(report))
    return text.getvalue()


def _show(report: Report, signed: Signed, format: Format, output: Path | None) -> None:
    if output is None and format is Format.table and sys.stdout.isatty():
        Console(markup=True).print(shown(report))
    else:
        _show_text(written(report, signed, format), output)


def _show_text(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    write_whole(output, text)
    typer.echo(f"written: {output}", err=True)
