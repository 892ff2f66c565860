"""Keys of the service users as a team in the cloud keeps them: secrets of the stack, made by `quantctl keys rotate`."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import Team
from tests.paths import ROOT

pytestmark = pytest.mark.real
STACK = "quant_lr"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project, whose stack files may change."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


def run(checkout: Path, team: Team, *command: str) -> subprocess.CompletedProcess[str]:
    """A command of the copy, in a shell that names no folder of keys."""
    environ = {name: value for name, value in team.environ.items() if name != "QUANT_SERVICE_KEYS"}
    environ["PYTHONPATH"] = str(checkout)
    return subprocess.run(command, cwd=checkout, env=environ, capture_output=True, text=True, timeout=300, check=False)


def quantctl(checkout: Path, team: Team, *arguments: str) -> str:
    done = run(checkout, team, str(ROOT / ".venv" / "bin" / "python"), "-m", "quantctl.main", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def config(checkout: Path) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load((checkout / f"Pulumi.{STACK}.yaml").read_text())["config"]
    return found


def test_keys_are_secrets_of_the_stack(team: Team, checkout: Path) -> None:
    """Made, deployed, rotated and retired; they stand encrypted in the stack file and nowhere else."""
    pulumi = ("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "-s", STACK)
    without = run(checkout, team, *pulumi)
    assert without.returncode != 0
    for word in (f"quantctl keys rotate {STACK}", "quant:serviceUserKey", "QUANT_SERVICE_KEYS"):
        assert word in without.stdout
    try:
        assert f"pulumi up -s {STACK}" in quantctl(checkout, team, "keys", "rotate", STACK, "--yes")
        assert run(checkout, team, *pulumi).returncode == 0
        assert team.keys_accepted(STACK) == 1
        quantctl(checkout, team, "keys", "rotate", STACK, "--yes")
        assert (team.keys_accepted(STACK), config(checkout)["quant:activeKey"]) == (2, "2")
        shown = run(checkout, team, "pulumi", "config", "--show-secrets", "--json", "-s", STACK).stdout
        second = json.loads(shown)["quant:serviceUserKey2"]["value"]
        held = team.workspace("deployer").secrets.get_secret(STACK, "snowflake_private_key").value
        assert second.startswith("-----BEGIN PRIVATE KEY-----") and held
        text = (checkout / f"Pulumi.{STACK}.yaml").read_text()
        assert text.count("secure:") == 2 and "PRIVATE KEY" not in text
        body = second.splitlines()[5]
        traced = run(checkout, team, "pulumi", "preview", "-s", STACK, "-v=9", "--logtostderr", "--logflow")
        assert body not in traced.stdout + traced.stderr
        quantctl(checkout, team, "keys", "retire", STACK, "--yes")
        assert team.keys_accepted(STACK) == 1
        assert body not in run(checkout, team, "pulumi", "stack", "export", "-s", STACK).stdout
    finally:
        team.up(STACK)


def test_a_malformed_key_is_told(team: Team, checkout: Path) -> None:
    """File and key of the setting, and how to make a good one; the value is not repeated."""
    value = "not a key"
    set_ = run(checkout, team, "pulumi", "config", "set", "--secret", "quant:serviceUserKey", value, "-s", STACK)
    assert set_.returncode == 0, set_.stderr
    said = run(checkout, team, "pulumi", "preview", "--non-interactive", "-s", STACK)
    assert said.returncode != 0
    for word in ("Pulumi.quant_lr.yaml", "quant:serviceUserKey", "RSA private key in PEM form"):
        assert word in said.stdout, said.stdout
    assert value not in said.stdout + said.stderr
    assert "Traceback" not in said.stdout + said.stderr


def test_key_files_are_their_owners_only(team: Team) -> None:
    """A rotated key file is readable by its owner alone."""
    for file in Path(team.environ["QUANT_SERVICE_KEYS"]).glob("*.p8"):
        assert file.stat().st_mode & 0o077 == 0, file
