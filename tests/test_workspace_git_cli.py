"""Git folders with Git CLI access, and without: both kinds as the product tells them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from databricks.sdk.errors import BadRequest, InvalidParameterValue, NotFound
from databricks.sdk.service.workspace import ExportFormat, Language, ObjectType

from sandbox import control, switches
from tests.workspace_sandbox import ADMIN, DANA, Workspace, git

pytest_plugins = ["tests.workspace_sandbox"]


@pytest.fixture
def cli(workspace: Workspace) -> Iterator[Workspace]:
    """The same sandbox, whose new Git folders have Git CLI access."""
    control.switch(workspace.state, {"git_folders": "cli"}, existing=False)
    yield workspace
    control.switch(workspace.state, {"git_folders": "legacy"}, existing=False)


def test_a_folder_with_git_cli_access_is_a_directory_that_says_so(cli: Workspace) -> None:
    """Its number is the repo's, by which it is read, changed and deleted; the deprecated list leaves it out."""
    admin, folder = cli.client(), cli.folder()
    path, number = folder.path or "", folder.id or 0
    found = admin.workspace.get_status(path)
    assert (found.object_type, found.object_id) == (ObjectType.DIRECTORY, number)
    assert found.directory_info and found.directory_info.is_git_folder
    [listed] = [entry for entry in admin.workspace.list("/") if entry.path == path]
    assert listed.as_dict() == found.as_dict()
    [inside] = [entry for entry in admin.workspace.list(path) if entry.path == f"{path}/src"]
    assert inside.directory_info and inside.directory_info.is_git_folder is False
    assert list(admin.repos.list(path_prefix=path)) == []
    admin.repos.update(number, branch="quant_live")
    assert admin.repos.get(number).branch == "quant_live"
    assert cli.http("GET", f"/api/2.0/permissions/repos/{number}").status_code == 200
    admin.repos.delete(number)
    with pytest.raises(NotFound):
        admin.workspace.get_status(path)


def test_one_without_is_a_repo(workspace: Workspace) -> None:
    """It does not say whether it is a Git folder, and is listed."""
    control.switch(workspace.state, {"git_folders": "legacy"}, existing=False)
    folder = workspace.folder()
    told = workspace.http("GET", "/api/2.0/workspace/get-status", params={"path": folder.path}).json()
    assert (told["object_type"], "directory_info" in told) == ("REPO", False)
    assert [repo.id for repo in workspace.client().repos.list(path_prefix=folder.path)] == [folder.id]


def test_the_switch_turns_what_is_there_and_never_what_is_in_repos(own: Workspace) -> None:
    """While the sandbox runs, there and back; `existing=False` is for new ones only."""
    top, deep = own.folder(), own.client(DANA).repos.create(own.endpoints.remote_url, "gitLab")

    def kinds() -> list[str]:
        found = [own.client().workspace.get_status(path or "").object_type for path in (top.path, deep.path)]
        return [str(kind.value) for kind in found if kind]

    control.switch(own.state, {"git_folders": "cli"}, existing=False)
    assert kinds() == ["REPO", "REPO"]
    control.switch(own.state, {"git_folders": "cli"})
    assert kinds() == ["DIRECTORY", "REPO"]
    control.stop(own.state)
    own.endpoints = control.start(own.state)  # the switch is kept
    assert switches.read(own.state.folder).git_folders == "cli"
    assert kinds() == ["DIRECTORY", "REPO"]
    control.switch(own.state, {"git_folders": "legacy"})
    assert kinds() == ["REPO", "REPO"]


def test_a_path_in_repos_has_three_parts(workspace: Workspace) -> None:
    """Anything else is refused."""
    for path in ("/Repos/x", f"/Repos/{ADMIN}/a/b"):
        body = {"url": workspace.endpoints.remote_url, "provider": "gitLab", "path": path}
        answer = workspace.http("POST", "/api/2.0/repos", json=body)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_discarding_all_gives_up_edits_of_every_kind(workspace: Workspace) -> None:
    """Changed, new and deleted files are as the branch has them; only with the flag."""
    admin, folder = workspace.client(), workspace.folder()
    admin.workspace.upload(f"{folder.path}/README.md", b"edited", overwrite=True)
    admin.workspace.upload(f"{folder.path}/new.txt", b"new")
    with pytest.raises(BadRequest, match="uncommitted"):
        admin.repos.update(folder.id or 0, branch="quant")
    admin.repos.update(folder.id or 0, branch="quant", dangerously_force_discard_all=True)
    assert admin.workspace.download(f"{folder.path}/README.md").read() != b"edited"
    with pytest.raises(NotFound):
        admin.workspace.get_status(f"{folder.path}/new.txt")


