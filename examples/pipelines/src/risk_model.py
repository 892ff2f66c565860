"""Factor volatilities from the factor returns: table RISK_MODEL."""

from collections import defaultdict
from math import sqrt

from common.snowflake import arguments, connect, replace_day

HALF_LIFE_DAYS = 42


def volatility(returns: list[float]) -> float:
    """Exponentially weighted, the newest return last."""
    weights = [0.5 ** (age / HALF_LIFE_DAYS) for age in range(len(returns))]
    weighted = sum(weight * value**2 for weight, value in zip(weights, reversed(returns), strict=True))
    return round(sqrt(weighted / sum(weights)), 8)


def main() -> None:
    args = arguments(__doc__ or "").parse_args()
    prefix = f"{args.database}.{args.schema}"
    with connect(args) as connection:
        cursor = connection.cursor()
        cursor.execute(f"SELECT FACTOR, RETURN FROM {prefix}.FACTOR_RETURNS ORDER BY DAY")
        returns: dict[str, list[float]] = defaultdict(list)
        for factor, value in cursor.fetchall():
            returns[factor].append(float(value))
        rows = [(factor, volatility(values)) for factor, values in sorted(returns.items())]
        replace_day(connection, f"{prefix}.RISK_MODEL", {"FACTOR": "VARCHAR", "VOLATILITY": "FLOAT"}, args.day, rows)


if __name__ == "__main__":
    main()
