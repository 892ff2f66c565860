"""Results, decided without an account: contracts, declared changes, what code a table depends on, signatures, the gate."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from infra.outside.workspace import Run
from infra.workflows import Refused
from quantctl.promotion.gates import Unknown
from quantctl.promotion.soak import identities
from quantctl.records.deployments import Record
from quantctl.results import noise, proposal
from quantctl.results.as_before import as_before
from quantctl.results.causes import cause_of
from quantctl.results.checks import query_of
from quantctl.results.closure import closure
from quantctl.results.contract import contract_files, read_contracts
from quantctl.results.declared import change_files, read_changes
from quantctl.results.history import by_inputs
from quantctl.results.markdown import markdown
from quantctl.results.model import Cause, Expected, Looked, Why
from quantctl.results.page import page
from quantctl.results.recorded import run_again
from quantctl.results.release_note import Release, note
from quantctl.results.report import parsed
from tests.paths import ROOT
from tests.results_samples import DAYS, HERE, THERE, report, signed
from tests.results_world import CHANGED, FIRST, PAIR, RETURNS, SAME, contract, days, night, quiet

SAMPLE = ROOT / "examples" / "pipelines"


def files(folder: str) -> dict[str, bytes]:
    """What the sample declares."""
    return {str(path.relative_to(SAMPLE)): path.read_bytes() for path in (SAMPLE / folder).glob("*")}


def problems(text: str) -> str:
    """What is wrong with a contract."""
    with pytest.raises(Refused) as refused:
        contract(text)
    return str(refused.value)


# Contracts.
def test_the_sample_has_a_contract_of_every_table() -> None:
    """Each names its writer, and the standard's own models read it."""
    found = read_contracts(files("contracts"), ["factor_returns", "risk_model", "positions_snapshot", "signal_report"])
    assert [one.table for one in found] == ["FACTOR_RETURNS", "POSITIONS", "PRICES", "RISK_MODEL", "SIGNAL_REPORT"]
    assert all(one.keys and one.workflow and one.day and one.latency for one in found)
    assert [it.table for it in read_changes(files("changes"), found)].count("RISK_MODEL") == 2


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


# Declared changes.
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


# What code a table depends on.
def job(*tasks: Mapping[str, object]) -> dict[str, object]:
    """A job of tasks."""
    return {"name": "w", "tasks": [{"task_key": f"t{n}", **task} for n, task in enumerate(tasks)]}


def python(file: str) -> dict[str, object]:
    """A task that runs a file."""
    return {"spark_python_task": {"python_file": f"/Workspace/quant_stg/{file}"}}


TREE = {
    "src/risk.py": "import common.io\nfrom maths import weights as w\nopen('factors.csv')",
    "src/common/__init__.py": "", "src/common/io.py": "from . import names", "src/common/names.py": "import json",
    "src/maths/__init__.py": "", "src/maths/weights.py": "", "src/maths/other.py": "", "src/other.py": "import risk",
    "data/factors.csv": "A", "src/loads.py": "import importlib\nimportlib.import_module(NAME)", "src/broken.py": "def",
    "notebooks/a.py": "# MAGIC %run ./b\nimport src.common.io", "notebooks/b.py": "",
}  # fmt: skip


def needs(*tasks: Mapping[str, object]) -> tuple[set[str], str]:
    """The files of a job of the tree, and what is unknown."""
    found = closure(job(*tasks), "/quant_stg", frozenset(TREE), lambda path: TREE[path].encode())
    return set(found.paths), found.unknown


def test_a_table_depends_on_what_its_tasks_import() -> None:
    """Modules, the packages on their way, relative imports, files that are opened; not what imports them."""
    found, unknown = needs(python("src/risk.py"))
    common = {"src/common/__init__.py", "src/common/io.py", "src/common/names.py"}
    assert (found, unknown) == (
        common | {"src/risk.py", "src/maths/__init__.py", "src/maths/weights.py", "data/factors.csv"}, "",
    )  # fmt: skip
    notebook = {"notebook_task": {"notebook_path": "/Workspace/quant_stg/notebooks/a"}}
    assert needs(notebook)[0] == common | {"notebooks/a.py", "notebooks/b.py"}


@pytest.mark.parametrize(
    ("task", "told"),
    [
        (python("src/loads.py"), "calls import_module"),
        (python("src/broken.py"), "cannot be parsed"),
        (python("src/gone.py"), "is no file of the commit"),
        ({"pipeline_task": {"pipeline_id": "1"}}, "is a pipeline_task"),
        ({"sql_task": {"query": {"query_id": "1"}}}, "is a sql_task"),
        ({}, "is a task of no kind"),
    ],
)
def test_what_cannot_be_followed_is_unknown(task: Mapping[str, object], told: str) -> None:
    """And so every file counts."""
    assert told in needs(python("src/risk.py"), task)[1]


def test_a_table_is_changed_by_its_inputs() -> None:
    """Through as many tables as there are between."""
    chain = [contract(table=name, inputs=inputs) for name, inputs in (("C", ("B",)), ("B", ("A",)), ("A", ()), ("D", ()))]
    found = by_inputs(chain, {"A": CHANGED, "B": SAME, "C": SAME, "D": SAME})
    assert {name: why.expected for name, why in found.items()} == {
        "A": Expected.CHANGED, "B": Expected.CHANGED, "C": Expected.CHANGED, "D": Expected.SAME,
    }  # fmt: skip
    assert found["C"].reasons == ("it is made of B, whose code has changed",) and found["C"].commits == CHANGED.commits


