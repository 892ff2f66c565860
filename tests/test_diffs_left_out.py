"""Previewed both ways: where the providers' Diffs are left out, they would have said nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quantctl.engine import diffs, settled
from tests.conftest import Team

Json = dict[str, Any]
_SECRET = settled._SECRET
_BESIDE = ("id", "urn", "__defaults", "__meta", "__pulumi_raw_state_delta", "showOutputs", "describeOutputs", "parameters")


def another(value: Any) -> Any:
    """A value of the same kind that is not this one; None where none can be made."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return {"true": "false", "false": "true", "default": "true"}.get(value, f"{value}X")
    if isinstance(value, list) and value:
        return value[:-1] or None
    if isinstance(value, dict) and value and _SECRET not in value:
        key = next(iter(key for key in value if key != "__defaults"), "")
        changed = another(value.get(key))
        return None if changed is None else {**value, key: changed}
    return None


def custom(state: Json) -> list[Json]:
    """The resources that a provider has."""
    listed = state["deployment"]["resources"]
    return [one for one in listed if one.get("custom") and not one["type"].startswith("pulumi:providers:")]


def outputs_only(number: int) -> Callable[[Json], bool]:
    """As a refresh records drift that no input shows: the n-th property that was answered is another one."""

    def change(one: Json) -> bool:
        names = [name for name in sorted(one["outputs"]) if name not in _BESIDE]
        if len(names) <= number or (changed := another(one["outputs"][names[number]])) is None:
            return False
        one["outputs"][names[number]] = changed
        return True

    return change


def both(number: int) -> Callable[[Json], bool]:
    """As a refresh records drift of what was declared: the n-th input is another one, there and in the outputs."""

    def change(one: Json) -> bool:
        names = [name for name in sorted(one["inputs"]) if name not in _BESIDE]
        if len(names) <= number or (changed := another(one["inputs"][names[number]])) is None:
            return False
        one["inputs"][names[number]] = one["outputs"][names[number]] = changed
        return True

    return change


def undeclared(one: Json) -> bool:
    """As an import or a refresh records what somebody added by hand."""
    free = {"comment": "by hand", "description": "by hand", "tags": {"by": "hand"}}
    names = [name for name in free if name in one["outputs"] and name not in one["inputs"]]
    for name in names:
        one["outputs"][name] = free[name]
    return bool(names)


def imported(one: Json) -> bool:
    """As an import leaves it: whatever was read stands among the inputs, declared or not."""
    beside = {*_BESIDE, *settled._ANSWERED[one["type"]], *one["inputs"]}
    read = {name: value for name, value in one["outputs"].items() if name not in beside and value not in (None, "", [], {})}
    one["inputs"] |= read
    one["importID"] = one["id"]
    return bool(read)


def failed(one: Json) -> bool:
    """As an update leaves what it could not finish."""
    one["initErrors"] = ["it did not become ready"]
    return True


CHANGES: dict[str, Callable[[Json], bool]] = {
    **{f"output {number}": outputs_only(number) for number in (0, 2, 5)},
    "input 1": both(1),
    "undeclared": undeclared,
    "imported": imported,
    "failed": failed,
}


def reasons(team: Team, state: Json, environ: dict[str, str]) -> dict[str, str]:
    """What is said of a state, with everything that it asks."""
    return diffs.reasons(state["deployment"]["resources"], environ)


REFUSED = "the preview as a whole"
THOROUGH = diffs.EVERY  # otherwise the plugins of our build leave some out themselves
OFFICIAL = {**diffs.EVERY, **diffs.LEFT_OUT}  # plugins that leave out none, under an engine that does


def operations(team: Team, stack: str, **changed: str) -> dict[str, str]:
    """URN -> what a preview would do."""
    done = team.pulumi("preview", "--json", "-s", stack, **changed)
    assert '"steps"' in done.stdout, done.stdout + done.stderr
    steps = {step["urn"]: step["op"] for step in json.loads(done.stdout)["steps"]}
    return steps if done.returncode == 0 else {**steps, REFUSED: "error"}


def exported(team: Team, stack: str) -> Json:
    done = team.pulumi("stack", "export", "--show-secrets", "-s", stack)
    state: Json = json.loads(done.stdout)
    return state


def put(team: Team, stack: str, state: Json, folder: Path) -> None:
    file = folder / "state.json"
    file.write_text(json.dumps(state))
    done = team.pulumi("stack", "import", "-s", stack, "--file", str(file))
    assert done.returncode == 0, done.stderr


