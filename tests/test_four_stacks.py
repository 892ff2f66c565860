"""Four stacks, four identities: the program compares the stack files before it declares anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from infra.errors import UserError
from infra.four_stacks import common, need_different
from infra.vocabulary import Environment
from tests.paths import ROOT

DEV, LIVE = Environment.DEV.value, Environment.LIVE.value
DEPLOYER = "00000000-0000-4000-8000-0000000000d0"


def settings_of(stack: str) -> dict[str, str]:
    number = list(Environment).index(Environment(stack)) + 1
    return {
        "quant:servicePrincipal": f"00000000-0000-4000-8000-00000000000{number}",
        "quant:folder": f"/{stack}",
        "quant:schema": stack,
        "quant:branch": stack,
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project of four stacks that differ, with one deployer."""
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump({"config": {"deployer": {"type": "string", "value": DEPLOYER}}}))
    for stack in map(str, Environment):
        write(tmp_path, stack)
    return tmp_path


def write(root: Path, stack: str, **changed: str) -> None:
    values = {**settings_of(stack), **{f"quant:{key}": value for key, value in changed.items()}}
    (root / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": values}))


def mine(stack: str = DEV, **changed: str) -> dict[str, str]:
    return {**settings_of(stack), "quant:deployer": DEPLOYER, **{f"quant:{key}": value for key, value in changed.items()}}


def test_the_committed_stacks_differ(root: Path) -> None:
    """Four stacks with one deployer are fine, and so are files that are missing."""
    for stack in map(str, Environment):
        need_different(stack, mine(stack), root)
        need_different(stack, mine(stack), ROOT)
    (root / "Pulumi.quant_lr.yaml").unlink()
    need_different(DEV, mine(), root)
    need_different(DEV, mine(), root / "nowhere")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("servicePrincipal", settings_of(LIVE)["quant:servicePrincipal"]),
        ("servicePrincipal", "00000000-0000-4000-8000-00000000000A"),
        ("servicePrincipal", DEPLOYER.upper()),
        ("deployer", settings_of(LIVE)["quant:servicePrincipal"]),
        ("folder", "/quant_live"),
        ("folder", "/Workspace/quant_live/"),
        ("folder", "/quant_live/quant"),
        ("schema", "QUANT_LIVE"),
        ("branch", "quant_live"),
    ],
)
def test_what_two_stacks_have_in_common_names_both_files_and_the_key(root: Path, key: str, value: str) -> None:
    """Whichever of the two is deployed."""
    if value.endswith("A"):
        write(root, LIVE, servicePrincipal=value.lower())
    with pytest.raises(UserError) as raised:
        need_different(DEV, mine(**{key: value}), root)
    said = str(raised.value)
    assert "Pulumi.quant.yaml and Pulumi.quant_live.yaml" in said and f"quant:{key}" in said and value in said


def test_a_neighbour_with_the_same_beginning_is_another_folder(root: Path) -> None:
    """/quant does not lie in /quant_live; a value that is missing or a secret is nothing in common."""
    need_different(DEV, mine(folder="/quant_live_old"), root)
    need_different(DEV, mine(servicePrincipal=""), root)
    (root / "Pulumi.quant_live.yaml").write_text("config: {quant:servicePrincipal: {secure: v1:x}, quant:folder: [a], 7: 8}")
    need_different(DEV, mine(), root)


def test_one_value_for_all_four_is_found_in_the_project_s_file(root: Path) -> None:
    """A principal that stands in Pulumi.yaml alone is everybody's."""
    (root / "Pulumi.yaml").write_text(yaml.safe_dump({"config": {"servicePrincipal": DEPLOYER}}))
    (root / "Pulumi.quant_live.yaml").write_text("config:")
    with pytest.raises(UserError, match="quant:servicePrincipal: found"):
        need_different(DEV, {"quant:servicePrincipal": DEPLOYER}, root)


