"""A report as a team might see it, for the tests of what is shown: a change as declared, one beside it, a failed night."""

from __future__ import annotations

import datetime

from quantctl.records.signoffs import SignOff, Words
from quantctl.results.report import (
    ChangeTold,
    CheckTold,
    ColumnTold,
    CommitTold,
    DayTold,
    FindingTold,
    NightTold,
    Report,
    SizesTold,
    TableTold,
)
from quantctl.results.signed import Signed, of

HERE, THERE = "4f1c2a9d" + "0" * 32, "9be01d70" + "0" * 32
DAYS = [datetime.date(2026, 11, day) for day in range(20, 25)]
BAD_NIGHT = DAYS[-1]
HALF_LIFE = CommitTold(id=HERE, author="Dana Developer", subject="Risk model: half-life of 42 days")


def sizes(median: float) -> SizesTold:
    """Around a median."""
    return SizesTold(median=f"{median:.6g}", p99=f"{median * 1.7:.6g}", largest=f"{median * 2:.6g}")


def column(differing: int = 0, size: float = 0.0, **more: object) -> ColumnTold:
    """A column that differs so often, and by so much."""
    told = {"absolute": sizes(size / 50), "relative": sizes(size)} if size else {}
    return ColumnTold.model_validate(
        {"differing": differing, "nulls": 0, "confidential": False, "tolerance": ("0", "1e-09"), **told, **more}
    )


def table(name: str, workflow: str, columns: dict[str, ColumnTold], **more: object) -> TableTold:
    """A table of five days with five keys each."""
    differing = max((one.differing for one in columns.values()), default=0)
    days = {day: DayTold(rows=(5, 5), only=(0, 0), differing=differing // 5) for day in DAYS}
    whole = {
        "table": name, "contract": f"contracts/{name.lower()}.odcs.yaml", "version": "1.0.0", "workflow": workflow,
        "expected": "same", "reasons": [], "commits": [], "numbers": True, "alone": False, "rows": (25, 25),
        "only": (0, 0), "compared": 25, "differing": differing, "share": 1, "days": days, "columns": columns,
        "schema_differs": {}, "checks": {"rows": CheckTold(text="rowCount > 0", found="25", holds=True)}, "told": [],
        "slices": {}, "quiet_days": 7, "statements": [f"SELECT COUNT(*) FROM QUANT.QUANT_STG.{name}"],
    }  # fmt: skip
    return TableTold.model_validate(whole | more)


def finding(id: str, text: str, cause: str, because: str, level: str = "unexpected", **more: object) -> FindingTold:
    """A finding."""
    name, _, _ = id.partition(":")
    owner, _, of_column = name.partition(".")
    whole = {"id": id, "level": level, "table": owner, "column": of_column, "text": text, "days": [], "cause": cause,
             "because": because}  # fmt: skip
    return FindingTold.model_validate(whole | more)


def nights(failed: bool = False) -> dict[datetime.date, tuple[NightTold, NightTold]]:
    """Runs of both sides; that of quant_live fails on the bad night."""
    good = [NightTold(run=400 + n, result="SUCCESS", commit=HERE[:12]) for n in range(5)]
    other = [NightTold(run=500 + n, result="SUCCESS", commit=THERE[:12]) for n in range(5)]
    if failed:
        other[-1] = NightTold(run=412, result="FAILED", commit=THERE[:12])
    return dict(zip(DAYS, zip(good, other, strict=True), strict=True))


def report(**changed: object) -> Report:
    """The report."""
    broken = {day: DayTold(rows=(6, 0 if day == BAD_NIGHT else 6), only=(6 if day == BAD_NIGHT else 0, 0), differing=0)
              for day in DAYS}  # fmt: skip
    tables = [
        table("FACTOR_RETURNS", "factor_returns", {"RETURN": column()}),
        table("POSITIONS", "positions_snapshot", {"QUANTITY": column(confidential=True)}, rows=(30, 24), only=(6, 0),
              days=broken),
        table(
            "RISK_MODEL", "risk_model", {"VOLATILITY": column(25, 0.008)}, expected="changed", commits=[HALF_LIFE],
            reasons=["src/risk_model.py has changed"], told=["VOLATILITY: 25 values beyond the tolerance, as declared"],
        ),
        table("SIGNAL_REPORT", "signal_report", {"SIGNAL": column(4, tolerance=("0", "0"))}),
    ]  # fmt: skip
    findings = [
        finding("POSITIONS:extra-keys/run", "6 keys in quant_stg alone", "run",
                "quant_live's run 412 of positions_snapshot failed on 11-24", days=[BAD_NIGHT]),
        finding("SIGNAL_REPORT.SIGNAL:values", "4 values beyond the tolerance", "inputs",
                "both ran the same code that day", days=DAYS[1:]),
        finding("PRICES:unknown", "it does not exist, or the role may not read it", "unknown", "", "unknown"),
    ]  # fmt: skip
    missing = table("PRICES", "factor_returns", {}, numbers=False, days={}, rows=(0, 0), compared=0)
    whole = {
        "environment": "quant_stg", "against": "quant_live", "commits": (HERE, THERE), "first": DAYS[0], "last": DAYS[-1],
        "role": "QUANT_COMPARERS", "days_by_this_code": DAYS, "tables": [*tables, missing], "findings": findings,
        "changes": [ChangeTold(file="changes/half-life-42.yaml", why="It reacts faster.", of="RISK_MODEL.VOLATILITY",
                               expected="by at most 0.1 of the value")],
        "runs": {"positions_snapshot": nights(failed=True), "risk_model": nights(), "other": "unknown: no state"},
    }  # fmt: skip
    return Report.model_validate(whole | changed)


def said_by(text: str) -> Report:
    """A report in which everything that somebody else may write is `text`."""
    named = CommitTold(id=HERE, author=text, subject=text)
    more = {"reasons": [text], "commits": [named], "told": [text], "schema_differs": {text: (text, None)},
            "checks": {text: CheckTold(text=text, found="1", holds=False)}, "slices": {text: [text]},
            "statements": [text], "contract": text, "version": text, "expected": "changed"}  # fmt: skip
    tables = [table(text, text, {text: column(25, 0.008)}, **more), table("UNREAD", text, {}, numbers=False, days={})]
    return report(
        tables=tables,
        findings=[
            FindingTold.model_validate(
                {"id": text, "level": level, "table": name, "column": text, "text": text, "days": DAYS, "cause": "code",
                 "because": text}
            )
            for level, name in (("unexpected", text), ("unknown", "UNREAD"))
        ],
        changes=[ChangeTold(file=text, why=text, of=text, expected=text)],
        runs={text: nights(), "other": text},
        role=text,
    )  # fmt: skip


def signed_by(text: str, of_report: Report) -> Signed:
    """A sign-off whose every word is `text`."""
    words = Words(text, of_report.digest, text)
    sign_off = SignOff("quant_stg", HERE, text, str(words), text, 0, text)
    return Signed([sign_off], {of_report.findings[0].id: (text, text)})


def signed(of_report: Report) -> Signed:
    """Two people have signed it, and one of them has accepted the failed night."""
    accepted = {"POSITIONS:extra-keys/run": "production missed that night"}
    words = [Words("the numbers agree", of_report.digest, "users", accepted), Words("fine", of_report.digest, "owner")]
    both = [
        SignOff("quant_stg", HERE, by, str(text), "uma@quant.example", 0, "tag signoff/x")
        for by, text in zip(("Uma Tester", "Olga Owner"), words, strict=True)
    ]
    return of(of_report.digest, both)
