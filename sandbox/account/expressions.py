"""Expressions of queries: which are emulated, and which type each has. One that has no rule here is refused by name.

A rule also makes conversions explicit that Snowflake makes by itself, where SQLite would make another or none.
https://docs.snowflake.com/en/sql-reference/data-type-conversion
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlglot import exp

from sandbox.account import functions
from sandbox.account.errors import unsupported
from sandbox.account.types import BOOLEAN, DATE, INTEGER, REAL, TEXT, TIME, TIMESTAMP, Type, named, number, varchar

Known = Type | None  # None: NULL, which is of any type
Of = Callable[[Any], Known]
_DATES = ("date", "timestamp_ntz", "timestamp_ltz")
_NUMBERS = ("fixed", "real")
_EXACT_DIGITS = 15
_MOST_SCALE = 12  # https://docs.snowflake.com/en/sql-reference/operators-arithmetic


def type_of_column(node: exp.DataType) -> Type:
    """The type that a column definition or a cast names.

    Raises:
        SqlError: 000002 one that is not emulated.
    """
    numbers = [int(each.name) for each in node.expressions if isinstance(each, exp.DataTypeParam)]
    names = exp.DataType.Type
    kind = node.this
    if kind in (names.DECIMAL, names.INT, names.BIGINT, names.SMALLINT, names.TINYINT):
        return number(*numbers[:2]) if kind is names.DECIMAL else INTEGER
    if kind in (names.VARCHAR, names.TEXT, names.NVARCHAR):
        return varchar(*numbers[:1])
    if kind in (names.CHAR, names.NCHAR):
        return varchar(numbers[0] if numbers else 1)
    simple = {
        names.FLOAT: REAL, names.DOUBLE: REAL, names.BOOLEAN: BOOLEAN, names.DATE: DATE, names.TIMESTAMPNTZ: TIMESTAMP,
        names.TIMESTAMP: TIMESTAMP, names.DATETIME: TIMESTAMP, names.TIMESTAMPLTZ: TIME,
    }  # fmt: skip
    if kind not in simple:
        raise unsupported(f"data type {node.sql('snowflake')}")
    return simple[kind]


def cast_to(node: exp.Expr, to: Type, source: Known, function: str = functions.CAST) -> exp.Expr:
    """A call of our own conversion; SQLite's CAST never refuses and knows no dates."""
    words = [exp.Literal.string(to.sql), exp.Literal.string(source.sql if source else "")]
    return exp.Anonymous(this=function, expressions=[node, *words])


def common(types: Iterable[Known]) -> Known:
    """The type of what may be any of these."""
    known = [each for each in types if each is not None]
    if not known:
        return None
    families = {each.family for each in known}
    if families <= set(_NUMBERS):
        return REAL if "real" in families else number(38, max(each.scale for each in known))
    if len(families) == 1:
        return TEXT if families == {"text"} else known[0]
    if families == {"date", "timestamp_ntz"} or "text" not in families:
        raise unsupported("values of types " + " and ".join(sorted(families)) + " in one column")
    return TEXT


def _compared(node: Any, of: Of) -> Known:
    if any(isinstance(each, exp.Tuple) for each in node.iter_expressions()):
        raise unsupported(f"a comparison of tuples: {node.sql('snowflake')}")
    keys = [key for key in ("this", "expression", "low", "high", "query") if node.args.get(key) is not None]
    types = [of(node.args[key]) for key in keys] + [of(each) for each in list(node.expressions)]
    wanted = _stronger(types)
    for key in keys:
        if not isinstance(node.args[key], exp.Subquery):
            node.set(key, _exact(_as(node.args[key], of, wanted), of))
    if node.expressions:
        node.set("expressions", [_exact(_as(each, of, wanted), of) for each in node.expressions])
    return BOOLEAN


def _exact(node: exp.Expr, of: Of) -> exp.Expr:
    """What was computed of decimals is rounded to its scale before it is compared: 0.1 + 0.2 is 0.3."""
    kind = of(node)
    plain = isinstance(node, exp.Column | exp.Literal | exp.Anonymous | exp.Select | exp.SetOperation)
    return node if plain or kind is None or kind.family != "fixed" or not kind.scale else cast_to(node, kind, kind)


def _stronger(types: list[Known]) -> Known:
    """Into which type a text is converted when it is compared with these."""
    known = [each for each in types if each is not None and each.family != "text"]
    dates = [each for each in known if each.family in _DATES]
    if dates:
        return max(dates, key=lambda each: len(each.family))
    return REAL if any(each.family in _NUMBERS for each in known) else (known[0] if known else None)


