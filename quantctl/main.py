"""The menu: every command with its panel and its line of help. A command's module is loaded when the command is run."""

from __future__ import annotations

import gc
import importlib
import io
import os
import signal
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer
import typer.core
from typer.exceptions import TyperException

from infra.errors import UserError
from quantctl import manners
from quantctl.text.streams import guard

_STOPS = (signal.SIGINT, signal.SIGTERM)
# Python looks for circles after every 700 objects that stay: mostly while modules load and states are read, where there are
# none. It took a sixth of the program's time in a drift run. https://docs.python.org/3/library/gc.html#gc.set_threshold
_OBJECTS = 100_000
_OF_TYPER = 130  # what typer makes of every interrupt, whichever signal it was
SANDBOX, CHANGES, OPERATIONS, REFERENCE = "The sandbox", "Changes", "Operations", "Reference"
# name, panel, module:attribute, what it does
COMMANDS = (
    ("up", CHANGES, "quantctl.update.command:up", "The sandbox's four environments, or the guarded update of one."),
    ("preview", CHANGES, "quantctl.preview.command:show", "What would happen, as a note for reviewers."),
    ("check", CHANGES, "quantctl.check.command:check", "Is a pipelines repository right for all environments?"),
    ("show", CHANGES, "quantctl.check.command:show", "A workflow's job as an environment would declare it."),
    ("adopt", CHANGES, "quantctl.adopt.command:adopt", "Take over what a team runs by hand, step by step."),
    ("promote", CHANGES, "quantctl.promotion.command:promote_command", "Promote one environment to the next."),
    ("approve", CHANGES, "quantctl.promotion.command:approve_command", "Approve what a promotion would move."),
    ("signoff", CHANGES, "quantctl.promotion.command:signoff_command", "Record a sign-off of the deployed commit."),
    ("results", CHANGES, "quantctl.results.command:results_command", "Are the results right? Tables against the next ones."),
    ("baseline", CHANGES, "quantctl.results.baseline_command:baseline_command", "Production's code, for a limited release."),
    ("release-note", CHANGES, "quantctl.results.release_command:release_note_command", "What a release changed for users."),
    ("rollback", CHANGES, "quantctl.promotion.command:rollback_command", "Go back to an earlier deployment."),
    ("history", CHANGES, "quantctl.promotion.command:history_command", "Deployments: who, when, from, to."),
    ("status", OPERATIONS, "quantctl.status.command:status_command", "The four environments in one overview."),
    ("drift", OPERATIONS, "quantctl.drift.command:drift", "What differs from what was deployed; --fix fixes it."),
    ("drift-issue", OPERATIONS, "quantctl.drift.issue_command:run", "Keep the one issue about drift."),
    ("init", OPERATIONS, "quantctl.init.command:init", "A team's own project: settings for the cloud."),
    ("doctor", OPERATIONS, "quantctl.doctor.command:doctor", "May this shell's identity do what is needed?"),
    ("repair", OPERATIONS, "quantctl.repair.command:repair", "What an update that failed or was killed has left."),
    ("lock", OPERATIONS, "quantctl.engine.lock.command:app", "Locks of the stacks, and stale ones."),
    ("keys", OPERATIONS, "quantctl.keys.command:app", "Rotate the keys of the service users."),
    ("access", REFERENCE, "quantctl.reference.access:show", "Who may do what: the access matrix."),
    ("settings", REFERENCE, "quantctl.reference.command:settings_command", "Every key of a stack file."),
    ("schema", REFERENCE, "quantctl.reference.command:schema_command", "The JSON Schema of workflow files."),
    ("env", SANDBOX, "quantctl.laptop.command:env", 'Variables for plain pulumi: eval "$(quantctl env)".'),
    ("sandbox", SANDBOX, "quantctl.laptop.command:app", "Start, stop and use the local workspace and account."),
    ("down", SANDBOX, "quantctl.laptop.command:down", "Stop the sandbox and delete its state."),
    ("toolchain", SANDBOX, "quantctl.reference.toolchain:show", "Which engine and providers are in use."),
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog='Begin with `make up`; then eval "$(quantctl env)" and `quantctl status`.',
)


