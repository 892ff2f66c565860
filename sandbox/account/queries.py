"""Statements about rows: SELECT, INSERT, UPDATE, DELETE, TRUNCATE. Each is checked for privileges and run by SQLite."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from sandbox.account import binds, context_functions, translate
from sandbox.account.errors import SqlError, no_identifier, unsupported
from sandbox.account.expressions import cast_to
from sandbox.account.privileges import Rights
from sandbox.account.rows import Rows
from sandbox.account.sources import Sources, columns_of, data_name
from sandbox.account.state import Object, State
from sandbox.account.translate import ROW
from sandbox.account.types import INTEGER, Type
from sandbox.account.wire import DDL, DELETE, INSERT, UPDATE, Result, status


@dataclass
class Statement:
    """One statement about rows, and the values that came with it."""

    state: State
    rows: Rows
    rights: Rights
    tree: exp.Expr
    bindings: dict[str, Any]

    def sources(self) -> Sources:
        """What it reads, with the session's rights."""
        return Sources(self.state, self.rights)


def select(statement: Statement, *, describe_only: bool = False) -> Result:
    """A query; described only, it gives its columns and no rows."""
    tree = binds.put_in(statement.tree, statement.bindings, None)
    query = translate.query(tree, statement.sources())
    if describe_only:
        return Result(query.columns)
    with statement.rows.reading(statement.rights.session) as connection:
        return Result(query.columns, [list(row) for row in run(connection, query.sql)])


def change(statement: Statement, connection: sqlite3.Connection) -> Result:
    """INSERT, UPDATE, DELETE or TRUNCATE in a transaction that is open."""
    many = binds.count(statement.bindings)
    if many is not None and not isinstance(statement.tree, exp.Insert):
        raise unsupported("rows of bound values, except with INSERT")
    total, result = 0, status("")
    for row in range(many) if many is not None else [None]:
        result = _once(statement, binds.put_in(statement.tree.copy(), statement.bindings, row), connection)
        total += result.rows[0][0] if result.kind != DDL else 0
    if many is not None:
        result.rows[0][0] = total
    return result


def _once(statement: Statement, tree: exp.Expr, connection: sqlite3.Connection) -> Result:
    if isinstance(tree, exp.Insert):
        return _insert(statement, tree, connection)
    if isinstance(tree, exp.Update):
        return _update(statement, tree, connection)
    if isinstance(tree, exp.Delete):
        return _delete(statement, tree, connection)
    if isinstance(tree, exp.TruncateTable):
        return _truncate(statement, tree, connection)
    raise unsupported(tree.sql("snowflake"))


def _only(tree: exp.Expr, *known: str) -> None:
    extra = {key for key, value in tree.args.items() if value} - set(known)
    if extra:
        raise unsupported(f"{', '.join(sorted(extra)).strip('_').upper()} in {tree.sql('snowflake')}")


def _table(sources: Sources, named: exp.Expr, privilege: str) -> Object:
    item = sources.item(named, privilege)
    if item.kind != "TABLE":
        raise SqlError("002026", "42601", f"SQL compilation error:\nView '{item.last_name}' cannot be changed.")
    return item


def _insert(statement: Statement, tree: exp.Insert, connection: sqlite3.Connection) -> Result:
    _only(tree, "this", "expression", "with_")
    sources = statement.sources()
    named = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    item = _table(sources, named, "INSERT")
    columns = columns_of(item)
    chosen = list(columns)
    if isinstance(tree.this, exp.Schema):
        chosen = [each.name if each.args.get("quoted") else each.name.upper() for each in tree.this.expressions]
        for name in chosen:
            if name not in columns:
                raise no_identifier(name)
            if chosen.count(name) > 1:
                raise SqlError("002025", "42S21", f"SQL compilation error:\nduplicate column name '{name}'")
    values, given = _rows_to_insert(statement, tree, sources, len(chosen))
    filled = {name: cast_to(exp.column(f"c{at}", "q"), columns[name], given[at]) for at, name in enumerate(chosen)}
    for column in item.props["columns"]:
        if column["name"] not in filled and column.get("default") is not None:
            default = translate.default(column["default"], statement.rights)
            filled[column["name"]] = cast_to(default, columns[column["name"]], None)
    into = ", ".join(_quoted(name) for name in filled)
    taken = ", ".join(each.sql("sqlite") for each in filled.values())
    heads = ", ".join(f"c{at}" for at in range(len(chosen)))
    sql = f"WITH q({heads}) AS ({values}) INSERT INTO {data_name(item)} ({into}) SELECT {taken} FROM q"
    return _counted("number of rows inserted", changed(connection, sql), INSERT)


