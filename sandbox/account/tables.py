"""CREATE of tables, views and sequences, and what is left of them when they are dropped.

https://docs.snowflake.com/en/sql-reference/sql/create-table, create-view and create-sequence
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from sandbox.account import names, translate
from sandbox.account.definitions import need_create
from sandbox.account.errors import SqlError, exists, no_identifier, unsupported
from sandbox.account.naming import full_name
from sandbox.account.privileges import Rights, apply_future_grants
from sandbox.account.queries import Statement, default_of, insertion, quoted
from sandbox.account.rows import Connection, Rows
from sandbox.account.sources import Sources, data_name, dotted, sequence_name
from sandbox.account.state import Object, State
from sandbox.account.values import named
from sandbox.account.wire import Result, status


@dataclass(frozen=True)
class _Definition:
    """What is to be created; `query` gives the rows, and the columns where none are written."""

    kind: str
    name: str
    props: dict[str, Any]
    query: translate.Query | None = None
    columns: list[dict[str, Any]] = field(default_factory=list)


def create(state: State, rows: Rows, rights: Rights, tree: exp.Create) -> Result:
    """CREATE [OR REPLACE] [TEMPORARY | TRANSIENT] TABLE | VIEW | SEQUENCE [IF NOT EXISTS]"""
    known = {"this", "kind", "replace", "exists", "expression", "properties", "clone"}
    extra = {key for key, value in tree.args.items() if value} - known
    kind = str(tree.kind).upper()
    if extra or kind not in ("TABLE", "VIEW", "SEQUENCE"):
        raise unsupported(tree.sql("snowflake"))
    if tree.args.get("replace") and tree.args.get("exists"):
        raise SqlError("001003", "42000", "SQL compilation error:\noptions IF NOT EXISTS and OR REPLACE are incompatible.")
    written = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    name = full_name(kind, dotted(written), rights.session)
    props, source = _properties(tree, kind)
    temporary = props.get("kind") == "TEMPORARY"
    if temporary:
        rights.need_usage(names.holder(name))
    else:
        need_create(state, rights, kind, name)
    there = _there(state, rights, kind, name, temporary=temporary)
    if there is not None and tree.args.get("exists"):
        return status(f"{names.last(name)} already exists, statement succeeded.")
    if there is not None and not tree.args.get("replace"):
        raise exists(name)
    if there is not None:
        rights.need_owner(there)
        if ("query" in there.props) != (kind == "VIEW"):
            raise SqlError("002203", "42710", f"SQL compilation error:\nObject '{name}' already exists as {there.kind}")
    made = _definition(state, rights, tree, _Definition(kind, name, props), source)
    _keep(state, rows, rights, made, there)
    return status(f"{kind.capitalize()} {names.last(name)} successfully created.")


def _there(state: State, rights: Rights, kind: str, name: str, *, temporary: bool) -> Object | None:
    if kind == "SEQUENCE":
        return state.get(kind, name)
    mine = state.temporary(rights.session.id)
    return state.get(mine, name) if temporary else state.get("TABLE", name) or state.get("VIEW", name)


def _definition(state: State, rights: Rights, tree: exp.Create, made: _Definition, source: exp.Expr | None) -> _Definition:
    written = tree.this.expressions if isinstance(tree.this, exp.Schema) else []
    sources = Sources(state, rights)
    if made.kind == "SEQUENCE":
        return made
    if source is not None:
        item = sources.item(source, "SELECT")
        query = translate.query(exp.select("*").from_(source.copy()), sources) if tree.args.get("clone") else None
        return _Definition(made.kind, made.name, made.props, query, [dict(column) for column in item.props["columns"]])
    if tree.expression is None:
        if not written or made.kind == "VIEW":
            raise unsupported(tree.sql("snowflake"))
        return _Definition(made.kind, made.name, made.props, None, _columns(written))
    props = made.props
    if made.kind == "VIEW":
        query_text = translate.written_out(tree.expression.copy(), Sources(state, rights)).sql("snowflake")
        props = props | {"query": query_text, "text": tree.sql("snowflake")}
    query = translate.query(tree.expression.copy(), sources)
    heads = [each.this if isinstance(each, exp.ColumnDef) else each for each in written]
    typed = [each for each in written if isinstance(each, exp.ColumnDef) and each.kind]
    told = [each.name if each.args.get("quoted") else each.name.upper() for each in heads] or query.names
    if len(told) != len(query.names):
        raise SqlError("002020", "21S01", "SQL compilation error:\ncolumn list does not match the query's columns")
    columns = _columns(written) if len(typed) == len(written) and typed else [{"name": n, "null": True} for n in told]
    _distinct(columns)
    return _Definition(made.kind, made.name, props, query, columns)


def _properties(tree: exp.Create, kind: str) -> tuple[dict[str, Any], exp.Expr | None]:
    """Properties as they are kept, and the table that is cloned or copied in form."""
    found: dict[str, Any] = {}
    source: exp.Expr | None = tree.args["clone"].this if tree.args.get("clone") else None
    properties = tree.args.get("properties")
    for each in properties.expressions if properties else []:
        if isinstance(each, exp.SchemaCommentProperty):
            found["COMMENT"] = each.this.name
        elif isinstance(each, exp.TransientProperty) and kind == "TABLE":
            found["kind"] = "TRANSIENT"
        elif isinstance(each, exp.TemporaryProperty) and kind != "SEQUENCE":
            found["kind"] = "TEMPORARY"
        elif isinstance(each, exp.LikeProperty) and kind == "TABLE":
            source = each.this
        elif isinstance(each, exp.SequenceProperties) and kind == "SEQUENCE":
            extra = {key for key, value in each.args.items() if value} - {"start", "increment", "options"}
            if extra:
                raise unsupported(tree.sql("snowflake"))
            found |= {key.upper(): str(each.args[key].sql()) for key in ("start", "increment") if each.args.get(key)}
        else:
            raise unsupported(f"{each.sql('snowflake')} of {kind}")
    return found, source


def _columns(written: list[exp.Expr]) -> list[dict[str, Any]]:
    columns: list[dict[str, Any]] = []
    keys: list[tuple[str, exp.Expr]] = []
    for each in written:
        inner = each.expressions[0] if isinstance(each, exp.Constraint) and each.expressions else each
        if isinstance(inner, exp.PrimaryKey):
            keys.append(("primary", inner))
        elif isinstance(inner, exp.UniqueColumnConstraint):
            keys.append(("unique", inner.this))
        elif isinstance(inner, exp.ColumnDef) and isinstance(inner.kind, exp.DataType):
            columns.append(column_of(inner, inner.kind, len(columns)))
        else:
            raise unsupported(each.sql("snowflake"))
    _distinct(columns)
    for which, key in keys:
        for part in key.expressions:
            inner = part.this if isinstance(part, exp.Ordered) else part
            held = inner.this if isinstance(inner, exp.Column) else inner
            name = held.name if held.args.get("quoted") else held.name.upper()
            for column in columns:
                if column["name"] == name:
                    column[which] = True
    for column in columns:
        if column.get("primary"):
            column["null"] = False
    return columns


def column_of(each: exp.ColumnDef, kind: exp.DataType, at: int) -> dict[str, Any]:
    """Keys are kept and shown and, as in Snowflake, not enforced."""
    name = each.name if each.this.args.get("quoted") else each.name.upper()
    column: dict[str, Any] = {"name": name, "type": named(kind.sql("snowflake")).sql, "null": True}
    for constraint in each.args.get("constraints") or []:
        rule = constraint.kind
        if isinstance(rule, exp.NotNullColumnConstraint):
            column["null"] = bool(rule.args.get("allow_null"))
        elif isinstance(rule, exp.DefaultColumnConstraint):
            column["default"] = rule.this.sql("snowflake")
        elif isinstance(rule, exp.CommentColumnConstraint):
            column["comment"] = rule.this.name
        elif isinstance(rule, exp.PrimaryKeyColumnConstraint):
            column |= {"primary": True, "null": False}
        elif isinstance(rule, exp.UniqueColumnConstraint):
            column["unique"] = True
        elif isinstance(rule, exp.AutoIncrementColumnConstraint | exp.GeneratedAsIdentityColumnConstraint):
            start, by = (rule.args[key].sql() if rule.args.get(key) else "1" for key in ("start", "increment"))
            column |= {"identity": at + 1, "start": start, "increment": by}
            column["default"] = f"IDENTITY START {start} INCREMENT {by} NOORDER"
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
    role, kind = rights.session.role, made.kind
    if made.props.get("kind") == "TEMPORARY":
        kind = state.temporary(rights.session.id)
    with rows.alone() as connection, state.together():
        columns = made.columns
        if made.query is not None:  # what CREATE TABLE ... AS and views do not say of their columns, the query does
            told = made.query.columns(connection.types(made.query.sql))
            columns = [{"type": kind.sql, **column} for column, (_, kind) in zip(columns, told, strict=True)]
        if there is not None:
            state.remove(there, role)
        item = state.add(kind, made.name, role, made.props | ({"columns": columns} if made.kind != "SEQUENCE" else {}))
        apply_future_grants(state, item)
        if made.kind == "SEQUENCE":
            _sequence(connection, sequence_name(item), item.props.get("START", "1"), item.props.get("INCREMENT", "1"))
        elif made.kind == "TABLE":
            _make(Statement(state, rows, rights, exp.null(), {}), connection, item, made.query)
        connection.verb("commit")
        connection.verb("begin")


def _sequence(connection: Connection, name: str, start: str, increment: str) -> None:
    connection.write(f"DROP SEQUENCE IF EXISTS {name}")
    low = "MINVALUE -9223372036854775808 MAXVALUE 9223372036854775807"
    connection.write(f"CREATE SEQUENCE {name} INCREMENT {increment} {low} START {start}")


def _make(statement: Statement, connection: Connection, item: Object, query: translate.Query | None) -> None:
    parts = []
    for column in item.props["columns"]:
        parts.append(f"{quoted(column['name'])} {named(column['type']).duck}{'' if column['null'] else ' NOT NULL'}")
        if column.get("identity"):
            _sequence(connection, f"{data_name(item)}_{column['identity']}", column["start"], column["increment"])
        elif default := default_of(statement.state, statement.rights, item, column):
            connection.types(f"SELECT {default}")
    connection.write(f"CREATE OR REPLACE TABLE {data_name(item)} ({', '.join(parts)})")
    if query is not None:
        chosen = [column["name"] for column in item.props["columns"]]
        connection.write(insertion(statement, connection, item, chosen, query.sql))


def forget(state: State, rows: Rows) -> None:
    """Rows and sequences of what is gone: dropped, replaced, or in a schema that is gone."""
    with contextlib.suppress(SqlError), rows.alone() as connection:
        # Read under the lock: nobody is between rows that are committed and their object.
        kept = {
            f"SF_{which}_{row['id']}" for row in state.rows("select id from sf_object") for which in ("DATA", "SEQUENCE")
        }
        for kind, listed in (("TABLE", "duckdb_tables()"), ("SEQUENCE", "duckdb_sequences()")):
            column = f"{kind.lower()}_name"
            found = connection.read(
                f"select {column} from {listed} where not temporary and {column} like 'SF\\_%' escape '\\'"
            )
            for (name,) in found[1]:
                if name != "sf_done" and "_".join(name.split("_")[:3]) not in kept:
                    connection.write(f"DROP {kind} {name}")


def column_named(item: Object, name: str) -> dict[str, Any]:
    """A column of a table.

    Raises:
        SqlError: 000904 there is none.
    """
    found: dict[str, Any] | None = next((each for each in item.props["columns"] if each["name"] == name), None)
    if found is None:
        raise no_identifier(name)
    return found
