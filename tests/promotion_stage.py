"""A sandbox of its own on which changes are promoted, and projects with gates of their own: fixture `stage`.

PYTEST_DONT_REWRITE: test modules import it before they name it as a plugin.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Team, deployed, shell
from tests.paths import ROOT
from tests.situations import EDGES, OPEN
from tests.ways_out import carry_out

# One run and one day instead of three each: the rule is the same, and a soak runs every job.
SHORT = {"soakDays": 1, "successfulRuns": 1, "resultsDays": 0}


@dataclass
class Stage:
    """The team, and checkouts of this project with gates of their own."""

    team: Team
    folder: Path
    shells: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)

    def project(
        self, name: str, gates: dict[str, Any], freezes: Sequence[dict[str, Any]] = (), **more: dict[str, Any]
    ) -> Path:
        """A checkout with these gates, and other settings, in Pulumi.yaml."""
        checkout = self.folder / name
        if not checkout.exists():
            listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
            for path in listed.split():
                if (ROOT / path).is_file() and not path.startswith(("tests/", "docs/")):
                    (checkout / path).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(ROOT / path, checkout / path)
            (checkout / ".venv").symlink_to(ROOT / ".venv")
        shared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
        shared["config"] |= {"gates": {"value": gates}, "freezes": {"value": list(freezes)}}
        shared["config"] |= {key: {"value": value} for key, value in more.items()}
        (checkout / "Pulumi.yaml").write_text(yaml.safe_dump(shared))
        return checkout

    def environ(self, project: Path, *options: str) -> dict[str, str]:
        """A shell of a persona, in a checkout."""
        if options not in self.shells:
            self.shells[options] = shell(self.team.environ, *options)
        return {**self.shells[options], "PYTHONPATH": str(project)}

    def run(self, project: Path, persona: str, *words: str, gitlab: bool = False) -> subprocess.CompletedProcess[str]:
        """quantctl of a checkout, as a persona."""
        options = ("--as", persona, *(["--gitlab"] if gitlab else []))
        command = [sys.executable, "-m", "quantctl.main", *words]
        return subprocess.run(
            command,
            cwd=project,
            env=self.environ(project, *options),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def must(self, project: Path, persona: str, *words: str, gitlab: bool = False) -> str:
        """The same, which must succeed."""
        done = self.run(project, persona, *words, gitlab=gitlab)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def as_told(self, printed: str, project: Path, persona: str, *options: str, status: int = 0, **values: str) -> str:
        """A command exactly as a gate printed it, which must succeed, or end with `status`; what it prints."""
        done = carry_out(printed, self.environ(project, "--as", persona, *options), project, **values)
        assert done.returncode == status, f"{printed}: {done.stdout}{done.stderr}"
        return done.stdout

    def stopped(self, project: Path, persona: str, *words: str, gitlab: bool = False) -> dict[str, str]:
        """A promotion that gates stop: gate -> evidence."""
        done = self.run(project, persona, "promote", *words, "--yes", "--format", "json", gitlab=gitlab)
        assert done.returncode == 3, done.stdout + done.stderr
        return {g["name"]: g["evidence"] for g in json.loads(done.stdout)["gates"] if g["verdict"] != "yes"}

    def head(self, branch: str) -> str:
        return self.team.git("ls-remote", "origin", f"refs/heads/{branch}").split()[0]

    def at(self, env: str) -> str | None:
        """Where the workspace says that an environment's folder is."""
        folder = self.team.git_folder(f"/{env}")
        return folder.head_commit_id

    def change(self, message: str) -> str:
        """Dana changes code on `quant`, which is deployed there."""
        content = f'"""{message}"""\nimport sys, time\ntime.sleep(float(sys.argv[1]))\n'
        commit = self.team.commit("quant", "src/slow.py", content, message)
        self.team.up("quant")
        return commit


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Four environments at one commit, with a workflow that takes as long as it is told."""
    folder = tmp_path_factory.mktemp("stage")
    with deployed(folder) as team:
        made = Stage(team, folder)
        made.project("short", dict.fromkeys(EDGES, SHORT))
        made.project("open", dict.fromkeys(EDGES, OPEN))
        yield made


def kill_at(project: Path, environ: dict[str, str], words: list[str], point: str) -> None:
    """Run, and kill -9 with everything that it has started once it says `point`."""
    command = [sys.executable, "-u", "-m", "quantctl.main", *words]
    with subprocess.Popen(
        command,
        cwd=project,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if point in line:
                os.killpg(process.pid, signal.SIGKILL)
                break
        else:
            pytest.fail(f"{point!r} was never said:\n{''.join(said)}")
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
