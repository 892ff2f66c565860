"""What `quantctl drift` does once its options are read: look, fix, look again, show."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import typer

from infra.vocabulary import Environment
from quantctl import ask
from quantctl.drift.command import Format
from quantctl.drift.finding import Class, EnvironmentDrift, exit_status, report
from quantctl.drift.formats import as_json, as_junit, as_markdown, way_out
from quantctl.drift.judge import Read, judge
from quantctl.drift.look import look
from quantctl.drift.pages import with_pages
from quantctl.drift.screen import show_table
from quantctl.drift.unfinished import missing_again
from quantctl.text.terminal import Console


def looked_at(
    chosen: Sequence[str],
    format: Format,
    strict: bool,
    fix: bool,
    yes: bool,
    thorough: bool,
    timeout: float,
    environ: dict[str, str],
) -> int:
    """Look at environments, with `fix` fix them and look again; show what is found. The exit status."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)

    def say(text: str) -> None:
        console.print(text, markup=False)

    def look_at(envs: Sequence[str]) -> list[Read | EnvironmentDrift]:
        return look(envs, environ, timeout, thorough, say)

    read = look_at(chosen)
    found = _judged(read)
    if fix and any(each.of(Class.DRIFT) for each in found):
        show_table(found, Console(stderr=True))

        def put_right(pairs: list[tuple[EnvironmentDrift, Read]]) -> None:
            from quantctl.drift.fix import fix  # it loads the connector, for which a look's first questions need not wait

            fix(pairs, environ, timeout, say)
            say("looking again ...")

        found = _fixed(read, found, put_right, look_at, yes)
    steps = {each.env: each.refresh.steps for each in read if isinstance(each, Read)}
    found = [with_pages(each, steps.get(each.environment, ()), environ) for each in found]
    status = exit_status(found, strict=strict)
    if format is Format.json:
        typer.echo(as_json(found, status))
    elif format is Format.markdown:
        typer.echo(as_markdown(found), nl=False)
    elif format is Format.junit:
        typer.echo(as_junit(found), nl=False)
    else:
        show_table(found, Console())
        if not fix and (way := way_out(found)):
            typer.echo(way)
    return status


def _judged(read: Sequence[Read | EnvironmentDrift]) -> list[EnvironmentDrift]:
    return [judge(each) if isinstance(each, Read) else each for each in read]


def _fixed(
    read: Sequence[Read | EnvironmentDrift],
    found: Sequence[EnvironmentDrift],
    fix: Callable[[list[tuple[EnvironmentDrift, Read]]], None],
    look: Callable[[list[str]], list[Read | EnvironmentDrift]],
    yes: bool,
) -> list[EnvironmentDrift]:
    """Fix, and look again at what drifted; the other reports stay."""
    drifted = [each.environment for each in found if each.of(Class.DRIFT)]
    if Environment.LIVE in drifted and not yes:
        ask.need("Fix production (quant_live) as the table says?", on_stderr=True)
    fix([(drift, each) for drift, each in zip(found, read, strict=True) if isinstance(each, Read) and drift.of(Class.DRIFT)])
    before = {each.env: each for each in read if isinstance(each, Read)}
    again = {}
    for seen in look(drifted):
        env = seen.env if isinstance(seen, Read) else seen.environment
        told = judge(seen) if isinstance(seen, Read) else seen
        lost = missing_again(env, before[env].refresh, seen.refresh) if isinstance(seen, Read) else []
        again[env] = report(env, [*told.findings, *lost], told.notes)
    return [again.get(each.environment, each) for each in found]
