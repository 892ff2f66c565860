"""The stack configuration: what is refused, and with which words."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.access import MATRIX
from infra.errors import UserError
from infra.settings import Settings, read_settings
from infra.vocabulary import Environment
from tests.paths import ROOT

_KEYS = [f"quant:{field.alias or name}" for name, field in Settings.model_fields.items() if name != "environment"]
_WORDS = ["developers", "endUsers", "group", "role", "folder", "job", "schema", "until", "parameters", "size", "username"]


@cache
def config_of(stack: str) -> dict[str, str]:
    """The configuration that the engine gives to the program, from the committed files."""
    shared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    own = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {**{f"quant:{key}": str(value) for key, value in shared.items()}, **own}


def read(stack: str, **changed: str) -> Settings:
    config = {**config_of(stack), **{f"quant:{key}": value for key, value in changed.items()}}
    return read_settings(stack, config, {"QUANT_REMOTE": "http://127.0.0.1/remote.git"})


@pytest.mark.parametrize("stack", [e.value for e in Environment])
def test_the_committed_stack_files_are_valid(stack: str) -> None:
    """Each of the four stacks reads as the environment of its name."""
    settings = read(stack)
    assert (settings.environment, settings.branch, settings.folder) == (stack, stack, f"/{stack}")


WRONG: list[tuple[dict[str, str], list[str]]] = [
    ({"branch": "quant"}, ["Pulumi.quant_stg.yaml", "quant:branch", "'quant'", "'quant_stg'"]),
    ({"schema": "quant_live"}, ["quant:schema", "'quant_live'", "'quant_stg'"]),
    ({"folder": "/Shared/quant"}, ["quant:folder", "'quant_stg'"]),
    ({"folder": "relative"}, ["quant:folder", "absolute workspace path", "/quant_stg"]),
    ({"schedules": "sometimes"}, ["quant:schedules", "'sometimes'", "live", "paused"]),
    ({"servicePrincipal": "bob"}, ["quant:servicePrincipal", "UUID"]),
    ({"colour": "red"}, ["quant:colour is not a setting", "schedules"]),
    ({"gitProvider": "gitlab"}, ["quant:gitProvider", "'gitlab'", "gitLab"]),
    ({"workflows": "../x"}, ["quant:workflows", "'../x'", "for example workflows"]),
    ({"allowedAddresses": '["10.0.0.0/8", "home"]'}, ["quant:allowedAddresses.1", "'home'", "192.0.2.0/24"]),
    ({"servicePrincipal": "00000000-0000-4000-8000-0000000000d0"}, ["quant:servicePrincipal", "quant:deployer"]),
    ({"personas": '{"endUsers": {"group": "users", "role": "X"}}'}, ["quant:personas.endUsers.group", "everybody"]),
    ({"personas": '{"endUsers": {"group": "e", "role": "PUBLIC"}}'}, ["quant:personas.endUsers.role", "everybody"]),
    (
        {"personas": '{"endUsers": {"group": "quant-support", "role": "X"}}'},
        ["quant:personas.support.group", "that of endUsers"],
    ),
    ({"personas": '{"boss": {"group": "g", "role": "X"}}'}, ["quant:personas.boss", "developers"]),
    ({"access": '{"developers": {"folder": "CAN_EDIT"}}'}, ["quant:access.developers.folder", "none, CAN_READ"]),
    ({"access": '{"developers": {"schema": "write"}}'}, ["quant:access.developers.schema", "none, read"]),
    ({"limitedRelease": "{}"}, ["quant:limitedRelease is for the stack quant_lr alone"]),
    ({"developers": "[]"}, ["quant:developers is for the stack quant alone"]),
    ({"managedWarehouse": '{"size": "HUGE"}'}, ["quant:managedWarehouse.size", "'HUGE'", "XSMALL"]),
    ({"managedWarehouse": '{"sizes": "SMALL"}'}, ["quant:managedWarehouse.sizes", "autoSuspendSeconds"]),
    ({"publicKey": "hunter2"}, ["quant:publicKey: found (hidden)", "RSA public key of at least 2048 bits"]),
    ({"activeKey": "1"}, ["quant:activeKey", "quantctl keys rotate quant_stg"]),
    ({"serviceUserKey": "hunter2"}, ["quant:serviceUserKey", "quantctl keys rotate quant_stg"]),
    ({"retentionDays": "91"}, ["quant:retentionDays", "'91'", "90"]),
]


@pytest.mark.parametrize(("changed", "words"), WRONG)
def test_a_wrong_value_names_file_key_found_and_allowed(changed: dict[str, str], words: list[str]) -> None:
    """A reader finds the line to change in the message alone."""
    with pytest.raises(UserError) as raised:
        read("quant_stg", **changed)
    assert "Pulumi.quant_stg.yaml" in str(raised.value)
    for word in words:
        assert word in str(raised.value)


@pytest.mark.parametrize(
    ("remote", "words"),
    [
        ("git@gitlab.example:quant/pipelines.git", ["quant:remote", "http or https"]),
        ("file:///srv/pipelines.git", ["quant:remote", "https://gitlab.example/quant/pipelines.git"]),
        ("https://me:hunter2@gitlab.example/x.git", ["quant:remote", "without user name and password"]),
    ],
)
def test_a_remote_that_a_git_folder_cannot_clone_is_refused(remote: str, words: list[str]) -> None:
    """Neither SSH nor a file, nor a password that would stand in the state; it is not repeated."""
    with pytest.raises(UserError) as raised:
        read_settings("quant", config_of("quant"), {"QUANT_REMOTE": remote})
    for word in words:
        assert word in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_retention_needs_no_enterprise_edition_unless_one_asks() -> None:
    config = {key: value for key, value in config_of("quant_live").items() if key != "quant:retentionDays"}
    assert read_settings("quant_live", config, {"QUANT_REMOTE": "http://127.0.0.1/remote.git"}).retention_days == 1
    assert read("quant_live", retentionDays="0").retention_days == 0


def test_both_spellings_of_a_workspace_path_declare_one() -> None:
    """The prefix /Workspace is taken off, because the path that the workspace answers has none."""
    assert read("quant_stg", folder="/Workspace/quant_stg").folder == "/quant_stg"


def test_numbers_come_as_text() -> None:
    """The engine hands plain values over as text."""
    assert read("quant", retentionDays="5").retention_days == 5


def test_an_unknown_stack_is_refused() -> None:
    """A stack that is no environment names the four that are."""
    with pytest.raises(UserError, match="quant, quant_stg, quant_lr, quant_live"):
        read_settings("prod", {}, {})


def test_no_remote_says_how_to_name_one() -> None:
    """Without a pipelines repository the message says where to write its URL."""
    with pytest.raises(UserError, match="QUANT_REMOTE"):
        read_settings("quant", config_of("quant"), {})


def test_a_malformed_secret_is_not_repeated() -> None:
    """A secret stays out of messages and out of the settings' own text."""
    config = {**config_of("quant"), "quant:gitToken": "hunter2"}
    environ = {"QUANT_REMOTE": "http://127.0.0.1/remote.git", "PULUMI_CONFIG_SECRET_KEYS": '["quant:gitToken"]'}
    assert "hunter2" not in repr(read_settings("quant", config, environ))
    with pytest.raises(UserError, match="plain text") as raised:
        read_settings("quant", config, {"QUANT_REMOTE": "http://127.0.0.1/remote.git"})
    assert "hunter2" not in str(raised.value)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_WORDS) | st.text(max_size=8), inner),
    max_leaves=6,
)
_texts = st.text() | _values.map(json.dumps) | st.sampled_from(["[", "{", "null", "2020-02-30", "/Workspace"])


@settings(max_examples=10 * settings().max_examples, deadline=None)
@given(st.sampled_from(list(Environment)), st.dictionaries(st.sampled_from([*_KEYS, "quant:other", "aws:region"]), _texts))
def test_any_configuration_is_read_or_refused_in_words(stack: Environment, changed: dict[str, str]) -> None:
    """No configuration gives anything but settings or a message; and what is read is never wider than the matrix."""
    environ = {"QUANT_REMOTE": "http://127.0.0.1/remote.git", "PULUMI_CONFIG_SECRET_KEYS": json.dumps(_KEYS)}
    try:
        found = read_settings(stack, {**config_of(stack), **changed}, environ)
    except UserError as error:
        assert str(error)
    else:
        assert set(found.row) <= set(MATRIX[stack])
        for persona, mine in found.row.items():
            most = MATRIX[stack][persona]
            for level in ("folder", "job", "schema"):
                kind: Any = type(getattr(mine, level))
                order = list(kind)  # from least to most
                assert order.index(getattr(mine, level)) <= order.index(getattr(most, level)), (persona, level)
