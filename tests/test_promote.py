"""A change goes the whole way with commands alone, and whatever should stop it does; on a sandbox of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.promotion_stage import SHORT, Stage, kill_at
from tests.situations import EDGES
from tests.ways_out import carry_out, the_way

pytest_plugins = ["tests.promotion_stage"]
pytestmark = pytest.mark.real
SLOW = """name: slow
parameters: [{name: seconds, default: "0"}]
tasks:
  - task_key: wait
    spark_python_task: {python_file: src/slow.py, parameters: ["{{job.parameters.seconds}}"]}
    environment_key: default
environments: [{environment_key: default, spec: {client: "2"}}]
"""


def test_a_change_goes_the_whole_way(stage: Stage) -> None:
    """Pushed, soaked, reviewed, signed off, released to some, then to all; each gate refuses until it is cleared."""
    project, team = stage.folder / "short", stage.team
    for path in ("factor_returns", "check_factor_returns", "positions_snapshot", "risk_model", "signal_report"):
        team.commit("quant", f"src/{path}.py", "", f"{path} does nothing, so that a soak is short")
    team.commit("quant", "workflows/slow.yml", SLOW, "A workflow that waits")
    team.commit("quant", "src/slow.py", "import sys, time\ntime.sleep(float(sys.argv[1]))\n", "Its code")
    found = stage.stopped(project, "release_manager", "quant", "quant_stg")
    stage.as_told(the_way(found["soak"], "up"), project, "developer")
    commit = stage.head("quant")
    found = stage.stopped(project, "release_manager", "quant", "quant_stg")
    assert found.keys() == {"soak", "approvals"}
    assert "0.0 of 1 days" in found["soak"] and "0 of 1 successful run" in found["soak"]
    stage.must(project, "developer", "sandbox", "soak", "quant", "--days", "1")
    refused = stage.run(project, "developer", "approve", "quant_stg")
    assert refused.returncode == 1 and "Dana" in refused.stderr
    stage.as_told(the_way(found["approvals"], "approve"), project, "reviewer")
    looked = stage.run(project, "release_manager", "promote", "quant", "quant_stg", "--dry-run")
    assert looked.returncode == 0, looked.stdout
    assert "A workflow that waits" in looked.stdout and "slow" in looked.stdout
    assert stage.at("quant_stg") != commit
    done = json.loads(stage.must(project, "release_manager", "promote", "quant", "quant_stg", "--yes", "--format", "json"))
    assert (done["outcome"], done["to"], done["workflows"]["added"]) == ("promoted", commit, ["slow"])
    assert (stage.at("quant_stg"), stage.head("quant_stg")) == (commit, commit)
    again = stage.must(project, "release_manager", "promote", "quant", "quant_stg", "--yes")
    assert "has everything of quant already" in again

    stage.must(project, "release_manager", "sandbox", "soak", "quant_stg", "--days", "1")
    stage.must(project, "reviewer", "approve", "quant_lr")
    found = stage.stopped(project, "release_manager", "quant_stg", "--release", "limited")
    assert found.keys() == {"sign-off"}
    told = the_way(found["sign-off"], "signoff")
    stage.as_told(told, project, "release_manager", NAME="Uma Tester", TEXT="the numbers agree")
    twice = stage.run(project, "release_manager", "signoff", "quant_stg", "--by", "Uma Tester", "--note", "second thoughts")
    assert twice.returncode == 1 and "never changed" in twice.stderr
    stage.must(project, "release_manager", "promote", "quant_stg", "--release", "limited", "--yes")
    assert stage.at("quant_lr") == commit

    stage.must(project, "release_manager", "sandbox", "soak", "quant_lr", "--days", "1")
    found = stage.stopped(project, "developer", "quant_lr", "quant_live")
    assert found.keys() == {"approvals", "release-manager"} and "Dana" in found["release-manager"]
    stage.as_told(the_way(found["approvals"], "approve"), project, "reviewer")
    stage.must(project, "release_manager", "promote", "quant_lr", "quant_live", "--yes")
    assert stage.at("quant_live") == commit
    [last, *_] = json.loads(stage.must(project, "support", "history", "quant_live", "--format", "json"))
    assert (last["commit"], last["source"], last["by"]) == (commit, "quant_lr", "Rhea (rhea@quant.example)")
    assert {gate["name"]: gate["verdict"] for gate in last["gates"]}["release-manager"] == "yes"


def test_what_somebody_forges_passes_no_gate(stage: Stage) -> None:
    """Whoever may push makes tags: a deployment dated back, an approval, a sign-off, a decision; history knows better."""
    project, team, head = stage.folder / "short", stage.team, stage.change("Forged ahead")
    stage.must(project, "deployer", "up", "quant", "--yes")  # on record, by the workspace's clock: tests before moved it
    old = "2026-01-20T00:00:00+00:00"
    said = {"at": old, "commit": head, "previous": None, "by": "Rhea", "how": "up"}
    tags = {
        "deployment/quant/forged": json.dumps({**said, "environment": "quant"}),
        f"approval/quant_stg/{head[:12]}/ravi@quant.example": "ok",
        f"signoff/quant/{head[:12]}/uma-tester": "Signed off by Uma Tester\n\nfine",
        "promotion/quant_stg/forged": json.dumps(
            {**said, "environment": "quant_stg", "how": "promotion", "source": "quant"}
        ),
    }
    environ = {**stage.environ(project, "--as", "developer"), "GIT_COMMITTER_EMAIL": "ravi@quant.example"}
    signs = {number: "-s" if number % 2 else "-a" for number in range(4)}  # with dana's own key, or without
    before, at = stage.head("quant_stg"), {"GIT_COMMITTER_DATE": old}
    try:
        for number, (name, message) in enumerate(tags.items()):
            command = ["git", "tag", signs[number], name, head, "-m", message]
            subprocess.run(command, cwd=team.clone, env={**environ, **at}, check=True, capture_output=True)
        team.git("push", "-q", "origin", "--tags")
        found = stage.stopped(project, "release_manager", "quant", "quant_stg")
        assert found.keys() == {"soak", "approvals"} and "0.0 of 1 days" in found["soak"]
        team.git("push", "-q", "origin", f"{head}:refs/heads/quant_stg")
        done = stage.run(project, "release_manager", "promote", "quant", "quant_stg", "--yes")
        assert done.returncode == 1 and "it is not deployed" in done.stderr and stage.at("quant_stg") == before
    finally:
        team.git("push", "-q", "--force", "origin", f"{before}:refs/heads/quant_stg")
    shown = stage.run(project, "support", "history", "quant", "--format", "json")
    assert "deployment/quant/forged: it is not signed" in shown.stderr
    assert all(one["signer"] for one in json.loads(shown.stdout))
    plain = {
        name: value for name, value in stage.environ(project, "--as", "release_manager").items() if name != "QUANT_SIGNERS"
    }
    command = [sys.executable, "-m", "quantctl.main", "promote", "quant", "quant_stg", "--dry-run", "--format", "json"]
    done = subprocess.run(command, cwd=project, env=plain, capture_output=True, text=True, check=False)
    gates = {gate["name"]: gate["evidence"] for gate in json.loads(done.stdout)["gates"] if gate["verdict"] != "yes"}
    assert done.returncode == 3 and all("unknown who made the tags" in gates[name] for name in ("soak", "approvals"))


def test_what_is_wrong_in_the_world_stops_it(stage: Stage) -> None:
    """A failed run, an active run and a hot fix in the target, and a freeze, each told with its evidence and its way out."""
    project, workspace = stage.folder / "short", stage.team.workspace("deployer")
    stage.change("Wait better")
    [job] = workspace.jobs.list(name="quant slow")
    failed = workspace.jobs.run_now(job.job_id or 0, job_parameters={"seconds": "no number"}).result()
    [job] = workspace.jobs.list(name="quant_stg slow")
    active = workspace.jobs.run_now(job.job_id or 0, job_parameters={"seconds": "60"})
    before = {branch: stage.head(branch) for branch in ("quant", "quant_stg")}
    stage.team.commit("quant_stg", "src/hot.py", "# hot fix\n", "Hot fix at night")
    year_end = {"environments": ["quant_stg"], "start": "2026-01-01", "end": "2099-12-31", "why": "Year end"}
    stage.project("short", dict.fromkeys(EDGES, SHORT), [year_end])
    try:
        found = stage.stopped(project, "release_manager", "quant", "quant_stg")
        way, environ = the_way(found["fast-forward"], "merge"), stage.environ(project, "--as", "developer")
        cleared = carry_out(way, environ, stage.team.clone)
        again = stage.stopped(project, "release_manager", "quant", "quant_stg")
    finally:
        stage.project("short", dict.fromkeys(EDGES, SHORT))
        workspace.jobs.cancel_run_and_wait(active.run_id)
        stage.team.git(
            "push", "-q", "--force", "origin", *(f"{head}:refs/heads/{branch}" for branch, head in before.items())
        )
    assert found.keys() == {"fast-forward", "soak", "approvals", "no-active-runs", "no-freeze"}
    for gate, word in (
        ("fast-forward", "Hot fix at night"),
        ("soak", f"run {failed.run_id}"),
        ("approvals", "0 of 1"),
        ("no-active-runs", f"slow (run {active.run_id})"),
        ("no-freeze", "Year end"),
    ):
        assert word in found[gate]
    assert cleared.returncode == 0 and "fast-forward" not in again, cleared.stderr


def test_of_two_at_once_one_wins(stage: Stage) -> None:
    """The other is told, whatever it was doing; the branch and the folder are at one commit, and nothing is locked."""
    project = stage.folder / "open"
    commit = stage.head("quant")
    environ = stage.environ(project, "--as", "release_manager")
    command = [sys.executable, "-m", "quantctl.main", "promote", "quant", "quant_stg", "--yes"]
    pipe = subprocess.PIPE
    both = [subprocess.Popen(command, cwd=project, env=environ, stdout=pipe, stderr=pipe, text=True) for _ in range(2)]
    told = [process.communicate(timeout=300) for process in both]
    statuses = sorted(process.returncode for process in both)
    said = "\n".join(out + err for out, err in told)
    assert statuses in ([0, 0], [0, 1]), said
    assert "Traceback" not in said
    if statuses == [0, 1]:
        assert any(word in said for word in ("moved by somebody else meanwhile", "is locked"))
    stage.must(project, "release_manager", "promote", "quant", "quant_stg", "--yes")
    assert (stage.at("quant_stg"), stage.head("quant_stg")) == (commit, commit)


def test_killed_at_any_step_the_same_command_goes_on(stage: Stage) -> None:
    """kill -9 before the branch moves, after it, in the update and before the record; promotions and rollbacks in turn."""
    project = stage.folder / "open"
    there = ["promote", "quant", "quant_stg", "--yes"]
    back = ["rollback", "quant_stg", "--yes"]
    for words, point in (
        (back, "moving quant_stg"),
        (there, "pulumi up -s quant_stg"),
        (back, "Repo folder updating"),
        (there, "the workspace reports"),
    ):
        kill_at(project, stage.environ(project, "--as", "release_manager"), words, point)
        stage.must(project, "release_manager", *words)
        head = stage.head("quant_stg")
        assert stage.at("quant_stg") == head, point
        [last, *_] = json.loads(stage.must(project, "support", "history", "quant_stg", "--format", "json"))
        assert last["commit"] == head, point
        assert json.loads(stage.must(project, "deployer", "lock", "quant_stg", "--format", "json")) == []
    same = stage.team.git("ls-remote", "origin", "refs/heads/quant").split()[0]
    stage.team.git("fetch", "-q", "origin")
    assert stage.team.git("rev-parse", f"{head}^{{tree}}") == stage.team.git("rev-parse", f"{same}^{{tree}}")