MARKS = {
    "a.py": ("# Databricks notebook source", Language.PYTHON),
    "b.sql": ("-- Databricks notebook source", Language.SQL),
    "c.r": ("# Databricks notebook source", Language.R),
    "d.scala": ("// Databricks notebook source", Language.SCALA),
}
JUPYTER = {
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Title"]},
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": ["a = 1\n", "a"]},
    ],
    "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5,
}  # fmt: skip
PLAIN = {"e.py": "# databricks notebook source\n", "f.txt": "# Databricks notebook source\n", "g.ipynb": "no json\n"}


def test_a_notebook_has_a_language_and_no_extension_and_loses_its_last_newline(workspace: Workspace, tmp_path: Path) -> None:
    """In each language, alone and in a folder's export; what only looks like one is a file, byte by byte."""
    branch = workspace.name("notebooks")
    files = {name: f"{mark}\nx\n\n" for name, (mark, _) in MARKS.items()}
    workspace.commit(tmp_path / "clone", branch, {**files, **PLAIN})
    admin, folder = workspace.client(), workspace.folder(branch)
    for name, (mark, language) in MARKS.items():
        stem = f"{folder.path}/{name[0]}"
        found = admin.workspace.get_status(stem)
        assert (found.object_type, found.path, found.language) == (ObjectType.NOTEBOOK, stem, language)
        assert admin.workspace.get_status(f"{folder.path}/{name}").object_id == found.object_id
        for wanted in (ExportFormat.SOURCE, ExportFormat.AUTO):
            assert admin.workspace.download(stem, format=wanted).read().decode() == f"{mark}\nx\n"
    for name, content in PLAIN.items():
        assert admin.workspace.get_status(f"{folder.path}/{name}").object_type is ObjectType.FILE
        assert admin.workspace.download(f"{folder.path}/{name}").read().decode() == content
    archive = unzipped(admin.workspace.download(folder.path or "", format=ExportFormat.AUTO).read())
    assert {name: archive[name].decode() for name in files} == {name: text[:-1] for name, text in files.items()}
    assert {name: archive[name].decode() for name in PLAIN} == PLAIN


def test_a_jupyter_notebook_is_written_anew(workspace: Workspace, tmp_path: Path) -> None:
    """The same cells in other bytes; in format SOURCE it is a program."""
    branch, sent = workspace.name("jupyter"), json.dumps(JUPYTER)
    workspace.commit(tmp_path / "clone", branch, {"n.ipynb": sent})
    admin, folder = workspace.client(), workspace.folder(branch)
    found = admin.workspace.get_status(f"{folder.path}/n")
    assert (found.object_type, found.language) == (ObjectType.NOTEBOOK, Language.PYTHON)
    written = unzipped(admin.workspace.download(folder.path or "", format=ExportFormat.AUTO).read())["n.ipynb"]
    assert written.decode() != sent and json.loads(written)["cells"] == JUPYTER["cells"]
    source = admin.workspace.download(f"{folder.path}/n", format=ExportFormat.SOURCE).read().decode()
    assert source.startswith("# Databricks notebook source\n# MAGIC %md\n# MAGIC # Title\n\n# COMMAND ---")
    assert source.endswith("a = 1\na")


def test_dot_git_is_in_an_export_where_the_switch_says_so(cli: Workspace) -> None:
    """Of the whole folder, with Git CLI access; never of one without, and never by default."""
    admin, folder = cli.client(), cli.folder()

    def shown(path: str | None) -> bool:
        return ".git/HEAD" in unzipped(admin.workspace.download(path or "", format=ExportFormat.AUTO).read())

    assert not shown(folder.path)
    control.switch(cli.state, {"export_dot_git": True})
    try:
        assert shown(folder.path)
        control.switch(cli.state, {"git_folders": "legacy"}, existing=False)
        assert not shown(cli.folder().path)
    finally:
        control.switch(cli.state, {"export_dot_git": False})


def test_a_file_name_that_is_no_utf8_is_told_somehow(workspace: Workspace, tmp_path: Path) -> None:
    """A list and an export hold the others, and no answer fails."""
    branch, clone = workspace.name("latin"), tmp_path / "clone"
    workspace.commit(clone, branch, {"a.txt": "1"})
    (Path(clone) / b"caf\xe9.txt".decode(errors="surrogateescape")).write_text("1")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "-m", "Latin 1")
    git(clone, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
    admin, folder = workspace.client(), workspace.folder(branch)
    assert f"{folder.path}/caf\ufffd.txt" in [entry.path for entry in admin.workspace.list(folder.path or "")]
    archive = unzipped(admin.workspace.download(folder.path or "", format=ExportFormat.AUTO).read())
    assert {"a.txt", "caf\ufffd.txt"} <= set(archive)


def test_other_formats_name_the_sandbox(workspace: Workspace) -> None:
    """A format that is not emulated says so."""
    with pytest.raises(InvalidParameterValue, match="this sandbox does not emulate it"):
        workspace.client().workspace.download(workspace.folder().path or "", format=ExportFormat.DBC)


def unzipped(content: bytes) -> dict[str, bytes]:
    """Name -> bytes."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
