"""What a plan was made from: what makes it stale, and what does not; read and written without an engine."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import toolchain
from quantctl import project
from quantctl.engine import process
from quantctl.engine.plan import Facts, Plan, differences, facts, plain_texts, read, state_of, write
from quantctl.engine.process import Done
from quantctl.engine.state import States
from quantctl.errors import UserError
from tests.test_plan import FACTS

REMOTE = "https://git.example/pipelines.git"
STATE = {"deployment": {"resources": [{"urn": "a"}]}}
PROGRAM = {
    "__main__.py": "import infra",
    "infra/a.py": "a = 1",
    "infra/deep/b.py": "b = 1",
    "policy/__main__.py": "serve()",
    "policy/rules/c.py": "c = 1",
}
SETTINGS = {
    "Pulumi.yaml": "name: quant\nconfig:\n  folder: /x\n",
    "Pulumi.quant.yaml": "config:\n  quant:schema: one # a comment\n  quant:token: {secure: v1:abc}\n",
    "policy/allowed.yaml": "references: {quant_live: {paths: [/Volumes/a/b]}}\n",
}
ENVIRON = {
    "DATABRICKS_HOST": "https://me:hunter2@workspace.example",
    "SNOWFLAKE_ACCOUNT_NAME": "main",
    "SNOWFLAKE_HOST": "",
    "HOME": "/home/dana",
}


class Checkout:
    """A checkout and its project in one folder, of which the facts are asked again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked, self.state = folder, [], json.dumps(STATE)  # type: ignore[var-annotated]
        for name, text in {**PROGRAM, **SETTINGS}.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def run(self, arguments: Sequence[str], environ: Mapping[str, str], **_: object) -> Done:
        self.asked.append(([*arguments], dict(environ)))
        return Done(0, self.state, "")

    def facts(self, remote: str = REMOTE) -> Facts:
        return facts("quant", "a" * 40, remote, States(ENVIRON))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    made = Checkout(tmp_path)
    programs = (
        toolchain.Program("pulumi", "3.256.0", tmp_path),
        toolchain.Program("pulumi-language-python", "", tmp_path),
    )
    monkeypatch.setattr(toolchain, "locate", lambda: toolchain.Toolchain("built", None, programs))
    monkeypatch.setattr(process, "run", made.run)
    monkeypatch.setattr(project, "root", lambda: tmp_path)
    monkeypatch.setattr(project, "checkout", lambda: tmp_path)
    return made


def test_the_facts_of_a_checkout(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state is the engine's export; a host is named without a password, and a variable without a value is none."""
    found = checkout.facts()
    assert (found.environment, found.commit, found.state) == ("quant", "a" * 40, state_of(STATE))
    assert checkout.asked == [(["stack", "export", "-s", "quant"], ENVIRON)]
    assert found.targets == {"DATABRICKS_HOST": "https://workspace.example", "SNOWFLAKE_ACCOUNT_NAME": "main"}
    packages = ("pulumi", "pulumi-databricks", "pulumi-snowflake")
    assert found.tools == {"pulumi": "3.256.0", **{f"python package {name}": version(name) for name in packages}}
    assert len({found.state, found.settings, found.program}) == 3
    assert found == checkout.facts()
    monkeypatch.setattr(toolchain, "locate", lambda: None)
    assert "pulumi" not in checkout.facts().tools


SETTINGS_DIFFER = "the settings differ: Pulumi.yaml, Pulumi.quant.yaml, policy/allowed.yaml or QUANT_REMOTE"
PROGRAM_DIFFERS = "the program differs: __main__.py, infra/ or policy/ is another version"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("Pulumi.yaml", "name: quant\nconfig:\n  folder: /y\n", SETTINGS_DIFFER),
        ("Pulumi.yaml", "", SETTINGS_DIFFER),
        ("Pulumi.yaml", "name: other\ndescription: x\nconfig: {folder: /x} # the same\n", None),
        ("Pulumi.quant.yaml", SETTINGS["Pulumi.quant.yaml"].replace("v1:abc", "v1:def"), SETTINGS_DIFFER),
        ("Pulumi.quant.yaml", SETTINGS["Pulumi.quant.yaml"].replace("one", "two"), SETTINGS_DIFFER),
        ("Pulumi.quant.yaml", "config: {quant:token: {secure: v1:abc}, quant:schema: one}", None),
        ("Pulumi.quant.yaml", SETTINGS["Pulumi.quant.yaml"] + "  quant:until: 2026-12-31\n", SETTINGS_DIFFER),
        ("Pulumi.quant_live.yaml", "config: {quant:schema: other}", None),
        ("policy/allowed.yaml", "references: {}", SETTINGS_DIFFER),
        ("policy/allowed.yaml", "[ no YAML", SETTINGS_DIFFER),
        ("__main__.py", "import infra.a", PROGRAM_DIFFERS),
        ("infra/a.py", "a = 2", PROGRAM_DIFFERS),
        ("infra/deep/b.py", "", PROGRAM_DIFFERS),
        ("infra/new.py", "", PROGRAM_DIFFERS),
        ("policy/rules/c.py", "c = 2", PROGRAM_DIFFERS),
        ("policy/rules/d.py", "", PROGRAM_DIFFERS),
        ("infra/notes.txt", "not code", None),
        ("quantctl/x.py", "not the program", None),
    ],
)
def test_a_file_that_changed_makes_a_plan_stale_or_not(checkout: Checkout, name: str, text: str, told: str | None) -> None:
    """By what it says: neither comments nor the order of keys count."""
    before = checkout.facts()
    checkout.write(name, text)
    assert differences(before, checkout.facts()) == ([told] if told else [])


