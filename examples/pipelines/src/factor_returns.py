"""Daily factor returns: table FACTOR_RETURNS."""

import random
from statistics import fmean

from common.snowflake import arguments, connect, replace_day

FACTORS = ("MARKET", "SIZE", "VALUE", "MOMENTUM", "QUALITY")
WINDOW_DAYS = 20


def factor_return(factor: str, day: str) -> float:
    draw = random.Random(f"{factor} {day}")
    return round(fmean(draw.gauss(0.0002, 0.01) for _ in range(WINDOW_DAYS)), 6)


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--target-schema", default="", help="write to another schema than the environment's")
    args = parser.parse_args()
    schema = args.target_schema or args.schema
    rows = [(factor, factor_return(factor, args.day.isoformat())) for factor in FACTORS]
    with connect(args) as connection:
        table = f"{args.database}.{schema}.FACTOR_RETURNS"
        replace_day(connection, table, {"FACTOR": "VARCHAR", "RETURN": "FLOAT"}, args.day, rows)


if __name__ == "__main__":
    main()
