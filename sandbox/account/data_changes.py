"""Which statement that changes rows is whose."""

from __future__ import annotations

from sqlglot import exp

from sandbox.account import binds, copy_into, merge, queries
from sandbox.account.errors import unsupported
from sandbox.account.queries import Statement
from sandbox.account.rows import Connection
from sandbox.account.wire import Result


def change(statement: Statement, connection: Connection) -> Result:
    """INSERT, UPDATE, DELETE, MERGE, TRUNCATE or COPY INTO in a transaction that is open."""
    if isinstance(statement.tree, exp.Copy):
        return copy_into.copy(statement, statement.tree, connection)
    tree = binds.put_in(statement.tree.copy(), statement.bindings)
    if isinstance(tree, exp.Insert):
        return queries.insert(statement, tree, connection)
    if isinstance(tree, exp.Update):
        return queries.update(statement, tree, connection)
    if isinstance(tree, exp.Delete):
        return queries.delete(statement, tree, connection)
    if isinstance(tree, exp.TruncateTable):
        return queries.truncate(statement, tree, connection)
    if isinstance(tree, exp.Merge):
        return merge.merge(statement, tree, connection)
    raise unsupported(tree.sql("snowflake"))
