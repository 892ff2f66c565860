"""From Snowflake's expressions to those of DuckDB, where sqlglot's own translation would give another value.

Each rule gets a node whose operands have been rewritten, with the types that `numeric` and sqlglot have found, and gives
what stands in its place, or None to leave it as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from sandbox.account import numeric, values
from sandbox.account.errors import unsupported
from sandbox.account.numeric import is_number, is_real, is_semi_structured, scale_of

Rule = Callable[[Any], exp.Expr | None]
_DATE, _TEXTS = exp.DType.DATE, exp.DataType.TEXT_TYPES
_TIMES = (*exp.DataType.TEMPORAL_TYPES,)
_LTZ = (exp.DType.TIMESTAMPLTZ, exp.DType.TIMESTAMPTZ)
# https://docs.snowflake.com/en/sql-reference/date-time-input-output#about-the-elements-used-in-input-and-output-formats
_FORMATS = {
    "YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MON": "%b", "MM": "%m", "DD": "%d", "DY": "%a", "HH24": "%H", "HH12": "%I",
    "MI": "%M", "SS": "%S", "FF3": "%g", "FF6": "%f", "AM": "%p", "PM": "%p",
}  # fmt: skip
_FORMAT = re.compile(r'"([^"]*)"|(' + "|".join(sorted(_FORMATS, key=len, reverse=True)) + r")|([A-Za-z]+)|(.)", re.I | re.S)


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    """A call of one of `macros` or of a function of DuckDB's."""
    return exp.Anonymous(this=name, expressions=[each.copy() for each in arguments])


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


def cast(node: exp.Expr, duck: str, *, safe: bool = False) -> exp.Expr:
    """CAST or TRY_CAST to a type of DuckDB's."""
    kind = exp.TryCast if safe else exp.Cast
    made = kind(this=node.copy(), to=exp.DataType.build(duck, dialect="duckdb"))
    made.type = made.to
    return made


def text(node: exp.Expr) -> exp.Expr:
    """A value as Snowflake's text of it."""
    if node.is_type(*_TEXTS) and not isinstance(node, exp.Null):
        return node
    plain = (is_number(node) and not is_real(node)) or node.is_type(_DATE, exp.DType.BOOLEAN)
    made = cast(node, "VARCHAR") if plain else call("SF_TEXT", node)
    made.type = exp.DataType.build("VARCHAR")
    return made


def whole(node: exp.Expr) -> exp.Expr:
    """A number as a place or a count."""
    return node if node.is_int or not is_number(node) else cast(node, "BIGINT")


def number(value: int) -> exp.Expr:
    """A literal that keeps its sign and all its digits."""
    return cast(exp.Literal.string(str(value)), "DECIMAL(38, 0)")


def convert(node: exp.Expr, to: values.Type, *, safe: bool = False) -> exp.Expr:
    """A value of a type that is known as one of another type."""
    if to.family in values.SEMI_STRUCTURED:
        return node if is_semi_structured(node) else call("TO_JSON", node)
    if to.family == "text":
        made = text(node)
        return made if to.length >= values.TEXT.length else call("SF_FIT", made, exp.convert(to.length))
    source = text(node) if is_semi_structured(node) else node
    if to.family == "boolean" and not source.is_type(exp.DType.BOOLEAN):
        return call("SF_TRY_BOOLEAN" if safe else "SF_BOOLEAN", source)
    if to.family.startswith("timestamp") and (source.is_type(*_TEXTS) or source is not node):
        source = call("SF_WALL" if to.family == "timestamp_ntz" else "SF_ZONED", source)
    if to.family == "fixed" and source.is_type(*_TIMES):
        raise unsupported(f"a conversion of {node.type} to {to.sql}")
    return cast(source, to.duck, safe=safe)


def _cast(node: exp.Cast) -> exp.Expr:
    return convert(node.this, values.named(node.to.sql("snowflake")), safe=isinstance(node, exp.TryCast))


def _divide(node: exp.Div) -> exp.Expr:
    return quotient(node.left, node.right, node)


