"""A pipelines repository as teams have them: notebooks, a link, a submodule, converted line ends, a name that is not UTF-8.

Everything works with it, with Git folders of either kind, and a real edit in it is still found.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from databricks.sdk.service.workspace import ImportFormat

from tests.conftest import Team

pytestmark = pytest.mark.real
ENV = "quant"
CELLS = {"cells": [{"cell_type": "code", "source": ["print(1)\n"], "metadata": {}, "outputs": []}], "metadata": {}}
FILES = {
    "notebooks/report.py": b"# Databricks notebook source\nprint(1)\n",
    "notebooks/look.ipynb": json.dumps({**CELLS, "nbformat": 4, "nbformat_minor": 5}).encode(),
    ".gitattributes": b"*.crlf text eol=crlf\n",
    "lines.crlf": b"1\n2\n",
    ".gitmodules": b'[submodule "vendor/lib"]\n\tpath = vendor/lib\n\turl = ../lib.git\n',
}


def add_everything(clone: Path) -> None:
    """In the index of the clone, whatever the file system can hold."""

    def git(*arguments: str | bytes, given: bytes = b"") -> bytes:
        done = subprocess.run(["git", *arguments], cwd=clone, check=True, capture_output=True, input=given)
        return done.stdout.strip()

    for name, content in FILES.items():
        blob = git("hash-object", "-w", "--stdin", given=content).decode()
        git("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}")
    text = git("hash-object", "-w", "--stdin", given=b"x").decode().encode()
    git("update-index", "--add", "--cacheinfo", b"100644," + text + b",caf\xe9.txt")
    target = git("hash-object", "-w", "--stdin", given=b"src/risk_model.py").decode()
    git("update-index", "--add", "--cacheinfo", f"120000,{target},link.py")
    head = git("rev-parse", "HEAD").decode()
    git("update-index", "--add", "--cacheinfo", f"160000,{head},vendor/lib")


def quantctl(team: Team, *arguments: str, status: int = 0) -> str:
    """What a command says; it ends with this status and never with a traceback."""
    done = team.quantctl(*arguments)
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert done.returncode == status, said
    return said


def test_an_ordinary_repository_locks_nobody_out(team: Team, kind: str) -> None:
    """Deploy, look, find a real edit and nothing else, and go back."""
    team.git("fetch", "-q", "origin")
    team.git("checkout", "-q", "-B", "work", f"origin/{ENV}")
    add_everything(team.clone)
    team.git("commit", "-q", "-m", f"Notebooks and what else there is, {kind}")
    team.git("push", "-q", "origin", f"HEAD:refs/heads/{ENV}")
    team.git("reset", "-q", "--hard", f"origin/{ENV}~1")
    quantctl(team, "up", ENV, "--yes")
    quantctl(team, "preview", ENV)
    assert team.changes(ENV) == {}
    said = quantctl(team, "drift", ENV)
    assert "quant clean" in said
    for name in ("link.py", "caf\\xe9.txt"):
        assert name in said
    quantctl(team, "status")
    quantctl(team, "promote", "quant", "quant_stg", "--dry-run", status=3)

    admin, path = team.workspace("admin"), f"/{ENV}/notebooks/report"
    admin.workspace.upload(path, b"# Databricks notebook source\nprint(2)", format=ImportFormat.SOURCE, overwrite=True)
    found = json.loads(team.quantctl("drift", ENV, "--format", "json").stdout)
    [edited] = [one for one in found["environments"][0]["findings"] if one["property"] == "local edits"]
    assert edited["real"] == "notebooks/report.py"
    assert "notebooks/report.py" in quantctl(team, "up", ENV, "--yes", status=1)
    admin.workspace.upload(path, FILES["notebooks/report.py"], format=ImportFormat.SOURCE, overwrite=True)

    quantctl(team, "rollback", ENV, "--yes")
    assert "quant clean" in quantctl(team, "drift", ENV)
