"""Factor volatilities from the factor returns, a row a day and factor: table RISK_MODEL."""

from collections import defaultdict
from datetime import timedelta
from math import sqrt

from common.snowflake import arguments, chosen, connect, merge

HALF_LIFE_DAYS = 42
HISTORY_DAYS = 40


def volatility(returns: list[float]) -> float:
    """Exponentially weighted, the newest return last."""
    weights = [0.5 ** (age / HALF_LIFE_DAYS) for age in range(len(returns))]
    weighted = sum(weight * value**2 for weight, value in zip(weights, reversed(returns), strict=True))
    return round(sqrt(weighted / sum(weights)), 12)


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--factors", default="", help="these alone, with commas between them; all of them by default")
    args = parser.parse_args()
    prefix = f"{args.database}.{args.schema}"
    with connect(args) as connection:
        cursor = connection.cursor()
        begin = args.day - timedelta(days=HISTORY_DAYS - 1)
        asked = f"SELECT FACTOR, RETURN FROM {prefix}.FACTOR_RETURNS WHERE DAY BETWEEN %s AND %s ORDER BY DAY"
        cursor.execute(asked, (begin.isoformat(), args.day.isoformat()))
        returns: dict[str, list[float]] = defaultdict(list)
        for factor, value in cursor.fetchall():
            returns[factor].append(float(value))
        wanted = chosen(args.factors, sorted(returns))
        rows = [(args.day.isoformat(), factor, volatility(returns[factor])) for factor in wanted]
        columns = {"DAY": "DATE", "FACTOR": "VARCHAR", "VOLATILITY": "FLOAT"}
        merge(connection, f"{prefix}.RISK_MODEL", columns, ("DAY", "FACTOR"), rows)


if __name__ == "__main__":
    main()
