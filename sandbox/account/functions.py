"""Functions that SQLite lacks or has with another meaning: conversions that refuse, and exact division."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from sandbox.account.errors import SqlError
from sandbox.account.types import named

CAST, TRY_CAST, DIVIDE, MODULO = "SF_CAST", "SF_TRY_CAST", "SF_DIVIDE", "SF_MODULO"
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
_raised = threading.local()  # sqlite3 tells only that a function failed, not why


def register(connection: sqlite3.Connection) -> None:
    """Make the functions known to a connection."""
    for name, count, function in (
        (CAST, 3, _cast),
        (TRY_CAST, 3, _try_cast),
        (DIVIDE, 3, _divide),
        (MODULO, 2, _modulo),
        ("UPPER", 1, lambda text: None if text is None else str(text).upper()),  # SQLite's own know ASCII only
        ("LOWER", 1, lambda text: None if text is None else str(text).lower()),
    ):
        connection.create_function(name, count, _keeping_why(function), deterministic=True)


@contextmanager
def told() -> Iterator[None]:
    """What a function refused, instead of SQLite's word for it."""
    _raised.error = None
    try:
        yield
    except sqlite3.OperationalError:
        if _raised.error is not None:
            raise _raised.error from None
        raise


def _keeping_why(function: Callable[..., Any]) -> Callable[..., Any]:
    def called(*values: Any) -> Any:
        try:
            return function(*values)
        except SqlError as error:
            _raised.error = error
            raise

    return called


def _cast(value: Any, to: str, source: str) -> Any:
    """A stored value of type `source` (empty for unknown) as one of type `to`."""
    if value is None:
        return None
    target = named(to)
    if target.family == "text" and source:
        kind = named(source)
        if kind.family == "boolean":
            value = "true" if value else "false"
        elif kind.family.startswith("timestamp"):
            value = str(value)[:23]  # TIMESTAMP_NTZ_OUTPUT_FORMAT: milliseconds
        elif kind.family == "fixed":
            value = kind.sent(value)
    if target.family in ("fixed", "real") and source == "BOOLEAN":
        value = int(value)
    return target.stored(value)


def _try_cast(value: Any, to: str, source: str) -> Any:
    try:
        return _cast(value, to, source)
    except SqlError:
        return None


def _divide(one: Any, other: Any, scale: int) -> Any:
    """`scale` is -1 for floats."""
    if one is None or other is None:
        return None
    if float(other) == 0:
        raise SqlError("100051", "22012", "Division by zero")
    if scale < 0:
        return float(one) / float(other)
    quotient = _EXACT.divide(Decimal(repr(one)), Decimal(repr(other)))
    return named(f"NUMBER(38,{scale})").stored(quotient)


def _modulo(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return None
    if other == 0:
        raise SqlError("100051", "22012", "Division by zero")
    return int(one - other * int(one / other)) if isinstance(one, int) and isinstance(other, int) else one % other
