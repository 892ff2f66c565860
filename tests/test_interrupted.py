"""What a killed update had begun: found in the state, looked for, or left to a person."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from quantctl.engine.interrupted import Operation, identities, in_doubt, pending
from quantctl.errors import UserError

PARENT = "urn:pulumi:quant::quant::quant:index:Environment$quant:databricks:Jobs::jobs"


def creating(type_: str, **inputs: object) -> Operation:
    return Operation("creating", f"{PARENT}${type_}::it", type_, inputs, PARENT, "")


def test_the_state_says_what_had_begun() -> None:
    """Kind, name, inputs, parent and provider of each; a state without any has none, nor has an empty one."""
    resource = {
        "urn": "urn:x::risk_model",
        "type": "databricks:index/job:Job",
        "inputs": {"name": "quant risk_model"},
        "parent": "p",
    }
    [found] = pending({"pending_operations": [{"type": "creating", "resource": resource}]})
    assert (found.kind, found.name, found.inputs["name"], found.parent) == (
        "creating",
        "Job risk_model",
        "quant risk_model",
        "p",
    )
    assert pending({}) == pending({"pending_operations": None}) == []


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (creating("snowflake:index/schema:Schema", database="QUANT", name="QUANT_LR"), ['"QUANT"."QUANT_LR"']),
        (creating("snowflake:index/serviceUser:ServiceUser", name="SVC_QUANT"), ["SVC_QUANT"]),
        (creating("databricks:index/secretScope:SecretScope", name="quant"), ["quant"]),
        (creating("databricks:index/permissions:Permissions", jobId="1"), []),
        (creating("snowflake:index/grantDatabaseRole:GrantDatabaseRole"), []),
        (creating("databricks:index/secret:Secret", key="k"), []),
    ],
)
def test_what_has_a_name_is_known_by_it_and_what_may_be_repeated_is_not_looked_for(
    operation: Operation, expected: list[str]
) -> None:
    """No question to the workspace is needed: the ID follows from what is declared, or creating again changes nothing."""
    assert identities(operation, {}) == expected


def test_what_is_not_known_is_left_to_a_person() -> None:
    """The message holds both commands, with the operation's own type, name and parent."""
    with pytest.raises(UserError, match="looked up by hand") as told:
        identities(creating("databricks:index/group:Group", displayName="x"), {})
    for word in (f"pulumi import databricks:index/group:Group it ID --parent 'parent={PARENT}'", "--clear-pending-creates"):
        assert word in str(told.value)


@pytest.mark.parametrize(
    ("resources", "history", "expected"),
    [
        ([{"custom": True}], [{"kind": "update", "result": "failed", "resourceChanges": {"same": 3}}], True),
        ([{"custom": True}], [{"kind": "destroy", "result": "failed"}], True),
        ([{"custom": True}], [{"kind": "update", "result": "failed", "resourceChanges": {"same": 1}}], False),
        ([{"custom": True}], [{"kind": "update", "result": "succeeded", "resourceChanges": {"same": 3}}], False),
        ([{"custom": True}], [{"no": "entry"}], True),  # what cannot be read is not known to be well
        ([{"type": "pulumi:pulumi:Stack"}], [{"kind": "destroy", "result": "failed"}], False),  # nothing can be there
    ],
)
def test_after_an_update_that_failed_the_state_is_in_doubt(
    resources: list[dict[str, object]], history: list[dict[str, object]], expected: bool
) -> None:
    """A change or a deletion whose answer is lost leaves no pending operation: everything is read again."""
    states: Any = SimpleNamespace(
        exported=lambda _: {"deployment": {"resources": resources}}, history=lambda _: history, environ={}
    )
    assert in_doubt("quant", states) is expected