def test_what_moved_from_one_file_to_another_is_another_program(checkout: Checkout) -> None:
    """The names count too, and where one file ends."""
    before = checkout.facts()
    for first, second in (("b = 1", "a = 1"), ("a = 1b", " = 1"), ("", "a = 1b = 1")):
        checkout.write("infra/a.py", first)
        checkout.write("infra/deep/b.py", second)
        assert differences(before, checkout.facts()) == [PROGRAM_DIFFERS]
    checkout.write("infra/a.py", "a = 1")
    checkout.write("infra/deep/b.py", "b = 1")
    for old, new in (("a", "aa"), ("aa", "z")):
        (checkout.folder / f"infra/{old}.py").rename(checkout.folder / f"infra/{new}.py")
        assert differences(before, checkout.facts()) == [PROGRAM_DIFFERS]


def test_another_repository_and_another_state_are_told(checkout: Checkout) -> None:
    """A project without a list of what is allowed is read as one that allows nothing."""
    before = checkout.facts()
    assert differences(before, checkout.facts("https://git.example/other.git")) == [SETTINGS_DIFFER]
    checkout.state = json.dumps({"deployment": {"resources": []}})
    moved = "the state has moved on: somebody has updated, refreshed or edited the stack since the preview"
    assert differences(before, checkout.facts()) == [moved]
    (checkout.folder / "policy/allowed.yaml").unlink()
    assert differences(before, checkout.facts()) == [moved, SETTINGS_DIFFER]


def test_every_difference_is_told_in_order() -> None:
    """What moved, then tools and targets by name; another environment says it all."""
    now = replace(
        FACTS,
        commit="b" * 40,
        state="s",
        settings="t",
        program="p",
        tools={"pulumi": "3.257.0", "a": "1"},
        targets={"SNOWFLAKE_HOST": "x"},
    )
    assert differences(FACTS, now) == [
        "the branch has moved: reviewed was commit aaaaaaaaaaaa, it is at bbbbbbbbbbbb now",
        "the state has moved on: somebody has updated, refreshed or edited the stack since the preview",
        "the settings differ: Pulumi.yaml, Pulumi.quant_stg.yaml, policy/allowed.yaml or QUANT_REMOTE",
        PROGRAM_DIFFERS,
        "another tool: a was not there, is 1",
        "another tool: pulumi was 3.256.0, is 3.257.0",
        "another target: DATABRICKS_HOST was https://a.example, is not there",
        "another target: SNOWFLAKE_HOST was not there, is x",
    ]
    assert differences(FACTS, replace(now, environment="quant")) == ["the plan is of quant_stg, not of quant"]


RESOURCE = {"urn": "a", "inputs": {"x": 1, "y": [{"ciphertext": "v1:a", "z": 1}]}, "protect": True}


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        *(({name: "x"}, True) for name in ("created", "modified", "sourcePosition", "stackTrace")),
        ({"inputs": {"y": [{"ciphertext": "v1:b", "z": 1}], "x": 1}}, True),
        ({"inputs": {"y": [{"z": 1}], "x": 1}}, True),
        ({"inputs": {"y": [{"ciphertext": "v1:a", "z": 2}], "x": 1}}, False),
        ({"inputs": {"x": 1}}, False),
        ({"protect": False}, False),
        ({"outputs": {}}, False),
    ],
)
def test_what_of_a_resource_makes_another_state(changed: dict[str, Any], same: bool) -> None:
    """Everything but times, places and ciphertexts."""
    before, after = ({"deployment": {"resources": [one]}} for one in (RESOURCE, {**RESOURCE, **changed}))
    assert (state_of(before) == state_of(after)) is same


def test_what_is_pending_is_part_of_a_state() -> None:
    """And a state without a deployment, or without resources, is one that has none."""
    empty: list[dict[str, Any]] = [{}, {"deployment": None}, {"deployment": {}}, {"deployment": {"resources": None}}]
    empty.append({"deployment": {"resources": [], "pending_operations": []}})
    assert len(set(map(state_of, empty))) == 1
    pending = [{"deployment": {"pending_operations": [{"b": 1, "a": kind}]}} for kind in ("creating", "deleting")]
    assert len({*map(state_of, pending), state_of({})}) == 3
    assert state_of(pending[0]) == state_of({"deployment": {"pending_operations": [{"a": "creating", "b": 1}]}})


