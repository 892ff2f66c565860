"""The one statement that compares two tables, and checks one of them. Pure.

Everything that is told of a pair comes from ONE statement, so from one snapshot: a run that rewrites a day meanwhile is seen
whole or not at all. Rows of each side are grouped by their key before they are joined, so a key that is there twice cannot
multiply, and is counted. What comes back is a row a day, one for the whole window and one of checks: numbers, never rows.
Each number is a count, a largest or an exact percentile: none depends on the order in which rows come, so that the same data
has the same digest; an average of floats, APPROX_PERCENTILE and HASH_AGG would not do.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from quantctl.results.checks import OBJECT, Check
from quantctl.results.contract import Column, Contract, Tolerance

MOST = 20_000_000  # rows of a window whose values are all compared; of more a sixteenth, and so on: keys always are
SHARE = 16  # MD5 is in hexadecimal digits: one digit less, a sixteenth of the keys
DAY, ALL, CHECKS = "day", "all", "checks"
_FINITE = 1e300  # a difference above it is of infinity, or of NaN, which Snowflake takes for larger than any number
SIZES = ("median", "p99", "max")
_NUMBERS = ("NUMBER", "DECIMAL", "INT", "FLOAT", "DOUBLE", "REAL", "DECFLOAT")
_COMPARABLE = (*_NUMBERS, "VARCHAR", "TEXT", "STRING", "CHAR", "DATE", "TIME", "BOOLEAN", "BINARY")
_BASE = (
    ("rows.0", "SUM(A_N)"), ("rows.1", "SUM(B_N)"),
    ("only.0", "COUNT_IF(B_N IS NULL AND A_KEY = 1)"), ("only.1", "COUNT_IF(A_N IS NULL AND B_KEY = 1)"),
    ("null_keys.0", "SUM(CASE WHEN A_KEY = 0 THEN A_N ELSE 0 END)"),
    ("null_keys.1", "SUM(CASE WHEN B_KEY = 0 THEN B_N ELSE 0 END)"),
    ("duplicate_keys.0", "COUNT_IF(A_N > 1 AND A_KEY = 1)"), ("duplicate_keys.1", "COUNT_IF(B_N > 1 AND B_KEY = 1)"),
    ("both", "COUNT_IF(A_N IS NOT NULL AND B_N IS NOT NULL)"), ("compared", "SUM(CMP)"), ("differing", "SUM(DIFFERS)"),
)  # fmt: skip


@dataclass(frozen=True)
class Window:
    """Days, the first and the last."""

    first: datetime.date
    last: datetime.date

    @property
    def days(self) -> list[datetime.date]:
        """Every day of it."""
        return [self.first + datetime.timedelta(days=n) for n in range((self.last - self.first).days + 1)]


@dataclass(frozen=True)
class Question:
    """What is asked of a pair: `names` are the two tables, whole; `types` are their columns, as DESCRIBE tells them.

    `window` None: all days. `since`: the day before it from which on noise is measured. `slices`: column -> values, of both
    sides. `bounds`: column -> what a change is declared to differ by at most. `left_out`: columns whose values nobody here
    sees. With `whole` values are compared however many there are. `today` is for freshness.
    """

    contract: Contract
    names: tuple[str, str | None]
    types: tuple[Mapping[str, str], Mapping[str, str]]
    today: datetime.date
    window: Window | None = None
    since: datetime.date | None = None
    slices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    bounds: Mapping[str, Tolerance] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    left_out: frozenset[str] = frozenset()
    whole: bool = False

    @property
    def compared(self) -> list[Column]:
        """Columns of both sides whose values are compared: no keys, of one type."""
        one, other = self.types
        return [
            self.contract.column(name)
            for name in one
            if name not in self.contract.keys
            and name not in self.left_out
            and other.get(name) == one[name]
            and is_comparable(one[name])
        ]

    def is_number(self, name: str) -> bool:
        """Whether a column's differences have a size."""
        return self.types[0].get(name, "").startswith(_NUMBERS)

    def sized(self, column: Column) -> bool:
        """Whether the size of a column's differences may be told."""
        return self.is_number(column.name) and not column.confidential


