"""Permission levels on Git folders, directories and jobs: who has which, and the permissions API.

https://docs.databricks.com/api/workspace/permissions; levels of folders and jobs as in
https://docs.databricks.com/security/auth/access-control.
"""

from __future__ import annotations

from sandbox.workspace import fields
from sandbox.workspace.auth import ADMINS, identity
from sandbox.workspace.call import Call, Json
from sandbox.workspace.errors import denied, invalid, missing
from sandbox.workspace.levels import KINDS, forget, has, level_of, parent_entries
from sandbox.workspace.store import Store

# How the product names a principal that it does not find.
_PRINCIPALS = {"user_name": "UserName", "group_name": "GroupName", "service_principal_name": "ServicePrincipalName"}
_DESCRIPTIONS = {
    "CAN_READ": "Can view",
    "CAN_RUN": "Can view and run",
    "CAN_EDIT": "Can view, run and edit",
    "CAN_VIEW": "Can view",
    "CAN_MANAGE_RUN": "Can manage runs",
    "CAN_MANAGE": "Can manage",
    "IS_OWNER": "Is the owner",
}


def require(call: Call, kind: str, object_id: int | str, level: str, what: str) -> None:
    """Refuse unless the caller has at least `level`; what one may not see does not exist.

    Raises:
        ApiError: 404 without any level, 403 with too low a one.
    """
    if has(call.store, call.who, kind, object_id, level):
        return
    found = level_of(call.store, call.who, kind, str(object_id))
    if found is None:
        if kind == "jobs":
            raise denied(f"User {call.who.name} does not have {level} or higher permissions on {what}.")
        raise missing(f"{what} does not exist.")
    raise denied(f"{call.who.name} does not have {level} permissions on {what}. It has {found}.")


def read(call: Call) -> Json:
    """GET /api/2.0/permissions/{kind}/{id}"""
    # Reading a job's permissions needs manage (inferred from the vendor's own test server).
    kind, object_id = _target(call, "CAN_READ" if call.path["kind"] != "jobs" else "CAN_MANAGE")
    return _answer(call.store, kind, object_id)


def levels(call: Call) -> Json:
    """GET /api/2.0/permissions/{kind}/{id}/permissionLevels"""
    kind, _ = _target(call, "CAN_READ" if call.path["kind"] != "jobs" else "CAN_VIEW")
    found = KINDS[kind][1]
    return {"permission_levels": [{"permission_level": level, "description": _DESCRIPTIONS[level]} for level in found]}


def replace(call: Call) -> Json:
    """PUT /api/2.0/permissions/{kind}/{id}: exactly these entries"""
    kind, object_id = _target(call, "CAN_MANAGE")
    write(call, kind, object_id, call.mappings("access_control_list"), keep=False)
    return _answer(call.store, kind, object_id)


def update(call: Call) -> Json:
    """PATCH /api/2.0/permissions/{kind}/{id}: these entries as well"""
    kind, object_id = _target(call, "CAN_MANAGE")
    write(call, kind, object_id, call.mappings("access_control_list"), keep=True)
    return _answer(call.store, kind, object_id)


def write(call: Call, kind: str, object_id: str, given: list[Json], *, keep: bool) -> None:
    """Put entries on an object, in place of those that are there or beside them."""
    store = call.store
    with store.together():
        entries = [_entry(store, kind, raw) for raw in given]
        rows = store.rows("select * from ws_acl where kind = ? and object = ? order by rowid", kind, object_id)
        old = {(row["principal_kind"], row["principal"]): row["level"] for row in rows}
        merged = {**(old if keep else {}), **{(kind_, name): level for kind_, name, level in entries}}
        if kind == "jobs":
            _one_owner(call, old, merged)
        forget(store, kind, object_id)
        for (principal_kind, name), level in merged.items():
            store.write("insert into ws_acl values (?, ?, ?, ?, ?)", kind, object_id, principal_kind, name, level)


def _one_owner(call: Call, old: dict[tuple[str, str], str], merged: dict[tuple[str, str], str]) -> None:
    owners = [name for name, level in merged.items() if level == "IS_OWNER"]
    if len(owners) > 1:
        raise invalid("A job can only have one owner.")
    if not owners:
        raise invalid("The job must have exactly one owner.")
    if owners[0][0] == "group_name":
        raise invalid("A group cannot be the owner of a job.")
    # https://docs.databricks.com/jobs/privileges: an owner who is not an admin cannot hand a job on.
    if old.get(owners[0]) != "IS_OWNER" and not call.who.is_admin:
        raise denied(f"{call.who.name} may not change the owner of the job. Only workspace admins can.")


def _target(call: Call, level: str) -> tuple[str, str]:
    kind, object_id = call.path["kind"], call.path["id"]
    if kind not in KINDS:
        raise invalid(f"this sandbox does not emulate permissions of '{kind}'; it knows {', '.join(KINDS)}.")
    table = {"repos": "ws_folder", "directories": "ws_directory", "jobs": "ws_job"}[kind]
    row = call.store.row(f"select id from {table} where cast(id as text) = ?", object_id)
    if row is None:
        raise missing(f"{KINDS[kind][0].capitalize()} {object_id} does not exist.")
    require(call, kind, object_id, level, f"{KINDS[kind][0]} {object_id}")
    return kind, object_id


def _entry(store: Store, kind: str, raw: Json) -> tuple[str, str, str]:
    named = [(key, fields.text(key, raw[key])) for key in _PRINCIPALS if raw.get(key)]
    if len(named) != 1:
        raise invalid("Exactly one of user_name, group_name or service_principal_name must be given.")
    principal_kind, name = named[0]
    level = raw.get("permission_level")
    if level not in KINDS[kind][1]:
        raise invalid(f"Permission level {level!r} is not one of {', '.join(KINDS[kind][1])}.")
    unknown = missing(f"Principal: {_PRINCIPALS[principal_kind]}({name}) does not exist")
    if principal_kind == "group_name":
        row = store.row("select name from ws_group where name = ?", name)
        if row is None:
            raise unknown
        return principal_kind, row["name"], str(level)
    found = identity(store, name)
    # A service principal may come as a user_name: the provider names whoever it runs as, and a job's creator, so.
    if found is None or (principal_kind == "service_principal_name" and found.kind == "user"):
        raise unknown
    return "user_name" if found.kind == "user" else "service_principal_name", found.name, str(level)


def _answer(store: Store, kind: str, object_id: str) -> Json:
    singular = KINDS[kind][0]
    entries: dict[tuple[str, str], list[Json]] = {}
    for row in store.rows("select * from ws_acl where kind = ? and object = ? order by rowid", kind, object_id):
        entries.setdefault((row["principal_kind"], row["principal"]), []).append(
            {"permission_level": row["level"], "inherited": False}
        )
    for parent, row in parent_entries(store, kind, object_id):
        entries.setdefault((row["principal_kind"], row["principal"]), []).append(
            {"permission_level": row["level"], "inherited": True, "inherited_from_object": [f"/directories/{parent}"]}
        )
    root = "/jobs/" if kind == "jobs" else "/directories/"
    entries.setdefault(("group_name", ADMINS), []).append(
        {"permission_level": "CAN_MANAGE", "inherited": True, "inherited_from_object": [root]}
    )
    return {
        "object_id": f"/{kind}/{object_id}",
        "object_type": singular,
        "access_control_list": [
            {key: name, **_display(store, key, name), "all_permissions": levels} for (key, name), levels in entries.items()
        ],
    }


def _display(store: Store, principal_kind: str, name: str) -> Json:
    found = None if principal_kind == "group_name" else identity(store, name)
    return {"display_name": found.display} if found else {}
