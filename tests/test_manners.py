"""How the command line speaks of its own use: right examples, help without types, wrong usage in our words."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from quantctl import ask, examples, main, manners
from quantctl.errors import UserError


def leaves(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its name from the menu on."""
    command = command.load() if isinstance(command, main.Entry) else command
    inner = getattr(command, "commands", None) or {}
    if not inner:
        yield path, command
    for name, one in inner.items():
        yield from leaves(one, f"{path} {name}".strip())


LEAVES = dict(leaves(main.command()))


def said(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "quantctl.main", *arguments]
    environ = {**os.environ, "COLUMNS": "100"}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def test_every_command_has_examples_and_nothing_else_has() -> None:
    assert set(examples.EXAMPLES) == set(LEAVES)


@pytest.mark.parametrize("path", sorted(LEAVES))
def test_an_example_is_a_right_command_line(path: str) -> None:
    for line in examples.EXAMPLES[path]:
        words = shlex.split(line.removeprefix('eval "$(').replace(')"', ""), comments=True)
        words = words[: words.index(">")] if ">" in words else words
        assert words[: 1 + len(path.split())] == ["quantctl", *path.split()], line
        LEAVES[path].make_context(path, words[1 + len(path.split()) :])  # raises what typer has against it


@pytest.mark.parametrize("path", sorted(LEAVES))
def test_help_says_words_and_no_types(path: str) -> None:
    help = said(*path.split(), "-h").stdout
    assert "Examples:" in help
    for kind in ("<bool>", "<str>", "<int>", "<float>", "<path>", "list[", "[[", "BOOLEAN"):
        assert kind not in help, help


WRONG = [
    ("statsu", "has no command statsu", "did you mean `quantctl status`?"),
    ("up quant_stgg", "No environment is called 'quant_stgg'.", "did you mean `quant_stg`?"),
    ("drift qant_live", "No environment is called 'qant_live'.", "did you mean `quant_live`?"),
    ("sandbox soak quant_sgt --days 1", "No environment is called 'quant_sgt'", "quant_stg"),
    ("preview --frmat x", "has no option --frmat", "--format"),
    ("drift --format yaml", "--format cannot be 'yaml'", "table or markdown or json or junit"),
    ("promote quant quant_stg quant_lr", "was not understood", "quant_lr"),
    ("show", "`quantctl show` needs WORKFLOW.", "`quantctl show -h`"),
    ("history quant --limit x", "--limit was not understood.", "expected: a whole number"),
    ("history quant --limit", "--limit needs a value.", "`quantctl history -h`"),
    ("up quant --plan", "--plan needs a value.", "`quantctl up -h`"),
    ("--project", "--project needs a value.", "`quantctl -h`"),
    ("lock shwo", "", "do next"),
]


@pytest.mark.parametrize(("line", "first", "later"), WRONG)
def test_wrong_usage_is_told_in_our_words(line: str, first: str, later: str) -> None:
    answer = said(*line.split())
    assert answer.returncode == manners.WRONG_USAGE
    assert first in answer.stderr.splitlines()[0]
    assert later in answer.stderr
    assert "do next: " in answer.stderr
    assert "Traceback" not in answer.stderr and "Value error" not in answer.stderr
    assert not answer.stdout


def test_the_menu_alone_is_no_mistake() -> None:
    answer = said()
    assert answer.returncode == 0
    assert "quantctl" in answer.stdout and not answer.stderr


def test_who_sits_at_a_terminal_is_asked_before_a_sandbox_is_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def no(question: str, **_: bool) -> bool:
        asked.append(question)
        return False

    monkeypatch.setattr(ask, "confirm", no)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    with pytest.raises(UserError, match="Nothing was changed"):
        ask.need_at_terminal("Go on?")
    ask.need_at_terminal("Go on?", yes=True)
    assert asked == ["Go on?"]


def test_help_loads_nothing_slow() -> None:
    """Help and completion are there at once: a command's own libraries are loaded when it is run."""
    program = """
import importlib, json, os, sys
from quantctl.main import COMMANDS
found = {}
for name, _, place, _ in COMMANDS:
    reading, writing = os.pipe()
    if not os.fork():
        importlib.import_module(place.partition(":")[0])
        os.write(writing, " ".join(name for name in SLOW if name in sys.modules).encode() or b"-")
        os._exit(0)
    os.wait()
    found[name] = os.read(reading, 999).decode()
print(json.dumps(found))
"""
    slow = ("pydantic", "requests", "pulumi", "databricks.sdk", "snowflake.connector", "sqlglot", "duckdb", "rich.markdown")
    done = subprocess.run([sys.executable, "-c", f"SLOW = {slow!r}\n{program}"], check=True, capture_output=True, text=True)
    loaded = json.loads(done.stdout)
    assert len(loaded) > 20 and {name: what for name, what in loaded.items() if what != "-"} == {}
