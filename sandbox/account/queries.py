"""Statements about rows: SELECT, INSERT, UPDATE, DELETE, TRUNCATE. Each is checked for privileges and run by DuckDB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from sandbox.account import binds, translate
from sandbox.account.errors import SqlError, no_identifier, unsupported
from sandbox.account.privileges import Rights
from sandbox.account.rows import Connection, Rows
from sandbox.account.sources import Sources, columns_of, data_name
from sandbox.account.state import Object, State
from sandbox.account.translate import ROW
from sandbox.account.values import INTEGER, SEMI_STRUCTURED, TEXT, Type
from sandbox.account.wire import DELETE, INSERT, UPDATE, Result, status


@dataclass
class Statement:
    """One statement about rows, and the values that came with it."""

    state: State
    rows: Rows
    rights: Rights
    tree: exp.Expr
    bindings: dict[str, Any]
    sql: str = ""

    def sources(self) -> Sources:
        """What it reads, with the session's rights."""
        return Sources(self.state, self.rights)


def select(statement: Statement, *, describe_only: bool = False) -> Result:
    """A query; described only, it gives its columns and no rows."""
    tree = binds.put_in(statement.tree, statement.bindings)
    with statement.rows.reading(statement.rights.session) as connection:
        for call in [each for each in tree.find_all(exp.Anonymous) if each.name.upper() == "INFER_SCHEMA"]:
            from sandbox.account import stages

            assert call.parent is not None
            call.parent.replace(stages.infer(statement.state, statement.rights, statement.rows, connection, call))
        query = translate.query(tree, statement.sources(), sql=statement.sql)
        if describe_only:
            return Result(query.columns(connection.types(query.sql)))
        told, rows = connection.read(query.sql)
        return Result(query.columns(told), [list(row) for row in rows])


def only(tree: exp.Expr, *known: str) -> None:
    """Refuse a clause that is not emulated."""
    extra = {key for key, value in tree.args.items() if value} - set(known)
    if extra:
        raise unsupported(f"{', '.join(sorted(extra)).strip('_').upper()} in {tree.sql('snowflake')}")


def table(sources: Sources, named: exp.Expr, privilege: str) -> Object:
    """The table that is to be changed, with the privilege for it."""
    item = sources.item(named, privilege)
    if "query" in item.props:
        raise SqlError("002026", "42601", f"SQL compilation error:\nView '{item.last_name}' cannot be changed.")
    return item


def insert(statement: Statement, tree: exp.Insert, connection: Connection) -> Result:
    """INSERT, of values or of a query."""
    only(tree, "this", "expression", "with_", "overwrite")
    sources = statement.sources()
    named = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    item = table(sources, named, "INSERT")
    if tree.args.get("overwrite"):
        table(sources, named, "DELETE")
    columns = columns_of(item)
    chosen = list(columns)
    if isinstance(tree.this, exp.Schema):
        chosen = [each.name if each.args.get("quoted") else each.name.upper() for each in tree.this.expressions]
    check_chosen(columns, chosen)
    source = tree.expression
    if with_ := tree.args.get("with_"):
        source.set("with_", with_.copy())
    if isinstance(source, exp.Values):
        source = _values(source, [columns[name] for name in chosen])
    query = translate.query(source, sources)
    if len(chosen) != len(query.names):
        message = f"Insert value list does not match column list expecting {len(chosen)} but got {len(query.names)}"
        raise SqlError("002020", "21S01", f"SQL compilation error:\n{message}")
    sql = insertion(statement, connection, item, chosen, query.sql)
    if tree.args.get("overwrite"):
        connection.write(f"CREATE OR REPLACE TEMP TABLE SF_NEW AS {query.sql}")
        connection.write(f"DELETE FROM {data_name(item)}")
        sql = insertion(statement, connection, item, chosen, "SELECT * FROM SF_NEW")
    return Result([("number of rows inserted", INTEGER)], [[connection.write(sql)]], INSERT)


