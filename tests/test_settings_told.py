"""Settings: what is said of a wrong one, word for word (tests/settings_messages.txt), and what a right one is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from infra.errors import UserError
from infra.settings import need_token, persona_names, read_settings
from infra.vocabulary import Environment, Persona
from quantctl.keys.pair import new_pair
from tests.paths import ROOT
from tests.test_settings import WRONG, config_of, read

PLACE = '{"url": "https://gitlab.example", "project": "a/b"}'
FILE = ROOT / "tests" / "settings_messages.txt"
ENVIRON = {"QUANT_REMOTE": "http://127.0.0.1/remote.git"}
LEAK = "ssh-rsa hunter2"
# Beside those of test_settings: the stack, the settings, and the variables of the shell.
MORE: list[tuple[str, dict[str, str | None], dict[str, str]]] = [
    ("prod", {}, {}),
    ("quant_stg", {}, {"QUANT_REMOTE": ""}),
    ("quant_stg", {"branch": "quant", "folder": "/x"}, {}),
    ("quant_stg", {"folder": "/x/quant_stg/y"}, {}),
    ("quant_stg", {"branch": None, "database": None}, {}),
    ("quant_stg", {"colour": "red", "schedules": "off"}, {}),
    ("quant_stg", {"serviceUserKey2": "x"}, {}),
    ("quant_stg", {"activeKey": "x", "serviceUserKey": "y"}, {}),
    ("quant_stg", {"gitToken": "hunter2"}, {}),
    ("quant_stg", {"gitToken": "hunter2"}, {"PULUMI_CONFIG_SECRET_KEYS": '["quant:other"]'}),
    ("quant_stg", {"publicKey": LEAK, "publicKey2": LEAK}, {}),
    ("quant_stg", {"remote": "https://me:hunter2@git.example/x"}, {"QUANT_REMOTE": ""}),
    ("quant_stg", {"schema": "QUANT"}, {}),
    ("quant_lr", {"developers": '["dana@quant.example"]'}, {}),
    ("quant", {"limitedRelease": "{}"}, {}),
    ("quant_lr", {"limitedRelease": '{"until": "soon", "notify": ["nobody"]}'}, {}),
    ("quant_lr", {"limitedRelease": '{"maxDurationSeconds": 59, "users": 5}'}, {}),
    ("quant_stg", {"personas": '{"support": {"group": "Account Users", "role": "X"}}'}, {}),
    ("quant_stg", {"personas": '{"support": {"group": "s", "role": "public"}}'}, {}),
    ("quant_stg", {"personas": '{"support": {"group": "QUANT-developers", "role": "X"}}'}, {}),
    ("quant_stg", {"personas": '{"support": {"group": "s", "role": "quant_developers"}}'}, {}),
    ("quant_stg", {"personas": '{"support": {"group": "s"}}'}, {}),
    ("quant_stg", {"personas": '{"support": {"group": "", "role": "a b"}}'}, {}),
    ("quant_stg", {"names": '{"serviceRole": "quant_support"}'}, {}),
    ("quant_stg", {"names": '{"readerRole": "both", "writerRole": "BOTH"}'}, {}),
    ("quant_stg", {"names": '{"reader": "X"}'}, {}),
    ("quant_stg", {"access": '{"support": {"folder": "CAN_RUN", "job": "CAN_MANAGE", "schema": "own"}}'}, {}),
    ("quant_stg", {"access": '{"support": {"level": "CAN_READ"}}'}, {}),
    ("quant_stg", {"gitlab": '{"project": "a"}'}, {}),
    ("quant_live", {"gitlab": PLACE, "branchProtection": '{"approvals": 0}'}, {}),
    ("quant_live", {"gitlab": PLACE, "branchProtection": '{"x": 0}'}, {}),
    ("quant_stg", {"gates": '{"quant -> quant_lr": {}}'}, {}),
    ("quant_stg", {"gates": '{"quant -> quant_stg": {"soak": 1}}'}, {}),
    ("quant_stg", {"freezes": '[{"environments": ["prod"], "start": "x"}]'}, {}),
    ("quant_stg", {"signers": '{"dana": {"key": "x"}}'}, {}),
    ("quant_stg", {"allowed": '{"clusters": "x", "paths": ["/"], "cluster": []}'}, {}),
    ("quant_stg", {"managedWarehouse": '{"autoSuspendSeconds": 5}'}, {}),
    ("quant_stg", {"personas": "["}, {}),
]  # fmt: skip


def configured(stack: str, changed: dict[str, str | None]) -> dict[str, str]:
    known = config_of(stack if stack in set(Environment) else "quant")
    return {
        key: value for key, value in {**known, **{f"quant:{k}": v for k, v in changed.items()}}.items() if value is not None
    }


def refusal(stack: str, changed: dict[str, str | None], environ: dict[str, str]) -> str:
    with pytest.raises(UserError) as refused:
        read_settings(stack, configured(stack, changed), {**ENVIRON, **environ})
    return str(refused.value)


def test_refusals_are_as_users_read_them() -> None:
    """After a change that was meant: WRITE_MESSAGES=1, and its diff is read. Nothing that may be secret is repeated."""
    cases: list[Any] = [*(("quant_stg", changed, {}) for changed, _ in WRONG), *MORE]
    told = "".join(
        f"{stack} {changed} {environ}\n{refusal(stack, changed, environ)}\n\n" for stack, changed, environ in cases
    )
    said = "".join(refusal(stack, changed, environ) for stack, changed, environ in cases)
    assert "hunter2" not in said
    if os.environ.get("WRITE_MESSAGES"):
        FILE.write_text(told)
    assert told == FILE.read_text()


def test_personas_are_called_by_one_word() -> None:
    """The groups with hyphens, the roles with underscores in capitals."""
    found = {persona.value: (names.group, names.role) for persona, names in persona_names("desk").items()}
    assert found == {
        "developers": ("desk-developers", "DESK_DEVELOPERS"),
        "reviewers": ("desk-reviewers", "DESK_REVIEWERS"),
        "releaseManagers": ("desk-release-managers", "DESK_RELEASE_MANAGERS"),
        "uatTesters": ("desk-uat-testers", "DESK_UAT_TESTERS"),
        "limitedRelease": ("desk-limited-release", "DESK_LIMITED_RELEASE"),
        "endUsers": ("desk-end-users", "DESK_END_USERS"),
        "support": ("desk-support", "DESK_SUPPORT"),
        "comparers": ("desk-comparers", "DESK_COMPARERS"),
    }


def test_a_persona_is_called_as_the_settings_say() -> None:
    """One that they do not name is called as usual."""
    settings = read("quant_stg", personas='{"support": {"group": "Helpers", "role": "helpers"}}')
    assert (settings.names(Persona.SUPPORT).group, settings.names(Persona.SUPPORT).role) == ("Helpers", "helpers")
    assert settings.names(Persona.DEVELOPERS).group == "quant-developers"
    assert (settings.release_managers, settings.uat_testers) == ("quant-release-managers", "quant-uat-testers")


def test_gitlab_s_groups_are_paths_of_their_own() -> None:
    """Where the settings name them, else the personas'."""
    said = {"url": "https://gitlab.example", "project": "a/b", "releaseManagers": "team/rm", "uatTesters": "team/uat"}
    settings = read("quant_live", gitlab=json.dumps(said))
    assert (settings.release_managers, settings.uat_testers) == ("team/rm", "team/uat")
    assert settings.protection.mergers == ("team/rm",) and "team/rm" in settings.protection.approvers


