"""Two tables compared in the sandbox's account: what is found, what is unknown, what is sent, what is told."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from sqlglot import exp, parse

from quantctl.results import statements
from quantctl.results.contract import Tolerance
from quantctl.results.declared import Declared
from quantctl.results.figures import FEWEST
from quantctl.results.markdown import markdown
from quantctl.results.model import Cause, Expected, Finding, Judged, Level, Why
from quantctl.results.page import page
from quantctl.results.terminal import shown
from sandbox.state import State
from tests.account_sandbox import running
from tests.results_world import CHANGED, COMMIT, LAST, RETURNS, Desk, contract, days, night, quiet

B = "QUANT.B.RETURNS"
TENTH = datetime.date(2026, 11, 10)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The account of a sandbox of these tests' own."""
    with running(State(Path(tmp_path_factory.mktemp("results")))) as account:
        yield Desk(account)


def one(judged: Judged) -> Finding:
    """The only finding."""
    assert len(judged.findings) == 1, [finding.id for finding in judged.findings]
    return judged.findings[0]


def test_the_same_data_is_as_expected(desk: Desk) -> None:
    """Twenty days of two equal tables: nothing found, everything counted, in three statements that only read."""
    desk.make()
    judged = desk.judged()
    figures = judged.looked.figures
    assert judged.findings == () and figures is not None
    assert figures.whole.rows == (1000, 1000) and figures.whole.compared == 1000 and len(figures.days) == 20
    assert len(desk.sent) == 3
    for sql in desk.sent:
        [tree] = parse(sql, read="snowflake")
        assert isinstance(tree, exp.Describe | exp.Select | exp.Union)


def test_noise_of_arithmetic_is_no_finding(desk: Desk) -> None:
    """Twenty days on which each value differs by 1e-12 of itself: none, by the contract's tolerance."""
    desk.make()
    desk.account.sql(f"UPDATE {B} SET RETURN = RETURN * (1 + 1e-12)")
    assert desk.judged().findings == ()


def test_noise_above_the_tolerance_is_measured_on_quiet_days(desk: Desk) -> None:
    """Where both ran the same code before, and differed by as much, a difference is noise; a larger one is not."""
    desk.make()
    desk.account.sql(f"UPDATE {B} SET RETURN = RETURN * (1 + 1e-8)")
    first = datetime.date(2026, 11, 16)
    judged = desk.judged(first=first)
    assert judged.findings == () and judged.noisy == {"RETURN": 5}
    assert judged.noise["RETURN"] == pytest.approx(1e-8, rel=0.01)
    desk.account.sql(f"UPDATE {B} SET RETURN = RETURN * (1 + 1e-7) WHERE DAY = '{LAST}'")
    found = one(desk.judged(first=first))
    assert (found.id, found.days) == ("RETURNS.RETURN:values", (LAST,))


def test_a_difference_on_every_day_is_not_noise(desk: Desk) -> None:
    """1 % on all of twenty days, before the window too, is found on each day of it: so large is no noise."""
    desk.make()
    desk.account.sql(f"UPDATE {B} SET RETURN = RETURN * 1.01")
    first = datetime.date(2026, 11, 11)
    found = one(desk.judged(first=first))
    assert found.days == tuple(days(first)) and found.cause is Cause.INPUTS


def test_one_percent_is_found_on_each_day(desk: Desk) -> None:
    """An error of 1 % in factor returns: every day of it, with its size."""
    desk.make()
    desk.account.sql(f"UPDATE {B} SET RETURN = RETURN * 1.01")
    judged = desk.judged()
    assert one(judged).days == tuple(days()) and judged.looked.figures is not None
    effect = judged.looked.figures.whole.effects["RETURN"]
    assert effect.beyond == 1000 and effect.relative is not None
    assert [effect.relative.median, effect.relative.largest] == pytest.approx([0.01 / 1.01] * 2)


