"""Git credentials, each its owner's own; an admin keeps those of service principals. https://docs.databricks.com/api/workspace/gitcredentials"""

from __future__ import annotations

import sqlite3

from sandbox.workspace.call import Call, Json
from sandbox.workspace.errors import denied, exists, missing


def create(call: Call) -> Json:
    """POST /api/2.0/git-credentials; the token is taken and never answered"""
    provider = str(call.need("git_provider"))
    owner = _whose(call)
    if call.store.row("select 1 from ws_git_credential where identity = ? and provider = ?", owner, provider):
        raise exists("Only one Git credential is supported at this time. Please update or delete it first.")
    number = call.store.new_id()
    username = call.body.get("git_username")
    call.store.write("insert into ws_git_credential values (?, ?, ?, ?)", number, owner, provider, username)
    return _answer(_own(call, number))


def list_(call: Call) -> Json:
    """GET /api/2.0/git-credentials"""
    rows = call.store.rows("select * from ws_git_credential where identity = ?", _whose(call))
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


def _whose(call: Call) -> str:
    """The caller, or the service principal that `principal_id` names."""
    principal = call.body.get("principal_id", call.query.get("principal_id"))
    if not principal or str(principal) == "0":
        return call.who.name
    row = call.store.row("select name from ws_identity where id = ? and kind = 'service_principal'", int(principal))
    if row is None:
        raise missing(f"Service principal {principal} does not exist.")
    if not call.who.is_admin and row["name"] != call.who.name:
        raise denied(f"{call.who.name} does not manage service principal {principal}.")
    return str(row["name"])


def _own(call: Call, number: int) -> sqlite3.Row:
    row = call.store.row("select * from ws_git_credential where id = ? and identity = ?", number, _whose(call))
    if row is None:
        raise missing(f"Git credential {number} does not exist.")
    return row


def _answer(row: sqlite3.Row) -> Json:
    return {"credential_id": row["id"], "git_provider": row["provider"], "git_username": row["username"] or ""}
