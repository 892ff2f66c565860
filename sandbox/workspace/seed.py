"""Who is in the workspace from the beginning. Run again, it changes nothing that is there."""

from __future__ import annotations

from pathlib import Path

from sandbox.workspace import git_credentials, levels, rule_sets
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
    may_use: dict[str, list[str]],
) -> None:
    """Users and service principals with their tokens (of which a hash is kept), groups and admins.

    Args:
        may_use: service principal -> the service principals that have the user role on it.
    """
    store = Store(db_path)
    people = [(entry["userName"], "user", entry["displayName"]) for entry in users]
    people += [(entry["applicationId"], "service_principal", entry["displayName"]) for entry in service_principals]
    with store.together():
        store.write("insert or ignore into ws_directory values (?, '/')", ROOT_ID)
        for path in ("/Users", "/Repos", "/Shared"):
            if store.row("select 1 from ws_directory where path = ?", path) is None:
                number = store.new_id()
                store.write("insert into ws_directory values (?, ?)", number, path)
                if path == "/Shared":  # everybody manages it
                    levels.grant_to(store, "directories", number, "group_name", USERS, "CAN_MANAGE")
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
        for principal, others in may_use.items():
            if store.row("select 1 from ws_rule_set where principal = ?", principal) is None:
                for other in others:
                    rule_sets.grant(store, principal, f"servicePrincipals/{other}", rule_sets.USER)


def add_identity(store: Store, name: str, kind: str, display: str) -> int:
    """A user or service principal and their home, which is theirs by an entry like any other."""
    number = store.new_id()
    store.write(
        "insert into ws_identity (name, kind, id, display) values (?, ?, ?, ?)", name, kind, number, display
    )  # fmt: skip
    home = f"/Users/{name}"
    if store.row("select 1 from ws_directory where path = ?", home) is None:
        directory = store.new_id()
        store.write("insert into ws_directory values (?, ?)", directory, home)
        principal = "user_name" if kind == "user" else "service_principal_name"
        levels.grant_to(store, "directories", directory, principal, name, "CAN_MANAGE")
    return number


def git_credential(state: Path, db_path: Path, owner: str, username: str, token: str) -> None:
    """The credential for GitLab with which somebody's Git folders are cloned and pulled."""
    store = Store(db_path)
    if store.row("select 1 from ws_git_credential where identity = ?", owner) is None:
        git_credentials.keep(store, state, owner, "gitLab", username, token, {})
