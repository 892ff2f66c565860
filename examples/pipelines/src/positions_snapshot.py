"""The book at the end of the day: table POSITIONS."""

import random

from common.snowflake import arguments, connect, replace_days
from prices import INSTRUMENTS


def main() -> None:
    args = arguments(__doc__ or "").parse_args()
    draw = random.Random(args.day.isoformat())
    rows = [(name, draw.randrange(-500, 500) * 100) for name in INSTRUMENTS]
    with connect(args) as connection:
        table = f"{args.database}.{args.schema}.POSITIONS"
        replace_days(connection, table, {"INSTRUMENT": "VARCHAR", "QUANTITY": "NUMBER"}, {args.day: rows})


if __name__ == "__main__":
    main()
