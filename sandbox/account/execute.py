"""From the first words of a statement to the module that answers it."""

from __future__ import annotations

from typing import Any

from sandbox.account import definitions, grants, queries, show
from sandbox.account.errors import unsupported
from sandbox.account.privileges import Rights, Session
from sandbox.account.reader import Reader
from sandbox.account.state import State
from sandbox.account.wire import Result, status

_DONE = "Statement executed successfully."


def execute(state: State, session: Session, sql: str, values: list[Any] | None = None) -> Result:
    """Run one statement with the rights of the session's role.

    Raises:
        SqlError: refused, in Snowflake's words.
    """
    reader, rights = Reader(sql), Rights(state, session)
    if reader.done:
        raise unsupported("(empty statement)")
    if reader.take("SHOW"):
        return show.show(state, rights, reader)
    if reader.take("DESCRIBE") or reader.take("DESC"):
        kind = definitions.kind_next(reader)
        if kind not in ("SCHEMA", "DATABASE", "USER", "WAREHOUSE", "NETWORK POLICY"):
            raise unsupported(sql)
        return definitions.describe(state, rights, reader, kind)
    if reader.take("GRANT"):
        return grants.grant(state, rights, reader)
    if reader.take("REVOKE"):
        return grants.revoke(state, rights, reader)
    if reader.take("USE"):
        return definitions.use(state, rights, reader)
    if reader.take("ALTER", "SESSION"):
        if not reader.take("UNSET"):
            reader.need("SET")
        return status(_DONE)
    if reader.take("ALTER"):
        kind = definitions.kind_next(reader)
        if kind is None or kind in ("TABLE", "VIEW"):
            raise unsupported(sql)
        return definitions.alter(state, rights, reader, kind)
    if reader.take("DROP"):
        kind = definitions.kind_next(reader)
        if kind is None:
            raise unsupported(sql)
        return definitions.drop(state, rights, reader, kind)
    if reader.take("CREATE"):
        kind = definitions.kind_next(reader)
        if kind is not None and kind not in ("TABLE", "VIEW"):
            return definitions.create(state, rights, reader, kind)
    # Every statement commits by itself here, so the end of a transaction that was never begun changes nothing.
    if (reader.take("COMMIT") or reader.take("ROLLBACK")) and reader.done:
        return status(_DONE)
    return queries.run(state, rights, sql, values or [])
