"""From a query in Snowflake's dialect to one that SQLite runs, with the type of each column of the result.

sqlglot parses, resolves columns and writes SQLite's dialect; what is emulated is listed in `expressions`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

from sandbox.account import context_functions, names
from sandbox.account.errors import SqlError, no_identifier, syntax, unsupported
from sandbox.account.expressions import RULES, STRUCTURE, Known, common
from sandbox.account.privileges import Rights
from sandbox.account.sources import Sources
from sandbox.account.types import TEXT, Type

ROW = "_ROWID_"  # SQLite's own key of a row


@dataclass(frozen=True)
class Query:
    """A query that SQLite runs."""

    sql: str
    columns: list[tuple[str, Type]]


def parse(sql: str) -> exp.Expr:
    """One statement.

    Raises:
        SqlError: 001003 it cannot be read, 000008 there are several.
    """
    try:
        statements = sqlglot.parse(sql, read="snowflake")
    except sqlglot.errors.SqlglotError as error:
        first = error.errors[0] if isinstance(error, sqlglot.errors.ParseError) and error.errors else {}
        near = str(first.get("highlight") or "").strip() or sql.split()[-1]
        raise syntax(near, int(first.get("line") or 1), int(first.get("col") or 0)) from None
    if len(statements) != 1 or statements[0] is None:
        message = f"Actual statement count {len(statements)} did not match the desired statement count 1."
        raise SqlError("000008", "0A000", message)
    return statements[0]


def check(tree: exp.Expr) -> None:
    """Refuse what has no rule, by name."""
    for node in tree.walk():
        if not isinstance(node, STRUCTURE) and type(node) not in RULES:
            raise unsupported(f"{type(node).__name__.upper()}: {node.sql('snowflake')}")
    for select in tree.find_all(exp.Select):
        known = {
            "expressions",
            "from_",
            "where",
            "joins",
            "group",
            "having",
            "qualify",
            "order",
            "limit",
            "offset",
            "distinct",
        }
        extra = {key for key, value in select.args.items() if value} - {*known, "with_"}
        if extra:
            raise unsupported(f"{', '.join(sorted(extra)).strip('_').upper()} in {select.sql('snowflake')}")
    for group in tree.find_all(exp.Group):
        if {key for key, value in group.args.items() if value} - {"expressions"}:
            raise unsupported(group.sql("snowflake"))


def constant(node: exp.Expr) -> exp.Expr:
    """An expression without columns, for SQLite."""
    check(node)
    for column in node.find_all(exp.Column):
        raise no_identifier(column.sql("snowflake").upper())
    held = exp.Paren(this=node.copy())
    seen: list[exp.Expr] = []

    def of(each: exp.Expr) -> Known:
        seen.append(each)
        rule = RULES.get(type(each))
        if rule is None:
            raise unsupported(each.sql("snowflake"))
        return rule(each, of)

    of(held)
    inside: exp.Expr = held.this
    return inside


def default(text: str, rights: Rights) -> exp.Expr:
    """A column's default, for SQLite."""
    return constant(selects(context_functions.put_in(parse(f"SELECT {text}"), rights))[0])


def query(tree: exp.Expr, sources: Sources, target: exp.Expr | None = None) -> Query:
    """Translate a SELECT, with its CTEs and set operations; its tables are bound here, except `target`."""
    _title(tree)
    tree = context_functions.put_in(tree, sources.rights)
    check(tree)
    _bare_sides(tree)
    sources.bind(tree, target)
    _spread_column_lists(tree)
    tree = _qualified(tree, sources)
    types = _types(tree, sources)
    shown = [select.alias_or_name for select in selects(tree)]
    return Query(tree.sql("sqlite"), list(zip(shown, types, strict=True)))


def written_out(tree: exp.Expr, sources: Sources) -> exp.Expr:
    """A view's query with the columns that its stars stand for: they are those of the day when it was made."""
    bound = context_functions.put_in(tree.copy(), sources.rights)
    check(bound)
    sources.bind(bound)
    _spread_column_lists(bound)
    for mine, theirs in zip(_leaves(tree), _leaves(_qualified(bound, sources)), strict=True):
        if any(each.is_star for each in selects(mine)):
            mine.set("expressions", [each.copy() for each in selects(theirs)])
    return tree


