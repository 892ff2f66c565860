"""What is declared of results: contracts of tables, and what a change is meant to do to them."""

from __future__ import annotations

import contextlib
import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.workflows import Refused
from quantctl.promotion.soak import identities
from quantctl.results import proposal
from quantctl.results.checks import query_of
from quantctl.results.contract import contract_files, read_contracts
from quantctl.results.declared import change_files, read_changes
from tests.results_world import RETURNS, contract, declarations


def problems(text: str) -> str:
    """What is wrong with a contract."""
    with pytest.raises(Refused) as refused:
        contract(text)
    return str(refused.value)


def test_the_sample_has_a_contract_of_every_table() -> None:
    """Each names its writer, and the standard's own models read it."""
    found = read_contracts(
        declarations("contracts"), ["factor_returns", "risk_model", "positions_snapshot", "signal_report"]
    )
    assert [one.table for one in found] == ["FACTOR_RETURNS", "POSITIONS", "PRICES", "RISK_MODEL", "SIGNAL_REPORT"]
    assert all(one.keys and one.workflow and one.day and one.latency for one in found)
    assert [it.table for it in read_changes(declarations("changes"), found)].count("RISK_MODEL") == 2


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("v3.1.0", "v2.2.2", "line 2: apiVersion: found 'v2.2.2', expected v3.1.0"),
        ("classification:", "clasification:", "Unevaluated properties are not allowed ('clasification' was unexpected)"),
        ("metric: rowCount", "metric: rowcount", "'rowcount' is not one of"),
        ("mustBeGreaterThan: 4", "description: four", "is a required property"),
        ("primaryKey: true, ", "", "no column has primaryKey: true"),
        ("quant.day, value: DAY", "quant.day, value: DATUM", "quant.day: DATUM is no column of the contract"),
        ("quant.day", "quant.days", "quant.days is not known here; did you mean quant.day?"),
        ("relative: 1.0e-9", "relativ: 1.0e-9", "quant.tolerance: expected {absolute"),
        ("relative: 1.0e-9", "relative: -1", "quant.tolerance: expected {absolute"),
        ("unit: d", "unit: fortnights", "latency: expected a number and the unit d or h"),
        ("name: DESK", "name: 'DESK\"; DROP'", "expected a Snowflake identifier"),
        ("name: DESK", "name: RETURN", "the column RETURN stands twice"),
        ("{name: DESK, logicalType: string}", "{name: DESK, logicalType: string, customProperties:"
         " [{property: quant.tolerance, value: {relative: 1}}]}", "quant.tolerance of DESK is for numbers"),
    ],
)  # fmt: skip
def test_a_contract_that_is_wrong_is_refused_with_its_place(before: str, after: str, told: str) -> None:
    """File, line and key; a word that the standard does not know is never passed over."""
    assert before in RETURNS
    said = problems(RETURNS.replace(before, after))
    assert told in said and said.startswith("contracts/t.odcs.yaml")


@pytest.mark.parametrize("text", ["", "- a", "{", "apiVersion: v3.1.0", "schema: 7", "\x00", "a: &a [*a]", "? [1]\n: 2"])
def test_what_is_no_contract_is_told(text: str) -> None:
    """Whatever stands in the file."""
    assert problems(text).startswith("contracts/t.odcs.yaml")


VALUES: list[Any] = [
    None,
    0,
    -1,
    True,
    "",
    "x" * 3000,
    [],
    {},
    [None],
    [1, {}],
    {"a": 1},
    "\u202e",
    float("inf"),
    10**400,
    [[[]]],
]


def test_whatever_stands_in_a_contract_it_is_read_or_refused() -> None:
    """Every value of one, replaced by everything that is none: a contract, or a list of problems, and nothing else."""
    check = "{id: b, metric: duplicateValues, arguments: {properties: [DAY]}, mustBeBetween: [1, 2]}"
    more = f"quality:\n      - {check}\n      - {{id: e"
    whole = yaml.safe_load(RETURNS.replace("quality:\n      - {id: e", more))
    whole["schema"][0]["customProperties"] += [
        {"property": f"quant.{name}", "value": value}
        for name, value in (("limitedBy", {"f": "FACTOR"}), ("inputs", ["RETURNS"]), ("previousDay", {"rowCount": "10 %"}))
    ]
    contract(yaml.safe_dump(whole))
    draw = random.Random(7)
    for way in draw.sample(list(ways(whole)), 60):
        changed = copy.deepcopy(whole)
        owner = changed
        for step in way[:-1]:
            owner = owner[step]
        owner[way[-1]] = draw.choice(VALUES)
        with contextlib.suppress(Refused):
            contract(yaml.safe_dump(changed, allow_unicode=True))


def ways(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*way, key)
        yield from ways(item, (*way, key))


def test_a_name_in_quotes_keeps_its_case() -> None:
    """As Snowflake has it; every other one is in upper case."""
    found = contract(
        RETURNS.replace("name: DESK", "name: desk").replace("name: HELD", "name: held, physicalName: '\"held\"'")
    )
    assert [one.name for one in found.columns] == ["DAY", "FACTOR", "RETURN", "DESK", "held"]


