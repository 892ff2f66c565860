"""Git folders: real clones of a real remote."""

from __future__ import annotations

import concurrent.futures
from pathlib import Path

import pytest
from databricks.sdk.errors import NotFound
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.workspace import SparseCheckout

from tests.workspace_sandbox import ADMIN, DANA, Workspace, git

pytest_plugins = ["tests.workspace_sandbox"]


def head(workspace: Workspace, branch: str) -> str:
    """The commit that a branch of the remote is at."""
    return git(workspace.state.remote, "rev-parse", branch)


def test_a_folder_is_at_the_default_branch_and_then_at_the_one_that_was_asked_for(workspace: Workspace) -> None:
    """head_commit_id is what is checked out; the path is answered without /Workspace."""
    admin, path = workspace.client(), f"/{workspace.name('folder')}"
    made = admin.repos.create(workspace.endpoints.remote_url, "gitLab", path=f"/Workspace{path}")
    assert (made.path, made.branch, made.head_commit_id) == (path, "quant", head(workspace, "quant"))
    admin.repos.update(made.id or 0, branch="quant_live")
    found = admin.repos.get(made.id or 0)
    assert (found.branch, found.head_commit_id) == ("quant_live", head(workspace, "quant_live"))
    window = b"WINDOW_DAYS = 60"  # of the first release
    assert window in admin.workspace.download(f"{path}/src/factor_returns.py").read()


def test_without_a_path_it_is_in_the_callers_repos(workspace: Workspace) -> None:
    """And a list without a prefix shows those there, of those that the caller manages."""
    dana = workspace.client(DANA)
    made = dana.repos.create(workspace.endpoints.remote_url, "gitLab")
    assert made.path == f"/Repos/{DANA}/remote"
    outside = workspace.folder()
    assert [repo.id for repo in dana.repos.list()] == [made.id]
    assert {repo.id for repo in workspace.client().repos.list(path_prefix=outside.path)} == {outside.id}
    assert list(dana.repos.list(path_prefix=outside.path)) == []
    dana.repos.delete(made.id or 0)
    with pytest.raises(NotFound, match="could not be found"):
        dana.repos.get(made.id or 0)


def test_a_pull_follows_the_branch(workspace: Workspace, tmp_path: Path) -> None:
    """A moved branch is pulled by naming it again; until then the folder keeps its commit."""
    branch = workspace.name("branch")
    first = workspace.commit(tmp_path / "clone", branch, {"a.txt": "1"})
    folder = workspace.folder(branch)
    second = workspace.commit(tmp_path / "clone", branch, {"a.txt": "2"}, onto=branch)
    admin = workspace.client()
    assert admin.repos.get(folder.id or 0).head_commit_id == first
    admin.repos.update(folder.id or 0, branch=branch)
    assert admin.repos.get(folder.id or 0).head_commit_id == second
    assert admin.workspace.download(f"{folder.path}/a.txt").read() == b"2"


def test_a_tag_is_checked_out_and_left_for_a_branch_again(workspace: Workspace) -> None:
    """At a tag there is no branch."""
    tag, admin, folder = workspace.name("v"), workspace.client(), workspace.folder()
    git(workspace.state.remote, "tag", tag, "quant_stg")
    admin.repos.update(folder.id or 0, tag=tag)
    found = admin.repos.get(folder.id or 0)
    assert (found.branch, found.head_commit_id) == ("", head(workspace, "quant_stg"))
    admin.repos.update(folder.id or 0, branch="quant")
    assert admin.repos.get(folder.id or 0).branch == "quant"


