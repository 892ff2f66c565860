"""Directories of the workspace tree: who may put something into one, and making them."""

from __future__ import annotations

import sqlite3

from sandbox.workspace import levels
from sandbox.workspace.call import Call
from sandbox.workspace.errors import denied, exists, missing
from sandbox.workspace.paths import parent_of


def need_place(call: Call, path: str) -> None:
    """The parent of `path` is there, the caller may create in it, and nothing has that path.

    https://docs.databricks.com/security/auth/access-control (folders: create, import and delete items: CAN MANAGE)
    """
    parent = parent_of(path)
    row = call.store.row("select id from ws_directory where path = ?", parent)
    if row is None:
        raise missing(f"Parent directory {parent} does not exist.")
    _need_manage(call, row, parent)
    if call.store.row("select 1 from ws_folder where path = ? union select 1 from ws_directory where path = ?", path, path):
        raise exists(f"RESOURCE_ALREADY_EXISTS: {path} already exists. Please choose another path.")


def make(call: Call, path: str) -> None:
    """A directory and those above it; what is there is left as it is. The caller manages what is made."""
    parts = path.strip("/").split("/")
    own = (f"/Users/{call.who.name}", f"/Repos/{call.who.name}")
    with call.store.together():
        for below in ("/" + "/".join(parts[:depth]) for depth in range(1, len(parts) + 1)):
            if call.store.row("select id from ws_directory where path = ?", below):
                continue
            # Everybody's own directories are made for them where they are missing.
            if below not in own:
                row = call.store.row("select id from ws_directory where path = ?", parent_of(below))
                _need_manage(call, row, parent_of(below))
            directory_id = call.store.new_id()
            call.store.write("insert into ws_directory values (?, ?)", directory_id, below)
            levels.grant(call.store, "directories", directory_id, call.who, "CAN_MANAGE")


def _need_manage(call: Call, row: sqlite3.Row | None, path: str) -> None:
    if row is None or not levels.has(call.store, call.who, "directories", row["id"], "CAN_MANAGE"):
        raise denied(f"{call.who.name} does not have CAN_MANAGE permissions on {path}.")
