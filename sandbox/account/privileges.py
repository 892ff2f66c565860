"""What a role may do: its own grants, those of roles granted to it, and those of PUBLIC.

https://docs.snowflake.com/en/user-guide/security-access-control-overview
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sandbox.account.errors import denied, no_object
from sandbox.account.state import Object, State

Role = tuple[str, str]  # ("ROLE" or "DATABASE ROLE", name)
ACCOUNT = "ACCOUNT"


@dataclass
class Session:
    """One login: who, and what is in use."""

    id: int
    user: str
    role: str | None
    database: str | None
    schema: str | None
    warehouse: str | None


def roles_of_user(state: State, user: str) -> set[str]:
    """Account roles that a user may use."""
    rows = state.rows("select role from sf_role_grant where grantee_kind = 'USER' and grantee = ?", user)
    direct = {("ROLE", row["role"]) for row in rows} | {("ROLE", "PUBLIC")}
    found: set[Role] = set()
    for role in direct:
        found |= closure(state, role)
    return {name for kind, name in found if kind == "ROLE"}


def closure(state: State, role: Role) -> set[Role]:
    """The role and every role whose privileges it inherits."""
    found, todo = set(), [role]
    while todo:
        current = todo.pop()
        if current in found:
            continue
        found.add(current)
        todo += [
            (row["role_kind"], row["role"])
            for row in state.rows(
                "select role_kind, role from sf_role_grant where grantee_kind = ? and grantee = ?", *current
            )
        ]
    return found


class Rights:
    """The rights of a session, as of now."""

    def __init__(self, state: State, session: Session) -> None:
        self._state, self.session = state, session
        self.roles = closure(state, ("ROLE", session.role or "PUBLIC")) | {("ROLE", "PUBLIC")}
        self.is_admin = ("ROLE", "ACCOUNTADMIN") in self.roles

    def has(self, privilege: str, kind: str, name: str) -> bool:
        """Whether the privilege is held on the object; its owner holds all of them."""
        if kind == ACCOUNT and self.is_admin:
            return True
        if kind != ACCOUNT and (item := self._state.get(kind, name)) is not None and self.owns(item):
            return True
        rows = self._state.rows(
            "select grantee_kind, grantee from sf_grant where privilege = ? and kind = ? and name = ?",
            privilege,
            kind,
            name,
        )
        return any((row["grantee_kind"], row["grantee"]) in self.roles for row in rows)

    def owns(self, item: Object) -> bool:
        """Whether one of the session's roles is the owner."""
        return ("ROLE", item.owner) in self.roles

    def sees(self, item: Object) -> bool:
        """Whether any privilege is held; roles, users and database roles are seen by all."""
        if item.kind in ("ROLE", "USER", "DATABASE ROLE") or self.owns(item) or self.manages_grants:
            return True
        rows = self._state.rows("select * from sf_grant where kind = ? and name = ?", item.kind, item.name)
        return any((row["grantee_kind"], row["grantee"]) in self.roles for row in rows)

    @property
    def manages_grants(self) -> bool:
        """The global privilege with which any grant may be made."""
        return self.has("MANAGE GRANTS", ACCOUNT, "")

    def need(self, privilege: str, kind: str, name: str) -> None:
        """Refuse without the privilege: 002003 for what one may not even see, 003001 otherwise."""
        if self.has(privilege, kind, name):
            return
        if kind != ACCOUNT:
            item = self._state.get(kind, name)
            if item is None or not self.sees(item):
                raise no_object(kind.capitalize(), name)
        raise denied(kind, name or "SANDBOX")

    def need_owner(self, item: Object) -> None:
        """Refuse unless the session owns the object."""
        if self.owns(item):
            return
        if not self.sees(item):
            raise no_object(item.kind.capitalize(), item.name)
        raise denied(item.kind, item.last_name)

    def need_usage(self, schema: str) -> None:
        """USAGE on a schema and its database, without which nothing in it is seen."""
        database = schema.partition(".")[0]
        if self._state.get("DATABASE", database) is None or not self._uses("DATABASE", database):
            raise no_object("Database", database)
        if self._state.get("SCHEMA", schema) is None or not self._uses("SCHEMA", schema):
            raise no_object("Schema", schema)

    def sees_database(self, name: str) -> bool:
        """Whether a database may be used or anything is held on it."""
        item = self._state.get("DATABASE", name)
        return item is not None and (self.sees(item) or self._uses("DATABASE", name))

    def _uses(self, kind: str, name: str) -> bool:
        item = self._state.get(kind, name)
        if self.has("USAGE", kind, name) or (item is not None and self.owns(item)):
            return True
        # A database role brings the use of its own database.
        return kind == "DATABASE" and any(k == "DATABASE ROLE" and n.startswith(f"{name}.") for k, n in self.roles)

    def may_grant(self, kind: str, name: str, privilege: str) -> bool:
        """Owner, grant option or MANAGE GRANTS; in a managed-access schema the schema's owner instead of the object's."""
        if self.manages_grants:
            return True
        item = self._state.get(kind, name)
        schema = self._state.get("SCHEMA", item.parent) if item and kind not in ("SCHEMA", "DATABASE") else None
        if schema is not None and schema.props.get("MANAGED ACCESS"):
            return self.owns(schema)
        if item is not None and self.owns(item):
            return True
        rows = self._state.rows(
            "select * from sf_grant where privilege = ? and kind = ? and name = ? and option = 1", privilege, kind, name
        )
        return any((row["grantee_kind"], row["grantee"]) in self.roles for row in rows)


def apply_future_grants(state: State, item: Object) -> None:
    """What future grants say of a new object."""
    database = item.name.partition(".")[0]
    for in_kind, in_name in (("SCHEMA", item.parent), ("DATABASE", database)):
        rows = state.rows(
            "select * from sf_future where kind = ? and in_kind = ? and in_name = ?", item.kind, in_kind, in_name
        )
        for row in rows:
            add_grant(
                state, row["privilege"], item.kind, item.name, (row["grantee_kind"], row["grantee"]), row["option"], ""
            )


def add_grant(state: State, privilege: str, kind: str, name: str, to: Role, option: int, by: str) -> None:
    """One privilege on one object to one role."""
    state.write(
        "insert or replace into sf_grant values (?, ?, ?, ?, ?, ?, ?, ?)",
        privilege,
        kind,
        name,
        *to,
        option,
        by,
        time.time(),
    )
