"""CREATE TABLE, CREATE TABLE AS and CREATE VIEW, and what is left of a table when it is dropped.

https://docs.snowflake.com/en/sql-reference/sql/create-table and create-view
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from sandbox.account import names, translate
from sandbox.account.definitions import need_create
from sandbox.account.errors import SqlError, exists, unsupported
from sandbox.account.expressions import type_of_column
from sandbox.account.naming import full_name
from sandbox.account.privileges import Rights, apply_future_grants
from sandbox.account.queries import run
from sandbox.account.rows import Rows
from sandbox.account.sources import Sources, data_name, dotted
from sandbox.account.state import Object, State
from sandbox.account.types import Type, named
from sandbox.account.wire import Result, status


@dataclass(frozen=True)
class _Definition:
    """What is to be created."""

    kind: str
    name: str
    props: dict[str, Any]
    query: translate.Query | None


def create(state: State, rows: Rows, rights: Rights, tree: exp.Create) -> Result:
    """CREATE [OR REPLACE] TABLE | VIEW [IF NOT EXISTS]"""
    extra = {key for key, value in tree.args.items() if value} - {
        "this", "kind", "replace", "exists", "expression", "properties",
    }  # fmt: skip
    kind = str(tree.kind).upper()
    if extra or kind not in ("TABLE", "VIEW"):
        raise unsupported(tree.sql("snowflake"))
    if tree.args.get("replace") and tree.args.get("exists"):
        raise SqlError("001003", "42000", "SQL compilation error:\noptions IF NOT EXISTS and OR REPLACE are incompatible.")
    written = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    name = full_name(kind, dotted(written), rights.session)
    need_create(state, rights, kind, name)
    there = state.get("TABLE", name) or state.get("VIEW", name)
    if there is not None and tree.args.get("exists"):
        return status(f"{names.last(name)} already exists, statement succeeded.")
    if there is not None and not tree.args.get("replace"):
        raise exists(name)
    if there is not None:
        rights.need_owner(there)
        if there.kind != kind:
            raise SqlError("002203", "42710", f"SQL compilation error:\nObject '{name}' already exists as {there.kind}")
    made = _definition(state, rights, tree, kind, name)
    _keep(state, rows, rights, made, there)
    return status(f"{kind.capitalize()} {names.last(name)} successfully created.")


def _definition(state: State, rights: Rights, tree: exp.Create, kind: str, name: str) -> _Definition:
    props = _properties(tree, kind)
    written = tree.this.expressions if isinstance(tree.this, exp.Schema) else []
    if tree.expression is None:
        if not written or kind == "VIEW":
            raise unsupported(tree.sql("snowflake"))
        return _Definition(kind, name, props | {"columns": _columns(written)}, None)
    if kind == "VIEW":
        query_text = translate.written_out(tree.expression.copy(), Sources(state, rights)).sql("snowflake")
        props |= {"query": query_text, "text": tree.sql("snowflake")}
    query = translate.query(tree.expression.copy(), Sources(state, rights))
    heads = [each.this if isinstance(each, exp.ColumnDef) else each for each in written]
    if any(isinstance(each, exp.ColumnDef) and (each.kind or each.args.get("constraints")) for each in written):
        raise unsupported("types of columns in CREATE TABLE ... AS: cast in the query")
    told = [each.name if each.args.get("quoted") else each.name.upper() for each in heads] or [n for n, _ in query.columns]
    if len(told) != len(query.columns):
        raise SqlError("002020", "21S01", "SQL compilation error:\ncolumn list does not match the query's columns")
    columns = [{"name": n, "type": k.sql, "null": True} for n, (_, k) in zip(told, query.columns, strict=True)]
    _distinct(columns)
    return _Definition(kind, name, props | {"columns": columns}, query)


def _properties(tree: exp.Create, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    properties = tree.args.get("properties")
    for each in properties.expressions if properties else []:
        if isinstance(each, exp.SchemaCommentProperty):
            found["COMMENT"] = each.this.name
        elif isinstance(each, exp.TransientProperty) and kind == "TABLE":
            found["kind"] = "TRANSIENT"
        else:
            raise unsupported(f"{each.sql('snowflake')} of {kind}")
    return found


def _columns(written: list[exp.Expr]) -> list[dict[str, Any]]:
    columns: list[dict[str, Any]] = []
    keys: list[tuple[str, exp.Expr]] = []
    for each in written:
        if isinstance(each, exp.PrimaryKey):
            keys.append(("primary", each))
        elif isinstance(each, exp.UniqueColumnConstraint):
            keys.append(("unique", each.this))
        elif isinstance(each, exp.ColumnDef) and isinstance(each.kind, exp.DataType):
            columns.append(_column(each, each.kind))
        else:
            raise unsupported(each.sql("snowflake"))
    _distinct(columns)
    for which, key in keys:
        for part in key.expressions:
            name = part.name if part.args.get("quoted") else part.name.upper()
            for column in columns:
                if column["name"] == name:
                    column[which] = True
    for column in columns:
        if column.get("primary"):
            column["null"] = False
    return columns


def _column(each: exp.ColumnDef, kind: exp.DataType) -> dict[str, Any]:
    """Keys are kept and shown and, as in Snowflake, not enforced."""
    name = each.name if each.this.args.get("quoted") else each.name.upper()
    column: dict[str, Any] = {"name": name, "type": type_of_column(kind).sql, "null": True}
    for constraint in each.args.get("constraints") or []:
        rule = constraint.kind
        if isinstance(rule, exp.NotNullColumnConstraint):
            column["null"] = bool(rule.args.get("allow_null"))
        elif isinstance(rule, exp.DefaultColumnConstraint):
            column["default"] = rule.this.sql("snowflake")
        elif isinstance(rule, exp.CommentColumnConstraint):
            column["comment"] = rule.this.name
        elif isinstance(rule, exp.PrimaryKeyColumnConstraint):
            column["primary"] = True
        elif isinstance(rule, exp.UniqueColumnConstraint):
            column["unique"] = True
        else:
            raise unsupported(each.sql("snowflake"))
    return column


def _distinct(columns: list[dict[str, Any]]) -> None:
    seen: set[str] = set()
    for column in columns:
        name = column["name"]
        if name in seen:
            raise SqlError("002025", "42S21", f"SQL compilation error:\nduplicate column name '{name}'")
        if name.upper() in {each.upper() for each in seen}:
            raise unsupported(f"columns that differ only in case: {name}")
        seen.add(name)


def _keep(state: State, rows: Rows, rights: Rights, made: _Definition, there: Object | None) -> None:
    """Rows' table and object, both or none: a table of rows without an object is swept away later.

    The lock of the rows comes first: whoever holds it needs the state's to give it back.
    """
    role = rights.session.role
    with rows.alone() as connection, state.together():
        if there is not None:
            state.remove(there, role)
        item = state.add(made.kind, made.name, role, made.props)
        apply_future_grants(state, item)
        if made.kind == "TABLE":
            _make(connection, item, rights, made.query)
            connection.commit()


def _make(connection: Any, item: Object, rights: Rights, query: translate.Query | None) -> None:
    parts = []
    for column in item.props["columns"]:
        kind: Type = named(column["type"])
        quoted = '"' + column["name"].replace('"', '""') + '"'
        parts.append(f"{quoted} {kind.affinity}{'' if column['null'] else ' NOT NULL'}")
        if column.get("default") is not None:
            default = translate.default(column["default"], rights)
            run(connection, f"SELECT {default.sql('sqlite')}")
    run(connection, f"DROP TABLE IF EXISTS {data_name(item)}")
    run(connection, f"CREATE TABLE {data_name(item)} ({', '.join(parts)})")
    if query is not None:
        run(connection, f"INSERT INTO {data_name(item)} {query.sql}")


def forget(state: State, rows: Rows) -> None:
    """Rows of tables that are gone, by DROP, CREATE OR REPLACE or with their schema; next time, when somebody writes."""
    kept = {data_name(item) for item in state.all("TABLE")}
    with contextlib.suppress(SqlError), rows.alone() as connection:
        sql = "select name from sqlite_master where type = 'table' and name like 'SF\\_DATA\\_%' escape '\\'"
        for (name,) in connection.execute(sql).fetchall():
            if name not in kept:
                connection.execute(f"DROP TABLE {name}")
