"""Who is in the workspace from the beginning. Run again, it changes nothing that is there."""

from __future__ import annotations

from pathlib import Path

from sandbox.workspace.auth import ADMINS, USERS, token_hash
from sandbox.workspace.store import Store

ROOT_ID = 0  # the number that the Permissions API and the provider know "/" by


def seed(
    db_path: Path,
    *,
    users: list[dict[str, str]],
    groups: dict[str, list[str]],
    service_principals: list[dict[str, str]],
    tokens: dict[str, str],
    admins: list[str],
) -> None:
    """Users and service principals with their tokens (of which a hash is kept), groups and admins."""
    store = Store(db_path)
    people = [(entry["userName"], "user", entry["displayName"]) for entry in users]
    people += [(entry["applicationId"], "service_principal", entry["displayName"]) for entry in service_principals]
    with store.together():
        store.write("insert or ignore into ws_directory values (?, '/')", ROOT_ID)
        for name, kind, display in people:
            if store.row("select 1 from ws_identity where name = ?", name) is None:
                add_identity(store, name, kind, display)
        for token, name in tokens.items():
            store.write("update ws_identity set token_hash = ? where name = ?", token_hash(token), name)
        wanted = (*groups, ADMINS, USERS)
        new = [name for name in wanted if store.row("select 1 from ws_group where name = ?", name) is None]
        for group in new:
            store.write("insert into ws_group (id, name) values (?, ?)", store.new_id(), group)
            for member in admins if group == ADMINS else groups.get(group, []):
                store.write("insert or ignore into ws_member values (?, ?)", group, member)


def add_identity(store: Store, name: str, kind: str, display: str) -> int:
    """A user or service principal and their home."""
    number = store.new_id()
    store.write(
        "insert into ws_identity (name, kind, id, display) values (?, ?, ?, ?)", name, kind, number, display
    )  # fmt: skip
    for home in ("/Users", f"/Users/{name}"):
        if store.row("select 1 from ws_directory where path = ?", home) is None:
            store.write("insert into ws_directory values (?, ?)", store.new_id(), home)
    return number
