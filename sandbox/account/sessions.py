"""Sessions and their tokens, which are kept as hashes: a short one for requests and a master token that renews it.

The drivers renew at 390112 and log in again at what begins with 39011 otherwise (`network.py` of the Python connector,
`restful.go` of the Go driver).
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from sandbox.account.errors import SqlError
from sandbox.account.session import Session
from sandbox.account.state import State


@dataclass(frozen=True)
class Validity:
    """Seconds for which a session token and a master token are good.

    https://docs.snowflake.com/en/user-guide/session-policies: four hours without use end a session.
    """

    session: float = 3600
    master: float = 14400


def begin(state: State, session: Session, validity: Validity) -> tuple[int, str, str]:
    """A new session, kept before it is answered: its number, session token and master token."""
    master, long_ago = secrets.token_urlsafe(32), time.time() - 24 * validity.master
    with state.together():
        state.write("delete from sf_token where session in (select id from sf_session where master_expires < ?)", long_ago)
        state.write("delete from sf_session where master_expires < ?", long_ago)
        state.write(
            "insert into sf_session (master, master_expires, user, role, secondary, database, schema, warehouse, parameters)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            _hash(master), time.time() + validity.master, session.user, session.role, session.secondary,
            session.database, session.schema, session.warehouse, json.dumps(session.parameters),
        )  # fmt: skip
        number = int(state.rows("select last_insert_rowid() as id")[0]["id"])
        return number, _new_token(state, number, validity), master


def renew(state: State, master: str, body: dict[str, Any], validity: Validity) -> dict[str, Any]:
    """The answer to a token request: a new session token for a master token. The old one stays until it expires."""
    if body.get("requestType") != "RENEW":
        raise SqlError("390400", "08001", f"Bad request: requestType {body.get('requestType')!r} (sandbox: only RENEW).")
    rows = state.rows("select * from sf_session where master = ?", _hash(master))
    if not rows:
        raise SqlError("390115", "08001", "Master token is invalid. The user must authenticate again.")
    [row] = rows
    if row["ended"]:
        raise _gone()
    now = time.time()
    if row["master_expires"] <= now:
        raise SqlError("390114", "08001", "Authentication token has expired.  The user must authenticate again.")
    state.write("delete from sf_token where session = ? and expires < ?", row["id"], now - validity.master)
    return {
        "sessionToken": _new_token(state, row["id"], validity),
        "masterToken": master,
        "validityInSecondsST": validity.session,
        "validityInSecondsMT": int(row["master_expires"] - now),
        "sessionId": row["id"],
    }


def of_token(state: State, authorization: str, validity: Validity, *, also_expired: bool = False) -> Session:
    """The session of an `Authorization: Snowflake Token="..."` header; its use keeps the master token good.

    Raises:
        SqlError: 390104 no such token, 390111 the session has ended, 390112 the token has expired.
    """
    rows = state.rows(
        "select s.*, t.expires from sf_token t join sf_session s on s.id = t.session where t.token = ?",
        _hash(token_of(authorization)),
    )
    if not rows:
        raise SqlError("390104", "08001", "Session token is invalid. Log in again.")
    [row] = rows
    if row["ended"] or _disabled(state, row["user"]):
        raise _gone()
    now = time.time()
    if row["expires"] <= now and not also_expired:
        raise SqlError("390112", "08001", "Session token has expired.")
    if row["master_expires"] < now + validity.master / 2:
        state.write("update sf_session set master_expires = ? where id = ?", now + validity.master, row["id"])
    return Session(
        row["id"], row["user"], row["role"], row["secondary"], row["database"], row["schema"], row["warehouse"],
        json.loads(row["parameters"]),
    )  # fmt: skip


def end(state: State, session: Session) -> None:
    """Log out; what was made for this session only goes with it."""
    for item in [*state.all(state.temporary(session.id)), *state.all("STAGE"), *state.all("FILE FORMAT")]:
        if item.kind == state.temporary(session.id) or item.props.get("session") == session.id:
            state.remove(item, session.role)
    state.write("update sf_session set ended = 1, master = null where id = ?", session.id)


def save(state: State, session: Session) -> None:
    """What USE and ALTER SESSION have changed."""
    state.write(
        "update sf_session set role = ?, secondary = ?, database = ?, schema = ?, warehouse = ?, parameters = ?"
        " where id = ?",
        session.role, session.secondary, session.database, session.schema, session.warehouse,
        json.dumps(session.parameters), session.id,
    )  # fmt: skip


def token_of(authorization: str) -> str:
    """The token of the header, which for a renewal is the master token."""
    return authorization.partition('Token="')[2].rstrip('"')


def _new_token(state: State, number: int, validity: Validity) -> str:
    token = secrets.token_urlsafe(32)
    state.write("insert into sf_token values (?, ?, ?)", _hash(token), number, time.time() + validity.session)
    return token


def _disabled(state: State, user: str) -> bool:
    item = state.get("USER", user)
    return item is None or item.props.get("DISABLED") == "true"


def _gone() -> SqlError:
    return SqlError("390111", "08001", "Session no longer exists.  New login required to access the service.")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
