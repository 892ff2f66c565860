"""Functions of dates and times in DuckDB's terms.

https://docs.snowflake.com/en/sql-reference/functions-date-time
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from sandbox.account import values
from sandbox.account.conversions import DATE, TEXTS, TIMES, call, cast, convert, text, whole
from sandbox.account.errors import unsupported
from sandbox.account.numeric import is_number, is_semi_structured

_LTZ = (exp.DType.TIMESTAMPLTZ, exp.DType.TIMESTAMPTZ)
# https://docs.snowflake.com/en/sql-reference/date-time-input-output#about-the-elements-used-in-input-and-output-formats
_FORMATS = {
    "YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MON": "%b", "MM": "%m", "DD": "%d", "DY": "%a", "HH24": "%H", "HH12": "%I",
    "MI": "%M", "SS": "%S", "FF3": "%g", "FF6": "%f", "AM": "%p", "PM": "%p",
}  # fmt: skip
_FORMAT = re.compile(r'"([^"]*)"|(' + "|".join(sorted(_FORMATS, key=len, reverse=True)) + r")|([A-Za-z]+)|(.)", re.I | re.S)
_CALENDAR = {"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND"}
# What only EXTRACT knows, in DuckDB's spelling.
_EXTRACTED = {
    "DAYOFWEEK": "DOW", "DOW": "DOW", "DAYOFWEEKISO": "ISODOW", "DAYOFYEAR": "DOY", "DOY": "DOY", "WEEKISO": "WEEK",
    "EPOCH_SECOND": "EPOCH", "EPOCH": "EPOCH",
}  # fmt: skip


def _on_time(node: exp.Expr) -> exp.Expr | None:
    """Functions of dates and times: a text is read as one, a DATE stays a DATE."""
    for key in ("this", "expression"):
        child = node.args.get(key)
        if isinstance(child, exp.Expr) and (child.is_type(*TEXTS) or is_semi_structured(child)):
            if isinstance(child, exp.Var) or (
                key == "expression" and isinstance(node, exp.DateAdd | exp.DateSub | exp.AddMonths)
            ):
                continue
            if isinstance(node, exp.Extract) and key == "this":
                continue
            child.replace(cast(text(child), "TIMESTAMP"))
        elif isinstance(child, exp.Expr) and key == "expression" and is_number(child):
            child.replace(whole(child).copy())
    return cast(node, "DATE") if node.is_type(DATE) and not isinstance(node, exp.LastDay) else None


def _part(node: exp.Expr) -> exp.Expr | None:
    """Functions of a part of a date: only the parts that DuckDB counts as Snowflake does."""
    unit = node.this if isinstance(node, exp.Extract) else node.args.get("unit")
    said = str(unit.name if unit is not None else "DAY").upper()
    if not isinstance(node, exp.Extract):
        if said not in _CALENDAR:
            raise unsupported(f"{said} in {node.sql('snowflake')}")
        return _on_time(node)
    if said not in _CALENDAR and said not in _EXTRACTED:
        raise unsupported(f"{said} in {node.sql('snowflake')}")
    node.set("this", exp.var(_EXTRACTED.get(said, said)))
    if node.expression.is_type(*TEXTS) or is_semi_structured(node.expression):
        node.expression.replace(cast(text(node.expression), "TIMESTAMP"))
    return cast(exp.func("FLOOR", node), "BIGINT")


def _to_char(node: exp.ToChar) -> exp.Expr:
    format_ = node.args.get("format")
    if format_ is None:
        return text(node.this)
    if not (node.this.is_type(*TIMES) and format_.is_string):
        raise unsupported(node.sql("snowflake"))
    subject = cast(node.this, "TIMESTAMP") if node.this.is_type(*_LTZ) else node.this
    return call("STRFTIME", subject, exp.Literal.string(duck_format(format_.name)))


def _time_to_text(node: exp.TimeToStr) -> exp.Expr:
    """TO_CHAR of what is a time by its spelling; sqlglot has read the format already."""
    subject = cast(node.this, "TIMESTAMP") if node.this.is_type(*_LTZ) else node.this
    said = node.args["format"]
    left = re.sub("%-?[A-Za-eg-z]", "", said.name)  # but %f: sqlglot forgets how many digits of a second were asked for
    if not (said.is_string and node.this.is_type(*TIMES)) or re.search("[A-SU-Za-z]", left):
        raise unsupported(node.sql("snowflake"))
    return call("STRFTIME", subject, said)


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
    """TO_DATE and TOTIMESTAMP; sqlglot has read the format already."""
    format_, to = node.args.get("format"), "DATE" if isinstance(node, exp.TsOrDsToDate) else "TIMESTAMP"
    safe = bool(node.args.get("safe"))
    if format_ is None:
        return convert(node.this, values.named(to), safe=safe)
    left = re.sub(r"%-?[A-Za-z]", "", format_.name)
    if re.search("[A-SU-Za-z]", left):
        raise unsupported(f"the format of {node.sql('snowflake')}")
    return cast(call("TRY_STRPTIME" if safe else "STRPTIME", text(node.this), format_), to)


def _zoned(node: exp.ConvertTimezone) -> exp.Expr | None:
    if not node.args.get("source_tz"):  # the result has a zone of its own: TIMESTAMP_TZ
        raise unsupported(node.sql("snowflake"))
    return None


def _weekday(node: exp.Expr) -> exp.Expr:
    if node.this.is_type(*TEXTS):
        node.this.replace(cast(node.this, "DATE"))
    return cast(node, "DATE")


RULES: dict[type[exp.Expr], Callable[[Any], exp.Expr | None]] = {
    **dict.fromkeys(
        (
            exp.Year, exp.Month, exp.Day, exp.Hour, exp.Minute, exp.Second, exp.Quarter, exp.Week, exp.WeekOfYear,
            exp.DayOfWeek, exp.DayOfWeekIso, exp.DayOfYear, exp.DayOfMonth, exp.YearOfWeek, exp.LastDay, exp.AddMonths,
            exp.Dayname, exp.Monthname,
        ),
        _on_time,
    ),
    **dict.fromkeys((exp.DateAdd, exp.DateSub, exp.DateDiff, exp.TimestampTrunc, exp.DateTrunc, exp.Extract), _part),
    exp.ToChar: _to_char, exp.TimeToStr: _time_to_text,
    exp.TsOrDsToDate: _parsed, exp.StrToTime: _parsed, exp.ConvertTimezone: _zoned,
    exp.NextDay: _weekday, exp.PreviousDay: _weekday,
}  # fmt: skip
