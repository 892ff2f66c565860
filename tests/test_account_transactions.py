"""Transactions: BEGIN, COMMIT, ROLLBACK, autocommit, and who sees what meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

from sandbox.state import State
from tests.account_sandbox import Account, running


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running(State(tmp_path_factory.mktemp("transactions") / "state")) as made:
        made.sql("CREATE DATABASE DESK")
        yield made


@pytest.fixture
def two(account: Account) -> Iterator[tuple[Any, Any]]:
    """Two sessions and an empty table."""
    account.sql("CREATE OR REPLACE TABLE DESK.PUBLIC.T (N NUMBER)")
    with account.connect("ADA", "ada") as one, account.connect("ADA", "ada") as other:
        yield one, other


def count(connection: Any) -> int:
    return int(connection.cursor().execute("SELECT COUNT(*) FROM DESK.PUBLIC.T").fetchone()[0])


def insert(connection: Any, number: int = 1) -> None:
    connection.cursor().execute(f"INSERT INTO DESK.PUBLIC.T VALUES ({number})")


@pytest.mark.parametrize(("end", "left"), [("COMMIT", 2), ("ROLLBACK", 0), ("COMMIT WORK", 2)])
def test_a_transaction_is_seen_by_others_when_it_is_committed(two: tuple[Any, Any], end: str, left: int) -> None:
    """Its own session sees it before."""
    one, other = two
    one.cursor().execute("BEGIN TRANSACTION")
    insert(one, 1)
    insert(one, 2)
    assert (count(one), count(other)) == (2, 0)
    one.cursor().execute(end)
    assert (count(one), count(other)) == (left, left)


def test_a_statement_that_fails_undoes_itself_only(two: tuple[Any, Any]) -> None:
    """The transaction goes on with what was done before."""
    one, other = two
    one.cursor().execute("BEGIN")
    insert(one)
    with pytest.raises(ProgrammingError, match="Numeric value 'x' is not recognized"):
        one.cursor().execute("INSERT INTO DESK.PUBLIC.T SELECT V.C FROM (SELECT '2' AS C UNION ALL SELECT 'x') AS V")
    assert count(one) == 1
    one.cursor().execute("COMMIT")
    assert count(other) == 1


def test_a_definition_commits_what_is_open(two: tuple[Any, Any]) -> None:
    """As in Snowflake; what is refused as unknown does not."""
    one, other = two
    one.cursor().execute("BEGIN")
    insert(one)
    with pytest.raises(ProgrammingError, match="Unsupported feature"):
        one.cursor().execute("CALL SOMETHING()")
    assert count(other) == 0
    one.cursor().execute("CREATE OR REPLACE TABLE DESK.PUBLIC.ANOTHER (N NUMBER)")
    one.cursor().execute("ROLLBACK")
    assert count(other) == 1


def test_without_autocommit_a_change_waits_for_commit(account: Account, two: tuple[Any, Any]) -> None:
    """At login and by ALTER SESSION; the connector's commit() and rollback()."""
    _, other = two
    with account.connect("ADA", "ada", autocommit=False) as connection:
        insert(connection)
        assert (count(connection), count(other)) == (1, 0)
        connection.rollback()
        assert count(connection) == 0
        insert(connection)
        connection.commit()
        assert count(other) == 1
        connection.autocommit(True)
        insert(connection)
        assert count(other) == 2


def test_a_closed_session_rolls_back(account: Account, two: tuple[Any, Any]) -> None:
    """What it had not committed is gone, and its lock with it."""
    _, other = two
    connection = account.connect("ADA", "ada")
    connection.cursor().execute("BEGIN")
    insert(connection)
    connection.close()
    insert(other)
    assert count(other) == 1


def test_a_change_waits_for_anothers_transaction(two: tuple[Any, Any]) -> None:
    """It goes on when the other commits."""
    one, other = two
    one.cursor().execute("BEGIN")
    insert(one)
    done: list[float] = []

    def write() -> None:
        insert(other)
        done.append(time.monotonic())

    thread = threading.Thread(target=write)
    thread.start()
    time.sleep(0.5)
    assert not done
    committed = time.monotonic()
    one.cursor().execute("COMMIT")
    thread.join()
    assert done[0] > committed
    assert count(one) == 2


def test_a_change_does_not_wait_for_ever(two: tuple[Any, Any]) -> None:
    """000625 tells what it waited for; meanwhile others read, log in and change grants."""
    one, other = two
    one.cursor().execute("BEGIN")
    insert(one)
    other.cursor().execute("GRANT USAGE ON DATABASE DESK TO ROLE QUANT_SUPPORT")
    assert count(other) == 0  # had either waited for the transaction, it would be refused as the insert is
    with pytest.raises(ProgrammingError) as caught:
        insert(other)
    assert (caught.value.errno, caught.value.sqlstate) == (625, "57014")
    with pytest.raises(ProgrammingError, match="waited too long for a lock"):
        other.cursor().execute("CREATE TABLE DESK.PUBLIC.LATE (N NUMBER)")
    one.cursor().execute("COMMIT")
    other.cursor().execute("CREATE TABLE DESK.PUBLIC.LATE (N NUMBER)")
