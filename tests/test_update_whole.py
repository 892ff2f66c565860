"""What an update may find, leave or change: decided without an engine."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from quantctl.engine.checkpoint import damage, faults, need_room, need_whole, restore
from quantctl.engine.orphans import Process, end_orphans, orphans
from quantctl.engine.planned import creates_of_plan, creates_of_preview
from quantctl.engine.process import Done, quiet
from quantctl.engine.said import way_out
from quantctl.engine.state import State, state_of
from quantctl.engine.twins import There, Update, Verdict, beside, planned
from quantctl.errors import UserError
from quantctl.update.whole import changes

NOON = datetime.datetime(2026, 11, 25, 12, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)
FAILED = Update(frozenset({"deployer"}), NOON)
WELL = Update(frozenset({"deployer"}), None)
OURS = There("1", NOON + MINUTE, "Deployer")
EARLIER = There("2", NOON - 60 * MINUTE, "deployer")
THEIRS = There("3", NOON + MINUTE, "mallory")
RAN = There("4", NOON + 2 * MINUTE, "deployer", ran=True)


@pytest.mark.parametrize(
    ("there", "update", "unique", "expected"),
    [
        ([], FAILED, True, Verdict()),
        ([OURS], FAILED, True, Verdict(take="1")),
        # A scope and a Git folder do not say when they were made.
        ([There("s")], FAILED, True, Verdict(take="s")),
        ([There("s", like=False)], FAILED, True, "stop"),
        ([OURS], WELL, True, "stop"),
        ([EARLIER], FAILED, True, "stop"),
        ([THEIRS], FAILED, True, "stop"),
        # Two jobs that one lost answer made: one is ours, the other never ran.
        ([OURS, There("5", NOON, "deployer")], FAILED, False, Verdict(take="1", remove=("5",))),
        ([OURS, RAN], FAILED, False, Verdict(take="4", remove=("1",))),
        ([RAN, There("6", NOON, "deployer", ran=True)], FAILED, False, "stop"),
        # A job of our name that somebody else made stops nobody: any number of jobs may have it.
        ([THEIRS], FAILED, False, "tell"),
    ],
)
def test_what_is_where_something_is_about_to_be_created(
    there: list[There], update: Update, unique: bool, expected: Verdict | str
) -> None:
    """Taken in when it is surely ours, removed when it is a second job that never ran, refused otherwise."""
    found = planned("it", there, update, unique=unique)
    if isinstance(expected, Verdict):
        assert found == expected
    else:
        assert getattr(found, expected) and not found.take and not found.remove


def test_a_job_beside_ours_is_removed_only_if_it_is_ours_and_never_ran() -> None:
    """One that ran is told and stops; one of somebody else, or of an update that ended well, is told."""
    assert beside("j", [OURS], FAILED) == Verdict(remove=("1",))
    assert beside("j", [RAN], FAILED).stop and not beside("j", [RAN], FAILED).remove
    for one, update in ((THEIRS, FAILED), (EARLIER, FAILED), (OURS, WELL)):
        found = beside("j", [one], update)
        assert found.tell and not found.remove and not found.stop


def test_what_an_update_would_create_is_read_from_a_plan_and_from_a_preview() -> None:
    """The type, what is declared, and where an import has to put it; components and other steps are left out."""
    goal = {"type": "databricks:index/job:Job", "custom": True, "inputDiff": {"adds": {"name": "n"}}, "parent": "p"}
    plan = {
        "resourcePlans": {
            "u::a": {"goal": {**goal, "provider": "v"}, "steps": ["create"]},
            "u::b": {"goal": {**goal, "custom": False}, "steps": ["create"]},
            "u::c": {"goal": goal, "steps": ["same"]},
        }
    }
    new = {"type": goal["type"], "custom": True, "inputs": {"name": "n"}, "parent": "p", "provider": "v"}
    preview = {"steps": [{"op": "create", "urn": "u::a", "newState": new}, {"op": "update", "urn": "u::c", "newState": new}]}
    [one], [other] = creates_of_plan(plan), creates_of_preview(preview)
    assert one == other
    assert (one.name, one.inputs, one.parent, one.provider) == ("Job a", {"name": "n"}, "p", "v")


def state(folder: str, output: str, *resources: dict[str, Any]) -> State:
    repo = {
        "urn": "u::p::databricks:index/repo:Repo::folder",
        "type": "databricks:index/repo:Repo",
        "custom": True,
        "inputs": {"commitHash": folder},
    }
    stack = {"urn": "u::p::s::s", "type": "pulumi:pulumi:Stack", "outputs": {"commit": output}}
    return state_of({"deployment": {"resources": [stack, repo, *resources]}})


def job(name: str, timeout: int, **more: Any) -> dict[str, Any]:
    kind = "databricks:index/job:Job"
    return {"urn": f"u::p::{kind}::{name}", "type": kind, "custom": True, "inputs": {"timeout": timeout}, **more}


def test_an_update_that_failed_says_what_it_changed() -> None:
    """Where the folder is, which jobs are still of the commit before, what was created, changed, lost and refused."""
    old, new = "a" * 40, "b" * 40
    before = state(old, old, job("x", 1), job("y", 1), job("z", 1))
    after = state(new, old, job("x", 2), job("y", 1, initErrors=["no"]), job("w", 1))
    assert changes(before, after) == [
        f"the folder is at {new[:12]}, 1 job is as at {old[:12]}",
        "created: w",
        "changed: folder, x",
        "no longer in the state: z",
        "failed: y",
    ]
    assert changes(before, before) == []
    assert (before.half, after.half) == (False, True)
    assert after.unfinished == [
        f"half an update: the folder is at {new[:12]}, the rest at {old[:12]}",
        "the last update of y failed",
    ]


BACKEND = "file:///state"


def process(pid: int, parent: int, *words: str, user: int = 1000, backend: str = BACKEND) -> Process:
    return Process(pid, parent, user, words, backend)


def test_only_what_a_killed_engine_left_is_ended() -> None:
    """Plugins, program and policy pack without an engine above; never another user's, another state's or a running one's."""
    left = [
        process(10, 1, "/home/x/plugins/pulumi-resource-databricks", "127.0.0.1:1"),
        process(11, 1, "/venv/bin/python", "/bin/pulumi-language-python-exec", "--engine", "127.0.0.1:1"),
        process(12, 1, "/venv/bin/python", "/project/policy", "127.0.0.1:1"),
        process(13, 10, "/bin/pulumi-language-python", "127.0.0.1:1"),
    ]
    others = [
        process(20, 1, "/bin/pulumi", "up"),
        process(21, 20, "/bin/pulumi-language-python", "127.0.0.1:1"),
        process(22, 21, "/venv/bin/python", "/bin/pulumi-language-python-exec"),
        process(30, 1, "/bin/pulumi-resource-snowflake", user=1001),
        process(31, 1, "/bin/pulumi-resource-snowflake", backend="file:///another"),
        process(32, 1, "/bin/pulumi-resource-snowflake", backend=""),
        process(40, 1, "/venv/bin/python", "/project/policy"),
        process(41, 1, "/bin/bash", "-c", "sleep", "pulumi-resource-x", "pulumi-resource-x"),
    ]
    found = orphans({one.pid: one for one in [*left, *others[:-1]]}, 1000, BACKEND)
    assert [one.pid for one in found] == [10, 11, 12, 13]
    assert orphans({10: process(10, 1, "pulumi-resource-x", backend="")}, 1000, "") == []


