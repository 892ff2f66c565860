"""What a team may add in the settings, by the real engine with the pack: mocks leave out what a provider adds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.vocabulary import Environment, ReadableKind
from tests.conftest import Team
from tests.situations import open_gates

pytestmark = pytest.mark.real
LR = Environment.LIMITED.value
# test_adopt_estate.py has own names, personas and managed groups, test_branch_protection.py GitLab and branch protection.
MORE: dict[str, Any] = {
    "alsoReadable": [kind.value for kind in ReadableKind],
    "allowedAddresses": ["127.0.0.1", "192.0.2.0/24"],
    "gitCredential": {"username": "reader"},
    "managedWarehouse": {"size": "SMALL", "autoSuspendSeconds": 60},
    "access": {"support": {"folder": "none"}},
    "schedules": "paused",
    "secrets": ["vendor_token"],
    "retentionDays": 2,
}


def project(folder: Path) -> Path:
    """One in which every stack says all of it."""
    made = open_gates(folder)
    for env in Environment:
        file = made / f"Pulumi.{env}.yaml"
        said = yaml.safe_load(file.read_text())
        more = {**MORE, "warehouse": f"{env}_WH".upper()}
        if env is Environment.LIVE:  # there another warehouse would replace a protected grant
            del more["warehouse"], more["managedWarehouse"]
        if env is Environment.DEV:
            more["developers"] = ["dana@quant.example"]
        if env is Environment.LIMITED:
            more["limitedRelease"] = {**said["config"]["quant:limitedRelease"], "baseline": True}
        said["config"] |= {f"quant:{key}": value for key, value in more.items()}
        file.write_text(yaml.safe_dump(said))
    return made


def test_the_pack_knows_all_that_a_setting_declares(team: Team, tmp_path: Path) -> None:
    """In each stack; once it is deployed, nothing differs and nothing is drift."""
    own = {"QUANT_PROJECT": str(project(tmp_path)), "QUANT_GIT_TOKEN": "a token of the forge"}
    seen = team.quantctl("preview", **own)
    assert seen.returncode == 0 and "GitCredential" in seen.stdout, seen.stdout + seen.stderr
    done = team.quantctl("up", LR, "--yes", **own)
    assert done.returncode == 0, done.stdout + done.stderr
    again = team.quantctl("preview", LR, "--thorough", **own)
    assert f"nothing changes in {LR}" in again.stdout, again.stdout + again.stderr
    missing = json.loads(team.quantctl("drift", LR, "--format", "json", **own).stdout)
    [finding] = missing["environments"][0]["findings"]
    assert finding["resource"] == f"secret {LR}/vendor_token" and "put-secret" in finding["fix"]
    team.workspace("deployer").secrets.put_secret(LR, "vendor_token", string_value="x")
    clean = team.quantctl("drift", LR, **own)
    assert clean.returncode == 0, clean.stdout + clean.stderr
