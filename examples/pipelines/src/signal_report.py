"""What to trade next: table SIGNAL_REPORT, from the factor returns."""

from common.snowflake import arguments, chosen, connect, replace_days


def signal(value: float, threshold: float) -> str:
    return "BUY" if value > threshold else "SELL" if value < -threshold else "HOLD"


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--threshold", type=float, default=0.001)
    parser.add_argument("--factors", default="", help="these alone, with commas between them; all of them by default")
    args = parser.parse_args()
    prefix = f"{args.database}.{args.schema}"
    with connect(args) as connection:
        cursor = connection.cursor()
        cursor.execute(f"SELECT FACTOR, RETURN FROM {prefix}.FACTOR_RETURNS WHERE DAY = %s", (args.day.isoformat(),))
        returns = {factor: float(value) for factor, value in cursor.fetchall()}
        rows = [(factor, signal(returns[factor], args.threshold)) for factor in chosen(args.factors, sorted(returns))]
        replace_days(connection, f"{prefix}.SIGNAL_REPORT", {"FACTOR": "VARCHAR", "SIGNAL": "VARCHAR"}, {args.day: rows})


if __name__ == "__main__":
    main()
