"""The command line, as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantctl.engine import process
from sandbox import control
from sandbox.state import State


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("it's a sandbox")
    yield made
    control.stop(State(made))


def quantctl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "QUANT_SANDBOX": str(folder), "COLUMNS": "100"}
    command = [sys.executable, "-m", "quantctl.main", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def test_no_sandbox_is_an_error_with_the_next_step(tmp_path: Path) -> None:
    answer = quantctl(tmp_path / "none", "env")
    assert answer.returncode == 1
    assert "do next" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not answer.stdout


def test_start_status_and_credentials(folder: Path) -> None:
    assert quantctl(folder, "sandbox", "start").returncode == 0
    assert quantctl(folder, "sandbox", "status").returncode == 0
    listed = json.loads(quantctl(folder, "sandbox", "credentials", "--format", "json").stdout)
    personas = {one["persona"] for one in listed}
    assert {"developer", "admin", "deployer", "service_principal:quant_live"} <= personas
    services = [one for one in listed if one["persona"].startswith("service_principal:")]
    assert [one["snowflake_key_file"] for one in services] == [None] * 4  # until an update has made one
    assert all(Path(one["snowflake_key_file"]).is_file() for one in listed if one not in services)
    table = quantctl(folder, "sandbox", "credentials").stdout
    assert "dana@quant.example" in table
    assert not any(one["databricks_token"] in table for one in listed)
    assert max(map(len, table.splitlines())) <= 100


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The operating system's words and the path, and no traceback."""
    (tmp_path / "file").write_text("")
    answer = quantctl(tmp_path / "file" / "state", "sandbox", "start")
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert str(tmp_path / "file") in answer.stderr


def test_a_reader_that_goes_away_is_no_error(folder: Path) -> None:
    """`quantctl schema | head -1` says nothing on standard error."""
    line = f"{sys.executable} -m quantctl.main schema | head -1"
    answer = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert (answer.stdout, answer.stderr) == ("{\n", "")


def test_env_is_valid_shell(folder: Path) -> None:
    quantctl(folder, "sandbox", "start")
    script = quantctl(folder, "env").stdout + '\nprintf "%s|%s" "$SNOWFLAKE_PRIVATE_KEY" "$QUANT_REMOTE"'
    shown = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True).stdout
    key, remote = shown.split("|")
    assert key == (folder / "keys" / "deployer.p8").read_text()
    assert remote.endswith("/remote.git")


def test_help_teaches(folder: Path) -> None:
    shown = quantctl(folder, "--help").stdout
    for word in ("env", "toolchain", "up", "down", "sandbox"):
        assert word in shown


def test_the_engines_warnings_about_plugins_are_not_shown() -> None:
    said = "warning: using pulumi-resource-databricks from $PATH at /x\nResources:\n    3 unchanged\n"
    assert process.quiet(said) == "Resources:\n    3 unchanged"