def test_a_plan_file_is_as_it_is_read_elsewhere(tmp_path: Path) -> None:
    """Its format, the title, the facts by name, and Pulumi's own plan."""
    file = tmp_path / "plan.json"
    write(file, Plan(FACTS, "quant_stg would change", {"resourcePlans": {"urn": 1}}))
    assert json.loads(file.read_text()) == {
        "quant-plan": 1,
        "title": "quant_stg would change",
        "facts": {
            "environment": "quant_stg",
            "commit": "a" * 40,
            "state": "state",
            "settings": "settings",
            "program": "program",
            "tools": {"pulumi": "3.256.0"},
            "targets": {"DATABRICKS_HOST": "https://a.example"},
        },
        "plan": {"resourcePlans": {"urn": 1}},
    }


def test_a_plan_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up leaves the plan that was there, and nothing beside it; until it is whole it is hidden."""
    file = tmp_path / "plan.json"
    write(file, Plan(FACTS, "the first", {}))
    seen: list[str] = []

    def full(descriptor: int, *_: object) -> Any:
        seen.extend(sorted(one.name for one in tmp_path.iterdir()))
        os.close(descriptor)
        raise OSError("no space left")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OSError, match="no space left"):
        write(file, Plan(FACTS, "the second", {}))
    assert seen[0].startswith(".plan.json.") and seen[1:] == ["plan.json"]
    assert list(tmp_path.iterdir()) == [file] and read(file, "quant").title == "the first"
    with pytest.raises(OSError, match="none"):
        write(tmp_path / "none" / "plan.json", Plan(FACTS, "x", {}))


def test_a_plan_is_written_beside_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name without a folder is one of this folder."""
    monkeypatch.chdir(tmp_path)
    write(Path("plan.json"), Plan(FACTS, "x", {}))
    assert read(Path("plan.json"), "quant").facts == FACTS


AGAIN = "\n  do next: make one: `quantctl preview quant --save-plan {}`"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "There is no such plan.\n  found: {file}"),
        ("", "This is no plan.\n  found: {file}, which is no JSON"),
        ("[" * 100_000, "This is no plan.\n  found: {file}, which is no JSON"),
        (b"\xff\xfe", "This is no plan.\n  found: {file}, which is no JSON"),
        ("[]", "This is no plan that can be held to.\n  found: format None in {file}\n  expected: a file of quantctl"),
        (
            '{"resourcePlans": {}}',
            "This is no plan that can be held to.\n  found: a plan of Pulumi's own in {file}"
            "\n  expected: a file of quantctl",
        ),
        (
            '{"quant-plan": 9}',
            "This is no plan that can be held to.\n  found: format 9 in {file}\n  expected: a file of quantctl",
        ),
        ('{"quant-plan": 1, "facts": {}}', "The plan is incomplete.\n  found: {file}"),
        ('{"quant-plan": 1, "facts": []}', "The plan is incomplete.\n  found: {file}"),
        ('{"quant-plan": 1}', "The plan is incomplete.\n  found: {file}"),
    ],
)
def test_what_is_no_plan_is_refused_in_words(tmp_path: Path, text: str | bytes | None, said: str) -> None:
    """What was found, and how one is made."""
    file = tmp_path / "plan.json"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError) as refused:
        read(file, "quant")
    assert str(refused.value) == said.format(file=file) + AGAIN.format(file if text is None else "FILE")


def without(name: str) -> Callable[[Any], Any]:
    return lambda plan: plan.pop(name)


def put(part: str, **values: Any) -> Callable[[Any], Any]:
    return lambda plan: plan[part].update(values)


@pytest.mark.parametrize(
    "change",
    [
        without("title"),
        without("plan"),
        lambda plan: plan["facts"].pop("program"),
        lambda plan: plan.update(title=5),
        lambda plan: plan.update(plan=["x"]),
        *(put("facts", **{name: 5}) for name in FACTS.__annotations__),
        put("facts", more="x"),
        put("facts", tools=["pulumi"]),
        put("facts", targets={"DATABRICKS_HOST": {}}),
        put("facts", tools={"pulumi": None}),
    ],
)
def test_a_plan_that_lost_a_part_is_incomplete(tmp_path: Path, change: Callable[[Any], Any]) -> None:
    """Whatever part it is, or of another kind: the file is anybody's."""
    file = tmp_path / "plan.json"
    write(file, Plan(FACTS, "x", {}))
    plan = json.loads(file.read_text())
    change(plan)
    file.write_text(json.dumps(plan))
    with pytest.raises(UserError, match="The plan is incomplete"):
        read(file, "quant")


def test_ciphertexts_alone_are_taken_out() -> None:
    """However deep; letters stay as they are, so that what is looked for is found."""
    engine = {"a": [{"ciphertext": "v1:a", "b": ["plain", {"secure": "v1:b", "c": "\u00fc"}]}], "d": None, "secured": 1}
    told = [("", "a"), ("a", "b"), ("a.b", "plain"), ("a.b", "c"), ("a.b.c", "\u00fc"), ("", "d"), ("d", "None")]
    assert list(plain_texts(engine)) == [*told, ("", "secured"), ("secured", "1")]
    assert list(plain_texts({"urn:tag": 1})) == [("", "urn:tag"), ("urn:tag", "1")]