def test_every_missing_key_is_found(desk: Desk) -> None:
    """Three keys of a thousand, on three days, and one that is new."""
    desk.make()
    desk.account.sql(f"DELETE FROM {B} WHERE FACTOR = 'F7' AND DAY IN ('2026-11-03', '2026-11-10', '2026-11-20')")
    desk.account.sql(f"INSERT INTO {B} VALUES ('{TENTH}', 'NEW', 0, 'desk', 0)")
    judged = {found.id: found for found in desk.judged().findings}
    assert set(judged) == {"RETURNS:extra-keys", "RETURNS:missing-keys"}
    assert [day.day for day in judged["RETURNS:extra-keys"].days] == [3, 10, 20]
    assert judged["RETURNS:missing-keys"].days == (TENTH,) and "1 key" in judged["RETURNS:missing-keys"].text


@pytest.mark.parametrize(
    ("change", "id", "level"),
    [
        (f"INSERT INTO {B} VALUES ('{TENTH}', NULL, 0, 'desk', 0)", "RETURNS:null-key", Level.UNKNOWN),
        (f"INSERT INTO {B} VALUES (NULL, 'F1', 0, 'desk', 0)", "RETURNS:null-key", Level.UNKNOWN),
        (f"INSERT INTO {B} VALUES ('{TENTH}', 'F1', 0, 'desk', 0)", "RETURNS:duplicate-key", Level.UNKNOWN),
        (f"DELETE FROM {B}", "RETURNS:empty", Level.UNKNOWN),
        (f"ALTER TABLE {B} DROP COLUMN HELD", "RETURNS.HELD:columns", Level.UNEXPECTED),
        (f"ALTER TABLE {B} ADD COLUMN MORE VARCHAR", "RETURNS.MORE:columns", Level.UNEXPECTED),
        (f"DROP TABLE {B}", "RETURNS:unknown", Level.UNKNOWN),
    ],
)
def test_what_cannot_be_compared_is_named(desk: Desk, change: str, id: str, level: Level) -> None:
    """A null or double key, an empty table, other columns, a table that is not there: named, and no number invented."""
    desk.make()
    desk.account.sql(change)
    report = desk.report()
    assert [(found.id, found.level) for found in report.findings] == [(id, level.value)]
    if id.endswith("-key"):
        assert not report.tables[0].numbers and not report.tables[0].columns


def test_a_changed_type_is_named_and_not_compared(desk: Desk) -> None:
    """FLOAT here and VARCHAR there: no number of that column, the others as ever."""
    desk.make()
    desk.account.sql(
        f"CREATE OR REPLACE TABLE {B} AS SELECT DAY, FACTOR, RETURN::VARCHAR AS RETURN, DESK, HELD FROM QUANT.A.RETURNS"
    )
    judged = desk.judged()
    assert one(judged).id == "RETURNS.RETURN:type" and judged.looked.figures is not None
    assert set(judged.looked.figures.whole.effects) == {"DESK", "HELD"}


def test_a_missing_grant_is_unknown(desk: Desk) -> None:
    """A role that may read one of the two: unknown, with whose right is missing, never a table without rows."""
    desk.make()
    for grant in ("USAGE ON DATABASE QUANT", "USAGE ON SCHEMA QUANT.A", "SELECT ON TABLE QUANT.A.RETURNS"):
        desk.account.sql(f"GRANT {grant} TO ROLE QUANT_COMPARERS")
    desk.account.sql("GRANT ROLE QUANT_COMPARERS TO USER ADA")
    found = one(desk.judged(role="QUANT_COMPARERS"))
    assert found.level is Level.UNKNOWN and "QUANT_COMPARERS may not read it" in found.text


def test_a_masked_column_is_unknown(desk: Desk) -> None:
    """What DESCRIBE says is masked compares as equal, so nothing is said of it; of a masked key nothing at all."""
    desk.make()

    hidden, key = one(desk.judged(masked="RETURN")), one(desk.judged(masked="FACTOR"))
    assert (hidden.id, hidden.level) == ("RETURNS.RETURN:hidden", Level.UNKNOWN)
    assert (key.id, key.level) == ("RETURNS:unknown", Level.UNKNOWN) and "masked" in key.text


