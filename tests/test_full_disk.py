"""A disk that fills up in the middle of an update: what is told then, and what helps; with the real engine."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import situations
from tests.conftest import Team
from tests.paths import ROOT
from tests.ways_out import carry_out, commands
from tests.workspace_proxy import proxy

pytestmark = pytest.mark.real
_SIZE = 32_000_000  # bytes; an update is begun where a quarter of it is free
_STACKS = Path(".pulumi") / "stacks" / "quant"


@pytest.fixture
def as_before(team: Team) -> Iterator[None]:
    """What the update has changed is taken back."""
    with situations.put_back(team):
        yield


@pytest.fixture
def small_disk(team: Team, tmp_path: Path, as_before: None) -> Iterator[Path]:
    """A disk of its own with the team's states, which are brought back afterwards."""
    disk = tmp_path / "disk"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        pytest.skip("only root mounts a small disk, and not everywhere")
    states = Path(team.environ["PULUMI_BACKEND_URL"].removeprefix("file://"))
    try:
        shutil.copytree(states / ".pulumi", disk / ".pulumi", ignore=shutil.ignore_patterns("history", "backups"))
        yield disk
        for file in (disk / _STACKS).glob(f"{situations.ENV}.json*"):
            shutil.copy(file, states / _STACKS / file.name)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """A file that takes what is left of it."""
    file = disk / "full"
    with file.open("wb", buffering=0) as opened, contextlib.suppress(OSError):
        while True:
            opened.write(b"\0" * 65536)
    return file


def test_what_a_full_disk_has_cut_off_is_made_whole(team: Team, small_disk: Path) -> None:
    """The folder is being moved then. The cause is told, and the commands that are told help once there is room."""
    full: list[Path] = []
    once = threading.Event()

    def before(method: str, path: str) -> None:
        if method == "PATCH" and "/api/2.0/repos/" in path and not once.is_set():
            once.set()
            full.append(fill(small_disk))

    own = Team({**team.environ, "PULUMI_BACKEND_URL": small_disk.as_uri()}, team.clone, team.credentials)
    command = [str(ROOT / ".venv" / "bin" / "quantctl"), *situations.prepare(own, "update", 200)]
    with proxy(own.environ["DATABRICKS_HOST"], before) as host:
        environ = {**own.environ, "DATABRICKS_HOST": host}
        failed = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=False)
    said = failed.stdout + failed.stderr
    assert full, said
    full[0].unlink()
    assert failed.returncode == 1 and "no space left on device" in said, said
    assert "Traceback" not in said and "fault of its own" not in said
    for line in commands(failed.stderr):
        if line.startswith("quantctl repair"):
            carry_out(" ".join(line.split()[:3]), own.environ)
    done = own.quantctl("up", situations.ENV, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert situations.wrong(own, said, done.stdout, done.stderr) == []
