"""Sessions: tokens that expire and are renewed, and sessions that end."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from snowflake.connector.errors import ProgrammingError

from sandbox.account.app import create_app
from sandbox.account.sessions import Validity
from sandbox.server import listen
from sandbox.state import State
from tests.account_sandbox import Account, running


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running(State(tmp_path_factory.mktemp("sessions") / "state")) as made:
        yield made


@contextlib.contextmanager
def short_lived(account: Account, validity: Validity) -> Iterator[int]:
    """A copy of the account on another port, whose tokens are good for a moment; rows are one process's alone."""
    copied = Path(tempfile.mkdtemp(dir=account.state.folder))
    for end in ("", "-wal", "-shm"):
        if (file := account.state.database.with_name(account.state.database.name + end)).exists():
            shutil.copy(file, copied)
    server = uvicorn.Server(uvicorn.Config(create_app(copied / account.state.database.name, validity), log_level="warning"))
    listener = listen(None)
    thread = threading.Thread(target=asyncio.run, args=(server.serve(sockets=[listener]),))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def tokens(account: Account) -> dict[str, Any]:
    account.sql("CREATE OR REPLACE USER RAW PASSWORD = 'Correct-Horse-1'")
    answer = account.post("/session/v1/login-request", {"data": {"LOGIN_NAME": "RAW", "PASSWORD": "Correct-Horse-1"}})
    assert answer["success"], answer
    return dict(answer["data"])


def select(account: Account, token: str) -> dict[str, Any]:
    return account.post("/queries/v1/query-request", {"sqlText": "SELECT 1"}, token)


def renew(account: Account, token: str, kind: str = "RENEW") -> dict[str, Any]:
    return account.post("/session/token-request", {"requestType": kind}, token)


def test_the_connector_renews_its_session_by_itself(account: Account) -> None:
    """With tokens of one second a session goes on for longer: the connector gets 390112 and renews."""
    with short_lived(account, Validity(session=1, master=60)) as port:
        connection = account.connect("DANA", "dana", port=port)
        before = connection.rest.token
        time.sleep(1.2)
        [(session,)] = connection.cursor().execute("SELECT CURRENT_SESSION()").fetchall()
        assert connection.rest.token != before
        assert int(session) == connection.session_id
        connection.close()


def test_after_the_master_token_only_a_login_helps(account: Account) -> None:
    """The connector is told 390114, and says so."""
    with short_lived(account, Validity(session=0.3, master=0.6)) as port:
        connection = account.connect("DANA", "dana", port=port)
        time.sleep(0.8)
        with pytest.raises(ProgrammingError) as caught:
            connection.cursor().execute("SELECT 1")
        assert caught.value.errno == 390114


def test_use_keeps_the_master_token_good(account: Account) -> None:
    """A session that is used is not logged out after the master token's first time."""
    with short_lived(account, Validity(session=5, master=1)) as port:
        connection = account.connect("DANA", "dana", port=port)
        for _ in range(4):
            time.sleep(0.4)
            connection.cursor().execute("SELECT 1")
        connection.close()


def test_a_renewal_gives_a_new_token_and_keeps_the_old_one(account: Account) -> None:
    """Requests that are under way with the old one are not cut off."""
    given = tokens(account)
    answer = renew(account, given["masterToken"])["data"]
    assert answer["sessionId"] == given["sessionId"]
    assert answer["sessionToken"] != given["token"]
    for token in (given["token"], answer["sessionToken"]):
        assert select(account, token)["success"]
    assert 0 < answer["validityInSecondsMT"] <= given["masterValidityInSeconds"]


@pytest.mark.parametrize("which", ["no token", "a session token", "a logged out session", "another request"])
def test_a_renewal_needs_the_master_token_of_a_session(account: Account, which: str) -> None:
    """Each other one is refused with the number that the drivers know."""
    given = tokens(account)
    if which == "no token":
        assert renew(account, "x")["code"] == "390115"
    elif which == "a session token":
        assert renew(account, given["token"])["code"] == "390115"
    elif which == "another request":
        assert renew(account, given["masterToken"], "CLONE")["code"] == "390400"
    else:
        assert account.post("/session", {}, given["token"], delete="true")["success"]
        assert renew(account, given["masterToken"])["code"] == "390115"


def test_an_ended_session_is_over(account: Account) -> None:
    """After close its token is good for nothing; a token that never was is another matter."""
    given = tokens(account)
    assert select(account, given["token"])["success"]
    assert account.post("/session/heartbeat", {}, given["token"])["success"]
    account.post("/session", {}, given["token"], delete="true")
    for path in ("/queries/v1/query-request", "/session/heartbeat", "/session", "/queries/v1/abort-request"):
        assert account.post(path, {"sqlText": "SELECT 1"}, given["token"])["code"] == "390111"
        assert account.post(path, {"sqlText": "SELECT 1"}, "made up")["code"] == "390104"
        assert account.post(path, {"sqlText": "SELECT 1"})["code"] == "390104"


def test_a_dropped_user_has_no_sessions(account: Account) -> None:
    """Not even when there is a user of that name again."""
    given = tokens(account)
    account.sql("DROP USER RAW")
    assert select(account, given["token"])["code"] == "390111"
    tokens(account)
    assert select(account, given["token"])["code"] == "390111"


def test_tokens_are_kept_as_hashes(account: Account) -> None:
    """Who reads the state file cannot use a session."""
    given = tokens(account)
    with contextlib.closing(sqlite3.connect(account.state.database)) as database:
        kept = "\n".join(database.iterdump())
    assert given["token"] not in kept and given["masterToken"] not in kept


def test_what_is_no_request_is_refused_in_words(account: Account) -> None:
    """A path that is not emulated is 404, a body that is no JSON object an error of the protocol."""
    url = f"http://127.0.0.1:{account.endpoints.snowflake_port}"
    assert requests.post(f"{url}/queries/v1/monitoring", json={}, timeout=5).status_code == 404
    for body in (b"{", b"[]", b"\xff"):
        answer = requests.post(f"{url}/session/v1/login-request", data=body, timeout=5).json()
        assert (answer["success"], answer["code"]) == (False, "390400")
