"""Which parts of Snowflake's language are emulated. What is not listed is refused by its name.

A function is listed when DuckDB, sqlglot's translation of it and `rewrites` together give what Snowflake gives.
"""

from __future__ import annotations

from sqlglot import exp

from sandbox.account.errors import unsupported

_STRUCTURE = (
    exp.Select, exp.From, exp.Where, exp.Join, exp.Table, exp.TableAlias, exp.Identifier, exp.Star, exp.Group, exp.Having,
    exp.Qualify, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Fetch, exp.Union, exp.Intersect, exp.Except, exp.With,
    exp.CTE, exp.WindowSpec, exp.DataType, exp.DataTypeParam, exp.Tuple, exp.Column, exp.Subquery, exp.Values, exp.Alias,
    exp.Paren, exp.Literal, exp.Boolean, exp.Null, exp.Var, exp.Distinct, exp.Lateral, exp.TableFromRows, exp.Generator,
    exp.Kwarg, exp.Pivot, exp.Rollup, exp.Cube, exp.GroupingSets, exp.Interval, exp.Window, exp.WithinGroup, exp.IgnoreNulls,
    exp.RespectNulls, exp.JSONPath, exp.JSONPathRoot, exp.JSONPathKey, exp.JSONPathSubscript, exp.PropertyEQ,
    exp.JSONKeyValue, exp.Explode, exp.RawString, exp.PivotAlias, exp.Aliases,
)  # fmt: skip
_OPERATORS = (
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT,
    exp.LTE, exp.Between, exp.In, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ, exp.EqualNull, exp.Exists, exp.Like, exp.ILike,
    exp.Escape, exp.Any, exp.All, exp.DPipe, exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Cast,
    exp.TryCast, exp.Nvl2, exp.Bracket, exp.JSONExtract, exp.DecodeCase,
)  # fmt: skip
_FUNCTIONS = (
    # numbers
    exp.Abs, exp.Round, exp.Trunc, exp.Ceil, exp.Floor, exp.Sign, exp.Sqrt, exp.Ln, exp.Log, exp.Pow, exp.Exp, exp.Pi,
    exp.Cos, exp.Sin, exp.Tan, exp.Acos, exp.Asin, exp.Atan, exp.Degrees, exp.Radians, exp.ToNumber, exp.ToDouble,
    exp.BitwiseAnd, exp.BitwiseOr, exp.Rand, exp.Uniform, exp.Seq4, exp.Seq8,
    # texts
    exp.Upper, exp.Lower, exp.Trim, exp.Substring, exp.Left, exp.Right, exp.Pad, exp.Replace, exp.SplitPart, exp.Contains,
    exp.StartsWith, exp.EndsWith, exp.StrPosition, exp.Reverse, exp.Repeat, exp.Initcap, exp.RegexpLike, exp.RegexpReplace,
    exp.RegexpExtract, exp.RegexpCount, exp.Length, exp.Translate, exp.MD5, exp.SHA2, exp.Levenshtein, exp.Concat, exp.Split,
    exp.ToChar, exp.TimeToStr, exp.ToBoolean, exp.Uuid, exp.Space, exp.Chr, exp.Ascii, exp.Unicode, exp.Hex,
    # dates and times
    exp.DateAdd, exp.DateSub, exp.DateDiff, exp.TimestampTrunc, exp.DateTrunc, exp.Extract, exp.Year, exp.Month, exp.Day,
    exp.Hour, exp.Minute, exp.Second, exp.Quarter, exp.Week, exp.WeekOfYear, exp.DayOfWeek, exp.DayOfWeekIso, exp.DayOfYear,
    exp.DayOfMonth, exp.YearOfWeek, exp.LastDay, exp.AddMonths, exp.Dayname, exp.Monthname,
    exp.TsOrDsToDate, exp.StrToTime, exp.DateFromParts, exp.TimestampFromParts, exp.CurrentDate, exp.CurrentTimestamp,
    exp.UnixToTime, exp.ConvertTimezone, exp.NextDay, exp.PreviousDay,
    # aggregates and windows
    exp.Count, exp.CountIf, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.ArgMax, exp.ArgMin, exp.AnyValue, exp.Median, exp.Mode,
    exp.Stddev, exp.StddevSamp, exp.StddevPop, exp.Variance, exp.VariancePop, exp.Corr, exp.CovarPop, exp.CovarSamp,
    exp.PercentileCont, exp.PercentileDisc, exp.GroupConcat, exp.ArrayAgg, exp.ArrayUniqueAgg, exp.ObjectAgg,
    exp.LogicalAnd, exp.LogicalOr, exp.ApproxDistinct, exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist,
    exp.Ntile, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue, exp.Grouping,
    # semi-structured values
    exp.ParseJSON, exp.JSONObject, exp.Struct, exp.Array, exp.GetExtract, exp.JSONKeys, exp.ToVariant, exp.ArraySize,
    exp.ArrayContains, exp.ArrayToString, exp.Typeof, exp.JSONFormat, exp.IsNullValue, exp.IsArray, exp.ArrayAppend,
    exp.ArrayConcat,
)  # fmt: skip
_ALL = frozenset((*_STRUCTURE, *_OPERATORS, *_FUNCTIONS))
# Arguments with which a function is not emulated.
_NOT_WITH: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.RegexpReplace: ("position", "occurrence", "modifiers"), exp.RegexpExtract: ("position", "occurrence", "parameters"),
    exp.RegexpLike: ("flag",), exp.RegexpCount: ("position", "parameters"), exp.StrPosition: ("position",),
    exp.Round: ("truncate",), exp.SHA2: ("length",), exp.Levenshtein: ("ins_cost", "max_dist"),
    exp.ApproxDistinct: ("accuracy",), exp.UnixToTime: ("scale",), exp.Rand: ("this",),
}  # fmt: skip
# Of a SELECT: the rest (MATCH_RECOGNIZE, CONNECT BY, SAMPLE, hints ...) is not emulated.
_CLAUSES = {
    "expressions", "from_", "where", "joins", "group", "having", "qualify", "order", "limit", "offset", "distinct", "with_",
    "laterals", "windows",
}  # fmt: skip


def _is_share(node: exp.Expr) -> bool:
    named = isinstance(node, exp.Anonymous) and node.name.upper() == "RATIO_TO_REPORT" and len(node.expressions) == 1
    return named and isinstance(node.parent, exp.Window)


def check(tree: exp.Expr) -> None:
    """Refuse what is not listed, by name."""
    for node in tree.walk():
        if type(node) not in _ALL and not _is_share(node):
            name = node.name.upper() if isinstance(node, exp.Anonymous) else type(node).__name__.upper()
            raise unsupported(f"{name}: {node.sql('snowflake')}")
        if any(node.args.get(key) for key in _NOT_WITH.get(type(node), ())):
            raise unsupported(node.sql("snowflake"))
        if isinstance(node, exp.Select):
            extra = {key for key, value in node.args.items() if value} - _CLAUSES
            if extra:
                raise unsupported(f"{', '.join(sorted(extra)).strip('_').upper()} in {node.sql('snowflake')}")