def test_what_the_product_refuses_is_refused_and_keeps_the_folder(workspace: Workspace, tmp_path: Path) -> None:
    """A missing branch or tag, uncommitted edits, rewritten history: each with its code, and nothing has moved."""
    branch = workspace.name("branch")
    workspace.commit(tmp_path / "clone", branch, {"a.txt": "1"})
    admin, folder = workspace.client(), workspace.folder(branch)

    def refused(body: dict[str, str]) -> tuple[int, str, str]:
        answer = workspace.http("PATCH", f"/api/2.0/repos/{folder.id}", json=body)
        assert admin.repos.get(folder.id or 0).head_commit_id == folder.head_commit_id
        return answer.status_code, answer.json()["error_code"], answer.json()["message"]

    assert refused({"branch": "no-such"})[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    assert refused({"branch": "--force"})[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    assert refused({"tag": "no-such"})[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    assert refused({})[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert refused({"branch": "quant", "tag": "v1"})[:2] == (400, "INVALID_PARAMETER_VALUE")
    admin.workspace.upload(f"{folder.path}/a.txt", b"edited", overwrite=True)
    admin.workspace.upload(f"{folder.path}/new.txt", b"new")
    status, code, words = refused({"branch": "quant"})
    assert (status, code) == (400, "GIT_CONFLICT") and "a.txt, new.txt" in words
    assert admin.workspace.download(f"{folder.path}/a.txt").read() == b"edited"
    admin.workspace.upload(f"{folder.path}/a.txt", b"1", overwrite=True)
    admin.workspace.delete(f"{folder.path}/new.txt")
    workspace.commit(tmp_path / "clone", branch, {"a.txt": "other"}, force=True)
    status, code, words = refused({"branch": branch})
    assert (status, code) == (400, "INVALID_STATE") and "rewritten" in words


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"url": "http://127.0.0.1:9/none.git"}, 400, "INVALID_PARAMETER_VALUE"),
        ({"url": "ext::sh -c true"}, 400, "INVALID_PARAMETER_VALUE"),
        ({"url": "--upload-pack=true"}, 400, "INVALID_PARAMETER_VALUE"),
        ({"provider": "svn"}, 400, "INVALID_PARAMETER_VALUE"),
        ({"provider": None}, 400, "INVALID_PARAMETER_VALUE"),
        ({"path": "no-slash"}, 400, "INVALID_PARAMETER_VALUE"),
        ({"path": "/no-such-parent/x"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ({"path": "/Users"}, 400, "RESOURCE_ALREADY_EXISTS"),
    ],
)
def test_a_clone_that_cannot_be_is_refused_and_leaves_nothing(
    workspace: Workspace, change: dict[str, str], status: int, code: str
) -> None:
    """Each with its code; no clone is left behind."""
    path = f"/{workspace.name('refused')}"
    body = {"url": workspace.endpoints.remote_url, "provider": "gitLab", "path": path, **change}
    before = set(workspace.state.folders.iterdir())
    answer = workspace.http("POST", "/api/2.0/repos", json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert set(workspace.state.folders.iterdir()) == before
    with pytest.raises(NotFound):
        workspace.client().workspace.get_status(path)


def test_two_clones_to_one_path_are_one(workspace: Workspace) -> None:
    """At the same time: one succeeds, the others are told that the path is taken."""
    body = {"url": workspace.endpoints.remote_url, "provider": "gitLab", "path": f"/{workspace.name('race')}"}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: workspace.http("POST", "/api/2.0/repos", json=body), range(4)))
    codes = sorted(str(answer.json().get("error_code")) for answer in answers)
    assert codes == ["None"] + ["RESOURCE_ALREADY_EXISTS"] * 3


def test_a_sparse_folder_holds_its_patterns_alone(workspace: Workspace) -> None:
    """And tells them, so that the provider sees no difference."""
    admin, path = workspace.client(), f"/{workspace.name('sparse')}"
    wanted = SparseCheckout(patterns=["workflows"])
    made = admin.repos.create(workspace.endpoints.remote_url, "gitLab", path=path, sparse_checkout=wanted)
    found = admin.repos.get(made.id or 0)
    assert found.sparse_checkout and found.sparse_checkout.patterns == ["workflows"]
    names = {(entry.path or "").rsplit("/", 1)[-1] for entry in admin.workspace.list(path)}
    assert "workflows" in names and "src" not in names
    admin.repos.update(made.id or 0, branch="quant_live")


def test_lists_come_in_pages_that_lose_and_repeat_nothing(workspace: Workspace) -> None:
    """Twenty a page, also when one is deleted between two pages."""
    top = workspace.name("many")
    admin = workspace.client()
    admin.workspace.mkdirs(f"/{top}")
    made = [workspace.folder(path=f"/{top}/{number:02}") for number in range(23)]
    listing = admin.repos.list(path_prefix=f"/{top}/")
    first = next(listing)
    admin.repos.delete(first.id or 0)
    assert [first.id, *(repo.id for repo in listing)] == [repo.id for repo in made]
    answer = workspace.http("GET", "/api/2.0/repos", params={"path_prefix": f"/{top}/"}).json()
    assert len(answer["repos"]) == 20 and answer["next_page_token"]


@pytest.mark.parametrize("number", ["abc", "-1", "1.5", "99999999999999999999999"])
def test_a_number_that_is_none_is_refused(workspace: Workspace, number: str) -> None:
    """400 for each method, never a failure of the sandbox."""
    for method in ("GET", "PATCH", "DELETE"):
        answer = workspace.http(method, f"/api/2.0/repos/{number}", json={"branch": "quant"})
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_files_of_git_are_nobodys(workspace: Workspace) -> None:
    """.git is neither listed, read nor written."""
    admin, folder = workspace.client(ADMIN), workspace.folder()
    assert not [entry for entry in admin.workspace.list(folder.path or "") if ".git" in (entry.path or "").split("/")]
    with pytest.raises(NotFound):
        admin.workspace.download(f"{folder.path}/.git/config")
    with pytest.raises(DatabricksError):
        admin.workspace.upload(f"{folder.path}/.git/hooks/post-checkout", b"#!/bin/sh\n", overwrite=True)
    with pytest.raises(DatabricksError, match="not valid"):
        admin.workspace.upload(f"{folder.path}/src/../../escape", b"x", overwrite=True)
