"""Situations in which something may go wrong, how each is brought about, and what is not whole after it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import yaml
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.jobs import JobSettings

from infra.naming import SECRET_KEY
from tests.conftest import Team
from tests.paths import ROOT

ENV = "quant_stg"
_WORKFLOW = "workflows/signal_report.yml"
_REMOVED = "workflows/positions_snapshot.yml"
TAKEN_BACK = "update that is taken back"
EDGES = ("quant -> quant_stg", "quant_stg -> quant_lr", "quant_lr -> quant_live")
OPEN = {
    "soakDays": 0,
    "successfulRuns": 0,
    "failedRuns": 99,
    "approvals": 0,
    "signOff": False,
    "releaseManager": False,
    "resultsDays": 0,
}


@contextlib.contextmanager
def put_back(team: Team) -> Iterator[None]:
    """The workflow that an update changes is as before afterwards, and deployed: other tests share the team."""
    team.git("fetch", "-q", "origin")
    before = team.git("show", f"origin/{ENV}:{_WORKFLOW}")
    yield
    team.commit(ENV, _WORKFLOW, f"{before}\n", "As before")
    team.up(ENV)


def wrong(team: Team, *outputs: str) -> list[str]:
    """What is not whole in the environment, and what was told wrongly: tracebacks, jobs that are there twice, drift."""
    found = ["a traceback"] if any(word in text for text in outputs for word in ("Traceback (most", "goroutine ")) else []
    names = [job.settings.name for job in team.workspace("deployer").jobs.list() if job.settings]
    found += [
        f"{name} is there {names.count(name)} times" for name in sorted({str(n) for n in names}) if names.count(name) > 1
    ]
    found += _with_a_key(team)
    seen = team.quantctl("drift", ENV, "--thorough")
    return found if seen.returncode == 0 else [*found, f"drift exits {seen.returncode}: {seen.stdout[-600:]}"]


def _with_a_key(team: Team) -> list[str]:
    """Give the jobs a key where a scope was made anew: it is in no state, so an update does not put it back."""
    try:
        held = [secret.key for secret in team.workspace("deployer").secrets.list_secrets(ENV)]
    except DatabricksError:
        return []  # there is no scope, which drift tells
    if SECRET_KEY in held:
        return []
    done = team.quantctl("keys", "rotate", ENV, "--yes")
    return [] if done.returncode == 0 else [f"keys rotate exits {done.returncode}: {(done.stdout + done.stderr)[-800:]}"]


def prepare(team: Team, situation: str, number: int) -> tuple[str, ...]:
    """Bring the situation about; the command that is run in it."""
    workspace = team.workspace("deployer")
    if situation == "first deployment":
        team.pulumi("destroy", "--yes", "--skip-preview", "-s", ENV)
        return "up", ENV, "--yes"
    if situation == "destroy":
        prepare(team, "update", number)
        return "destroy", "--yes", "--skip-preview", "-s", ENV
    if situation in ("status", "preview"):
        return situation, *((ENV,) if situation == "preview" else ())
    if situation == "rollback":
        prepare(team, "update", number)
        done = team.quantctl("up", ENV, "--yes")
        assert done.returncode == 0, done.stderr
        return "rollback", ENV, "--yes"
    if situation == "promotion":
        text = team.git("show", f"origin/quant:{_WORKFLOW}")
        line = next(line for line in text.splitlines() if line.startswith("timeout_seconds:"))
        changed = text.replace(line, f"timeout_seconds: {3000 + number}")
        team.git("fetch", "-q", "origin")
        team.git("checkout", "-q", "-B", "quant", "origin/quant")
        team.git("merge", "-q", "--no-edit", "-s", "ours", f"origin/{ENV}")  # the target's own commits are in it
        team.git("push", "-q", "origin", "HEAD:refs/heads/quant")
        team.commit("quant", _WORKFLOW, changed + "\n", "Longer still")
        team.up("quant")
        return "promote", "quant", ENV, "--yes"
    if situation == TAKEN_BACK:
        prepare(team, "update", number)
        team.commit(ENV, _REMOVED, None, "One workflow less")
        return "up", ENV, "--yes"
    if situation == "update":
        text = team.git("show", f"origin/{ENV}:{_WORKFLOW}")
        line = next(line for line in text.splitlines() if line.startswith("timeout_seconds:"))
        team.commit(ENV, _WORKFLOW, text.replace(line, f"timeout_seconds: {2000 + number}") + "\n", "Longer")
        return "up", ENV, "--yes"
    [job] = list(workspace.jobs.list(name=f"{ENV} risk_model"))
    if situation == "drift":
        workspace.jobs.update(job.job_id or 0, new_settings=JobSettings(timeout_seconds=4000 + number))
        return "drift", ENV
    workspace.jobs.delete(job.job_id or 0)
    [other] = list(workspace.jobs.list(name=f"{ENV} signal_report"))
    workspace.jobs.update(other.job_id or 0, new_settings=JobSettings(timeout_seconds=4000 + number))
    return "drift", ENV, "--fix", "--yes"


def take_back(team: Team) -> None:
    """The branch has the files again that it had before the last two commits."""
    head = team.head(ENV)
    team.git("checkout", "-q", "-B", "work", head)
    team.git("revert", "--no-edit", "HEAD", "HEAD~1")
    team.git("push", "-q", "origin", f"HEAD:refs/heads/{ENV}")


def open_gates(folder: Path) -> Path:
    """A project like the checkout's, in which every gate is open: a fault is not told by one."""
    project = folder / "project"
    project.mkdir()
    for file in ROOT.glob("Pulumi*.yaml"):
        said = yaml.safe_load(file.read_text())
        if file.name == "Pulumi.yaml":
            said["config"]["gates"] = {"value": dict.fromkeys(EDGES, OPEN)}
            said |= {"main": str(ROOT), "runtime": {"name": "python", "options": {"virtualenv": str(ROOT / ".venv")}}}
        (project / file.name).write_text(yaml.safe_dump(said))
    shutil.copytree(ROOT / "policy", project / "policy", ignore=shutil.ignore_patterns("__pycache__", "rules"))
    return project
