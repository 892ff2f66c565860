"""The command line of `quantctl results`."""

from __future__ import annotations

import io
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from infra.promotion import EDGES
from infra.vocabulary import Environment
from quantctl import where
from quantctl.errors import UserError
from quantctl.options import EnvArgument, day_of
from quantctl.results.as_before import as_before
from quantctl.results.keeping import before, on_record, post, write_record
from quantctl.results.markdown import markdown
from quantctl.results.page import page
from quantctl.results.proposal import proposal
from quantctl.results.read import Options, read_results
from quantctl.results.report import Report, report_of
from quantctl.results.rows import need_a_terminal, show_rows
from quantctl.results.signed import Signed
from quantctl.results.terminal import shown
from quantctl.stack_settings import stack_settings
from quantctl.status.command import write_whole
from quantctl.text.terminal import Console

_COLUMNS = 160
UNEXPECTED, UNKNOWN = 2, 1


class Format(StrEnum):
    """How a report is shown."""

    table = "table"
    json = "json"
    markdown = "markdown"
    html = "html"


def results_command(
    env: EnvArgument,
    against: Annotated[Environment | None, typer.Option("--against", metavar="ENV", help="Default: where it goes.")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=60, help="So many whole days (UTC).")] = 5,
    until: Annotated[str | None, typer.Option("--until", metavar="DATE", help="The last day. Default: yesterday.")] = None,
    table: Annotated[list[str] | None, typer.Option("--table", metavar="TABLE", help="These tables alone.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Compare all values, of more than 20 million rows too.")] = False,
    record: Annotated[bool, typer.Option("--record", help="Record the report in the pipelines repository.")] = False,
    note: Annotated[bool, typer.Option("--post", help="Write it on the open merge request, too.")] = False,
    report: Annotated[str, typer.Option("--report", metavar="DIGEST", help="Show a recorded report instead.")] = "",
    rolled_back: Annotated[
        bool, typer.Option("--as-before", help="After a rollback: as when this tree was deployed?")
    ] = False,
    rows: Annotated[int, typer.Option("--rows", min=0, max=200, help="Show so many rows that differ, on a terminal.")] = 0,
    propose: Annotated[str, typer.Option("--propose", metavar="TABLE", help="Write a first contract of a table.")] = "",
    format: Annotated[Format, typer.Option("--format", help="table, json, markdown or html.")] = Format.table,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write there instead.")] = None,
) -> None:
    """Are ENV's results right? Its tables against those of the environment it leads to, by their contracts.

    Of the account it only reads. Exit 0 as expected, 2 something is not, 1 something is unknown.
    """
    options = Options(days, day_of(until, "--until"), tuple(table or ()), everything)
    if rows:
        others = {"--output": output, "--record": record, "--post": note, "--report": report, "--propose": propose,
                  "--as-before": rolled_back, "--format": format is not Format.table}  # fmt: skip
        need_a_terminal(options.tables, others)
    environ = where.enter(tell=True)
    if rows:
        show_rows(env, against or leads_to(env), options, rows, environ)
        return
    if propose:
        _show_text(proposal(stack_settings(env, environ), propose, environ), output)
        return
    if report:
        told, signed = on_record(env, report, environ)
    else:
        found = read_results(env, against or leads_to(env), options, environ, lambda text: typer.echo(text, err=True))
        told, signed = report_of(found), Signed()
        if record:
            typer.echo(f"recorded: {write_record(env, told, environ)}", err=True)
    _show(told, signed, format, output)
    if note:
        typer.echo(post(env, told, environ), err=True)
    if rolled_back:
        verified = as_before(told, before(env, told, environ))
        typer.echo(str(verified), err=True)
        raise typer.Exit(UNEXPECTED if verified.other else 0)
    raise typer.Exit(UNEXPECTED if told.unexpected else UNKNOWN if told.unknown else 0)


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