@dataclass(frozen=True)
class Statement:
    """The SQL, and what the numbers of its rows are called, after the row's part and day."""

    sql: str
    numbers: tuple[str, ...]
    checks: tuple[str, ...]


def is_comparable(kind: str) -> bool:
    """Whether values of a type are the same or not: semi-structured ones are not compared."""
    return kind.startswith(_COMPARABLE)


def statement(asked: Question) -> Statement:
    """The statement of a pair; of a table that has no other one, its days and checks alone."""
    pairs = asked.names[1] is not None
    figures = list(_figures(asked)) if pairs else [("rows.0", "COUNT(*)")]
    checks = list(_checks(asked))
    width = max(len(figures), len(checks))
    source = "QUANT_PAIRS" if pairs else OBJECT
    day = "D" if pairs else _day(asked)
    parts = [
        f"SELECT '{DAY}' AS PART, {day} AS D, {_padded(figures, width)} FROM {source} GROUP BY {day}",
        f"SELECT '{ALL}', NULL::DATE, {_padded(figures, width)} FROM {source}{_judged(asked) if pairs else ''}",
        f"SELECT '{CHECKS}', NULL::DATE, {_padded(checks, width)} FROM {OBJECT}",
    ]
    if not asked.contract.day:
        del parts[0]
    ctes = [f"{OBJECT} AS (SELECT * FROM {asked.names[0]}{_where(asked)})"]
    if pairs:
        ctes += [_size(asked), _side(asked, "A", 0), _side(asked, "B", 1), _pairs(asked)]
    sql = "WITH " + ",\n".join(ctes) + "\n" + "\nUNION ALL\n".join(parts)
    return Statement(sql, tuple(name for name, _ in figures), tuple(name for name, _ in checks))


def differing(asked: Question, most: int) -> str:
    """So many rows that differ, or stand on one side alone: that side (null: both), the keys, both values of each column."""
    keys = range(len(asked.contract.keys))
    joined = " AND ".join(f"A.K{at} = B.K{at}" for at in keys)
    inner = [
        "A.N AS A_N", "B.N AS B_N", "COALESCE(A.KEYED, B.KEYED) AS KEYED",
        *(f"COALESCE(A.K{at}, B.K{at}) AS K{at}" for at in keys),
        *(f"A.V{at} AS A{at}, B.V{at} AS B{at}" for at, _ in enumerate(asked.compared)),
    ]  # fmt: skip
    columns = enumerate(asked.compared)
    differs = [f"{_beyond(asked, at, it.name, it.tolerance)} OR (A{at} IS NULL) <> (B{at} IS NULL)" for at, it in columns]
    both = f"A_N = 1 AND B_N = 1 AND ({' OR '.join(differs) or 'FALSE'})"
    told = [*(f"K{at}" for at in keys), *(f"A{at}, B{at}" for at, _ in enumerate(asked.compared))]
    side = "CASE WHEN B_N IS NULL THEN 0 WHEN A_N IS NULL THEN 1 END AS SIDE"
    return (
        f"WITH {_side(asked, 'A', 0)},\n{_side(asked, 'B', 1)}\nSELECT {side}, {', '.join(told)} FROM"
        f" (SELECT {', '.join(inner)} FROM QUANT_A AS A FULL OUTER JOIN QUANT_B AS B ON {joined}) AS J"
        f" WHERE KEYED = 1 AND (A_N IS NULL OR B_N IS NULL OR ({both}))"
        f" ORDER BY {', '.join(f'K{at}' for at in keys)} LIMIT {most}"
    )


def identifier(name: str) -> str:
    """A name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """A value for SQL; dates are days. A backslash begins an escape in Snowflake's texts."""
    if isinstance(value, datetime.date):
        return f"'{value.isoformat()}'::DATE"
    if isinstance(value, int | float):
        return f"{value!r}::DOUBLE"
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"


def _padded(figures: Sequence[tuple[str, str]], width: int) -> str:
    """The numbers of a part, as many as the widest has."""
    told = [f"({sql})::DOUBLE" for _, sql in figures] + ["NULL::DOUBLE"] * (width - len(figures))
    return ", ".join(f"{sql} AS N{at}" for at, sql in enumerate(told))


