"""Promotions in GitLab mode, by merge requests; on a sandbox of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import gitlab
import pytest

from tests.promotion_stage import Stage, kill_at
from tests.situations import EDGES, OPEN
from tests.ways_out import the_way

pytest_plugins = ["tests.promotion_stage"]
pytestmark = pytest.mark.real


def test_a_merge_request_is_opened_waited_for_and_merged(stage: Stage) -> None:
    """In GitLab: opened and approved while another gate still stops it; the same command merges it, also after a kill."""
    gates = {edge: {**OPEN, "approvals": 1} for edge in EDGES}
    year_end = {"environments": ["quant_stg"], "start": "2026-01-01", "end": "2099-12-31", "why": "Year end"}
    commit = stage.change("Through a merge request")
    project = stage.project("reviewed", gates)
    found = stage.stopped(project, "release_manager", "quant", "quant_stg", "--dry-run", gitlab=True)
    assert "unknown who made the tags deployment/quant/*" in found["soak"]
    assert "commit_committer_check" in found["approvals"]
    for env in ("quant", "quant_stg"):  # whose stacks declare who makes their records
        stage.must(project, "deployer", "up", env, "--yes", gitlab=True)
    promote = ["promote", "quant", "quant_stg", "--yes"]
    project = stage.project("reviewed", gates, [year_end], gitlab={"authors": "trusted"})
    early = stage.run(project, "reviewer", "approve", "quant_stg", gitlab=True)
    assert early.returncode == 1 and "has no open merge request" in early.stderr
    stage.as_told(the_way(early.stderr, "promote"), project, "release_manager", "--gitlab", status=3)
    done = stage.run(project, "release_manager", *promote, "--format", "json", gitlab=True)
    assert done.returncode == 3, done.stdout + done.stderr
    told = json.loads(done.stdout)
    stopping = {gate["name"]: gate["evidence"] for gate in told["gates"] if gate["verdict"] != "yes"}
    assert stopping.keys() == {"approvals", "no-freeze"}
    request = told["merge_request"]
    assert request and stage.head("quant_stg") != commit
    refused = stage.run(project, "developer", "approve", "quant_stg", gitlab=True)
    assert refused.returncode == 1 and "their own" in refused.stderr
    assert request in stage.as_told(the_way(stopping["approvals"], "approve"), project, "reviewer", "--gitlab")
    assert stage.stopped(project, "release_manager", "quant", "quant_stg", gitlab=True).keys() == {"no-freeze"}
    project = stage.project("reviewed", gates, gitlab={"authors": "trusted"})
    kill_at(project, stage.environ(project, "--as", "release_manager", "--gitlab"), promote, "pulumi up -s quant_stg")
    project = stage.project("reviewed", gates, [year_end], gitlab={"authors": "trusted"})
    assert stage.stopped(project, "release_manager", "quant", "quant_stg", gitlab=True).keys() == {"no-freeze"}
    project = stage.project("reviewed", gates, gitlab={"authors": "trusted"})
    assert "Finished" in stage.must(project, "release_manager", *promote, gitlab=True)
    head = stage.head("quant_stg")
    stage.team.git("fetch", "-q", "origin")
    assert stage.team.git("rev-parse", f"{head}^{{tree}}") == stage.team.git("rev-parse", f"{commit}^{{tree}}")
    assert stage.at("quant_stg") == head
    assert "Uma (@uma)" in stage.must(project, "uat_tester", "signoff", "quant_stg", "--note", "it is well", gitlab=True)


def test_who_may_not_is_refused_by_the_tool_and_by_the_host(stage: Stage) -> None:
    """With GitLab and with plain Git: the gate names who asks, and the protected branch that the stack declared holds."""
    found = stage.stopped(stage.folder / "short", "developer", "quant_stg", "quant_live", gitlab=True)
    assert "Dana" in found["release-manager"] and "not a member of the group" in found["release-manager"]
    before = stage.head("quant_stg")
    # Plain Git, with dana's own credentials at the host, where nobody pushes to quant_stg since its stack says so.
    project = stage.folder / "open"
    environ = stage.environ(project, "--as", "developer", "--gitlab")
    plain = {name: value for name, value in environ.items() if not name.startswith(("QUANT_GITLAB", "GITLAB"))}
    command = [sys.executable, "-m", "quantctl.main", "rollback", "quant_stg", "--yes"]
    done = subprocess.run(command, cwd=project, env=plain, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "it is not signed with a key of quant:signers" in done.stderr
    stolen = {name: value.replace("signing/developer", "signing/release_manager") for name, value in plain.items()}
    done = subprocess.run(command, cwd=project, env=stolen, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "the host refused to move quant_stg" in done.stderr and "protected branches" in done.stderr
    assert stage.head("quant_stg") == before


def test_a_target_that_moves_during_a_wait_is_not_merged_over(stage: Stage) -> None:
    """Somebody else's merge request is merged while approvals are waited for: the promotion says so, and merges nothing."""
    project = stage.project("waits", {edge: {**OPEN, "approvals": 1} for edge in EDGES}, gitlab={"authors": "trusted"})
    team, at = stage.team, stage.at("quant_stg")
    team.git("fetch", "-q", "origin")
    team.git("checkout", "-q", "-B", "waits", "origin/quant")
    (team.clone / "waits.txt").write_text("waits\n")
    team.git("add", "-A")
    team.git("commit", "-q", "-m", "Waits for an approval")
    _push(stage, project, "waits:refs/heads/quant")
    stage.must(project, "deployer", "up", "quant", "--yes", gitlab=True)
    team.git("checkout", "-q", "-B", "another", "origin/quant_stg")
    (team.clone / "another.txt").write_text("another\n")
    team.git("add", "-A")
    team.git("commit", "-q", "-m", "Another change")
    environ = stage.environ(project, "--as", "release_manager", "--gitlab")
    command = [sys.executable, "-u", "-m", "quantctl.main", "promote", "quant", "quant_stg", "--yes", "--wait", "5"]
    told = []
    with subprocess.Popen(
        command, cwd=project, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr is not None
        for line in run.stderr:
            told.append(line)
            if "0 of 1 approvals" in line:
                _push(stage, project, "another")
                other = _merge(stage, "another", "quant_stg")
    assert run.returncode == 1, "".join(told)
    assert "quant_stg has changed during the wait; nothing was merged" in "".join(told)
    assert (stage.head("quant_stg"), stage.at("quant_stg")) == (other, at)


def _push(stage: Stage, project: Path, what: str) -> None:
    """As Dana, with her own credentials at the host."""
    environ = stage.environ(project, "--as", "developer", "--gitlab")
    command = ["git", "push", "-q", "origin", what]
    done = subprocess.run(command, cwd=stage.team.clone, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _merge(stage: Stage, source: str, target: str) -> str:
    """Dana's merge request, approved by Ravi, merged by Rhea; then Ravi approves the one that waits. The new head."""
    who = {name: stage.team.credentials[name] for name in ("developer", "reviewer", "release_manager")}
    projects = {
        name: gitlab.Gitlab(one["gitlab_url"], private_token=one["gitlab_token"]).projects.get("quant/pipelines")
        for name, one in who.items()
    }
    opened = projects["developer"].mergerequests.create(
        {"source_branch": source, "target_branch": target, "title": "Another"}
    )
    projects["reviewer"].mergerequests.get(opened.iid).approve()
    projects["release_manager"].mergerequests.get(opened.iid).merge()
    [waiting] = projects["reviewer"].mergerequests.list(state="opened", target_branch=target, get_all=True)
    waiting.approve()
    return stage.head(target)
