"""Where a command acts: any sign of a cloud means the cloud, even where a sandbox runs; else the sandbox serves."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.errors import UserError
from quantctl import where
from tests.paths import ROOT

SANDBOX = {
    "DATABRICKS_HOST": "http://127.0.0.1:1",
    "QUANT_REMOTE": "http://127.0.0.1:2/remote.git",
    "QUANT_TARGET": "sandbox",
}
SIGNS = [
    {"DATABRICKS_HOST": "https://dbc-1.cloud.databricks.com"},
    {"DATABRICKS_TOKEN": "dapi"},
    {"DATABRICKS_CONFIG_PROFILE": "prod"},
    {"ARM_CLIENT_ID": "id"},
    {"SNOWFLAKE_ACCOUNT_NAME": "ACC"},
    {"PULUMI_BACKEND_URL": "s3://state"},
    {"PULUMI_ACCESS_TOKEN": "pul-1"},
]


@pytest.mark.parametrize("runs", [True, False], ids=["a sandbox runs", "no sandbox"])
@pytest.mark.parametrize("sign", SIGNS, ids=lambda sign: next(iter(sign)))
def test_every_sign_of_a_cloud_means_the_cloud(sign: dict[str, str], runs: bool, tmp_path: Path) -> None:
    """Each alone, beside a sandbox that runs or not; the shell's variables stay as they are."""
    found = where.signs(sign, tmp_path / "Pulumi.yaml", tmp_path / "none")
    chosen = where.choose(sign, SANDBOX if runs else None, found)
    assert (chosen.kind, chosen.environ) == ("cloud", sign)
    assert chosen.signs == (next(iter(sign)),)


def test_a_backend_in_the_project_means_the_cloud(tmp_path: Path) -> None:
    """`backend:` in Pulumi.yaml."""
    (tmp_path / "Pulumi.yaml").write_text("name: quant\nbackend: {url: s3://state}\n")
    found = where.signs({}, tmp_path / "Pulumi.yaml", tmp_path / "none")
    assert where.choose({}, SANDBOX, found).kind == "cloud"
    assert found == ("backend: in Pulumi.yaml",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("[DEFAULT]\nhost = https://x\n", True), ("[prod]\nhost = https://x\n", False), ("no ini file", False)],
)
def test_the_default_profile_means_the_cloud(text: str, expected: bool, tmp_path: Path) -> None:
    """Databricks' clients take it when nothing else is said; another profile they take only by its name."""
    (tmp_path / "profiles").write_text(text)
    assert bool(where.signs({}, tmp_path / "Pulumi.yaml", tmp_path / "profiles")) is expected


@pytest.mark.parametrize("empty", [{}, {"DATABRICKS_HOST": ""}, {"PULUMI_HOME": "/x"}, {"DATABRICKSHOST": "x"}])
def test_without_a_sign_the_sandbox_serves(empty: dict[str, str], tmp_path: Path) -> None:
    """An empty variable is none, nor is one of another name; a shell's own PULUMI_ variables do not reach the sandbox."""
    found = where.signs(empty, tmp_path / "Pulumi.yaml", tmp_path / "none")
    chosen = where.choose(empty, SANDBOX, found)
    assert chosen.kind == "sandbox"
    assert {name: chosen.environ.get(name) for name in SANDBOX} == SANDBOX
    assert "PULUMI_HOME" not in chosen.environ


def test_neither_is_an_error_with_the_next_step() -> None:
    """What to do for each of the two."""
    with pytest.raises(UserError, match=r"make up.*docs/cloud\.md"):
        where.choose({}, None, ())


def test_a_shell_that_chose_the_sandbox_is_told_as_that() -> None:
    """After eval "$(quantctl env)" the signs are there, and they are the sandbox's."""
    told = str(where.choose({**SANDBOX, "PULUMI_BACKEND_URL": "file:///x"}, None, ("DATABRICKS_HOST",)))
    assert told == "sandbox: workspace http://127.0.0.1:1, account not named, state file:///x"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, None),
        ({"HTTP_PROXY": "http://proxy:3128"}, "127.0.0.1,localhost,::1"),
        ({"https_proxy": "http://proxy:3128", "no_proxy": "corp.example"}, "corp.example,127.0.0.1,localhost,::1"),
        ({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "127.0.0.1"}, "127.0.0.1"),
        ({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, "*"),
    ],
)
def test_no_proxy_stands_between_engine_and_plugins(given: dict[str, str], expected: str | None) -> None:
    """They talk over loopback: with a proxy and no exception they would fail."""
    assert where.with_loopback(given).get("NO_PROXY", given.get("no_proxy")) == expected


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Path]:
    """A state folder whose sandbox answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        file = tmp_path / where.SHELL_FILE
        here = {"PULUMI_BACKEND_URL": f"file://{tmp_path}/pulumi"}
        host = {"DATABRICKS_HOST": f"http://127.0.0.1:{server.getsockname()[1]}"}
        file.write_text(json.dumps({**SANDBOX, **here, **host}))
        yield tmp_path


@pytest.mark.parametrize(
    ("more", "said"), [({}, "sandbox: workspace http://127.0.0.1"), (SIGNS[2], "cloud: workspace profile prod")]
)
def test_the_first_line_says_where(running: Path, more: dict[str, str], said: str) -> None:
    """On standard error, so that standard output stays a program's."""
    bare = {
        name: value for name, value in os.environ.items() if not name.startswith(("DATABRICKS_", "SNOWFLAKE_", "PULUMI_"))
    }
    environ = {**bare, "QUANT_SANDBOX": str(running), "HOME": str(running), **more}
    program = "from quantctl import where; where.enter(tell=True)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.stderr.startswith(said), done.stderr
    assert done.stdout == ""