def _leaves(tree: exp.Expr) -> list[exp.Expr]:
    if isinstance(tree, exp.SetOperation):
        return [*_leaves(tree.this), *_leaves(tree.expression)]
    return _leaves(tree.this) if isinstance(tree, exp.Subquery) else [tree]


def selects(tree: exp.Expr) -> list[exp.Expr]:
    """The columns of a query."""
    assert isinstance(tree, exp.Query | exp.Subquery)
    return list(tree.selects)


def _title(tree: exp.Expr) -> None:
    """Name the columns of the result as Snowflake does: an expression without a name is called by its text."""
    first = tree
    while isinstance(first, exp.SetOperation | exp.Subquery):
        first = first.this
    for each in selects(first):
        if not (each.is_star or isinstance(each, exp.Column | exp.Alias)):
            title = each.sql("snowflake", comments=False).upper()
            each.replace(exp.alias_(each.copy(), title, quoted=True))


def _bare_sides(tree: exp.Expr) -> None:
    """(SELECT 1) UNION (SELECT 2): SQLite takes no parentheses there."""
    for operation in list(tree.find_all(exp.SetOperation)):
        for key in ("this", "expression"):
            side = operation.args[key]
            if isinstance(side, exp.Subquery) and not side.alias:
                held = exp.Subquery(this=side.unnest(), alias=exp.TableAlias(this=exp.to_identifier("_side", quoted=True)))
                operation.set(key, exp.Select(expressions=[exp.Star()], from_=exp.From(this=held)))


def _spread_column_lists(tree: exp.Expr) -> None:
    """WITH a (x, y) AS (SELECT 1, 2) as WITH a AS (SELECT 1 AS x, 2 AS y), so that every column has its name."""
    for alias in list(tree.find_all(exp.TableAlias)):
        inner = alias.parent.this if isinstance(alias.parent, exp.CTE | exp.Subquery) else None
        if not alias.columns:
            continue
        if not isinstance(inner, exp.Select) or any(each.is_star for each in inner.selects):
            raise unsupported(alias.sql("snowflake"))
        if len(inner.selects) != len(alias.columns):
            raise SqlError("002020", "21S01", "SQL compilation error:\ncolumn list does not match the query's columns")
        for select, column in zip(list(inner.selects), alias.columns, strict=True):
            select.replace(exp.alias_(select.unalias().copy(), column.copy()))
        alias.set("columns", None)


def _qualified(tree: exp.Expr, sources: Sources) -> exp.Expr:
    known: dict[str, object] = {
        name: {column: kind.sql for column, kind in columns.items()} for name, columns in sources.tables.items()
    }
    schema = MappingSchema(known or {"SF_NONE": {"N": "NUMBER"}}, dialect="snowflake", normalize=False)
    try:
        return qualify(tree, dialect="snowflake", schema=schema, quote_identifiers=True)
    except sqlglot.errors.OptimizeError as error:
        raise _unresolved(tree, sources, str(error)) from None


def _unresolved(tree: exp.Expr, sources: Sources, message: str) -> SqlError:
    found = re.search(r"'\"?([^'\"]+)\"?' could not be resolved(?: for table: '([^']+)')?|Unknown column: (\S+)", message)
    if found is None:
        return SqlError("000904", "42000", f"SQL compilation error:\n{message}")
    name = found[1] or found[3]
    having = [columns for columns in sources.tables.values() if name in columns]
    aliases = [table for table in tree.find_all(exp.Table) if name in sources.tables.get(table.name, {})]
    if not found[2] and found[1] and having and len(aliases) > 1:
        return SqlError("002028", "42601", f"SQL compilation error:\nambiguous column name '{name}'")
    where = re.search(r"Line: (\d+), Col: (\d+)", message)
    shown = f"{found[2]}.{name}" if found[2] else name
    if where is None:
        return no_identifier(shown)
    return no_identifier(shown, int(where[1]), int(where[2]) - len(names.quoted_if_needed(name)))


