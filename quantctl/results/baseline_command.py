"""The command line of `quantctl baseline`."""

from __future__ import annotations

from typing import Annotated

import typer

from quantctl import where
from quantctl.options import EnvArgument, day_of


def baseline_command(
    env: EnvArgument,
    day: Annotated[str | None, typer.Option("--day", metavar="DATE", help="Of this day. Default: yesterday.")] = None,
) -> None:
    """Run quant_live's code of one day with ENV's limits, for tables whose contract says quant.baseline.

    They are then compared by quantctl results ENV. Run it as the deployer, once a day, after the jobs.
    """
    of = day_of(day, "--day")
    environ = where.enter(tell=True)
    from quantctl.results.baseline_run import succeeded  # slow to load, and `--help` needs none of it

    if not succeeded(env, of, environ):
        raise typer.Exit(1)