def check_chosen(columns: dict[str, Type], chosen: list[str]) -> None:
    """Each column that is written is there, and once."""
    for name in chosen:
        if name not in columns:
            raise no_identifier(name)
        if chosen.count(name) > 1:
            raise SqlError("002025", "42S21", f"SQL compilation error:\nduplicate column name '{name}'")


def _values(source: exp.Values, wanted: list[Type]) -> exp.Expr:
    """VALUES as a query: each value is converted by itself, for a column of VALUES has one type in DuckDB."""
    lines = []
    for line in source.expressions:
        each_of = line.expressions if isinstance(line, exp.Tuple) else [line]
        if len(each_of) != len(wanted):
            message = f"Insert value list does not match column list expecting {len(wanted)} but got {len(each_of)}"
            raise SqlError("002020", "21S01", f"SQL compilation error:\n{message}")
        cast = [exp.cast(each.copy(), _loose(kind), dialect="snowflake") for each, kind in zip(each_of, wanted, strict=True)]
        lines.append(exp.Tuple(expressions=cast))
    heads = [exp.to_identifier(f"C{at}", quoted=True) for at in range(len(wanted))]
    alias = exp.TableAlias(this=exp.to_identifier("V", quoted=True), columns=heads)
    return exp.select("*").from_(exp.Values(expressions=lines, alias=alias))


def _loose(kind: Type) -> str:
    """The type for a value on its way: a table's own is checked when it is stored."""
    return TEXT.sql if kind.family == "text" else kind.sql


def insertion(statement: Statement, connection: Connection, item: Object, chosen: list[str], query: str) -> str:
    """INSERT of a query's rows, each value converted to its column's type; the others get their defaults."""
    columns = columns_of(item)
    told = connection.types(query)
    filled = {name: stored(f"q.c{at}", told[at], columns[name]) for at, name in enumerate(chosen)}
    for column in item.props["columns"]:
        if column["name"] not in filled and (default := default_of(statement.state, statement.rights, item, column)):
            filled[column["name"]] = stored(default, "", columns[column["name"]])
    heads = ", ".join(f"c{at}" for at in range(len(chosen)))
    into, taken = ", ".join(map(quoted, filled)), ", ".join(filled.values())
    return f"INSERT INTO {data_name(item)} ({into}) WITH q({heads}) AS ({query}) SELECT {taken} FROM q"


def default_of(state: State, rights: Rights, item: Object, column: dict[str, Any]) -> str:
    """A column's default for DuckDB; empty for none. An identity is a sequence of DuckDB's beside the table."""
    if column.get("identity"):
        return f"nextval('{data_name(item)}_{column['identity']}')"
    if column.get("default") is None:
        return ""
    [node] = translate.selects(translate.parse(f"SELECT {column['default']}"))
    return translate.expression(node, Sources(state, rights))


def stored(value: str, told: str, kind: Type) -> str:
    """A value for a column: converted as Snowflake does when a row is written. `told` is DuckDB's type of it."""
    if kind.family == "text":
        return f"sf_fit(sf_text({value}), {kind.length})" if kind.length < TEXT.length else f"sf_text({value})"
    if kind.family in SEMI_STRUCTURED:
        return value if told == "JSON" else f"to_json({value})"
    if told == "JSON":
        value = f"sf_text({value})"
    if kind.family == "boolean":
        return f"sf_boolean({value})"
    if kind.family.startswith("timestamp") and told in ("VARCHAR", "JSON"):
        value = f"{'sf_wall' if kind.family == 'timestamp_ntz' else 'sf_zoned'}({value})"
    return f"CAST({value} AS {kind.duck})"


def update(statement: Statement, tree: exp.Update, connection: Connection) -> Result:
    """UPDATE, with or without FROM."""
    only(tree, "this", "expressions", "from_", "where")
    sources = statement.sources()
    item = table(sources, tree.this, "UPDATE")
    names, values = assignments(columns_of(item), tree)
    others = [tree.args["from_"].this] if tree.args.get("from_") else []
    query = rows_of(item, tree.this, sources, values, others=others, where=tree.args.get("where"))
    connection.write(f"CREATE OR REPLACE TEMP TABLE SF_CHANGED AS {query}")
    _, [[count]] = connection.read("SELECT count(*) FROM (SELECT c0 FROM SF_CHANGED GROUP BY c0 HAVING count(*) > 1)")
    told = [("number of rows updated", INTEGER), ("number of multi-joined rows updated", INTEGER)]
    return Result(told, [[set_to(connection, item, names, "SF_CHANGED"), count]], UPDATE)


