"""The command line: `quantctl`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import toolchain
from infra.errors import UserError as InfraError
from infra.vocabulary import Environment
from quantctl import (
    access,
    approve,
    drift_issue,
    environment,
    keys_commands,
    project,
    sandbox_commands,
    schema,
    settings,
    update,
)
from quantctl import persona as personas
from quantctl import up as up_module
from quantctl.check import command as check_command
from quantctl.drift import command as drift_command
from quantctl.errors import UserError
from quantctl.lock import commands as lock_commands
from quantctl.preview import command as preview
from quantctl.promotion import commands as promotion
from quantctl.sandbox_commands import Format, FormatOption
from quantctl.status.command import status_command
from sandbox import control
from toolchain.errors import ToolchainError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Four maturity branches, four environments: a promotion is moving a branch ref and `pulumi up`.\n\n"
    'Begin with `quantctl up`; then eval "$(quantctl env)" and use plain `pulumi` in this shell.',
)


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
        environ = environment.enter(project.state())
        update.update(env, plan, yes, environ, Console(), preview.told)
    elif plan is not None or yes:
        raise UserError("--plan and --yes are for the update of one stack.", do_next="name it: quantctl up ENV")
    else:
        up_module.up(project.state(), Console())


def down() -> None:
    """Stop the sandbox and delete its state folder."""
    up_module.down(project.state(), Console(soft_wrap=True))


def env(
    persona: Annotated[
        str | None, typer.Option("--as", help="Also say who you are: developer, reviewer, release_manager, deployer ...")
    ] = None,
    gitlab: Annotated[
        bool, typer.Option("--gitlab", help="Also use GitLab's API, and git with a token, as that persona.")
    ] = False,
) -> None:
    """Print exports, so that plain `pulumi preview -s quant` works: eval "$(quantctl env)".

    With --as, promotions and commits are that persona's: eval "$(quantctl env --as release_manager --gitlab)".
    Without it, an earlier --as is over.
    """
    state = project.state()
    values = environment.exports(state) | personas.exports(state, persona, gitlab=gitlab, environ=os.environ)
    typer.echo(environment.shell(values))
    if not control.status(state).running:
        typer.echo("The sandbox does not run; start it: quantctl sandbox start", err=True)


def show_toolchain(
    format: FormatOption = Format.table,
    obtain: Annotated[bool, typer.Option("--obtain", help="Get what is missing first.")] = False,
) -> None:
    """Which way the engine and the providers were obtained, and where each program is."""
    found = toolchain.obtain(lambda text: typer.echo(text, err=True)) if obtain else toolchain.locate()
    if found is None:
        raise UserError("There is no toolchain yet.", do_next="`quantctl toolchain --obtain`, or `make up`")
    if format is Format.json:
        programs = [{"name": p.name, "version": p.version, "path": str(p.path)} for p in found.programs]
        typer.echo(json.dumps({"way": found.way, "bin": _text(found.bin), "programs": programs}, indent=2))
        return
    typer.echo(f"way: {found.way}")
    for program in found.programs:
        typer.echo(f"{program.name:<30} {program.version:<12} {program.path}")


def _text(value: object | None) -> str | None:
    return None if value is None else str(value)


_SANDBOX, _CHANGES, _OPERATIONS, _ALLOWED = "The sandbox", "Changes", "Operations", "What is allowed"
COMMANDS: tuple[tuple[str, str, Callable[..., None] | typer.Typer], ...] = (
    ("up", _SANDBOX, up),
    ("down", _SANDBOX, down),
    ("env", _SANDBOX, env),
    ("toolchain", _SANDBOX, show_toolchain),
    ("sandbox", _SANDBOX, sandbox_commands.app),
    ("preview", _CHANGES, preview.show),
    ("promote", _CHANGES, promotion.promote_command),
    ("approve", _CHANGES, approve.approve),
    ("signoff", _CHANGES, promotion.signoff_command),
    ("rollback", _CHANGES, promotion.rollback_command),
    ("history", _CHANGES, promotion.history_command),
    ("status", _OPERATIONS, status_command),
    ("drift", _OPERATIONS, drift_command.drift),
    ("drift-issue", _OPERATIONS, drift_issue.run),
    ("lock", _OPERATIONS, lock_commands.app),
    ("keys", _OPERATIONS, keys_commands.app),
    ("check", _CHANGES, check_command.check),
    ("show", _CHANGES, check_command.show),
    ("access", _ALLOWED, access.show),
    ("settings", _ALLOWED, settings.show),
    ("schema", _ALLOWED, schema.show),
)
for _name, _panel, _command in COMMANDS:
    if isinstance(_command, typer.Typer):
        app.add_typer(_command, name=_name, rich_help_panel=_panel)
    else:
        app.command(_name, rich_help_panel=_panel)(_command)


def main() -> None:
    """Run the command line; what a user can act on is told without a traceback."""
    try:
        app()
    except (InfraError, control.SandboxError, ToolchainError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:  # whoever read our output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:  # a full disk, a folder that may not be written
        print(f"{error.strerror or error}: {error.filename or 'the machine'}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