def test_a_failed_run_is_told_apart_from_code(desk: Desk) -> None:
    """On one night a run failed: that day's keys are its; a value that differs on another day is not."""
    desk.make()
    desk.account.sql(f"DELETE FROM {B} WHERE DAY = '{TENTH}'")
    desk.account.sql(f"UPDATE {B} SET RETURN = 1 WHERE DAY = '{LAST}' AND FACTOR = 'F3'")
    nights = quiet() | {TENTH: (night(TENTH), night(TENTH, result="FAILED", number=412))}
    found = {finding.id: finding for finding in desk.judged(nights=nights).findings}
    assert set(found) == {"RETURNS:extra-keys/run", "RETURNS.RETURN:values"}
    assert found["RETURNS:extra-keys/run"].because == "quant_live's run 412 of returns failed on 11-10"
    assert found["RETURNS.RETURN:values"].cause is Cause.INPUTS


def test_days_of_other_code_are_told_as_such(desk: Desk) -> None:
    """Before both had the same code, a difference is of that code, and no finding of today's."""
    desk.make()
    desk.account.sql(f"UPDATE {B} SET RETURN = RETURN * 2 WHERE DAY = '{TENTH}'")
    nights = quiet() | {TENTH: (night(TENTH), night(TENTH, code="older"))}
    judged = desk.judged(nights=nights)
    assert judged.findings == () and "different code" in judged.told[0]


def test_a_change_is_held_to_what_it_declares(desk: Desk) -> None:
    """As declared, it may; beyond, or beside, it is found."""
    desk.make()
    desk.account.sql(f"UPDATE {B} SET RETURN = RETURN * 1.01")
    nights = {day: (night(day), night(day, code="older")) for day in days()}
    wide = Declared("changes/x.yaml", "why", "RETURNS", "RETURN", rows=1.0, tolerance=Tolerance(relative=0.02))
    judged = desk.judged(why=CHANGED, nights=nights, declared=[wide])
    assert judged.findings == () and "as declared" in judged.told[0]
    narrow = Declared("changes/x.yaml", "why", "RETURNS", "RETURN", rows=1.0, tolerance=Tolerance(relative=0.001))
    assert one(desk.judged(why=CHANGED, nights=nights, declared=[narrow])).id == "RETURNS.RETURN:beyond-declared"
    few = Declared("changes/x.yaml", "why", "RETURNS", "RETURN", rows=0.5)
    assert one(desk.judged(why=CHANGED, nights=nights, declared=[few])).id == "RETURNS.RETURN:beyond-declared"
    beside = Declared("changes/x.yaml", "why", "RETURNS", "DESK", rows=0.5)
    found = one(desk.judged(why=CHANGED, nights=nights, declared=[beside]))
    assert (found.id, found.cause) == ("RETURNS.RETURN:undeclared", Cause.CODE) and COMMIT.subject in found.because
    assert desk.judged(why=CHANGED, nights=nights).findings == ()


def test_values_that_are_strange_are_compared_as_values(desk: Desk) -> None:
    """Null on one side is a difference; on both, and infinity and NaN on both, none; NaN on one side is one."""
    desk.make(rows=6)
    changes = {"F0": ("NULL", "NULL"), "F1": ("NULL", "1"), "F2": ("'inf'::FLOAT", "'inf'::FLOAT"),
               "F3": ("'NaN'::FLOAT", "'NaN'::FLOAT"), "F4": ("'NaN'::FLOAT", "0")}  # fmt: skip
    for factor, (one_value, other) in changes.items():
        for schema, value in (("A", one_value), ("B", other)):
            desk.account.sql(f"UPDATE QUANT.{schema}.RETURNS SET RETURN = {value} WHERE FACTOR = '{factor}'")
    figures = desk.looked().figures
    assert figures is not None
    effect = figures.whole.effects["RETURN"]
    assert (effect.beyond, effect.nulls) == (20, 20)


def test_few_differences_have_no_statistics(desk: Desk) -> None:
    """The largest of four differences would tell a value: counts alone."""
    desk.make()
    desk.account.sql(f"UPDATE {B} SET RETURN = RETURN * 1.5 WHERE DAY = '{LAST}' AND FACTOR IN ('F1', 'F2', 'F3', 'F4')")
    column = desk.report().tables[0].columns["RETURN"]
    assert (column.differing, column.relative) == (FEWEST - 1, None)