def assignments(columns: dict[str, Type], tree: exp.Expr) -> tuple[list[str], list[exp.Expr]]:
    """The columns of SET, and what they become."""
    names, values = [], []
    for each in tree.expressions:
        column = each.this
        if not isinstance(each, exp.EQ) or not isinstance(column, exp.Column):
            raise unsupported(each.sql("snowflake"))
        names.append(column.name if column.this.args.get("quoted") else column.name.upper())
        values.append(each.expression)
    check_chosen(columns, names)
    return names, values


def set_to(connection: Connection, item: Object, names: list[str], source: str) -> int:
    """UPDATE by the keys and values that stand in a table; where a row is there twice, one of them wins."""
    columns, name = columns_of(item), data_name(item)
    told = connection.types(f"SELECT * FROM {source}")[1:]
    changes = [f"{quoted(n)} = {stored(f'q.c{at}', told[at - 1], columns[n])}" for at, n in enumerate(names, 1)]
    once = f"(SELECT DISTINCT ON (c0) * FROM {source}) AS q"
    return connection.write(f"UPDATE {name} SET {', '.join(changes)} FROM {once} WHERE {name}.rowid = q.c0")


def delete(statement: Statement, tree: exp.Delete, connection: Connection) -> Result:
    """DELETE, with or without USING."""
    only(tree, "this", "where", "using")
    sources = statement.sources()
    item = table(sources, tree.this, "DELETE")
    query = rows_of(item, tree.this, sources, [], others=list(tree.args.get("using") or []), where=tree.args.get("where"))
    count = connection.write(f"DELETE FROM {data_name(item)} WHERE rowid IN ({query})")
    return Result([("number of rows deleted", INTEGER)], [[count]], DELETE)


def rows_of(
    item: Object,
    named: exp.Expr,
    sources: Sources,
    values: list[exp.Expr],
    *,
    others: list[exp.Expr],
    where: exp.Expr | None,
) -> str:
    """The keys of the rows that a WHERE chooses, and values for each: reading them needs SELECT only on other tables."""
    alias = named.args.get("alias") or exp.TableAlias(this=exp.to_identifier(item.last_name, quoted=True))
    target = exp.Table(this=exp.to_identifier(data_name(item), quoted=True), alias=alias.copy())
    key = exp.Column(this=exp.to_identifier(ROW, quoted=True), table=alias.this.copy())
    made = exp.Select(
        expressions=[key, *(exp.alias_(value.copy(), f"C{at}", quoted=True) for at, value in enumerate(values, 1))],
        from_=exp.From(this=target),
        joins=[exp.Join(this=other.copy()) for other in others],
    )
    if where is not None:
        made.set("where", where.copy())
    sources.tables[data_name(item)] = columns_of(item) | {ROW: INTEGER}
    heads = ", ".join(f"c{at}" for at in range(len(values) + 1))
    return f"WITH q({heads}) AS ({translate.query(made, sources, target).sql}) SELECT * FROM q"


def truncate(statement: Statement, tree: exp.TruncateTable, connection: Connection) -> Result:
    """TRUNCATE TABLE."""
    only(tree, "expressions", "exists")
    [named] = tree.expressions
    sources = statement.sources()
    if tree.args.get("exists") and not sources.there(named):
        return status("Statement executed successfully.")
    item = table(sources, named, "TRUNCATE")
    connection.write(f"DELETE FROM {data_name(item)}")
    return status("Statement executed successfully.")


def quoted(name: str) -> str:
    """A name for DuckDB."""
    return '"' + name.replace('"', '""') + '"'