def _as(node: exp.Expr, of: Of, wanted: Known) -> exp.Expr:
    kind = of(node)
    if wanted is None or kind is None or kind.family == wanted.family:
        return node
    if kind.family == "text" or (kind.family in _DATES and wanted.family in _DATES):
        return cast_to(node, wanted, kind)
    return node


def _numbers(node: exp.Binary, of: Of) -> tuple[Type, Type]:
    found = []
    for key in ("this", "expression"):
        kind = of(node.args[key])
        if kind is not None and kind.family == "text":
            node.set(key, cast_to(node.args[key], REAL, kind))
            kind = REAL
        if kind is not None and kind.family not in _NUMBERS:
            raise unsupported(f"arithmetic on {kind.sql}")
        found.append(kind or INTEGER)
    return found[0], found[1]


def _sum(node: Any, of: Of) -> Known:
    return common(_numbers(node, of))


def _product(node: Any, of: Of) -> Known:
    one, other = _numbers(node, of)
    if "real" in (one.family, other.family):
        return REAL
    scale = one.scale + other.scale
    return number(38, min(scale, max(one.scale, other.scale, _MOST_SCALE)))


def _quotient(node: Any, of: Of) -> Known:
    one, other = _numbers(node, of)
    real = "real" in (one.family, other.family)
    scale = -1 if real else max(one.scale, min(one.scale + 6, _MOST_SCALE))
    call = exp.Anonymous(this=functions.DIVIDE, expressions=[node.this, node.expression, _integer(scale)])
    node.replace(call)
    return REAL if real else number(38, scale)


def _remainder(node: Any, of: Of) -> Known:
    one, other = _numbers(node, of)
    if one.scale or other.scale or "real" in (one.family, other.family):
        raise unsupported(f"the remainder of numbers that are not whole: {node.sql('snowflake')}")
    node.replace(exp.Anonymous(this=functions.MODULO, expressions=[node.this, node.expression]))
    return INTEGER


def _integer(value: int) -> exp.Expr:
    literal = exp.Literal.number(abs(value))
    return exp.Neg(this=literal) if value < 0 else literal


def _literal(node: Any, of: Of) -> Known:
    if node.is_string:
        return TEXT
    text = node.name.lower()
    if "e" in text:
        return REAL
    kind = number(38, len(text.partition(".")[2]))
    if len(text) > _EXACT_DIGITS:  # SQLite would read it as a float
        node.replace(cast_to(exp.Literal.string(text), kind, TEXT))
    return kind


def _text(node: Any, of: Of) -> Known:
    for key in ("this", "expression", "expressions"):
        child = node.args.get(key)
        kinds = [of(each) for each in (list(child) if isinstance(child, list) else [child]) if isinstance(each, exp.Expr)]
        child = node.args.get(key)  # a rule may have put something else in its place
        operands = zip(child if isinstance(child, list) else [child], kinds, strict=False)
        made = [cast_to(each, TEXT, kind) if kind and kind.family != "text" else each for each, kind in operands]
        if made:
            node.set(key, made if isinstance(child, list) else made[0])
    return TEXT


def _substring(node: Any, of: Of) -> Known:
    of(node.args["start"])
    if (kind := of(node.this)) is not None and kind.family != "text":
        node.set("this", cast_to(node.this, TEXT, kind))
    return TEXT


def _cast(node: Any, of: Of) -> Known:
    to = type_of_column(node.args["to"])
    function = functions.TRY_CAST if isinstance(node, exp.TryCast) else functions.CAST
    source = of(node.this)  # which may put something else in its place
    node.replace(cast_to(node.this, to, source, function))
    return to


def _total(node: Any, of: Of) -> Known:
    kind = of(node.this)
    if kind is not None and kind.family not in _NUMBERS:
        raise unsupported(f"{node.sql('snowflake')}: of {kind.sql}")
    return REAL if kind is not None and kind.family == "real" else number(38, kind.scale if kind else 0)


def _average(node: Any, of: Of) -> Known:
    kind = _total(node, of)
    return kind if kind is None or kind.family == "real" else number(38, min(kind.scale + 6, _MOST_SCALE))


def _rounded(node: Any, of: Of) -> Known:
    kind = _total(node, of)
    decimals = node.args.get("decimals")
    if kind is None or kind.family == "real":
        return kind
    if decimals is not None and not decimals.is_int:
        raise unsupported(node.sql("snowflake"))
    return number(38, min(kind.scale, int(decimals.name)) if decimals is not None else 0)


