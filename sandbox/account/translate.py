"""From a query in Snowflake's dialect to one that DuckDB runs.

sqlglot parses, resolves columns, finds types and writes DuckDB's dialect. What is emulated is listed in `allowed`; names
are bound in `sources`, and what DuckDB would do otherwise is rewritten in `rewrites`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from sandbox.account import allowed, context_functions, names, numeric, table_functions
from sandbox.account.errors import SqlError, no_identifier, syntax, unsupported
from sandbox.account.reader import Token, tokens
from sandbox.account.rewrites import rewrite
from sandbox.account.sources import Sources
from sandbox.account.values import SEMI_STRUCTURED, Type, of_duck

_AFTER_COLUMNS = ("FROM", "WHERE", "UNION", "EXCEPT", "INTERSECT", "MINUS", "ORDER", "LIMIT", "GROUP")
ROW = "ROWID"  # DuckDB's own key of a row


@dataclass(frozen=True)
class Query:
    """A query that DuckDB runs; `families` are what sqlglot knows of the columns' types."""

    sql: str
    names: list[str]
    families: list[str]

    def columns(self, told: list[str]) -> list[tuple[str, Type]]:
        """Names and types, from the types that DuckDB tells."""
        found = []
        for name, family, duck in zip(self.names, self.families, told, strict=True):
            kind = of_duck(duck)
            found.append((name, Type(family) if kind.family == "variant" and family in SEMI_STRUCTURED else kind))
        return found


def parse(sql: str) -> exp.Expr:
    """One statement.

    Raises:
        SqlError: 001003 it cannot be read, 000008 there are several.
    """
    try:
        statements = [each for each in sqlglot.parse(sql, read="snowflake") if each is not None]
    except sqlglot.errors.SqlglotError as error:
        first = error.errors[0] if isinstance(error, sqlglot.errors.ParseError) and error.errors else {}
        near = str(first.get("highlight") or "").strip() or sql.split()[-1]
        raise syntax(near, int(first.get("line") or 1), int(first.get("col") or 0)) from None
    if len(statements) != 1:
        message = f"Actual statement count {len(statements)} did not match the desired statement count 1."
        raise SqlError("000008", "0A000", message)
    for key in [pair.this for made in statements[0].find_all(exp.Struct) for pair in made.find_all(exp.PropertyEQ)]:
        if isinstance(key, exp.Identifier):  # {'x': 1}: the key is a text, and stays as it is written
            key.replace(exp.Literal.string(key.name))
    return statements[0]


def query(tree: exp.Expr, sources: Sources, target: exp.Expr | None = None, sql: str = "") -> Query:
    """Translate a SELECT, with its CTEs and set operations; its tables are bound here, except `target`."""
    _title(tree, sql)
    tree = _resolved(tree, sources, target)
    families = [str(each.type.this.value).lower() if each.type else "" for each in selects(tree)]
    shown = [select.alias_or_name for select in selects(tree)]
    return Query(duck(rewrite(tree)), shown, families)


def expression(node: exp.Expr, sources: Sources) -> str:
    """An expression without columns, as a default of a column is."""
    tree = rewrite(_resolved(exp.Select(expressions=[exp.alias_(node.copy(), "C", quoted=True)]), sources, None))
    return duck(selects(tree)[0].unalias())


def duck(tree: exp.Expr) -> str:
    """The text for DuckDB.

    Raises:
        SqlError: 000002 sqlglot has no translation.
    """
    try:
        return tree.sql("duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)
    except sqlglot.errors.UnsupportedError as error:
        raise unsupported(f"{error}: {tree.sql('snowflake')}") from None


def _resolved(tree: exp.Expr, sources: Sources, target: exp.Expr | None) -> exp.Expr:
    tree = context_functions.put_in(tree, sources.rights)
    allowed.check(tree)
    sources.bind(tree, target)
    table_functions.put_in(tree)
    known: dict[str, object] = {
        name: {column: kind.sql for column, kind in columns.items()} for name, columns in sources.tables.items()
    }
    schema = MappingSchema(known or {"SF_NONE": {"N": "NUMBER"}}, dialect="snowflake", normalize=False)
    try:
        tree = qualify(tree, dialect="snowflake", schema=schema, quote_identifiers=True)
    except sqlglot.errors.OptimizeError as error:
        raise _unresolved(tree, sources, str(error)) from None
    for inner in tree.find_all(exp.Select):
        shown = [each.alias_or_name for each in inner.selects]
        if inner.parent is not None and len({each.upper() for each in shown}) < len(set(shown)):
            raise unsupported(f"columns that differ only in case: {', '.join(shown)}")
    for operation in tree.find_all(exp.SetOperation):
        if len(operation.left.selects) != len(operation.right.selects):
            raise SqlError("001789", "42601", "SQL compilation error:\ninvalid number of result columns for set operator")
    return annotate_types(tree, schema=schema, dialect="snowflake", expression_metadata=numeric.METADATA)


def written_out(tree: exp.Expr, sources: Sources) -> exp.Expr:
    """A view's query with the columns that its stars stand for: they are those of the day when it was made."""
    bound = _resolved(tree.copy(), sources, None)
    for mine, theirs in zip(_leaves(tree), _leaves(bound), strict=True):
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


def _title(tree: exp.Expr, sql: str) -> None:
    """Name the columns of the result as Snowflake does: an expression without a name is called by its text."""
    first = tree
    while isinstance(first, exp.SetOperation | exp.Subquery):
        first = first.this
    parts, written = selects(first), titles(sql)
    for at, each in enumerate(parts):
        if not (each.is_star or isinstance(each, exp.Column | exp.Alias)):
            title = written[at] if len(written) == len(parts) else each.sql("snowflake", comments=False).upper()
            each.replace(exp.alias_(each.copy(), title, quoted=True))


def titles(sql: str) -> list[str]:
    """The texts of the outermost columns as they are written, in upper case."""
    found: list[str] = []
    depth, begin = 0, -1
    for token in [*tokens(sql), Token("sign", "", "", len(sql.rstrip(" ;\n")))]:
        depth += (token.raw in "([{") - (token.raw in ")]}") if token.raw else 0
        if depth > 0 or (token.raw and token.raw in ")]}"):
            continue
        if token.text == "SELECT" and token.kind == "word" and begin < 0 and not found:
            begin = token.at + len(token.raw)
        elif begin >= 0 and (token.raw in (",", "") or token.text in _AFTER_COLUMNS):
            found.append(sql[begin : token.at].strip().upper())
            begin = token.at + 1
            if token.raw != ",":
                break
    return found


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
