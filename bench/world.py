"""A sandbox of its own with a pipelines repository of N workflows, and an empty program beside it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Cost, cost
from infra.vocabulary import Environment
from quantctl import project
from quantctl.keys import rotation
from quantctl.laptop import place
from quantctl.laptop.exports import process_environment
from quantctl.laptop.up import ensure_stack
from sandbox import control
from sandbox.state import State

_STACK = "quant"
_WORKFLOW = """name: workflow_{number:03}
schedule: {{quartz_cron_expression: "0 0 6 * * ?", timezone_id: UTC}}
timeout_seconds: 3600
tasks:
  - task_key: first
    spark_python_task: {{python_file: src/task.py, parameters: ["{number}"]}}
    environment_key: default
  - task_key: second
    depends_on: [{{task_key: first}}]
    spark_python_task: {{python_file: src/task.py}}
    environment_key: default
environments:
  - environment_key: default
    spec: {{client: "3"}}
"""
_EMPTY = """name: empty
runtime: {name: python, options: {virtualenv: venv}}
"""


@dataclass(frozen=True)
class World:
    """Two projects for the same engine."""

    project: Path
    empty: Path
    environ: dict[str, str]
    state: State
    stack: str = _STACK

    def pulumi(self, folder: Path, *arguments: str, **changed: str) -> Cost:
        """The engine on a project's stack; raises CalledProcessError with what it said."""
        command = ["pulumi", *arguments, "-s", _STACK, "--non-interactive", "--color", "never"]
        return cost(command, folder, {**self.environ, **changed})

    def python(self, module: str, *arguments: str) -> Cost:
        """A module of ours, as quantctl runs."""
        return cost([sys.executable, "-m", module, *arguments], self.project, self.environ)

    def again(self) -> None:
        """An empty workspace, account and state, and the same repository."""
        control.reset(self.state)
        ensure_stack(self.state, _STACK, self.environ)
        rotation.first_pair(_STACK, self.environ)
        subprocess.run(
            ["pulumi", "stack", "init", _STACK], cwd=self.empty, env=self.environ, check=True, capture_output=True
        )


@contextlib.contextmanager
def world(folder: Path, workflows: int) -> Iterator[World]:
    """Made in `folder`; its sandbox is stopped at the end."""
    state = State(folder / "state")
    state.prepare()
    _remote(folder / "work", state.remote, workflows)
    place.start(state)
    try:
        # A user's shell has none of the settings of a build machine's Python.
        shell = {name: value for name, value in process_environment(state).items() if not name.startswith("PYTHON")}
        environ = {**shell, "XDG_CACHE_HOME": str(folder / "cache")}
        made = World(project.root(), _empty_project(folder / "empty"), environ, state)
        ensure_stack(state, _STACK, environ)
        rotation.first_pair(_STACK, environ)  # an update needs its public half
        subprocess.run(["pulumi", "stack", "init", _STACK], cwd=made.empty, env=environ, check=True, capture_output=True)
        yield made
    finally:
        control.stop(state)


def _empty_project(folder: Path) -> Path:
    """As `pulumi new` makes it: the pip that Python brings, and pulumi. Docs: docs/decisions/0022-the-floor.md."""
    bin = folder / "venv" / "bin"
    uv = [str(project.checkout() / ".venv" / "bin" / "uv"), "pip", "install", "--quiet", "--compile-bytecode"]
    pinned = ["--constraint", str(project.checkout() / "requirements.lock"), "pulumi"]
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True, capture_output=True)
    subprocess.run([*uv, "--python", str(bin / "python"), *pinned], check=True, capture_output=True)
    (folder / "Pulumi.yaml").write_text(_EMPTY)
    (folder / "__main__.py").write_text("import pulumi\n")
    return folder


def _remote(work: Path, remote: Path, workflows: int) -> None:
    (work / "workflows").mkdir(parents=True)
    (work / "src").mkdir()
    (work / "src" / "task.py").write_text("print('done')\n")
    for number in range(workflows):
        (work / "workflows" / f"workflow_{number:03}.yml").write_text(_WORKFLOW.format(number=number))
    git = ["git", "-C", str(work), "-c", "user.name=Bench", "-c", "user.email=bench@quant.example"]
    branches = [["branch", env.value] for env in Environment if env.value != _STACK]
    for command in (["init", "-q", "-b", _STACK], ["add", "-A"], ["commit", "-q", "-m", "Workflows"], *branches):
        subprocess.run([*git, *command], check=True, capture_output=True, env=os.environ)
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(remote)], check=True, capture_output=True)