def quotient(one: exp.Expr, other: exp.Expr, typed: exp.Expr) -> exp.Expr:
    """one / other, exact unless the result is a FLOAT."""
    if not (is_number(one) and is_number(other)):
        raise unsupported(f"a quotient of {one.type} and {other.type}")
    if is_real(typed):
        return call("SF_DIVIDE_REAL", one, other)
    scale = scale_of(typed)
    powers = [number(10 ** scale_of(each)) for each in (one, other)]
    whole_number = call(
        "SF_DIVIDE",
        cast(one, f"DECIMAL(38, {scale_of(one)})"),
        cast(other, f"DECIMAL(38, {scale_of(other)})"),
        *powers,
        number(10**scale),
    )
    unit = cast(exp.Literal.string("0." + "0" * (scale - 1) + "1" if scale else "1"), f"DECIMAL(38, {scale})")
    made = cast(exp.Mul(this=cast(whole_number, "DECIMAL(38, 0)"), expression=unit), f"DECIMAL(38, {scale})")
    made.type = typed.type
    return made


def _arithmetic(node: exp.Binary) -> exp.Expr | None:
    one, other = node.left, node.right
    if one.is_type(_DATE) and is_number(other):
        return type(node)(this=one.copy(), expression=cast(other, "INTEGER"))
    if isinstance(other, exp.Interval):
        return cast(node, "DATE") if node.is_type(_DATE) else None
    if one.is_type(_DATE) and other.is_type(_DATE) and isinstance(node, exp.Sub):
        return None
    if not (is_number(one) and is_number(other)):
        raise unsupported(f"arithmetic on {one.type} and {other.type}: {node.sql('snowflake')}")
    if is_real(one) or is_real(other):
        return type(node)(this=cast(one, "DOUBLE"), expression=cast(other, "DOUBLE"))
    sides = [cast(each, f"DECIMAL(38, {scale_of(each)})") if scale_of(each) == 0 else each.copy() for each in (one, other)]
    made: exp.Expr = type(node)(this=sides[0], expression=sides[1])
    if isinstance(node, exp.Mod):
        return call("SF_MOD", *(cast(side, f"DECIMAL(38, {scale_of(node)})") for side in sides))
    if isinstance(node, exp.Mul) and scale_of(node) < scale_of(one) + scale_of(other):
        made = cast(made, f"DECIMAL(38, {scale_of(node)})")
    return exp.Paren(this=made)


def _average(node: exp.Avg) -> exp.Expr | None:
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
        typed.type = exp.DType.DOUBLE.into_expr() if is_real(part) else numeric.decimal(numeric.quotient_scale(scale_of(part)))
        return quotient(part, total, typed)
    if isinstance(node.this, exp.Avg) and not is_real(node.this):
        return _as_quotient(node.this, lambda part: exp.Window(**{**node.copy().args, "this": part}))
    return None


def _median(node: exp.Expr) -> exp.Expr | None:
    inner = node.this
    return None if not is_number(inner) or is_real(inner) else cast(node, f"DECIMAL(38, {scale_of(inner) + 3})")


def _percentile(node: exp.WithinGroup) -> exp.Expr | None:
    if not isinstance(node.this, exp.PercentileCont | exp.PercentileDisc):
        return None
    [ordered] = node.expression.expressions
    more = 3 if isinstance(node.this, exp.PercentileCont) else 0
    return (
        cast(node, f"DECIMAL(38, {scale_of(ordered.this) + more})")
        if is_number(ordered.this) and not is_real(ordered.this)
        else None
    )


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
    others = [side for side in sides if not is_semi_structured(side) and not side.is_type(*_TEXTS)]
    wanted = next((side.type for side in others if side.is_type(*_TIMES)), None)
    if wanted is None and any(is_number(side) for side in others):
        wanted = exp.DataType.build("DOUBLE")
    if wanted is None and any(side.is_type(exp.DType.BOOLEAN) for side in others):
        wanted = exp.DataType.build("BOOLEAN")
    for side in sides:
        if is_semi_structured(side):
            side.replace(convert(side, values.named(wanted.sql("snowflake"))) if wanted else text(side).copy())
        elif wanted is not None and side.is_type(*_TEXTS) and not isinstance(side, exp.Null):
            side.replace(convert(side, values.named(wanted.sql("snowflake"))))


def _alike(node: exp.Expr) -> None:
    """One column of a result holds one family of types; what Snowflake would convert is refused."""
    parts = [part for part in numeric._branches(node) if part is not None and not isinstance(part, exp.Null)]
    check_alike(parts, node)