def _judged(asked: Question) -> str:
    """Without the days on which noise is measured."""
    if asked.window is None or asked.since is None:
        return ""
    return f" WHERE D >= {literal(asked.window.first)} OR D IS NULL"


def _where(asked: Question, since: datetime.date | None = None) -> str:
    """The window, by the column itself so that partitions are pruned; a day that is null is never left out."""
    terms = []
    if asked.window is not None and asked.contract.day:
        day, end = identifier(asked.contract.day), asked.window.last + datetime.timedelta(days=1)
        terms.append(f"(({day} >= {literal(since or asked.window.first)} AND {day} < {literal(end)}) OR {day} IS NULL)")
    for column, values in sorted(asked.slices.items()):
        terms.append(f"{identifier(column)}::VARCHAR IN ({', '.join(map(literal, values))})")
    return f" WHERE {' AND '.join(terms)}" if terms else ""


def _day(asked: Question) -> str:
    return f"{identifier(asked.contract.day)}::DATE" if asked.contract.day else "NULL::DATE"


def _size(asked: Question) -> str:
    """Below which MD5 of its key a row's values are compared: `g` is above every one."""
    if asked.whole:
        return "QUANT_SIZE AS (SELECT 'g' AS PART)"
    steps = [f"WHEN COUNT(*) <= {MOST * SHARE**n} THEN '{'g' if n == 0 else '0' * (n - 1) + '1'}'" for n in range(4)]
    return f"QUANT_SIZE AS (SELECT CASE {' '.join(steps)} ELSE '0001' END AS PART FROM {OBJECT})"


def _side(asked: Question, name: str, number: int) -> str:
    """One table, a row a key. Of a key that is there once, ANY_VALUE is its value; of another none is compared."""
    keys = [identifier(key) for key in asked.contract.keys]
    known = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    chosen = [f"{key} AS K{at}" for at, key in enumerate(keys)]
    values = [f"ANY_VALUE({identifier(column.name)}) AS V{at}" for at, column in enumerate(asked.compared)]
    day = f"MIN({_day(asked)}) AS D"
    grouped = f"GROUP BY {', '.join(keys)}"
    source = f"{asked.names[number]}{_where(asked, asked.since)}"
    flag = f"CASE WHEN {known} THEN 1 ELSE 0 END AS KEYED"
    return f"QUANT_{name} AS (SELECT {', '.join([*chosen, 'COUNT(*) AS N', flag, day, *values])} FROM {source} {grouped})"


def _pairs(asked: Question) -> str:
    keys = range(len(asked.contract.keys))
    joined = " AND ".join(f"A.K{at} = B.K{at}" for at in keys)
    text = " || '|' || ".join(f"COALESCE(A.K{at}::VARCHAR, '')" for at in keys)
    compared = f"A.N = 1 AND B.N = 1 AND MD5({text}) < (SELECT PART FROM QUANT_SIZE)"
    inner = [
        "A.N AS A_N", "B.N AS B_N", "A.KEYED AS A_KEY", "B.KEYED AS B_KEY", "COALESCE(A.D, B.D) AS D",
        f"CASE WHEN {compared} THEN 1 ELSE 0 END AS CMP",
        *(f"A.V{at} AS A{at}, B.V{at} AS B{at}" for at, _ in enumerate(asked.compared)),
    ]  # fmt: skip
    outer = ["A_N", "B_N", "A_KEY", "B_KEY", "D", "CMP"]
    for at, column in enumerate(asked.compared):
        beyond = _beyond(asked, at, column.name, column.tolerance)
        outer.append(f"CASE WHEN CMP = 1 AND {beyond} THEN 1 ELSE 0 END AS X{at}")
        outer.append(f"CASE WHEN CMP = 1 AND (A{at} IS NULL) <> (B{at} IS NULL) THEN 1 ELSE 0 END AS Z{at}")
        if asked.sized(column):
            outer.append(f"CASE WHEN CMP = 1 AND {beyond} THEN {_difference(at)} END AS S{at}")
            outer.append(f"CASE WHEN CMP = 1 AND {beyond} THEN {_difference(at)} / NULLIF({_larger(at)}, 0) END AS R{at}")
        if (bound := asked.bounds.get(column.name)) is not None:
            outer.append(f"CASE WHEN CMP = 1 AND {_beyond(asked, at, column.name, bound)} THEN 1 ELSE 0 END AS W{at}")
    differs = " + ".join(f"X{at} + Z{at}" for at, _ in enumerate(asked.compared)) or "0"
    sides = f"SELECT {', '.join(inner)} FROM QUANT_A AS A FULL OUTER JOIN QUANT_B AS B ON {joined}"
    return (
        f"QUANT_PAIRS AS (SELECT *, CASE WHEN {differs} > 0 THEN 1 ELSE 0 END AS DIFFERS FROM"
        f" (SELECT {', '.join(outer)} FROM ({sides}) AS J) AS F)"
    )


