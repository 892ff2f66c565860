"""Users, service principals and groups as SCIM resources: read from the state, saved to it, removed from it."""

from __future__ import annotations

import json
import sqlite3

from sandbox.workspace.auth import USERS, Identity, identity
from sandbox.workspace.call import Json
from sandbox.workspace.errors import ApiError, missing
from sandbox.workspace.store import Store

PEOPLE = {"Users": "user", "ServicePrincipals": "service_principal"}
_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:"
_KEPT = ("active", "externalId", "entitlements", "roles", "name", "emails")


def need_kind(kind: str) -> None:
    """Refuse what is no kind of SCIM resource."""
    if kind != "Groups" and kind not in PEOPLE:
        raise missing(f"{kind} is not a SCIM resource.")


def all_of(store: Store, kind: str) -> list[Json]:
    """Every resource of `Users`, `ServicePrincipals` or `Groups`, the oldest first."""
    need_kind(kind)
    if kind == "Groups":
        return [_group(store, row) for row in store.rows("select * from ws_group order by id")]
    rows = store.rows("select * from ws_identity where kind = ? order by id", PEOPLE[kind])
    return [person(store, found) for row in rows if (found := identity(store, row["name"]))]


def one_of(store: Store, kind: str, number: str) -> Json:
    """The resource of that id."""
    need_kind(kind)
    table, kinds = ("ws_group", "") if kind == "Groups" else ("ws_identity", f" and kind = '{PEOPLE[kind]}'")
    row = store.row(f"select * from {table} where cast(id as text) = ?{kinds}", number)
    if row is None:
        raise missing(f"{_noun(kind)} with id {number} not found.")
    who = identity(store, row["name"]) if kind != "Groups" else None
    return person(store, who) if who else _group(store, row)


def person(store: Store, who: Identity) -> Json:
    """A user or service principal."""
    row = store.row("select attributes from ws_identity where name = ?", who.name)
    groups = [
        {"display": name, "value": str(found["id"]), "type": _how(store, name, who.name), "$ref": f"Groups/{found['id']}"}
        for found in store.rows("select * from ws_group order by id")
        if (name := found["name"]) in who.groups
    ]
    kind = "User" if who.kind == "user" else "ServicePrincipal"
    common: Json = {
        "schemas": [_SCHEMA + kind],
        "id": str(who.id),
        "displayName": who.display,
        "active": True,
        "groups": groups,
    }
    kept: Json = json.loads(row["attributes"]) if row else {}
    if who.kind == "user":
        return {**common, "userName": who.name, "emails": [{"value": who.name, "primary": True, "type": "work"}], **kept}
    # Me answers a service principal's application id as its user name, as the product does.
    return {**common, "applicationId": who.name, "userName": who.name, **kept}


def save(store: Store, kind: str, number: int, resource: Json) -> None:
    """Write a resource as it is now."""
    attributes = json.dumps({key: resource[key] for key in _KEPT if resource.get(key) not in (None, [], {})})
    with store.together():
        if kind == "Groups":
            _save_group(store, number, resource, attributes)
        else:
            store.write(
                "update ws_identity set display = coalesce(?, name), attributes = ? where id = ?",
                resource.get("displayName") or None, attributes, number,
            )  # fmt: skip


def remove(store: Store, kind: str, entry: Json) -> None:
    """A principal, its memberships, and what was granted to it."""
    number = int(entry["id"])
    with store.together():
        if kind == "Groups":
            name = entry["displayName"]
            store.write("delete from ws_group where id = ?", number)
            store.write("delete from ws_member where group_name = ?", name)
            store.write("delete from ws_nested where ? in (group_name, child)", name)
            store.write("delete from ws_acl where principal_kind = 'group_name' and principal = ?", name)
        else:
            name = entry["userName"]
            store.write("delete from ws_identity where id = ?", number)
            store.write("delete from ws_member where member = ?", name)
            store.write("delete from ws_git_credential where identity = ?", name)
            store.write("delete from ws_rule_set where principal = ?", name)
            store.write("delete from ws_acl where principal_kind <> 'group_name' and principal = ?", name)
        store.write("delete from ws_secret_acl where principal = ?", name)


def _noun(kind: str) -> str:
    return {"Users": "User", "ServicePrincipals": "Service principal", "Groups": "Group"}[kind]


def _how(store: Store, group: str, member: str) -> str:
    direct = store.row("select 1 from ws_member where group_name = ? and member = ?", group, member)
    return "direct" if direct or group == USERS else "indirect"


def _group(store: Store, row: sqlite3.Row) -> Json:
    name = row["name"]
    query = "select id, kind, display from ws_identity i"
    query += "" if name == USERS else " join ws_member m on m.member = i.name where m.group_name = ?"
    members = []
    for who in store.rows(query + " order by i.name", *([] if name == USERS else [name])):
        kind = "Users" if who["kind"] == "user" else "ServicePrincipals"
        members.append({"value": str(who["id"]), "display": who["display"], "$ref": f"{kind}/{who['id']}"})
    nested = "select g.id, g.name from ws_nested n join ws_group g on g.name = {} where n.{} = ? order by g.id"
    members += [
        {"value": str(inner["id"]), "display": inner["name"], "$ref": f"Groups/{inner['id']}"}
        for inner in store.rows(nested.format("n.child", "group_name"), name)
    ]
    groups = [
        {"value": str(outer["id"]), "display": outer["name"], "type": "direct", "$ref": f"Groups/{outer['id']}"}
        for outer in store.rows(nested.format("n.group_name", "child"), name)
    ]
    return {
        "schemas": [_SCHEMA + "Group"],
        "id": str(row["id"]),
        "displayName": name,
        "members": members,
        "groups": groups,
        "meta": {"resourceType": "WorkspaceGroup"},
        **json.loads(row["attributes"]),
    }


def _save_group(store: Store, number: int, resource: Json, attributes: str) -> None:
    row = store.row("select name from ws_group where id = ?", number)
    before, name = (row["name"] if row else ""), str(resource.get("displayName") or "")
    if not name:
        raise ApiError(400, "INVALID_VALUE", "Group name cannot be empty.")
    store.write("update ws_group set name = ?, attributes = ? where id = ?", name, attributes, number)
    if before != name:
        # Permissions are the group's, whatever it is called.
        for table, column in (("ws_member", "group_name"), ("ws_nested", "group_name"), ("ws_nested", "child")):
            store.write(f"update {table} set {column} = ? where {column} = ?", name, before)
        store.write("update ws_acl set principal = ? where principal_kind = 'group_name' and principal = ?", name, before)
        store.write("update ws_secret_acl set principal = ? where principal = ?", name, before)
    if name == USERS:
        return
    store.write("delete from ws_member where group_name = ?", name)
    store.write("delete from ws_nested where group_name = ?", name)
    for member in resource.get("members", []):
        _add(store, name, str(member["value"]))


def _add(store: Store, group: str, member: str) -> None:
    found = store.row("select name from ws_identity where cast(id as text) = ?", member)
    if found is not None:
        store.write("insert or ignore into ws_member values (?, ?)", group, found["name"])
        return
    found = store.row("select name from ws_group where cast(id as text) = ?", member)
    if found is None:
        raise missing(f"Principal with id {member} not found.")
    if found["name"] == group:
        raise ApiError(400, "INVALID_VALUE", f"Group {group} cannot be a member of itself.")
    store.write("insert or ignore into ws_nested values (?, ?)", group, found["name"])