def _types(tree: exp.Expr, sources: Sources) -> list[Type]:
    """The types of the outermost columns; on the way every expression is looked at once, innermost query first."""
    of_query: dict[int, list[Known]] = {}
    for scope in traverse_scope(tree):
        if isinstance(scope.expression, exp.SetOperation):
            sides = [of_query[id(_inner(scope.expression.args[key]))] for key in ("this", "expression")]
            if len(sides[0]) != len(sides[1]):
                raise SqlError(
                    "001789", "42601", "SQL compilation error:\ninvalid number of result columns for set operator"
                )
            of_query[id(scope.expression)] = [common(pair) for pair in zip(*sides, strict=True)]
        else:
            _check_grouped(scope.expression)
            of_query[id(scope.expression)] = _of_select(scope, sources, of_query)
    return [kind or TEXT for kind in of_query[id(_inner(tree))]]


def _of_select(scope: Scope, sources: Sources, of_query: dict[int, list[Known]]) -> list[Known]:
    seen: dict[int, tuple[exp.Expr, Known]] = {}  # the node is kept, so that its id stays its own

    def of(node: exp.Expr) -> Known:
        if id(node) not in seen:
            seen[id(node)] = (node, _of_one(node))
        return seen[id(node)][1]

    def _of_one(node: exp.Expr) -> Known:
        if isinstance(node, exp.Column):
            return _of_column(node, scope, sources, of_query)
        if isinstance(node, exp.Subquery | exp.Select | exp.SetOperation):
            return of_query[id(_inner(node))][0]
        rule = RULES.get(type(node))
        if rule is None:
            raise unsupported(f"{type(node).__name__.upper()}: {node.sql('snowflake')}")
        return rule(node, of)

    for node in [node for node in scope.walk() if type(node) in RULES]:
        of(node)
    return [of(select) for select in selects(scope.expression)]


def _of_column(column: exp.Column, scope: Scope | None, sources: Sources, of_query: dict[int, list[Known]]) -> Known:
    while scope is not None:
        source: exp.Table | Scope | None = scope.sources.get(column.table)
        if isinstance(source, exp.Table):
            return sources.tables[source.name][column.name]
        if source is not None:
            at = [each.alias_or_name for each in selects(source.expression)].index(column.name)
            return of_query[id(_inner(source.expression))][at]
        scope = scope.parent
    raise no_identifier(column.sql("snowflake").replace('"', ""))


def _inner(node: exp.Expr) -> exp.Expr:
    return node.unnest() if isinstance(node, exp.Subquery) else node


def _check_grouped(select: exp.Expr) -> None:
    """SQLite takes any row's value for a column that is not grouped; Snowflake refuses it."""
    group = select.args.get("group")
    grouped = {each.sql() for each in group.expressions} if group else set()
    parts = [each.unalias() for each in selects(select)]
    if select.args.get("having"):
        parts.append(select.args["having"].this)
    if not grouped and not any(_aggregates(part) for part in parts):
        return
    for part in parts:
        for column in _loose(part, grouped):
            shown = column.sql("snowflake").replace('"', "")
            raise SqlError("000979", "42601", f"SQL compilation error:\n[{shown}] is not a valid group by expression")


def _aggregates(node: exp.Expr) -> bool:
    if isinstance(node, exp.Window | exp.Subquery):
        return False
    return isinstance(node, exp.AggFunc) or any(_aggregates(child) for child in node.iter_expressions())


def _loose(node: exp.Expr, grouped: set[str]) -> list[exp.Expr]:
    if node.sql() in grouped or isinstance(node, exp.AggFunc | exp.Window | exp.Subquery | exp.Exists):
        return []
    if isinstance(node, exp.Column):
        return [node]
    return [each for child in node.iter_expressions() for each in _loose(child, grouped)]
