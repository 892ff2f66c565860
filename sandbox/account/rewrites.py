"""From Snowflake's expressions to those of DuckDB, where sqlglot's own translation would give another value.

Each rule gets a node whose operands have been rewritten, with the types that `numeric` and sqlglot have found, and gives
what stands in its place, or None to leave it as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from sandbox.account import date_rewrites, json_rewrites, numeric, values
from sandbox.account.conversions import DATE, TEXTS, TIMES, call, cast, check_alike, convert, exact, quotient, text, whole
from sandbox.account.errors import unsupported
from sandbox.account.numeric import is_number, is_real, is_semi_structured, scale_of

Rule = Callable[[Any], exp.Expr | None]


def rewrite(tree: exp.Expr) -> exp.Expr:
    """The tree in DuckDB's terms, innermost expressions first.

    Raises:
        SqlError: 000002 what has another meaning in DuckDB and no translation here.
    """
    holder = exp.Paren(this=tree)
    for node in list(tree.walk(bfs=False))[::-1]:
        rule = RULES.get(type(node))
        made = rule(node) if rule is not None else None
        if made is not None and made is not node:
            made.type = made.type if isinstance(made, exp.Cast) else node.type
            node.replace(made)
    inside: exp.Expr = holder.this
    inside.pop()
    return inside


def _cast(node: exp.Cast) -> exp.Expr:
    return convert(node.this, values.named(node.to.sql("snowflake")), safe=isinstance(node, exp.TryCast))


def _divide(node: exp.Div) -> exp.Expr:
    return quotient(node.left, node.right, node)


def _arithmetic(node: exp.Binary) -> exp.Expr | None:
    one, other = node.left, node.right
    if one.is_type(DATE) and is_number(other):
        return type(node)(this=one.copy(), expression=cast(other, "INTEGER"))
    if isinstance(other, exp.Interval):
        return cast(node, "DATE") if node.is_type(DATE) else None
    if one.is_type(DATE) and other.is_type(DATE) and isinstance(node, exp.Sub):
        return None
    if not (is_number(one) and is_number(other)):
        raise unsupported(f"arithmetic on {one.type} and {other.type}: {node.sql('snowflake')}")
    if is_real(one) or is_real(other):
        return type(node)(this=cast(one, "DOUBLE"), expression=cast(other, "DOUBLE"))
    sides = [exact(each) if scale_of(each) == 0 else each.copy() for each in (one, other)]
    made: exp.Expr = type(node)(this=sides[0], expression=sides[1])
    if isinstance(node, exp.Mod):
        return call("SF_MOD", *(cast(side, f"DECIMAL(38, {scale_of(node)})") for side in sides))
    if isinstance(node, exp.Mul) and scale_of(node) < scale_of(one) + scale_of(other):
        made = cast(made, f"DECIMAL(38, {scale_of(node)})")
    return exp.Paren(this=made)


def _average(node: exp.Avg) -> exp.Expr | None:
    inner = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
    if not is_number(inner):
        raise unsupported(f"{node.sql('snowflake')} of {inner.type}")
    if is_real(node) or isinstance(node.parent, exp.Window):
        return None
    return _as_quotient(node, lambda part: part)


def _as_quotient(node: exp.Avg, wrapped: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    inner = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
    total, count = wrapped(exp.Sum(this=node.this.copy())), wrapped(exp.Count(this=node.this.copy()))
    total.type, count.type = numeric.decimal(scale_of(inner)), numeric.decimal(0)
    return quotient(total, count, node)


def _window(node: exp.Window) -> exp.Expr | None:
    """AVG, and RATIO_TO_REPORT, which is the value in relation to the sum of its window."""
    if isinstance(node.this, exp.Anonymous):
        part = node.this.expressions[0]
        total = exp.Window(**{**node.copy().args, "this": exp.Sum(this=part.copy())})
        total.type = part.type
        typed = exp.Literal.number(1)
        typed.type = (
            exp.DType.DOUBLE.into_expr() if is_real(part) else numeric.decimal(numeric.quotient_scale(scale_of(part)))
        )
        return quotient(part, total, typed)
    if isinstance(node.this, exp.Avg) and not is_real(node.this):
        return _as_quotient(node.this, lambda part: exp.Window(**{**node.copy().args, "this": part}))
    return None


def _median(node: exp.Median) -> exp.Expr | None:
    """DuckDB cuts what is between two numbers to their digits."""
    inner = node.this
    if not is_number(inner) or is_real(inner):
        return None
    scale = scale_of(inner) + 3
    return cast(exp.Median(this=cast(exact(inner), f"DECIMAL(38, {scale + 3})")), f"DECIMAL(38, {scale})")


def _joined(node: exp.Expr) -> exp.Expr:
    parts = [node.this, node.expression] if isinstance(node, exp.DPipe) else node.expressions
    made = text(parts[0]).copy()
    for part in parts[1:]:
        made = exp.DPipe(this=made, expression=text(part).copy())
    return exp.Paren(this=made)


def _compared(node: exp.Expr) -> None:
    """Text is converted to what it is compared with; semi-structured values have no order that DuckDB knows."""
    keys = [key for key in ("this", "expression", "low", "high") if isinstance(node.args.get(key), exp.Expr)]
    sides = [node.args[key] for key in keys] + list(node.expressions)
    if any(isinstance(side, exp.Tuple) for side in sides):
        return
    semi = [side for side in sides if is_semi_structured(side)]
    if semi and len(semi) == len(sides):
        raise unsupported(f"a comparison of semi-structured values: {node.sql('snowflake')}")
    others = [side for side in sides if not is_semi_structured(side) and not side.is_type(*TEXTS)]
    wanted = next((side.type for side in others if side.is_type(*TIMES)), None)
    if wanted is None and any(is_number(side) for side in others):
        wanted = exp.DataType.build("DOUBLE")
    if wanted is None and any(side.is_type(exp.DType.BOOLEAN) for side in others):
        wanted = exp.DataType.build("BOOLEAN")
    for side in sides:
        if is_semi_structured(side):
            side.replace(convert(side, values.named(wanted.sql("snowflake"))) if wanted else text(side).copy())
        elif wanted is not None and side.is_type(*TEXTS) and not isinstance(side, exp.Null):
            side.replace(convert(side, values.named(wanted.sql("snowflake"))))


def _alike(node: exp.Expr) -> None:
    """One column of a result holds one family of types; what Snowflake would convert is refused."""
    parts = [part for part in numeric.branches(node) if part is not None and not isinstance(part, exp.Null)]
    check_alike(parts, node)


def _on_text(node: exp.Expr) -> None:
    """Functions of texts: other values are converted, places and counts are whole numbers."""
    for key, child in list(node.args.items()):
        for each in child if isinstance(child, list) else [child]:
            if not isinstance(each, exp.Expr) or isinstance(each, exp.Interval | exp.Var | exp.Identifier):
                continue
            if isinstance(each, exp.Any | exp.All | exp.Tuple | exp.Subquery):
                continue
            if key == "expression" and is_number(each) and isinstance(node, exp.Left | exp.Right | exp.Pad | exp.Repeat):
                each.replace(whole(each).copy())
            elif key == "this" or is_semi_structured(each) or key in ("expression", "pattern", "substr", "fill_pattern"):
                if not each.is_type(*TEXTS):
                    each.replace(text(each).copy())
            elif is_number(each):
                each.replace(whole(each).copy())


def _to_number(node: exp.ToNumber) -> exp.Expr:
    if node.args.get("format") is not None:
        raise unsupported(node.sql("snowflake"))
    sizes = [
        int(node.args[key].name) if node.args.get(key) else default for key, default in (("precision", 38), ("scale", 0))
    ]
    return convert(node.this, values.number(*sizes), safe=bool(node.args.get("safe")))


def _ordered(node: exp.Ordered) -> None:
    if is_semi_structured(node.this):
        raise unsupported(f"an order of semi-structured values: {node.sql('snowflake')}")


def _extreme(node: exp.Expr) -> None:
    if is_semi_structured(node.this):
        raise unsupported(f"{node.sql('snowflake')} of semi-structured values")


def _real(node: exp.Expr) -> exp.Expr:
    return call("SF_REAL", node)


def _sum(node: exp.Expr) -> None:
    inner = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
    if not is_number(inner) and not inner.is_type(exp.DType.UNKNOWN):
        raise unsupported(f"{node.sql('snowflake')} of {inner.type}")
    if is_number(inner) and not is_real(inner):
        inner.replace(exact(inner))


def _places(node: exp.Expr) -> exp.Expr | None:
    places = node.args.get("decimals")
    if is_real(node.this) or places is None:
        return None
    if isinstance(node, exp.Ceil | exp.Floor) or not places.is_int:
        raise unsupported(node.sql("snowflake"))
    return None


def _grouped_together(node: exp.SetOperation) -> None:
    recursive = isinstance(node.parent, exp.CTE) and bool(node.parent.parent and node.parent.parent.args.get("recursive"))
    for one, other in zip(node.left.selects, node.right.selects, strict=False):
        if recursive and is_number(one) and (is_real(one) != is_real(other) or scale_of(other) > scale_of(one)):
            raise unsupported(f"a recursive query whose column changes its type: {node.sql('snowflake')}")
        check_alike([part.unalias() for part in (one, other) if not isinstance(part.unalias(), exp.Null)], node)


def _nvl2(node: exp.Nvl2) -> exp.Expr:
    _alike(exp.Coalesce(this=node.args["true"].copy(), expressions=[node.args["false"].copy()]))
    given = exp.Not(this=exp.Is(this=node.this.copy(), expression=exp.null()))
    return exp.Case(ifs=[exp.If(this=given, true=node.args["true"].copy())], default=node.args["false"].copy())


def _count_if(node: exp.CountIf) -> exp.Expr:
    """Of no rows 0, as any count; DuckDB's COUNT_IF is a sum, and tells NULL."""
    return exp.Count(this=exp.Case(ifs=[exp.If(this=node.this.copy(), true=exp.Literal.number(1))]))