class Entry(typer.core.TyperCommand):
    """A line of the menu, which becomes the command itself when somebody asks for it."""

    def __init__(self, name: str, panel: str, place: str, words: str) -> None:
        super().__init__(name, help=words, rich_help_panel=panel)
        self._place = place

    def load(self) -> Any:
        """The command, from its module."""
        module, _, attribute = self._place.partition(":")
        found = getattr(importlib.import_module(module), attribute)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            alone.command(self.name)(found)
            found = alone
        command = typer.main.get_command(found)
        command.name = self.name
        return manners.plainly(command, self.name or "")

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """As the command itself would: from here on it is the one that is run."""
        return self.load().make_context(info_name, args, parent, **extra)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"quantctl {version('quant')}")
        raise typer.Exit


@app.callback()
def menu(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
    folder: Annotated[
        str | None,
        typer.Option("--project", metavar="FOLDER", help="The checkout to work on; else QUANT_PROJECT, or its own."),
    ] = None,
) -> None:
    """Four maturity branches, four environments: a promotion is moving a branch ref and `pulumi up`."""
    if folder is not None:
        from quantctl import project

        os.environ[project.CHOSEN] = folder


def entries() -> Iterator[Entry]:
    """Every line of the menu."""
    for name, panel, place, words in COMMANDS:
        yield Entry(name, panel, place, words)


def command() -> Any:
    """The command line with all its commands."""
    group: Any = typer.main.get_command(app)
    group.commands.update({entry.name: entry for entry in entries()})
    return manners.plainly(group)


def main() -> None:
    """Run the command line; what a user can act on is told without a traceback."""
    gc.set_threshold(_OBJECTS)
    from quantctl.engine.signals import Interrupted, on_signal

    for signum in _STOPS:
        signal.signal(signum, on_signal)
    try:
        status = _status()
    except Interrupted as again:  # one more, while the first was told
        status = again.status
    for signum in _STOPS:  # one more, while Python ends, would change the exit status
        signal.signal(signum, signal.SIG_IGN)
    sys.exit(status)


def _status() -> Any:
    """The exit status of the command line, after everything that may go wrong was told."""
    from quantctl.engine.signals import Interrupted, came

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that knows less than we show
            stream.reconfigure(errors="backslashreplace")
    guard()
    try:
        ended = _run()
        return 128 + came[0] if came and ended == _OF_TYPER else ended
    except Interrupted as stopped:
        return stopped.status
    except typer.Abort:
        print("Stopped: nothing was answered.", file=sys.stderr)
    except UserError as error:
        print(error, file=sys.stderr)
    except BrokenPipeError:  # whoever read our output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # a full disk, a folder that may not be written
        print(f"{error.strerror or error}: {error.filename or 'the machine'}", file=sys.stderr)
    except Exception as error:
        print(_own_fault(error), file=sys.stderr)
        return 70  # EX_SOFTWARE: https://man.freebsd.org/cgi/man.cgi?sysexits
    return 1


def _run() -> Any:
    """The exit status of the command line that was given."""
    try:
        return command()(prog_name="quantctl", standalone_mode=False)
    except TyperException as said:
        if manners.help_alone(said):
            return 0
        print(manners.wrong_usage(said), file=sys.stderr)
        return manners.WRONG_USAGE


def _own_fault(error: Exception) -> str:
    """An error that nobody foresaw, in a sentence; the traceback is kept in a file for whoever fixes it."""
    import tempfile
    import traceback

    said = f"quantctl failed by a fault of its own: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="quantctl-", suffix=".log", delete=False, errors="backslashreplace"
        ) as file:
            traceback.print_exception(error, file=file)
    except OSError:
        return f"{said}\n  do next: report it, with the command that you ran"
    return f"{said}\n  do next: report it, with {file.name}; nothing was sent anywhere"


if __name__ == "__main__":
    main()
