"""Permission levels on Git folders, directories and jobs: who has which, and the permissions API.

https://docs.databricks.com/api/workspace/permissions; levels of folders and jobs as in
https://docs.databricks.com/security/auth/access-control.
"""

from __future__ import annotations

import sqlite3

from sandbox.workspace.auth import ADMINS, Identity, identity
from sandbox.workspace.call import Call, Json
from sandbox.workspace.errors import denied, invalid, missing
from sandbox.workspace.store import Store

FOLDER_LEVELS = ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")
JOB_LEVELS = ("CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER")
_KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "repos": ("repo", FOLDER_LEVELS),
    "directories": ("directory", FOLDER_LEVELS),
    "jobs": ("job", JOB_LEVELS),
}
_PRINCIPALS = ("user_name", "group_name", "service_principal_name")


def path_of(store: Store, kind: str, object_id: str) -> str | None:
    """The workspace path of a folder or directory, from which its parents' permissions come."""
    table = {"repos": "ws_folder", "directories": "ws_directory"}.get(kind)
    row = store.row(f"select path from {table} where id = ?", object_id) if table else None
    return row["path"] if row else None


def level_of(store: Store, who: Identity, kind: str, object_id: str) -> str | None:
    """The highest level that `who` has, by name, by group, from a parent directory, or as an admin."""
    levels = _KINDS[kind][1]
    if who.is_admin:
        return "CAN_MANAGE"
    path = path_of(store, kind, object_id)
    if path is not None and (path + "/").startswith(f"/Users/{who.name}/"):
        return "CAN_MANAGE"
    found = [row["level"] for row in _entries_with_parents(store, kind, object_id) if _is(who, row)]
    return max(found, key=levels.index, default=None)


def require(call: Call, kind: str, object_id: int | str, level: str, what: str) -> None:
    """Refuse unless the caller has at least `level`; what one may not see does not exist.

    Raises:
        ApiError: 404 without any level, 403 with too low a one.
    """
    levels = _KINDS[kind][1]
    has = level_of(call.store, call.who, kind, str(object_id))
    if has is None:
        if kind == "jobs":
            raise denied(f"User {call.who.name} does not have {level} or higher permissions on {what}.")
        raise missing(f"{what} does not exist.")
    if levels.index(has) < levels.index(level):
        raise denied(f"{call.who.name} does not have {level} permissions on {what}. It has {has}.")


def grant(store: Store, kind: str, object_id: int, who: Identity, level: str) -> None:
    """What a creator gets."""
    principal = "user_name" if who.kind == "user" else "service_principal_name"
    store.write("insert or replace into ws_acl values (?, ?, ?, ?, ?)", kind, str(object_id), principal, who.name, level)


def forget(store: Store, kind: str, object_id: int | str) -> None:
    """With the object go its permissions."""
    store.write("delete from ws_acl where kind = ? and object = ?", kind, str(object_id))


def read(call: Call) -> Json:
    """GET /api/2.0/permissions/{kind}/{id}"""
    kind, object_id = _target(call, "CAN_READ" if call.path["kind"] != "jobs" else "CAN_VIEW")
    return _answer(call.store, kind, object_id)


def levels(call: Call) -> Json:
    """GET /api/2.0/permissions/{kind}/{id}/permissionLevels"""
    kind, _ = _target(call, "CAN_READ" if call.path["kind"] != "jobs" else "CAN_VIEW")
    return {"permission_levels": [{"permission_level": level, "description": level} for level in _KINDS[kind][1]]}


def replace(call: Call) -> Json:
    """PUT /api/2.0/permissions/{kind}/{id}: exactly these entries"""
    return _write(call, keep=False)


def update(call: Call) -> Json:
    """PATCH /api/2.0/permissions/{kind}/{id}: these entries as well"""
    return _write(call, keep=True)


