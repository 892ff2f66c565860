"""Git credentials, each its owner's own; an admin keeps those of service principals. https://docs.databricks.com/api/workspace/gitcredentials"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from sandbox.state import write_atomically
from sandbox.workspace import fields
from sandbox.workspace.call import Call, Json
from sandbox.workspace.errors import denied, exists, invalid, missing
from sandbox.workspace.store import Store

_TEXTS = ("git_email", "name")


def create(call: Call) -> Json:
    """POST /api/2.0/git-credentials; the token is taken and never answered"""
    provider, owner = call.text("git_provider"), _whose(call)
    token, username, attributes = call.text("personal_access_token", ""), call.text("git_username", ""), _attributes(call)
    return _answer(_own(call, keep(call.store, call.world.state, owner, provider, username, token, attributes)))


def keep(store: Store, state: Path, owner: str, provider: str, username: str, token: str, attributes: Json) -> int:
    """A new credential; its token is kept encrypted.

    Raises:
        ApiError: the owner has one for this provider.
    """
    with store.together():
        if _of(store, owner, provider):
            raise exists("Only one Git credential is supported at this time. Please update or delete it first.")
        number = store.new_id()
        store.write(
            "insert into ws_git_credential (id, identity, provider, username, attributes, token) values (?, ?, ?, ?, ?, ?)",
            number, owner, provider, username, json.dumps(attributes), _vault(state).encrypt(token.encode()),
        )  # fmt: skip
    return number


def login(call: Call, provider: str, url: str) -> tuple[str, str] | None:
    """A remote's URL, and the NAME:TOKEN with which the caller clones and pulls there; None without a credential.

    https://docs.databricks.com/repos/automate-with-sp: each works with their own.
    """
    chosen = call.number("git_credential_id", 0)
    row = _own(call, chosen) if chosen else _of(call.store, call.who.name, provider)
    if row is None or not row["token"]:
        return None
    try:
        token = _vault(call.world.state).decrypt(row["token"]).decode()
    except InvalidToken:  # the key file is another one now
        return None
    return (url, f"{row['username'] or 'oauth2'}:{token}") if token else None


def list_(call: Call) -> Json:
    """GET /api/2.0/git-credentials"""
    rows = call.store.rows("select * from ws_git_credential where identity = ? order by id", _whose(call))
    return {"credentials": [_answer(row) for row in rows]} if rows else {}


def get(call: Call) -> Json:
    """GET /api/2.0/git-credentials/{id}"""
    return _answer(_own(call, _id(call)))


def update(call: Call) -> Json:
    """PATCH /api/2.0/git-credentials/{id}"""
    row = _own(call, _id(call))
    token = call.text("personal_access_token", "")
    if token:
        sealed = _vault(call.world.state).encrypt(token.encode())
        call.store.write("update ws_git_credential set token = ? where id = ?", sealed, row["id"])
    attributes = {**json.loads(row["attributes"]), **_attributes(call)}
    call.store.write(
        "update ws_git_credential set provider = ?, username = ?, attributes = ? where id = ?",
        call.text("git_provider", row["provider"]), call.text("git_username", row["username"] or ""),
        json.dumps(attributes), row["id"],
    )  # fmt: skip
    return {}


def delete(call: Call) -> Json:
    """DELETE /api/2.0/git-credentials/{id}"""
    row = _own(call, _id(call))
    call.store.write("delete from ws_git_credential where id = ?", row["id"])
    return {}


def _of(store: Store, owner: str, provider: str) -> sqlite3.Row | None:
    return store.row(
        "select * from ws_git_credential where identity = ? and lower(provider) = lower(?)", owner, provider
    )  # fmt: skip


def _vault(state: Path) -> Fernet:
    """The key of this state folder, made at the first start."""
    file = state / "git-credentials.key"
    if not file.exists():
        write_atomically(file, Fernet.generate_key().decode())
    return Fernet(file.read_text())


def _id(call: Call) -> int:
    number = call.path["id"]
    if not number.isdecimal() or len(number) > 18:
        raise invalid(f"Invalid Git credential ID: {number}")
    return int(number)


def _attributes(call: Call) -> Json:
    found: Json = {name: call.text(name) for name in _TEXTS if call.given(name) is not None}
    if call.given("is_default_for_provider") is not None:
        found["is_default_for_provider"] = fields.flag("is_default_for_provider", call.given("is_default_for_provider"))
    return found


def _whose(call: Call) -> str:
    """The caller, or the service principal that `principal_id` names."""
    principal = call.number("principal_id", 0)
    if not principal:
        return call.who.name
    row = call.store.row("select name from ws_identity where id = ? and kind = 'service_principal'", principal)
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
    return {
        "credential_id": row["id"],
        "git_provider": row["provider"],
        "git_username": row["username"] or "",
        **json.loads(row["attributes"]),
    }
