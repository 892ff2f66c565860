"""The command line of `quantctl up`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.vocabulary import Environment
from quantctl import where
from quantctl.errors import UserError
from quantctl.text.terminal import Console


def up(
    env: Annotated[Environment | None, typer.Argument(metavar="[ENV]", help="One stack, here or in the cloud.")] = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="FILE", help="What was reviewed: nothing else runs. With ENV.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask. With ENV.")] = False,
) -> None:
    """Without ENV: toolchain, sandbox, sample pipelines, and `pulumi up` of all four stacks. Safe to repeat.

    With ENV: the guarded update of one stack. What the preview shows is what runs, or what was reviewed:
    `quantctl preview ENV --save-plan FILE`, then `quantctl up ENV --plan FILE`.
    """
    if env is not None:
        from quantctl.preview.show import told
        from quantctl.update.guarded import update

        update(env, plan, yes, where.enter(tell=True), Console(), told)
    elif plan is not None or yes:
        raise UserError("--plan and --yes are for the update of one stack.", do_next="name it: quantctl up ENV")
    else:
        from quantctl.laptop import place
        from quantctl.laptop.up import up as up_all

        up_all(place.state(), Console())
