"""Connect to Snowflake as the environment's service user, whose key is in the environment's secret scope."""

from __future__ import annotations

import argparse
import base64
import os
from collections.abc import Iterable, Mapping
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


def chosen(limited: str, names: Iterable[str]) -> list[str]:
    """All of the names, or those that a limited release is limited to."""
    wanted = [name.strip() for name in limited.split(",") if name.strip()]
    return [name for name in names if not wanted or name in wanted]


def replace_days(connection: Any, table: str, columns: dict[str, str], rows: Mapping[date, list[tuple[Any, ...]]]) -> None:
    """Write the rows of some days; a second run of the same days changes nothing."""
    cursor = connection.cursor()
    declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} (DAY DATE, {declared})")
    cursor.execute(f"DELETE FROM {table} WHERE DAY BETWEEN %s AND %s", (min(rows).isoformat(), max(rows).isoformat()))
    places = ", ".join(["%s"] * (len(columns) + 1))
    whole = [(day.isoformat(), *row) for day, those in rows.items() for row in those]
    if whole:  # one statement: the connector puts the rows together
        cursor.executemany(f"INSERT INTO {table} VALUES ({places})", whole)
    print(f"{table}: {len(whole)} rows for {max(rows)}")


def merge(connection: Any, table: str, columns: dict[str, str], keys: Iterable[str], rows: list[tuple[Any, ...]]) -> None:
    """Write rows by their keys: those that are there are changed, the others are added."""
    cursor = connection.cursor()
    declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} ({declared})")
    cursor.execute(f"CREATE TEMPORARY TABLE {table}_NEW ({declared})")
    cursor.executemany(f"INSERT INTO {table}_NEW VALUES ({', '.join(['%s'] * len(columns))})", rows)
    others = [name for name in columns if name not in keys]
    cursor.execute(
        f"MERGE INTO {table} AS t USING {table}_NEW AS n ON {' AND '.join(f't.{key} = n.{key}' for key in keys)}"
        f" WHEN MATCHED THEN UPDATE SET {', '.join(f'{name} = n.{name}' for name in others)}"
        f" WHEN NOT MATCHED THEN INSERT ({', '.join(columns)}) VALUES ({', '.join(f'n.{name}' for name in columns)})"
    )
    cursor.execute(f"DROP TABLE {table}_NEW")
    print(f"{table}: {len(rows)} rows merged")
