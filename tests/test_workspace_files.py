"""Files and directories of a Git folder."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from databricks.sdk.errors import BadRequest, NotFound, ResourceAlreadyExists
from databricks.sdk.service.workspace import ExportFormat, ObjectType

from tests.workspace_sandbox import Workspace, git

pytest_plugins = ["tests.workspace_sandbox"]


def test_a_tree_is_listed_as_it_is_in_the_commit(workspace: Workspace) -> None:
    """Directories, files with their size, notebooks without their extension; ids differ and stay."""
    admin, folder = workspace.client(), workspace.folder()
    listed = {entry.path: entry for entry in admin.workspace.list(folder.path or "", recursive=True)}
    tracked = git(workspace.state.remote, "ls-tree", "-r", "--name-only", "quant").splitlines()
    assert set(listed) == {f"{folder.path}/{name}" for name in tracked}
    readme = listed[f"{folder.path}/README.md"]
    assert (readme.object_type, readme.size) == (ObjectType.FILE, len(admin.workspace.download(readme.path or "").read()))
    assert len({entry.object_id for entry in listed.values()}) == len(listed)
    assert admin.workspace.get_status(readme.path or "").object_id == readme.object_id
    root = admin.workspace.get_status(folder.path or "")
    assert (root.object_type, root.object_id) == (ObjectType.REPO, folder.id)


def test_a_notebook_is_known_by_its_first_line(workspace: Workspace) -> None:
    """It is found with and without .py, and its status has the language."""
    admin, folder = workspace.client(), workspace.folder()
    admin.workspace.upload(f"{folder.path}/n.py", b"# Databricks notebook source\nprint(1)\n")
    for path in (f"{folder.path}/n", f"{folder.path}/n.py"):
        found = admin.workspace.get_status(path)
        assert (found.object_type, found.path) == (ObjectType.NOTEBOOK, f"{folder.path}/n")


def test_a_file_is_written_replaced_and_deleted(workspace: Workspace) -> None:
    """Only with overwrite where there is one already; its parent must be there."""
    admin, folder = workspace.client(), workspace.folder()
    path = f"{folder.path}/notes/a.txt"
    with pytest.raises(NotFound, match="parent folder"):
        admin.workspace.upload(path, b"1")
    admin.workspace.mkdirs(f"{folder.path}/notes")
    admin.workspace.upload(path, b"\x00\xff")
    with pytest.raises(ResourceAlreadyExists):
        admin.workspace.upload(path, b"2")
    admin.workspace.upload(path, b"2", overwrite=True)
    assert admin.workspace.download(path).read() == b"2"
    with pytest.raises(ResourceAlreadyExists):
        admin.workspace.upload(f"{folder.path}/notes", b"2", overwrite=True)
    with pytest.raises(ResourceAlreadyExists, match="not a directory"):
        admin.workspace.mkdirs(f"{path}/below")
    with pytest.raises(BadRequest, match="not empty"):
        admin.workspace.delete(f"{folder.path}/notes")
    admin.workspace.delete(path)
    with pytest.raises(NotFound):
        admin.workspace.download(path)


def test_a_directory_is_exported_as_a_zip_of_what_it_holds(workspace: Workspace) -> None:
    """With uncommitted edits, without .git; a directory of more than ten megabytes is refused."""
    admin, folder = workspace.client(), workspace.folder()
    admin.workspace.upload(f"{folder.path}/added.txt", b"added")
    content = admin.workspace.download(folder.path or "", format=ExportFormat.AUTO).read()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = set(archive.namelist())
        assert archive.read("added.txt") == b"added"
    assert names == {*git(workspace.state.remote, "ls-tree", "-r", "--name-only", "quant").splitlines(), "added.txt"}
    admin.workspace.upload(f"{folder.path}/big.bin", bytes(11 * 1024 * 1024))
    answer = workspace.http("GET", "/api/2.0/workspace/export", params={"path": f"{folder.path}/big.bin"})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "MAX_NOTEBOOK_SIZE_EXCEEDED")


def test_a_link_leads_nowhere_outside(workspace: Workspace, tmp_path: Path) -> None:
    """Links of a repository to files of this machine, and links in a circle, are not followed."""
    branch, clone = workspace.name("links"), tmp_path / "clone"
    workspace.commit(clone, branch, {"a.txt": "1"})
    (clone / "passwords").symlink_to("/etc/passwd")
    (clone / "circle").symlink_to("circle")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "-m", "Links")
    git(clone, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
    admin, folder = workspace.client(), workspace.folder(branch)
    names = {(entry.path or "").rsplit("/", 1)[-1] for entry in admin.workspace.list(folder.path or "")}
    assert "a.txt" in names and not {"passwords", "circle"} & names
    for name in ("passwords", "circle", "circle/below", "passwords/below"):
        with pytest.raises(NotFound):
            admin.workspace.download(f"{folder.path}/{name}")
    with zipfile.ZipFile(
        io.BytesIO(admin.workspace.download(folder.path or "", format=ExportFormat.AUTO).read())
    ) as archive:
        assert "passwords" not in archive.namelist()
