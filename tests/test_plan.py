"""Reviewed is what runs: a plan is held to, and what differs stops the update before it changes something."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.errors import UserError as InfraError
from infra.what_if import REVIEWED, WHAT_IF, need_reviewed, what_if
from quantctl.engine import process, stacks
from quantctl.engine.plan import Facts, Plan, differences, facts, plain_texts, read, state_of, write
from quantctl.engine.process import Done
from quantctl.engine.state import States
from quantctl.errors import UserError
from quantctl.text.terminal import Console
from quantctl.update import guarded as update
from quantctl.update.guarded import explained
from tests.conftest import Team
from tests.ways_out import carry_out, the_way

FACTS = Facts(
    "quant_stg", "a" * 40, "state", "settings", "program", {"pulumi": "3.256.0"}, {"DATABRICKS_HOST": "https://a.example"}
)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"commit": "b" * 40}, "the branch has moved: reviewed was commit aaaaaaaaaaaa, it is at bbbbbbbbbbbb now"),
        ({"state": "x"}, "the state has moved on"),
        ({"settings": "x"}, "Pulumi.quant_stg.yaml"),
        ({"program": "x"}, "infra/ or policy/ is another version"),
        ({"tools": {"pulumi": "3.257.0"}}, "another tool: pulumi was 3.256.0, is 3.257.0"),
        ({"tools": {}}, "pulumi was 3.256.0, is not there"),
        ({"targets": {"DATABRICKS_HOST": "https://b.example"}}, "another target: DATABRICKS_HOST was https://a.example"),
        ({"environment": "quant_live", "commit": "b" * 40}, "the plan is of quant_stg, not of quant_live"),
    ],
)
def test_each_difference_is_told(changed: dict[str, Any], words: str) -> None:
    """One sentence, which names what it was and what it is."""
    [told] = differences(FACTS, replace(FACTS, **changed))
    assert words in told
    assert differences(FACTS, FACTS) == []


@pytest.mark.parametrize(
    "name", ["DATABRICKS_HOST", "SNOWFLAKE_ORGANIZATION_NAME", "SNOWFLAKE_ACCOUNT_NAME", "SNOWFLAKE_HOST", "SNOWFLAKE_PORT"]
)
def test_a_plan_is_for_one_workspace_and_one_account(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part of where it leads is a fact of the plan: another organization of the same account name is another place."""
    monkeypatch.setattr(process, "run", lambda *_, **__: Done(0, "{}", ""))
    environs = ({name: value, "HOME": value} for value in ("one", "other"))
    one, other = (facts("quant", "a", "http://x.example/p.git", States(environ)) for environ in environs)
    [told] = differences(one, other)
    assert told == f"another target: {name} was one, is other"


def test_a_state_is_known_by_its_content() -> None:
    """Neither order nor times nor where the program declares it; but every value, and what is pending."""
    one = {
        "urn": "a",
        "inputs": {"x": 1, "y": {"ciphertext": "v1:a"}},
        "modified": "2026-01-01",
        "sourcePosition": "project:///__main__.py#1",
    }
    other = {"urn": "b", "outputs": {}}
    later = {"modified": "2026-02-02", "sourcePosition": "", "inputs": {"x": 1, "y": {"ciphertext": "v1:b"}}}
    state = {"deployment": {"manifest": {"time": "1"}, "resources": [one, other]}}
    again = {
        "deployment": {
            "manifest": {"time": "2"},
            "resources": [other, {**one, **later}],
        }
    }
    assert state_of(state) == state_of(again)
    edited = {"deployment": {"resources": [{**one, "inputs": {"x": 2}}, other]}}
    pending = {"deployment": {"resources": [one, other], "pending_operations": [{"type": "creating"}]}}
    states: list[dict[str, Any]] = [state, edited, pending, {"deployment": {}}, {}]
    assert len({state_of(each) for each in states}) == 4


def test_a_plan_is_one_file(tmp_path: Path) -> None:
    """It comes back as it was, and nobody else may read it; what is no plan is refused with what to do."""
    file = tmp_path / "plan.json"
    plan = Plan(FACTS, "quant_stg would change", {"resourcePlans": {}})
    write(file, plan)
    assert read(file, "quant") == plan
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
    for text in ("", "[]", '{"resourcePlans": {}}', '{"quant-plan": 9}', '{"quant-plan": 1, "facts": {}}'):
        file.write_text(text)
        with pytest.raises(UserError, match="do next"):
            read(file, "quant")
    with pytest.raises(UserError, match="no such plan"):
        read(tmp_path / "none", "quant")


def test_only_encrypted_values_are_no_plain_text() -> None:
    """What is looked through for secrets is all but the ciphertexts."""
    urn = "urn:pulumi:quant::quant::quant:index:Environment$databricks:index/job:Job::risk"
    goal = {"inputDiff": {"adds": {"tags": {"dapi1": "plain"}, "tasks": [{"x": {"ciphertext": "v1:abc"}}]}}}
    engine = {"config": {"quant:gitToken": {"secure": "v1:def"}}, "resourcePlans": {urn: {"goal": goal}}}
    found = dict(reversed(list(plain_texts(engine))))
    assert "v1:" not in str(found)
    assert found["Job risk.goal.inputDiff.adds.tags"] == "dapi1"
    assert found["Job risk.goal.inputDiff.adds.tags.dapi1"] == "plain"


