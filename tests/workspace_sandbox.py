"""A sandbox for the tests of the workspace emulator: unmodified clients, each as an identity with a token of its own.

PYTEST_DONT_REWRITE: test modules import it before they name it as a plugin.
"""

from __future__ import annotations

import contextlib
import itertools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.workspace import RepoInfo

from sandbox import control, identities, sample
from sandbox.state import Endpoints, State
from sandbox.switches import LEGACY

ADMIN, DANA, EDDIE = "ada@quant.example", "dana@quant.example", "eddie@quant.example"
PRINCIPAL, DEPLOYER = identities.SERVICE_PRINCIPALS["quant"], identities.DEPLOYER_ID
SCIM = "/api/2.0/preview/scim/v2"
RULE_SETS = "/api/2.0/preview/accounts/access-control/rule-sets"


@dataclass
class Workspace:
    """A running sandbox, and what a test needs to talk to it."""

    state: State
    endpoints: Endpoints
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def client(self, who: str = ADMIN) -> WorkspaceClient:
        """databricks-sdk as somebody."""
        token = self.state.tokens()[who]
        return WorkspaceClient(host=self.endpoints.databricks_host, token=token, auth_type="pat")

    def http(self, method: str, path: str, who: str | None = ADMIN, **more: Any) -> requests.Response:
        """A request without a client library."""
        headers = {"Authorization": f"Bearer {self.state.tokens()[who]}"} if who else {}
        headers |= more.pop("headers", {})
        return requests.request(method, self.endpoints.databricks_host + path, headers=headers, timeout=30, **more)

    def may_use(self, who: str, principal: str) -> None:
        """Give a user the user role on a service principal, with which their jobs may run as it."""
        rule = {"principals": [f"users/{who}"], "role": "roles/servicePrincipal.user"}
        name = f"accounts/any/servicePrincipals/{principal}/ruleSets/default"
        before = self.http("GET", RULE_SETS, params={"name": name, "etag": ""}).json()
        rules = {"name": name, "etag": before["etag"], "grant_rules": [*before["grant_rules"], rule]}
        self.http("PUT", RULE_SETS, json={"name": name, "rule_set": rules}).raise_for_status()

    def name(self, what: str) -> str:
        """A name that no other test uses."""
        return f"{what}_{next(self._numbers)}"

    def folder(self, branch: str = "quant", path: str | None = None) -> RepoInfo:
        """A Git folder of the admin's, on a branch of the sample remote."""
        admin = self.client()
        made = admin.repos.create(self.endpoints.remote_url, "gitLab", path=path or f"/{self.name('folder')}")
        assert made.id is not None
        admin.repos.update(made.id, branch=branch)
        found = admin.repos.get(made.id)
        return RepoInfo(id=found.id, path=found.path, branch=found.branch, head_commit_id=found.head_commit_id)

    def commit(self, clone: Path, branch: str, files: dict[str, str], *, onto: str = "quant", force: bool = False) -> str:
        """Push a commit to a branch of the remote: files on top of `onto`."""
        if not clone.exists():
            git(clone.parent, "clone", "--quiet", str(self.state.remote), str(clone))
        git(clone, "fetch", "--quiet", "origin")
        git(clone, "checkout", "--quiet", "--detach", f"origin/{onto}")
        for name, content in files.items():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            (clone / name).write_text(content)
        git(clone, "add", "--all")
        git(clone, "commit", "--quiet", "--allow-empty", "-m", "A commit of the tests")
        git(clone, "push", "--quiet", *(["--force"] if force else []), "origin", f"HEAD:refs/heads/{branch}")
        return git(clone, "rev-parse", "HEAD")


def git(folder: Path, *arguments: str) -> str:
    """git as somebody."""
    command = ["git", "-c", "user.name=Dana", "-c", f"user.email={DANA}", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@contextlib.contextmanager
def running(state: State, *, git_folders: str | None = LEGACY) -> Iterator[Workspace]:
    """A sandbox with the sample remote, stopped at the end; its new Git folders are of that kind, or of the usual one."""
    state.prepare()
    sample.create(state.remote)
    try:
        made = Workspace(state, control.start(state))
        if git_folders:
            control.switch(state, {"git_folders": git_folders})
        yield made
    finally:
        control.stop(state)


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One sandbox for all these tests; each makes the objects that it needs."""
    with running(State(tmp_path_factory.mktemp("workspace") / "state")) as made:
        made.may_use(ADMIN, PRINCIPAL)
        yield made


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Workspace]:
    """A sandbox that the test may kill."""
    with running(State(tmp_path / "state")) as made:
        yield made
