"""Git credentials, each its owner's own. https://docs.databricks.com/api/workspace/gitcredentials"""

from __future__ import annotations

import sqlite3

from sandbox.workspace.call import Call, Json
from sandbox.workspace.errors import exists, missing


def create(call: Call) -> Json:
    """POST /api/2.0/git-credentials; the token is taken and never answered"""
    provider = str(call.need("git_provider"))
    if call.store.row("select 1 from ws_git_credential where identity = ? and provider = ?", call.who.name, provider):
        raise exists("Only one Git credential is supported at this time. Please update or delete it first.")
    number = call.store.new_id()
    username = call.body.get("git_username")
    call.store.write("insert into ws_git_credential values (?, ?, ?, ?)", number, call.who.name, provider, username)
    return _answer(_own(call, number))


def list_(call: Call) -> Json:
    """GET /api/2.0/git-credentials"""
    rows = call.store.rows("select * from ws_git_credential where identity = ?", call.who.name)
    return {"credentials": [_answer(row) for row in rows]}


def get(call: Call) -> Json:
    """GET /api/2.0/git-credentials/{id}"""
    return _answer(_own(call, call.number("id")))


def update(call: Call) -> Json:
    """PATCH /api/2.0/git-credentials/{id}"""
    row = _own(call, call.number("id"))
    call.store.write(
        "update ws_git_credential set provider = ?, username = ? where id = ?",
        call.body.get("git_provider", row["provider"]), call.body.get("git_username", row["username"]), row["id"],
    )  # fmt: skip
    return {}


def delete(call: Call) -> Json:
    """DELETE /api/2.0/git-credentials/{id}"""
    row = _own(call, call.number("id"))
    call.store.write("delete from ws_git_credential where id = ?", row["id"])
    return {}


def _own(call: Call, number: int) -> sqlite3.Row:
    row = call.store.row("select * from ws_git_credential where id = ? and identity = ?", number, call.who.name)
    if row is None:
        raise missing(f"Git credential {number} does not exist.")
    return row


def _answer(row: sqlite3.Row) -> Json:
    return {"credential_id": row["id"], "git_provider": row["provider"], "git_username": row["username"] or ""}
