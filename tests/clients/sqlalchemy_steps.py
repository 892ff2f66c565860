"""SQLAlchemy and pandas' to_sql against the sandbox, in an environment of their own: host, port and key file as arguments.

Prints a line for each step: its name, a tab, and "works" or why not.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas
from cryptography.hazmat.primitives import serialization
from snowflake.connector.pandas_tools import pd_writer
from snowflake.sqlalchemy import URL
from sqlalchemy import Column, Integer, MetaData, Numeric, String, Table, create_engine, inspect, select

HOST, PORT, KEY = sys.argv[1:]
_FORM = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
engine = create_engine(
    URL(account="sandbox", user="ADA", host=HOST, port=PORT, database="CLIENTS", schema="PUBLIC", role="ACCOUNTADMIN"),
    connect_args={
        "private_key": serialization.load_pem_private_key(Path(KEY).read_bytes(), None).private_bytes(*_FORM),
        "protocol": "http",
    },
)
frame = pandas.DataFrame({"id": [1, 2], "name": ["a", "b"], "x": [1.5, 2.5], "day": [datetime.date(2026, 1, 1)] * 2})
meta = MetaData()
desk = Table("desk", meta, Column("id", Integer, primary_key=True), Column("name", String(20)), Column("n", Numeric(10, 2)))


def core() -> None:
    meta.create_all(engine)
    with engine.begin() as connection:
        connection.execute(desk.insert(), [{"id": 1, "name": "fx", "n": 1.5}])
        assert len(connection.execute(select(desk).where(desk.c.n > 1)).fetchall()) == 1


def reflected() -> None:
    assert [column["name"] for column in inspect(engine).get_columns("desk")] == ["id", "name", "n"]
    assert inspect(engine).get_pk_constraint("desk")["constrained_columns"] == ["id"]
    assert "desk" in inspect(engine).get_table_names()


to_sql = partial(frame.to_sql, "frames", engine, index=False)
STEPS: dict[str, Callable[[], Any]] = {
    "tables, INSERT, SELECT": core,
    "reflection of columns, keys and tables": reflected,
    "to_sql, if_exists='replace'": partial(to_sql, if_exists="replace"),
    "to_sql, if_exists='append'": partial(to_sql, if_exists="append"),
    "to_sql with pd_writer": partial(
        frame.rename(columns=str.upper).to_sql, "written", engine, index=False, if_exists="replace", method=pd_writer
    ),
    "read_sql": lambda: pandas.read_sql("select * from frames", engine),
}
for name, step in STEPS.items():
    try:
        step()
    except Exception as error:  # what a person would see
        print(f"{name}\t{' '.join(str(error).split())[:160]}")
    else:
        print(f"{name}\tworks")
