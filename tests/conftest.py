"""A sandbox of the tests' own, with the four environments deployed by the real engine."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.workspace import GetRepoResponse as RepoInfo
from hypothesis import Phase, settings

from sandbox import control
from sandbox.held_keys import held_keys
from sandbox.state import State
from tests import snapshot, warm
from tests.account_sandbox import Account, running
from tests.paths import ROOT

# The same examples on every run, so that a failure is the change's own; other ones with --hypothesis-profile=search.
settings.register_profile("steady", derandomize=True)
settings.register_profile("search", derandomize=False)
settings.register_profile("few", derandomize=True, max_examples=10, phases=[Phase.explicit, Phase.generate])  # make mutants
settings.load_profile("steady")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that no worker waits for another at the end."""
    items.sort(key=lambda item: item.get_closest_marker("real") is None)


def pytest_make_parametrize_id(val: object) -> str | None:
    """No backslash in a test's name: pytest escapes it once more in each run within a process, so mutmut loses the test."""
    text = val.decode("latin-1") if isinstance(val, bytes) else val
    if not isinstance(text, str) or re.fullmatch(r"[ -\[\]-~]*", text):
        return None
    return re.sub(r"[^ -\[\]-~]+", " ", text)[:80]


def git_folder(workspace: WorkspaceClient, path: str) -> RepoInfo:
    """The Git folder at a path, by its path and then by its id."""
    return workspace.repos.get(workspace.workspace.get_status(path).object_id or 0)


