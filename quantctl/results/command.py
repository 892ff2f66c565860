"""The command line of `quantctl results`."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from infra.vocabulary import Environment
from quantctl import where
from quantctl.options import EnvArgument, day_of


class Format(StrEnum):
    """How a report is shown."""

    table = "table"
    json = "json"
    markdown = "markdown"
    html = "html"


@dataclass(frozen=True)
class Asked:
    """What is compared, and where the answer goes."""

    against: Environment | None
    days: int
    until: datetime.date | None
    tables: tuple[str, ...]
    everything: bool
    record: bool
    post: bool
    report: str
    rolled_back: bool
    rows: int
    propose: str
    format: Format
    output: Path | None


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
    tables, last = tuple(table or ()), day_of(until, "--until")
    if rows:
        from quantctl.results.rows import need_a_terminal

        others = {"--output": output, "--record": record, "--post": note, "--report": report, "--propose": propose,
                  "--as-before": rolled_back, "--format": format is not Format.table}  # fmt: skip
        need_a_terminal(tables, others)
    asked = Asked(against, days, last, tables, everything, record, note, report, rolled_back, rows, propose, format, output)
    environ = where.enter(tell=True)
    from quantctl.results.run import answered  # slow to load, and `--help` needs none of it

    raise typer.Exit(answered(env, asked, environ))
