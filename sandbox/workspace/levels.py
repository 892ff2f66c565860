"""Who has which permission level on what: https://docs.databricks.com/security/auth/access-control"""

from __future__ import annotations

import sqlite3

from sandbox.workspace.auth import Identity
from sandbox.workspace.store import Store

FOLDER_LEVELS = ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")
JOB_LEVELS = ("CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER")
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "repos": ("repo", FOLDER_LEVELS),
    "directories": ("directory", FOLDER_LEVELS),
    "jobs": ("job", JOB_LEVELS),
}


def path_of(store: Store, kind: str, object_id: str) -> str | None:
    """The workspace path of a folder or directory, from which its parents' permissions come."""
    table = {"repos": "ws_folder", "directories": "ws_directory"}.get(kind)
    row = store.row(f"select path from {table} where id = ?", object_id) if table else None
    return row["path"] if row else None


def level_of(store: Store, who: Identity, kind: str, object_id: str) -> str | None:
    """The highest level that `who` has, by name, by group, from a parent directory, or as an admin."""
    levels = KINDS[kind][1]
    if who.is_admin:
        return "CAN_MANAGE"
    found = [row["level"] for row in _entries_with_parents(store, kind, object_id) if _is(who, row)]
    return max(found, key=levels.index, default=None)


def has(store: Store, who: Identity, kind: str, object_id: int | str, level: str) -> bool:
    """Whether `who` has at least `level`."""
    found = level_of(store, who, kind, str(object_id))
    levels = KINDS[kind][1]
    return found is not None and levels.index(found) >= levels.index(level)


def grant(store: Store, kind: str, object_id: int, who: Identity, level: str) -> None:
    """What a creator gets."""
    grant_to(store, kind, object_id, "user_name" if who.kind == "user" else "service_principal_name", who.name, level)


def grant_to(store: Store, kind: str, object_id: int, principal_kind: str, name: str, level: str) -> None:
    """One entry, in place of what that principal had."""
    store.write("insert or replace into ws_acl values (?, ?, ?, ?, ?)", kind, str(object_id), principal_kind, name, level)


def forget(store: Store, kind: str, object_id: int | str) -> None:
    """With the object go its permissions."""
    store.write("delete from ws_acl where kind = ? and object = ?", kind, str(object_id))


def _is(who: Identity, row: sqlite3.Row) -> bool:
    if row["principal_kind"] == "group_name":
        return row["principal"] in who.groups
    return bool(row["principal"] == who.name)


def parent_entries(store: Store, kind: str, object_id: str) -> list[tuple[str, sqlite3.Row]]:
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
    return [*own, *(row for _, row in parent_entries(store, kind, object_id))]
