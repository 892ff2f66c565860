"""What a session may do: its role's grants, those of roles granted to it, those of PUBLIC, and of secondary roles.

https://docs.snowflake.com/en/user-guide/security-access-control-overview
"""

from __future__ import annotations

import json

from sandbox import clock
from sandbox.account import names
from sandbox.account.errors import denied, no_object
from sandbox.account.kinds import ACCOUNT, IN_SCHEMA, NEEDS_ORGANIZATION
from sandbox.account.session import Session
from sandbox.account.state import Object, State

Role = tuple[str, str]  # ("ROLE", "DATABASE ROLE" or "SHARE"; name)
PUBLIC: Role = ("ROLE", "PUBLIC")
ADMIN = "ACCOUNTADMIN"
SYSTEM_ROLES = (ADMIN, "SECURITYADMIN", "SYSADMIN", "USERADMIN", "PUBLIC", "ORGADMIN")


class Hierarchy:
    """Which roles a role inherits from, as of now."""

    def __init__(self, state: State) -> None:
        self._below: dict[Role, list[Role]] = {}
        for row in state.rows("select grantee_kind, grantee, role_kind, role from sf_role_grant"):
            self._below.setdefault((row["grantee_kind"], row["grantee"]), []).append((row["role_kind"], row["role"]))

    def closure(self, *roles: Role) -> set[Role]:
        """The roles and every role whose privileges they inherit."""
        found: set[Role] = set()
        todo = list(roles)
        while todo:
            current = todo.pop()
            if current not in found:
                found.add(current)
                todo += self._below.get(current, [])
        return found

    def of_user(self, user: str) -> set[str]:
        """Account roles that a user may use."""
        granted = self._below.get(("USER", user), [])
        return {name for kind, name in self.closure(PUBLIC, *granted) if kind == "ROLE"}


