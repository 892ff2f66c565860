"""What the tests of results share: contracts, pairs of tables in the sandbox's account, and a report of them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from infra.outside.workspace import Run
from quantctl.records.repository import Commit
from quantctl.results.account import Reader
from quantctl.results.contract import Contract, read_contracts
from quantctl.results.declared import Declared
from quantctl.results.model import Expected, Judged, Looked, Night, Nights, Pair, Results, Why
from quantctl.results.noise import quiet_days
from quantctl.results.pairs import look
from quantctl.results.report import Report, report_of
from quantctl.results.statements import Window
from quantctl.results.verdict import judge
from tests.account_sandbox import Account
from tests.paths import ROOT

HERE, THERE = "a" * 40, "b" * 40
PAIR = Pair(("quant_stg", "quant_live"), (HERE, THERE))
FIRST = datetime.date(2026, 11, 1)
LAST = datetime.date(2026, 11, 20)
TODAY = datetime.date(2026, 11, 21)
COMMIT = Commit(HERE, "Dana", "dana@quant.example", 0, "Half-life of 42 days")
SAME, CHANGED = Why(Expected.SAME), Why(Expected.CHANGED, ("src/risk.py has changed",), (COMMIT,))
RETURNS = """
apiVersion: v3.1.0
kind: DataContract
id: returns
version: 1.0.0
status: active
schema:
  - name: RETURNS
    customProperties:
      - {property: quant.workflow, value: returns}
      - {property: quant.day, value: DAY}
    properties:
      - {name: DAY, primaryKey: true, primaryKeyPosition: 1, logicalType: date}
      - {name: FACTOR, primaryKey: true, primaryKeyPosition: 2, logicalType: string}
      - name: RETURN
        logicalType: number
        customProperties: [{property: quant.tolerance, value: {relative: 1.0e-9, absolute: 1.0e-12}}]
      - {name: DESK, logicalType: string}
      - {name: HELD, logicalType: number, classification: confidential}
    quality:
      - {id: enough, metric: rowCount, mustBeGreaterThan: 4}
slaProperties:
  - {property: latency, value: 3, unit: d, element: RETURNS.DAY}
"""


def contract(text: str = RETURNS, **changed: Any) -> Contract:
    """One contract."""
    [found] = read_contracts({"contracts/t.odcs.yaml": text.encode()})
    return replace(found, **changed)


def days(first: datetime.date = FIRST, last: datetime.date = LAST) -> list[datetime.date]:
    """Every day from one to the other."""
    return [first + datetime.timedelta(days=n) for n in range((last - first).days + 1)]


def night(day: datetime.date, code: str = "same", result: str = "SUCCESS", number: int = 1, commit: str = HERE) -> Night:
    """A run of a day."""
    return Night(Run(1, number, datetime.datetime.combine(day, datetime.time(6), datetime.UTC), result), commit, code)


def quiet(first: datetime.date = FIRST, last: datetime.date = LAST) -> dict[datetime.date, tuple[Night, Night]]:
    """Both ran the same code, with success, on each day."""
    return {day: (night(day), night(day, commit=THERE)) for day in days(first, last)}


def declarations(folder: str) -> dict[str, bytes]:
    """What the sample declares in a folder: path -> content."""
    sample = ROOT / "examples" / "pipelines"
    return {str(path.relative_to(sample)): path.read_bytes() for path in (sample / folder).glob("*")}


class Connected:
    """A session of the tests' own client in the place of the product's."""

    def __init__(self, account: Account, role: str = "ACCOUNTADMIN") -> None:
        self._account, self.role = account, role

    def answer(self, statement: str, seconds: int) -> list[tuple[Any, ...]]:
        """The rows."""
        return self._account.sql(statement, self.role)


class Masked(Reader):
    """A session to which a column is masked: the sandbox has no masking policies, DESCRIBE tells of them."""

    def __init__(self, column: str, account: Any, role: str) -> None:
        super().__init__(account, role, 60)
        self._column = column

    def columns(self, table: str) -> tuple[dict[str, str], dict[str, str]]:
        """As DESCRIBE tells them."""
        types, _ = super().columns(table)
        return types, {self._column: "QUANT.POLICIES.HIDE"}


@dataclass
class Desk:
    """Two schemas of the sandbox's account, each with a table RETURNS of twenty days and fifty factors."""

    account: Account
    sent: list[str] = field(default_factory=list)

    def make(self, rows: int = 50, last: datetime.date = LAST) -> None:
        """Both tables anew, with the same values."""
        count = len(days(FIRST, last))
        for schema in ("A", "B"):
            self.account.sql(f"CREATE SCHEMA IF NOT EXISTS QUANT.{schema}")
            columns = "DAY DATE, FACTOR VARCHAR, RETURN FLOAT, DESK VARCHAR, HELD NUMBER(18,2)"
            self.account.sql(f"CREATE OR REPLACE TABLE QUANT.{schema}.RETURNS ({columns})")
        numbered = f"SELECT SEQ4() AS N FROM TABLE(GENERATOR(ROWCOUNT => {count * rows}))"
        values = f"DATEADD('day', FLOOR(N / {rows}), '{FIRST}'::DATE), 'F' || MOD(N, {rows})::VARCHAR, SIN(N + 1) / 50"
        more = "'desk ' || MOD(N, 3)::VARCHAR, N * 100"
        self.account.sql(f"INSERT INTO QUANT.A.RETURNS SELECT {values}, {more} FROM ({numbered}) AS X")
        self.account.sql("INSERT INTO QUANT.B.RETURNS SELECT * FROM QUANT.A.RETURNS")

    def looked(
        self,
        why: Why = SAME,
        nights: Nights | None = None,
        first: datetime.date = FIRST,
        last: datetime.date = LAST,
        declared: Sequence[Declared] = (),
        slices: Mapping[str, Sequence[str]] | None = None,
        of: Contract | None = None,
        role: str = "ACCOUNTADMIN",
        whole: bool = False,
        masked: str = "",
    ) -> Looked:
        """The pair, read."""
        connected: Any = Connected(self.account, role)
        reader = Masked(masked, connected, role) if masked else Reader(connected, role, 60)
        ran = quiet() if nights is None else nights
        before = quiet_days(ran, first)
        begun = Looked(of or contract(), why, nights=ran, quiet_days=before, declared=declared, slices=slices or {})
        since = FIRST if before else None
        found = look(reader, begun, ("QUANT.A.RETURNS", "QUANT.B.RETURNS"), Window(first, last), since, TODAY, whole=whole)
        self.sent = reader.sent
        return found

    def judged(self, **asked: Any) -> Judged:
        """The same, judged."""
        looked = self.looked(**asked)
        return judge(looked, PAIR, asked.get("first", FIRST), declares=bool(asked.get("declared")))

    def report(self, **asked: Any) -> Report:
        """The same, as a report."""
        window = Window(asked.get("first", FIRST), asked.get("last", LAST))
        judged = self.judged(**asked)
        return report_of(Results(PAIR, window, "COMPARERS", (judged,), (), {"returns": judged.looked.nights}, ()))
