"""Local edits of a Git folder: told only when sure. Compared with what a real Git stores."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.outside.git import contents, tree
from infra.outside.local_edits import Edits, _cleaned, compare

NOTEBOOK = b"# Databricks notebook source\nprint(1)\n"
IPYNB = json.dumps({"cells": [{"cell_type": "code", "source": ["a = 1\n", "b"], "outputs": []}], "metadata": {}}).encode()


class Repository:
    """A repository with one commit, read as the program reads its cache."""

    def __init__(self, folder: Path, files: Mapping[str, bytes]) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q")
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.git("add", "-A")

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=Dana", "-c", "user.email=dana@quant.example"]
        done = subprocess.run(["git", *identity, *arguments], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def edits(self, exported: Mapping[str, bytes]) -> Edits:
        """What is told of an export, against the commit."""
        self.git("commit", "-q", "--allow-empty", "-m", "x")
        bare = self.folder / ".git"
        entries = tree(bare, "HEAD")
        return compare(
            exported, entries, lambda wanted: contents(bare, wanted), lambda files: _cleaned(bare, entries, files)
        )


@pytest.fixture
def plain(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "r", {"a.py": b"a\n", "nb.py": NOTEBOOK, "report.ipynb": IPYNB, "b/c.txt": b"c"})


WRITTEN_ANEW = {"metadata": {"x": 1}, "cells": [{"source": "a = 1\nb", "cell_type": "code"}]}
SAME = {"a.py": b"a\n", "nb.py": NOTEBOOK, "report.ipynb": IPYNB, "b/c.txt": b"c"}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"nb.py": NOTEBOOK[:-1]},
        {
            "report.ipynb": json.dumps(
                {"metadata": {"x": 1}, "cells": [{"source": "a = 1\nb", "cell_type": "code"}]}
            ).encode()
        },
        {".git/config": b"x", ".git": b"gitdir: x"},
        {"b/__pycache__/c.pyc": b"x", ".ipynb_checkpoints/report.ipynb": b"x"},
    ],
    ids=["as committed", "a notebook's last newline", "a notebook written anew", "git's own", "by-products of runs"],
)
def test_what_the_workspace_does_on_the_way_is_no_edit(plain: Repository, changed: dict[str, bytes]) -> None:
    """Nothing is told, and nothing is unknown."""
    assert plain.edits({**SAME, **changed}) == Edits((), {})


@pytest.mark.parametrize(
    ("changed", "gone", "edited"),
    [
        ({"a.py": b"b\n"}, "", "a.py"),
        ({"a.py": b"a"}, "", "a.py"),
        ({"nb.py": NOTEBOOK[:-1] + b" # mine"}, "", "nb.py"),
        ({"report.ipynb": IPYNB.replace(b"a = 1", b"a = 2")}, "", "report.ipynb"),
        ({"report.ipynb": b"{"}, "", "report.ipynb"),
        ({"new.py": b"x"}, "", "new.py"),
        ({}, "b/c.txt", "b/c.txt"),
    ],
    ids=["edited", "a file's last newline", "a notebook", "a cell", "a broken notebook", "added", "deleted"],
)
def test_an_edit_is_an_edit(plain: Repository, changed: dict[str, bytes], gone: str, edited: str) -> None:
    """Also in a notebook, and in a file that only loses its last newline."""
    exported = {name: content for name, content in {**SAME, **changed}.items() if name != gone}
    assert plain.edits(exported) == Edits((edited,), {})


def test_a_link_and_a_submodule_are_not_compared(tmp_path: Path) -> None:
    """Their names and reasons are told; an edit beside them is still found."""
    inner = Repository(tmp_path / "inner", {"x": b"x"})
    inner.git("commit", "-q", "-m", "x")
    made = Repository(tmp_path / "r", {"a.py": b"a\n"})
    (made.folder / "link").symlink_to("a.py")
    made.git("add", "link")
    made.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.folder), "vendor/lib")
    modules = (made.folder / ".gitmodules").read_bytes()
    exported = {"a.py": b"mine\n", "link": b"a\n", "vendor/lib/x": b"x", ".gitmodules": modules}
    found = made.edits(exported)
    assert found.edited == ("a.py",)
    assert found.unknown == {"link": "a symbolic link", "vendor/lib/x": "in a submodule"}
    without = made.edits({"a.py": b"a\n", ".gitmodules": modules})
    assert without == Edits((), {"link": "a symbolic link"})


def test_a_name_that_is_not_utf8_is_not_compared(tmp_path: Path) -> None:
    """Whatever the archive calls it, nothing crashes and nobody is locked out."""
    made = Repository(tmp_path / "r", {"a.py": b"a\n", "caf\udce9.txt": b"x"})
    found = made.edits({"a.py": b"a\n", "caf\u00e9.txt": b"x"})
    assert found.edited == ()
    assert set(found.unknown or {}) == {"caf\\xe9.txt", "caf\u00e9.txt"}


@pytest.mark.parametrize(
    ("attributes", "name", "committed", "exported", "mine"),
    [
        (b"*.txt text eol=crlf\n", "a.txt", b"1\n2\n", b"1\r\n2\r\n", b"1\r\n3\r\n"),
        (b"*.txt text eol=crlf\n", "a.txt", b"1\n2\n", b"1\n2\n", b"1\n3\n"),
        (b"*.py ident\n", "a.py", b"# $Id$\n", b"# $Id: 0123 $\n", b"# $Id: 0123 $ mine\n"),
        (
            b"*.txt text working-tree-encoding=UTF-16LE\n",
            "a.txt",
            "ä\n".encode("utf-16le"),
            "ä\n".encode("utf-16le"),
            "ö\n".encode("utf-16le"),
        ),
    ],
    ids=["crlf", "crlf kept as lf", "ident", "encoding"],
)
def test_attributes_of_the_commit_are_followed(
    tmp_path: Path, attributes: bytes, name: str, committed: bytes, exported: bytes, mine: bytes
) -> None:
    """What Git would store is compared, with the commit's own .gitattributes."""
    made = Repository(tmp_path / "r", {".gitattributes": attributes, name: committed})
    assert made.edits({".gitattributes": attributes, name: exported}) == Edits((), {})
    assert made.edits({".gitattributes": attributes, name: mine}).edited == (name,)


def test_a_filter_is_never_run(tmp_path: Path) -> None:
    """A program of somebody's machine: what it converts is not compared."""
    made = Repository(tmp_path / "r", {".gitattributes": b"*.bin filter=lfs\n", "a.bin": b"pointer"})
    found = made.edits({".gitattributes": b"*.bin filter=lfs\n", "a.bin": b"the real thing"})
    assert found == Edits((), {"a.bin": "Git converts it by a filter of .gitattributes"})


def test_a_notebook_in_another_format_is_not_compared(tmp_path: Path) -> None:
    """An .ipynb that comes back as source."""
    made = Repository(tmp_path / "r", {"report.ipynb": IPYNB})
    found = made.edits({"report.py": b"# Databricks notebook source\na = 1\nb"})
    assert found.edited == ()
    assert list(found.unknown or {}) == ["report.ipynb"]