def _rows_to_insert(statement: Statement, tree: exp.Insert, sources: Sources, wanted: int) -> tuple[str, list[Type | None]]:
    source = tree.expression
    if not isinstance(source, exp.Values):
        if with_ := tree.args.get("with_"):
            source.set("with_", with_.copy())
        query = translate.query(source, sources)
        _match(wanted, len(query.columns))
        return query.sql, [kind for _, kind in query.columns]
    source = context_functions.put_in(source, statement.rights)
    lines = []
    for line in source.expressions:
        each_of = line.expressions if isinstance(line, exp.Tuple) else [line]
        _match(wanted, len(each_of))
        lines.append("(" + ", ".join(translate.constant(each).sql("sqlite") for each in each_of) + ")")
    return f"VALUES {', '.join(lines)}", [None] * wanted


def _match(wanted: int, got: int) -> None:
    if wanted != got:
        message = f"Insert value list does not match column list expecting {wanted} but got {got}"
        raise SqlError("002020", "21S01", f"SQL compilation error:\n{message}")


def _update(statement: Statement, tree: exp.Update, connection: sqlite3.Connection) -> Result:
    _only(tree, "this", "expressions", "from_", "where")
    sources = statement.sources()
    item = _table(sources, tree.this, "UPDATE")
    columns = columns_of(item)
    names, values = [], []
    for each in tree.expressions:
        column = each.this
        if not isinstance(each, exp.EQ) or not isinstance(column, exp.Column):
            raise unsupported(each.sql("snowflake"))
        name = column.name if column.this.args.get("quoted") else column.name.upper()
        if name not in columns:
            raise no_identifier(name)
        names.append(name)
        values.append(each.expression)
    query = _rows_of(item, tree, sources, values)
    kinds = [kind for _, kind in query.columns[1:]]
    changes = ", ".join(
        f"{_quoted(name)} = {cast_to(exp.column(f'c{at}', 'q'), columns[name], kinds[at - 1]).sql('sqlite')}"
        for at, name in enumerate(names, 1)
    )
    heads = ", ".join(f"c{at}" for at in range(len(names) + 1))
    table = data_name(item)
    sql = f"WITH q({heads}) AS ({query.sql}) UPDATE {table} SET {changes} FROM q WHERE {table}.rowid = q.c0"
    count = changed(connection, sql)
    columns_told = [("number of rows updated", INTEGER), ("number of multi-joined rows updated", INTEGER)]
    return Result(columns_told, [[count, 0]], UPDATE)


def _delete(statement: Statement, tree: exp.Delete, connection: sqlite3.Connection) -> Result:
    _only(tree, "this", "where", "using")
    sources = statement.sources()
    item = _table(sources, tree.this, "DELETE")
    query = _rows_of(item, tree, sources, [])
    sql = f"DELETE FROM {data_name(item)} WHERE rowid IN ({query.sql})"
    return _counted("number of rows deleted", changed(connection, sql), DELETE)


def _rows_of(item: Object, tree: exp.Expr, sources: Sources, values: list[exp.Expr]) -> translate.Query:
    """The keys of the rows that a WHERE chooses, and values for each: reading them needs SELECT only on other tables."""
    alias = tree.this.args.get("alias") or exp.TableAlias(this=exp.to_identifier(item.last_name, quoted=True))
    target = exp.Table(this=exp.to_identifier(data_name(item), quoted=True), alias=alias.copy())
    key = exp.Column(this=exp.to_identifier(ROW, quoted=True), table=alias.this.copy())
    others = [tree.args["from_"].this] if tree.args.get("from_") else list(tree.args.get("using") or [])
    made = exp.Select(
        expressions=[key, *(exp.alias_(value.copy(), f"C{at}", quoted=True) for at, value in enumerate(values, 1))],
        from_=exp.From(this=target),
        joins=[exp.Join(this=other.copy()) for other in others],
    )
    if tree.args.get("where"):
        made.set("where", tree.args["where"].copy())
    sources.tables[data_name(item)] = columns_of(item) | {ROW: INTEGER}
    return translate.query(made, sources, target)


def _truncate(statement: Statement, tree: exp.TruncateTable, connection: sqlite3.Connection) -> Result:
    _only(tree, "expressions", "exists")
    [named] = tree.expressions
    item = _table(statement.sources(), named, "TRUNCATE")
    run(connection, f"DELETE FROM {data_name(item)}")
    return status("Statement executed successfully.")


def run(connection: sqlite3.Connection, sql: str) -> sqlite3.Cursor:
    """One statement of SQLite's.

    Raises:
        SqlError: 100072 a NULL where none may be, 000002 a function that SQLite does not have.
    """
    try:
        return connection.execute(sql)
    except sqlite3.IntegrityError as error:
        if "NOT NULL" in str(error):
            raise SqlError("100072", "22000", "NULL result in a non-nullable column") from None
        raise
    except sqlite3.OperationalError as error:
        if "no such function" in str(error):
            raise unsupported(str(error).removeprefix("no such ")) from None
        raise


def changed(connection: sqlite3.Connection, sql: str) -> int:
    """How many rows a statement touched; Python's own count is -1 for one that begins with WITH."""
    run(connection, sql)
    return int(connection.execute("select changes()").fetchone()[0])


def _counted(name: str, count: int, kind: int) -> Result:
    return Result([(name, INTEGER)], [[count]], kind)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
