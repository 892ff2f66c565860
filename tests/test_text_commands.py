"""Every command, in every format: hostile texts are tried in it, or what it shows is ours alone."""

from __future__ import annotations

import enum
import importlib
import re
import typing
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from quantctl.main import COMMANDS
from tests.test_text_everywhere import JSON, MARKDOWN, TERMINAL, TEXTS, terminal

PAGES = ("status", "JUnit")  # tests/test_text_everywhere.py: not one element more, and XML is read back
OF_RESULTS = "results"  # tests of quantctl/results/: their own table of texts
OURS = "ours"  # the team's own settings, versions and addresses
# Command and format -> where its output is tried. A command without formats writes lines for a terminal.
TRIED: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("up", "adopt", "approve", "signoff", "baseline",
         "init", "repair", "lock release", "keys rotate", "keys retire", "down"),
        ("terminal", "a line"),
    ),
    **dict.fromkeys(
        ("sandbox start", "sandbox stop", "sandbox reset", "sandbox status", "sandbox switch", "sandbox clock",
         "sandbox soak"),
        ("terminal", "a line"),
    ),
    "preview markdown": ("markdown", "note"),
    "preview json": ("json", "preview"),
    "preview gitlab-widget": ("json", "widget"),
    "check text": ("terminal", "check"),
    "check json": ("json", "check"),
    "check gitlab": ("json", "check for GitLab"),
    "check github": ("terminal", "check for GitHub"),
    "show yaml": ("terminal", "a job"),
    "show json": ("json", "a job"),
    "promote table": ("terminal", "promote with its preview"),
    "promote json": ("json", "promotion"),
    "rollback table": ("terminal", "promote"),
    "rollback json": ("json", "promotion"),
    "results table": ("elsewhere", OF_RESULTS),
    "results json": ("elsewhere", OF_RESULTS),
    "results markdown": ("elsewhere", OF_RESULTS),
    "results html": ("elsewhere", OF_RESULTS),
    "release-note": ("elsewhere", OF_RESULTS),
    "history table": ("terminal", "history"),
    "history json": ("json", "history"),
    "status table": ("terminal", "status"),
    "status json": ("json", "status"),
    "status html": ("page", "status"),
    "drift table": ("terminal", "drift"),
    "drift markdown": ("markdown", "drift"),
    "drift json": ("json", "drift"),
    "drift junit": ("page", "JUnit"),
    "drift-issue table": ("markdown", "issue"),
    "drift-issue json": ("json", "issue"),
    "doctor table": ("terminal", "doctor"),
    "doctor json": ("json", "doctor"),
    "lock show table": ("terminal", "locks"),
    "lock show json": ("json", "locks"),
    **dict.fromkeys(
        (
            "access table", "access json", "access markdown", "settings table", "settings json", "settings markdown",
            "schema", "env", "sandbox credentials table", "sandbox credentials json", "toolchain table", "toolchain json",
        ),
        ("elsewhere", OURS),
    ),
}  # fmt: skip
# What is written for others than whoever runs a command.
POSTED = {"the note of a merge request": "note", "an issue about drift": "issue", "a merge request": "merge request"}


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with its function."""
    for name, _, place, _ in COMMANDS:
        module, _, attribute = place.partition(":")
        found = getattr(importlib.import_module(module), attribute)
        if isinstance(found, typer.Typer):
            for one in found.registered_commands:
                assert one.callback is not None
                yield f"{name} {one.name or one.callback.__name__.strip('_')}", one.callback
        else:
            yield name, found


def outputs() -> Iterator[str]:
    """Each with each of its formats."""
    for name, function in commands():
        chosen = typing.get_type_hints(function).get("format")
        if isinstance(chosen, type) and issubclass(chosen, enum.Enum):
            yield from (f"{name} {one.value}" for one in chosen)
        else:
            yield name


def test_every_output_is_tried() -> None:
    """A new command, and a new format of one, is asked where hostile texts are tried in it."""
    assert sorted(outputs()) == sorted(TRIED)
    tables: dict[str, Any] = {"terminal": TERMINAL, "markdown": MARKDOWN, "json": JSON, "page": PAGES}
    tables["elsewhere"] = (OF_RESULTS, OURS)
    for output, (kind, name) in TRIED.items():
        assert name in tables[kind], output
    assert set(POSTED.values()) <= set(MARKDOWN)


@pytest.mark.parametrize("text", TEXTS)
def test_a_mistake_is_one_annotation(text: str) -> None:
    """GitHub obeys a line that begins with two colons: there are as many as mistakes and notes, each of ours."""
    shown = terminal(TERMINAL["check for GitHub"], text).splitlines()
    assert [re.sub(r" .*", "", line) for line in shown] == ["::error", "::notice"]
    for line in shown:
        properties = line.split("::")[1]
        assert re.fullmatch(r"\w+ file=[^,:]*,line=3,title=quantctl check", properties), properties