@pytest.mark.parametrize("text", ["config: [", "config: [1]", "- 1", b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_unknown(root: Path, text: str | bytes) -> None:
    """It does not pass as one that differs."""
    (root / "Pulumi.quant_live.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=r"Pulumi.quant_live.yaml.*unknown"):
        need_different(DEV, mine(), root)


def test_what_is_said_of_it(root: Path) -> None:
    """Word for word, for whoever reads it in a pipeline."""
    files = "Pulumi.quant.yaml and Pulumi.quant_live.yaml: "
    live = {**mine(LIVE), "quant:publicKey2": "KEY"}
    folder, principal = "/Workspace/quant_live", live["quant:servicePrincipal"]
    assert list(common(DEV, mine(folder=folder), LIVE, live)) == [
        f"{files}quant:folder: found '{folder}' in both, expected one for each: it keeps the two environments apart."
    ]
    assert list(common(DEV, mine(deployer=principal), LIVE, live)) == [
        f"{files}quant:deployer of quant is quant:servicePrincipal of quant_live: found '{principal}'; what runs jobs must"
        " not be what deploys them, in any environment."
    ]
    assert list(common(DEV, mine(servicePrincipal=DEPLOYER), LIVE, live)) == [
        f"{files}quant:servicePrincipal of quant is quant:deployer of quant_live: found '{DEPLOYER}'; what runs jobs must"
        " not be what deploys them, in any environment."
    ]
    assert list(common(DEV, mine(publicKey="KEY"), LIVE, live)) == [
        f"{files}quant:publicKey of quant is quant:publicKey2 of quant_live: one key would log in as both service users."
        " Make another: quantctl keys rotate quant."
    ]
    assert list(common(DEV, mine(publicKey="OTHER", publicKey2=""), LIVE, live)) == []
    write(root, LIVE, branch="quant", schema="QUANT")
    with pytest.raises(UserError) as raised:
        need_different(DEV, mine(), root)
    schema, branch, *names = [line.partition(": found")[0] for line in str(raised.value).split("\n")]
    assert (schema, branch) == (f"{files}quant:schema", f"{files}quant:branch")
    assert names and all(name.startswith(f"{files}quant:names.") for name in names)  # they follow from the schema
    for text, words in (
        (
            "config: [1]",
            "Pulumi.quant_live.yaml: config: found no keys and values: whether the stacks differ is unknown. Correct it.",
        ),
        (
            "- 1",
            "Pulumi.quant_live.yaml: config: found no keys and values: whether the stacks differ is unknown. Correct it.",
        ),
    ):
        (root / "Pulumi.quant_live.yaml").write_text(text)
        with pytest.raises(UserError) as refused:
            need_different(DEV, mine(), root)
        assert str(refused.value) == words
    (root / "Pulumi.quant_live.yaml").write_text("config: [")
    with pytest.raises(UserError) as unread:
        need_different(DEV, mine(), root)
    said = str(unread.value)
    assert said.startswith("Pulumi.quant_live.yaml cannot be read (while parsing") and "\n" not in said
    assert said.endswith("): whether the stacks differ is unknown. Correct it.")


def test_shared_values_have_defaults(root: Path) -> None:
    """A project's file may give a value or a default; the stack file wins over both."""
    shared = {"servicePrincipal": {"type": "string", "default": DEPLOYER}, "quant:folder": {"value": "/quant"}}
    (root / "Pulumi.yaml").write_text(yaml.safe_dump({"config": shared}))
    (root / "Pulumi.quant_live.yaml").write_text("config: {quant:folder: /quant_live}")
    with pytest.raises(UserError, match="quant:servicePrincipal: found") as raised:
        need_different(DEV, {"quant:servicePrincipal": DEPLOYER, "quant:folder": "/quant"}, root)
    assert "quant:folder" not in str(raised.value)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("serviceRole", "QUANT_LIVE_SVC"),
        ("serviceUser", "svc_quant_live"),
        ("writerRole", "QUANT_LIVE_READER"),
        ("secretScope", "quant_live"),
    ],
)
def test_a_name_of_another_environment_is_refused(root: Path, key: str, name: str) -> None:
    """Development must not log in as production, hold its roles or read its secrets, whether its file is there or not."""
    for _ in ("there", "missing"):
        with pytest.raises(UserError, match=f"quant:names.{key} of {DEV}: found"):
            need_different(DEV, mine(names=json.dumps({key: name})), root)
        (root / f"Pulumi.{LIVE}.yaml").unlink(missing_ok=True)


def test_names_that_only_one_environment_has_are_its_own(root: Path) -> None:
    """A team's own names are taken as they are, and compared with those that the others have instead of the usual ones."""
    own = {"serviceRole": "PIPELINES_DEV", "secretScope": "pipelines-dev"}
    need_different(DEV, mine(names=json.dumps(own), schema="PIPELINES_DEV"), root)
    write(root, LIVE, names=json.dumps({"serviceRole": "PIPELINES_DEV"}))
    with pytest.raises(UserError, match=r"names\.serviceRole"):
        need_different(DEV, mine(names=json.dumps(own)), root)