URN = "urn:pulumi:quant::quant::{}::{}"
STACK, FOLDER = URN.format("pulumi:pulumi:Stack", "s"), URN.format("databricks:index/repo:Repo", "folder")
PROVIDER = URN.format("pulumi:providers:databricks", "default")


def whole_state() -> dict[str, Any]:
    resources = [
        {"urn": STACK, "type": "pulumi:pulumi:Stack"},
        {"urn": PROVIDER, "type": "pulumi:providers:databricks"},
        {"urn": FOLDER, "parent": STACK, "provider": f"{PROVIDER}::id", "dependencies": [STACK]},
    ]
    return {"version": 3, "checkpoint": {"latest": {"resources": resources}}}


def damaged(kind: str) -> str:
    read = whole_state()
    resources = read["checkpoint"]["latest"]["resources"]
    text = json.dumps(read)
    match kind:
        case "empty":
            return ""
        case "blank":
            return "\0\0\n"
        case "truncated":
            return text[: len(text) // 2]
        case "doubled text":
            return text + text
        case "another file":
            return '{"a": 1}'
        case "a list":
            return "[]"
        case "no resources' names":
            del resources[0]["urn"]
        case "a doubled resource":
            resources.append(resources[2])
        case "no provider":
            del resources[1]
        case "no parent":
            del resources[0]
        case "resources are no list":
            read["checkpoint"]["latest"]["resources"] = {"a": 1}
        case "no checkpoint":
            read["checkpoint"] = None
    return json.dumps(read)


KINDS = (
    *("empty", "blank", "truncated", "doubled text", "another file", "a list", "no resources' names"),
    *("a doubled resource", "no provider", "no parent", "resources are no list", "no checkpoint"),
)


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    """A folder with the state of quant, its newest history and an older backup, as the engine lays them out."""
    of = tmp_path / ".pulumi"
    for place in ("stacks/quant", "history/quant/quant", "backups/quant/quant"):
        (of / place).mkdir(parents=True)
    text = json.dumps(whole_state())
    files = {
        "backups/quant/quant/quant.1.json": ("older", 1000),
        "history/quant/quant/quant-2.checkpoint.json": ("newer", 2000),
        "stacks/quant/quant.json.bak": ("", 3000),
        "stacks/quant/quant.json": ("now", 4000),
    }
    for name, (mark, at) in files.items():
        (of / name).write_text(text.replace('"version": 3', f'"mark": "{mark}"') if mark else "")
        os.utime(of / name, (at, at))
    (of / "stacks/quant/quant.json.attrs").write_text("{}")
    return tmp_path


def environ(backend: Path) -> dict[str, str]:
    return {"PULUMI_BACKEND_URL": f"file://{backend}"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_state_is_told_with_its_newest_good_copy_and_repaired(backend: Path, kind: str) -> None:
    """Twelve kinds of damage; a copy that is damaged too is passed over; what was damaged is kept."""
    file = backend / ".pulumi/stacks/quant/quant.json"
    text = damaged(kind)
    file.write_text(text)
    assert faults(text)
    with pytest.raises(UserError) as told:
        need_whole("quant", environ(backend))
    for word in (str(file), "quant-2.checkpoint.json", "quantctl repair quant"):
        assert word in str(told.value)
    found = damage("quant", environ(backend))
    assert found is not None
    kept = restore(found, NOON)
    assert kept is not None and kept.read_text() == text
    assert json.loads(file.read_text())["mark"] == "newer"
    assert damage("quant", environ(backend)) is None


@pytest.mark.parametrize("text", ["", "{", "\0"])
def test_a_whole_state_beside_which_the_attributes_are_cut_off_is_kept(backend: Path, text: str) -> None:
    """A kill while the file was written: the engine reads neither then, and nothing of the state is lost."""
    attributes = backend / ".pulumi/stacks/quant/quant.json.attrs"
    attributes.write_text(text)
    found = damage("quant", environ(backend))
    assert found is not None and found.attributes_only and "attrs" in str(found)
    assert restore(found, NOON) is None
    assert json.loads((backend / ".pulumi/stacks/quant/quant.json").read_text())["mark"] == "now"
    assert damage("quant", environ(backend)) is None


def test_a_copy_that_holds_nothing_is_the_last_choice(backend: Path) -> None:
    """The one beside a state that was imported is of the empty stack before; it is taken where there is no other."""
    (backend / ".pulumi/stacks/quant/quant.json").write_text("")
    nothing = backend / ".pulumi/stacks/quant/quant.json.bak"
    nothing.write_text(json.dumps({"version": 3, "checkpoint": {"stack": "quant", "latest": None}}))
    found = damage("quant", environ(backend))
    assert found is not None and found.copy is not None and found.copy.name == "quant-2.checkpoint.json"
    for file in backend.rglob("*.[0-9].json"), backend.rglob("*.checkpoint.json"):
        for one in file:
            one.unlink()
    found = damage("quant", environ(backend))
    assert found is not None and found.copy == nothing


def test_without_a_good_copy_nothing_is_replaced(backend: Path) -> None:
    """It is said, and the damaged file stays where it is."""
    for file in backend.rglob("*.json*"):
        file.write_text("")
    found = damage("quant", environ(backend))
    assert found is not None and found.copy is None
    with pytest.raises(UserError, match="no good copy"):
        restore(found, NOON)
    assert found.file.exists()


def test_no_stack_and_another_backend_are_no_damage(backend: Path) -> None:
    """Object storage writes whole objects; a stack that was never made has no file."""
    assert damage("quant_stg", environ(backend)) is None
    assert damage("quant", {"PULUMI_BACKEND_URL": "s3://bucket"}) is None


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("cannot create repo: RESOURCE_ALREADY_EXISTS: /quant already exists", "quantctl repair quant"),
        ("Principal: GroupName(quant-x) does not exist", "create the group"),
        ("Insufficient privileges to operate on schema 'QUANT'", "GRANT OWNERSHIP"),
        ("cannot update repo: Failed to fetch from http://x", "Git credential"),
        ("cannot read repo: RESOURCE_DOES_NOT_EXIST", "pulumi up --refresh -s quant"),
        (
            'unable to replace resource "urn:a$b::c" as part of replacing "urn:x" as it is currently marked for protection.'
            ' resource "urn:d::e" cannot be deleted\nbecause it is protected.',
            "`pulumi state unprotect 'urn:a$b::c' 'urn:d::e' -s quant`",
        ),
        ("something else", "fix what it names"),
    ],
)
def test_a_refusal_is_told_with_what_helps(said: str, words: str) -> None:
    """In commands that are there."""
    assert words in way_out("quant", said)


