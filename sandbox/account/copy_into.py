"""COPY INTO <table> FROM (SELECT $1:"column"::type ... FROM @stage): Parquet files, as pandas and the connector load them.

https://docs.snowflake.com/en/sql-reference/sql/copy-into-table
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from sandbox.account import stages
from sandbox.account.errors import SqlError, unsupported
from sandbox.account.queries import Statement, check_chosen, insertion, quoted, stored, table
from sandbox.account.reader import Reader, Token, tokens
from sandbox.account.rows import Connection
from sandbox.account.sources import columns_of
from sandbox.account.values import INTEGER, TEXT, named
from sandbox.account.wire import DML, Result

_TOLD = (
    "file", "status", "rows_parsed", "rows_loaded", "error_limit", "errors_seen", "first_error", "first_error_line",
    "first_error_character", "first_error_column_name",
)  # fmt: skip
_NUMBERS = {"rows_parsed", "rows_loaded", "error_limit", "errors_seen", "first_error_line", "first_error_character"}


def copy(statement: Statement, tree: exp.Copy, connection: Connection) -> Result:
    """Every file at once; a file that was loaded before is loaded again."""
    query = tree.args["files"][0]
    if not isinstance(query, exp.Subquery) or not isinstance(tree.this, exp.Schema | exp.Table):
        raise unsupported(statement.sql)
    options = _options(statement)
    stages.check_format(options.pop("FILE_FORMAT", {}))
    on_error, purge = str(options.pop("ON_ERROR", "ABORT_STATEMENT")).upper(), str(options.pop("PURGE", "FALSE")).upper()
    if options or on_error not in ("ABORT_STATEMENT", "SKIP_FILE", "CONTINUE"):
        raise unsupported(statement.sql)
    written = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    item = table(statement.sources(), written, "INSERT")
    columns = columns_of(item)
    chosen = list(columns)
    if isinstance(tree.this, exp.Schema):
        chosen = [each.name if each.args.get("quoted") else each.name.upper() for each in tree.this.expressions]
    check_chosen(columns, chosen)
    stage = query.this.args["from_"].this.name
    _, path = stages.location(statement.state, statement.rights, statement.rows, stage, "READ")
    loaded: list[list[Any]] = []
    for file in stages.files_in(path):
        source = stages.parquet([file])
        _, described = connection.read(f"DESCRIBE SELECT * FROM {source}")
        told = {name: kind for name, kind, *_ in described}
        selected = ", ".join(_column(each, told) for each in query.this.expressions)
        if len(query.this.expressions) != len(chosen):
            raise SqlError("002020", "21S01", "SQL compilation error:\nInsert value list does not match column list")
        count = connection.write(insertion(statement, connection, item, chosen, f"SELECT {selected} FROM {source}"))
        loaded.append([file.name, "LOADED", count, count, 1, 0, None, None, None, None])
        if purge == "TRUE":
            file.unlink()
    if not loaded:
        return Result([("status", TEXT)], [["Copy executed with 0 files processed."]], DML)
    return Result([(name, INTEGER if name in _NUMBERS else TEXT) for name in _TOLD], loaded, DML)


def _column(node: exp.Expr, told: dict[str, str]) -> str:
    """`$1:"name"` or `$1:"name"::type`; a column that the file has not is NULL."""
    inner = node.this if isinstance(node, exp.Cast) else node
    path = (
        inner.expression.expressions if isinstance(inner, exp.JSONExtract) and isinstance(inner.this, exp.Parameter) else []
    )
    if len(path) != 2 or not isinstance(path[1], exp.JSONPathKey) or inner.this.name != "1":
        raise unsupported(node.sql("snowflake"))
    name = str(path[1].this)
    if name not in told:
        return "NULL"
    return stored(quoted(name), told[name], named(node.to.sql("snowflake"))) if isinstance(node, exp.Cast) else quoted(name)


def _options(statement: Statement) -> dict[str, Any]:
    """What follows the closing parenthesis of the query, with the values that are bound."""
    depth, after = 0, len(statement.sql)
    found: list[Token] = tokens(statement.sql)
    seen_from = False
    for token in found:
        seen_from = seen_from or (token.text == "FROM" and token.kind == "word")
        depth += (token.raw == "(") - (token.raw == ")")
        if seen_from and depth == 0 and token.raw == ")":
            after = token.at + 1
            break
    text = statement.sql[after:]
    for value in statement.bindings.values():
        text = text.replace("?", str(value["value"]), 1)
    return stages.read_options(Reader(text))
