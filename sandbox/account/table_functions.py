"""Functions that stand where a table does: FLATTEN and GENERATOR, and VALUES, whose columns have names in Snowflake.

https://docs.snowflake.com/en/sql-reference/functions/flatten and generator
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from sandbox.account.errors import unsupported

_FLATTENED = """
SELECT 1 AS "SEQ", CAST(STRUCT_EXTRACT("E", 'k') AS VARCHAR) AS "KEY", CAST(STRUCT_EXTRACT("E", 'p') AS VARCHAR) AS "PATH",
CAST(STRUCT_EXTRACT("E", 'i') AS BIGINT) AS "INDEX", CAST(STRUCT_EXTRACT("E", 'v') AS VARIANT) AS "VALUE",
CAST("T" AS VARIANT) AS "THIS" FROM (SELECT SF_UNNEST(ENTRIES(INPUT)) AS "E", INPUT AS "T") AS "_E"
"""


def put_in(tree: exp.Expr) -> None:
    """Put subqueries in their places; what is flattened may be a column of a table before it."""
    for values in tree.find_all(exp.Values):
        alias = values.args.get("alias") or exp.TableAlias(this=exp.to_identifier("VALUES", quoted=True))
        rows = values.expressions
        _alike(rows)
        if not alias.columns and rows:
            width = len(rows[0].expressions) if isinstance(rows[0], exp.Tuple) else 1
            alias.set("columns", [exp.to_identifier(f"COLUMN{at}", quoted=True) for at in range(1, width + 1)])
            values.set("alias", alias)
    for node in list(tree.find_all(exp.Lateral, exp.TableFromRows)):
        inner = node.this
        if isinstance(inner, exp.Explode):
            _flatten(node, inner)
        elif isinstance(inner, exp.Generator) and inner.args.get("rowcount") and not inner.args.get("timelimit"):
            rows_of = exp.Anonymous(this="RANGE", expressions=[inner.args["rowcount"].copy()])
            made = exp.select(exp.alias_(exp.Literal.number(1), "GENERATED", quoted=True)).from_(exp.Table(this=rows_of))
            _replace(node, exp.Subquery(this=made), "GENERATOR")
        elif not isinstance(inner, exp.Subquery):
            raise unsupported(node.sql("snowflake"))


def _alike(rows: list[exp.Expr]) -> None:
    """A column of 1 and 2.5 is one of NUMBER(38,1) from the beginning."""
    for at in range(len(rows[0].expressions) if rows and isinstance(rows[0], exp.Tuple) else 0):
        cells = [row.expressions[at] for row in rows if isinstance(row, exp.Tuple) and len(row.expressions) > at]
        numbers = [cell for cell in cells if cell.is_number and isinstance(cell, exp.Literal | exp.Neg)]
        scale = max((len(cell.name.partition(".")[2]) for cell in numbers), default=0)
        for cell in numbers if scale and not any("e" in cell.sql().lower() for cell in numbers) else []:
            cell.replace(exp.cast(cell.copy(), f"DECIMAL(38, {scale})"))


def _flatten(node: exp.Expr, inner: exp.Explode) -> None:
    given = {each.name.upper(): each.expression for each in [inner.this, *inner.expressions] if isinstance(each, exp.Kwarg)}
    if set(given) - {"INPUT", "OUTER"} or "INPUT" not in given:
        raise unsupported(node.sql("snowflake"))
    outer = isinstance(given.get("OUTER"), exp.Boolean) and bool(given["OUTER"].this)
    made = sqlglot.parse_one(_FLATTENED, read="snowflake")
    for call in list(made.find_all(exp.Anonymous)):
        if call.name == "SF_UNNEST":
            call.set("this", "UNNEST")
        elif call.name == "ENTRIES":
            call.set("this", "SF_ENTRIES_OUTER" if outer else "SF_ENTRIES")
    for column in list(made.find_all(exp.Column)):
        if column.name == "INPUT":
            column.replace(exp.cast(given["INPUT"].copy(), "VARIANT", dialect="snowflake"))
    _replace(node, exp.Lateral(this=exp.Subquery(this=made)), "FLATTEN")


def _replace(node: exp.Expr, made: exp.Expr, name: str) -> None:
    said = node.args.get("alias")
    called = said.this if said is not None and said.this else exp.to_identifier(name, quoted=True)
    if isinstance(made, exp.Lateral) and isinstance(node.parent, exp.From):
        made = made.this  # nothing stands before it
    made.set("alias", exp.TableAlias(this=called.copy()))
    for key in ("joins", "laterals"):
        if node.args.get(key):
            made.set(key, node.args[key])
    node.replace(made)
