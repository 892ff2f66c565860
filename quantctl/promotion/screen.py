"""How a promotion, a rollback and the history of deployments are shown: on a terminal, or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import typer
from rich.table import Table

from quantctl import ask
from quantctl.options import Format
from quantctl.promotion.promote import Outcome, Report, mark
from quantctl.promotion.rollback import Rollback
from quantctl.records.deployments import Record
from quantctl.text.terminal import Console


class Screen:
    """Where a report and a question go: with JSON nothing but JSON reaches standard output."""

    def __init__(self, format: Format, yes: bool) -> None:
        self._json, self._yes = format is Format.json, yes
        self._shown = False
        self._out = console(sys.stderr if self._json else sys.stdout)

    def say(self, text: str) -> None:
        """Progress, on standard error."""
        typer.echo(text, err=True)

    def confirm(self, report: Report | Rollback, question: str) -> bool:
        """Whether to go on: shows the report, and asks unless told not to."""
        self._tell(report)
        if self._yes:
            return True
        return ask.confirm(question, on_stderr=self._json)

    def show(self, report: Report | Rollback, words: str) -> None:
        """The report, unless it was shown with a question, and how it ended."""
        if self._json:
            typer.echo(json.dumps(report.as_json(), indent=2))
            return
        self._tell(report)
        typer.echo(words)

    def _tell(self, report: Report | Rollback) -> None:
        if self._shown:
            return
        self._shown = True
        gates = getattr(report, "gates", [])
        if gates and report.outcome is not Outcome.NOTHING:
            table = Table("gate", "", "evidence")
            for gate in gates:
                table.add_row(gate.name, mark(gate.verdict), gate.evidence)
            self._out.print(table)
        if report.preview:  # which names commits and workflows too
            self._out.print(f"\n{report.preview}", markup=False, highlight=False, soft_wrap=True)
            return
        for commit in report.commits:
            self._out.print(f"  {commit.id[:12]}  {commit.subject}  ({commit.author})", markup=False, highlight=False)
        if report.commits:
            self._out.print(f"workflows: {report.workflows}", markup=False, highlight=False)


def question(report: Report) -> str:
    """What is asked before a promotion."""
    commits = f"{len(report.commits)} commit{'' if len(report.commits) == 1 else 's'}"
    return f"Promote {commits} from {report.edge.source} to {report.edge.target}?"


def words(report: Report) -> str:
    """How a promotion ended."""
    told = {
        Outcome.NOTHING: _nothing(report),
        Outcome.WOULD: "Every gate says yes; nothing was changed (--dry-run).",
        Outcome.STOPPED: _stopped(report),
        Outcome.REFUSED: "The preview failed, or a policy refuses it; nothing was changed.",
        Outcome.DECLINED: "Nothing was changed.",
        Outcome.PROMOTED: f"Promoted: {report.edge.target} is deployed at {report.new[:12]}.",
        Outcome.FINISHED: f"Finished: {report.edge.target} is deployed. What waits besides is promoted by running it again.",
    }
    return told.get(report.outcome, report.outcome.value)


def _nothing(report: Report) -> str:
    if report.old != report.new and (told := [gate.evidence for gate in report.gates if gate.name == "fast-forward"]):
        return told[0]
    return f"{report.edge.target} has everything of {report.edge.source} already."


def _stopped(report: Report) -> str:
    if report.interrupted:
        env = report.edge.target
        return (
            f"An interrupted promotion ({report.interrupted}) is not resumed: its gates were asked again, and one stops it."
            f" When every gate says yes, rerun the same command; `quantctl rollback {env}` takes it back."
        )
    if report.request:
        return f"The merge request {report.request} is open; when every gate says yes, rerun the same command to merge it."
    return "Stopped by a gate; nothing was changed."


def history_table(records: Sequence[Record]) -> Table:
    """Deployments, one a row."""
    table = Table()
    for title in ("when (UTC)", "what", "from", "to", "by", "signed by", "gates"):
        table.add_column(title, no_wrap=title in ("when (UTC)", "from", "to"))
    for one in records:
        passed = ", ".join(gate["name"] for gate in one.gates)
        came = f"{one.how} from {one.source}" if one.source else one.how
        who = (one.by, one.signer or "-")
        row = (f"{one.at:%Y-%m-%d %H:%M}", came, (one.previous or "-")[:10], one.commit[:10], *who, passed or "-")
        table.add_row(*row)
    return table


def console(stream: Any) -> Console:
    """At least 100 columns, so that a pipe gets whole tables."""
    console = Console(file=stream)
    return console if console.is_terminal else Console(file=stream, width=max(console.width, 100))
