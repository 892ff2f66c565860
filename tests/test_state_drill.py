"""A state that was lost, and an update that was killed: what a team does then, with the real engine."""

from __future__ import annotations

import datetime
import itertools
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantctl.engine import interrupted, stacks
from quantctl.engine.state import States
from quantctl.errors import UserError
from tests.conftest import Team
from tests.paths import ROOT
from tests.ways_out import carry_out, the_way
from tests.workspace_proxy import proxy

pytestmark = pytest.mark.real


def test_a_lost_state_is_put_back_from_an_export(team: Team, tmp_path: Path) -> None:
    """Export, lose, import: a preview finds nothing to change. No key is lost with it: the state holds none."""
    kept = tmp_path / "quant_stg.json"
    assert team.pulumi("stack", "export", "-s", "quant_stg", "--file", str(kept)).returncode == 0
    shown = team.pulumi("stack", "export", "--show-secrets", "-s", "quant_stg").stdout
    assert '"urn"' in shown and "PRIVATE KEY" not in shown
    backend = Path(team.environ["PULUMI_BACKEND_URL"].removeprefix("file://"))
    for file in (backend / ".pulumi" / "stacks" / "quant").glob("quant_stg.json*"):
        file.unlink()
    lost = team.pulumi("preview", "-s", "quant_stg")
    assert lost.returncode != 0 and "no stack named 'quant_stg'" in lost.stderr
    assert team.pulumi("stack", "init", "quant_stg", "--no-select").returncode == 0
    assert team.pulumi("stack", "import", "-s", "quant_stg", "--file", str(kept)).returncode == 0
    done = team.pulumi("preview", "-s", "quant_stg", "--expect-no-changes")
    assert done.returncode == 0, done.stdout


def test_a_state_that_was_cut_off_is_repaired_by_the_commands_that_are_told(team: Team) -> None:
    """The update names the repair, the repair names the update; each as it was printed, and nothing is lost or twice."""
    backend = Path(team.environ["PULUMI_BACKEND_URL"].removeprefix("file://"))
    file = backend / ".pulumi" / "stacks" / "quant" / "quant_stg.json"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    try:
        refused = team.quantctl("up", "quant_stg", "--yes")
        assert refused.returncode == 1 and str(file) in refused.stderr, refused.stderr
        repaired = carry_out(the_way(refused.stderr, "repair"), team.environ)
        assert repaired.returncode == 0, repaired.stdout + repaired.stderr
        done = carry_out(the_way(repaired.stdout, "up"), team.environ)
        assert done.returncode == 0, done.stdout + done.stderr
    except BaseException:
        file.write_bytes(whole)
        raise
    assert team.changes("quant_stg") == {}
    names = [job.settings.name for job in team.workspace("deployer").jobs.list() if job.settings]
    assert len(names) == len(set(names))


@pytest.fixture
def two_jobs_missing(team: Team) -> Iterator[None]:
    """Two jobs of quant_lr deleted by hand; afterwards each is there once, and nothing differs."""
    jobs = team.workspace("deployer").jobs
    for name in ("quant_lr risk_model", "quant_lr factor_returns"):
        [job] = jobs.list(name=name)
        jobs.delete(job.job_id or 0)
    yield
    team.up("quant_lr")
    assert team.changes("quant_lr") == {}
    for name in ("quant_lr risk_model", "quant_lr factor_returns"):
        assert len(list(jobs.list(name=name))) == 1


def test_a_killed_update_is_gone_on_with_and_nothing_is_created_twice(team: Team, two_jobs_missing: None) -> None:
    """kill -9 while two jobs are created, one of which never arrived: whose lock it is, what became of each."""
    over, arrived, stopped, number = threading.Event(), threading.Event(), threading.Event(), itertools.count()

    def before(method: str, path: str) -> None:
        if path.endswith("/jobs/create") and next(number):
            stopped.set()
            over.wait(60)
            raise ConnectionAbortedError("the second one never arrives")

    def after(method: str, path: str, body: bytes) -> None:
        if path.endswith("/jobs/create"):
            arrived.set()
            over.wait(60)  # the answer never comes

    command = ["pulumi", "up", "--refresh", "--yes", "--skip-preview", "--non-interactive", "-s", "quant_lr"]
    with proxy(team.environ["DATABRICKS_HOST"], before, after) as host:
        environ = {**team.environ, "DATABRICKS_HOST": host}
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, env=environ, cwd=ROOT, stdout=quiet, stderr=quiet, start_new_session=True) as engine:
            assert arrived.wait(90) and stopped.wait(20)
            os.killpg(engine.pid, signal.SIGKILL)
        over.set()
    # Whoever comes next is told whose lock it is, and how it is released.
    with pytest.raises(UserError) as met:
        stacks.up("quant_lr", team.environ, lambda _: None)
    for word in ("quant_lr is locked", f"pid {engine.pid}", "quantctl lock release quant_lr"):
        assert word in str(met.value), met.value
    [row] = json.loads(team.quantctl("lock", "quant_lr", "--format", "json").stdout)
    assert (row["pid"], row["owner"]) == (engine.pid, "gone"), row
    since = datetime.datetime.fromisoformat(row["since"])
    assert datetime.timedelta(0) < datetime.datetime.now(datetime.UTC) - since < datetime.timedelta(minutes=5)
    released = carry_out(the_way(str(met.value), "release"), team.environ)
    assert released.returncode == 0, released.stderr
    assert "`quantctl up quant_lr` finds out what became of it" in released.stdout
    begun = {operation.name for operation in interrupted.begun("quant_lr", States(team.environ))}
    assert begun == {"Job risk_model", "Job factor_returns"}
    told: list[str] = []
    interrupted.settle("quant_lr", States(team.environ), told.append)
    assert sorted(line.split(": ")[1][:15] for line in told) == ["it is not there", "it is there (40"], told
    assert interrupted.begun("quant_lr", States(team.environ)) == []


def test_an_empty_state_beside_real_objects_stops_previews_and_updates(team: Team, tmp_path: Path) -> None:
    """They would else create everything a second time, as far as names are not taken; nothing is created."""
    jobs = {job.job_id for job in team.workspace("deployer").jobs.list()}
    kept, empty = tmp_path / "kept.json", tmp_path / "empty.json"
    assert team.pulumi("stack", "export", "-s", "quant_lr", "--file", str(kept)).returncode == 0
    exported = json.loads(kept.read_text())
    exported["deployment"]["resources"] = []
    empty.write_text(json.dumps(exported))
    try:
        assert team.pulumi("stack", "import", "-s", "quant_lr", "--file", str(empty)).returncode == 0
        for done in (
            team.pulumi("preview", "-s", "quant_lr"),
            team.pulumi("up", "--yes", "-s", "quant_lr"),
            team.quantctl("preview", "quant_lr"),
            team.quantctl("up", "quant_lr", "--yes"),
        ):
            assert done.returncode != 0, done.args
            said = " ".join((done.stdout + done.stderr).split())
            for word in (
                "knows of no Git folder",
                "the workspace has /quant_lr",
                "quantctl up quant_lr",
                "docs/state.md",
                "quantctl adopt quant_lr (docs/adopt.md)",
            ):
                assert word in said, (done.args, said)
        blind = team.pulumi("up", "--yes", "--skip-preview", "-s", "quant_lr")
        assert blind.returncode != 0 and "already exists" in blind.stdout, blind.stdout
        assert {job.job_id for job in team.workspace("deployer").jobs.list()} == jobs
    finally:
        assert team.pulumi("stack", "import", "-s", "quant_lr", "--file", str(kept)).returncode == 0
    assert team.changes("quant_lr") == {}
