"""`quantctl drift`: all stacks at once, reading only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated

import typer
from rich.style import Style
from rich.table import Table
from rich.text import Text

from infra.vocabulary import Environment
from quantctl import ask, where
from quantctl.drift.finding import Class, EnvironmentDrift, Finding, exit_status, report
from quantctl.drift.formats import as_json, as_junit, as_markdown, difference, headline
from quantctl.drift.judge import Read, judge
from quantctl.drift.pages import with_pages
from quantctl.drift.unfinished import missing_again
from quantctl.text.plain import one_line
from quantctl.text.terminal import Console

_COLOURS = {Class.DRIFT: "red", Class.UNKNOWN: "magenta", Class.WAITING: "yellow"}


class Format(StrEnum):
    table = "table"
    markdown = "markdown"
    json = "json"
    junit = "junit"


def drift(
    envs: Annotated[list[Environment] | None, typer.Argument(metavar="[ENV]...", help="All four if none is named.")] = None,
    format: Annotated[
        Format, typer.Option("--format", help="markdown is what a pipeline puts into its issue.")
    ] = Format.table,
    strict: Annotated[bool, typer.Option("--strict", help="A promotion that waits is exit 3.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Fix the drift, then look again.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --fix: do not ask before quant_live is fixed.")] = False,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Ask the engine about jobs too whose settings read as unchanged; slower.")
    ] = False,
    timeout: Annotated[float, typer.Option("--timeout", min=1, help="Seconds for one run of the engine.")] = 300.0,
) -> None:
    """What differs between what was deployed and what is really there. Reads only.

    drift: a resource that we own was changed or is missing, or has members, grants, jobs, keys that nobody declared.
    waiting: a branch is ahead of its folder; `pulumi up` promotes it. unknown: something could not be read.

    Exit status: 0 clean, 2 drift, 3 waiting (with --strict), 1 unknown, whatever else was found.

    --fix fixes drift as the last column says. It promotes nothing and deletes no data: an undeclared job is only paused,
    an undeclared secret and local edits stay, and are reported again.
    """
    environ = where.enter(tell=fix)
    chosen = [env.value for env in dict.fromkeys(envs or list(Environment))]
    console = Console(stderr=True, soft_wrap=True, highlight=False)

    def say(text: str) -> None:
        console.print(text, markup=False)

    def look(envs: Sequence[str]) -> list[Read | EnvironmentDrift]:
        from quantctl.drift.look import look  # the SDKs are slow to load, and `--help` needs none

        return look(envs, environ, timeout, thorough, say)

    read = look(chosen)
    found = _judged(read)
    if fix and any(each.of(Class.DRIFT) for each in found):
        _show_table(found, Console(stderr=True))

        def put_right(pairs: list[tuple[EnvironmentDrift, Read]]) -> None:
            from quantctl.drift import fix

            fix.fix(pairs, environ, timeout, say)
            say("looking again ...")

        found = _fixed(read, found, put_right, look, yes)
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
        _show_table(found, Console())
    raise typer.Exit(status)


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


def _show_table(found: Sequence[EnvironmentDrift], console: Console) -> None:
    shown = Table(show_lines=True)
    for head in ("what", "declared -> real", "fix it with"):
        shown.add_column(head, overflow="fold")
    for each in found:
        for finding in each.findings:
            shown.add_row(*_cells(finding))
    if shown.row_count:
        console.print(shown)
    console.print(headline(found), markup=False, highlight=False, soft_wrap=True)
    for note in (note for each in found for note in each.notes):
        console.print(f"  {one_line(note)}", markup=False, highlight=False, soft_wrap=True)


def _cells(finding: Finding) -> tuple[Text, Text, Text]:
    what = Text(f"{finding.environment} ")
    what.append(f"{finding.kind}\n", style=_COLOURS[finding.kind])
    what.append(finding.resource, style=Style(link=finding.page) if finding.page else "")
    what.append(f"\n{finding.property}" if finding.property else "")
    real = difference(finding) if finding.kind is Class.UNKNOWN else f"{finding.declared}\n-> {finding.real}"
    return what, Text(real), Text(finding.fix.words)
