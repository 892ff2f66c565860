"""pandas through the connector: write_pandas, which makes a stage, puts Parquet files into it and loads them."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pandas
import pytest
from snowflake.connector.errors import ProgrammingError
from snowflake.connector.pandas_tools import write_pandas

from tests.account_sandbox import Account

SETUP = """
CREATE DATABASE DESK
CREATE SCHEMA DESK.RISK
"""
_NOON = datetime.datetime(2026, 1, 1, 12)
FRAME = pandas.DataFrame(
    {
        "ID": [1, 2],
        "NAME": ["a", None],
        "X": [1.5, float("nan")],
        "OK": [True, False],
        "DAY": [datetime.date(2026, 1, 1)] * 2,
        "AT": pandas.to_datetime([_NOON] * 2),
    }
)
ROWS = [(1, "a", 1.5, True, datetime.date(2026, 1, 1), _NOON), (2, None, None, False, datetime.date(2026, 1, 1), _NOON)]


@pytest.mark.parametrize(
    ("how", "times"),
    [
        ({"auto_create_table": True}, 1),
        ({"auto_create_table": True}, 2),
        ({"auto_create_table": True, "overwrite": True}, 2),
        ({"overwrite": True}, 2),
        ({"auto_create_table": True, "table_type": "temp"}, 1),
        ({"auto_create_table": True, "chunk_size": 1}, 1),
    ],
    ids=str,
)
def test_a_frame_is_written(account: Account, how: dict[str, Any], times: int) -> None:
    """Made, added to, or in the place of what was there; the types are those of the frame."""
    account.sql("DROP TABLE IF EXISTS DESK.RISK.FRAMES")
    if "auto_create_table" not in how:
        account.sql("CREATE TABLE DESK.RISK.FRAMES (ID INT, NAME VARCHAR, X FLOAT, OK BOOLEAN, DAY DATE, AT TIMESTAMP_NTZ)")
    with account.connect("ADA", "ada", role="ACCOUNTADMIN", database="DESK", schema="RISK") as connection:
        for _ in range(times):
            done, _, count, _ = write_pandas(connection, FRAME, "FRAMES", **how)
            assert (done, count) == (True, 2)
        rows = connection.cursor().execute("SELECT * FROM FRAMES ORDER BY ID").fetchall()
    assert rows == (ROWS if times == 1 or "overwrite" in how else sorted(ROWS * 2, key=lambda row: row[0]))


def test_a_stage_is_a_folder_that_needs_privileges(account: Account, tmp_path: Path) -> None:
    """PUT, LIST and REMOVE; who may read does not write, and no path leads out of it."""
    (tmp_path / "prices.txt").write_text("1\n")
    account.sql("CREATE STAGE DESK.RISK.DROPBOX")
    for what in ("DATABASE DESK", "SCHEMA DESK.RISK"):
        account.sql(f"GRANT USAGE ON {what} TO ROLE QUANT_DEVELOPERS")
    account.sql("GRANT READ ON STAGE DESK.RISK.DROPBOX TO ROLE QUANT_DEVELOPERS")
    put = f"PUT file://{tmp_path}/prices.txt @DESK.RISK.DROPBOX AUTO_COMPRESS=FALSE"
    who = {"user": "DANA", "role": "QUANT_DEVELOPERS"}
    with pytest.raises(ProgrammingError, match="Insufficient privileges to operate on stage 'DROPBOX'"):
        account.sql(put, **who)
    account.sql(put)
    [row] = account.sql("LIST @DESK.RISK.DROPBOX", **who)
    assert row[:2] == ("dropbox/prices.txt", 2)
    assert account.refused("LIST @DESK.RISK.DROPBOX/../../../").startswith("000002 0A000")
    assert account.refused("REMOVE @DESK.RISK.DROPBOX", **who).startswith("003001 42501")
    account.sql("REMOVE @DESK.RISK.DROPBOX")
    assert account.sql("LIST @DESK.RISK.DROPBOX") == []
