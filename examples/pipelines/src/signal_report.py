"""What to trade next: table SIGNAL_REPORT, from the factor returns."""

from common.snowflake import arguments, connect, replace_day


def signal(value: float, threshold: float) -> str:
    return "BUY" if value > threshold else "SELL" if value < -threshold else "HOLD"


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--threshold", type=float, default=0.001)
    args = parser.parse_args()
    prefix = f"{args.database}.{args.schema}"
    with connect(args) as connection:
        cursor = connection.cursor()
        cursor.execute(f"SELECT FACTOR, RETURN FROM {prefix}.FACTOR_RETURNS WHERE DAY = %s", (args.day.isoformat(),))
        rows = [(factor, signal(float(value), args.threshold)) for factor, value in cursor.fetchall()]
        replace_day(connection, f"{prefix}.SIGNAL_REPORT", {"FACTOR": "VARCHAR", "SIGNAL": "VARCHAR"}, args.day, rows)


if __name__ == "__main__":
    main()