def _ilike(node: Any, of: Of) -> Known:
    _text(node, of)
    node.replace(exp.Like(this=exp.Lower(this=node.this), expression=exp.Lower(this=node.expression)))
    return BOOLEAN


def _case(node: Any, of: Of) -> Known:
    if node.this is not None:  # CASE x WHEN 1 is CASE WHEN x = 1
        for branch in node.args["ifs"]:
            branch.set("this", exp.EQ(this=node.this.copy(), expression=branch.this))
        node.set("this", None)
    branches = [branch.args["true"] for branch in node.args["ifs"]]
    for branch in node.args["ifs"]:
        of(branch.this)
    return common([of(each) for each in [*branches, node.args.get("default")] if each is not None])


def _if(node: Any, of: Of) -> Known:
    of(node.this)
    return common([of(node.args["true"]), *([of(node.args["false"])] if node.args.get("false") else [])])


def _first(node: Any, of: Of) -> Known:
    return common([of(node.this), *(of(each) for each in node.expressions)])


def _this(node: Any, of: Of) -> Known:
    return of(node.this)


def _both(kind: Type) -> Callable[[Any, Of], Known]:
    """A fixed type, whatever the operands are; they are looked at for their own rules."""

    def rule(node: Any, of: Of) -> Known:
        for child in list(node.iter_expressions()):
            if type(child) in RULES or isinstance(child, exp.Column | exp.Subquery):
                of(child)
        return kind

    return rule


def _own(node: Any, of: Of) -> Known:
    """Calls that the rules have put in the place of something."""
    if node.name in (functions.CAST, functions.TRY_CAST):
        return named(node.expressions[1].name)
    if node.name == functions.DIVIDE:
        scale = node.expressions[2]
        return REAL if isinstance(scale, exp.Neg) else number(38, int(scale.name))
    if node.name == functions.MODULO:
        return INTEGER
    raise unsupported(f"function {node.name.upper()}")


def _windowed(node: Any, of: Of) -> Known:
    for each in node.args.get("partition_by") or []:
        of(each)
    return of(node.this)


RULES: dict[type[exp.Expr], Callable[[Any, Of], Known]] = {
    exp.Literal: _literal, exp.Boolean: lambda node, of: BOOLEAN, exp.Null: lambda node, of: None,
    exp.Paren: _this, exp.Alias: _this, exp.Neg: _this, exp.Distinct: _both(INTEGER),
    exp.Add: _sum, exp.Sub: _sum, exp.Mul: _product, exp.Div: _quotient, exp.Mod: _remainder,
    exp.EQ: _compared, exp.NEQ: _compared, exp.GT: _compared, exp.GTE: _compared, exp.LT: _compared, exp.LTE: _compared,
    exp.Between: _compared, exp.In: _compared, exp.NullSafeEQ: _compared, exp.NullSafeNEQ: _compared,
    exp.And: _both(BOOLEAN), exp.Or: _both(BOOLEAN), exp.Not: _both(BOOLEAN), exp.Is: _both(BOOLEAN),
    exp.Exists: _both(BOOLEAN), exp.Like: _both(BOOLEAN), exp.ILike: _ilike, exp.Escape: _both(BOOLEAN),
    exp.Case: _case, exp.If: _if, exp.Coalesce: _first, exp.Nullif: _this, exp.Cast: _cast, exp.TryCast: _cast,
    exp.Upper: _text, exp.Lower: _text, exp.Trim: _text, exp.DPipe: _text, exp.Concat: _text, exp.Substring: _substring,
    exp.Length: _both(INTEGER), exp.Abs: _total, exp.Round: _rounded, exp.Count: _both(INTEGER), exp.Sum: _total,
    exp.Avg: _average, exp.Min: _this, exp.Max: _this, exp.Window: _windowed, exp.RowNumber: _both(INTEGER),
    exp.Rank: _both(INTEGER), exp.DenseRank: _both(INTEGER), exp.Lag: _this, exp.Lead: _this, exp.FirstValue: _this,
    exp.LastValue: _this, exp.Anonymous: _own,
}  # fmt: skip
# Parts of a query that are no expressions, and two whose type the query itself knows.
STRUCTURE = (
    exp.Select, exp.From, exp.Where, exp.Join, exp.Table, exp.TableAlias, exp.Identifier, exp.Star, exp.Group, exp.Having,
    exp.Qualify, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Union, exp.Intersect, exp.Except, exp.With, exp.CTE,
    exp.WindowSpec, exp.DataType, exp.DataTypeParam, exp.Tuple, exp.Column, exp.Subquery,
)  # fmt: skip