def check_alike(parts: list[exp.Expr], node: exp.Expr) -> None:
    """Refuse what DuckDB would make text of and Snowflake something else."""
    families = set()
    for part in parts:
        if part.is_type(exp.DType.UNKNOWN, exp.DType.NULL) or part.type is None:
            continue
        family = "a number" if is_number(part) else "a text" if part.is_type(*_TEXTS) else ""
        family = family or ("semi-structured" if is_semi_structured(part) else "a time" if part.is_type(*_TIMES) else "")
        families.add(family or str(part.type))
    if len(families) > 1:
        raise unsupported(f"{' and '.join(sorted(families))} as one value: {node.sql('snowflake')}")


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
                if not each.is_type(*_TEXTS):
                    each.replace(text(each).copy())
            elif is_number(each):
                each.replace(whole(each).copy())


def _on_time(node: exp.Expr) -> exp.Expr | None:
    """Functions of dates and times: a text is read as one, a DATE stays a DATE."""
    for key in ("this", "expression"):
        child = node.args.get(key)
        if isinstance(child, exp.Expr) and (child.is_type(*_TEXTS) or is_semi_structured(child)):
            if isinstance(child, exp.Var) or (
                key == "expression" and isinstance(node, exp.DateAdd | exp.DateSub | exp.AddMonths)
            ):
                continue
            if isinstance(node, exp.Extract) and key == "this":
                continue
            child.replace(cast(text(child), "TIMESTAMP"))
        elif isinstance(child, exp.Expr) and key == "expression" and is_number(child):
            child.replace(whole(child).copy())
    return cast(node, "DATE") if node.is_type(_DATE) and not isinstance(node, exp.LastDay) else None


_PARTS = {
    "YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DAYOFWEEK", "DAYOFYEAR", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND",
    "WEEKISO", "DAYOFWEEKISO", "DOW", "DOY", "EPOCH_SECOND", "EPOCH",
}  # fmt: skip


def _part(node: exp.Expr) -> exp.Expr | None:
    unit = node.this if isinstance(node, exp.Extract) else node.args.get("unit")
    said = str(unit.name if unit is not None else "DAY").upper()
    spelled = {"EPOCH_SECOND": "EPOCH", "WEEKISO": "WEEK", "DAYOFWEEKISO": "ISODOW", "DAYOFWEEK": "DOW", "DAYOFYEAR": "DOY"}
    if said not in _PARTS or (
        said not in ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND")
        and not isinstance(node, exp.Extract)
    ):
        raise unsupported(f"{said} in {node.sql('snowflake')}")
    if isinstance(node, exp.Extract):
        node.set("this", exp.var(spelled.get(said, said)))
        made = _on_time_argument(node)
        return cast(exp.func("FLOOR", made), "BIGINT")
    return _on_time(node)


def _on_time_argument(node: exp.Expr) -> exp.Expr:
    inner = node.expression
    if inner.is_type(*_TEXTS) or is_semi_structured(inner):
        inner.replace(cast(text(inner), "TIMESTAMP"))
    return node


def _to_char(node: exp.ToChar) -> exp.Expr:
    format_ = node.args.get("format")
    if format_ is None:
        return text(node.this)
    if not (node.this.is_type(*_TIMES) and format_.is_string):
        raise unsupported(node.sql("snowflake"))
    subject = cast(node.this, "TIMESTAMP") if node.this.is_type(*_LTZ) else node.this
    return call("STRFTIME", subject, exp.Literal.string(duck_format(format_.name)))


def duck_format(said: str) -> str:
    """A format of dates in DuckDB's spelling.

    Raises:
        SqlError: 000002 an element that is not emulated.
    """
    made = ""
    for quoted, element, other, sign in _FORMAT.findall(said):
        if other and other.upper() != "T":
            raise unsupported(f"{other} in the format '{said}'")
        made += _FORMATS[element.upper()] if element else (quoted or other or sign).replace("%", "%%")
    return made


def _parsed(node: exp.Expr) -> exp.Expr | None:
    """TO_DATE and TO_TIMESTAMP; sqlglot has read the format already."""
    format_, to = node.args.get("format"), "DATE" if isinstance(node, exp.TsOrDsToDate) else "TIMESTAMP"
    safe = bool(node.args.get("safe"))
    if format_ is None:
        return convert(node.this, values.named(to), safe=safe)
    left = re.sub(r"%-?[A-Za-z]", "", format_.name)
    if re.search("[A-SU-Za-z]", left):
        raise unsupported(f"the format of {node.sql('snowflake')}")
    return cast(call("TRY_STRPTIME" if safe else "STRPTIME", text(node.this), format_), to)


