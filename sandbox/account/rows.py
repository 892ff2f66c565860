"""Rows of tables, in a DuckDB file beside the account's own state, and the transactions of sessions.

Two files, one rule: what SQLite keeps (objects, grants, sessions) names what DuckDB keeps (rows), never the other way. A
table's rows are in `SF_DATA_<number of the object>`. Who creates a table commits its rows first and the object then; a
kill between the two leaves rows without an object, which nobody can name and which are swept away later. Who drops one
commits the object first. A change of rows touches DuckDB only, and its answer is kept in the same transaction: a driver
that repeats a request after a kill gets the first answer. DuckDB's log is on the disk before a statement is answered.

DuckDB lets two writers fail where Snowflake lets the second wait, and ends a transaction in which a statement fails. So one
transaction writes at a time, and after a failure what it had done before is done again: nobody else can have written.
https://docs.snowflake.com/en/sql-reference/transactions
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.account.errors import SqlError
from sandbox.account.session import Session

if TYPE_CHECKING:
    import duckdb

_LOCK_SECONDS = 5.0  # the product waits for LOCK_TIMEOUT, 12 hours unless set
_IDLE_SECONDS = 300.0
_WAITED = (
    "Statement was aborted because it waited too long for a lock: another session has changed rows in a transaction that is"
    " still open (sandbox: one transaction writes at a time)."
)
_REMEMBERED = 3600.0  # seconds for which a repeated request gets its first answer


class Connection:
    """Runs DuckDB's statements, tells of failures in Snowflake's words, and remembers what was written."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        self.written: list[tuple[str, list[Any]]] = []

    def read(self, sql: str, *values: Any) -> tuple[list[str], list[tuple[Any, ...]]]:
        """DuckDB's types of the columns, and the rows."""
        from sandbox.account import duckdb_errors

        with duckdb_errors.told(sql):
            done = self._cursor.execute(sql, list(values))
            return [str(column[1]) for column in done.description or []], done.fetchall()

    def types(self, sql: str) -> list[str]:
        """The types of a query's columns, without running it."""
        return self.read(f"SELECT * FROM ({sql}) LIMIT 0")[0]

    def write(self, sql: str, *values: Any) -> int:
        """How many rows were touched."""
        _, rows = self.read(sql, *values)
        self.written.append((sql, list(values)))
        return int(rows[0][0]) if rows and rows[0] and isinstance(rows[0][0], int) else 0

    def verb(self, verb: str) -> None:
        """BEGIN, COMMIT or ROLLBACK."""
        self._cursor.execute(verb)

    def again(self, written: list[tuple[str, list[Any]]]) -> None:
        """After a failure: a new transaction with what was written before it."""
        self.verb("rollback")
        self.verb("begin")
        for sql, values in written:
            self._cursor.execute(sql, values)
        self.written = written

    def close(self) -> None:
        """Of no more use."""
        self._cursor.close()


@dataclass
class _Transaction:
    """`connection` is there from the first change on; one statement at a time uses it."""

    connection: Connection | None = None
    used: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Rows:
    """The file, which is opened when it is first needed, and the open transactions by session."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".rows")
        self.stages = path.with_name(path.name + ".stages")
        self._open: dict[int, _Transaction] = {}
        self._writing, self._opening = threading.Lock(), threading.Lock()

    @contextmanager
    def reading(self, session: Session) -> Iterator[Connection]:
        """What is committed, and what this session's transaction has changed."""
        held = self._open.get(session.id)
        if held is None or held.connection is None:
            with self._fresh() as connection:
                yield connection
            return
        with held.lock:
            held.used = time.monotonic()
            written = list(held.connection.written)
            try:
                yield held.connection
            except BaseException:
                held.connection.again(written)
                raise

    @contextmanager
    def changing(self, session: Session) -> Iterator[Connection]:
        """Committed at the end, unless the session is in a transaction; a statement that fails changes nothing."""
        if not session.autocommit:
            self.begin(session)
        held = self._open.get(session.id)
        if held is None:
            with self.alone() as connection:
                yield connection
            return
        with held.lock:
            if held.connection is None:
                held.connection = self._locked()
            held.used = time.monotonic()
            written = list(held.connection.written)
            try:
                yield held.connection
            except BaseException:
                held.connection.again(written)
                raise

    def begin(self, session: Session) -> None:
        """A transaction, if there is none yet."""
        self._open.setdefault(session.id, _Transaction())

    def finish(self, session: Session, verb: str) -> None:
        """`commit` or `rollback`; without a transaction nothing happens."""
        self._end(session.id, verb)

    def _end(self, session: int, verb: str) -> None:
        held = self._open.pop(session, None)
        if held is None:
            return
        with held.lock:
            if held.connection is not None:
                self._release(held.connection, verb)

    def _release(self, connection: Connection, verb: str) -> None:
        try:
            connection.verb(verb)
        finally:
            connection.close()
            self._writing.release()

    def answered(self, request: str) -> dict[str, Any] | None:
        """The answer that a change got already: a driver repeats a request whose answer it did not see."""
        with self._fresh() as connection:
            _, rows = connection.read("select answer from sf_done where request = ?", request)
        return json.loads(rows[0][0]) if rows else None

    def remember(self, connection: Connection, request: str, answer: dict[str, Any]) -> None:
        """Keep an answer in the same transaction as the change itself."""
        connection.write("insert into sf_done values (?, ?, ?)", request, json.dumps(answer), time.time())

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A transaction of one statement; it may be committed before the end."""
        connection = self._locked()
        try:
            yield connection
        except BaseException:
            self._release(connection, "rollback")
            raise
        self._release(connection, "commit")

    def _locked(self) -> Connection:
        """A connection that alone may write.

        Raises:
            SqlError: 000625 another session's transaction holds it for too long.
        """
        for session, held in list(self._open.items()):
            # The product does the same to a transaction that blocks others and whose session is idle.
            if held.connection is not None and time.monotonic() - held.used > _IDLE_SECONDS:
                self._end(session, "rollback")
        connection = Connection(self._database.cursor())
        if not self._writing.acquire(timeout=_LOCK_SECONDS):
            connection.close()
            raise SqlError("000625", "57014", _WAITED)
        connection.verb("begin")
        return connection

    @contextmanager
    def _fresh(self) -> Iterator[Connection]:
        connection = Connection(self._database.cursor())
        try:
            yield connection
        finally:
            connection.close()

    @property
    def _database(self) -> duckdb.DuckDBPyConnection:
        with self._opening:
            return self._opened

    @cached_property
    def _opened(self) -> duckdb.DuckDBPyConnection:
        """One connection of the process, of which the others are cursors. Nothing of the machine but stages can be read."""
        import duckdb

        from sandbox.account.macros import MACROS

        settings: dict[str, Any] = {"threads": 2, "autoinstall_known_extensions": False, "autoload_known_extensions": False}
        database = duckdb.connect(str(self._path), config=settings)
        database.execute("set global timezone = 'UTC'")
        if database.execute("select current_setting('enable_external_access')").fetchone() == (True,):
            database.execute(f"set allowed_directories = ['{self.stages}']")
            database.execute("set enable_external_access = false")
        database.execute("create table if not exists sf_done (request text primary key, answer text, said double)")
        database.execute("delete from sf_done where said < ?", [time.time() - _REMEMBERED])
        for macro in MACROS:
            database.execute(f"create or replace macro {macro}")
        return database
