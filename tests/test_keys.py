"""Keys of the service users, as a team in the cloud keeps them: public halves in a file, private ones in the scope."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.service_keys import is_ours, written
from sandbox import sample
from sandbox.state import State
from tests.conftest import Team, shell
from tests.paths import ROOT
from tests.ways_out import carry_out, the_way

pytestmark = pytest.mark.real
STACK, KEY = "quant_lr", "snowflake_private_key"


@pytest.fixture
def checkout(tmp_path: Path, team: Team) -> Path:
    """A copy of the project whose stack file, which may change, holds the deployed keys."""
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
    change(tmp_path, **json.loads((Path(team.environ["QUANT_PUBLIC_KEYS"]) / f"{STACK}.json").read_text()))
    return tmp_path


def change(checkout: Path, **values: object) -> None:
    """Values of the copy's stack file."""
    path = checkout / f"Pulumi.{STACK}.yaml"
    file = yaml.safe_load(path.read_text())
    file["config"] |= {f"quant:{key}": value for key, value in values.items() if value}
    path.write_text(yaml.safe_dump(file))


def without_files_of_keys(team: Team) -> dict[str, str]:
    """A shell that names none, so that the stack file has them."""
    return {name: value for name, value in team.environ.items() if name != "QUANT_PUBLIC_KEYS"}


def run(checkout: Path, team: Team, *command: str) -> subprocess.CompletedProcess[str]:
    """A command of the copy."""
    environ = {**without_files_of_keys(team), "PYTHONPATH": str(checkout)}
    return subprocess.run(command, cwd=checkout, env=environ, capture_output=True, text=True, timeout=300, check=False)


def as_told(printed: str, checkout: Path, team: Team) -> str:
    """A command that was printed, for the copy."""
    return must(carry_out(printed, {**without_files_of_keys(team), "QUANT_PROJECT": str(checkout)}, checkout))


