"""The command line of `quantctl adopt`."""

from __future__ import annotations

from typing import Annotated

import typer

from quantctl import where
from quantctl.adopt.step import Step
from quantctl.options import EnvArgument, YesOption


def adopt(
    env: EnvArgument,
    step: Annotated[
        Step | None,
        typer.Argument(
            metavar="[STEP]", help="look, generate, decide, prepare, import, verify or undo; without it: what is next."
        ),
    ] = None,
    yes: YesOption = False,
) -> None:
    """Take over what a team runs by hand, step by step, so that nothing is lost.

    `look` reads; `generate` writes workflow files and a stack file to review; `decide` lists every difference; `prepare`
    prints the SQL for an account administrator; `import` takes everything into the stack's state, and `undo` takes that
    back until the first update; `verify` says whether the update does, and did, what was decided. Files are in adoption/.

    Exit status: 0 done, 3 something is left to decide or to run before the next step, 1 stopped.
    """
    environ = where.enter(tell=step is not None)
    from quantctl.adopt import folder, steps  # slow to load, and `--help` needs none of it

    if step is None:
        steps.stands(env.value, environ)
        return
    with folder.alone():
        steps.do(env.value, step, environ, yes)
