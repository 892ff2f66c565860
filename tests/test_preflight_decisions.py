"""Before anything is declared: what the answers of Git, the workspace and GitLab mean, with each of them a named fake."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from infra.errors import UserError
from infra.outside import preflight
from infra.outside.local_edits import Edits
from infra.outside.workspace import GitFolder
from infra.outside.workspace_connection import Unreadable
from infra.settings import Settings
from infra.vocabulary import Persona
from infra.what_if import REVIEWED
from tests.test_settings import read

HEAD, DEPLOYED, REWRITTEN = "a" * 40, "b" * 40, "c" * 40
GROUPS = {"quant-developers", "quant-reviewers", "quant-release-managers", "quant-support"}
ENVIRON = {"DATABRICKS_HOST": "https://workspace.example"}


@dataclass(frozen=True)
class Branch:
    """A snapshot whose history is a set of commits."""

    commit: str = HEAD
    history: frozenset[str] = frozenset({HEAD, DEPLOYED})
    repository: Path = Path("repository")

    def contains(self, commit: str) -> bool:
        return commit in self.history

    def tree_at(self, commit: str) -> Mapping[str, Any] | None:
        return {"at": commit} if commit in self.history else None

    def moved_to(self, ref: str) -> Branch:
        return replace(self, commit=ref)


@dataclass
class World:
    """What Git and the workspace answer; `edits` of the folder, an exception where it cannot be exported."""

    branch: Branch = field(default_factory=Branch)
    folder: GitFolder | None = field(default_factory=lambda: GitFolder(7, "/quant", "quant", DEPLOYED))
    groups: set[str] = field(default_factory=lambda: set(GROUPS))
    edits: Edits | Unreadable = field(default_factory=Edits)
    asked: list[Any] = field(default_factory=list)

    def git_folder(self, path: str) -> GitFolder | None:
        self.asked.append(path)
        return self.folder

    def check(
        self, settings: Settings | None = None, ref: str | None = None, environ: Mapping[str, str] = MappingProxyType({})
    ) -> Any:
        return preflight.check(settings or read("quant"), {**ENVIRON, **environ}, ref)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Everything answers, and the folder follows its branch."""
    made = World()

    class Workspace:
        git_folder = staticmethod(made.git_folder)

        def __init__(self, environ: Mapping[str, str], **_: Any) -> None:
            made.asked.append(environ["DATABRICKS_HOST"])

        def groups(self, wanted: list[str]) -> set[str]:
            made.asked.append(sorted(wanted))
            return {name.lower() for name in wanted if name in made.groups}

    def edits(_: object, path: str, repository: Path, tree: Mapping[str, Any]) -> Edits:
        made.asked.append((path, repository, tree))
        if isinstance(made.edits, Unreadable):
            raise made.edits
        return made.edits

    monkeypatch.setattr(preflight, "take_snapshot", lambda remote, branch: made.branch)
    monkeypatch.setattr(preflight, "reach_databricks", lambda environ: None)
    monkeypatch.setattr(preflight, "reach_snowflake", lambda environ: None)
    monkeypatch.setattr(preflight, "Workspace", Workspace)
    monkeypatch.setattr(preflight, "folder_edits", edits)
    return made


def test_what_is_right_is_declared_at_the_branchs_head(world: World) -> None:
    """The groups of the matrix are asked for, and the folder is compared with the commit that it is at, not the new one."""
    assert world.check() is world.branch
    assert world.asked == [
        "https://workspace.example",
        "/quant",
        sorted(GROUPS),
        ("/quant", Path("repository"), {"at": DEPLOYED}),
    ]


def test_a_first_deployment_has_no_folder_to_look_at(world: World) -> None:
    """Neither history nor edits are asked for."""
    world.folder = None
    assert world.check().commit == HEAD and len(world.asked) == 3


def test_a_what_if_is_declared_and_the_branch_compared(world: World) -> None:
    """The commit that it might move to; whether history was rewritten is a question about the branch."""
    assert world.check(ref=REWRITTEN).commit == REWRITTEN


def test_a_group_that_is_missing_is_named_with_its_setting(world: World) -> None:
    """Each in a line; who manages the groups here makes them; a group is the same in any spelling of its letters."""
    world.groups -= {"quant-support", "quant-reviewers"}
    with pytest.raises(UserError) as told:
        world.check()
    assert str(told.value).splitlines() == [
        f"Databricks: the group 'quant-{name}' does not exist: create it in the identity provider, or name another in"
        f" quant:personas.{name}.group (Pulumi.yaml or Pulumi.quant.yaml)."
        for name in ("reviewers", "support")
    ]
    assert world.check(read("quant", groups="managed")).commit == HEAD
    world.groups = {name.replace("quant-s", "Quant-S") for name in GROUPS}
    names = '{"support": {"group": "Quant-Support", "role": "QUANT_SUPPORT"}}'
    assert world.check(read("quant", personas=names)).commit == HEAD


