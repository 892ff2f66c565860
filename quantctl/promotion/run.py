"""What `quantctl promote`, `rollback` and `history` do once the options are read."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace

import typer

from infra.errors import UserError as InfraError
from infra.promotion import Edge
from infra.settings import Settings
from infra.vocabulary import Environment
from quantctl.forge import Verdict, connect
from quantctl.options import Format
from quantctl.promotion.promote import Options, Outcome, exit_status, promote
from quantctl.promotion.rollback import Rollback, rollback
from quantctl.promotion.screen import Screen, console, history_table, question, words
from quantctl.records import deployments
from quantctl.records.deployments import PREFIXES
from quantctl.records.repository import read_pipelines
from quantctl.stack_settings import stack_settings

UNKNOWN = "unknown"


def promoted(edge: Edge, dry_run: bool, yes: bool, wait_seconds: float, format: Format, environ: Mapping[str, str]) -> int:
    """Promote along an edge and show it; the exit status."""
    screen = Screen(format, yes)
    options = Options(dry_run, lambda report: screen.confirm(report, question(report)), screen.say, wait_seconds)
    report = promote(edge, options, dict(environ))
    screen.show(report, words(report))
    return exit_status(report)


def rolled_back(
    env: Environment,
    commit: str | None,
    dry_run: bool,
    yes: bool,
    wait_seconds: float,
    format: Format,
    environ: Mapping[str, str],
) -> int:
    """Roll an environment back and show it; the exit status."""
    screen = Screen(format, yes)
    options = Options(dry_run, lambda _: False, screen.say, wait_seconds)

    def ask(report: Rollback) -> bool:
        assert report.to is not None
        return screen.confirm(report, f"Roll {env} back to {report.to.commit[:12]}?")

    report = rollback(env, commit, options, ask, dict(environ))
    screen.show(report, f"{env}: {report.outcome.value}")
    return 1 if report.outcome in (Outcome.DECLINED, Outcome.REFUSED) else 0


def history(env: Environment, limit: int, format: Format, environ: Mapping[str, str]) -> None:
    """Show the newest deployments; what is no record, and whom nobody vouches for, is told on standard error."""
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
    console(sys.stdout).print(history_table(found))
    typer.echo("The gates' evidence: --format json")


def _vouched(settings: Settings, environ: Mapping[str, str]) -> str:
    """Why it is unknown who made the records, "" where it is known."""
    try:
        answer = connect(settings, environ).vouches_for("deployment", settings.environment)
    except InfraError as error:
        return f"unknown who made these: {error}".rstrip(".")
    return "" if answer.verdict is Verdict.YES else answer.evidence
