"""The shape of answers: JSON rowsets. Values are texts; a column list is never empty (the Go driver panics)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from sandbox.account.privileges import Session

SELECT, DML, DDL = 4096, 12288, 24576  # statementTypeId, as the drivers tell a query from a change


@dataclass(frozen=True)
class Result:
    """Columns as (name, type) and rows of plain Python values."""

    columns: list[tuple[str, str]]
    rows: list[list[Any]] = field(default_factory=list)
    kind: int = SELECT


def status(message: str) -> Result:
    """What DDL answers."""
    return Result([("status", "text")], [[message]], DDL)


def success(result: Result, session: Session) -> dict[str, Any]:
    """The answer to a query request."""
    return {
        "data": {
            "parameters": [],
            "rowtype": [_column(name, kind) for name, kind in result.columns],
            "rowset": [
                [_text(value, kind) for value, (_, kind) in zip(row, result.columns, strict=True)] for row in result.rows
            ],
            "total": len(result.rows),
            "returned": len(result.rows),
            "queryId": str(uuid.uuid4()),
            "databaseProvider": None,
            "finalDatabaseName": session.database,
            "finalSchemaName": session.schema,
            "finalWarehouseName": session.warehouse,
            "finalRoleName": session.role,
            "numberOfBinds": 0,
            "arrayBindSupported": False,
            "statementTypeId": result.kind,
            "version": 1,
            "queryResultFormat": "json",
        },
        "message": None,
        "code": None,
        "success": True,
    }


def failure(code: str, state: str, message: str) -> dict[str, Any]:
    """The answer to a statement that was refused."""
    data = {
        "errorCode": code,
        "sqlState": state,
        "queryId": str(uuid.uuid4()),
        "internalError": False,
        "line": -1,
        "pos": -1,
    }
    return {"data": data, "message": message, "code": code, "success": False}


def _column(name: str, kind: str) -> dict[str, Any]:
    numeric = kind == "fixed"
    return {
        "name": name,
        "database": "",
        "schema": "",
        "table": "",
        "type": kind,
        "nullable": True,
        "precision": 38 if numeric else (9 if kind == "timestamp_ltz" else 0),
        "scale": 9 if kind == "timestamp_ltz" else 0,
        "length": 16777216,
        "byteLength": 16777216,
        "collation": None,
    }


def _text(value: Any, kind: str) -> str | None:
    if value is None:
        return None
    if kind == "timestamp_ltz":
        return f"{float(value):.9f}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
