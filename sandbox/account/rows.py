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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.account import functions
from sandbox.account.errors import SqlError
from sandbox.account.session import Session

_LOCK_SECONDS = 5.0  # the product waits for LOCK_TIMEOUT, 12 hours unless set
_IDLE_SECONDS = 300.0
_WAITED = (
    "Statement was aborted because it waited too long for a lock: another session has changed rows in a transaction that is"
    " still open (sandbox: one transaction writes at a time)."
)
_REMEMBERED = 3600.0  # seconds for which a repeated request gets its first answer
_SCHEMA = "create table if not exists sf_done (request text primary key, answer text, at real)"


@dataclass
class _Transaction:
    """`connection` is there from the first change on; one statement at a time uses it."""

    connection: sqlite3.Connection | None = None
    used: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Rows:
    """The file, and the open transactions by session."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".rows")
        self._open: dict[int, _Transaction] = {}
        with self._fresh() as connection:
            connection.execute("pragma journal_mode = wal")
            connection.execute(_SCHEMA)

    @contextmanager
    def reading(self, session: Session) -> Iterator[sqlite3.Connection]:
        """What is committed, and what this session's transaction has changed."""
        held = self._open.get(session.id)
        if held is None or held.connection is None:
            with self._fresh() as connection, functions.told():
                yield connection
            return
        with held.lock, functions.told():
            held.used = time.monotonic()
            yield held.connection

    @contextmanager
    def changing(self, session: Session) -> Iterator[sqlite3.Connection]:
        """Committed at the end, unless the session is in a transaction; a statement that fails changes nothing."""
        if not session.autocommit:
            self.begin(session)
        held = self._open.get(session.id)
        if held is None:
            with self.alone() as connection:
                yield connection
            return
        with held.lock, functions.told():
            if held.connection is None:
                held.connection = self._locked()
            held.used = time.monotonic()
            held.connection.execute("savepoint statement")
            with _undone(held.connection, "rollback to statement"):
                yield held.connection
            held.connection.execute("release statement")

    def begin(self, session: Session) -> None:
        """A transaction, if there is none yet."""
        self._open.setdefault(session.id, _Transaction())

    def finish(self, session: Session, verb: str) -> None:
        """`commit` or `rollback`; without a transaction nothing happens."""
        self._end(session.id, verb)

    def _end(self, session: int, verb: str) -> None:
        held = self._open.pop(session, None)
        if held is not None and held.connection is not None:
            with held.lock:
                held.connection.execute(verb)
                held.connection.close()

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
        """A transaction of one statement; it may be committed before the end."""
        connection = self._locked()
        try:
            with functions.told(), _undone(connection, "rollback"):
                yield connection
            connection.commit()
        finally:
            connection.close()

    def _locked(self) -> sqlite3.Connection:
        """A connection with the write lock.

        Raises:
            SqlError: 000625 another session's transaction holds it for too long.
        """
        for session, held in list(self._open.items()):
            # The product does the same to a transaction that blocks others and whose session is idle.
            if held.connection is not None and time.monotonic() - held.used > _IDLE_SECONDS:
                self._end(session, "rollback")
        connection = self._connect()
        try:
            connection.execute("begin immediate")
        except sqlite3.OperationalError:
            connection.close()
            raise SqlError("000625", "57014", _WAITED) from None
        return connection

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


@contextmanager
def _undone(connection: sqlite3.Connection, undo: str) -> Iterator[None]:
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute(undo)
        raise
