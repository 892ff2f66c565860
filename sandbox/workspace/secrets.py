"""Secret scopes, secrets and their ACLs. https://docs.databricks.com/api/workspace/secrets"""

from __future__ import annotations

import base64
import binascii
import re

from sandbox import clock
from sandbox.workspace.auth import USERS, identity
from sandbox.workspace.call import Call, Json
from sandbox.workspace.errors import ApiError, denied, exists, invalid, malformed, missing

_LEVELS = ("READ", "WRITE", "MANAGE")
# Limits and names: https://docs.databricks.com/api/workspace/secrets/putsecret; "@" and "/" as the provider takes them.
_NAME = re.compile(r"[\w.@/-]{1,128}", re.ASCII)
_VALUE_BYTES = 128 * 1024
_KEYS = 1000


def create_scope(call: Call) -> Json:
    """POST /api/2.0/secrets/scopes/create"""
    scope = _name("Scope name", call.text("scope"))
    if call.text("scope_backend_type", "DATABRICKS").upper() != "DATABRICKS":
        raise invalid("This sandbox does not emulate a scope_backend_type but DATABRICKS.")
    first = call.text("initial_manage_principal", "")
    if first not in ("", USERS):
        raise invalid(f"initial_manage_principal: only the group '{USERS}' is supported, not {first!r}.")
    with call.store.together():
        if call.store.row("select 1 from ws_scope where name = ?", scope):
            raise exists(f"Scope {scope} already exists!")
        call.store.write("insert into ws_scope values (?)", scope)
        call.store.write("insert into ws_secret_acl values (?, ?, 'MANAGE')", scope, first or call.who.name)
    return {}


def delete_scope(call: Call) -> Json:
    """POST /api/2.0/secrets/scopes/delete"""
    scope = _scope(call, "MANAGE")
    with call.store.together():
        for table, column in (("ws_scope", "name"), ("ws_secret", "scope"), ("ws_secret_acl", "scope")):
            call.store.write(f"delete from {table} where {column} = ?", scope)
    return {}


def list_scopes(call: Call) -> Json:
    """GET /api/2.0/secrets/scopes/list: of all, to anybody; what is in them is another question"""
    rows = call.store.rows("select name from ws_scope order by name")
    return {"scopes": [{"name": row["name"], "backend_type": "DATABRICKS"} for row in rows]} if rows else {}


def put(call: Call) -> Json:
    """POST /api/2.0/secrets/put"""
    scope, key = _scope(call, "WRITE"), _name("Key name", call.text("key"))
    if (call.given("string_value") is None) == (call.given("bytes_value") is None):
        raise malformed("Exactly one of string_value and bytes_value must be specified.")
    if call.given("bytes_value") is not None:
        try:
            value = base64.b64decode(call.text("bytes_value"), validate=True)
        except (binascii.Error, ValueError):
            raise malformed("Expected base64 for Bytes field 'bytes_value'") from None
    else:
        value = call.text("string_value").encode()
    if len(value) > _VALUE_BYTES:
        raise invalid(f"The secret value is larger than {_VALUE_BYTES} bytes.")
    with call.store.together():
        others = call.store.rows("select key from ws_secret where scope = ? and key <> ?", scope, key)
        if len(others) >= _KEYS:
            raise ApiError(400, "RESOURCE_LIMIT_EXCEEDED", f"Scope {scope} already has {_KEYS} secrets.")
        now = int(clock.now() * 1000)
        call.store.write("insert or replace into ws_secret values (?, ?, ?, ?)", scope, key, value, now)
    return {}


def get(call: Call) -> Json:
    """GET /api/2.0/secrets/get"""
    scope, key = _scope(call, "READ"), call.text("key")
    row = call.store.row("select value from ws_secret where scope = ? and key = ?", scope, key)
    if row is None:
        raise missing(f"Secret does not exist with scope: {scope} and key: {key}")
    return {"key": key, "value": base64.b64encode(row["value"]).decode()}


def delete(call: Call) -> Json:
    """POST /api/2.0/secrets/delete"""
    scope, key = _scope(call, "WRITE"), call.text("key")
    if call.store.row("select 1 from ws_secret where scope = ? and key = ?", scope, key) is None:
        raise missing(f"Secret does not exist with scope: {scope} and key: {key}")
    call.store.write("delete from ws_secret where scope = ? and key = ?", scope, key)
    return {}


def list_(call: Call) -> Json:
    """GET /api/2.0/secrets/list: names, never values"""
    scope = _scope(call, "READ")
    rows = call.store.rows("select key, updated from ws_secret where scope = ? order by key", scope)
    return {"secrets": [{"key": row["key"], "last_updated_timestamp": row["updated"]} for row in rows]} if rows else {}


def put_acl(call: Call) -> Json:
    """POST /api/2.0/secrets/acls/put"""
    scope, level, principal = _scope(call, "MANAGE"), call.text("permission"), call.text("principal")
    if level not in _LEVELS:
        raise invalid(f"Permission {level!r} is not one of {', '.join(_LEVELS)}.")
    found = identity(call.store, principal)
    group = call.store.row("select name from ws_group where name = ?", principal)
    if found is None and group is None:
        raise missing(f"User or group {principal} does not exist.")
    name = found.name if found else principal
    call.store.write("insert or replace into ws_secret_acl values (?, ?, ?)", scope, name, level)
    return {}


def get_acl(call: Call) -> Json:
    """GET /api/2.0/secrets/acls/get"""
    scope, principal = _scope(call, "MANAGE"), call.text("principal")
    row = call.store.row("select * from ws_secret_acl where scope = ? and principal = ? collate nocase", scope, principal)
    if row is None:
        raise missing(f"Failed to get secret acl for principal {principal} for scope {scope}.")
    return {"principal": row["principal"], "permission": row["permission"]}


def list_acls(call: Call) -> Json:
    """GET /api/2.0/secrets/acls/list"""
    scope = _scope(call, "MANAGE")
    rows = call.store.rows("select * from ws_secret_acl where scope = ? order by principal", scope)
    return {"items": [{"principal": row["principal"], "permission": row["permission"]} for row in rows]} if rows else {}


def delete_acl(call: Call) -> Json:
    """POST /api/2.0/secrets/acls/delete"""
    principal = get_acl(call)["principal"]
    call.store.write("delete from ws_secret_acl where scope = ? and principal = ?", call.text("scope"), principal)
    return {}


def _name(what: str, given: str) -> str:
    if not _NAME.fullmatch(given):
        raise invalid(
            f"{what} {given[:150]!r} is invalid: it must consist of alphanumeric characters, dashes, underscores, and"
            " periods, and cannot exceed 128 characters."
        )
    return given


def _scope(call: Call, level: str) -> str:
    """The scope of the call, when the caller may do `level` in it; workspace admins may do all.

    https://docs.databricks.com/aws/en/security/secrets/workspace-secret-scopes
    """
    scope = call.text("scope")
    if call.store.row("select 1 from ws_scope where name = ?", scope) is None:
        raise missing(f"Scope {scope} does not exist!")
    if call.who.is_admin:
        return scope
    names = {call.who.name, *call.who.groups}
    rows = call.store.rows("select * from ws_secret_acl where scope = ?", scope)
    has = [_LEVELS.index(row["permission"]) for row in rows if row["principal"] in names]
    if max(has, default=-1) < _LEVELS.index(level):
        raise denied(f"User {call.who.name} does not have {level} permission on scope {scope} to perform this action.")
    return scope