def test_the_same_data_has_the_same_digest(desk: Desk) -> None:
    """Again and again, in whatever order the rows lie; another number has another one. See test_results_scale."""
    desk.make()
    desk.account.sql(f"UPDATE {B} SET RETURN = RETURN * 1.01 WHERE MOD(HELD, 700) = 0")
    digests = {desk.report().digest for _ in range(6)}
    desk.account.sql(f"CREATE OR REPLACE TABLE {B} AS SELECT * FROM {B} ORDER BY HELD DESC")
    digests |= {desk.report().digest for _ in range(6)}
    assert len(digests) == 1
    desk.account.sql(f"UPDATE {B} SET RETURN = RETURN * 1.02 WHERE MOD(HELD, 700) = 0")
    assert desk.report().digest not in digests


def test_no_value_of_a_row_leaves_the_account(desk: Desk) -> None:
    """Strings and numbers that stand in rows, differing ones among them, are in no artefact."""
    desk.make()
    canaries = ["CANARY-KEY", "CANARY-DESK-A", "CANARY-DESK-B", "0.7315926", "9182736455"]
    for schema, letter in (("A", "A"), ("B", "B")):
        for n in range(8):
            row = (
                f"'{TENTH}', 'CANARY-KEY-{n}', 0.7315926{n}, 'CANARY-DESK-{letter}', 9182736455.{n if letter == 'A' else 9}"
            )
            desk.account.sql(f"INSERT INTO QUANT.{schema}.RETURNS VALUES ({row})")
    desk.account.sql(f"UPDATE {B} SET RETURN = RETURN * 1.5 WHERE FACTOR LIKE 'CANARY%'")
    desk.account.sql(f"INSERT INTO {B} VALUES ('{TENTH}', 'CANARY-KEY-ALONE', 0.73159261, 'CANARY-DESK-B', 9182736455)")
    report = desk.report()
    text = StringIO()
    Console(file=text, width=200).print(shown(report))
    assert report.findings and report.tables[0].columns["HELD"].differing
    for artefact in (report.text, page(report), markdown(report), text.getvalue()):
        assert [canary for canary in canaries if canary in artefact] == []
    assert report.tables[0].columns["HELD"].relative is None


def test_both_sides_are_limited_alike(desk: Desk) -> None:
    """A limited release is compared with the same slice of production."""
    desk.make()
    desk.account.sql("DELETE FROM QUANT.A.RETURNS WHERE FACTOR NOT IN ('F1', 'F2')")
    assert [found.id for found in desk.judged().findings] == ["RETURNS:missing-keys"]
    report = desk.report(slices={"FACTOR": ["F1", "F2"]})
    assert report.findings == [] and report.tables[0].rows == (40, 40)


def test_a_check_that_fails_is_found(desk: Desk) -> None:
    """By the contract's own words, of the environment's table."""
    desk.make()
    failing = """{id: none_negative, type: sql, query: "SELECT COUNT(*) FROM {object} WHERE RETURN < 0", mustBe: 0}"""
    text = RETURNS.replace("mustBeGreaterThan: 4}", f"mustBeGreaterThan: 4}}\n      - {failing}")
    assert one(desk.judged(of=contract(text))).id == "RETURNS:check.none_negative"


def test_many_rows_are_sampled_by_key_and_keys_never(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit the values of one key in sixteen are compared; a missing key is found all the same."""
    desk.make()
    monkeypatch.setattr(statements, "MOST", 100)
    desk.account.sql(f"UPDATE {B} SET RETURN = RETURN * 1.01")
    desk.account.sql(f"DELETE FROM {B} WHERE FACTOR = 'F7' AND DAY = '{LAST}'")
    report = desk.report()
    [table] = report.tables
    assert table.share == 16 and 30 < table.compared < 100 and table.differing == table.compared
    assert table.only == (1, 0)
    assert desk.report(whole=True).tables[0].compared == 999


def test_the_code_of_a_table_that_cannot_be_followed_is_no_excuse(desk: Desk) -> None:
    """Unknown code may differ, and is told as unknown."""
    desk.make()
    desk.account.sql(f"UPDATE {B} SET DESK = 'other'")
    judged = desk.judged(why=Why(Expected.UNKNOWN, ("a pipeline task",)), nights={})
    assert judged.findings == () and "as it may" in judged.told[0]
