"""Switches: how the sandbox behaves where the real services differ, changed while it runs and set at a start."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from databricks.sdk.errors import PermissionDenied

from sandbox import control, switches
from sandbox.state import State
from sandbox.switches import Switches
from tests.workspace_sandbox import DANA, DEPLOYER, Workspace, running


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Workspace]:
    """A sandbox of the test's own."""
    with running(State(tmp_path / "state")) as made:
        yield made


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": "red"}, "no switch 'colour'; there are git_folders"),
        ({"git_folders": "both"}, "must be cli or legacy"),
        ({"throttled": "-1"}, "must be a number"),
        ({"protected_remote": "maybe"}, "must be true or false"),
    ],
)
def test_a_switch_that_there_is_not_is_refused(tmp_path: Path, changes: dict[str, str], words: str) -> None:
    """By name and by value, and nothing is changed; at a start it is told before anything runs."""
    state = State(tmp_path)
    with pytest.raises(control.SandboxError, match=words):
        control.switch(state, changes)
    assert switches.read(tmp_path) == Switches()
    with pytest.raises(control.SandboxError, match="no sandbox yet"):
        control.switch(State(tmp_path / "absent"), {"throttled": 1})


def test_the_environment_sets_them_at_a_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """QUANT_SANDBOX_GIT_FOLDERS=cli; a wrong word stops the start in one sentence."""
    monkeypatch.setenv("QUANT_SANDBOX_GIT_FOLDERS", "both")
    with pytest.raises(control.SandboxError, match=r"not started.*must be cli or legacy"):
        control.start(State(tmp_path / "state"))
    monkeypatch.setenv("QUANT_SANDBOX_GIT_FOLDERS", "cli")
    with running(State(tmp_path / "state"), git_folders=None) as own:
        assert switches.read(own.state.folder).git_folders == "cli"
        told = own.http("GET", "/api/2.0/workspace/get-status", params={"path": own.folder().path}).json()
        assert told["directory_info"] == {"is_git_folder": True}
        monkeypatch.delenv("QUANT_SANDBOX_GIT_FOLDERS")
        control.reset(own.state)
        assert switches.read(own.state.folder) == Switches()


def push(url: str, clone: Path, login: str = "") -> bool:
    """Whether a push to a new branch is taken."""
    environ = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    target = url.replace("://", f"://{login}@") if login else url
    command = ["git", "push", "-q", target, f"HEAD:refs/heads/by-{login[:4] or 'nobody'}"]
    return subprocess.run(command, cwd=clone, env=environ, capture_output=True, check=False).returncode == 0


def test_the_remote_asks_who_one_is(own: Workspace, tmp_path: Path) -> None:
    """Protected, for a fetch too; a push without a credential is taken only while `anonymous_push` is on."""
    url, token = own.endpoints.remote_url, own.state.gitlab_tokens()["dana"]

    def fetched(name: str, login: str = "") -> bool:
        environ = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
        target = url.replace("://", f"://{login}@") if login else url
        return not subprocess.run(
            ["git", "clone", "-q", target, str(tmp_path / name)], env=environ, capture_output=True, check=False
        ).returncode

    control.switch(own.state, {"anonymous_push": False})
    assert fetched("open")
    assert not push(url, tmp_path / "open")
    assert push(url, tmp_path / "open", f"dana:{token}")
    control.switch(own.state, {"protected_remote": True})
    assert not fetched("closed") and not fetched("wrong", "dana:glpat-wrong")
    assert fetched("allowed", f"dana:{token}")


def test_a_protected_remote_needs_the_callers_own_git_credential(own: Workspace) -> None:
    """To clone and to pull; the words are the product's. The deployer has one from the beginning, an admin has not."""
    url, dana, deployer = own.endpoints.remote_url, own.client(DANA), own.client(DEPLOYER)
    control.switch(own.state, {"protected_remote": True})
    made = deployer.repos.create(url, "gitLab", path="/made")
    deployer.repos.update(made.id or 0, branch="quant_live")
    own.http("PUT", f"/api/2.0/permissions/repos/{made.id}", json={
        "access_control_list": [{"user_name": DANA, "permission_level": "CAN_MANAGE"}]}).raise_for_status()  # fmt: skip
    attempts: list[Callable[[], object]] = [
        lambda: dana.repos.create(url, "gitLab"),
        lambda: dana.repos.update(made.id or 0, branch="quant"),
        lambda: own.client().repos.update(made.id or 0, branch="quant"),
    ]
    for attempt in attempts:
        with pytest.raises(PermissionDenied, match=r"^Missing Git provider credentials\. Go to User settings > Git Integ"):
            attempt()
    credential = dana.git_credentials.create("gitLab", git_username="dana", personal_access_token="glpat-wrong")
    with pytest.raises(PermissionDenied, match=r"^Invalid Git provider credentials\. Go to User Settings > Git Integ"):
        dana.repos.update(made.id or 0, branch="quant")
    token = own.state.gitlab_tokens()["dana"]
    dana.git_credentials.update(credential.credential_id, "gitLab", personal_access_token=token)
    dana.repos.update(made.id or 0, branch="quant")
    assert dana.repos.create(url, "gitLab").id
    other = dana.git_credentials.create("gitHub", git_username="dana", personal_access_token="x")
    with pytest.raises(PermissionDenied, match="Invalid"):
        dana.repos.update(made.id or 0, branch="quant", git_credential_id=other.credential_id)
    kept = [file for file in own.state.folder.glob("sandbox.db*") if token.encode() in file.read_bytes()]
    assert not kept


def test_too_many_requests_are_told_when_to_come_again(own: Workspace) -> None:
    """So many as were asked for, and then above the documented rates; each with Retry-After, and never by default."""
    state = own.state
    answers = [own.http("GET", "/api/2.0/secrets/scopes/list") for _ in range(3)]
    control.switch(state, {"throttled": 2})
    answers += [own.http("GET", "/api/2.0/secrets/scopes/list") for _ in range(4)]
    control.switch(state, {"throttled": 1})
    answers += [own.http("GET", "/api/2.0/secrets/scopes/list") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429, 200, 200, 429, 200]
    assert (answers[3].headers["Retry-After"], answers[3].json()["error_code"]) == ("1", "REQUEST_LIMIT_EXCEEDED")
    assert {answer.status_code for answer in create(own, 40)} == {200}
    control.switch(state, {"rate_limits": True})
    made = [answer.status_code for answer in create(own, 200)]
    assert 429 in made and made.index(429) >= 20  # jobs/create: 20 a second
    assert own.http("GET", "/api/2.0/secrets/scopes/list").status_code == 200


def create(own: Workspace, number: int) -> list[requests.Response]:
    """Jobs as fast as one client can make them, up to the first refusal."""
    made = []
    with requests.Session() as session:
        for _ in range(number):
            headers = {"Authorization": f"Bearer {own.state.tokens()[DEPLOYER]}"}
            url = f"{own.endpoints.databricks_host}/api/2.2/jobs/create"
            made.append(session.post(url, json={"name": "n"}, headers=headers, timeout=30))
            if not made[-1].ok:
                break
    return made


def test_everything_in_the_state_folder_is_its_owners(tmp_path: Path) -> None:
    """Whatever the shell's mask, and wherever the folder lies: databases, clones, the remote, the log."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    before = os.umask(0o022)
    try:
        with running(State(folder)) as own:
            own.folder()
            control.switch(own.state, {"throttled": 0})
            open_to_others = [
                path for path in [folder, *folder.rglob("*")]
                if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & 0o077
            ]  # fmt: skip
    finally:
        os.umask(before)
    assert open_to_others == []
