"""Every command that a message, a help text or a page names is one that there is, with options that it has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import toolchain
from tests.paths import ROOT
from tests.ways_out import commands, fault, texts

SOURCES = [file for part in ("quantctl", "infra", "toolchain", "policy") for file in sorted((ROOT / part).rglob("*.py"))]
# Without the figures: their names are what was measured ("quantctl drift of four").
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if page.name != "bench.md"]
PAGES += [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


def named(file: Path) -> list[str]:
    """The commands that a module's texts name, or a page."""
    text = file.read_text()
    return [one for part in (texts(text) if file.suffix == ".py" else [text]) for one in commands(part)]


def faults(ours: bool) -> list[str]:
    """What is wrong with the commands that are named: those of the engine, or all others."""
    found = {(file.relative_to(ROOT), one) for file in (*SOURCES, *PAGES) for one in named(file)}
    chosen = sorted(pair for pair in found if pair[1].startswith("pulumi ") is not ours)
    assert len(chosen) > 20, "the commands are no longer found"
    return [f"{file}: `{one}`: {wrong}" for file, one in chosen if (wrong := fault(one))]


def test_a_command_that_is_named_is_one_that_there_is() -> None:
    """Read by the command line's own parser, git's and make's: words, options, and what must be given."""
    assert faults(ours=True) == []


@pytest.mark.real
def test_the_engine_has_the_commands_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """And their options, as its own help says."""
    monkeypatch.setenv("PATH", toolchain.enter(os.environ)["PATH"])
    assert faults(ours=False) == []
    assert fault("pulumi state unlock -s quant") and fault("pulumi up --refersh -s quant")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("do next: quantctl up {} --yes, after a review", ["quantctl up {} --yes"]),
        ("Half of it is deployed. `quantctl up {}` finishes it, `quantctl rollback {}` goes back.",
         ["quantctl up {}", "quantctl rollback {}"]),
        ("wait; if the owner is gone: `quantctl lock release {}`", ["quantctl lock release {}"]),
        ('start it: eval "$(quantctl env --as reviewer)".', ["quantctl env --as reviewer"]),
        ("git fetch origin && git push origin {}", ["git fetch origin", "git push origin {}"]),
        ("quantctl does not run from a checkout; make them yours", []),
    ],
)  # fmt: skip
def test_a_command_is_found_in_its_sentence(text: str, found: list[str]) -> None:
    """In backticks whole; else as far as the sentence goes."""
    assert commands(text) == found


@pytest.mark.parametrize(
    "command",
    [
        "quantctl reapir quant",
        "quantctl repair quant_stgg",
        "quantctl up {} --force",
        "quantctl lock free {}",
        "quantctl keys rotat {}",
        "quantctl results --propose TABLE",
        "quantctl signoff {} --report {} --accept ID --because TEXT accepts one",
        "quantctl up {} finishes it",
        "git psuh origin {}",
        "git push --noverify origin {}",
        "make upp",
    ],
)
def test_a_command_that_is_not_there_is_noticed(command: str) -> None:
    """A word, an option, a value, or something that is missing."""
    assert fault(command)
