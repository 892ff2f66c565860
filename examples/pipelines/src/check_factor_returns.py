"""Fails the run when the day's factor returns are missing or out of range."""

from common.snowflake import arguments, connect

LARGEST_RETURN = 0.2


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--target-schema", default="")
    args = parser.parse_args()
    table = f"{args.database}.{args.target_schema or args.schema}.FACTOR_RETURNS"
    with connect(args) as connection:
        cursor = connection.cursor()
        cursor.execute(f"SELECT FACTOR, RETURN FROM {table} WHERE DAY = %s", (args.day.isoformat(),))
        rows = cursor.fetchall()
    if not rows:
        raise SystemExit(f"no factor returns for {args.day}")
    wrong = [name for name, value in rows if abs(float(value)) > LARGEST_RETURN]
    if wrong:
        raise SystemExit(f"factor returns out of range on {args.day}: {', '.join(wrong)}")
    print(f"{len(rows)} factor returns are in range")


if __name__ == "__main__":
    main()
