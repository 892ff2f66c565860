"""A kill -9 in the middle of everything: what was answered is there, once, and nothing is half there."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from snowflake.connector.vendored.requests.exceptions import ChunkedEncodingError

from sandbox.state import State
from tests.account_sandbox import Account, running


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running(State(tmp_path_factory.mktemp("kill") / "state")) as made:
        made.sql("CREATE DATABASE DESK")
        yield made


def test_every_answered_insert_is_there_once(account: Account) -> None:
    """Killed three times while a loop inserts; the connector repeats what had no answer, and that is not done twice."""
    account.sql("CREATE TABLE DESK.PUBLIC.T (N NUMBER)")
    answered: list[int] = []
    broken_off: list[int] = []  # killed within the answer's body, which the connector does not ask for again
    stop = threading.Event()

    def loop() -> None:
        with account.connect("DANA", "dana", login_timeout=60) as connection:
            cursor = connection.cursor()
            for number in itertools.takewhile(lambda _: not stop.is_set(), itertools.count()):
                try:
                    cursor.execute("INSERT INTO DESK.PUBLIC.T VALUES (%s)", (number,))
                    answered.append(number)
                except ChunkedEncodingError:
                    broken_off.append(number)

    account.sql("GRANT USAGE ON DATABASE DESK TO ROLE QUANT_DEVELOPERS")
    account.sql("GRANT USAGE ON SCHEMA DESK.PUBLIC TO ROLE QUANT_DEVELOPERS")
    account.sql("GRANT INSERT ON TABLE DESK.PUBLIC.T TO ROLE QUANT_DEVELOPERS")
    thread = threading.Thread(target=loop)
    thread.start()
    for _ in range(3):
        wait_for(more_than(answered, 20))
        account.kill_9()
        account.start_again()
    wait_for(more_than(answered, 5))
    stop.set()
    thread.join(60)
    assert not thread.is_alive()
    kept = [number for (number,) in account.sql("SELECT N FROM DESK.PUBLIC.T ORDER BY N")]
    assert kept == sorted(set(kept))
    assert set(answered) <= set(kept) <= {*answered, *broken_off}


def test_a_repeated_request_is_answered_again_and_done_once(account: Account) -> None:
    """With the number of the first; another number is another request."""
    account.sql("CREATE TABLE DESK.PUBLIC.R (N NUMBER)")
    account.sql("CREATE USER RAW PASSWORD = 'Correct-Horse-1'")
    account.sql("GRANT ROLE ACCOUNTADMIN TO USER RAW")
    login = {"data": {"LOGIN_NAME": "RAW", "PASSWORD": "Correct-Horse-1"}}
    token = account.post("/session/v1/login-request", login, roleName="ACCOUNTADMIN")["data"]["token"]
    body = {"sqlText": "INSERT INTO DESK.PUBLIC.R VALUES (1)"}
    first = account.post("/queries/v1/query-request", body, token, requestId="one")
    account.kill_9()
    account.start_again()
    assert account.post("/queries/v1/query-request", body, token, requestId="one") == first
    account.post("/queries/v1/query-request", body, token, requestId="two")
    assert account.sql("SELECT COUNT(*) FROM DESK.PUBLIC.R") == [(2,)]


def test_an_open_transaction_is_gone_and_the_session_is_not(account: Account) -> None:
    """Roles, grants, users, rows and sessions are there after the kill; what was not committed is not."""
    account.sql("CREATE ROLE KEPT COMMENT = 'x'")
    account.sql("GRANT ROLE KEPT TO USER DANA")
    account.sql("CREATE TABLE DESK.PUBLIC.K AS SELECT 1 AS N")
    connection = account.connect("ADA", "ada", database="DESK", schema="PUBLIC")
    connection.cursor().execute("BEGIN")
    connection.cursor().execute("INSERT INTO K VALUES (2)")
    account.kill_9()
    account.start_again()
    assert connection.cursor().execute("SELECT * FROM K").fetchall() == [(1,)]
    connection.cursor().execute("INSERT INTO K VALUES (3)")
    assert account.sql("SELECT N FROM DESK.PUBLIC.K ORDER BY N") == [(1,), (3,)]
    assert [row["grantee_name"] for row in account.shown("SHOW GRANTS OF ROLE KEPT")] == ["DANA"]
    connection.close()


def more_than(answered: list[int], number: int) -> Callable[[], bool]:
    """Whether so many more have been answered since now."""
    before = len(answered)
    return lambda: len(answered) > before + number


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)