def test_the_shell_wins_over_the_file_and_gives_what_it_lacks() -> None:
    """The remote, the token, the place of GitLab; a token of the file wins, for it belongs to the environment."""
    config = {**config_of("quant"), "quant:remote": "https://git.example/file.git", "aws:region": "eu-west-1"}
    assert read_settings("quant", config, {}).remote == "https://git.example/file.git"
    assert read_settings("quant", config, {"QUANT_REMOTE": "https://git.example/shell.git"}).remote.endswith("shell.git")
    token = {"quant:gitToken": "of the file", "quant:gitCredential": '{"username": "x"}'}
    shell = {**ENVIRON, "QUANT_GIT_TOKEN": "of the shell"}
    assert read_settings(
        "quant", {**config, **token}, {**shell, "PULUMI_CONFIG_SECRET_KEYS": '["quant:gitToken"]'}
    ).git_token == ("of the file")
    del token["quant:gitToken"]
    assert read_settings("quant", {**config, **token}, shell).git_token == "of the shell"
    assert read_settings("quant", config, ENVIRON).git_token is None
    need_token(read_settings("quant", {**config, **token}, shell))
    need_token(read_settings("quant", config, ENVIRON))
    with pytest.raises(UserError) as told:  # who reads only, does without
        need_token(read_settings("quant", {**config, **token}, ENVIRON))
    assert str(told.value) == (
        "Pulumi.quant.yaml: quant:gitCredential has no token: set the secret quant:gitToken"
        " (`pulumi config set --secret quant:gitToken -s quant`) or the environment variable QUANT_GIT_TOKEN."
    )
    place = {"QUANT_GITLAB_URL": "https://gitlab.example", "QUANT_GITLAB_PROJECT": "a/b"}
    found = read_settings("quant", config, {**ENVIRON, **place}).gitlab
    assert found is not None and (found.url, found.project) == ("https://gitlab.example", "a/b")


def test_the_sandbox_s_keys_are_those_of_the_environment(tmp_path: Path) -> None:
    """Its file of public keys wins over the stack file, each environment by its own; elsewhere there are no such files."""
    keys = {stack: new_pair().public for stack in ("quant", "quant_stg")}
    for stack, key in keys.items():
        (tmp_path / f"{stack}.json").write_text(json.dumps({"publicKey": key}))
    sandbox = {**ENVIRON, "QUANT_PUBLIC_KEYS": str(tmp_path), "QUANT_TARGET": "sandbox"}
    for stack, key in keys.items():
        assert read_settings(stack, config_of(stack), sandbox).public_keys == (key, None)
        assert read_settings(stack, config_of(stack), {**sandbox, "QUANT_TARGET": "cloud"}).public_keys == (None, None)


def test_a_schema_that_the_team_had_before_is_kept() -> None:
    """One that is no environment's; its own in any spelling."""
    assert read("quant_stg", schema="positions").schema_ == "positions"
    assert read("quant_stg", schema="QUANT_STG").schema_ == "QUANT_STG"


def test_each_setting_of_one_stack_is_right_there() -> None:
    """And an empty one is as if it were not there at all."""
    limited = read("quant_lr", limitedRelease='{"until": "2026-12-31", "parameters": {"a": "b"}}').limited_release
    assert limited is not None and str(limited.until) == "2026-12-31" and limited.parameters == {"a": "b"}
    assert read("quant", developers='["dana@quant.example"]').developers == ["dana@quant.example"]
    narrowed = read("quant_stg", access='{"support": {"folder": "none"}}')
    assert narrowed.row[Persona.SUPPORT].folder == "none" and narrowed.row[Persona.SUPPORT].job == "CAN_VIEW"
