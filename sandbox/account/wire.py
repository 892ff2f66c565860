"""The shape of answers: JSON rowsets. Values are texts; a column list is never empty (the Go driver panics)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from sandbox.account.session import Session
from sandbox.account.values import BOOLEAN, INTEGER, TEXT, TIME, Type

SELECT, DML, DDL = 4096, 12288, 24576  # statementTypeId, as the drivers tell a query from a change
INSERT, UPDATE, DELETE = DML + 256, DML + 512, DML + 768

__all__ = ["BOOLEAN", "DDL", "DELETE", "INSERT", "INTEGER", "SELECT", "TEXT", "TIME", "UPDATE", "Result", "status"]


@dataclass(frozen=True)
class Result:
    """Columns as (name, type) and rows of stored values."""

    columns: list[tuple[str, Type]]
    rows: list[list[Any]] = field(default_factory=list)
    kind: int = SELECT


def status(message: str) -> Result:
    """What DDL answers."""
    return Result([("status", TEXT)], [[message]], DDL)


def success(result: Result, session: Session) -> dict[str, Any]:
    """The answer to a query request."""
    types = [kind for _, kind in result.columns]
    return {
        "data": {
            "parameters": [{"name": name, "value": native(value)} for name, value in session.parameters.items()],
            "rowtype": [kind.column(name) for name, kind in result.columns],
            "rowset": [[kind.sent(value) for value, kind in zip(row, types, strict=True)] for row in result.rows],
            "total": len(result.rows),
            "returned": len(result.rows),
            "queryId": str(uuid.uuid4()),
            "databaseProvider": None,
            "finalDatabaseName": session.database,
            "finalSchemaName": session.schema,
            "finalWarehouseName": session.warehouse,
            "finalRoleName": session.role,
            "numberOfBinds": 0,
            "arrayBindSupported": result.kind == INSERT,
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


def native(value: str) -> Any:
    """A parameter's value as the drivers read it."""
    if value in ("true", "false"):
        return value == "true"
    return int(value) if value.isdigit() else value
