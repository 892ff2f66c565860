"""Rows of tables, in an SQLite file beside the state's own, and the transactions of sessions.

A transaction keeps a connection and, from its first change on, SQLite's write lock: others' changes wait for it. What was
not committed is gone when the process ends, as it should be.
https://docs.snowflake.com/en/sql-reference/transactions
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.account import functions
from sandbox.account.errors import SqlError
from sandbox.account.session import Session

_LOCK_SECONDS = 10.0  # the product waits for LOCK_TIMEOUT, 12 hours unless set
_REMEMBERED = 3600.0  # seconds for which a repeated request gets its first answer
_SCHEMA = "create table if not exists sf_done (request text primary key, answer text, at real)"


class Rows:
    """The file, and the open transactions by session."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".rows")
        self._open: dict[int, sqlite3.Connection | None] = {}
        self._lock = threading.Lock()
        with self._fresh() as connection:
            connection.execute("pragma journal_mode = wal")
            connection.execute(_SCHEMA)

    @contextmanager
    def reading(self, session: Session) -> Iterator[sqlite3.Connection]:
        """What is committed, and what this session's transaction has changed."""
        held = self._open.get(session.id)
        if held is not None:
            with functions.told():
                yield held
            return
        with self._fresh() as connection, functions.told():
            yield connection

    @contextmanager
    def changing(self, session: Session) -> Iterator[sqlite3.Connection]:
        """Committed at the end, unless the session is in a transaction; a statement that fails changes nothing."""
        if not session.autocommit:
            self.begin(session)
        if session.id not in self._open:
            with self._fresh() as connection, functions.told():
                _lock(connection, "begin immediate")
                with _undone(connection, "rollback"):
                    yield connection
                connection.execute("commit")
            return
        held = self._open[session.id]
        if held is None:
            held = self._connect()
            _lock(held, "begin immediate")
            self._open[session.id] = held
        with functions.told():
            held.execute("savepoint statement")
            with _undone(held, "rollback to statement"):
                yield held
            held.execute("release statement")

    def begin(self, session: Session) -> None:
        """A transaction, if there is none yet."""
        with self._lock:
            self._open.setdefault(session.id, None)

    def finish(self, session: Session, verb: str) -> None:
        """`commit` or `rollback`; without a transaction nothing happens."""
        with self._lock:
            held = self._open.pop(session.id, None)
        if held is not None:
            held.execute(verb)
            held.close()

    def answered(self, request: str) -> dict[str, Any] | None:
        """The answer that a change got already: a driver repeats a request whose answer it did not see."""
        with self._fresh() as connection:
            row = connection.execute("select answer from sf_done where request = ?", (request,)).fetchone()
        return json.loads(row[0]) if row else None

    def remember(self, connection: sqlite3.Connection, request: str, answer: dict[str, Any]) -> None:
        """Keep an answer in the same transaction as the change itself."""
        now = time.time()
        connection.execute("insert or ignore into sf_done values (?, ?, ?)", (request, json.dumps(answer), now))
        connection.execute("delete from sf_done where at < ?", (now - _REMEMBERED,))

    @contextmanager
    def alone(self) -> Iterator[sqlite3.Connection]:
        """For CREATE and DROP, which commit by themselves."""
        with self._fresh() as connection, functions.told():
            _lock(connection, "begin immediate")
            with _undone(connection, "rollback"):
                yield connection
            connection.execute("commit")

    @contextmanager
    def _fresh(self) -> Iterator[sqlite3.Connection]:
        connection = self._connect()
        try:
            yield connection
        finally:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_LOCK_SECONDS, isolation_level=None, check_same_thread=False)
        connection.execute("pragma case_sensitive_like = on")
        functions.register(connection)
        return connection


def _lock(connection: sqlite3.Connection, sql: str) -> None:
    try:
        connection.execute(sql)
    except sqlite3.OperationalError:
        raise SqlError(
            "000625", "57014", "Statement was aborted: a transaction of another session holds a lock, it was waited for"
            f" for {_LOCK_SECONDS:.0f} seconds (sandbox: one transaction writes at a time).",
        ) from None  # fmt: skip


@contextmanager
def _undone(connection: sqlite3.Connection, undo: str) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.execute(undo)
        raise
