"""Drift after an update that failed, and over what the engine passes, with the real engine."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from databricks.sdk.service.jobs import JobSettings, Webhook, WebhookNotifications

from tests.conftest import Team
from tests.ways_out import carry_out, the_way

pytestmark = pytest.mark.real
ENV = "quant_lr"


@pytest.fixture
def expired_credential(team: Team) -> Iterator[tuple[str, str]]:
    """The branch of quant_lr is one commit ahead, and the workspace could not fetch it: the update failed."""
    before = team.head(ENV)
    clones = [
        clone
        for clone in (Path(team.environ["QUANT_SANDBOX"]) / "folders").iterdir()
        if _git(clone, "symbolic-ref", "--short", "HEAD") == ENV
    ]
    urls = {clone: _git(clone, "remote", "get-url", "origin") for clone in clones}
    ahead = team.commit(ENV, "src/new.py", "x = 1\n", "New")
    for clone in clones:
        _git(clone, "remote", "set-url", "origin", "http://127.0.0.1:9/gone.git")
    try:
        failed = team.pulumi("up", "--yes", "--skip-preview", "-s", ENV)
        assert failed.returncode != 0
    finally:
        for clone, url in urls.items():
            _git(clone, "remote", "set-url", "origin", url)
    yield before, ahead
    restored = team.git("commit-tree", f"{before}^{{tree}}", "-p", ahead, "-m", "Take it back")
    team.git("push", "-q", "origin", f"{restored}:refs/heads/{ENV}")
    team.up(ENV)


def _git(clone: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=clone, capture_output=True, text=True, check=False).stdout.strip()


def test_a_failed_update_is_told_first_and_a_fix_deploys_what_was_deployed(
    team: Team, expired_credential: tuple[str, str]
) -> None:
    """The state holds the new commit, the folder the old one: never clean. The fix leaves the folder where it was."""
    before, ahead = expired_credential
    seen = json.loads(team.quantctl("drift", ENV, "--format", "json").stdout)
    [found] = seen["environments"]
    assert (seen["exit_status"], found["verdict"]) == (2, "drift")
    assert found["findings"][0]["property"] == "last update"
    assert "its last update failed: cannot update repo: Failed to fetch" in found["findings"][0]["real"]
    assert any(
        f["class"] == "waiting" and ahead[:12] in f["real"] and "1 commit ahead" in f["real"] for f in found["findings"]
    )
    fixed = team.quantctl("drift", ENV, "--fix")
    assert fixed.returncode != 0, "the update has still to be run"
    folder = team.git_folder(f"/{ENV}")
    assert folder.head_commit_id == before
    done = carry_out(the_way(found["findings"][0]["fix"], "up"), team.environ)
    assert done.returncode == 0, done.stderr
    assert team.quantctl("drift", ENV).returncode == 0


def test_what_the_engine_passes_over_is_found_and_fixed(team: Team) -> None:
    """A key that is gone, a block of a job that nobody declared, and a second job of one name."""
    workspace = team.workspace("deployer")
    [report] = list(workspace.jobs.list(name="quant_stg signal_report"))
    [risk] = list(workspace.jobs.list(name="quant_stg risk_model", expand_tasks=True))
    number = report.job_id or 0
    hook = WebhookNotifications(on_failure=[Webhook(id="hook-1")])
    workspace.jobs.update(number, new_settings=JobSettings(webhook_notifications=hook))
    assert risk.settings is not None
    twin = workspace.jobs.create(name=risk.settings.name, tasks=risk.settings.tasks, environments=risk.settings.environments)
    with team.snowflake("deployer") as connection:
        connection.cursor().execute("ALTER USER SVC_QUANT_STG UNSET RSA_PUBLIC_KEY")
    try:
        seen = json.loads(team.quantctl("drift", "quant_stg", "--format", "json").stdout)
        found = {(f["resource"], f["property"]) for f in seen["environments"][0]["findings"]}
        assert seen["exit_status"] == 2
        assert found == {
            ("job quant_stg signal_report", "webhook_notifications"),
            ("service user SVC_QUANT_STG", "rsaPublicKey"),
            ("job quant_stg risk_model", "exists twice"),
        }
        # It was not made by an update that failed, so it is told and not removed.
        repaired = team.quantctl("repair", "quant_stg")
        assert repaired.returncode == 0, repaired.stderr
        assert f"another one of that name is in nobody's state: {twin.job_id}" in repaired.stdout
    finally:
        workspace.jobs.delete(twin.job_id or 0)
    fixed = team.quantctl("drift", "quant_stg", "--fix")
    assert fixed.returncode == 0, fixed.stdout + fixed.stderr
    settings = workspace.jobs.get(number).settings
    assert settings is not None and not (settings.webhook_notifications and settings.webhook_notifications.on_failure)
    assert team.keys_accepted("quant_stg") == 1
