"""The one issue of the drift runs: what opens it, what closes it, and what leaves it alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.vocabulary import Environment
from quantctl.drift import issue as drift_issue
from quantctl.drift.finding import Class, EnvironmentDrift, Finding, Fix, exit_status, report, unknown
from quantctl.drift.formats import as_json
from quantctl.errors import UserError
from quantctl.laptop.place import leave_shell
from tests.forge_sandbox import Forge
from tests.paths import ROOT

pytest_plugins = ("tests.forge_sandbox",)
DRIFTED = Finding("quant_stg", Class.DRIFT, "job risk_model", "timeout_seconds", "3600", "60", Fix("pulumi up --refresh"))
WAITING = Finding("quant_lr", Class.WAITING, "folder", "commit", "aaaa", "bbbb", Fix("pulumi up"))
UNREAD = unknown("quant_live", "the workspace", "it does not answer")


def run(*findings: Finding) -> list[EnvironmentDrift]:
    """What a run of all four environments found."""
    return [report(env, [one for one in findings if one.environment == env]) for env in Environment]


def printed(reports: Sequence[EnvironmentDrift]) -> str:
    return as_json(reports, exit_status(reports, strict=False))


class Tracker:
    """A forge with issues: marker -> (title, text); a closed one keeps its comment."""

    def __init__(self) -> None:
        self.open: dict[str, tuple[str, str]] = {}
        self.closed: list[tuple[str, str]] = []
        self.made = 0

    def upsert_issue(self, marker: str, title: str, text: str, labels: Sequence[str] = ()) -> str:
        self.made += marker not in self.open
        self.open[marker] = (title, text)
        return f"issue {self.made}"

    def close_issue(self, marker: str, comment: str) -> str | None:
        if self.open.pop(marker, None) is None:
            return None
        self.closed.append((marker, comment))
        return f"issue {self.made}"


def test_drift_opens_one_issue_and_clean_closes_it() -> None:
    """Twice drift is one issue that says the latest; clean closes it with a comment; clean again does nothing."""
    tracker = Tracker()
    said = [
        drift_issue.carry_out(drift_issue.decide(drift_issue.read(printed(run(*found)))), tracker)
        for found in ([DRIFTED], [DRIFTED, WAITING], [WAITING], [])
    ]
    assert tracker.made == 1 and not tracker.open and len(tracker.closed) == 1
    assert said == [
        "quant_stg drifted: issue 1",
        "quant_stg drifted: issue 1",
        "nothing differs: closed issue 1",
        "nothing differs: no issue is open",
    ]


def test_the_issue_says_what_differs_and_what_fixes_it() -> None:
    """Resource, property, both values, the command; what could not be read too, and which environments they are of."""
    decision = drift_issue.decide(run(DRIFTED, UNREAD))
    for word in ("job risk_model", "timeout_seconds", "3600", "60", "pulumi up --refresh", "it does not answer"):
        assert word in decision.text
    assert decision.title == "Drift: quant_stg drifted; quant_live unknown; quant, quant_lr clean"
    assert decision.labels == ("drift",)


@pytest.mark.parametrize("reports", [run(UNREAD), run(UNREAD, WAITING), run()[:3]])
def test_what_is_not_known_closes_nothing(reports: list[EnvironmentDrift]) -> None:
    """An environment that could not be read, or was not looked at, may still be what the issue says."""
    tracker = Tracker()
    tracker.upsert_issue(drift_issue.ISSUE, "Drift", "old")
    drift_issue.carry_out(drift_issue.decide(reports), tracker)
    assert tracker.open == {drift_issue.ISSUE: ("Drift", "old")}


@pytest.mark.parametrize("text", ["", "{}", '{"environments": []}', '{"environments": [{"environment": "quant"}]}', "[1]"])
def test_a_run_that_broke_off_closes_nothing(text: str) -> None:
    """What is no drift run is an error, not "clean"."""
    with pytest.raises(UserError, match="issue stays as it is"):
        drift_issue.read(text)


def test_nothing_is_lost_on_the_way() -> None:
    """What a run printed is read back as it was."""
    reports = run(DRIFTED, WAITING, UNREAD)
    assert printed(drift_issue.read(printed(reports))) == printed(reports)


def test_another_forge_gets_the_decision_and_the_pipeline_its_report(tmp_path: Path) -> None:
    """--format json prints what would be done, and nothing else; --junit writes what the forge shows."""
    (tmp_path / "drift.json").write_text(printed(run(DRIFTED)))
    command = [
        sys.executable,
        "-m",
        "quantctl.main",
        "drift-issue",
        "drift.json",
        "--junit",
        "drift.xml",
        "--format",
        "json",
    ]
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    decision = json.loads(done.stdout)
    assert (done.returncode, decision["action"], decision["marker"]) == (0, "upsert", "quantctl drift"), done.stderr
    assert 'failures="1"' in (tmp_path / "drift.xml").read_text()


def test_gitlab_has_one_issue(forge: Forge, tmp_path: Path) -> None:
    """Against GitLab's API, as a release manager: opened, refreshed in place, left alone, closed with a comment."""
    environ = {
        **os.environ,
        "QUANT_SANDBOX": str(forge.state.folder),
        "QUANT_GITLAB_URL": forge.endpoints.gitlab_url,
        "QUANT_GITLAB_PROJECT": "quant/pipelines",
        "GITLAB_TOKEN": forge.state.gitlab_tokens()["rhea"],
    }
    leave_shell(forge.state)
    file = tmp_path / "drift.json"
    said = []
    for found in ([DRIFTED], [DRIFTED, UNREAD], [UNREAD], []):
        file.write_text(printed(run(*found)))
        command = [sys.executable, "-m", "quantctl.main", "drift-issue", str(file)]
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.split(":")[0].strip())
    assert said == ["quant_stg drifted", "quant_stg drifted", "quant_live could not be read", "nothing differs"]
    [issue] = (one for one in forge.project().issues.list(state="all", get_all=True) if "quantctl drift" in one.description)
    assert (issue.state, issue.title) == ("closed", "Drift: quant_stg drifted; quant_live unknown; quant, quant_lr clean")
    assert issue.description.startswith("<!-- quantctl drift -->\n## quant_stg drifted")