def test_the_audience_of_a_limited_release_has_a_group(world: World) -> None:
    """It reads data alone, and is told by its group who it is; elsewhere who only reads data needs none."""
    with pytest.raises(UserError) as told:
        world.check(read("quant_lr"))
    assert "quant-limited-release" in str(told.value) and "quant:personas.limitedRelease.group" in str(told.value)
    assert "quant-end-users" not in str(told.value)
    world.groups |= {read("quant_lr").names(Persona.LIMITED_RELEASE).group}
    world.folder = None
    assert world.check(read("quant_lr")).commit == HEAD
    assert world.check(read("quant_live")).commit == HEAD


def test_another_commit_than_the_reviewed_one_is_refused(world: World) -> None:
    """Before the folder is looked at."""
    assert world.check(environ={REVIEWED: HEAD}).commit == HEAD
    with pytest.raises(UserError, match="has moved since the review"):
        world.check(environ={REVIEWED: DEPLOYED})


def test_rewritten_history_is_refused_with_two_ways_out(world: World) -> None:
    """A folder on another branch is pulled to its own first; one without a commit has no history."""
    world.folder = GitFolder(7, "/quant", "quant", REWRITTEN)
    with pytest.raises(UserError) as told:
        world.check()
    for words in ("'quant' was rewritten", f"at {'c' * 12}", f"history of {'a' * 12}", "databricks repos delete 7"):
        assert words in str(told.value)
    for folder in (replace(world.folder, branch="quant_stg"), replace(world.folder, commit="")):
        world.folder = folder
        assert world.check().commit == HEAD


def test_local_edits_are_refused_by_name(world: World) -> None:
    """A pull would be refused; what cannot be exported, or compared, the pull itself is the first to know."""
    world.edits = Edits(("src/a.py", "src/b.py"))
    with pytest.raises(UserError, match=r"/quant \(quant:folder in Pulumi\.quant\.yaml\).*: src/a\.py, src/b\.py\. A pull"):
        world.check()
    for unsure in (Edits(unknown={"src/a.py": "too large"}), Unreadable("above 10 MB")):
        world.edits = unsure
        assert world.check().commit == HEAD


@pytest.fixture
def gitlab() -> Iterator[Callable[[int], tuple[str, list[Any]]]]:
    """Starts a GitLab that answers everything with one status: its address, and what it was asked with which token."""
    servers: list[http.server.HTTPServer] = []

    def start(status: int) -> tuple[str, list[Any]]:
        asked: list[Any] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append((self.path, self.headers["PRIVATE-TOKEN"]))
                self.send_response(status)
                self.send_header("Location", "https://evil.example/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}", asked

    yield start
    for server in servers:
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (200, None),
        (401, "refuses the token (401)"),
        (403, "may not look in team/pipelines"),
        (404, "has no project 'team/pipelines'"),
        (302, "HTTP 302"),  # a redirection is not followed: the token would go with it
        (500, "HTTP 500"),
    ],
)
def test_gitlab_shows_the_project_or_it_is_told(
    world: World, gitlab: Callable[[int], tuple[str, list[Any]]], status: int, words: str | None
) -> None:
    """Asked once, as the token's owner."""
    url, asked = gitlab(status)
    settings = read("quant", gitlab=f'{{"url": "{url}", "project": "team/pipelines"}}')
    if words is None:
        assert world.check(settings, environ={"GITLAB_TOKEN": "mine"}).commit == HEAD
    else:
        with pytest.raises(UserError) as told:
            world.check(settings, environ={"GITLAB_TOKEN": "mine"})
        assert words in str(told.value) and "mine" not in str(told.value)
    assert asked == [("/api/v4/projects/team%2Fpipelines", "mine")]


def test_a_gitlab_that_is_silent_is_told_with_its_setting(world: World) -> None:
    """And where merge requests are in plain Git nobody is asked."""
    settings = read("quant", gitlab='{"url": "http://127.0.0.1:9", "project": "team/pipelines"}')
    with pytest.raises(UserError, match=r"http://127\.0\.0\.1:9 does not answer.*QUANT_GITLAB_URL"):
        world.check(settings, environ={"GITLAB_TOKEN": "mine"})
    assert world.check(environ={"GITLAB_TOKEN": "mine"}).commit == HEAD
