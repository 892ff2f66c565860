"""How the modules of the sandbox depend on each other."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT


def imports(root: Path, package: str) -> dict[str, set[str]]:
    """Module -> the modules of the same package that it imports, also those for a type checker alone."""
    files = {".".join(file.relative_to(root).with_suffix("").parts): file for file in (root / package).rglob("*.py")}
    found: dict[str, set[str]] = {}
    for name, file in files.items():
        nodes = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom)]
        named = {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}
        found[name] = (named | {str(node.module) for node in nodes}) & set(files)
    return found


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Each can be read after those that it needs."""
    graphlib.TopologicalSorter(imports(ROOT, "sandbox")).prepare()


def test_a_circle_is_found(tmp_path: Path) -> None:
    """Also one through a third module, and one for a type checker alone."""
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.py").write_text("from p import b\n")
    (tmp_path / "p" / "b.py").write_text("from p.c import x\n")
    (tmp_path / "p" / "c.py").write_text("if TYPE_CHECKING:\n    from p.a import y\n")
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter(imports(tmp_path, "p")).prepare()


def test_a_start_loads_nothing_that_only_queries_need() -> None:
    """DuckDB and sqlglot are half of the memory and a third of the start-up: they wait for the first query."""
    program = "import sandbox.server, sys; print({'duckdb', 'sqlglot', 'pandas', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