def _write(call: Call, *, keep: bool) -> Json:
    kind, object_id = _target(call, "CAN_MANAGE")
    entries = [_entry(call.store, kind, raw) for raw in call.body.get("access_control_list", [])]
    store = call.store
    old = [] if keep is False else [
        (row["principal_kind"], row["principal"], row["level"])
        for row in store.rows("select * from ws_acl where kind = ? and object = ?", kind, object_id)
    ]  # fmt: skip
    merged = {(kind_, name): level for kind_, name, level in [*old, *entries]}
    if kind == "jobs":
        owners = [name for name, level in merged.items() if level == "IS_OWNER"]
        if len(owners) > 1:
            raise invalid("A job can only have one owner.")
        if not owners:
            raise invalid("The job must have exactly one owner.")
        if owners[0][0] == "group_name":
            raise invalid("A group cannot be the owner of a job.")
    with store.together():
        forget(store, kind, object_id)
        for (principal_kind, name), level in merged.items():
            store.write("insert into ws_acl values (?, ?, ?, ?, ?)", kind, object_id, principal_kind, name, level)
    return _answer(store, kind, object_id)


def _target(call: Call, level: str) -> tuple[str, str]:
    kind, object_id = call.path["kind"], call.path["id"]
    if kind not in _KINDS:
        raise invalid(f"'{kind}' is not a supported object type of this sandbox; supported are {', '.join(_KINDS)}.")
    table = {"repos": "ws_folder", "directories": "ws_directory", "jobs": "ws_job"}[kind]
    if call.store.row(f"select id from {table} where id = ?", object_id) is None:
        raise missing(f"{_KINDS[kind][0].capitalize()} {object_id} does not exist.")
    require(call, kind, object_id, level, f"{_KINDS[kind][0]} {object_id}")
    return kind, object_id


def _entry(store: Store, kind: str, raw: Json) -> tuple[str, str, str]:
    named = [(key, raw[key]) for key in _PRINCIPALS if raw.get(key)]
    if len(named) != 1:
        raise invalid("Exactly one of user_name, group_name or service_principal_name must be given.")
    principal_kind, name = named[0]
    level = raw.get("permission_level")
    if level not in _KINDS[kind][1]:
        raise invalid(f"Permission level {level!r} is not one of {', '.join(_KINDS[kind][1])}.")
    if principal_kind == "group_name":
        known = name in (ADMINS, "users") or store.row("select id from ws_group where name = ?", name) is not None
    else:
        found = identity(store, name)
        known = found is not None and (found.kind == "user") == (principal_kind == "user_name")
    if not known:
        raise missing(f"Principal: {principal_kind.split('_name')[0].replace('_', ' ')} {name} does not exist.")
    return principal_kind, name, level


def _answer(store: Store, kind: str, object_id: str) -> Json:
    singular = _KINDS[kind][0]
    entries: dict[tuple[str, str], list[Json]] = {}
    for row in store.rows("select * from ws_acl where kind = ? and object = ? order by rowid", kind, object_id):
        entries.setdefault((row["principal_kind"], row["principal"]), []).append(
            {"permission_level": row["level"], "inherited": False}
        )
    for parent, row in _parent_entries(store, kind, object_id):
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
        "access_control_list": [{k: name, "all_permissions": levels} for (k, name), levels in entries.items()],
    }


def _is(who: Identity, row: sqlite3.Row) -> bool:
    if row["principal_kind"] == "group_name":
        return row["principal"] in who.groups
    return bool(row["principal"] == who.name)


def _parent_entries(store: Store, kind: str, object_id: str) -> list[tuple[str, sqlite3.Row]]:
    path = path_of(store, kind, object_id)
    if path is None:
        return []
    found = []
    for row in store.rows("select id, path from ws_directory"):
        if path != row["path"] and path.startswith(row["path"].rstrip("/") + "/"):
            entries = store.rows("select * from ws_acl where kind = 'directories' and object = ?", str(row["id"]))
            found += [(str(row["id"]), entry) for entry in entries]
    return found


def _entries_with_parents(store: Store, kind: str, object_id: str) -> list[sqlite3.Row]:
    own = store.rows("select * from ws_acl where kind = ? and object = ?", kind, object_id)
    return [*own, *(row for _, row in _parent_entries(store, kind, object_id))]
