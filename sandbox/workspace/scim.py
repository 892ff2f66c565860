"""Users, service principals and groups: SCIM 2.0. https://docs.databricks.com/api/workspace/users"""

from __future__ import annotations

import uuid

from starlette.responses import JSONResponse, Response

from sandbox.workspace import rule_sets, scim_changes, scim_filter, scim_resources
from sandbox.workspace.auth import ADMINS, USERS, identity
from sandbox.workspace.call import Call, Json
from sandbox.workspace.errors import ApiError, denied
from sandbox.workspace.seed import add_identity

_PAGE = 10_000  # what a list holds when `count` is left out


def me(call: Call) -> Json:
    """GET /api/2.0/preview/scim/v2/Me"""
    return _chosen(call, scim_resources.person(call.store, call.who))


def list_(call: Call) -> Json:
    """GET /api/2.0/preview/scim/v2/{Users|ServicePrincipals|Groups}?filter=&sortBy=&startIndex=&count=&attributes="""
    found = scim_resources.all_of(call.store, call.path["kind"])
    if expression := call.query.get("filter"):
        matches = scim_filter.parse(expression)
        found = [entry for entry in found if matches(entry)]
    if attribute := call.query.get("sortBy"):
        falling = call.query.get("sortOrder", "ascending").lower() == "descending"
        found.sort(key=lambda entry: scim_filter.value_of(entry, attribute), reverse=falling)
    start, count = max(call.number("startIndex", 1), 1), max(call.number("count", _PAGE), 0)
    page = found[start - 1 : start - 1 + count]
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": len(found),
        "startIndex": start,
        "itemsPerPage": len(page),
        "Resources": [_chosen(call, entry) for entry in page],
    }


def get(call: Call) -> Json:
    """GET /api/2.0/preview/scim/v2/{kind}/{id}"""
    return _chosen(call, scim_resources.one_of(call.store, call.path["kind"], call.path["id"]))


def create(call: Call) -> Response:
    """POST /api/2.0/preview/scim/v2/{kind}"""
    _admin(call)
    kind, store = call.path["kind"], call.store
    scim_resources.need_kind(kind)
    resource = scim_changes.whole(kind, call.body)
    with store.together():
        if kind == "Groups":
            name = call.text("displayName")
            if store.row("select 1 from ws_group where name = ? collate nocase", name):
                raise ApiError(409, "RESOURCE_CONFLICT", f"Group with name {name} already exists.")
            number = store.new_id()
            store.write("insert into ws_group (id, name) values (?, ?)", number, name)
        elif kind == "Users":
            name = call.text("userName").lower()
            if identity(store, name):
                raise ApiError(409, "RESOURCE_CONFLICT", f"User with username {name} already exists.")
            number = add_identity(store, name, "user", name)
            resource["userName"] = name
        else:
            name = call.text("applicationId", "").lower() or str(uuid.uuid4())
            if identity(store, name):
                raise ApiError(409, "RESOURCE_CONFLICT", f"Service principal with application ID {name} already exists.")
            number = add_identity(store, name, "service_principal", name)
            rule_sets.grant(store, name, rule_sets.principal_name(call.who), rule_sets.MANAGER)
            resource["userName"] = name
        scim_resources.save(store, kind, number, resource)
    return JSONResponse(scim_resources.one_of(store, kind, str(number)), 201)


def patch(call: Call) -> Json:
    """PATCH /api/2.0/preview/scim/v2/{kind}/{id}: add, remove or replace members, entitlements, names, ..."""
    _admin(call)
    kind, number = call.path["kind"], call.path["id"]
    with call.store.together():
        entry = scim_resources.one_of(call.store, kind, number)
        name = entry["displayName"]
        scim_changes.apply(entry, call.mappings("Operations"))
        _save(call, kind, entry, name)
    return scim_resources.one_of(call.store, kind, number)


def replace(call: Call) -> Json:
    """PUT /api/2.0/preview/scim/v2/{kind}/{id}: what is left out is taken away, also a group's members"""
    _admin(call)
    kind, number = call.path["kind"], call.path["id"]
    with call.store.together():
        entry = scim_resources.one_of(call.store, kind, number)
        kept: Json = {key: entry[key] for key in ("id", "userName") if key in entry}
        said = scim_changes.whole(kind, call.body)
        # Neither a user's name nor an application id can be changed.
        _save(call, kind, {"displayName": entry["displayName"], **said, **kept}, entry["displayName"])
    return scim_resources.one_of(call.store, kind, number)


def delete(call: Call) -> Response:
    """DELETE /api/2.0/preview/scim/v2/{kind}/{id}"""
    _admin(call)
    kind = call.path["kind"]
    with call.store.together():
        entry = scim_resources.one_of(call.store, kind, call.path["id"])
        if kind == "Groups" and entry["displayName"] in (ADMINS, USERS):
            raise denied(f"System group {entry['displayName']} cannot be deleted.")
        scim_resources.remove(call.store, kind, entry)
    return Response(status_code=204)


def _save(call: Call, kind: str, entry: Json, before: str) -> None:
    if kind == "Groups" and entry.get("displayName") != before:
        if before in (ADMINS, USERS):
            raise denied(f"System group {before} cannot be renamed.")
        other = call.store.row("select id from ws_group where name = ? collate nocase", entry.get("displayName"))
        if other is not None and str(other["id"]) != entry["id"]:
            raise ApiError(409, "RESOURCE_CONFLICT", f"Group with name {entry['displayName']} already exists.")
    scim_resources.save(call.store, kind, int(entry["id"]), entry)


def _chosen(call: Call, entry: Json) -> Json:
    """The attributes that were asked for; a part of an attribute brings the whole one."""
    wanted = _names(call.query.get("attributes"))
    without = _names(call.query.get("excludedAttributes"))
    if "username" in wanted:
        wanted.add("applicationid")  # the provider asks for userName and reads a service principal's application id
    if wanted:
        return {key: value for key, value in entry.items() if key.lower() in wanted or key in ("id", "schemas")}
    return {key: value for key, value in entry.items() if key.lower() not in without or key in ("id", "schemas")}


def _names(listed: str | None) -> set[str]:
    return {name.strip().split(".")[0].lower() for name in (listed or "").split(",") if name.strip()}


def _admin(call: Call) -> None:
    if not call.who.is_admin:
        raise denied(f"Only members of {ADMINS} can do this.")
