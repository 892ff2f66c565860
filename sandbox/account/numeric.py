"""Types of arithmetic as Snowflake has them, where sqlglot's own annotations do not tell the scale.

The scale decides how many digits a quotient has: 1 / 3 is 0.333333.
https://docs.snowflake.com/en/sql-reference/operators-arithmetic
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlglot import exp
from sqlglot.dialects.snowflake import Snowflake

_MOST_SCALE = 12
_REALS = (exp.DType.DOUBLE, exp.DType.FLOAT)
_NUMBERS = exp.DataType.NUMERIC_TYPES
_SEMI = (exp.DType.VARIANT, exp.DType.OBJECT, exp.DType.ARRAY, exp.DType.STRUCT, exp.DType.JSON)


def decimal(scale: int) -> exp.DataType:
    """NUMBER(38, scale)"""
    return exp.DataType.build(f"DECIMAL(38, {scale})")


def is_number(node: exp.Expr | None) -> bool:
    """Whether its type is known to be a number."""
    return node is not None and node.is_type(*_NUMBERS)


def is_real(node: exp.Expr) -> bool:
    """Whether its type is FLOAT."""
    return node.is_type(*_REALS)


def is_semi_structured(node: exp.Expr | None) -> bool:
    """Whether its type is VARIANT, OBJECT or ARRAY."""
    return node is not None and node.is_type(*_SEMI)


def scale_of(node: exp.Expr) -> int:
    """Digits after the point of a number that is not a FLOAT."""
    kind = node.type
    params = list(kind.expressions) if isinstance(kind, exp.DataType) else []
    return int(params[1].name) if len(params) > 1 else 0


def quotient_scale(scale: int) -> int:
    """Of a quotient or an average, from the scale of what is divided."""
    return max(scale, min(scale + 6, _MOST_SCALE))


def _typed(annotator: Any, node: exp.Expr, kind: object) -> exp.Expr:
    """The node, which sqlglot's annotator now takes to be of a type."""
    typed: exp.Expr = annotator._set_type(node, kind)
    return typed


def _binary(rule: Any) -> Any:
    def annotate(self: Any, node: exp.Binary) -> exp.Expr:
        one, other = node.left, node.right
        if not (is_number(one) and is_number(other)):
            return _given(self, node)
        real = is_real(one) or is_real(other)
        return _typed(self, node, exp.DType.DOUBLE if real else decimal(rule(scale_of(one), scale_of(other))))

    return annotate


def _one_of(parts: Any) -> Any:
    """The type of what is one of several values: the scale that has room for each."""

    def annotate(self: Any, node: exp.Expr) -> exp.Expr:
        given = _given(self, node)
        known = [part for part in parts(node) if part is not None and not part.is_type(exp.DType.NULL)]
        if not known or not all(is_number(part) for part in known):
            return given
        real = any(is_real(part) for part in known)
        return _typed(self, node, exp.DType.DOUBLE if real else decimal(max(map(scale_of, known))))

    return annotate


def _rounded(self: Any, node: exp.Expr) -> exp.Expr:
    places = node.args.get("decimals")
    if not is_number(node.this) or is_real(node.this):
        return _given(self, node)
    scale = scale_of(node.this)
    if places is None:
        scale = 0
    elif places.is_int:
        scale = max(0, min(scale, int(places.to_py())))
    return _typed(self, node, decimal(scale))


def _average(self: Any, node: exp.Expr) -> exp.Expr:
    inner = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
    real = not is_number(inner) or is_real(inner)
    return _typed(self, node, exp.DType.DOUBLE if real else decimal(quotient_scale(scale_of(inner))))


def _percentile(self: Any, node: exp.WithinGroup) -> exp.Expr:
    given = _given(self, node)
    if not isinstance(node.this, exp.PercentileCont) or not is_number(given) or is_real(given):
        return given
    return _typed(self, node, decimal(scale_of(given) + 3))


def _literal(self: Any, node: exp.Literal) -> exp.Expr:
    if node.is_string or "e" in node.name.lower() or "." not in node.name:
        return _given(self, node)
    return _typed(self, node, decimal(len(node.name.partition(".")[2])))


def _fixed(kind: exp.DType) -> Any:
    return lambda self, node: _typed(self, node, kind)


def _number(self: Any, node: exp.ToNumber) -> exp.Expr:
    scale = node.args.get("scale")
    return _typed(self, node, decimal(int(scale.name) if scale is not None else 0))


def _given(self: Any, node: exp.Expr) -> exp.Expr:
    """As sqlglot has it."""
    said = _THEIRS.get(type(node)) or {}
    if annotator := said.get("annotator"):
        annotated: exp.Expr = annotator(self, node)
        return annotated
    if "returns" in said:
        return _typed(self, node, said["returns"])
    return _typed(self, node, exp.DType.UNKNOWN)


def branches(node: exp.Expr) -> Iterable[exp.Expr | None]:
    """The values of which an expression is one."""
    if isinstance(node, exp.Case):
        return [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")]
    if isinstance(node, exp.If):
        return [node.args["true"], node.args.get("false")]
    if isinstance(node, exp.Nvl2):
        return [node.args["true"], node.args["false"]]
    if isinstance(node, exp.DecodeCase):
        results = node.expressions[2::2]
        return results if len(node.expressions) % 2 else [*results, node.expressions[-1]]
    return [node.this, *node.expressions]


_THEIRS = Snowflake.EXPRESSION_METADATA
_OURS: dict[type[exp.Expr], Any] = {
    exp.Literal: _literal,
    exp.Add: _binary(max),
    exp.Sub: _binary(max),
    exp.Mod: _binary(max),
    exp.Mul: _binary(lambda one, other: min(one + other, max(one, other, _MOST_SCALE))),
    exp.Div: _binary(lambda one, other: quotient_scale(one)),
    exp.Avg: _average,
    exp.Round: _rounded,
    exp.Trunc: _rounded,
    exp.Ceil: _rounded,
    exp.Floor: _rounded,
    exp.ToNumber: _number,
    exp.WithinGroup: _percentile,
    **dict.fromkeys((exp.Case, exp.If, exp.Coalesce, exp.Greatest, exp.Least, exp.Nvl2, exp.DecodeCase), _one_of(branches)),
    **dict.fromkeys((exp.JSONExtract, exp.GetExtract, exp.Bracket, exp.ParseJSON, exp.ToVariant), _fixed(exp.DType.VARIANT)),
    **dict.fromkeys((exp.JSONObject, exp.Struct, exp.ObjectAgg), _fixed(exp.DType.OBJECT)),
    **dict.fromkeys(
        (exp.Array, exp.ToArray, exp.ArrayAgg, exp.Split, exp.JSONKeys, exp.ArrayConcat), _fixed(exp.DType.ARRAY)
    ),
    **dict.fromkeys((exp.ArrayAppend, exp.ArrayUniqueAgg), _fixed(exp.DType.ARRAY)),
}
METADATA = {**_THEIRS, **{kind: {"annotator": annotator} for kind, annotator in _OURS.items()}}
