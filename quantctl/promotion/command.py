"""The command lines of `quantctl promote`, `rollback` and `history`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from infra.errors import UserError as InfraError
from infra.promotion import EDGES, Edge
from infra.settings import Settings
from infra.vocabulary import Environment
from quantctl import ask, where
from quantctl.errors import UserError
from quantctl.forge import Verdict, connect
from quantctl.options import Format, FormatOption
from quantctl.promotion.promote import Options, Outcome, Report, exit_status, mark, promote
from quantctl.promotion.rollback import Rollback, rollback
from quantctl.records import deployments
from quantctl.records.deployments import PREFIXES, Record
from quantctl.records.repository import read_pipelines
from quantctl.stack_settings import stack_settings
from quantctl.text.terminal import Console


class Release(StrEnum):
    """How much of production a release reaches."""

    limited = "limited"
    full = "full"


_RELEASES = {Release.limited: Environment.LIMITED, Release.full: Environment.LIVE}
UNKNOWN = "unknown"
EnvArgument = Annotated[Environment, typer.Argument(metavar="ENV", help="quant, quant_stg, quant_lr or quant_live.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show everything, change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
WaitOption = Annotated[
    float, typer.Option("--wait", metavar="MINUTES", min=0, help="Wait so long for active runs and for approvals.")
]


def promote_command(
    source: Annotated[Environment, typer.Argument(metavar="SRC", help="Where the change is now.")],
    target: Annotated[Environment | None, typer.Argument(metavar="[DST]", help="Where it goes.")] = None,
    release: Annotated[Release | None, typer.Option("--release", help="limited: quant_lr, full: quant_live.")] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    wait: WaitOption = 0,
    format: FormatOption = Format.table,
) -> None:
    """Promote SRC to DST: gates, preview, the branch, the update, and what the workspace says afterwards.

    Exit 0 when it went ahead (or would, with --dry-run), 3 when a gate stops it, 1 when something failed. If it was
    interrupted, rerun the same command to resume: its gates are asked again.
    """
    edge = _edge(source, target, release)
    environ = where.enter(tell=True)
    screen = _Screen(format, yes)
    options = Options(dry_run, lambda report: screen.confirm(report, _question(report)), screen.say, wait * 60)
    report = promote(edge, options, environ)
    screen.show(report, _words(report))
    raise typer.Exit(exit_status(report))


def rollback_command(
    env: EnvArgument,
    commit: Annotated[str | None, typer.Argument(metavar="[COMMIT]", help="Default: the deployment before.")] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    wait: WaitOption = 0,
    format: FormatOption = Format.table,
) -> None:
    """Bring ENV back to what an earlier deployment was, by a forward commit that restores its tree."""
    environ = where.enter(tell=True)
    screen = _Screen(format, yes)
    options = Options(dry_run, lambda _: False, screen.say, wait * 60)

    def ask(report: Rollback) -> bool:
        assert report.to is not None
        return screen.confirm(report, f"Roll {env} back to {report.to.commit[:12]}?")

    report = rollback(env, commit, options, ask, environ)
    screen.show(report, f"{env}: {report.outcome.value}")
    raise typer.Exit(1 if report.outcome in (Outcome.DECLINED, Outcome.REFUSED) else 0)


def history_command(
    env: EnvArgument,
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many, the newest first.")] = 20,
    format: FormatOption = Format.table,
) -> None:
    """Deployments of ENV: who, when, from, to, and the gates with their evidence.

    Whoever may push can make a tag that looks like a record: what is told is signed by one of quant:signers, or made by
    those whom GitLab's protected tags let; else it is told as unknown.
    """
    environ = where.enter()
    settings = stack_settings(env, environ)
    listed = deployments.look(read_pipelines(settings.remote, PREFIXES, settings.signers), "deployment", env)
    vouched = _vouched(settings, environ)
    found = [replace(one, signer=one.signer or UNKNOWN if vouched else one.signer) for one in reversed(listed.records)][
        :limit
    ]
    for name, why in sorted(listed.void.items()):
        typer.echo(f"Not a record: {name}: {why}.", err=True)
    if vouched:
        typer.echo(f"{vouched}.", err=True)
    if format is Format.json:
        typer.echo(json.dumps([one.as_json() for one in found], indent=2))
        return
    if not found:
        typer.echo(f"No deployment of {env} is recorded: quantctl up, promote and rollback do, plain pulumi up does not.")
        return
    _console(sys.stdout).print(history_table(found))
    typer.echo("The gates' evidence: --format json")


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


def _vouched(settings: Settings, environ: Mapping[str, str]) -> str:
    """Why it is unknown who made the records, "" where it is known."""
    try:
        answer = connect(settings, environ).vouches_for("deployment", settings.environment)
    except InfraError as error:
        return f"unknown who made these: {error}".rstrip(".")
    return "" if answer.verdict is Verdict.YES else answer.evidence


def _edge(source: Environment, target: Environment | None, release: Release | None) -> Edge:
    """The edge that is meant; refused when there is none, or when it is not said which."""
    ways = [edge.target for edge in EDGES if edge.source is source]
    asked = _RELEASES[release] if release else target or (ways[0] if len(ways) == 1 else None)
    if asked is None or asked not in ways or (target is not None and target is not asked):
        listed = ", ".join(str(edge) for edge in EDGES)
        found = f"{source} -> {target or '?'}" + (f" --release {release}" if release else "")
        raise UserError("There is no such promotion.", found=found, expected=listed, do_next="name one of these")
    return Edge(source, asked)


def _question(report: Report) -> str:
    commits = f"{len(report.commits)} commit{'' if len(report.commits) == 1 else 's'}"
    return f"Promote {commits} from {report.edge.source} to {report.edge.target}?"


def _words(report: Report) -> str:
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
            f" When every gate says yes, rerun the same command; quantctl rollback {env} takes it back."
        )
    if report.request:
        return f"The merge request {report.request} is open; when every gate says yes, rerun the same command to merge it."
    return "Stopped by a gate; nothing was changed."


def _console(stream: Any) -> Console:
    """At least 100 columns, so that a pipe gets whole tables."""
    console = Console(file=stream)
    return console if console.is_terminal else Console(file=stream, width=max(console.width, 100))


class _Screen:
    """Where a report and a question go: with JSON nothing but JSON reaches standard output."""

    def __init__(self, format: Format, yes: bool) -> None:
        self._json, self._yes = format is Format.json, yes
        self._shown = False
        self._out = _console(sys.stderr if self._json else sys.stdout)

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
