"""Connect to Snowflake as the environment's service user, whose key is in the environment's secret scope."""

from __future__ import annotations

import argparse
import base64
import os
from contextlib import closing
from datetime import date
from typing import Any

import snowflake.connector
from cryptography.hazmat.primitives import serialization
from databricks.sdk import WorkspaceClient


def arguments(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    for name in ("account", "user", "role", "database", "schema", "warehouse", "secret-scope"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--day", type=date.fromisoformat, default=date.today())
    return parser


def private_key(scope: str) -> bytes:
    pem = WorkspaceClient().dbutils.secrets.get(scope, "snowflake_private_key")
    if not pem.lstrip().startswith("-----BEGIN"):
        pem = base64.b64decode(pem).decode()
    key = serialization.load_pem_private_key(pem.encode(), None)
    return key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def connect(args: argparse.Namespace) -> Any:
    endpoint: dict[str, Any] = {}
    if os.environ.get("SNOWFLAKE_HOST"):  # a private link
        endpoint = {
            "host": os.environ["SNOWFLAKE_HOST"],
            "port": int(os.environ.get("SNOWFLAKE_PORT", "443")),
            "protocol": os.environ.get("SNOWFLAKE_PROTOCOL", "https"),
        }
    return closing(
        snowflake.connector.connect(
            account=args.account,
            user=args.user,
            role=args.role,
            database=args.database,
            schema=args.schema,
            warehouse=args.warehouse,
            private_key=private_key(args.secret_scope),
            **endpoint,
        )
    )


def replace_day(connection: Any, table: str, columns: dict[str, str], day: date, rows: list[tuple[Any, ...]]) -> None:
    """Write one day's rows; a second run of the same day changes nothing."""
    cursor = connection.cursor()
    declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} (DAY DATE, {declared})")
    cursor.execute(f"DELETE FROM {table} WHERE DAY = %s", (day.isoformat(),))
    places = ", ".join(["%s"] * (len(columns) + 1))
    for row in rows:
        cursor.execute(f"INSERT INTO {table} VALUES ({places})", (day.isoformat(), *row))
    print(f"{table}: {len(rows)} rows for {day}")
