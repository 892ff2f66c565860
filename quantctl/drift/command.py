"""The command line of `quantctl drift`: all stacks at once, reading only."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from infra.vocabulary import Environment
from quantctl import where


class Format(StrEnum):
    """How the findings are printed."""

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
    from quantctl.drift.run import looked_at  # the SDKs are slow to load, and `--help` needs none of it

    chosen = [env.value for env in dict.fromkeys(envs or list(Environment))]
    raise typer.Exit(looked_at(chosen, format, strict, fix, yes, thorough, timeout, environ))