# Causes and noise.
def test_the_cause_of_a_difference_is_what_ran_that_day() -> None:
    """A failed or missing run before code, code before inputs; what is not known is unknown."""
    day = FIRST

    def cause(one: object, other: object, why: Why = SAME) -> Cause:
        nights = {day: (one, other)}
        return cause_of(day, Looked(contract(), why, nights=nights), PAIR).cause  # type: ignore[arg-type]

    good, other = night(day), night(day, code="older")
    assert cause(good, night(day, result="FAILED")) is Cause.RUN
    assert cause(good, replace(good, run=None)) is Cause.RUN
    assert cause(replace(good, run=None), replace(good, run=None)) is not Cause.RUN
    assert cause(good, other) is Cause.CODE and cause(good, good) is Cause.INPUTS
    assert cause(good, replace(good, code=None)) is Cause.NONE
    assert cause(good, replace(good, code=None), CHANGED) is Cause.CODE
    unread = Looked(contract(), SAME, nights=Unknown("no state"))
    assert cause_of(day, unread, PAIR).because == "the runs are unknown: no state"
    upstream = Looked(
        contract(), SAME, nights={day: (good, good)}, upstream={"prices": {day: (night(day, result="FAILED"), good)}}
    )
    assert "run 1 of prices failed" in cause_of(day, upstream, PAIR).because


def test_quiet_days_are_those_of_one_code_before_the_window() -> None:
    """Both ran, with success, and the same."""
    nights = quiet()
    nights[days()[1]] = (night(days()[1]), night(days()[1], code="older"))
    nights[days()[2]] = (night(days()[2]), night(days()[2], result="FAILED"))
    assert noise.quiet_days(nights, days()[5]) == [days()[0], days()[3], days()[4]]


# Reports.
def test_a_report_is_its_canonical_form() -> None:
    """Read again it is the same; changed by a letter it is none."""
    made = report()
    assert parsed(made.text) == made.model_copy(
        update={"tables": [one.model_copy(update={"statements": []}) for one in made.tables]}
    )
    assert parsed(made.text.replace('"rows":[25,25]', '"rows": [25,25]', 1)) is None
    assert parsed("{}") is None and parsed("[" * 100_000) is None
    assert report(role="OTHER").digest != made.digest


def test_what_others_wrote_is_text_on_the_page_and_in_the_note() -> None:
    """A commit's subject, a name, a reason: neither HTML nor Markdown."""
    bad = "<script>alert(1)</script> [x](http://evil) @all"
    made = report(role=bad, changes=[])
    for shown in (page(made, signed(made)), markdown(made)):
        assert "<script>alert" not in shown
    assert "[x](http" not in markdown(made)


def test_a_day_that_was_run_again_makes_a_report_stale() -> None:
    """On either side; as long as the runs are the same it says what is there."""
    made = report()

    def runs(env: str, workflow: str, since: datetime.datetime, again: str = "") -> list[Run]:
        number = 0 if env == made.environment else 1
        nights = made.runs[workflow]
        assert not isinstance(nights, str)
        found = []
        for day, both in nights.items():
            at = datetime.datetime.combine(day, datetime.time(6), datetime.UTC)
            found.append(Run(1, both[number].run or 0, at, both[number].result))
            if env == again and day == DAYS[2]:
                found.append(Run(1, 999, at + datetime.timedelta(hours=1), "SUCCESS"))
        return found

    assert run_again(made, runs) == ""
    for env in ("quant_stg", "quant_live"):
        told = run_again(made, lambda *asked, env=env: runs(*asked, again=env))  # type: ignore[misc]
        assert told == f"positions_snapshot of {env} was run again for 11-22 (run 999)"


def test_after_a_rollback_results_are_as_before() -> None:
    """Table by table, by the report of the deployment that it went back to."""
    then = report()
    assert as_before(report(commits=("c" * 40, THERE)), then).other == {"PRICES": "unknown: its rows could not be paired"}
    worse = [one.model_copy(update={"columns": {"RETURN": one.columns["RETURN"].model_copy(update={"differing": 20})}})
             if one.table == "FACTOR_RETURNS" else one for one in then.tables]  # fmt: skip
    assert as_before(report(tables=worse), then).other["FACTOR_RETURNS"] == "80% of RETURN differ, 0% did"


def test_a_release_note_says_what_changed_for_users() -> None:
    """In words and numbers, with exceptions and signatures, and how to go back."""
    made = report()
    at = datetime.datetime(2026, 11, 25, 9, tzinfo=datetime.UTC)
    record = Record("deployment", "quant_live", at, HERE, THERE, "Rhea", "promotion", "quant_stg")
    changes = read_changes(files("changes"), read_contracts(files("contracts")))
    told = note(Release(record, [], changes, made, signed(made)))
    wanted = (
        "The half-life of a return is 42 days", "100% of VOLATILITY differ (median 0.8 %", "unchanged: `FACTOR_RETURNS`",
        "production missed that night", "Olga Owner for owner: fine", "quantctl rollback quant_live",
    )  # fmt: skip
    assert [one for one in wanted if one not in told] == []
    assert "No report of results is on record" in note(Release(record, [], []))


# A first contract.
def test_a_proposal_is_a_contract(tmp_path: Path) -> None:
    """What is written from a table's columns is read again, with the smallest key that holds its day."""
    types = {"DAY": "DATE", "FACTOR": "VARCHAR(16777216)", "RETURN": "FLOAT", "MORE": "VARIANT"}
    assert next(proposal.candidates(types)) == ("DAY",) and ("FACTOR",) not in list(proposal.candidates(types))
    text = proposal.written("RETURNS", types, ("DAY", "FACTOR"))
    found = contract(text)
    assert (found.keys, found.day, found.column("RETURN").tolerance.relative) == (("DAY", "FACTOR"), "DAY", 1e-9)
    assert "No key was found" in proposal.written("RETURNS", types, None)
