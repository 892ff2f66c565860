"""Documentation that cannot rot: tables are made from the code, commands and links are there."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quantctl.main import Entry, command
from quantctl.reference import access, schema, settings
from tests.paths import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize(("page", "made"), [("access", access.markdown), ("settings", settings.markdown)])
def test_a_table_is_the_codes(page: str, made: object) -> None:
    """Run `quantctl <page> --format markdown` and put it into the page again."""
    assert callable(made)
    assert (ROOT / "docs" / f"{page}.md").read_text().endswith(f"\n\n{made()}")


def test_the_sample_has_the_schema_of_now() -> None:
    """Editors of the pipelines repository complete what this program accepts: quantctl schema > workflow.schema.json."""
    kept = json.loads((ROOT / "examples" / "pipelines" / "workflow.schema.json").read_text())
    assert kept == schema.workflow_schema()


def commands(command: Any, words: str) -> Iterator[str]:
    found = command.load() if isinstance(command, Entry) else command
    for name, below in getattr(found, "commands", {}).items():
        yield from commands(below, f"{words} {name}")
    if not hasattr(found, "commands"):
        yield words


def test_every_command_is_documented() -> None:
    """docs/commands.md has a row for each, and none for what is gone."""
    told = re.findall(r"^\| `(quantctl [^`]+)`", (ROOT / "docs" / "commands.md").read_text(), re.M)
    assert sorted(told) == sorted(commands(command(), "quantctl"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of this repository."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_what_the_code_cites_is_there() -> None:
    """A page that a message or a comment names."""
    listed = subprocess.run(["git", "ls-files", "*.py", "*.yaml"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in listed.stdout.split():
        for cited in re.findall(r"(?<![\w./-])docs/[a-z0-9/_.-]*[a-z0-9]", (ROOT / name).read_text()):
            assert list((ROOT / cited).parent.glob(f"{Path(cited).name}*")), (name, cited)
