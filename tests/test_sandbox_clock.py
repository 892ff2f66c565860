"""The sandbox's clock, and who one is in a shell: what commands show."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import SparkPythonTask, Task

from sandbox import clock, control, identities
from tests.forge_sandbox import Forge

pytest_plugins = ["tests.forge_sandbox"]


def quantctl(forge: Forge, *arguments: str) -> subprocess.CompletedProcess[str]:
    """quantctl on this sandbox."""
    environ = {**os.environ, "QUANT_SANDBOX": str(forge.state.folder), "COLUMNS": "100"}
    command = [sys.executable, "-m", "quantctl.main", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def dates(forge: Forge) -> list[datetime]:
    """The one Date of an answer of the workspace, of the forge, and of git."""
    urls = (forge.endpoints.databricks_host, f"{forge.endpoints.gitlab_url}/api/v4", forge.endpoints.remote_url)
    answers = [requests.get(url + "/info/refs", timeout=5) for url in urls]
    assert all(answer.headers["Date"].count("GMT") == 1 for answer in answers)
    return [parsedate_to_datetime(answer.headers["Date"]) for answer in answers]


def test_the_clock_moves_while_the_sandbox_runs(own_forge: Forge) -> None:
    """Answers, commits and issues are of that day; a restart keeps it, a reset sets it right."""
    near = timedelta(minutes=2)
    assert "the time of this machine" in quantctl(own_forge, "sandbox", "clock").stdout
    assert "2 days, 12:00:00 ahead" in quantctl(own_forge, "sandbox", "clock", "--forward", "2.5").stdout
    later = datetime.now(UTC) + timedelta(days=2.5)
    assert all(abs(date - later) < near for date in dates(own_forge))
    issue = own_forge.project().issues.create({"title": "Later"})
    assert abs(datetime.fromisoformat(issue.created_at) - later) < near
    control.stop(own_forge.state)
    own_forge.endpoints = control.start(own_forge.state)
    assert all(abs(date - later) < near for date in dates(own_forge))
    assert quantctl(own_forge, "sandbox", "clock", "--forward", "-1").returncode != 0
    control.stop(own_forge.state)
    own_forge.state.clear()
    assert clock.ahead(own_forge.state.folder) == 0


def test_a_soak_runs_every_job_each_day(forge: Forge) -> None:
    """Days of runs with commands only; a failed run is told and is the exit status."""
    token = forge.state.tokens()[identities.DEPLOYER_ID]
    client = WorkspaceClient(host=forge.endpoints.databricks_host, token=token, auth_type="pat")
    branch, clone = forge.name("soaked"), forge.clone()
    forge.commit(clone, branch, "quant", {"good.py": "print(1)\n", "bad.py": "raise SystemExit('no data')\n"})
    folder = client.repos.create(forge.endpoints.remote_url, "gitLab", path=f"/Users/{identities.DEPLOYER_ID}/soak")
    client.repos.update(folder.id or 0, branch=branch)
    made = {
        name: client.jobs.create(
            name=f"{env} {name}",
            tasks=[Task(task_key="main", spark_python_task=SparkPythonTask(python_file=f"{folder.path}/{file}"))],
        ).job_id
        for env, name, file in (("quant", "good", "good.py"), ("quant_stg", "other", "good.py"), ("quant", "bad", "bad.py"))
    }
    done = quantctl(forge, "sandbox", "soak", "quant", "--days", "2")
    assert done.returncode == 1
    assert "quant: 4 runs in 2 days, 2 failed" in done.stdout
    assert "day 2: quant bad failed" in done.stderr
    assert "Traceback" not in done.stderr
    runs = [run.start_time or 0 for run in client.jobs.list_runs(job_id=made["good"])]
    assert len(runs) == 2
    assert 23 < (max(runs) - min(runs)) / 3_600_000 < 25
    assert not list(client.jobs.list_runs(job_id=made["other"]))
    assert quantctl(forge, "sandbox", "soak", "quant_stg", "--days", "1").returncode == 0
    assert "No environment is called 'prod'" in quantctl(forge, "sandbox", "soak", "prod", "--days", "1").stderr


def shell(forge: Forge, *options: str, script: str, **environ: str) -> str:
    """What a script shows in a shell that has the exports."""
    exports = quantctl(forge, "env", *options)
    assert exports.returncode == 0, exports.stderr
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["bash", "-euc", exports.stdout + "\n" + script], capture_output=True, text=True, check=False,
        env={**clean, "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": os.devnull, **environ},
    )  # fmt: skip
    return done.stdout + done.stderr


_WHO = 'echo "$QUANT_PERSONA|${GITLAB_TOKEN-none}|${QUANT_GITLAB_URL-none}|$GIT_AUTHOR_EMAIL"'


def test_a_shell_is_a_persona(forge: Forge) -> None:
    """`--as` says who one is; `--gitlab` adds the forge; the token is in no URL."""
    assert shell(forge, "--as", "reviewer", script=_WHO) == "reviewer|none|none|ravi@quant.example\n"
    token, url = forge.state.gitlab_tokens()["rhea"], forge.endpoints.gitlab_url
    shown = shell(forge, "--as", "release_manager", "--gitlab", script=_WHO)
    assert shown == f"release_manager|{token}|{url}|rhea@quant.example\n"
    promoter = shell(forge, "--as", "release_manager", script="echo $QUANT_PROMOTER_TOKEN")
    assert promoter == forge.state.tokens()["rhea@quant.example"] + "\n"
    assert "quant-deployer@quant.example" in shell(forge, "--gitlab", script=_WHO)


def test_git_is_the_persona_too(forge: Forge) -> None:
    """A protected branch takes the release manager's push and not the developer's, with plain `git push`."""
    branch, clone = forge.name("guarded"), forge.clone()
    forge.commit(clone, branch, "quant", {"a": "1"})
    push = f"cd {clone}; git commit -q --allow-empty -m More; git push origin HEAD:refs/heads/{branch}"
    with forge.protected(branch):
        assert "GitLab: You are not allowed to push" in shell(forge, "--as", "developer", "--gitlab", script=push)
        said = shell(
            forge, "--as", "release_manager", "--gitlab", script=push,
            GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="color.ui", GIT_CONFIG_VALUE_0="false",
        )  # fmt: skip
        assert f"HEAD -> {branch}" in said
    assert "Rhea" in forge.must(forge.state.remote, "log", "-1", "--format=%an", branch)


def test_an_earlier_persona_is_over(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    """`quantctl env` without --as takes back what --as has set: git logs in as the deployer again."""
    url = forge.endpoints.gitlab_url
    assert "unset" not in quantctl(forge, "env").stdout
    deployer = base64.b64encode(f"quant-deployer:{forge.state.gitlab_tokens()['quant-deployer']}".encode()).decode()
    monkeypatch.setenv("QUANT_PERSONA", "reviewer")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"http.{url}/.extraHeader")
    said = quantctl(forge, "env").stdout.splitlines()
    login = f"export GIT_CONFIG_VALUE_0='Authorization: Basic {deployer}'"
    assert {"unset QUANT_PERSONA", "unset GITLAB_TOKEN", login} <= set(said)
    # The login takes its old place; the two others say with what one signs.
    said = quantctl(forge, "env", "--as", "developer", "--gitlab").stdout.splitlines()
    assert "export GIT_CONFIG_COUNT=3" in said and any(line.startswith("export GIT_CONFIG_VALUE_0='Auth") for line in said)
    assert any(line.startswith("export GIT_CONFIG_VALUE_") and line.endswith("/signing/developer") for line in said)


def test_a_persona_that_is_not_there(forge: Forge) -> None:
    """Who there is; and who is no user of the forge."""
    for options, words in (
        (("--as", "boss"), ("There is no persona 'boss'", "release_manager", "do next")),
        (("--as", "service_principal:quant", "--gitlab"), ("no user of the forge", "deployer")),
    ):
        done = quantctl(forge, "env", *options)
        assert (done.returncode, done.stdout) == (1, "")
        assert all(word in done.stderr for word in words)


def test_credentials_tell_gitlabs_tokens(forge: Forge) -> None:
    """As JSON only; service principals are no users of the forge."""
    listed = json.loads(quantctl(forge, "sandbox", "credentials", "--format", "json").stdout)
    tokens = {one["persona"]: (one["gitlab_user"], one["gitlab_token"]) for one in listed}
    assert tokens["reviewer"] == ("ravi", forge.state.gitlab_tokens()["ravi"])
    assert tokens["service_principal:quant"] == (None, None)
    assert "glpat-" not in quantctl(forge, "sandbox", "credentials").stdout
