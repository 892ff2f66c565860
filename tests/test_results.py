"""Results, decided without an account: contracts, declared changes, what code a table depends on, signatures, the gate."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from infra.outside.workspace import Run
from quantctl.promotion.gates import Unknown
from quantctl.records.deployments import Record
from quantctl.results import cumulative, noise
from quantctl.results.as_before import as_before
from quantctl.results.causes import cause_of
from quantctl.results.closure import closure
from quantctl.results.command import Format
from quantctl.results.contract import read_contracts
from quantctl.results.declared import read_changes
from quantctl.results.history import by_inputs
from quantctl.results.markdown import markdown
from quantctl.results.model import Cause, Expected, Looked, Why
from quantctl.results.page import page
from quantctl.results.recorded import run_again
from quantctl.results.release_note import Release, note
from quantctl.results.report import parsed
from quantctl.results.run import written
from quantctl.results.signed import Signed
from tests.results_samples import DAYS, HERE, THERE, report, signed
from tests.results_world import CHANGED, FIRST, PAIR, SAME, contract, days, declarations, night, quiet


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


def test_a_report_of_an_earlier_version_is_read() -> None:
    """It says nothing of a baseline: there was none. Its text, and so its digest and what was signed, stay as they were."""
    made = report()
    told = json.loads(made.text)
    for one in told["tables"]:
        one.pop("baseline", None)
    earlier = json.dumps(told, sort_keys=True, separators=(",", ":"))
    read = parsed(earlier)
    assert read is not None and read.text == earlier and not any(one.baseline for one in read.tables)
    with_one = made.model_copy(update={"tables": [one.model_copy(update={"baseline": True}) for one in made.tables]})
    assert '"baseline":true' in with_one.text and with_one.digest != made.digest
    again = parsed(with_one.text)
    assert again is not None and all(one.baseline for one in again.tables)


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
    changes = read_changes(declarations("changes"), read_contracts(declarations("contracts")))
    told = note(Release(record, [], changes, made, signed(made)))
    wanted = (
        "The half-life of a return is 42 days", "100% of VOLATILITY differ (median 0.8 %", "unchanged: `FACTOR_RETURNS`",
        "production missed that night", "Olga Owner for owner: fine", "quantctl rollback quant_live",
    )  # fmt: skip
    assert [one for one in wanted if one not in told] == []
    assert "No report of results is on record" in note(Release(record, [], []))


def test_small_changes_add_up() -> None:
    """Since a validation: each release's largest difference, and what all of them together are at most; unknown stays so."""
    at = datetime.datetime(2026, 11, 2, tzinfo=datetime.UTC)
    first = Record("deployment", "quant_live", at, HERE, None, "Rhea", "promotion")
    dated = [replace(first, at=at + datetime.timedelta(days=n), commit=letter * 40) for n, letter in enumerate("abc", 1)]
    reports = (report(), report(), report(against="quant_lr"))
    told = cumulative.since(first, [Release(one, [], [], made) for one, made in zip(dated, reports, strict=True)])
    assert "3 releases since 2026-11-02" in told and "Of `cccccccccccc` no report is on record" in told
    assert "11-03: 1.6 %, 11-04: 1.6 % | 3.17 %" in told  # 1 - 0.984 ** 2
    assert "11-03: unknown, 11-04: unknown | unknown" in told  # SIGNAL: four differences, no sizes
    assert cumulative.bound([0.5, 0.5]) == 0.75 and cumulative.bound([0.1, None]) is None is cumulative.bound([0.1, 1.2])


def test_a_terminal_is_told_the_same_as_text() -> None:
    """What was not expected first; names and reasons are text, whatever stands in them."""
    made = report(role="[bold]x[/]\x1b[2J")
    told = written(made, Signed(), Format.table)
    assert "[bold]x[/]" in told and "\x1b" not in told and "[red]" not in told
    order = ["POSITIONS:extra-keys/run", "PRICES:unknown", "FACTOR_RETURNS", made.digest[:12]]
    assert [told.index(one) for one in order] == sorted(told.index(one) for one in order)
