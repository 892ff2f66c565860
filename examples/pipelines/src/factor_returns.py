"""Daily factor returns from the prices: table FACTOR_RETURNS."""

from collections import defaultdict
from datetime import date, timedelta
from math import log
from statistics import fmean
from typing import Any

import prices
from common.snowflake import arguments, chosen, connect, replace_days

WEIGHTS = {
    "MARKET": (1, 1, 1, 1, 1, 1),
    "SIZE": (1, 1, 1, -1, -1, -1),
    "VALUE": (1, -1, 1, -1, 1, -1),
    "MOMENTUM": (1, 1, -1, -1, 1, -1),
    "QUALITY": (1, -1, -1, 1, 1, -1),
}
WINDOW_DAYS = 20
HISTORY_DAYS = 40  # that a new schema begins with


def factor_return(factor: str, returns: dict[date, dict[str, float]], day: date) -> float:
    """The mean of the days of the window, each weighted by what the factor holds."""
    window = [returns[one] for one in returns if day - timedelta(days=WINDOW_DAYS) < one <= day]
    weights = dict(zip(prices.INSTRUMENTS, WEIGHTS[factor], strict=True))
    each = [sum(weights[name] * value for name, value in one.items()) / len(weights) for one in window]
    return round(fmean(each), 10)


def daily_returns(connection: Any, prefix: str, day: date) -> dict[date, dict[str, float]]:
    cursor = connection.cursor()
    cursor.execute(f"SELECT DAY, INSTRUMENT, PRICE FROM {prefix}.PRICES WHERE DAY <= %s ORDER BY DAY", (day.isoformat(),))
    found: dict[date, dict[str, float]] = defaultdict(dict)
    last: dict[str, float] = {}
    for when, name, value in cursor.fetchall():
        if name in last:
            found[when][name] = log(value / last[name])
        last[name] = value
    return found


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--target-schema", default="", help="write to another schema than the environment's")
    parser.add_argument("--factors", default="", help="these alone, with commas between them; all of them by default")
    args = parser.parse_args()
    prefix = f"{args.database}.{args.target_schema or args.schema}"
    with connect(args) as connection:
        prices.update(connection, prefix, args.day)
        returns = daily_returns(connection, prefix, args.day)
        table, columns = f"{prefix}.FACTOR_RETURNS", {"FACTOR": "VARCHAR", "RETURN": "FLOAT"}
        cursor = connection.cursor()
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} (DAY DATE, FACTOR VARCHAR, RETURN FLOAT)")
        (known,) = cursor.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
        days = [args.day - timedelta(days=age) for age in range(1 if known else HISTORY_DAYS)]
        rows = {day: [(f, factor_return(f, returns, day)) for f in chosen(args.factors, WEIGHTS)] for day in days}
        replace_days(connection, table, columns, rows)


if __name__ == "__main__":
    main()
