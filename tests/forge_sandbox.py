"""A sandbox for the tests of the forge: unmodified python-gitlab and git, each as a person with a token of their own.

PYTEST_DONT_REWRITE: test modules import it before they name it as a plugin.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gitlab
import pytest
import requests

from sandbox import control, sample
from sandbox.state import Endpoints, State


@dataclass
class Forge:
    """A running sandbox, and what a test needs to talk to its forge."""

    state: State
    endpoints: Endpoints
    clones: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _clone: Path | None = None

    def client(self, who: str) -> gitlab.Gitlab:
        """python-gitlab as somebody."""
        return gitlab.Gitlab(self.endpoints.gitlab_url, private_token=self.state.gitlab_tokens()[who])

    def project(self, who: str = "dana") -> Any:
        """The project, as somebody sees it."""
        return self.client(who).projects.get("quant/pipelines")

    def http(self, method: str, path: str, who: str | None = "dana", **more: Any) -> requests.Response:
        """A request without a client library."""
        headers = {"PRIVATE-TOKEN": self.state.gitlab_tokens()[who]} if who else {}
        url = f"{self.endpoints.gitlab_url}/api/v4{path}"
        return requests.request(method, url, headers=headers | more.pop("headers", {}), timeout=30, **more)

    def name(self, what: str) -> str:
        """A name that no other test uses."""
        return f"{what}-{next(self._numbers)}"

    def clone(self) -> Path:
        """A fresh clone over HTTP, by nobody."""
        folder = self.clones / self.name("clone")
        done = subprocess.run(
            ["git", "clone", "--quiet", self.endpoints.remote_url, str(folder)], env=environment(), check=True
        )  # fmt: skip
        assert done.returncode == 0
        return folder

    def branches(self, *, conflict: bool = False) -> tuple[str, str]:
        """Two branches of the test's own, (source, target): the source is one commit ahead."""
        source, target = self.name("source"), self.name("target")
        clone = self._clone = self._clone or self.clone()
        self.must(clone, "push", "--quiet", "origin", f"origin/quant:refs/heads/{target}")
        if conflict:
            self.commit(clone, target, target, {"OWNERS.md": "theirs\n"})
        self.commit(clone, source, "quant", {"OWNERS.md": f"ours, {source}\n"})
        return source, target

    def commit(self, clone: Path, branch: str, onto: str, files: dict[str, str], who: str | None = None) -> str:
        """A commit on top of a branch, pushed."""
        self.must(clone, "fetch", "--quiet", "origin")
        self.must(clone, "checkout", "--quiet", "--detach", f"origin/{onto}")
        for name, content in files.items():
            (clone / name).write_text(content)
        self.must(clone, "add", "--all")
        self.must(clone, "commit", "--quiet", "--allow-empty", "-m", "A commit of the tests")
        self.must(clone, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", who=who)
        return self.must(clone, "rev-parse", "HEAD")

    def git(self, clone: Path, *arguments: str, who: str | None = None) -> subprocess.CompletedProcess[str]:
        """git as somebody, by user name and token in the URL, or as nobody."""
        login: list[str] = []
        if who:
            url = self.endpoints.gitlab_url
            named = url.replace("//", f"//{who}:{self.state.gitlab_tokens()[who]}@")
            login = ["-c", f"url.{named}/.insteadOf={url}/"]
        command = ["git", *login, *arguments]
        return subprocess.run(command, cwd=clone, env=environment(), capture_output=True, text=True, check=False)

    def must(self, clone: Path, *arguments: str, who: str | None = None) -> str:
        """git, which must succeed."""
        done = self.git(clone, *arguments, who=who)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def head(self, branch: str) -> str:
        """What a branch is in the repository itself."""
        return self.must(self.state.remote, "rev-parse", f"refs/heads/{branch}")

    @contextlib.contextmanager
    def protected(self, name: str, **levels: Any) -> Iterator[Any]:
        """A protected branch, for as long as a test needs it."""
        made = self.project("ada").protectedbranches.create({"name": name, **levels})
        try:
            yield made
        finally:
            made.delete()


def environment() -> dict[str, str]:
    """A shell without git settings, that is never asked."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = {"NAME": "Dana", "EMAIL": "dana@quant.example"}
    people = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    return {**outer, **people, "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Forge]:
    """A sandbox with the sample remote, stopped at the end."""
    state = State(folder / "state")
    state.prepare()
    sample.create(state.remote)
    try:
        endpoints = control.start(state)
        # Who pushes is asked only where a test says who: what a host does to nobody is in test_sandbox_switches.
        control.switch(state, {"anonymous_push": True})
        yield Forge(state, endpoints, folder)
    finally:
        control.stop(state)


@pytest.fixture(scope="session")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """One sandbox for all these tests; each has branches of its own."""
    with running(tmp_path_factory.mktemp("forge")) as made:
        yield made


@pytest.fixture(scope="module")
def own_forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """A sandbox that the tests of a module may kill; they start it again."""
    with running(tmp_path_factory.mktemp("own")) as made:
        yield made
