"""From the first words of a statement to the module that answers it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.account import changes, context, definitions, describe, grants, identifier_literals, show, wire
from sandbox.account.errors import SqlError, unsupported
from sandbox.account.naming import kind_next
from sandbox.account.privileges import Rights
from sandbox.account.reader import Reader
from sandbox.account.rows import Rows
from sandbox.account.session import Session
from sandbox.account.state import State
from sandbox.account.wire import Result, status

_DONE = "Statement executed successfully."
_DEFINING = ("GRANT", "REVOKE", "CREATE", "ALTER", "DROP")
_NOT_EMULATED = {
    "CALL", "COMMENT", "DECLARE", "EXECUTE", "EXPLAIN", "GET", "SET", "UNDROP", "UNSET",
}  # fmt: skip
_BEFORE_KIND = (
    ("TRANSIENT",), ("TEMPORARY",), ("TEMP",), ("LOCAL", "TEMPORARY"), ("LOCAL", "TEMP"), ("SCOPED", "TEMPORARY"),
    ("RECURSIVE",),
)  # fmt: skip
_ROWS = ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "MERGE", "COPY")


@dataclass(frozen=True)
class Account:
    """What the account keeps: its state, and the rows of its tables."""

    state: State
    rows: Rows


@dataclass(frozen=True)
class Request:
    """One statement as a driver sends it; `number` is the same when it is sent again."""

    sql: str
    bindings: dict[str, Any] = field(default_factory=dict)
    describe_only: bool = False
    number: str = ""


def execute(account: Account, session: Session, request: Request) -> dict[str, Any]:
    """Run one statement with the rights of the session's roles; the answer to the driver.

    Raises:
        SqlError: refused, in Snowflake's words.
    """
    sql, bindings = identifier_literals.put_in(request.sql, request.bindings)
    request = replace(request, sql=sql, bindings=bindings)
    reader, rights = Reader(sql), Rights(account.state, session)
    first = reader.peek()
    if first is None:
        raise SqlError("000900", "42601", "SQL compilation error:\nEmpty SQL statement.")
    if first.text == "PUT":
        from sandbox.account import stages

        return {**wire.success(status(""), session), "data": stages.put(account.state, rights, account.rows, sql, bindings)}
    if first.text in _ROWS and not request.describe_only:
        return _change(account, session, rights, request)
    return wire.success(_answer(account, rights, reader, request), session)


def _answer(account: Account, rights: Rights, reader: Reader, request: Request) -> Result:
    state, rows, session = account.state, account.rows, rights.session
    if reader.take("SHOW"):
        return show.show(state, rights, reader)
    if reader.take("DESCRIBE") or reader.take("DESC"):
        return describe.describe(state, rights, reader)
    first = reader.peek()
    assert first is not None
    if first.text in ("SELECT", "WITH", "("):
        from sandbox.account import queries, translate

        tree = translate.parse(request.sql)
        if not hasattr(tree, "selects"):
            raise unsupported(request.sql)
        statement = queries.Statement(state, rows, rights, tree, request.bindings, request.sql)
        return queries.select(statement, describe_only=request.describe_only)
    if request.describe_only:
        return status("")
    if reader.take("USE"):
        return context.use(state, rights, reader)
    if reader.take("ALTER", "SESSION"):
        return context.alter_session(state, rights, reader)
    if first.text in ("LIST", "LS", "REMOVE", "RM"):
        from sandbox.account import stages

        reader.any()
        return stages.listed(state, rights, rows, reader, remove=first.text in ("REMOVE", "RM"))
    if (ended := _transaction(rows, session, reader)) is not None:
        return ended
    if first.text in _NOT_EMULATED:
        raise unsupported(request.sql)
    if first.text not in _DEFINING:
        raise reader.unexpected()
    # https://docs.snowflake.com/en/sql-reference/transactions#ddl: a definition commits what is open
    rows.finish(session, "commit")
    return _define(account, rights, reader, request.sql)


def _define(account: Account, rights: Rights, reader: Reader, sql: str) -> Result:
    state = account.state
    if reader.take("GRANT"):
        return grants.grant(state, rights, reader)
    if reader.take("REVOKE"):
        return grants.revoke(state, rights, reader)
    for verb in ("ALTER", "DROP", "CREATE"):
        if not reader.take(verb):
            continue
        replace = verb == "CREATE" and reader.take("OR", "REPLACE")
        kind = kind_next(reader)
        temporary = transient = False
        if verb == "CREATE" and kind is None:
            for words in _BEFORE_KIND:
                if reader.take(*words):
                    kind, temporary, transient = kind_next(reader), words[-1].startswith("TEMP"), words == ("TRANSIENT",)
                    break
        if kind in ("TABLE", "VIEW", "SEQUENCE") and (verb == "CREATE" or (verb == "ALTER" and kind != "SEQUENCE")):
            return _of_rows(account, rights, sql, verb)
        if kind is None or kind not in definitions.EMULATED:
            raise unsupported(sql)
        if verb == "CREATE" and kind in ("STAGE", "FILE FORMAT"):
            from sandbox.account import stages

            return stages.create(state, rights, reader, kind, replace=replace, temporary=temporary)
        if temporary or (transient and kind not in definitions.TRANSIENT):
            raise unsupported(sql)
        if verb == "ALTER":
            return changes.alter(state, rights, reader, kind)
        done = (
            definitions.drop(state, rights, reader, kind)
            if verb == "DROP"
            else definitions.create(state, rights, reader, kind, replace=replace, transient=transient)
        )
        if kind in ("TABLE", "SCHEMA", "DATABASE", "SEQUENCE", "STAGE") and (verb == "DROP" or replace):
            from sandbox.account import stages, tables

            tables.forget(state, account.rows)
            stages.forget(state, account.rows)
        return done
    raise unsupported(sql)


def _of_rows(account: Account, rights: Rights, sql: str, verb: str) -> Result:
    """What DuckDB has a part in; sqlglot and DuckDB are loaded when they are first needed."""
    from sqlglot import exp

    from sandbox.account import alter_table, tables, translate

    tree = translate.parse(sql)
    if verb == "ALTER":
        return alter_table.alter(account.state, account.rows, rights, tree, sql)
    if not isinstance(tree, exp.Create):
        raise unsupported(sql)
    made = tables.create(account.state, account.rows, rights, tree)
    tables.forget(account.state, account.rows)
    return made


def _change(account: Account, session: Session, rights: Rights, request: Request) -> dict[str, Any]:
    """A change of rows. Its answer is kept with it: asked again with the same number, nothing is done twice."""
    from sandbox.account import data_changes, queries, translate

    key = f"{session.id}:{request.number}" if request.number else ""
    if key and (answer := account.rows.answered(key)) is not None:
        return answer
    tree = translate.parse(request.sql)
    statement = queries.Statement(account.state, account.rows, rights, tree, request.bindings, request.sql)
    with account.rows.changing(session) as connection:
        answer = wire.success(data_changes.change(statement, connection), session)
        if key:
            account.rows.remember(connection, key, answer)
        return answer


def _transaction(rows: Rows, session: Session, reader: Reader) -> Result | None:
    """https://docs.snowflake.com/en/sql-reference/sql/begin"""
    if reader.take("BEGIN") or reader.take("START", "TRANSACTION"):
        reader.take("TRANSACTION") or reader.take("WORK")
        if reader.take("NAME"):
            reader.name()
        reader.end()
        rows.begin(session)
        return status(_DONE)
    for verb in ("COMMIT", "ROLLBACK"):
        if reader.take(verb):
            reader.take("WORK")
            reader.end()
            rows.finish(session, verb)
            return status(_DONE)
    return None
