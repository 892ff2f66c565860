"""`quantctl status` against the deployed sandbox: what is there, and the rest of it when something does not answer."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.promotion import EDGES
from infra.vocabulary import Environment
from tests.conftest import Team, git_folder
from tests.paths import ROOT

pytestmark = pytest.mark.real
_WORKFLOWS = {"factor_returns", "positions_snapshot", "risk_model", "signal_report"}


def status(team: Team, expected: int, *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """The command, with the exit status that it must have."""
    command = [str(ROOT / ".venv" / "bin" / "quantctl"), "status", *arguments]
    environ = {**team.environ, **changed}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == expected, done.stdout[-3000:] + done.stderr
    assert "Traceback" not in done.stderr
    return done


def told(team: Team, expected: int, **changed: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The whole answer, and the environments by name."""
    loaded: dict[str, Any] = json.loads(status(team, expected, "--format", "json", **changed).stdout)
    return loaded, {one["name"]: one for one in loaded["environments"]}


def test_status_says_what_git_and_the_workspace_say(team: Team, tmp_path: Path) -> None:
    """A pushed commit waits and is no drift, an edit by hand is drift, and neither changes anything."""
    before = team.head("quant")
    workspace = team.workspace("deployer")
    path = "/quant_live/src/risk_model.py"
    kept = team.file(path)
    pushed = team.commit("quant", "src/risk_model.py", "print('<b>waits</b>')\n", "Waits & <b>is bold</b>")
    workspace.workspace.upload(path, b"# edited by hand\n", overwrite=True)
    try:
        whole, found = told(team, 0)
        page = tmp_path / "page.html"
        status(team, 0, "--format", "html", "--output", str(page))
        table = status(team, 0).stdout
    finally:
        workspace.workspace.upload(path, kept.encode(), overwrite=True)
        team.git("push", "-q", "--force", "origin", f"{before}:refs/heads/quant")
    for env in Environment:
        folder = git_folder(workspace, f"/{env}")
        assert found[env]["deployed"]["commit"] == folder.head_commit_id
        assert {flow["name"] for flow in found[env]["workflows"]} == _WORKFLOWS
    assert found["quant"]["head"]["id"] == pushed
    assert pushed in [commit["id"] for commit in found["quant"]["undeployed"]]
    assert found["quant"]["drift"]["verdict"] == "waiting"
    assert found["quant_live"]["drift"] == {**found["quant_live"]["drift"], "verdict": "drift", "full": False}
    assert "local edits: src/risk_model.py" in found["quant_live"]["drift"]["findings"]
    assert [f"{edge['source']} -> {edge['target']}" for edge in whole["edges"]] == list(map(str, EDGES))
    assert {gate["name"] for gate in whole["edges"][2]["gates"]} >= {"soak", "approvals", "sign-off", "release-manager"}
    assert "Waits &amp; &lt;b&gt;is bold&lt;/b&gt;" in page.read_text()
    assert "quant_live has drifted: local edits: src/risk_model.py" in table


def test_what_is_silent_hides_nothing_else(team: Team) -> None:
    """Without the workspace, Git is told; without Git, the workspace is told; each says why, in seconds, and exits 1."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        whole, found = told(team, 1, DATABRICKS_HOST=url)
    assert all(url in one["why"] for one in whole["cannot_tell"])
    team.git("fetch", "-q", "origin")
    for env in Environment:
        assert found[env]["head"]["id"] == team.git("rev-parse", f"origin/{env}")
        assert url in found[env]["deployed"]["cannot_tell"]
    verdicts = {gate["name"]: gate["verdict"] for gate in whole["edges"][0]["gates"]}
    assert (verdicts["soak"], verdicts["no-active-runs"]) == ("unknown", "unknown")
    assert "unknown" not in (verdicts["fast-forward"], verdicts["approvals"])
    whole, found = told(team, 1, QUANT_REMOTE="http://127.0.0.1:9/none.git")
    for env in Environment:
        assert "127.0.0.1:9" in found[env]["head"]["cannot_tell"]
        assert found[env]["deployed"]["commit"]
        assert {flow["name"] for flow in found[env]["workflows"]} == _WORKFLOWS
    verdicts = {gate["name"]: gate["verdict"] for gate in whole["edges"][0]["gates"]}
    assert (verdicts["fast-forward"], verdicts["no-freeze"]) == ("unknown", "yes")
