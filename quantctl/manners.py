"""How the command line speaks of its own use: help without type names, wrong usage in our words."""

from __future__ import annotations

import difflib
import re
import sys
import typing
from pathlib import Path
from typing import Any

from infra.vocabulary import Environment
from quantctl import examples
from quantctl.errors import UserError

# What stands for a value in the help of an option that does not say it itself.
_WORDS = {Environment: "ENV", int: "N", float: "N", str: "TEXT", Path: "FILE"}
WRONG_USAGE = 64  # EX_USAGE of sysexits: 2 says that something was found
_NEEDS_VALUE = re.compile(r"Option '(--?[\w-]+)' requires an argument")
_NO_NUMBER = re.compile(r"Input should be a valid (integer|number)")
_NOT_ALLOWED = re.compile(r"'(?P<found>.*)' is not one of (?P<words>'.*')", re.DOTALL)


def plainly(command: Any, path: str = "") -> Any:
    """The command called `path`, after its help has got examples, and lost types' names where words belong."""
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            _argument(parameter)
        elif getattr(parameter, "is_flag", False):
            parameter.metavar = ""
        elif parameter.metavar is None:
            parameter.metavar = _word(parameter.type_descriptor.annotation)
    command.epilog = command.epilog or examples.of(path)
    help_option = command.get_help_option
    command.get_help_option = lambda context: _without_type(help_option(context))
    for name, inner in getattr(command, "commands", {}).items():
        command.commands[name] = plainly(inner, f"{path} {name}".strip())
    return command


def _argument(parameter: Any) -> None:
    """Its name alone: typer itself says in the usage that it may be left out or repeated."""
    parameter.metavar = (parameter.metavar or parameter.name.upper()).strip("[].")
    parameter.display_type_rich = lambda ctx: ""
    if "quant_live" in parameter.display_type(None) and "quant_live" not in (parameter.help or ""):
        parameter.help = f"{parameter.help or ''} One of quant, quant_stg, quant_lr, quant_live.".strip()


def _without_type(option: Any) -> Any:
    if option is not None:
        option.metavar = ""
    return option


def _word(annotation: Any) -> str | None:
    inner = [one for one in typing.get_args(annotation) if one is not type(None)]
    return _word(inner[0]) if inner else _WORDS.get(annotation)


def help_alone(said: Any) -> bool:
    """Whether nothing was asked for, and the help was shown."""
    return not said.message and getattr(said, "param", None) is None


def wrong_usage(said: Any) -> UserError:
    """What typer says of a command line, in our words: what was found, what was expected, what to do next.

    Args:
        said: typer's exception; its classes for wrong usage are private, their attributes are click's.
    """
    context = getattr(said, "ctx", None)
    path = context.command_path if context else _typed(sys.argv[1:])
    helped = f"`{path} -h` shows how it is used, with examples"
    parameter, option = getattr(said, "param", None), getattr(said, "option_name", None)
    if not_allowed := _NOT_ALLOWED.search(said.message):
        return _not_allowed(not_allowed["found"], re.findall(r"'([^']*)'", not_allowed["words"]), parameter, path)
    if option and "No such option" in said.message:
        near = sorted(getattr(said, "possibilities", None) or ())
        return UserError(f"`{path}` has no option {option}.", do_next=_meant([f"{path} {one}" for one in near[:1]], helped))
    if (unknown := re.match(r"No such command '(.*?)'", said.message)) and context:
        near = difflib.get_close_matches(unknown[1], context.command.commands)
        found = [f"{path} {one}" for one in near[:1]]
        return UserError(f"`{path}` has no command {unknown[1]}.", do_next=_meant(found, helped))
    if parameter is not None and not said.message:
        return UserError(f"`{path}` needs {_name(parameter)}.", do_next=helped)
    if lacks := _NEEDS_VALUE.match(said.message):
        return UserError(f"{lacks[1]} needs a value.", do_next=helped)
    if parameter is not None and (kind := _NO_NUMBER.search(said.message)):
        expected = "a whole number" if kind[1] == "integer" else "a number"
        return UserError(f"{_name(parameter)} was not understood.", expected=expected, do_next=helped)
    about = f"for {_name(parameter)}: " if parameter is not None else ""
    return UserError(f"`{path}` was not understood.", found=about + said.message, do_next=helped)


def _typed(words: list[str]) -> str:
    """The command that was typed, as far as it is one."""
    known = [words[:number] for number in range(len(words), 0, -1) if " ".join(words[:number]) in examples.EXAMPLES]
    return " ".join(["quantctl", *(known[0] if known else [])])


def _not_allowed(found: str, words: list[str], parameter: Any, path: str) -> UserError:
    near = difflib.get_close_matches(found, words, n=1)
    name = _name(parameter) if parameter is not None else "a value"
    what = f"No environment is called {found!r}." if "quant_live" in words else f"{name} cannot be {found!r}."
    return UserError(what, expected=" or ".join(words), do_next=_meant(near, f"`{path} -h` says what each is"))


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "option":
        return str(max(parameter.opts, key=len))
    return str(parameter.metavar)


def _meant(near: list[str], otherwise: str) -> str:
    return f"did you mean `{near[0]}`? {otherwise}" if near else otherwise
