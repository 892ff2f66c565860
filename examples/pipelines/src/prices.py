"""Prices of the instruments: table PRICES. In a team's repository they come from a vendor; here each day draws its own."""

import random
from datetime import date, timedelta
from math import exp
from typing import Any

from common.snowflake import merge

INSTRUMENTS = ("ALPHA", "BRAVO", "CHARLIE", "DELTA", "ECHO", "FOXTROT")
HISTORY_DAYS = 60  # that a new schema begins with
FIRST = date(2025, 1, 1)


def update(connection: Any, prefix: str, day: date) -> None:
    """The day's prices; of a new table those of the days before too."""
    columns = {"DAY": "DATE", "INSTRUMENT": "VARCHAR", "PRICE": "FLOAT"}
    cursor = connection.cursor()
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {prefix}.PRICES (DAY DATE, INSTRUMENT VARCHAR, PRICE FLOAT)")
    (known,) = cursor.execute(f"SELECT COUNT(*) FROM {prefix}.PRICES").fetchone()
    days = [day] if known else [day - timedelta(days=age) for age in range(HISTORY_DAYS)]
    rows = [(one.isoformat(), name, price(name, one)) for one in days for name in INSTRUMENTS]
    merge(connection, f"{prefix}.PRICES", columns, ("DAY", "INSTRUMENT"), rows)


def price(instrument: str, day: date) -> float:
    """A walk from the first day on, the same in every environment."""
    days = (day - FIRST).days
    steps = random.Random(instrument)
    return round(100 * exp(sum(steps.gauss(0.0002, 0.01) for _ in range(days))), 4)
