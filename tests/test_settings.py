"""The stack configuration: what is refused, and with which words."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import UserError
from infra.settings import Settings, read_settings
from infra.vocabulary import Environment
from tests.paths import ROOT


def config_of(stack: str) -> dict[str, str]:
    """The configuration that the engine gives to the program, from the committed files."""
    shared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    own = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {**{f"quant:{key}": str(value) for key, value in shared.items()}, **own}


def read(stack: str, **changed: str) -> Settings:
    config = {**config_of(stack), **{f"quant:{key}": value for key, value in changed.items()}}
    return read_settings(stack, config, {"QUANT_REMOTE": "file:///remote.git"})


@pytest.mark.parametrize("stack", [e.value for e in Environment])
def test_the_committed_stack_files_are_valid(stack: str) -> None:
    """Each of the four stacks reads as the environment of its name."""
    settings = read(stack)
    assert (settings.environment, settings.branch, settings.folder) == (stack, stack, f"/{stack}")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"branch": "quant"}, ["Pulumi.quant_stg.yaml", "quant:branch", "'quant'", "'quant_stg'"]),
        ({"schema": "quant_live"}, ["quant:schema", "'quant_live'", "'quant_stg'"]),
        ({"folder": "/Shared/quant"}, ["quant:folder", "'quant_stg'"]),
        ({"folder": "relative"}, ["quant:folder", "absolute workspace path", "/quant_stg"]),
        ({"schedules": "sometimes"}, ["quant:schedules", "'sometimes'", "live", "paused"]),
        ({"servicePrincipal": "bob"}, ["quant:servicePrincipal", "UUID"]),
        ({"colour": "red"}, ["quant:colour is not a setting", "schedules"]),
    ],
)
def test_a_wrong_value_names_file_key_found_and_allowed(changed: dict[str, str], words: list[str]) -> None:
    """A reader finds the line to change in the message alone."""
    with pytest.raises(UserError) as raised:
        read("quant_stg", **changed)
    for word in words:
        assert word in str(raised.value)


def test_both_spellings_of_a_workspace_path_declare_one() -> None:
    """The prefix /Workspace is taken off, because the path that the workspace answers has none."""
    assert read("quant_stg", folder="/Workspace/quant_stg").folder == "/quant_stg"


def test_an_unknown_stack_is_refused() -> None:
    """A stack that is no environment names the four that are."""
    with pytest.raises(UserError, match="quant, quant_stg, quant_lr, quant_live"):
        read_settings("prod", {}, {})


def test_no_remote_says_how_to_name_one() -> None:
    """Without a pipelines repository the message says where to write its URL."""
    with pytest.raises(UserError, match="QUANT_REMOTE"):
        read_settings("quant", config_of("quant"), {})


def test_a_malformed_secret_is_not_repeated() -> None:
    """The private key stays out of messages and out of the settings' own text."""
    config = {**config_of("quant"), "quant:serviceUserKey": "hunter2"}
    environ = {"QUANT_REMOTE": "x", "PULUMI_CONFIG_SECRET_KEYS": '["quant:serviceUserKey"]'}
    assert "hunter2" not in repr(read_settings("quant", config, environ))
    with pytest.raises(UserError, match="plain text") as raised:
        read_settings("quant", config, {"QUANT_REMOTE": "x"})
    assert "hunter2" not in str(raised.value)


@given(st.dictionaries(st.sampled_from([*config_of("quant"), "quant:other", "aws:region"]), st.text()))
def test_any_configuration_is_read_or_refused_in_words(changed: dict[str, str]) -> None:
    """No configuration gives anything but settings or a message."""
    try:
        read_settings("quant", {**config_of("quant"), **changed}, {"QUANT_REMOTE": "x"})
    except UserError as error:
        assert str(error)