def _to_number(node: exp.ToNumber) -> exp.Expr:
    if node.args.get("format") is not None:
        raise unsupported(node.sql("snowflake"))
    sizes = [
        int(node.args[key].name) if node.args.get(key) else default for key, default in (("precision", 38), ("scale", 0))
    ]
    return convert(node.this, values.number(*sizes), safe=bool(node.args.get("safe")))


def _list_agg(node: exp.GroupConcat) -> exp.Expr:
    inner = node.this
    while isinstance(inner, exp.Order | exp.Distinct):
        inner = inner.this if isinstance(inner, exp.Order) else inner.expressions[0]
    inner.replace(text(inner).copy())
    held = node.parent if isinstance(node.parent, exp.WithinGroup) else None
    if held is None:
        return exp.Coalesce(this=node.copy(), expressions=[exp.Literal.string("")])
    return node


def _within(node: exp.WithinGroup) -> exp.Expr | None:
    if isinstance(node.this, exp.GroupConcat):
        return exp.Coalesce(this=node.copy(), expressions=[exp.Literal.string("")])
    if isinstance(node.this, exp.ArrayAgg) or (isinstance(node.this, exp.Coalesce) and node.find(exp.ArrayAgg)):
        return _json_list(node)
    return _percentile(node)


def _array_agg(node: exp.Expr) -> exp.Expr | None:
    return None if isinstance(node.parent, exp.WithinGroup | exp.Window) else _json_list(node)


def _json_list(node: exp.Expr) -> exp.Expr:
    return cast(exp.Coalesce(this=call("TO_JSON", node), expressions=[call("JSON_ARRAY")]), "JSON")


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
        key = each.this
        key = exp.Literal.string(key.name) if isinstance(key, exp.Identifier) else key
        pairs += [text(key), each.expression]
    if all(isinstance(key, exp.Literal) for key in pairs[::2]):  # members are in the order of their names
        pairs = [
            part for pair in sorted(zip(pairs[::2], pairs[1::2], strict=True), key=lambda p: p[0].name) for part in pair
        ]
    made = call("JSON_OBJECT", *pairs)
    # A member whose value is NULL is left out.
    return made if with_nulls else call("JSON_MERGE_PATCH", cast(exp.Literal.string("{}"), "JSON"), made)


def _array(node: exp.Array) -> exp.Expr:
    return call("JSON_ARRAY", *node.expressions)


def _element(node: exp.Expr) -> exp.Expr:
    key = node.expressions[0] if isinstance(node, exp.Bracket) else node.expression
    if not is_semi_structured(node.this):
        raise unsupported(f"an element of {node.this.type}: {node.sql('snowflake')}")
    return call("SF_MEMBER", node.this, key) if key.is_type(*_TEXTS) else call("SF_ELEMENT", node.this, whole(key))


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


def _array_text(node: exp.ArrayToString) -> exp.Expr:
    listed = call("JSON_EXTRACT_STRING", node.this, exp.Literal.string("$[*]"))
    return call("ARRAY_TO_STRING", listed, text(node.expression))


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
        inner.replace(cast(inner, f"DECIMAL(38, {scale_of(inner)})"))


def _places(node: exp.Expr) -> exp.Expr | None:
    places = node.args.get("decimals")
    if is_real(node.this) or places is None:
        return None
    if isinstance(node, exp.Ceil | exp.Floor) or not places.is_int:
        raise unsupported(node.sql("snowflake"))
    return None


def _grouped_together(node: exp.SetOperation) -> None:
    for one, other in zip(node.left.selects, node.right.selects, strict=False):
        check_alike([part.unalias() for part in (one, other) if not isinstance(part.unalias(), exp.Null)], node)


def _zoned(node: exp.ConvertTimezone) -> exp.Expr | None:
    if not node.args.get("source_tz"):  # the result has a zone of its own: TIMESTAMP_TZ
        raise unsupported(node.sql("snowflake"))
    return None


def _weekday(node: exp.Expr) -> exp.Expr:
    if node.this.is_type(*_TEXTS):
        node.this.replace(cast(node.this, "DATE"))
    return cast(node, "DATE")


def _nvl2(node: exp.Nvl2) -> exp.Expr:
    _alike(exp.Coalesce(this=node.args["true"].copy(), expressions=[node.args["false"].copy()]))
    given = exp.Not(this=exp.Is(this=node.this.copy(), expression=exp.null()))
    return exp.Case(ifs=[exp.If(this=given, true=node.args["true"].copy())], default=node.args["false"].copy())


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


def _semi(name: str, *more: str) -> Rule:
    return lambda node: call(name, node.this, *(node.args[key] for key in more if node.args.get(key)))