def _beyond(asked: Question, at: int, name: str, tolerance: Tolerance) -> str:
    """Whether two values differ. `<>` first, and NOT: infinities and NaN have none, or one as large as its bound."""
    if not asked.is_number(name) or tolerance == Tolerance():
        return f"(A{at} <> B{at})"
    bound = f"GREATEST({literal(tolerance.absolute)}, {literal(tolerance.relative)} * {_larger(at)})"
    return f"(A{at} <> B{at} AND NOT ({_difference(at)} <= {bound} AND {_difference(at)} <= {literal(_FINITE)}))"


def _difference(at: int) -> str:
    return f"ABS(A{at}::DOUBLE - B{at}::DOUBLE)"


def _larger(at: int) -> str:
    return f"GREATEST(ABS(A{at}::DOUBLE), ABS(B{at}::DOUBLE))"


def _figures(asked: Question) -> Iterable[tuple[str, str]]:
    """What each number is called, and its aggregate."""
    yield from _BASE
    for at, column in enumerate(asked.compared):
        yield f"{column.name}.beyond", f"SUM(X{at})"
        yield f"{column.name}.nulls", f"SUM(Z{at})"
        if column.name in asked.bounds:
            yield f"{column.name}.undeclared", f"SUM(W{at})"
        if asked.sized(column):
            for what, letter in (("absolute", "S"), ("relative", "R")):
                yield f"{column.name}.{what}.median", f"PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY {letter}{at})"
                yield f"{column.name}.{what}.p99", f"PERCENTILE_CONT(0.99) WITHIN GROUP (ORDER BY {letter}{at})"
                yield f"{column.name}.{what}.max", f"MAX({letter}{at})"
    yield "share", "MAX((SELECT CASE WHEN PART = 'g' THEN 0 ELSE LENGTH(PART) END FROM QUANT_SIZE))"


def _checks(asked: Question) -> Iterable[tuple[str, str]]:
    yield "rows", "COUNT(*)"
    if asked.contract.day:
        yield "age", f"DATEDIFF('day', MAX({_day(asked)}), {literal(asked.today)})"
    for check in asked.checks:
        yield f"check.{check.id}", _measure(check)


def _measure(check: Check) -> str:
    """A check's number."""
    column = identifier(check.column)
    if check.metric == "sql":
        return f"({check.query})"
    if check.metric == "rowCount":
        return "COUNT(*)"
    if check.metric == "nullValues":
        return f"COUNT_IF({column} IS NULL)"
    if check.metric == "duplicateValues":
        over = [identifier(name) for name in check.columns]
        return f"COUNT_IF({' AND '.join(f'{name} IS NOT NULL' for name in over)}) - COUNT(DISTINCT {', '.join(over)})"
    listed = ", ".join(literal(str(value)) for value in check.values if value is not None)
    among = f"{column}::VARCHAR IN ({listed})" if listed else "FALSE"
    if check.metric == "missingValues":
        return f"COUNT_IF({column} IS NULL OR {among})" if None in check.values else f"COUNT_IF({among})"
    valid = [among] if listed else []
    if check.pattern:
        valid.append(f"REGEXP_LIKE({column}::VARCHAR, {literal(check.pattern)})")
    return f"COUNT_IF({column} IS NOT NULL AND NOT ({' AND '.join(valid)}))"
