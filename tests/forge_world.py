"""A sandbox with its sample remote, and git and the forge as each of its people: fixtures `world` and `protected`.

PYTEST_DONT_REWRITE: test modules import it before they name it as a plugin.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gitlab
import pytest
from gitlab.v4.objects import Project

from infra.gitlab import protected_branch, protected_tags
from infra.settings import Settings
from quantctl.forge import Forge, connect
from quantctl.laptop import signing
from quantctl.stack_settings import stack_settings
from sandbox import control, identities, sample
from sandbox.state import Endpoints, State

PROJECT = "quant/pipelines"


@dataclass(frozen=True)
class World:
    """A sandbox with its sample remote, and git and the forge as one of its people."""

    state: State
    endpoints: Endpoints
    folder: Path

    def environ(self, who: str, **changed: str) -> dict[str, str]:
        """GitLab mode as somebody."""
        token = self.state.gitlab_tokens()[who]
        named = {"QUANT_GITLAB_URL": self.endpoints.gitlab_url, "QUANT_GITLAB_PROJECT": PROJECT, "GITLAB_TOKEN": token}
        return {"QUANT_REMOTE": self.endpoints.remote_url, **named, **changed}

    def plain(self, who: str, **changed: str) -> dict[str, str]:
        """Plain Git as somebody, with the deployer's credentials beside it."""
        tokens = self.state.tokens()
        workspace = {"DATABRICKS_HOST": self.endpoints.databricks_host, "DATABRICKS_TOKEN": tokens[identities.DEPLOYER_ID]}
        promoter = {"QUANT_PROMOTER_TOKEN": tokens.get(f"{who}@quant.example", "")}
        persona = next((one.persona for one in identities.PEOPLE if one.key == who), "deployer")
        signs = signing.as_environment({}, signing.git_settings(self.state, persona))
        named = {"QUANT_REMOTE": self.endpoints.remote_url, "QUANT_SIGNERS": str(signing.signers_file(self.state))}
        return {**named, **signs, **workspace, **promoter, **changed}

    def settings(self, environ: dict[str, str], env: str = "quant_live") -> Settings:
        return stack_settings(env, environ)

    def forge(self, who: str, env: str = "quant_live") -> Forge:
        environ = self.environ(who)
        return connect(self.settings(environ, env), environ)

    def project(self, who: str = "ada") -> Project:
        """python-gitlab without anything of ours."""
        library = gitlab.Gitlab(self.endpoints.gitlab_url, private_token=self.state.gitlab_tokens()[who])
        return library.projects.get(PROJECT)

    def git(self, *arguments: str, who: str = "dana", must: bool = True) -> str:
        clone = self.folder / "clone"
        identity = ["-c", f"user.name={who.capitalize()}", "-c", f"user.email={who}@quant.example"]
        done = subprocess.run(["git", *identity, *arguments], cwd=clone, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not must, done.stderr
        return done.stdout.strip() if must else done.stdout + done.stderr

    def branch(self, name: str, start: str, content: str, who: str = "dana") -> str:
        """A branch of its own with one commit of somebody's."""
        self.git("fetch", "-q", "origin")
        self.git("checkout", "-q", "-B", name, f"origin/{start}")
        (self.folder / "clone" / "notes.txt").write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", f"Notes on {name}", who=who)
        self.git("push", "-q", "--force", "origin", f"HEAD:refs/heads/{name}")
        return self.git("rev-parse", "HEAD")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("forge")
    state = State(folder / "state")
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    try:
        endpoints = control.start(state)
        control.switch(state, {"anonymous_push": True})  # who pushes is asked only where a test says who
        sample.create(state.remote)
        subprocess.run(["git", "clone", "-q", endpoints.remote_url, str(folder / "clone")], check=True)
        yield World(state, endpoints, folder)
    finally:
        control.stop(state)
        os.environ.pop("XDG_CACHE_HOME")
        if before is not None:
            os.environ["XDG_CACHE_HOME"] = before


@pytest.fixture
def protected(world: World) -> Iterator[World]:
    """quant_live protected as its settings say, by the administrator."""
    environ = world.environ("ada")
    settings = world.settings(environ)
    project = world.project("ada")
    protected_branch.apply(project.manager.gitlab, project, settings.protection)
    yield world
    protected_branch.remove(project, "quant_live")
    protected_tags.remove(project, settings.protection.record_tags)


def authenticated(world: World, who: str) -> str:
    return world.endpoints.remote_url.replace("//", f"//{who}:{world.state.gitlab_tokens()[who]}@")
