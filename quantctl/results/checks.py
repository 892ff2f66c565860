"""Checks of a contract: the standard's library metrics and its SQL checks, and whether a measured number is right. Pure.

https://bitol-io.github.io/open-data-contract-standard/v3.1.0/data-quality/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from open_data_contract_standard.model import DataQuality, SchemaObject

METRICS = ("rowCount", "nullValues", "missingValues", "invalidValues", "duplicateValues")
_OPERATORS: dict[str, tuple[str, Callable[[float, Sequence[float]], bool]]] = {
    "mustBe": ("=", lambda found, to: found == to[0]),
    "mustNotBe": ("is not", lambda found, to: found != to[0]),
    "mustBeGreaterThan": (">", lambda found, to: found > to[0]),
    "mustBeGreaterOrEqualTo": (">=", lambda found, to: found >= to[0]),
    "mustBeLessThan": ("<", lambda found, to: found < to[0]),
    "mustBeLessOrEqualTo": ("<=", lambda found, to: found <= to[0]),
    "mustBeBetween": ("between", lambda found, to: to[0] <= found <= to[1]),
    "mustNotBeBetween": ("not between", lambda found, to: not to[0] <= found <= to[1]),
}
_PLACEHOLDER = re.compile(r"\$?\{(object|table|model|property|column)\}", re.I)
OBJECT = "QUANT_OBJECT"  # what stands in a parsed query in the place of {object}
Wrong = Callable[[Iterable[str | int], str], None]


@dataclass(frozen=True)
class Check:
    """One promise: a metric, or a query that gives a number, and what the number must be.

    `values` are those of missingValues (missing) or invalidValues (valid); `pattern` is a regular expression of valid ones.
    """

    id: str
    metric: str
    operator: str
    bounds: tuple[float, ...]
    column: str = ""
    columns: tuple[str, ...] = ()
    values: tuple[str | float | None, ...] = ()
    pattern: str = ""
    percent: bool = False
    query: str = ""
    error: bool = True

    def holds(self, found: float) -> bool:
        """Whether a measured number is what it must be."""
        return _OPERATORS[self.operator][1](found, self.bounds)

    def __str__(self) -> str:
        bounds = " and ".join(f"{bound:g}" for bound in self.bounds)
        where = f" of {self.column}" if self.column else ""
        return f"{self.metric}{where} {_OPERATORS[self.operator][0]} {bounds}{' %' if self.percent else ''}"


def is_number(value: object) -> bool:
    """A finite number that the account can be given."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -1e300 <= value <= 1e300


def spelled(name: str) -> str:
    """A name as Snowflake keeps it: in upper case, but for one that stands in double quotes."""
    return name[1:-1] if len(name) > 2 and name[0] == name[-1] == '"' else name.upper()


def checks_of(table: SchemaObject, columns: Sequence[str], wrong: Wrong) -> tuple[Check, ...]:
    """Every check of a table that a machine evaluates, in the order of the file; `text` and `custom` are for people."""
    found: list[Check] = []

    def add(quality: Sequence[DataQuality] | None, at: tuple[str | int, ...], column: str) -> None:
        for number, one in enumerate(quality or []):
            steps = (*at, "quality", number)
            if one.type in ("text", "custom"):
                continue
            made = _check(one, column, columns, partial(wrong, steps))
            if made is not None and any(other.id == made.id for other in found):
                wrong(steps, f"two checks are called {made.id!r}; give each an id.")
            elif made is not None:
                found.append(made)

    for number, one in enumerate(table.properties or []):
        add(one.quality, ("properties", number), spelled(str(one.physicalName or one.name)))
    add(table.quality, (), "")
    return tuple(found)


def _check(one: DataQuality, column: str, columns: Sequence[str], wrong: Callable[[str], None]) -> Check | None:
    said = [name for name in _OPERATORS if getattr(one, name) is not None]
    if len(said) != 1:
        wrong(f"expected one of {', '.join(_OPERATORS)}; found {', '.join(said) or 'none'}.")
        return None
    bounds = getattr(one, said[0])
    bounds = tuple(bounds) if isinstance(bounds, list) else (bounds,)
    if not all(map(is_number, bounds)):
        wrong(f"{said[0]}: expected a number.")
        return None
    metric = "sql" if one.type == "sql" else str(one.metric or one.rule)
    arguments = one.arguments or {}
    given: dict[str, Any] = {"percent": str(one.unit or "").lower() in ("percent", "%"), "error": one.severity != "warning"}
    if metric == "sql":
        query, problem = query_of(str(one.query or ""), column)
        if problem:
            wrong(problem)
            return None
        given |= {"query": query, "percent": False}
    elif metric not in METRICS:
        wrong(f"the metric {metric} is not evaluated here; allowed are {', '.join(METRICS)}, and type: sql.")
        return None
    elif metric in ("nullValues", "missingValues", "invalidValues") and not column:
        wrong(f"{metric} is a check of a column.")
        return None
    elif metric == "duplicateValues":
        named = arguments.get("properties")
        over = [spelled(str(name)) for name in named] if isinstance(named, list) else [column] if column else []
        if not over or not set(over) <= set(columns):
            wrong("duplicateValues: arguments.properties names columns of the contract.")
            return None
        given["columns"] = tuple(over)
    elif metric in ("missingValues", "invalidValues"):
        listed = arguments.get("missingValues" if metric == "missingValues" else "validValues")
        pattern = str(arguments.get("pattern") or "")
        listed = listed if isinstance(listed, list) else []
        if not listed and not (pattern and metric == "invalidValues"):
            wrong(f"{metric}: arguments say which: {metric if metric == 'missingValues' else 'validValues or pattern'}.")
            return None
        given |= {"values": tuple(listed or ()), "pattern": pattern}
    name = re.sub(r"\s+", "_", one.id or one.name or f"{column or 'table'}.{metric}")
    return Check(id=name, metric=metric, operator=said[0], bounds=tuple(map(float, bounds)), column=column, **given)


def query_of(query: str, column: str) -> tuple[str, str]:
    """A check's query with OBJECT in the place of its table, and why it is refused, "" when it is not.

    It reads its own table and nothing else, and gives one number: it runs with the rights of whoever compares.
    """
    from sqlglot import exp, parse
    from sqlglot.errors import SqlglotError

    def put(found: re.Match[str]) -> str:
        return f'"{column}"' if found[1].lower() in ("property", "column") and column else OBJECT

    text = _PLACEHOLDER.sub(put, query).strip().rstrip(";")
    try:
        trees = parse(text, read="snowflake")
    except SqlglotError as error:
        return "", f"query: it cannot be parsed: {str(error).splitlines()[0][:120]}."
    tree = trees[0] if len(trees) == 1 else None
    if not isinstance(tree, exp.Select) or len(tree.selects) != 1:
        return (
            "",
            "query: expected one SELECT of one number, for example SELECT COUNT(*) FROM {object} WHERE {property} < 0.",
        )
    own = {one.alias for one in tree.find_all(exp.CTE)}
    tables = [one for one in tree.find_all(exp.Table) if one.sql("snowflake") not in own]
    strange = [one for one in tables if one.name != OBJECT or one.args.get("db")]
    if strange or not tables:
        return "", "query: it reads {object}, and nothing else."
    called = [one for one in tree.find_all(exp.Anonymous) if "$" in one.name or isinstance(one.parent, exp.Dot)]
    if called:
        return "", f"query: {called[0].name} is a function of the system or of a schema, which a check does not call."
    return tree.sql("snowflake"), ""
