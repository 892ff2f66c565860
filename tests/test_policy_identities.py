"""Four environments are kept apart by their settings, and the pack reads those of the project that runs."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from rules import allowed, environments, identities, judge, stack_files
from rules.environments import DEVELOPMENT, LIVE, STACKS

from tests.policy_shapes import PRINCIPALS, configured, stack_file

pytestmark = pytest.mark.usefixtures("configured")
_ = configured
STACK = "pulumi:pulumi:Stack"


def said(stack: str, **settings: Any) -> list[str]:
    """What is said of a stack where the engine has these settings of it, beside the committed files."""
    given = {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}
    environments.configure(stack, {f"quant:{key}": value for key, value in given.items()})
    return identities.check(STACK, stack)


@pytest.mark.parametrize(
    ("key", "name", "setting"),
    [
        ("serviceRole", "quant_svc", "names.serviceRole"),
        ("serviceUser", "SVC_QUANT", "names.serviceUser"),
        ("readerRole", "QUANT_READER", "names.readerRole or names.writerRole"),
        ("readerRole", "QUANT_WRITER", "names.readerRole or names.writerRole"),
        ("secretScope", "Quant", "names.secretScope"),
    ],
)
def test_a_name_that_another_environment_has_is_refused(key: str, name: str, setting: str) -> None:
    """In any spelling, with both files and the setting; a name of its own is right."""
    shown = name if key == "secretScope" else name.upper()
    assert said(LIVE, names={key: name}) == [
        f"Pulumi.quant_live.yaml and Pulumi.quant.yaml: quant:{setting}: found {shown!r} in both, expected one for each:"
        " they are kept apart by it."
    ]
    assert said(LIVE, names={key: "desk"}) == []


def test_what_two_have_is_told_of_the_stack_itself() -> None:
    """By the rule's name, whatever else the stack declares."""
    environments.configure(LIVE, {"quant:names": '{"secretScope": "quant"}'})
    urn = f"urn:pulumi:{LIVE}::quant::{STACK}::quant-quant_live"
    [found] = judge.of_resource(urn, STACK, {}, is_protected=False)
    assert (found.rule, found.urn) == ("four-identities", urn)


def test_the_service_role_is_no_persona_s_and_who_reads_does_not_write() -> None:
    """Both would give people the service user's rights."""
    assert said(LIVE, names={"serviceRole": "quant_support"}) == [
        "quant:names.serviceRole: found 'QUANT_SUPPORT', the role of a persona; the jobs have their own."
    ]
    assert said(LIVE, names={"readerRole": "both", "writerRole": "BOTH"}) == [
        "quant:names: found 'BOTH' as readerRole and writerRole; who reads would write."
    ]


def test_every_other_environment_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose file cannot be read is unknown, and hides nothing of the next."""
    for stack in STACKS:
        stack_file(tmp_path, stack)
    stack_file(tmp_path, LIVE, names='{"secretScope": "quant_stg"}', schema="QUANT_STG")
    (tmp_path / "Pulumi.quant.yaml").write_text("config: [")
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    environments.named.cache_clear()
    shared, unread, schema = identities.check(STACK, "quant_stg", tmp_path)
    assert schema == (
        "Pulumi.quant_stg.yaml and Pulumi.quant_live.yaml: quant:schema: found 'quant_stg' in both, expected one for each:"
        " they are kept apart by it."
    )
    assert shared.startswith("Pulumi.quant_stg.yaml and Pulumi.quant_live.yaml: quant:names.secretScope: found 'quant_stg'")
    assert "whether quant_stg and quant differ is unknown" in unread
    stack_files._config.cache_clear()
    (tmp_path / "Pulumi.quant.yaml").write_text("config: {}")
    assert len(identities.check(STACK, "quant_stg", tmp_path)) == 2  # what a file does not say is told in its own stack


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("/quant", "/quant", True),
        ("/quant/", "/Workspace/quant", True),
        ("/quant/", "/quant/quant_live", True),
        ("/desk/quant", "/desk", True),
        ("/quant", "/quant_live", False),
        ("/deskX", "/desk/quant", False),
        ("", "/quant", False),
        (None, "/quant", False),
        ("/quant", None, False),
        (None, None, False),
    ],
)
def test_folders_are_apart(one: str | None, other: str | None, same: bool) -> None:
    """The same one, and one within the other, are not; one that a file does not name is told by other rules."""
    assert identities._same("folder", one, other) is same
    assert identities._same("schema", one, other) is (one is not None and one == other)


def test_the_pack_reads_the_project_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """QUANT_PROJECT says where its files are; settings that differ from theirs are another project's."""
    monkeypatch.setenv("QUANT_PROJECT", str(tmp_path / "elsewhere" / ".."))
    assert environments._root() == tmp_path
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("QUANT_PROJECT", "~/mine")
    assert environments._root() == tmp_path / "mine"
    monkeypatch.delenv("QUANT_PROJECT")
    assert environments._root() == Path(environments.__file__).resolve().parents[2]
    own = str(yaml.safe_load((environments.ROOT / f"Pulumi.{LIVE}.yaml").read_text())["config"]["quant:servicePrincipal"])
    assert said(LIVE, servicePrincipal=own) == [] == said(LIVE, schedules="live")
    [told] = said(LIVE, servicePrincipal=PRINCIPALS[LIVE].replace("0004", "0009"))
    assert told.startswith(f"The pack reads {environments.ROOT}, ") and "set QUANT_PROJECT" in told


