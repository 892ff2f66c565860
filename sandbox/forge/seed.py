"""Who is in the forge from the beginning. Run again, it changes nothing that is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.forge.store import Store
from sandbox.forge.users import NAMESPACE
from sandbox.workspace.auth import token_hash


@dataclass(frozen=True)
class Member:
    """A user to make: their role in the project, and the group they are in."""

    username: str
    name: str
    email: str
    level: int
    group: str | None = None
    bot: bool = False


def seed(db_path: Path, members: list[Member], tokens: Mapping[str, str]) -> None:
    """Users with their tokens (username -> token, of which a hash is kept), and groups."""
    store = Store(db_path)
    with store.together():
        for path in dict.fromkeys([NAMESPACE, *(one.group for one in members if one.group)]):
            if store.row("select 1 from fg_group where path = ?", path) is None:
                store.write("insert into fg_group values (?, ?)", store.next("group"), path)
        for one in members:
            if store.row("select 1 from fg_user where username = ?", one.username) is None:
                store.write(
                    "insert into fg_user values (?, ?, ?, ?, ?, ?, null)",
                    store.next("user"), one.username, one.name, one.email, one.level, one.bot,
                )  # fmt: skip
            hashed = token_hash(tokens[one.username])
            store.write("update fg_user set token_hash = ? where username = ?", hashed, one.username)
            for path in filter(None, (NAMESPACE, one.group)):
                store.write(
                    "insert or ignore into fg_group_member select g.id, u.id, u.level from fg_group g, fg_user u "
                    "where g.path = ? and u.username = ?",
                    path, one.username,
                )  # fmt: skip
