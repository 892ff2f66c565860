"""The command line of `quantctl repair`."""

from __future__ import annotations

from typing import Annotated

import typer

from quantctl import where
from quantctl.options import EnvArgument


def repair(
    env: EnvArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before a damaged state is replaced.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
) -> None:
    """After a failure: what exists twice, what exists and is in no state, a state that cannot be read.

    For whoever uses plain pulumi; `quantctl up`, `promote` and `rollback` do it themselves. A damaged state file is
    replaced by its newest good copy. Processes and a lock that a killed update left are removed. What an update had begun
    is taken into the state. A job that a repeated request made and that never ran is deleted. Nothing else is changed, and
    nothing is deployed.
    """
    environ = where.enter(tell=True)
    from quantctl.repair.run import repaired  # slow to load, and `--help` needs none of it

    repaired(env, environ, yes, dry_run)