def quantctl(checkout: Path, team: Team, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(checkout, team, str(ROOT / ".venv" / "bin" / "python"), "-m", "quantctl.main", *arguments)


def must(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def up(checkout: Path, team: Team) -> subprocess.CompletedProcess[str]:
    return run(checkout, team, "pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "-s", STACK)


def config(checkout: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((checkout / f"Pulumi.{STACK}.yaml").read_text())["config"]
    return found


def state(checkout: Path, team: Team) -> str:
    return must(run(checkout, team, "pulumi", "stack", "export", "--show-secrets", "-s", STACK))


def held(team: Team) -> str:
    """The private key that the jobs log in with."""
    value = team.workspace(f"service_principal:{STACK}").secrets.get_secret(STACK, KEY).value
    return base64.b64decode(value or "").decode()


def logs_in(team: Team) -> bool:
    with team.snowflake(f"service_principal:{STACK}") as connection:
        return bool(connection.cursor().execute("SELECT 1").fetchone())


def hand_back(team: Team) -> None:
    """What the stack declares is what the other tests' settings say."""
    assert team.quantctl("keys", "rotate", STACK, "--yes").returncode == 0
    assert team.quantctl("keys", "retire", STACK, "--yes").returncode == 0
    assert team.quantctl("drift", STACK).returncode == 0


def test_a_rotation_leaves_the_private_key_in_the_scope_alone(team: Team, checkout: Path) -> None:
    """Rotated and retired while jobs log in; file and state hold public halves; an update with an older file is refused."""
    before, stale = held(team), (checkout / f"Pulumi.{STACK}.yaml").read_text()
    try:
        said = must(quantctl(checkout, team, "keys", "rotate", STACK, "--yes"))
        assert f"Commit Pulumi.{STACK}.yaml" in said
        assert team.keys_accepted(STACK) == 2 and logs_in(team)
        private = held(team)
        assert private != before and private.startswith("-----BEGIN PRIVATE KEY-----")
        exported, file = state(checkout, team), (checkout / f"Pulumi.{STACK}.yaml").read_text()
        for text in (exported, file, said):
            assert "PRIVATE KEY" not in text and private.splitlines()[5] not in text
        assert all(config(checkout)[f"quant:{name}"] in exported for name in ("publicKey", "publicKey2"))

        # Somebody's older checkout, or a pipeline's: it would revoke the key that the jobs hold.
        (checkout / f"Pulumi.{STACK}.yaml").write_text(stale)
        refused = up(checkout, team)
        assert refused.returncode != 0 and "these settings are older" in refused.stdout
        assert team.keys_accepted(STACK) == 2 and logs_in(team)

        must(quantctl(checkout, team, "keys", "retire", STACK, "--yes"))  # what is declared last counts
        assert team.keys_accepted(STACK) == 1 and logs_in(team)
        names = [
            secret.key for secret in team.workspace("deployer").secrets.list_secrets(STACK) if is_ours(secret.key or "")
        ]
        assert len(names) == 2  # the key and its marker
        must(up(checkout, team))
        assert logs_in(team)
    finally:
        hand_back(team)


def test_the_first_key_comes_before_the_first_update(
    checkout: Path, team: Team, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In an environment that is not deployed yet: scope and key are made, and the first update finds them there."""
    folder = tmp_path_factory.mktemp("first")
    base = {**{k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}, "QUANT_SANDBOX": str(folder / "state")}
    program = str(ROOT / ".venv" / "bin" / "quantctl")
    subprocess.run([program, "sandbox", "start"], env=base, check=True, capture_output=True)
    try:
        sample.create(State(folder / "state").remote)
        fresh = Team(shell(base), team.clone, team.credentials)
        file = checkout / f"Pulumi.{STACK}.yaml"
        file.write_text((ROOT / file.name).read_text())
        must(run(checkout, fresh, "pulumi", "stack", "init", STACK, "--no-select", "--non-interactive"))
        refused = up(checkout, fresh)
        assert refused.returncode != 0 and f"quantctl keys rotate {STACK}" in refused.stdout
        must(quantctl(checkout, fresh, "keys", "rotate", STACK, "--yes"))
        assert "is at commit" in must(quantctl(checkout, fresh, "up", STACK, "--yes"))
        assert quantctl(checkout, fresh, "drift", STACK).returncode == 0
    finally:
        subprocess.run([program, "down"], env=base, check=False, capture_output=True)


def test_an_interrupted_rotation_is_resumed(team: Team, checkout: Path) -> None:
    """Killed after the jobs got the new key and before that was noted: drift tells it, retire refuses, rotate goes on."""
    workspace = team.workspace("deployer")
    try:
        must(quantctl(checkout, team, "keys", "rotate", STACK, "--yes"))
        newest = max(
            (secret for secret in workspace.secrets.list_secrets(STACK) if "public_key." in str(secret.key)),
            key=lambda secret: secret.last_updated_timestamp or 0,
        )
        workspace.secrets.delete_secret(STACK, newest.key or "")
        found = json.loads(team.quantctl("drift", STACK, "--format", "json").stdout)
        assert found["exit_status"] == 2
        [finding] = found["environments"][0]["findings"]
        assert (finding["resource"], finding["fix"]) == (f"secret {STACK}/{KEY}", f"quantctl keys rotate {STACK}")
        refused = quantctl(checkout, team, "keys", "retire", STACK, "--yes")
        assert refused.returncode == 1 and "not sure which key the jobs hold" in refused.stderr
        assert team.keys_accepted(STACK) == 2 and logs_in(team)
        said = as_told(finding["fix"], checkout, team)
        assert logs_in(team)
        as_told(the_way(said, "retire"), checkout, team)
        assert logs_in(team)
    finally:
        hand_back(team)


def test_a_key_that_somebody_overwrote_or_took_away_is_found(team: Team) -> None:
    """The deployer need not read the value; a public key that is gone from the user is found too."""
    workspace = team.workspace("deployer")

    def findings() -> set[tuple[str, str]]:
        found = json.loads(team.quantctl("drift", STACK, "--format", "json").stdout)["environments"][0]["findings"]
        return {(one["resource"], one["real"].partition(" ")[0]) for one in found}

    try:
        workspace.secrets.put_secret(STACK, KEY, string_value="another")
        assert findings() == {(f"secret {STACK}/{KEY}", "written")}
        workspace.secrets.delete_secret(STACK, KEY)
        assert findings() == {(f"secret {STACK}/{KEY}", "missing:")}
        assert team.quantctl("keys", "rotate", STACK, "--yes").returncode == 0
        assert findings() == set() and logs_in(team)
        told = written({str(one.key): one.last_updated_timestamp or 0 for one in workspace.secrets.list_secrets(STACK)})
        kept = json.loads((Path(team.environ["QUANT_PUBLIC_KEYS"]) / f"{STACK}.json").read_text())
        column = {1: "RSA_PUBLIC_KEY", 2: "RSA_PUBLIC_KEY_2"}[told.slot((kept["publicKey"], kept["publicKey2"])) or 0]
        with team.snowflake("deployer") as connection:
            connection.cursor().execute(f"ALTER USER SVC_{STACK.upper()} UNSET {column}")
        assert {resource for resource, _ in findings()} == {f"service user SVC_{STACK.upper()}"}
        refused = team.quantctl("keys", "retire", STACK, "--yes")
        assert refused.returncode == 1 and "does not accept the key that the jobs hold" in refused.stderr
        assert team.quantctl("drift", STACK, "--fix").returncode == 0
    finally:
        hand_back(team)


def test_a_retirement_that_fails_takes_nothing_away(team: Team, checkout: Path) -> None:
    """The engine refuses: the settings name both keys again, and both are accepted."""
    try:
        must(quantctl(checkout, team, "keys", "rotate", STACK, "--yes"))
        before = config(checkout)
        change(checkout, remote="https://forge.invalid/none.git")
        broken = run(checkout, team, "env", "-u", "QUANT_REMOTE", str(ROOT / ".venv/bin/python"), "-m", "quantctl.main",
                     "keys", "retire", STACK, "--yes")  # fmt: skip
        assert broken.returncode == 1 and "Traceback" not in broken.stderr
        assert {name: config(checkout)[name] for name in before} == before
        assert team.keys_accepted(STACK) == 2 and logs_in(team)
    finally:
        hand_back(team)


def test_a_state_of_an_earlier_version_gives_its_key_up(team: Team, checkout: Path) -> None:
    """Its secret leaves state and settings, and not the scope: the jobs hold the same key until the new one is there."""
    exported = json.loads(state(checkout, team))
    resources = exported["deployment"]["resources"]
    scope = next(one for one in resources if one["type"] == "databricks:index/secretScope:SecretScope")
    old_key = held(team)
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps(old_key)}
    urn = scope["urn"].replace("secretScope:SecretScope::scope", f"secret:Secret::{KEY}")
    inputs = {"key": KEY, "scope": STACK, "stringValue": secret}
    entry = {**scope, "urn": urn, "type": "databricks:index/secret:Secret", "id": f"{STACK}|||{KEY}", "inputs": inputs,
             "outputs": {**inputs, "lastUpdatedTimestamp": 1}, "dependencies": [scope["urn"]], "protect": True,
             "propertyDependencies": {"scope": [scope["urn"]]}}  # fmt: skip
    place = resources.index(scope) + 1
    for one in resources[place:]:
        if one["type"] == "databricks:index/job:Job":
            one["dependencies"] = [*(one.get("dependencies") or []), urn]
    resources.insert(place, entry)
    (checkout / "old.json").write_text(json.dumps(exported))
    workspace = team.workspace("deployer")
    try:
        must(run(checkout, team, "pulumi", "stack", "import", "--file", "old.json", "-s", STACK))
        for one in workspace.secrets.list_secrets(STACK):
            if one.key != KEY:
                workspace.secrets.delete_secret(STACK, one.key or "")
        file = yaml.safe_load((checkout / f"Pulumi.{STACK}.yaml").read_text())
        key = file["config"].pop("quant:publicKey", None) or file["config"].pop("quant:publicKey2")
        file["config"] |= {"quant:activeKey": 1 if f'"rsaPublicKey": "{key}"' in json.dumps(exported) else 2}
        file["config"] |= {"quant:serviceUserKey": "anything"}
        (checkout / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump(file))
        assert "PRIVATE KEY" in state(checkout, team)
        refused = up(checkout, team)
        assert refused.returncode != 0 and f"quantctl keys rotate {STACK}" in refused.stdout
        assert held(team) == old_key

        must(quantctl(checkout, team, "keys", "rotate", STACK, "--yes"))
        assert "PRIVATE KEY" not in state(checkout, team) and held(team) != old_key and logs_in(team)
        assert not {"quant:serviceUserKey", "quant:activeKey"} & set(config(checkout))
        must(quantctl(checkout, team, "keys", "retire", STACK, "--yes"))
        assert " delete" not in must(run(checkout, team, "pulumi", "preview", "-s", STACK, "--non-interactive"))
        must(up(checkout, team))
        assert logs_in(team)
    finally:
        hand_back(team)