def test_a_plugin_that_was_left_is_ended_and_another_states_is_not(tmp_path: Path) -> None:
    """Real processes, which whoever started them has left."""
    plugin = tmp_path / "pulumi-resource-left"
    os.mkfifo(waits := tmp_path / "waits")
    plugin.write_text(f"#!/bin/sh\nread line < {waits}\n")  # without a child, which for a moment would look like another one
    plugin.chmod(0o755)
    started = {}
    for name in ("ours", "another"):
        environ = {**os.environ, "PULUMI_BACKEND_URL": f"file:///{tmp_path.name}/{name}"}
        words = ["sh", "-c", f'setsid "{plugin}" >/dev/null 2>&1 & echo $!']
        started[name] = int(subprocess.run(words, env=environ, capture_output=True, text=True, check=True).stdout)
    told: list[str] = []
    try:
        assert end_orphans({"PULUMI_BACKEND_URL": f"file:///{tmp_path.name}/ours"}, told.append) == 1
        assert told == ["ended 1 process that an update left which was killed (pulumi-resource-left)"]
        assert end_orphans({"PULUMI_BACKEND_URL": f"file:///{tmp_path.name}/ours"}, told.append) == 0
        os.kill(started["another"], 0)
    finally:
        os.kill(started["another"], signal.SIGKILL)


