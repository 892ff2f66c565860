"""A state that says managed access where SHOW told that there is none: decided without an engine."""

from __future__ import annotations

from typing import Any

import pytest

from quantctl.drift.changed import engine_findings
from quantctl.drift.steps import Refresh, Step
from quantctl.engine.interrupted import refused
from quantctl.engine.managed_access import corrected

URN = "urn:pulumi:quant::quant::snowflake:index/schema:Schema::schema"


def outputs(wanted: str, *told: str) -> dict[str, Any]:
    shown = [{"options": one} for one in told]
    return {"withManagedAccess": wanted, "showOutputs": shown, "fullyQualifiedName": '"QUANT"."QUANT"', "name": "QUANT"}


@pytest.mark.parametrize(
    ("said", "off"),
    [
        (outputs("true", ""), True),
        (outputs("true", "TRANSIENT"), True),
        (outputs("true", "MANAGED ACCESS"), False),
        (outputs("true", "TRANSIENT, MANAGED ACCESS"), False),
        (outputs("true"), False),  # nothing was shown, so nothing is known
        (outputs("false", ""), False),
        ({"withManagedAccess": "true"}, False),
    ],
)
def test_what_was_shown_wins_over_what_was_wanted(said: dict[str, Any], off: bool) -> None:
    """In the state, so that the next update tries again; and in drift. Nothing else is touched."""
    schema = {"urn": URN, "type": "snowflake:index/schema:Schema", "id": "QUANT", "inputs": {"withManagedAccess": "true"}}
    schema |= {"outputs": {**said, "__pulumi_raw_state_delta": {}}}
    other = {"urn": "u", "type": "databricks:index/job:Job", "inputs": {"a": 1}, "outputs": {"withManagedAccess": "true"}}
    before = {"deployment": {"resources": [schema, other]}}
    made, names = corrected(before)
    assert names == (["QUANT"] if off else [])
    assert (made == before) is not off
    if off:
        first, second = made["deployment"]["resources"]
        assert first["inputs"]["withManagedAccess"] == first["outputs"]["withManagedAccess"] == "false"
        assert second == other and "__pulumi_raw_state_delta" not in first["outputs"]
    found = engine_findings("quant", Refresh((Step(URN, {}, said, said),)))
    assert [(one.property, one.real) for one in found] == ([("withManagedAccess", "false")] if off else [])


def test_a_refused_change_is_one_that_the_engine_noted() -> None:
    """Not one that is to be deleted."""
    left = {"urn": "a", "initErrors": ["no"]}
    assert refused({"resources": [left, {"urn": "b"}, {"urn": "c", "initErrors": ["no"], "delete": True}]}) == [left]
    assert refused({}) == []
