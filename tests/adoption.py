"""An adoption as a team does it: commands, a file of decisions, a commit, and SQL that an administrator runs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from quantctl.engine import orphans
from tests import warm
from tests.estate import ENVS, Estate

Answer = Callable[[str, str, list[str]], str]  # group, id, what may be said -> what is said


def mostly_change(group: str, identity: str, may: list[str]) -> str:
    """What is declared comes, and what nobody declares is left alone."""
    return "leave" if group == "leftovers" else "change"


class Adoption:
    """The steps, each of which must end as it should."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate

    def run(self, env: str, *words: str, status: int = 0, as_admin: bool = False) -> str:
        """One step; what it printed."""
        done = self.estate.quantctl("adopt", env, *words, as_admin=as_admin)
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def killed(self, env: str, *words: str, when: Callable[[warm.Command], bool], engine: bool, as_admin: bool) -> bool:
        """Kill -9 a step when something is so, its engine too if `engine`; whether it still ran."""
        step = warm.Command(("adopt", env, *words), self.estate.shell(as_admin=as_admin))
        until = time.monotonic() + 120
        while step.runs and not when(step) and time.monotonic() < until:
            time.sleep(0.02)
        ran = step.runs
        below = [one.pid for one in orphans.processes().values() if one.parent == step.pid and one.name == "pulumi"]
        for pid in [step.pid, *(below if engine else [])]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        step.wait()
        return ran

    def resources(self, env: str) -> list[object]:
        """What the stack's state holds."""
        exported = json.loads(self.pulumi("stack", "export", "-s", env).stdout)
        return list(exported["deployment"].get("resources") or [])

    def next(self, env: str) -> str:
        """The step that `quantctl adopt ENV` names as the next one."""
        return self.run(env).rpartition("Next: ")[2].split()[-1]

    def decisions(self, env: str) -> dict[str, list[dict[str, object]]]:
        """The file as a person reads it."""
        found: dict[str, list[dict[str, object]]] = yaml.safe_load(self._file(env).read_text())
        return found

    def answer(self, env: str, answers: Answer = mostly_change) -> int:
        """Fill in what is undecided, line by line as a person would; how many there were."""
        lines, number, group, identity, may = [], 0, "", "", [""]
        for line in self._file(env).read_text().splitlines():
            key, _, value = line.strip("- ").partition(": ")
            if line[:1].isalpha():
                group = line.rstrip(":")
            elif key == "id":
                identity = str(yaml.safe_load(value))
            elif key == "may":
                may = list(yaml.safe_load(value))
            elif line.strip() == "decision:":
                line, number = f"  decision: {answers(group, identity, may)}", number + 1
            lines.append(line)
        self._file(env).write_text("\n".join(lines) + "\n")
        return number

    def decide(self, env: str, answers: Answer = mostly_change) -> int:
        """Look, generate, decide: until nothing is undecided; how many questions that took."""
        self.run(env, "look", as_admin=True)
        self.run(env, "generate", as_admin=True)
        self.run(env, "decide", as_admin=True, status=3)
        asked = self.answer(env, answers)
        self.run(env, "decide", as_admin=True)
        return asked

    def prepare(self, env: str) -> None:
        """The administrator runs what was printed."""
        self.run(env, "prepare", status=3)
        text = (self.estate.project / "adoption" / env / "prepare.sql").read_text()
        self.estate.sql(*(line.rstrip(";") for line in text.splitlines() if not line.startswith("--")))
        assert "All of it is done" in self.run(env, "prepare")

    def commit(self) -> None:
        """The workflow files go to quant_live, and from there into the others, so that promotions move forward."""
        team, before = self.estate.team, ""
        team.git("fetch", "-q", "origin")
        for branch in reversed(ENVS):
            team.git("checkout", "-q", "-B", branch, f"origin/{branch}")
            if before:
                team.git("merge", "-q", "-m", "Workflow files", before)
            else:
                shutil.rmtree(team.clone / "workflows", ignore_errors=True)
                shutil.copytree(self.estate.project / "adoption" / "workflows", team.clone / "workflows")
                team.git("add", "-A")
                team.git("commit", "-q", "-m", "Workflow files of the jobs that run")
            before = branch
        team.git("push", "-q", "origin", *ENVS)

    def take_settings(self, env: str) -> None:
        """The reviewed stack file takes the place of the old one."""
        name = f"Pulumi.{env}.yaml"
        shutil.copy(self.estate.project / "adoption" / env / name, self.estate.project / name)

    def pulumi(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Plain pulumi in the team's project."""
        command = ["pulumi", *words, "--non-interactive", "--color", "never"]
        where, environ = self.estate.project, self.estate.team.environ
        return subprocess.run(command, cwd=where, env=environ, capture_output=True, text=True, timeout=180, check=False)

    def _file(self, env: str) -> Path:
        return self.estate.project / "adoption" / env / "decisions.yaml"
