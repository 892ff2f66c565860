"""Two tables of the account compared by one tool, which its environment has: what it says and what it costs, as JSON.

`python compare.py TOOL HOST PORT KEY_FILE SCHEMA`: QUANT.BASE.RETURNS against QUANT.<SCHEMA>.RETURNS.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import snowflake.connector
from snowflake.connector.cursor import SnowflakeCursor

KEYS, COLUMNS = ["DAY", "FACTOR"], ["RETURN", "DESK", "HELD"]
Tool = Callable[[dict[str, Any], str], Callable[[], str]]


def said(differing: int, here: int, there: int) -> str:
    """The same words for each tool."""
    return f"{differing} rows differ, {here} keys missing there, {there} here" if differing or here or there else "the same"


def datacompy(settings: dict[str, Any], other: str) -> Callable[[], str]:
    """Both tables fetched, and joined by pandas, with the contract's tolerance."""
    import datacompy
    import pandas

    connection = snowflake.connector.connect(**settings)

    def fetched(schema: str) -> Any:
        cursor = connection.cursor().execute(f"SELECT * FROM QUANT.{schema}.RETURNS")
        return pandas.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])

    def compare() -> str:
        found = datacompy.PandasCompare(fetched("BASE"), fetched(other), join_columns=KEYS, abs_tol=1e-12, rel_tol=1e-9)
        differing = len(found.intersect_rows) - found.count_matching_rows()
        return said(differing, len(found.df1_unq_rows), len(found.df2_unq_rows))

    return compare


def reladiff(settings: dict[str, Any], other: str) -> Callable[[], str]:
    """An outer join in the account. It takes no date as a key: the same rows, by a view that has the day as text."""
    import reladiff
    from sqeleton.databases.snowflake import Dialect

    Dialect.set_timezone_to_utc = lambda self: "SELECT 1"  # for ALTER SESSION SET TIMEZONE: the sandbox is always in UTC
    key = {"key": settings["private_key_file"]}
    database = reladiff.connect({"driver": "snowflake", "database": "QUANT", "schema": "BASE", **settings, **key})

    def compare() -> str:
        one, two = (
            reladiff.connect_to_table(database, f"{schema}.TEXTED", tuple(KEYS), extra_columns=tuple(COLUMNS))
            for schema in ("BASE", other)
        )
        signs: dict[tuple[Any, ...], str] = {}
        for sign, row in reladiff.diff_tables(one, two, algorithm=reladiff.Algorithm.JOINDIFF):
            signs[row[: len(KEYS)]] = signs.get(row[: len(KEYS)], "") + sign
        counts = [sum(one == kind for one in signs.values()) for kind in ("-+", "-", "+")]
        return said(*counts)

    return compare


def quantctl(settings: dict[str, Any], other: str) -> Callable[[], str]:
    """What this project sends."""
    from quantctl.results.account import Reader
    from quantctl.results.model import Looked
    from quantctl.results.pairs import look
    from quantctl.results.statements import Window
    from quantctl.results.verdict import judge
    from tests.results_world import FIRST, LAST, PAIR, SAME, TODAY, contract

    class Connected:
        connection = snowflake.connector.connect(**settings)
        role = "ACCOUNTADMIN"

        def answer(self, statement: str, seconds: int) -> list[tuple[Any, ...]]:
            return list(self.connection.cursor().execute(statement).fetchall())

    connected: Any = Connected()

    def compare() -> str:
        names = ("QUANT.BASE.RETURNS", f"QUANT.{other}.RETURNS")
        reader, begun = Reader(connected, connected.role, 60), Looked(contract(), SAME)
        found = look(reader, begun, names, Window(FIRST, LAST), None, TODAY, whole=True)
        judged = judge(found, PAIR, FIRST, declares=False)
        if judged.unknown or found.figures is None:
            return f"unknown: {judged.findings[0].id.partition(':')[2]}"
        return said(found.figures.whole.differing, *found.figures.whole.only)

    return compare


def main() -> None:
    """Compare once, and tell."""
    tool, host, port, key, other = sys.argv[1:]
    settings = {
        "account": "sandbox", "user": "ADA", "role": "ACCOUNTADMIN", "host": host, "port": int(port), "protocol": "http",
        "authenticator": "SNOWFLAKE_JWT", "private_key_file": key, "warehouse": "QUANT_WH",
    }  # fmt: skip
    compare = {"datacompy": datacompy, "reladiff": reladiff, "quantctl": quantctl}[tool](settings, other)
    sent: list[str] = []
    execute = SnowflakeCursor.execute

    def counted(cursor: Any, command: str, *arguments: Any, **named: Any) -> Any:
        sent.append(command)
        return execute(cursor, command, *arguments, **named)

    SnowflakeCursor.execute = counted
    before, began = _peak(), time.process_time()
    try:
        told = compare()
    except Exception as error:  # how a tool refuses is what it says
        told = f"refuses: {' '.join(str(error).split())[:60]}"
    seconds = time.process_time() - began
    grown = _peak() - before
    print(json.dumps({"says": told, "statements": len(sent), "seconds": seconds, "megabytes": grown / 1024}))


def _peak() -> int:
    """Kilobytes that this process held at most; `ru_maxrss` begins with what its parent held (getrusage(2), execve(2))."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1])


if __name__ == "__main__":
    main()