@dataclass(frozen=True)
class Team:
    """A sandbox with what a platform engineer has at hand: a shell, a clone of the pipelines, credentials."""

    environ: dict[str, str]
    clone: Path
    credentials: dict[str, dict[str, Any]]

    def pulumi(self, *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        """Plain pulumi, in the project's folder; a changed environment variable stands for a changed world."""
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            cwd=ROOT,
            env={**self.environ, **changed},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def up(self, stack: str) -> str:
        """`pulumi up`, which must succeed."""
        done = self.pulumi("up", "--yes", "--skip-preview", "-s", stack)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def config(self, stack: str, **changed: Any) -> str:
        """A stack file of the tests' own: the committed one with other values, for `--config-file`."""
        file = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
        file["config"] |= {f"quant:{key}": value for key, value in changed.items()}
        path = self.clone.parent / f"{stack}.{len(list(self.clone.parent.iterdir()))}.yaml"
        path.write_text(yaml.safe_dump(file))
        return str(path)

    def keys_accepted(self, stack: str) -> int:
        """How many keys the account accepts of the environment's service user."""
        with self.snowflake("admin") as connection:
            rows = connection.cursor().execute(f"DESCRIBE USER SVC_{stack.upper()}").fetchall()
        return sum(row[1] != "null" for row in rows if row[0] in ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"))

    def admin(self) -> dict[str, str]:
        """Environment variables with which the engine is an account administrator in Snowflake."""
        who = self.credentials["admin"]
        key = Path(who["snowflake_key_file"]).read_text()
        return {"SNOWFLAKE_USER": who["snowflake_user"], "SNOWFLAKE_ROLE": "ACCOUNTADMIN", "SNOWFLAKE_PRIVATE_KEY": key}

    def quantctl(self, *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        """quantctl in a shell that has the exports of `quantctl env`; `changed` are variables of its own."""
        return warm.quantctl(*arguments, environ={**self.environ, **changed})

    def changes(self, stack: str, *arguments: str) -> dict[str, list[str]]:
        """What a preview would do: operation -> URN's last parts, without what stays the same."""
        done = self.pulumi("preview", "--json", "-s", stack, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, list[str]] = {}
        for step in json.loads(done.stdout)["steps"]:
            if step["op"] not in ("same", "read"):
                found.setdefault(step["op"], []).append(step["urn"].split("$")[-1])
        return found

    def git(self, *arguments: str) -> str:
        """git in the clone of the pipelines repository."""
        identity = ["-c", "user.name=Dana", "-c", "user.email=dana@quant.example"]
        return subprocess.run(
            ["git", *identity, *arguments], cwd=self.clone, check=True, capture_output=True, text=True, env=self.environ
        ).stdout.strip()

    def head(self, branch: str) -> str:
        """The commit that a branch of the remote is at now."""
        self.git("fetch", "-q", "origin")
        return self.git("rev-parse", f"origin/{branch}")

    def commit(self, branch: str, path: str, content: str | None, message: str) -> str:
        """A commit on top of a remote branch, pushed there."""
        self.git("fetch", "-q", "origin")
        self.git("checkout", "-q", "-B", "work", f"origin/{branch}")
        if content is None:
            (self.clone / path).unlink()
        else:
            (self.clone / path).write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        self.git("push", "-q", "origin", f"HEAD:refs/heads/{branch}")
        return self.git("rev-parse", "HEAD")

    def workspace(self, persona: str) -> WorkspaceClient:
        """databricks-sdk as one of the personas."""
        who = self.credentials[persona]
        return WorkspaceClient(host=who["databricks_host"], token=who["databricks_token"])

    def git_folder(self, path: str, persona: str = "deployer") -> RepoInfo:
        """The Git folder at a path: the list of Git folders leaves out those with Git CLI access."""
        return git_folder(self.workspace(persona), path)

    def file(self, path: str, persona: str = "deployer") -> str:
        """A file of the workspace."""
        return self.workspace(persona).workspace.download(path).read().decode()

    def snowflake(self, persona: str) -> Any:
        """snowflake-connector-python as one of the personas."""
        import snowflake.connector

        who = self.credentials[persona]
        held_keys(State(Path(self.environ["QUANT_SANDBOX"])))  # a service user's key may have been rotated
        return snowflake.connector.connect(
            account="sandbox",
            user=who["snowflake_user"],
            private_key_file=who["snowflake_key_file"],
            authenticator="SNOWFLAKE_JWT",
            role=who["snowflake_role"],
            host=who["snowflake_host"],
            port=who["snowflake_port"],
            protocol="http",
        )


@contextlib.contextmanager
def deployed(folder: Path) -> Iterator[Team]:
    """What `quantctl up` makes of a fresh state folder; everything that was started is stopped at the end."""
    # A user's shell has none of the settings of a build machine's Python.
    usual = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    base = {**usual, "QUANT_SANDBOX": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "config")}
    quantctl = str(ROOT / ".venv" / "bin" / "quantctl")

    def run(environ: dict[str, str], *words: str) -> str:
        done = subprocess.run([quantctl, *words], env=environ, capture_output=True, text=True, timeout=900, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def deploy(state: Path) -> None:
        try:
            run({**base, "QUANT_SANDBOX": str(state)}, "up")
        finally:
            run({**base, "QUANT_SANDBOX": str(state)}, "sandbox", "stop")

    try:
        snapshot.copy_of(snapshot.shared_folder(folder), folder / "state", deploy)
        run(base, "sandbox", "start")
        environ = shell(base)
        clone = folder / "pipelines"
        subprocess.run(["git", "clone", "-q", environ["QUANT_REMOTE"], str(clone)], check=True)
        listed = json.loads(run(base, "sandbox", "credentials", "--format", "json"))
        yield Team(environ, clone, {entry["persona"]: entry for entry in listed})
    finally:
        subprocess.run([quantctl, "down"], env=base, capture_output=True, check=False)
        end_orphans(folder / "state")


def end_orphans(state: Path) -> None:
    """What an engine that a test killed has left: its plugins and the program run in process groups of their own."""
    ours = f"QUANT_SANDBOX={state}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if ours in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)


def shell(environ: dict[str, str], *options: str) -> dict[str, str]:
    """The environment of a shell after `eval "$(quantctl env OPTIONS)"`."""
    command = [str(ROOT / ".venv" / "bin" / "quantctl"), "env", *options]
    shown = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout
    evaluated = ["bash", "-c", 'eval "$1"; env -0', "-", shown]
    listed = subprocess.run(evaluated, env=environ, capture_output=True, text=True, check=True).stdout
    return dict(entry.split("=", 1) for entry in listed.split("\0") if "=" in entry)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """One for the tests of a module: which modules ran before on this worker changes nothing."""
    with deployed(tmp_path_factory.mktemp("team")) as made:
        yield made


@pytest.fixture(scope="module")
def account(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """A sandbox of the module's own, in which the statements of its SETUP have been run."""
    with running(State(tmp_path_factory.mktemp("account") / "state")) as made:
        for statement in request.module.SETUP.strip().splitlines():
            made.sql(statement)
        yield made


@pytest.fixture(params=["cli", "legacy"])
def kind(request: pytest.FixtureRequest, team: Team) -> Iterator[str]:
    """Git folders with Git CLI access, and without."""
    state = State(Path(team.environ["QUANT_SANDBOX"]))
    before = control.switch(state, {}).git_folders
    yield control.switch(state, {"git_folders": request.param}).git_folders
    control.switch(state, {"git_folders": before})
