"""Users, service principals and groups: SCIM 2.0. https://docs.databricks.com/api/workspace/users"""

from __future__ import annotations

import re
import uuid
from typing import Any

from sandbox.workspace.auth import ADMINS, Identity, identity
from sandbox.workspace.call import Call, Json
from sandbox.workspace.errors import denied, exists, invalid, missing
from sandbox.workspace.store import Store

_KINDS = {"Users": "user", "ServicePrincipals": "service_principal"}


def me(call: Call) -> Json:
    """GET /api/2.0/preview/scim/v2/Me"""
    return _person(call.store, call.who)


def list_(call: Call) -> Json:
    """GET /api/2.0/preview/scim/v2/{Users|ServicePrincipals|Groups}?filter=&startIndex=&count="""
    found = _all(call.store, call.path["kind"])
    if expression := call.query.get("filter"):
        terms = [re.fullmatch(r'(\w+)\s+eq\s+"?([^"]*)"?', term.strip()) for term in expression.split(" or ")]
        wanted = [(term[1], term[2].lower()) for term in terms if term is not None]
        if len(wanted) != len(terms):
            raise invalid(f'filter {expression!r} is not supported by this sandbox: attribute eq "value" [or ...] is.')
        found = [entry for entry in found if any(str(entry.get(key, "")).lower() == value for key, value in wanted)]
    start, count = call.number("startIndex", 1), call.number("count", 100)
    page = found[start - 1 : start - 1 + count]
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": len(found),
        "startIndex": start,
        "itemsPerPage": len(page),
        "Resources": page,
    }


def get(call: Call) -> Json:
    """GET /api/2.0/preview/scim/v2/{kind}/{id}"""
    for entry in _all(call.store, call.path["kind"]):
        if entry["id"] == call.path["id"]:
            return entry
    raise missing(f"{call.path['kind'].removesuffix('s')} with id {call.path['id']} not found.")


def create(call: Call) -> Json:
    """POST /api/2.0/preview/scim/v2/{kind}"""
    _admin(call)
    kind, number = call.path["kind"], call.store.new_id()
    if kind == "Groups":
        name = str(call.need("displayName"))
        if call.store.row("select 1 from ws_group where name = ?", name):
            raise exists(f"Group with name {name} already exists.")
        with call.store.together():
            call.store.write("insert into ws_group values (?, ?)", number, name)
            for member in call.body.get("members", []):
                _add(call.store, name, str(member.get("value")))
    else:
        name = str(call.need("userName") if kind == "Users" else call.body.get("applicationId") or uuid.uuid4())
        if identity(call.store, name):
            raise exists(f"{kind.removesuffix('s')} {name} already exists.")
        display = str(call.body.get("displayName") or name)
        call.store.write("insert into ws_identity values (?, ?, ?, ?, null)", name, _KINDS[kind], number, display)
    return get(Call(call.world, call.who, {"kind": kind, "id": str(number)}, {}, {}))


def patch(call: Call) -> Json:
    """PATCH /api/2.0/preview/scim/v2/{kind}/{id}: members of a group, names"""
    _admin(call)
    entry = get(call)
    for operation in call.body.get("Operations", []):
        what, path, value = str(operation.get("op")).lower(), str(operation.get("path", "")), operation.get("value")
        if call.path["kind"] == "Groups" and (path.startswith("members") or _has_members(value)):
            _change_members(call.store, entry["displayName"], what, path, value)
        elif path in ("displayName", "entitlements", "roles", "active", "") and call.path["kind"] != "Groups":
            if path == "displayName":
                call.store.write("update ws_identity set display = ? where id = ?", value, int(entry["id"]))
        else:
            raise invalid(f"Operation {what} on {path or '(no path)'} is not supported by this sandbox.")
    return get(call)


def replace(call: Call) -> Json:
    """PUT /api/2.0/preview/scim/v2/{kind}/{id}"""
    _admin(call)
    entry = get(call)
    if display := call.body.get("displayName"):
        if call.path["kind"] == "Groups":
            with call.store.together():
                call.store.write("update ws_group set name = ? where id = ?", display, int(entry["id"]))
                call.store.write("update ws_member set group_name = ? where group_name = ?", display, entry["displayName"])
        else:
            call.store.write("update ws_identity set display = ? where id = ?", display, int(entry["id"]))
    return get(call)


def delete(call: Call) -> Json:
    """DELETE /api/2.0/preview/scim/v2/{kind}/{id}"""
    _admin(call)
    entry = get(call)
    with call.store.together():
        if call.path["kind"] == "Groups":
            call.store.write("delete from ws_member where group_name = ?", entry["displayName"])
            call.store.write("delete from ws_group where id = ?", int(entry["id"]))
        else:
            name = entry.get("applicationId") or entry.get("userName")
            call.store.write("delete from ws_member where member = ?", name)
            call.store.write("delete from ws_identity where name = ?", name)
    return {}


def _all(store: Store, kind: str) -> list[Json]:
    if kind == "Groups":
        return [_group(store, row["id"], row["name"]) for row in store.rows("select * from ws_group order by id")]
    if kind not in _KINDS:
        raise missing(f"{kind} is not a SCIM resource.")
    rows = store.rows("select name from ws_identity where kind = ? order by id", _KINDS[kind])
    return [_person(store, found) for row in rows if (found := identity(store, row["name"]))]


def _person(store: Store, who: Identity) -> Json:
    groups = [
        {"display": row["name"], "value": str(row["id"]), "type": "direct", "$ref": f"Groups/{row['id']}"}
        for row in store.rows("select * from ws_group order by id")
        if row["name"] in who.groups
    ]
    common: Json = {"id": str(who.id), "displayName": who.display, "active": True, "groups": groups}
    if who.kind == "user":
        return {**common, "userName": who.name, "emails": [{"value": who.name, "primary": True, "type": "work"}]}
    # Me answers a service principal's application id as its user name, as the product does.
    return {**common, "applicationId": who.name, "userName": who.name}


def _group(store: Store, number: int, name: str) -> Json:
    members = []
    for row in store.rows("select member from ws_member where group_name = ? order by member", name):
        who = identity(store, row["member"])
        if who is not None:
            kind = "Users" if who.kind == "user" else "ServicePrincipals"
            members.append({"value": str(who.id), "display": who.display, "$ref": f"{kind}/{who.id}"})
    return {"id": str(number), "displayName": name, "members": members, "meta": {"resourceType": "WorkspaceGroup"}}


def _has_members(value: Any) -> bool:
    return isinstance(value, dict) and "members" in value


def _change_members(store: Store, group: str, what: str, path: str, value: Any) -> None:
    members = value.get("members", []) if isinstance(value, dict) else value or []
    named = re.search(r'value eq "([^"]+)"', path)
    ids = [named[1]] if named else [str(member.get("value")) for member in members]
    with store.together():
        if what == "replace":
            store.write("delete from ws_member where group_name = ?", group)
        for number in ids:
            if what == "remove":
                row = store.row("select name from ws_identity where id = ?", int(number))
                store.write("delete from ws_member where group_name = ? and member = ?", group, row["name"] if row else "")
            else:
                _add(store, group, number)


def _add(store: Store, group: str, number: str) -> None:
    row = store.row("select name from ws_identity where id = ?", int(number) if number.isdigit() else -1)
    if row is None:
        raise missing(f"Principal with id {number} not found.")
    store.write("insert or ignore into ws_member values (?, ?)", group, row["name"])


def _admin(call: Call) -> None:
    if not call.who.is_admin:
        raise denied(f"Only members of {ADMINS} can do this.")
