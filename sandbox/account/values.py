"""Data types: how DuckDB keeps a value, what a table tells of a column, and how the drivers are sent it.

VARIANT, OBJECT and ARRAY are kept as JSON.
https://docs.snowflake.com/en/sql-reference/intro-summary-data-types
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sandbox.account.errors import SqlError, unsupported

_LONGEST = 16777216
_DIGITS = 38
SEMI_STRUCTURED = ("variant", "object", "array")


@dataclass(frozen=True)
class Type:
    """`family` as the drivers name it: fixed, real, text, boolean, date, time, timestamp_ntz, timestamp_ltz, variant ..."""

    family: str
    precision: int = 0
    scale: int = 0
    length: int = 0

    @property
    def sql(self) -> str:
        """As DESCRIBE TABLE spells it."""
        if self.family == "fixed":
            return f"NUMBER({self.precision},{self.scale})"
        if self.family == "text":
            return f"VARCHAR({self.length})"
        if self.family.startswith("time"):
            return f"{self.family.upper()}({self.scale})"
        return {"real": "FLOAT"}.get(self.family, self.family.upper())

    @property
    def duck(self) -> str:
        """DuckDB's type."""
        if self.family == "fixed":
            return f"DECIMAL({self.precision},{self.scale})"
        if self.family in SEMI_STRUCTURED:
            return "JSON"
        other = {"real": "DOUBLE", "text": "VARCHAR", "timestamp_ntz": "TIMESTAMP", "timestamp_ltz": "TIMESTAMPTZ"}
        return other.get(self.family, self.family.upper())

    def column(self, name: str) -> dict[str, Any]:
        """What the drivers are told of a column; the Python connector wants every key."""
        return {
            "name": name, "database": "", "schema": "", "table": "", "type": self.family, "nullable": True,
            "precision": self.precision, "scale": self.scale, "length": self.length, "byteLength": self.length,
            "collation": None,
        }  # fmt: skip

    def sent(self, value: Any) -> str | None:
        """A value as the JSON rowset spells it."""
        if value is None:
            return None
        if self.family == "fixed":
            if abs(value) >= 10**_DIGITS:
                raise SqlError(
                    "100046", "22003", f"Number out of representable range: type FIXED({_DIGITS},0), value {value}"
                )
            return format(Decimal(value), "f")
        if self.family == "real":
            return _real(float(value))
        if self.family == "boolean":
            return "1" if value else "0"
        if self.family == "date":
            return str((value - date(1970, 1, 1)).days)
        if self.family.startswith("time"):
            return _clock(value)
        return _indented(str(value)) if self.family in SEMI_STRUCTURED else str(value)


def _real(number: float) -> str:
    return repr(number) if math.isfinite(number) else {math.inf: "inf", -math.inf: "-inf"}.get(number, "NaN")


def _clock(value: Any) -> str:
    """Seconds since 1970, or since midnight, with nine digits after the point."""
    if isinstance(value, float | int):  # the clocks of SHOW
        return f"{value:.9f}"
    if isinstance(value, time):
        value = datetime.combine(date(1970, 1, 1), value)
    since = (value if value.tzinfo else value.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    micros = since // timedelta(microseconds=1)
    return f"{'-' if micros < 0 else ''}{abs(micros) // 1_000_000}.{abs(micros) % 1_000_000:06d}000"


def _indented(text: str) -> str:
    """Semi-structured values are shown with their keys in order, and with the digits that they have."""
    return _shown(json.loads(text, parse_float=Decimal, parse_int=Decimal), "\n")


def _shown(value: Any, line: str) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict) and value:
        members = (f"{json.dumps(key, ensure_ascii=False)}: {_shown(value[key], line + '  ')}" for key in sorted(value))
        return "{" + line + "  " + f",{line}  ".join(members) + line + "}"
    if isinstance(value, list) and value:
        return "[" + line + "  " + f",{line}  ".join(_shown(each, line + "  ") for each in value) + line + "]"
    return json.dumps(value, ensure_ascii=False)


def number(precision: int = _DIGITS, scale: int = 0) -> Type:
    """NUMBER(precision, scale)"""
    return Type("fixed", precision, scale)


def varchar(length: int = _LONGEST) -> Type:
    """VARCHAR(length)"""
    return Type("text", length=length)


INTEGER, TEXT, BOOLEAN, REAL, DATE = number(), varchar(), Type("boolean"), Type("real"), Type("date")
TIMESTAMP, TIME, VARIANT = Type("timestamp_ntz", scale=9), Type("timestamp_ltz", scale=9), Type("variant")
# Snowflake's names of types: https://docs.snowflake.com/en/sql-reference/data-types
_NAMED = {
    **dict.fromkeys(("INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT"), INTEGER),
    **dict.fromkeys(("FLOAT", "FLOAT4", "FLOAT8", "DOUBLE", "DOUBLE PRECISION", "REAL"), REAL),
    **dict.fromkeys(("DATETIME", "TIMESTAMP", "TIMESTAMP_NTZ", "TIMESTAMPNTZ"), TIMESTAMP),
    **dict.fromkeys(("TIMESTAMP_LTZ", "TIMESTAMPLTZ"), TIME),
    "BOOLEAN": BOOLEAN, "DATE": DATE, "TIME": Type("time", scale=9), "VARIANT": VARIANT, "OBJECT": Type("object"),
    "ARRAY": Type("array"),
}  # fmt: skip
_OF_DUCK = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER"), INTEGER),
    **dict.fromkeys(("UBIGINT", "UHUGEINT"), INTEGER), **dict.fromkeys(("FLOAT", "DOUBLE"), REAL),
    **dict.fromkeys(("VARCHAR", "UUID", '"NULL"', "NULL"), TEXT), "BOOLEAN": BOOLEAN, "DATE": DATE,
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S"), TIMESTAMP), "TIME": Type("time", scale=9),
    "TIMESTAMP WITH TIME ZONE": TIME, "JSON": VARIANT,
}  # fmt: skip


def named(sql: str) -> Type:
    """The type that a statement names: `NUMBER(10,2)`, `INT`, `STRING`.

    Raises:
        SqlError: 000002 one that is not emulated.
    """
    found = re.fullmatch(r"([A-Z_0-9 ]+?)\s*(?:\(([\d\s,]+)\))?", sql.strip().upper())
    if found is None:
        raise unsupported(f"data type {sql}")
    word, numbers = found[1], [int(part) for part in (found[2] or "").split(",") if part.strip()]
    if word in ("NUMBER", "DECIMAL", "NUMERIC", "DEC"):
        return number(*numbers)
    if word in ("VARCHAR", "STRING", "TEXT", "NVARCHAR", "NVARCHAR2"):
        return varchar(*numbers)
    if word in ("CHAR", "CHARACTER", "NCHAR"):
        return varchar(numbers[0] if numbers else 1)
    if word not in _NAMED:
        raise unsupported(f"data type {sql}")
    return _NAMED[word]


def of_duck(told: str) -> Type:
    """The type of a column of a result, as DuckDB tells it."""
    if told.startswith("DECIMAL("):
        return number(*(int(part) for part in told[8:-1].split(",")))
    if told not in _OF_DUCK:
        raise unsupported(f"a result of type {told}")
    return _OF_DUCK[told]