def test_two_contracts_of_one_table_are_refused() -> None:
    """And a workflow that is not there, and inputs without a contract."""
    with pytest.raises(Refused, match="RETURNS has a contract already"):
        read_contracts({f"contracts/{name}.odcs.yaml": RETURNS.encode() for name in "ab"})
    with pytest.raises(Refused, match="did you mean returned"):
        read_contracts({"contracts/a.odcs.yaml": RETURNS.encode()}, ["returned"])
    inputs = RETURNS.replace(
        "{property: quant.day,", "{property: quant.inputs, value: [PRICE]}\n      - {property: quant.day,"
    )
    with pytest.raises(Refused, match="PRICE"):
        read_contracts({"contracts/a.odcs.yaml": inputs.encode()})


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM {object}", "SELECT 1", "SELECT COUNT(*) FROM OTHER", "SELECT COUNT(*) FROM DB.S.QUANT_OBJECT",
        "SELECT COUNT(*) FROM {object}; DROP TABLE T", "SELECT COUNT(*), 1 FROM {object}", "SELECT FROM WHERE",
        "SELECT COUNT(*) FROM {object} JOIN OTHER ON 1 = 1", "SELECT SYSTEM$ABORT_SESSION(1) FROM {object}",
        "SELECT DB.S.SEND(MAX(A)) FROM {object}", "SELECT COUNT(*) FROM {object} WHERE A IN (SELECT B FROM OTHER)",
        "INSERT INTO {object} SELECT 1", "CALL P()", "",
    ],
)  # fmt: skip
def test_a_check_reads_its_own_table_and_nothing_else(query: str) -> None:
    """Its SQL runs with the rights of whoever compares."""
    assert query_of(query, "A")[1].startswith("query: ")


def test_a_check_by_sql_is_taken_with_either_kind_of_placeholder() -> None:
    """{object} and {property} of the standard, ${table} and ${column} of its older words, a CTE of its own."""
    for query in ("SELECT COUNT(*) FROM {object} WHERE {property} < 0", "SELECT COUNT(*) FROM ${table} WHERE ${column} < 0",
                  "WITH X AS (SELECT * FROM {object}) SELECT COUNT(*) FROM X WHERE {property} < 0"):  # fmt: skip
        sql, problem = query_of(query, "A")
        assert (problem, '"A" < 0' in sql, "QUANT_OBJECT" in sql) == ("", True, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("why: x", "expected TABLE.COLUMN or TABLE"),
        ("expect: {RETURNS.RETURN: {rows: 1 %}}", "expected a sentence"),
        ("why: x\nexpect: {RETURN.RETURN: {rows: 1 %}}", "RETURN has no contract; did you mean RETURNS?"),
        ("why: x\nexpect: {RETURNS.RETURNED: {rows: 1 %}}", "RETURNS has no column RETURNED; did you mean RETURN?"),
        ("why: x\nexpect: {RETURNS.RETURN: {rows: many}}", "expected '<= 40 %'"),
        ("why: x\nexpect: {RETURNS.RETURN: {row: 1 %}}", "expected rows, relative, absolute, keys, columns"),
        ("why: x\nexpect: {RETURNS.RETURN: {keys: 1 %}}", "keys and columns are of a table"),
        ("why: x\nmore: y", "a change has the keys why and expect"),
        ("[]", "a change has the keys why and expect"),
    ],
)
def test_a_declared_change_that_is_wrong_is_refused(text: str, told: str) -> None:
    """With what is allowed."""
    with pytest.raises(Refused) as refused:
        read_changes({"changes/x.yaml": text.encode()}, [contract()])
    assert told in str(refused.value)


def test_bounds_are_read_as_they_are_written() -> None:
    """Percent, shares, with and without a sign."""
    text = "why: x\nexpect:\n  RETURNS.RETURN: {rows: '<= 40 %', relative: 0.02, absolute: <=1e-3}\n  RETURNS: {keys: 2%}"
    one, table = read_changes({"changes/x.yaml": text.encode()}, [contract()])
    assert one.tolerance is not None
    assert (one.rows, one.tolerance.relative, one.tolerance.absolute, table.keys) == (0.4, 0.02, 0.001, 0.02)


def test_declarations_end_no_soak() -> None:
    """A contract, or what is declared of a change, is read by no run."""
    before = identities([{"name": "w"}], {"src/a.py": "1"}, "workflows")
    more = {"src/a.py": "1", "contracts/a.odcs.yaml": "2", "changes/b.yaml": "3"}
    assert identities([{"name": "w"}], more, "workflows") == before
    assert identities([{"name": "w"}], more | {"contracts/a.py": "4"}, "workflows") != before
    assert (contract_files(more), change_files(more)) == (["contracts/a.odcs.yaml"], ["changes/b.yaml"])


def test_a_proposal_is_a_contract(tmp_path: Path) -> None:
    """What is written from a table's columns is read again, with the smallest key that holds its day."""
    types = {"DAY": "DATE", "FACTOR": "VARCHAR(16777216)", "RETURN": "FLOAT", "MORE": "VARIANT"}
    assert next(proposal.candidates(types)) == ("DAY",) and ("FACTOR",) not in list(proposal.candidates(types))
    text = proposal.written("RETURNS", types, ("DAY", "FACTOR"))
    found = contract(text)
    assert (found.keys, found.day, found.column("RETURN").tolerance.relative) == (("DAY", "FACTOR"), "DAY", 1e-9)
    assert "No key was found" in proposal.written("RETURNS", types, None)
