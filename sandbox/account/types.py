"""Data types: how a value is stored in SQLite, checked when it is written, and sent to a driver.

Stored are whole numbers, floats, texts, 0 and 1 for BOOLEAN, and ISO texts for DATE and TIMESTAMP, which sort in order.
https://docs.snowflake.com/en/sql-reference/intro-summary-data-types
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any

from sandbox.account.errors import SqlError, unsupported

_LONGEST = 16777216
_EPOCH = date(1970, 1, 1)
_DIGITS = 38
_EXACT = Context(prec=80, rounding=ROUND_HALF_UP)  # more than NUMBER's 38 digits on either side of the point
_TIMESTAMP = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?))?(Z|[+-]\d{2}:?\d{2})?")


@dataclass(frozen=True)
class Type:
    """`family` as the drivers name it: fixed, real, text, boolean, date, timestamp_ntz, timestamp_ltz."""

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
        if self.family.startswith("timestamp"):
            return f"{self.family.upper()}({self.scale})"
        return {"real": "FLOAT"}.get(self.family, self.family.upper())

    @property
    def affinity(self) -> str:
        """The SQLite column type."""
        return {"fixed": "NUMERIC", "real": "REAL", "boolean": "INTEGER"}.get(self.family, "TEXT")

    def column(self, name: str) -> dict[str, Any]:
        """What the drivers are told of a column; the Python connector wants every key."""
        return {
            "name": name,
            "database": "",
            "schema": "",
            "table": "",
            "type": self.family,
            "nullable": True,
            "precision": self.precision,
            "scale": self.scale,
            "length": self.length,
            "byteLength": self.length,
            "collation": None,
        }

    def stored(self, value: Any) -> Any:
        """A value as it is kept in a column of this type.

        Raises:
            SqlError: it is not recognized as one, too long or too large.
        """
        if value is None:
            return None
        return _STORED[self.family](self, value)

    def sent(self, value: Any) -> str | None:
        """A stored value as the JSON rowset spells it."""
        if value is None:
            return None
        return _SENT[self.family](self, value)


def _stored_number(kind: Type, value: Any) -> int | float:
    try:
        number = Decimal(repr(value) if isinstance(value, float) else str(value).strip())
    except InvalidOperation:
        raise SqlError("100038", "22018", f"Numeric value '{value}' is not recognized") from None
    if not number.is_finite():
        raise SqlError("100038", "22018", f"Numeric value '{value}' is not recognized")
    number = _rounded(number, kind.scale)
    if number and number.adjusted() + 1 > kind.precision - kind.scale:
        shown = f"Number out of representable range: type FIXED({kind.precision},{kind.scale}), value {value}"
        raise SqlError("100046", "22003", shown)
    if number == number.to_integral_value() and abs(number) < 1 << 63:
        return int(number)
    if Decimal(repr(float(number))) != number:
        raise unsupported(f"the number {number}: more digits than SQLite keeps")
    return float(number)


def _stored_real(kind: Type, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise SqlError("100038", "22018", f"Numeric value '{value}' is not recognized") from None


def _stored_text(kind: Type, value: Any) -> str:
    text = value if isinstance(value, str) else _plain(value)
    if kind.length and len(text) > kind.length:
        raise SqlError("100078", "22000", f"String '{text}' is too long and would be truncated")
    return text


def _stored_boolean(kind: Type, value: Any) -> int:
    if isinstance(value, int | float):
        return int(value != 0)
    words = {"true": 1, "t": 1, "yes": 1, "y": 1, "on": 1, "1": 1, "false": 0, "f": 0, "no": 0, "n": 0, "off": 0, "0": 0}
    found = words.get(str(value).strip().lower())
    if found is None:
        raise SqlError("100037", "22018", f"Boolean value '{value}' is not recognized")
    return found


def _stored_date(kind: Type, value: Any) -> str:
    match = _TIMESTAMP.fullmatch(str(value).strip())
    try:
        return date.fromisoformat(match[1]).isoformat() if match else _not_recognized("Date", value, "100040")
    except ValueError:
        return _not_recognized("Date", value, "100040")


def _stored_timestamp(kind: Type, value: Any) -> str:
    match = _TIMESTAMP.fullmatch(str(value).strip())
    if match is None:
        return _not_recognized("Timestamp", value, "100035")
    clock, _, fraction = (match[2] or "00:00:00").partition(".")
    try:
        moment = datetime.fromisoformat(f"{match[1]} {clock}{match[3] or ''}")
    except ValueError:
        return _not_recognized("Timestamp", value, "100035")
    if moment.tzinfo is not None and kind.family == "timestamp_ltz":
        moment = moment.astimezone(UTC)
    return f"{moment.replace(tzinfo=None).isoformat(' ')}.{fraction.ljust(9, '0')}"


def _not_recognized(what: str, value: Any, code: str) -> str:
    raise SqlError(code, "22007", f"{what} '{value}' is not recognized")


def _sent_number(kind: Type, value: Any) -> str:
    number = Decimal(repr(value) if isinstance(value, float) else str(value))
    return format(_rounded(number, kind.scale), "f")


def _sent_real(kind: Type, value: Any) -> str:
    number = float(value)
    return repr(number) if math.isfinite(number) else {math.inf: "inf", -math.inf: "-inf"}.get(number, "NaN")


def _sent_date(kind: Type, value: Any) -> str:
    return str((date.fromisoformat(str(value)) - _EPOCH).days)


def _sent_timestamp(kind: Type, value: Any) -> str:
    if isinstance(value, float | int):  # the clocks of SHOW
        return f"{value:.9f}"
    whole, _, fraction = str(value).partition(".")
    return f"{int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())}.{fraction.ljust(9, '0')}"


def _rounded(number: Decimal, scale: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-scale), context=_EXACT)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(Decimal(repr(value)), "f") if isinstance(value, float) and math.isfinite(value) else str(value)


_STORED: dict[str, Callable[[Type, Any], Any]] = {
    "fixed": _stored_number,
    "real": _stored_real,
    "text": _stored_text,
    "boolean": _stored_boolean,
    "date": _stored_date,
    "timestamp_ntz": _stored_timestamp,
    "timestamp_ltz": _stored_timestamp,
}
_SENT: dict[str, Callable[[Type, Any], str]] = {
    "fixed": _sent_number,
    "real": _sent_real,
    "text": lambda kind, value: _plain(value),
    "boolean": lambda kind, value: "1" if value else "0",
    "date": _sent_date,
    "timestamp_ntz": _sent_timestamp,
    "timestamp_ltz": _sent_timestamp,
}


def number(precision: int = _DIGITS, scale: int = 0) -> Type:
    """NUMBER(precision, scale)"""
    return Type("fixed", precision, scale)


def varchar(length: int = _LONGEST) -> Type:
    """VARCHAR(length)"""
    return Type("text", length=length)


INTEGER, TEXT, BOOLEAN, REAL, DATE = number(), varchar(), Type("boolean"), Type("real"), Type("date")
TIMESTAMP, TIME = Type("timestamp_ntz", scale=9), Type("timestamp_ltz", scale=9)


def named(sql: str) -> Type:
    """The type that `Type.sql` spells."""
    word, _, rest = sql.partition("(")
    numbers = [int(part) for part in rest.rstrip(")").split(",") if part]
    if word == "NUMBER":
        return number(*numbers)
    if word == "VARCHAR":
        return varchar(*numbers)
    return {"BOOLEAN": BOOLEAN, "FLOAT": REAL, "DATE": DATE, "TIMESTAMP_NTZ": TIMESTAMP, "TIMESTAMP_LTZ": TIME}[word]
