"""Values that a driver sends beside a statement, put in the places of `?` and `:1` as typed literals.

https://docs.snowflake.com/en/developer-guide/sql-api/reference#type-bindings
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlglot import exp

from sandbox.account.errors import SqlError, unsupported

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def put_in(tree: exp.Expr, bindings: dict[str, Any]) -> exp.Expr:
    """The tree with the values; lists of values are many rows of an INSERT.

    Raises:
        SqlError: 002049 a place without a value.
    """
    many = [len(each["value"]) for each in bindings.values() if isinstance(each.get("value"), list)]
    if not many:
        return _one(tree, bindings, None)
    values = tree.args.get("expression")
    if not isinstance(tree, exp.Insert) or not isinstance(values, exp.Values) or len(values.expressions) != 1:
        raise unsupported("rows of bound values, except with INSERT ... VALUES")
    [line] = values.expressions
    values.set("expressions", [_one(line.copy(), bindings, row) for row in range(many[0])])
    return tree


def _one(tree: exp.Expr, bindings: dict[str, Any], row: int | None) -> exp.Expr:
    places = [node for node in tree.walk(bfs=False) if isinstance(node, exp.Placeholder | exp.Parameter)]
    for number, place in enumerate(places, 1):
        key = place.name if place.name.isdigit() else str(number)
        if isinstance(place, exp.Parameter):
            raise unsupported(place.sql("snowflake"))
        if key not in bindings:
            raise SqlError("002049", "42601", f"SQL compilation error:\nBind variable ? not set: no value for number {key}.")
        value = bindings[key]["value"]
        place.replace(
            _literal(
                str(bindings[key]["type"]).upper(), value[row] if row is not None and isinstance(value, list) else value
            )
        )
    return tree


def _literal(kind: str, value: Any) -> exp.Expr:
    if value is None:
        return exp.null()
    text = str(value)
    if kind == "FIXED":
        return exp.Literal.number(text) if not text.startswith("-") else exp.Neg(this=exp.Literal.number(text[1:]))
    if kind == "REAL":
        return exp.cast(exp.Literal.string(text), "DOUBLE")
    if kind == "BOOLEAN":
        return exp.true() if text.lower() in ("true", "1") else exp.false()
    if kind == "TEXT":
        return exp.Literal.string(text)
    if kind == "DATE":  # milliseconds
        return exp.cast(exp.Literal.string(str((_EPOCH + timedelta(milliseconds=int(text))).date())), "DATE")
    if kind in ("TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ"):  # nanoseconds; of the last also minutes, for showing
        moment = _EPOCH + timedelta(microseconds=int(text.split()[0]) // 1000)
        if kind == "TIMESTAMP_NTZ":
            return exp.cast(exp.Literal.string(moment.replace(tzinfo=None).isoformat(" ")), exp.DataType.Type.TIMESTAMPNTZ)
        return exp.cast(exp.Literal.string(moment.isoformat(" ")), exp.DataType.Type.TIMESTAMPLTZ)
    raise unsupported(f"a bound value of type {kind}")
