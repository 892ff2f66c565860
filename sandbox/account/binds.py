"""Values that a driver sends beside a statement, put in the places of `?` and `:1` as typed literals.

https://docs.snowflake.com/en/developer-guide/sql-api/reference#type-bindings
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlglot import exp

from sandbox.account.errors import SqlError, unsupported

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def put_in(tree: exp.Expr, bindings: dict[str, Any], row: int | None) -> exp.Expr:
    """The tree with the values of one row; `row` is None when there is only one.

    Raises:
        SqlError: 002049 a place without a value.
    """
    places = [node for node in tree.walk(bfs=False) if isinstance(node, exp.Placeholder | exp.Parameter)]
    for number, place in enumerate(places, 1):
        key = place.name if place.name.isdigit() else str(number)
        if isinstance(place, exp.Parameter):
            raise unsupported(place.sql("snowflake"))
        if key not in bindings:
            raise SqlError("002049", "42601", f"SQL compilation error:\nBind variable ? not set: no value for number {key}.")
        value = bindings[key]["value"]
        place.replace(_literal(str(bindings[key]["type"]).upper(), value if row is None else value[row]))
    return tree


def count(bindings: dict[str, Any]) -> int | None:
    """How many rows are bound; None when each value is one value."""
    lists = [each["value"] for each in bindings.values() if isinstance(each.get("value"), list)]
    return len(lists[0]) if lists else None


def _literal(kind: str, value: Any) -> exp.Expr:
    if value is None:
        return exp.null()
    text = str(value)
    if kind in ("FIXED", "REAL"):
        return exp.Literal.number(text) if not text.startswith("-") else exp.Neg(this=exp.Literal.number(text[1:]))
    if kind == "BOOLEAN":
        return exp.true() if text.lower() in ("true", "1") else exp.false()
    if kind == "TEXT":
        return exp.Literal.string(text)
    if kind == "DATE":  # milliseconds
        return exp.cast(exp.Literal.string(str((_EPOCH + timedelta(milliseconds=int(text))).date())), "DATE")
    if kind == "TIMESTAMP_NTZ":  # nanoseconds
        seconds, nanos = divmod(int(text), 1_000_000_000)
        whole = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat(" ")
        return exp.cast(exp.Literal.string(f"{whole}.{nanos:09d}"), exp.DataType.Type.TIMESTAMPNTZ)
    raise unsupported(f"a bound value of type {kind}")
