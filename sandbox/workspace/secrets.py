"""Secret scopes, secrets and their ACLs. https://docs.databricks.com/api/workspace/secrets"""

from __future__ import annotations

import base64
import time

from sandbox.workspace.auth import ADMINS
from sandbox.workspace.call import Call, Json
from sandbox.workspace.errors import denied, exists, invalid, missing

_LEVELS = ("READ", "WRITE", "MANAGE")


def create_scope(call: Call) -> Json:
    """POST /api/2.0/secrets/scopes/create"""
    scope = str(call.need("scope"))
    if call.store.row("select 1 from ws_scope where name = ?", scope):
        raise exists(f"Scope {scope} already exists!")
    first = call.body.get("initial_manage_principal") or call.who.name
    with call.store.together():
        call.store.write("insert into ws_scope values (?)", scope)
        call.store.write("insert into ws_secret_acl values (?, ?, 'MANAGE')", scope, first)
    return {}


def delete_scope(call: Call) -> Json:
    """POST /api/2.0/secrets/scopes/delete"""
    scope = _scope(call, "MANAGE")
    with call.store.together():
        for table, column in (("ws_scope", "name"), ("ws_secret", "scope"), ("ws_secret_acl", "scope")):
            call.store.write(f"delete from {table} where {column} = ?", scope)
    return {}


def list_scopes(call: Call) -> Json:
    """GET /api/2.0/secrets/scopes/list"""
    rows = call.store.rows("select name from ws_scope order by name")
    return {"scopes": [{"name": row["name"], "backend_type": "DATABRICKS"} for row in rows]}


def put(call: Call) -> Json:
    """POST /api/2.0/secrets/put"""
    scope = _scope(call, "WRITE")
    if "bytes_value" in call.body:
        value = base64.b64decode(str(call.body["bytes_value"]))
    else:
        value = str(call.need("string_value")).encode()
    now = int(time.time() * 1000)
    call.store.write("insert or replace into ws_secret values (?, ?, ?, ?)", scope, str(call.need("key")), value, now)
    return {}


def get(call: Call) -> Json:
    """GET /api/2.0/secrets/get"""
    scope, key = _scope(call, "READ"), str(call.need("key"))
    row = call.store.row("select value from ws_secret where scope = ? and key = ?", scope, key)
    if row is None:
        raise missing(f"Secret does not exist with scope: {scope} and key: {key}")
    return {"key": key, "value": base64.b64encode(row["value"]).decode()}


def delete(call: Call) -> Json:
    """POST /api/2.0/secrets/delete"""
    scope, key = _scope(call, "WRITE"), str(call.need("key"))
    if call.store.row("select 1 from ws_secret where scope = ? and key = ?", scope, key) is None:
        raise missing(f"Secret does not exist with scope: {scope} and key: {key}")
    call.store.write("delete from ws_secret where scope = ? and key = ?", scope, key)
    return {}


def list_(call: Call) -> Json:
    """GET /api/2.0/secrets/list: names, never values"""
    scope = _scope(call, "READ")
    rows = call.store.rows("select key, updated from ws_secret where scope = ? order by key", scope)
    return {"secrets": [{"key": row["key"], "last_updated_timestamp": row["updated"]} for row in rows]}


def put_acl(call: Call) -> Json:
    """POST /api/2.0/secrets/acls/put"""
    scope, level = _scope(call, "MANAGE"), str(call.need("permission"))
    if level not in _LEVELS:
        raise invalid(f"Permission {level!r} is not one of {', '.join(_LEVELS)}.")
    principal = str(call.need("principal"))
    known = call.store.row(
        "select 1 from ws_identity where name = ? union select 1 from ws_group where name = ?", principal, principal
    )
    if known is None and principal not in (ADMINS, "users"):
        raise missing(f"User or group {principal} does not exist.")
    call.store.write("insert or replace into ws_secret_acl values (?, ?, ?)", scope, principal, level)
    return {}


def get_acl(call: Call) -> Json:
    """GET /api/2.0/secrets/acls/get"""
    scope, principal = _scope(call, "MANAGE"), str(call.need("principal"))
    row = call.store.row("select * from ws_secret_acl where scope = ? and principal = ?", scope, principal)
    if row is None:
        raise missing(f"Failed to get secret acl for principal {principal} for scope {scope}.")
    return {"principal": row["principal"], "permission": row["permission"]}


def list_acls(call: Call) -> Json:
    """GET /api/2.0/secrets/acls/list"""
    scope = _scope(call, "MANAGE")
    rows = call.store.rows("select * from ws_secret_acl where scope = ? order by principal", scope)
    return {"items": [{"principal": row["principal"], "permission": row["permission"]} for row in rows]}


def delete_acl(call: Call) -> Json:
    """POST /api/2.0/secrets/acls/delete"""
    scope, principal = _scope(call, "MANAGE"), str(call.need("principal"))
    get_acl(call)
    call.store.write("delete from ws_secret_acl where scope = ? and principal = ?", scope, principal)
    return {}


def _scope(call: Call, level: str) -> str:
    """The scope of the call, when the caller may do `level` in it; workspace admins may do all.

    https://docs.databricks.com/aws/en/security/secrets/workspace-secret-scopes
    """
    scope = str(call.need("scope"))
    if call.store.row("select 1 from ws_scope where name = ?", scope) is None:
        raise missing(f"Scope {scope} does not exist!")
    names = {call.who.name, *call.who.groups}
    rows = call.store.rows("select * from ws_secret_acl where scope = ?", scope)
    has = [_LEVELS.index(row["permission"]) for row in rows if row["principal"] in names]
    if call.who.is_admin:
        return scope
    if max(has, default=-1) < _LEVELS.index(level):
        raise denied(f"{call.who.name} does not have {level} permission on scope {scope}.")
    return scope
