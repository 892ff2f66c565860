"""Queries on data: parsed by sqlglot in Snowflake's dialect, checked for privileges, run by SQLite.

Values keep SQLite's types; what depends on Snowflake's finer ones (NUMBER scale, VARIANT, time zones) is not emulated.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import sqlglot
from sqlglot import exp

from sandbox.account.definitions import full_name
from sandbox.account.errors import SqlError, exists, no_object, syntax, unsupported
from sandbox.account.privileges import Rights, Session, apply_future_grants
from sandbox.account.state import Object, State
from sandbox.account.wire import DML, Result, status

_CONTEXT: dict[str, Callable[[Session], str | None]] = {
    "CURRENT_USER": lambda s: s.user,
    "CURRENT_ROLE": lambda s: s.role,
    "CURRENT_DATABASE": lambda s: s.database,
    "CURRENT_SCHEMA": lambda s: s.schema,
    "CURRENT_WAREHOUSE": lambda s: s.warehouse,
    "CURRENT_SESSION": lambda s: str(s.id),
    "CURRENT_ACCOUNT": lambda s: "SANDBOX",
    "CURRENT_ACCOUNT_NAME": lambda s: "SANDBOX",
    "CURRENT_ORGANIZATION_NAME": lambda s: "QUANTORG",
    "CURRENT_REGION": lambda s: "SANDBOX_LOCAL",
    "CURRENT_VERSION": lambda s: "9.0.0",
    "CURRENT_SECONDARY_ROLES": lambda s: '{"roles":"","value":""}',
}


def run(state: State, rights: Rights, sql: str, values: list[Any]) -> Result:
    """One SELECT, INSERT, UPDATE, DELETE, TRUNCATE, CREATE TABLE or CREATE VIEW."""
    try:
        statements = sqlglot.parse(sql, read="snowflake")
    except sqlglot.errors.SqlglotError as error:
        first = error.errors[0] if isinstance(error, sqlglot.errors.ParseError) and error.errors else {}
        raise syntax(str(first.get("highlight", "")) or sql.split()[-1]) from None
    if len(statements) != 1 or statements[0] is None:
        raise SqlError("000008", "0A000", f"Actual statement count {len(statements)} did not match the desired count 1.")
    tree = _context(rights, statements[0])
    if isinstance(tree, exp.Create):
        return _create(state, rights, tree, values)
    if isinstance(tree, exp.TruncateTable):
        [table] = tree.expressions
        item = _resolve(state, rights, table, "TRUNCATE")
        state.write(f"delete from sf_data_{item.id}")
        return status("Statement executed successfully.")
    if isinstance(tree, exp.Insert | exp.Update | exp.Delete):
        return _change(state, rights, tree, values)
    if isinstance(tree, exp.Query):
        return _select(state, rights, tree, values)
    raise unsupported(sql)


def _select(state: State, rights: Rights, tree: exp.Expr, values: list[Any]) -> Result:
    _bind_tables(state, rights, tree, None)
    cursor = _execute(state, tree, values)
    rows = [list(row) for row in cursor.fetchall()]
    names = [column[0] if _is_quoted(tree, column[0]) else column[0].upper() for column in cursor.description]
    return Result([(name, _kind_of(rows, index)) for index, name in enumerate(names)], rows)


def _change(state: State, rights: Rights, tree: exp.Insert | exp.Update | exp.Delete, values: list[Any]) -> Result:
    privilege = type(tree).__name__.upper()
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    item = _resolve(state, rights, target, privilege)
    _bind_tables(state, rights, tree, target)
    target.replace(exp.to_table(f"sf_data_{item.id}"))
    count = _execute(state, tree, values).rowcount
    word = {"INSERT": "inserted", "UPDATE": "updated", "DELETE": "deleted"}[privilege]
    return Result(
        [(f"number of rows {word}", "fixed")], [[count]], DML + {"INSERT": 256, "UPDATE": 512, "DELETE": 768}[privilege]
    )


def _create(state: State, rights: Rights, tree: exp.Create, values: list[Any]) -> Result:
    kind = str(tree.kind).upper()
    if kind not in ("TABLE", "VIEW"):
        raise unsupported(tree.sql("snowflake"))
    named = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    name = full_name(kind, _dotted(named), rights)
    schema, _, last = name.rpartition(".")
    rights.need_usage(schema)
    there = state.get("TABLE", name) or state.get("VIEW", name)
    if there is not None and tree.args.get("exists"):
        return status(f"{last} already exists, statement succeeded.")
    rights.need(f"CREATE {kind}", "SCHEMA", schema)
    if there is not None and not tree.args.get("replace"):
        raise exists(last)
    if there is not None:
        rights.need_owner(there)
    if tree.expression is not None:
        _bind_tables(state, rights, tree.expression, None)
    with state.together():
        if there is not None:
            state.remove(there)
        item = state.add(kind, name, rights.session.role or "PUBLIC", {})
        apply_future_grants(state, item)
        named.replace(exp.to_table(f"sf_data_{item.id}"))
        for argument in ("replace", "exists", "properties"):
            tree.set(argument, None)
        _execute(state, tree, values)
    return status(f"{kind.capitalize()} {last} successfully created.")


def _bind_tables(state: State, rights: Rights, tree: exp.Expr, target: exp.Expr | None) -> None:
    """Put SQLite's tables in the place of Snowflake's, each with the SELECT privilege."""
    local = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        if table is target or (not table.db and table.name in local):
            continue
        item = _resolve(state, rights, table, "SELECT")
        alias = table.alias or table.name
        table.replace(exp.alias_(exp.to_table(f"sf_data_{item.id}"), alias, table=True))


def _resolve(state: State, rights: Rights, table: exp.Expr, privilege: str) -> Object:
    shown = _dotted(table)
    name = full_name("TABLE", shown, rights)
    rights.need_usage(name.rpartition(".")[0])
    item = state.get("TABLE", name) or state.get("VIEW", name)
    if item is None or not rights.sees(item):
        raise no_object("Object", name)
    rights.need(privilege, item.kind, item.name)
    return item


def _dotted(table: exp.Expr) -> str:
    parts = table.parts if isinstance(table, exp.Table) else [table]
    return ".".join(p.name if p.args.get("quoted") else p.name.upper() for p in parts)


def _context(rights: Rights, tree: exp.Expr) -> exp.Expr:
    def literal(node: exp.Expr) -> exp.Expr:
        name = node.name if isinstance(node, exp.Anonymous) else node.sql("snowflake").removesuffix("()")
        known = _CONTEXT.get(name.upper()) if isinstance(node, exp.Func) else None
        if known is None:
            return node
        value = known(rights.session)
        made: exp.Expr = exp.null() if value is None else exp.Literal.string(value)
        return exp.alias_(made, f"{name.upper()}()", quoted=True) if isinstance(node.parent, exp.Select) else made

    return tree.transform(literal)


def _execute(state: State, tree: exp.Expr, values: list[Any]) -> sqlite3.Cursor:
    sql = tree.sql("sqlite")
    try:
        with state.lock:
            return state.connection.execute(sql, values)
    except sqlite3.Error as error:
        raise SqlError("000904", "42000", f"SQL compilation error:\n{error}") from None


def _is_quoted(tree: exp.Expr, name: str) -> bool:
    selects = getattr(tree, "selects", [])
    return any(s.alias_or_name == name and any(i.args.get("quoted") for i in s.find_all(exp.Identifier)) for s in selects)


def _kind_of(rows: list[list[Any]], index: int) -> str:
    kinds = {type(row[index]) for row in rows if row[index] is not None}
    return "fixed" if kinds == {int} else "real" if kinds and kinds <= {int, float} else "text"