RULES: dict[type[exp.Expr], Rule] = {
    exp.Cast: _cast, exp.TryCast: _cast, exp.Div: _divide, exp.Avg: _average, exp.Window: _window, exp.Median: _median,
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Mod), _arithmetic), exp.WithinGroup: _within,
    **dict.fromkeys((exp.DPipe, exp.Concat), _joined),
    **dict.fromkeys(
        (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.EqualNull, exp.NullSafeEQ, exp.NullSafeNEQ),
        _compared,
    ),
    **dict.fromkeys((exp.Case, exp.If, exp.Coalesce, exp.Greatest, exp.Least), _alike),
    **dict.fromkeys((exp.Union, exp.Intersect, exp.Except), _grouped_together),
    **dict.fromkeys(
        (
            exp.Like, exp.ILike, exp.Upper, exp.Lower, exp.Trim, exp.Substring, exp.Left, exp.Right, exp.Pad, exp.Replace,
            exp.SplitPart, exp.Contains, exp.StartsWith, exp.EndsWith, exp.StrPosition, exp.Reverse, exp.Repeat, exp.Initcap,
            exp.RegexpLike, exp.RegexpReplace, exp.RegexpExtract, exp.RegexpCount, exp.Length, exp.Translate, exp.MD5, exp.SHA2,
            exp.Levenshtein, exp.Hex, exp.Unicode, exp.Ascii, exp.Space, exp.Chr,
        ),
        _on_text,
    ),
    **dict.fromkeys(
        (
            exp.Year, exp.Month, exp.Day, exp.Hour, exp.Minute, exp.Second, exp.Quarter, exp.Week, exp.WeekOfYear, exp.DayOfWeek,
            exp.DayOfWeekIso, exp.DayOfYear, exp.DayOfMonth, exp.YearOfWeek, exp.LastDay, exp.AddMonths, exp.Dayname,
            exp.Monthname,
        ),
        _on_time,
    ),
    **dict.fromkeys((exp.DateAdd, exp.DateSub, exp.DateDiff, exp.TimestampTrunc, exp.DateTrunc, exp.Extract), _part),
    exp.ToChar: _to_char, exp.TsOrDsToDate: _parsed, exp.StrToTime: _parsed, exp.ToNumber: _to_number,
    exp.RawString: lambda node: exp.Literal.string(node.this),
    exp.ConvertTimezone: _zoned, exp.NextDay: _weekday, exp.PreviousDay: _weekday,
    exp.ArrayAppend: lambda node: call("SF_APPEND", node.this, convert(node.expression, values.VARIANT)),
    exp.ArrayConcat: lambda node: call("SF_JOIN", node.this, *node.expressions),
    exp.ToDouble: lambda node: convert(node.this, values.REAL, safe=bool(node.args.get("safe"))),
    exp.ToBoolean: lambda node: convert(node.this, values.BOOLEAN, safe=bool(node.args.get("safe"))),
    exp.GroupConcat: _list_agg, exp.ArrayAgg: _array_agg, exp.ArrayUniqueAgg: _array_agg, exp.ParseJSON: _parse_json,
    exp.Struct: _object, exp.JSONObject: lambda node: _object(node, with_nulls=True), exp.Array: _array,
    exp.Bracket: _element, exp.GetExtract: _element, exp.Split: _split, exp.ArrayContains: _contains,
    exp.ArrayToString: _array_text, exp.ToVariant: lambda node: convert(node.this, values.VARIANT),
    exp.Nvl2: _nvl2, exp.JSONExtract: _path, exp.ArraySize: _semi("JSON_ARRAY_LENGTH"), exp.Typeof: _semi("SF_TYPEOF"),
    exp.JSONKeys: lambda node: call("TO_JSON", call("LIST_SORT", call("JSON_KEYS", node.this))),
    exp.JSONFormat: lambda node: cast(node.this, "VARCHAR"),
    exp.ObjectAgg: lambda node: call("JSON_GROUP_OBJECT", text(node.this), node.expression),
    exp.Ordered: _ordered, **dict.fromkeys((exp.Min, exp.Max), _extreme), exp.Sum: _sum,
    **dict.fromkeys((exp.Sqrt, exp.Ln, exp.Log, exp.Pow, exp.Exp, exp.Asin, exp.Acos), _real),
    **dict.fromkeys((exp.Round, exp.Trunc, exp.Ceil, exp.Floor), _places),
}  # fmt: skip