def test_the_program_holds_to_what_it_is_told() -> None:
    """A what-if is previewed only; a reviewed commit is the only one that is declared."""
    assert what_if({}, is_preview=False) is None
    assert what_if({WHAT_IF: "feature"}, is_preview=True) == "feature"
    with pytest.raises(InfraError, match="Nothing was deployed"):
        what_if({WHAT_IF: "feature"}, is_preview=False)
    need_reviewed("quant", "a", {})
    need_reviewed("quant", "a", {REVIEWED: "a"})
    with pytest.raises(InfraError, match="has moved since the review"):
        need_reviewed("quant", "b", {REVIEWED: "a"})


def test_it_is_told_whether_something_was_changed() -> None:
    """A plan that is broken in the engine's preview has changed nothing; later it may have. Other errors stay so."""
    said = (
        "Diagnostics:\n  x (y):\n    error: resource x violates plan: properties changed: ~~a\n\nResources:\n    1 errored"
    )
    early, late = (str(explained("quant", None, said, begun)) for begun in (False, True))
    assert "Nothing was changed" in early and "something may have been changed" in late
    assert "found: error: resource x violates plan: properties changed: ~~a\n" in early
    assert str(explained("quant", None, "Git does not answer", False)) == "Git does not answer"


def test_a_deployment_that_cannot_be_recorded_is_one(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Who may not push tags is told so; the update has happened, and does not fail for it."""

    def refuse(*_: object) -> None:
        raise InfraError("the deployment could not be recorded: not allowed to push tags")

    monkeypatch.setattr(update, "record_updates", refuse)
    monkeypatch.setattr(update, "connect", lambda *_: None)
    made = Plan(FACTS, "nothing changes", {})
    environ = {"QUANT_REMOTE": "http://127.0.0.1/remote.git"}
    update._done("quant", made, stacks.Result("quant", {"updated": 1}), environ, Console())
    shown = capsys.readouterr()
    assert "not allowed to push tags" in shown.err and "quant is deployed" in shown.err
    assert "quant is at commit" in shown.out and "1 updated" in shown.out


def deployed(team: Team) -> str:
    """The commit that the workspace really has."""
    folder = team.git_folder("/quant_stg")
    return str(folder.head_commit_id)


def up(team: Team, plan: Path) -> subprocess.CompletedProcess[str]:
    return team.quantctl("up", "quant_stg", "--plan", str(plan), "--yes")


@pytest.mark.real
def test_reviewed_is_what_runs(team: Team, tmp_path: Path) -> None:
    """A branch that moved, a state that moved and a plan of something else stop the update; the reviewed one runs."""
    before = team.head("quant_stg")
    next_ = team.git("commit-tree", "origin/quant^{tree}", "-p", before, "-m", "What is reviewed")
    team.git("push", "-q", "origin", f"{next_}:refs/heads/reviewed")
    file, old = tmp_path / "plan.json", tmp_path / "old.json"
    preview = team.quantctl("preview", "quant_stg", "--what-if", "reviewed", "--save-plan", str(file))
    assert preview.returncode == 0, preview.stderr
    for who in team.credentials.values():
        assert str(who["databricks_token"]) not in file.read_text()
        assert Path(who["snowflake_key_file"]).read_text().splitlines()[3] not in file.read_text()
    assert "PRIVATE KEY" not in file.read_text()

    # The branch is not where the plan was made for.
    refused = up(team, file)
    assert refused.returncode == 1
    assert f"reviewed was commit {next_[:12]}, it is at {before[:12]} now" in refused.stderr
    assert "Nothing was changed" in refused.stderr and "Traceback" not in refused.stderr

    try:
        team.git("push", "-q", "origin", f"{next_}:refs/heads/quant_stg")
        # The state has moved on: somebody let a resource go unprotected, or protected.
        urn = next(each for each in json.loads(file.read_text())["plan"]["resourcePlans"] if each.endswith("Repo::folder"))
        assert team.pulumi("state", "protect", urn, "--yes", "-s", "quant_stg").returncode == 0
        refused = up(team, file)
        assert refused.returncode == 1
        assert "the state has moved on" in refused.stderr and "the branch has moved" not in refused.stderr
        assert team.pulumi("state", "unprotect", urn, "--yes", "-s", "quant_stg").returncode == 0

        # A plan that names the right commit and was made for something else: the engine sees it before it begins.
        forged = json.loads(file.read_text())
        forged["plan"]["resourcePlans"][urn]["goal"]["inputDiff"]["updates"]["commitHash"] = "0" * 40
        old.write_text(json.dumps(forged))
        refused = up(team, old)
        assert refused.returncode == 1
        assert "violates plan" in refused.stderr and "Nothing was changed" in refused.stderr
        assert deployed(team) == before

        done = up(team, file)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"quant_stg is at commit {next_[:12]}" in done.stdout
        assert deployed(team) == next_
        refused = up(team, file)
        assert refused.returncode == 1 and "the state has moved on" in refused.stderr
        for word in ("--save-plan", "--plan"):
            done = carry_out(the_way(refused.stderr, word), team.environ)
            assert done.returncode == 0, done.stdout + done.stderr
    finally:
        # As a rollback is made: the old tree on top.
        team.git("fetch", "-q", "origin")
        restored = team.git("commit-tree", f"{before}^{{tree}}", "-p", "origin/quant_stg", "-m", "Put it back")
        team.git("push", "-q", "origin", f"{restored}:refs/heads/quant_stg", ":refs/heads/reviewed")
        team.up("quant_stg")