def test_a_file_that_is_no_text_is_unreadable(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, and a folder in its place; a missing one says nothing, and one without configuration too."""
    file = tmp_path / "Pulumi.quant.yaml"
    assert stack_files.configuration(tmp_path, DEVELOPMENT) == {} and not stack_files.is_there(tmp_path, DEVELOPMENT)
    for make in (lambda: file.write_bytes(b"config: {a: \xff}"), file.mkdir):
        stack_files._config.cache_clear()
        file.unlink(missing_ok=True)
        make()
        with pytest.raises(stack_files.Unreadable, match=r"Pulumi\.quant\.yaml cannot be read"):
            stack_files.configuration(tmp_path, DEVELOPMENT)
    file.rmdir()
    for text in ("", "encryptionsalt: x", "- a"):
        stack_files._config.cache_clear()
        file.write_text(text)
        assert stack_files.configuration(tmp_path, DEVELOPMENT) == {}


def test_files_say_what_the_engine_would_hand_over(tmp_path: Path) -> None:
    """Texts, and JSON for what has parts; the stack's own wins, what is encrypted or empty is left out."""
    shared = {
        "database": {"value": "D", "default": "no"},
        "warehouse": {"type": "string", "default": "W"},
        "quant:schema": "s",
        "aws:region": "eu-west-1",
        "retentionDays": 5,
        "folder": "/shared",
    }
    own = {
        "quant:folder": "/own",
        "quant:names": {"serviceRole": "r"},
        "quant:gitToken": {"secure": "v1:x"},
        "quant:gitlab": {"secure": "no", "url": "u"},
        "quant:branch": None,
        "quant:limitedRelease": {"until": datetime.date(2026, 12, 31)},
    }
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump({"config": shared}))
    (tmp_path / "Pulumi.quant.yaml").write_text(yaml.safe_dump({"config": own}))
    assert stack_files.configuration(tmp_path, DEVELOPMENT) == {
        "quant:database": "D",
        "quant:warehouse": "W",
        "quant:schema": "s",
        "aws:region": "eu-west-1",
        "quant:retentionDays": "5",
        "quant:folder": "/own",
        "quant:names": '{"serviceRole": "r"}',
        "quant:gitlab": '{"secure": "no", "url": "u"}',
        "quant:limitedRelease": '{"until": "2026-12-31"}',
    }


def test_the_list_says_whose_it_is_and_what_it_takes(tmp_path: Path) -> None:
    """Its own name in a refusal, all three keys, and domains in any spelling."""
    file = tmp_path / "allowed.yaml"
    file.write_text("colour: red")
    with pytest.raises(allowed.Malformed, match=r"^allowed\.yaml: expected the keys mail_domains, references, types only"):
        allowed.read(file)
    file.write_text("{types: {}, references: {quant: {clusters: [X], paths: [/a]}}, mail_domains: [Quant.EXAMPLE]}")
    read = allowed.read(file)
    assert read.references == {"quant": frozenset({"X", "/a"})} and read.mail_domains == {"quant.example"}
    file.write_bytes(b"types: {\xff: any}")
    with pytest.raises(allowed.Malformed, match="cannot be read"):
        allowed.read(file)