def test_an_update_is_not_begun_where_the_states_have_no_room(backend: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full in the middle of an update leaves half a state; a dozen copies of it must fit."""
    need_room("quant", environ(backend))
    usage = shutil.disk_usage(backend)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=3_000_000))
    with pytest.raises(UserError, match="nearly full: nothing was begun") as told:
        need_room("quant", environ(backend))
    assert "3.0 MB free" in str(told.value) and "free some space" in str(told.value)


def test_a_policy_that_refuses_is_part_of_the_reason() -> None:
    """The engine's own error says no more than that the update failed."""
    said = "Policies:\n        - [mandatory]  owned-jobs  (databricks:index:Job: risk_model)\n    error: update failed\n"
    assert Done(255, said, "").reason == "[mandatory] owned-jobs (databricks:index:Job: risk_model); update failed"


def test_the_cause_is_told_and_not_what_a_plan_misses_after_it() -> None:
    """An engine that is cut short by a plan names each resource that it did not reach; alone, those lines are the cause."""
    unseen = (
        "      databricks:index:Job (risk_model):\n"
        "        error: expected resource operations for urn:pulumi:quant_stg::quant::x::risk_model but none were seen\n"
    )
    cause = "    error: writing snapshot: no space left on device\n"
    assert quiet(f"Diagnostics:\n{unseen}{unseen}{cause}") == f"Diagnostics:\n{cause}".rstrip("\n")
    assert "none were seen" in quiet(f"Diagnostics:\n{unseen}")
    assert way_out("quant_stg", cause).startswith("free space where the states lie; `quantctl repair quant_stg`")
