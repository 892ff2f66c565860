"""Semi-structured values and lists in DuckDB's terms: VARIANT, OBJECT and ARRAY are JSON.

https://docs.snowflake.com/en/sql-reference/functions-semistructured
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from sandbox.account.conversions import TEXTS, TIMES, call, cast, exact, text, variant, whole
from sandbox.account.errors import unsupported
from sandbox.account.numeric import is_number, is_real, is_semi_structured, scale_of

Rule = Callable[[Any], exp.Expr | None]


def _array_agg(node: exp.Expr) -> exp.Expr | None:
    for inner in list(node.this.expressions if isinstance(node.this, exp.Distinct) else [node.this]):
        if inner.is_type(*TIMES):
            inner.replace(text(inner).copy())
    return None if isinstance(node.parent, exp.WithinGroup | exp.Window) else _json_list(node)


def _json_list(node: exp.Expr) -> exp.Expr:
    return cast(exp.Coalesce(this=call("TO_JSON", node), expressions=[call("JSON_ARRAY")]), "JSON")


def _within(node: exp.WithinGroup) -> exp.Expr | None:
    if isinstance(node.this, exp.GroupConcat):
        return exp.Coalesce(this=node.copy(), expressions=[exp.Literal.string("")])
    if isinstance(node.this, exp.ArrayAgg) or (isinstance(node.this, exp.Coalesce) and node.find(exp.ArrayAgg)):
        return _json_list(node)
    return _percentile(node)


def _percentile(node: exp.WithinGroup) -> exp.Expr | None:
    if not isinstance(node.this, exp.PercentileCont):
        return None
    [ordered] = node.expression.expressions
    if not is_number(ordered.this) or is_real(ordered.this):
        return None
    scale = scale_of(ordered.this) + 3  # DuckDB cuts what is between two numbers to their digits
    ordered.this.replace(cast(exact(ordered.this), f"DECIMAL(38, {scale + 3})"))
    return cast(node, f"DECIMAL(38, {scale})")


def _list_agg(node: exp.GroupConcat) -> exp.Expr:
    inner = node.this
    while isinstance(inner, exp.Order | exp.Distinct):
        inner = inner.this if isinstance(inner, exp.Order) else inner.expressions[0]
    inner.replace(text(inner).copy())
    held = node.parent if isinstance(node.parent, exp.WithinGroup) else None
    if held is None:
        return exp.Coalesce(this=node.copy(), expressions=[exp.Literal.string("")])
    return node


def _parse_json(node: exp.ParseJSON) -> exp.Expr:
    if isinstance(node.this, exp.Literal) and node.this.is_string:
        try:
            held = json.dumps(json.loads(node.this.name), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            return cast(exp.Literal.string(held), "JSON")
        except ValueError:
            pass
    return call("SF_TRY_JSON" if node.args.get("safe") else "SF_JSON", text(node.this))


def _object(node: exp.Expr, *, with_nulls: bool = False) -> exp.Expr:
    pairs: list[exp.Expr] = []
    for each in node.expressions:
        if not isinstance(each, exp.PropertyEQ | exp.JSONKeyValue) or each.this is None:
            raise unsupported(node.sql("snowflake"))
        pairs += [text(each.this), variant(each.expression)]
    if all(isinstance(key, exp.Literal) for key in pairs[::2]):  # members are in the order of their names
        pairs = [
            part for pair in sorted(zip(pairs[::2], pairs[1::2], strict=True), key=lambda p: p[0].name) for part in pair
        ]
    if with_nulls:
        return call("JSON_OBJECT", *pairs)
    # A member whose value is NULL is left out; one whose value is JSON's own null is not.
    return call("SF_OBJECT", call("LIST_VALUE", *pairs[::2]), call("LIST_VALUE", *pairs[1::2]))


def _array(node: exp.Array) -> exp.Expr:
    return call("JSON_ARRAY", *map(variant, node.expressions))


def _element(node: exp.Expr) -> exp.Expr:
    key = node.expressions[0] if isinstance(node, exp.Bracket) else node.expression
    if not is_semi_structured(node.this):
        raise unsupported(f"an element of {node.this.type}: {node.sql('snowflake')}")
    return call("SF_MEMBER", node.this, key) if key.is_type(*TEXTS) else call("SF_ELEMENT", node.this, whole(key))


def _split(node: exp.Split) -> exp.Expr:
    return call("TO_JSON", call("STR_SPLIT", text(node.this), text(node.expression)))


def _contains(node: exp.ArrayContains) -> exp.Expr:
    if not is_semi_structured(node.this):
        raise unsupported(node.sql("snowflake"))
    return call(
        "JSON_CONTAINS",
        node.this,
        node.expression if is_semi_structured(node.expression) else call("TO_JSON", node.expression),
    )


def _path(node: exp.JSONExtract) -> exp.Expr:
    """V:a.b[0]; the names of members are as written, in their case."""
    said = "$"
    for part in node.expression.expressions:
        if isinstance(part, exp.JSONPathKey) and isinstance(part.this, str):
            said += '."' + part.this.replace('"', '\\"') + '"'
        elif isinstance(part, exp.JSONPathSubscript) and isinstance(part.this, int):
            said += f"[{part.this}]"
        elif not isinstance(part, exp.JSONPathRoot):
            raise unsupported(node.sql("snowflake"))
    return call("JSON_EXTRACT", cast(node.this, "JSON"), exp.Literal.string(said))


def _type_of(node: exp.Typeof) -> exp.Expr:
    if any(is_real(inner) for inner in node.this.expressions):  # in JSON a FLOAT looks like a NUMBER
        raise unsupported(node.sql("snowflake"))
    return call("SF_TYPEOF", node.this)


def _semi(name: str, *more: str) -> Rule:
    return lambda node: call(name, node.this, *(node.args[key] for key in more if node.args.get(key)))


RULES: dict[type[exp.Expr], Rule] = {
    exp.GroupConcat: _list_agg, exp.WithinGroup: _within, exp.ArrayAgg: _array_agg, exp.ArrayUniqueAgg: _array_agg,
    exp.ParseJSON: _parse_json, exp.Struct: _object, exp.JSONObject: lambda node: _object(node, with_nulls=True),
    exp.Array: _array, exp.Bracket: _element, exp.GetExtract: _element, exp.JSONExtract: _path, exp.Split: _split,
    exp.ArrayContains: _contains, exp.ArraySize: _semi("SF_ARRAY_SIZE"),
    exp.ArrayToString: lambda node: call("SF_ARRAY_TEXT", node.this, text(node.expression)),
    exp.ToVariant: lambda node: variant(node.this), exp.Typeof: _type_of,
    exp.ArrayAppend: lambda node: call("SF_APPEND", node.this, variant(node.expression)),
    exp.ArrayConcat: lambda node: call("SF_JOIN", node.this, *node.expressions),
    exp.JSONKeys: lambda node: call("TO_JSON", call("LIST_SORT", call("JSON_KEYS", node.this))),
    exp.JSONFormat: lambda node: cast(node.this, "VARCHAR"),
    exp.ObjectAgg: lambda node: call("SF_OBJECT_AGG", text(node.this), variant(node.expression)),
}  # fmt: skip
