"""The rules of the house that a reader relies on."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Team
from tests.paths import ROOT

PURE = (
    "infra.access",
    "infra.allowed",
    "infra.branch_protection",
    "infra.errors",
    "infra.naming",
    "infra.promotion",
    "infra.public_keys",
    "infra.service_keys",
    "infra.settings",
    "infra.workflows",
    "quantctl.drift.judge",
    "quantctl.keys.decide",
    "quantctl.promotion.gates",
    "quantctl.promotion.results_gate",
    "quantctl.results.statements",
    "quantctl.results.verdict",
    "quantctl.status.model",
)
# A command line in which the package `sandbox` cannot be imported.
BLOCKED = (
    "import sys, importlib.abc\n"
    "class Blocked(importlib.abc.MetaPathFinder):\n"
    "    def find_spec(self, name, path=None, target=None):\n"
    "        if name.split('.')[0] == 'sandbox': raise ImportError('sandbox is blocked')\n"
    "sys.meta_path.insert(0, Blocked())\n"
    "sys.argv[0] = 'quantctl'\n"
    "from quantctl.main import main\n"
    "main()\n"
)
CODE = sorted(path for part in ("infra", "quantctl") for path in (ROOT / part).rglob("*.py"))


def imports(source: str) -> set[str]:
    """The modules that a source names, whole."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def strings(source: str) -> list[str]:
    """Every text in a source that is no docstring, f-strings by their parts."""
    tree = ast.parse(source)
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented
    ]


def broken(name: str, source: str) -> list[str]:
    """Which rules of the house a module breaks; `name` is its path, such as quantctl/drift/look.py. Pure."""
    tops = {module.split(".")[0] for module in imports(source)}
    found = []
    if name.startswith("infra/") and tops & {"quantctl", "sandbox", "toolchain", "tests"}:
        found.append("infra/ imports neither the command line nor the sandbox")
    if not name.startswith("quantctl/laptop/") and "sandbox" in tops:
        found.append("only quantctl/laptop/ imports sandbox")
    if name != "quantctl/engine/process.py" and _starts_pulumi(source):
        found.append("only quantctl/engine/process.py starts pulumi")
    if name != "quantctl/engine/state.py" and _exports(source):
        found.append("only quantctl/engine/state.py exports a state")
    if not name.startswith("infra/outside/workspace") and not name.startswith("quantctl/laptop/"):
        if imports(source) & {"databricks.sdk", "databricks.sdk.core", "databricks.sdk.WorkspaceClient"}:
            found.append("only infra/outside/workspace.py opens a connection to the workspace")
        if name != "quantctl/workspace.py" and any(text.startswith("/api/2.") for text in strings(source)):
            found.append("only the workspace's door knows its paths")
    if tops & {"requests"} and not name.startswith("infra/outside/"):
        found.append("only infra/outside/ asks over HTTP")
    if "gitlab" in tops and name not in ("infra/outside/gitlab.py", "quantctl/forge/gitlab.py") and "/gitlab" not in name:
        found.append("only the forge's door asks GitLab")
    connects = {"snowflake.connector", "snowflake.connector.connect", "snowflake.connector.connection"}
    if imports(source) & connects and name != "quantctl/drift/account.py":
        found.append("only the account's door opens a connection to Snowflake")
    return found


def _starts_pulumi(source: str) -> bool:
    """A list that begins with the word, which is how a command is written here."""
    lists = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.List) and node.elts)
    return any(isinstance(first := one.elts[0], ast.Constant) and first.value == "pulumi" for one in lists)


def _exports(source: str) -> bool:
    """A list, or the arguments of a call, that begin with these two words."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.List | ast.Call)]
    begun = [(node.elts if isinstance(node, ast.List) else node.args)[:2] for node in nodes]
    return ["stack", "export"] in [[one.value for one in two if isinstance(one, ast.Constant)] for two in begun]


@pytest.mark.parametrize("file", CODE, ids=lambda f: str(f.relative_to(ROOT)))
def test_the_house_is_in_order(file: Path) -> None:
    """Each outside system has one door, and data flows one way."""
    assert broken(str(file.relative_to(ROOT)), file.read_text()) == []


@pytest.mark.parametrize(
    ("name", "source", "rule"),
    [
        ("infra/access.py", "from quantctl import project", "imports neither"),
        ("infra/access.py", "import sandbox.state", "imports neither"),
        ("quantctl/drift/look.py", "from sandbox.state import State", "only quantctl/laptop/ imports sandbox"),
        ("quantctl/keys/rotation.py", "import subprocess\nsubprocess.run(['pulumi', 'up'])", "starts pulumi"),
        ("quantctl/status/read.py", "run(['stack', 'export', '-s', env])", "exports a state"),
        ("quantctl/status/read.py", "run('stack', 'export')", "exports a state"),
        ("quantctl/status/read.py", "from databricks.sdk import WorkspaceClient", "opens a connection to the workspace"),
        ("quantctl/status/read.py", "ask('/api/2.0/repos')", "knows its paths"),
        ("quantctl/status/read.py", "ask(f'/api/2.0/repos/{number}')", "knows its paths"),
        ("quantctl/status/read.py", "import requests", "asks over HTTP"),
        ("quantctl/status/read.py", "import gitlab", "asks GitLab"),
        ("quantctl/status/read.py", "import snowflake.connector", "connection to Snowflake"),
    ],
)
def test_a_broken_rule_is_told(name: str, source: str, rule: str) -> None:
    """Each rule has an example that breaks it."""
    assert [told for told in broken(name, source) if rule in told]


@pytest.mark.parametrize("command", ["promote quant quant_stg --dry-run", "drift quant", "status", "lock", "up quant --yes"])
def test_a_team_needs_no_sandbox(command: str, tmp_path: Path) -> None:
    """With the package `sandbox` not importable a command fails for its endpoint's sake, and for no other."""
    environ = {
        **os.environ,
        "DATABRICKS_HOST": "http://127.0.0.1:9",
        "DATABRICKS_TOKEN": "x",
        "PULUMI_BACKEND_URL": f"file://{tmp_path}",
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        "QUANT_REMOTE": str(tmp_path / "none.git"),
    }
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, *command.split()], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert "sandbox is blocked" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.real
@pytest.mark.parametrize(
    ("command", "status"),
    [("drift quant", 0), ("promote quant quant_stg --dry-run", 3), ("status", 0), ("preview quant", 0)],
)
def test_a_deployed_environment_needs_no_sandbox_package(team: Team, command: str, status: int) -> None:
    """Against endpoints that answer, the commands of a team do their work with `sandbox` not importable."""
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, *command.split()],
        cwd=ROOT,
        env=team.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr


@pytest.mark.parametrize("module", PURE)
def test_decisions_need_no_engine(module: str) -> None:
    """What decides does not import Pulumi, so it is tested without an engine."""
    package = ROOT / module.replace(".", "/")
    for file in package.glob("*.py") if package.is_dir() else [package.with_suffix(".py")]:
        assert not {name for name in imports(file.read_text()) if name.startswith("pulumi")}, file


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