RULES: dict[type[exp.Expr], Rule] = {
    **date_rewrites.RULES, **json_rewrites.RULES,
    exp.Cast: _cast, exp.TryCast: _cast, exp.Div: _divide, exp.Avg: _average, exp.Window: _window, exp.Median: _median,
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Mod), _arithmetic), **dict.fromkeys((exp.DPipe, exp.Concat), _joined),
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between), _compared),
    **dict.fromkeys((exp.EqualNull, exp.NullSafeEQ, exp.NullSafeNEQ), _compared),
    **dict.fromkeys((exp.Case, exp.If, exp.Coalesce, exp.Greatest, exp.Least, exp.DecodeCase), _alike), exp.Nvl2: _nvl2,
    **dict.fromkeys((exp.Union, exp.Intersect, exp.Except), _grouped_together),
    **dict.fromkeys(
        (
            exp.Like, exp.ILike, exp.Upper, exp.Lower, exp.Trim, exp.Substring, exp.Left, exp.Right, exp.Pad, exp.Replace,
            exp.SplitPart, exp.Contains, exp.StartsWith, exp.EndsWith, exp.StrPosition, exp.Reverse, exp.Repeat,
            exp.Initcap, exp.RegexpLike, exp.RegexpReplace, exp.RegexpExtract, exp.RegexpCount, exp.Length, exp.Translate,
            exp.MD5, exp.SHA2, exp.Levenshtein, exp.Hex, exp.Unicode, exp.Ascii, exp.Space, exp.Chr,
        ),
        _on_text,
    ),
    exp.ToNumber: _to_number, exp.RawString: lambda node: exp.Literal.string(node.this),
    exp.ToDouble: lambda node: convert(node.this, values.REAL, safe=bool(node.args.get("safe"))),
    exp.ToBoolean: lambda node: convert(node.this, values.BOOLEAN, safe=bool(node.args.get("safe"))),
    exp.Ordered: _ordered, exp.Min: _extreme, exp.Max: _extreme, exp.Sum: _sum, exp.CountIf: _count_if,
    **dict.fromkeys((exp.Sqrt, exp.Ln, exp.Log, exp.Pow, exp.Exp, exp.Asin, exp.Acos), _real),
    **dict.fromkeys((exp.Round, exp.Trunc, exp.Ceil, exp.Floor), _places),
}  # fmt: skip