def unlike(state: Json, thorough: dict[str, str], quick: dict[str, str], told: dict[str, str]) -> list[str]:
    """Resources that both ways see differently, and for which neither they nor what they depend on gave a reason."""
    told_of = set(told)
    for one in state["deployment"]["resources"]:  # in the order of their dependencies
        above = {*one.get("dependencies", ()), one.get("parent"), one.get("provider", "").rpartition("::")[0]}
        if above & told_of:
            told_of.add(one["urn"])
    told_of.add(REFUSED)
    return [urn for urn in thorough if thorough[urn] != quick.get(urn) and urn not in told_of]


@pytest.fixture
def whole(team: Team, tmp_path: Path) -> Iterator[tuple[str, Json]]:
    """A stack and its state, which is put back."""
    stack = "quant_lr"
    state = exported(team, stack)
    try:
        yield stack, state
    finally:
        put(team, stack, state, tmp_path)


@pytest.mark.real
@pytest.mark.parametrize("name", CHANGES)
def test_a_state_previewed_both_ways(
    name: str, team: Team, whole: tuple[str, Json], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One property of every resource is another: what both ways see differently was a reason to leave nothing out."""
    stack, state = whole
    changed = copy.deepcopy(state)
    touched = [one["urn"] for one in custom(changed) if CHANGES[name](one)]
    put(team, stack, changed, tmp_path)
    told = reasons(team, changed, team.environ)
    thorough, quick = operations(team, stack, **THOROUGH), operations(team, stack, **OFFICIAL)
    assert touched
    plain = operations(team, stack)
    # A provider may refuse such a state; what the engine has come to by then is chance.
    both = thorough.keys() & plain.keys() if REFUSED in (thorough.keys() | plain.keys()) else thorough.keys() | plain.keys()
    assert {urn: plain.get(urn) for urn in both} == {urn: thorough.get(urn) for urn in both}
    assert unlike(changed, thorough, quick, told) == []
    if name in ("undeclared", "failed"):
        assert set(touched) <= set(told)


@pytest.mark.real
def test_what_was_deployed_gives_no_reason(team: Team, whole: tuple[str, Json]) -> None:
    """A stack as an update leaves it is previewed without the providers' Diffs, with the same answer; with any property of
    any resource another one, it is not."""
    stack, state = whole
    assert reasons(team, state, team.environ) == {}
    parameters = diffs._parameters(state["deployment"]["resources"], team.environ)
    for one in custom(state):
        for name in one["outputs"]:
            changed = copy.deepcopy(one)
            other = another(changed["outputs"][name])
            if name in _BESIDE or name in settled._ANSWERED[one["type"]] or other is None:
                continue
            changed["outputs"][name] = other
            told = settled.unsettled([changed], parameters, "4000000000000001")
            assert told, f"{one['type']}: another {name} is no reason"
    thorough, quick = operations(team, stack, **THOROUGH), operations(team, stack, **OFFICIAL)
    assert thorough == quick and set(thorough.values()) == {"same"}


@pytest.mark.real
@pytest.mark.parametrize(
    "by_hand, back",
    [
        ("ALTER SCHEMA QUANT.QUANT_LR SET LOG_LEVEL = 'INFO'", "ALTER SCHEMA QUANT.QUANT_LR UNSET LOG_LEVEL"),
        ("ALTER USER SVC_QUANT_LR SET TIMEZONE = 'UTC'", "ALTER USER SVC_QUANT_LR UNSET TIMEZONE"),
    ],
)
def test_a_parameter_that_was_set_in_the_account_is_a_reason(
    by_hand: str, back: str, team: Team, whole: tuple[str, Json]
) -> None:
    """The provider reads parameters in its Diff; so does the decision to leave it out."""
    stack, state = whole
    with team.snowflake("admin") as connection:
        connection.cursor().execute(by_hand)
        try:
            told = reasons(team, state, team.environ)
            thorough, quick = operations(team, stack, **THOROUGH), operations(team, stack, **OFFICIAL)
        finally:
            connection.cursor().execute(back)
    # About the user the engine asks all the same: what ignore_changes names is in the state and in no input.
    assert thorough != quick or "USER" in by_hand, "the provider no longer reads it: the reason is none"
    assert unlike(state, thorough, quick, told) == []


@pytest.mark.real
def test_what_cannot_be_read_is_a_reason(team: Team, whole: tuple[str, Json]) -> None:
    """No account, no workspace: every Diff is asked for."""
    _, state = whole
    nowhere = {**team.environ, "SNOWFLAKE_PORT": "9", "DATABRICKS_HOST": "http://127.0.0.1:9"}
    told = reasons(team, state, nowhere)
    kinds = {one["type"] for one in custom(state) if one["urn"] in told}
    assert {"snowflake:index/schema:Schema", "snowflake:index/serviceUser:ServiceUser", "databricks:index/job:Job"} <= kinds