class Rights:
    """The rights of a session, as of now. What is created is the primary role's alone."""

    def __init__(self, state: State, session: Session, role: Role | None = None) -> None:
        self._state, self.session = state, session
        hierarchy = Hierarchy(state)
        usable = hierarchy.of_user(session.user) if session.id else set()
        role = role or ("ROLE", session.role)
        # A role that was taken away or dropped is of no more use to a session that is open.
        lost = bool(session.id) and session.role not in usable
        self.primary = hierarchy.closure(PUBLIC) if lost else hierarchy.closure(role, PUBLIC)
        self.roles = set(self.primary)
        self.secondary: list[str] = []
        if session.secondary != "NONE":
            chosen = usable if session.secondary == "ALL" else usable & set(json.loads(session.secondary))
            self.secondary = sorted(chosen - {session.role, "PUBLIC"})
            self.roles |= hierarchy.closure(*(("ROLE", each) for each in chosen))
        self.is_admin = ("ROLE", ADMIN) in self.primary

    def has(self, privilege: str, kind: str, name: str) -> bool:
        """Whether the privilege is held on the object; its owner holds all of them."""
        roles = self.primary if privilege.startswith("CREATE ") else self.roles
        if kind == ACCOUNT and ("ROLE", ADMIN) in roles:
            return True
        if kind != ACCOUNT and (item := self._state.get(kind, name)) is not None and _owner(item) in roles:
            return True
        sql = "select grantee_kind, grantee from sf_grant where privilege = ? and kind = ? and name = ?"
        rows = self._state.rows(sql, privilege, kind, name)
        return any((row["grantee_kind"], row["grantee"]) in roles for row in rows)

    def owns(self, item: Object) -> bool:
        """Whether one of the session's roles is the owner."""
        return _owner(item) in self.roles

    def sees(self, item: Object) -> bool:
        """Whether anything is held on it; what is in a schema also needs the schema and its database to be seen.

        Roles, users and database roles are seen by all.
        """
        if item.kind in ("ROLE", "USER", "DATABASE ROLE") or self.manages_grants:
            return True
        if self._grants_in_schema_of(item):
            return True
        if item.kind in IN_SCHEMA and not (
            self._anything("DATABASE", names.database_of(item.name)) and self._anything("SCHEMA", item.parent)
        ):
            return False
        return self._anything(item.kind, item.name)

    @property
    def manages_grants(self) -> bool:
        """The global privilege with which any grant may be made."""
        return self.has("MANAGE GRANTS", ACCOUNT, "")

    def knows(self, user: Object) -> bool:
        """Whether the session may be told a user's properties: https://docs.snowflake.com/en/sql-reference/sql/desc-user"""
        return self.owns(user) or self.manages_grants or user.name == self.session.user

    def need(self, privilege: str, kind: str, name: str) -> None:
        """Refuse without the privilege: 002003 for what one may not even see, 003001 otherwise."""
        if self.has(privilege, kind, name):
            return
        if kind != ACCOUNT:
            item = self._state.get(kind, name)
            if item is None or not self.sees(item):
                raise no_object(kind.capitalize(), name)
        raise denied(kind, names.last(name) or "SANDBOX")

    def need_owner(self, item: Object) -> None:
        """Refuse unless the session owns the object."""
        if self.owns(item):
            return
        if not self.sees(item):
            raise no_object(item.kind.capitalize(), item.name)
        raise denied(item.kind, item.last_name)

    def need_usage(self, schema: str) -> None:
        """USAGE on a schema and its database, without which nothing in it can be used."""
        database = names.holder(schema)
        if not self.uses("DATABASE", database):
            raise no_object("Database", database)
        if not self.uses("SCHEMA", schema):
            raise no_object("Schema", schema)

    def uses(self, kind: str, name: str) -> bool:
        """USAGE on it; a database role brings the use of its own database."""
        if self._state.get(kind, name) is None:
            return False
        if kind == "DATABASE" and any(k == "DATABASE ROLE" and names.holder(n) == name for k, n in self.roles):
            return True
        return self.has("USAGE", kind, name)

    def grantor(self, kind: str, name: str, privilege: str) -> str | None:
        """The role in whose name the session may grant; None when it may not.

        Owner, grant option or MANAGE GRANTS. In a managed-access schema the schema's owner instead of the object's.
        https://docs.snowflake.com/en/sql-reference/sql/grant-privilege
        """
        if privilege in NEEDS_ORGANIZATION:
            return None
        item = self._state.get(kind, name) if kind != ACCOUNT else None
        schema = self._state.get("SCHEMA", item.parent) if item is not None and kind in IN_SCHEMA else None
        if schema is not None and schema.props.get("MANAGED ACCESS"):
            item = schema
        if item is not None and (self.owns(item) or self.manages_grants):
            return item.owner
        if item is None and self.manages_grants:
            return self.session.role
        if item is not schema or schema is None:
            sql = "select * from sf_grant where privilege = ? and kind = ? and name = ? and option = 1"
            for row in self._state.rows(sql, privilege, kind, name):
                if (row["grantee_kind"], row["grantee"]) in self.roles:
                    return str(row["grantee"])
        return None

    def _grants_in_schema_of(self, item: Object) -> bool:
        """Who owns a managed-access schema grants on what is in it, and so may name it."""
        schema = self._state.get("SCHEMA", item.parent) if item.kind in IN_SCHEMA else None
        return schema is not None and bool(schema.props.get("MANAGED ACCESS")) and self.owns(schema)

    def _anything(self, kind: str, name: str) -> bool:
        item = self._state.get(kind, name)
        if item is None:
            return False
        if self.owns(item) or (kind == "DATABASE" and self.uses(kind, name)):
            return True
        rows = self._state.rows("select grantee_kind, grantee from sf_grant where kind = ? and name = ?", kind, name)
        return any((row["grantee_kind"], row["grantee"]) in self.roles for row in rows)


def _owner(item: Object) -> Role:
    return item.owner_kind, item.owner


def apply_future_grants(state: State, item: Object) -> None:
    """What future grants say of a new object: those of its schema, and those of its database where the schema has none.

    https://docs.snowflake.com/en/sql-reference/sql/grant-privilege#future-grants-on-database-or-schema-objects
    """
    sql = "select * from sf_future where kind = ? and in_kind = ? and in_name = ?"
    rows = state.rows(sql, item.kind, "SCHEMA", item.parent) if item.kind in IN_SCHEMA else []
    rows = rows or state.rows(sql, item.kind, "DATABASE", names.database_of(item.name))
    for row in rows:
        if row["privilege"] == "OWNERSHIP":
            item.owner_kind, item.owner = row["grantee_kind"], row["grantee"]
            state.save(item)
    for row in rows:
        if row["privilege"] != "OWNERSHIP":
            to = (row["grantee_kind"], row["grantee"])
            add_grant(state, row["privilege"], item.kind, item.name, to, row["option"], item.owner)


def add_grant(state: State, privilege: str, kind: str, name: str, to: Role, option: int, by: str) -> None:
    """One privilege on one object to one role; a grant option that is there stays."""
    state.write(
        "insert into sf_grant values (?, ?, ?, ?, ?, ?, ?, ?)"
        " on conflict do update set option = max(option, excluded.option)",
        privilege, kind, name, *to, option, by, clock.now(),
    )  # fmt: skip
