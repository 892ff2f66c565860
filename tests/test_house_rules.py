"""The rules of the house that a reader relies on."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

from tests.paths import ROOT

PURE = ("branch_protection", "settings", "allowed", "naming", "workflows", "access", "source", "keys", "preflight", "errors")


def imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("file", sorted((ROOT / "infra").rglob("*.py")), ids=lambda f: str(f.relative_to(ROOT)))
def test_infra_stands_alone(file: Path) -> None:
    """infra/ imports neither the command line nor the sandbox."""
    assert not imports(file) & {"quantctl", "sandbox", "toolchain", "tests"}


@pytest.mark.parametrize("module", PURE)
def test_decisions_need_no_engine(module: str) -> None:
    """What decides does not import Pulumi, so it is tested without an engine."""
    package = ROOT / "infra" / module
    for file in package.glob("*.py") if package.is_dir() else [ROOT / "infra" / f"{module}.py"]:
        assert not {name for name in imports(file) if name.startswith("pulumi")}, file


def test_the_program_is_a_screenful() -> None:
    """__main__.py is read top to bottom without scrolling far."""
    assert len((ROOT / "__main__.py").read_text().splitlines()) < 100


@pytest.mark.parametrize("command", ["ruff check", "ruff format --check", "mypy"])
def test_the_code_is_clean(command: str) -> None:
    """What `make lint` runs finds nothing."""
    program, *arguments = command.split()
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
