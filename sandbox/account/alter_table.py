"""ALTER TABLE and ALTER VIEW: columns, the name, the comment.

https://docs.snowflake.com/en/sql-reference/sql/alter-table
"""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from sandbox.account import names
from sandbox.account.definitions import need_create
from sandbox.account.errors import SqlError, exists, no_object, unsupported
from sandbox.account.naming import full_name
from sandbox.account.privileges import Rights
from sandbox.account.queries import Statement, default_of, quoted, stored
from sandbox.account.rows import Connection, Rows
from sandbox.account.sources import data_name, dotted
from sandbox.account.state import Object, State
from sandbox.account.tables import column_named, column_of
from sandbox.account.values import named
from sandbox.account.wire import Result, status

_DONE = "Statement executed successfully."


def alter(state: State, rows: Rows, rights: Rights, tree: exp.Expr, sql: str) -> Result:
    """ALTER TABLE | VIEW [IF EXISTS] <name> ..."""
    if not isinstance(tree, exp.Alter) or str(tree.args.get("kind")).upper() not in ("TABLE", "VIEW"):
        raise unsupported(sql)
    name = full_name("TABLE", dotted(tree.this), rights.session)
    item = state.relation(name, rights.session.id)
    if item is None or not rights.sees(item):
        if item is None and tree.args.get("exists"):
            return status(_DONE)
        raise no_object("Table", name)
    rights.need_owner(item)
    statement = Statement(state, rows, rights, tree, {})
    with rows.alone() as connection, state.together():
        for action in tree.args["actions"]:
            _one(statement, connection, item, action, sql)
        connection.verb("commit")
        connection.verb("begin")
    return status(_DONE)


def _one(statement: Statement, connection: Connection, item: Object, action: exp.Expr, sql: str) -> None:
    state, columns = statement.state, item.props["columns"]
    if isinstance(action, exp.AlterRename):
        return _rename(statement, item, full_name("TABLE", dotted(action.this), statement.rights.session))
    if "query" in item.props:
        raise unsupported(sql)
    table = f"ALTER TABLE {data_name(item)}"
    if isinstance(action, exp.ColumnDef) and isinstance(action.kind, exp.DataType):
        _add(
            statement,
            connection,
            item,
            column_of(action, action.kind, len(columns)),
            exists_=bool(action.args.get("exists")),
        )
    elif isinstance(action, exp.Drop) and action.args.get("kind") == "COLUMN":
        for each in action.args["tables"]:
            column = column_named(item, _name(each))
            if len(columns) == 1:
                raise unsupported(sql)
            connection.write(f"{table} DROP COLUMN {quoted(column['name'])}")
            columns.remove(column)
    elif isinstance(action, exp.RenameColumn):
        column, new = column_named(item, _name(action.this)), _name(action.args["to"])
        if any(each["name"].upper() == new.upper() and each is not column for each in columns):
            raise SqlError("002025", "42S21", f"SQL compilation error:\nduplicate column name '{new}'")
        connection.write(f"{table} RENAME COLUMN {quoted(column['name'])} TO {quoted(new)}")
        column["name"] = new
    elif isinstance(action, exp.AlterColumn):
        _change(connection, item, column_named(item, _name(action.this)), action, sql)
    elif re.search(r"\bSET\s+COMMENT\s*=", sql, re.I) and isinstance(action, exp.AlterSet):
        item.props["COMMENT"] = next((literal.name for literal in action.find_all(exp.Literal)), "")
    else:
        raise unsupported(sql)
    state.save(item)


def _name(node: exp.Expr) -> str:
    part = node.this if isinstance(node, exp.Column) else node
    return part.name if part.args.get("quoted") else part.name.upper()


def _rename(statement: Statement, item: Object, new: str) -> None:
    state, rights = statement.state, statement.rights
    if names.holder(new) != item.parent:
        need_create(state, rights, "TABLE", new)
    if state.get(item.kind, new) or (item.kind in ("TABLE", "VIEW") and (state.get("TABLE", new) or state.get("VIEW", new))):
        raise exists(names.last(new))
    state.rename(item, new)


def _add(statement: Statement, connection: Connection, item: Object, column: dict[str, Any], *, exists_: bool) -> None:
    columns = item.props["columns"]
    if any(each["name"].upper() == column["name"].upper() for each in columns):
        if exists_:
            return
        raise SqlError("002025", "42S21", f"SQL compilation error:\ncolumn '{column['name']}' already exists")
    if column.get("identity"):
        raise unsupported("an identity column of a table that is there")
    table, kind = data_name(item), named(column["type"])
    connection.write(f"ALTER TABLE {table} ADD COLUMN {quoted(column['name'])} {kind.duck}")
    if default := default_of(statement.state, statement.rights, item, column):
        connection.write(f"UPDATE {table} SET {quoted(column['name'])} = {stored(default, '', kind)}")
    if not column["null"]:
        connection.write(f"ALTER TABLE {table} ALTER COLUMN {quoted(column['name'])} SET NOT NULL")
    columns.append(column)


def _change(connection: Connection, item: Object, column: dict[str, Any], action: exp.AlterColumn, sql: str) -> None:
    table = f"ALTER TABLE {data_name(item)} ALTER COLUMN {quoted(column['name'])}"
    if dtype := action.args.get("dtype"):
        old, new = named(column["type"]), named(dtype.sql("snowflake"))
        wider = old.family == new.family and (new.length, new.precision - new.scale) >= (
            old.length,
            old.precision - old.scale,
        )
        if not wider or old.scale != new.scale:
            raise SqlError(
                "002108",
                "22000",
                f"SQL compilation error:\ncannot change column {column['name']} from type {old.sql} to {new.sql}",
            )
        connection.write(f"{table} TYPE {new.duck}")
        column["type"] = new.sql
    elif action.args.get("allow_null") is not None:
        column["null"] = bool(action.args["allow_null"])
        connection.write(f"{table} {'DROP' if column['null'] else 'SET'} NOT NULL")
    elif action.args.get("drop"):
        column.pop("default", None)
    elif comment := action.args.get("comment"):
        column["comment"] = comment.name
    else:
        raise unsupported(sql)
