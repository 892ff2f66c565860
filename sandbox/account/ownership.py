"""GRANT OWNERSHIP: of one object, of all in a schema or database, and of future ones.

https://docs.snowflake.com/en/sql-reference/sql/grant-ownership
"""

from __future__ import annotations

from sandbox import clock
from sandbox.account import names
from sandbox.account.errors import denied, dependent_grant, invalid, unsupported
from sandbox.account.kinds import ACCOUNT, IN_SCHEMA
from sandbox.account.privileges import SYSTEM_ROLES, Rights, Role
from sandbox.account.reader import Reader
from sandbox.account.state import Object, State
from sandbox.account.target import Target
from sandbox.account.wire import Result, status

_DONE = "Statement executed successfully."


def change(state: State, rights: Rights, reader: Reader, target: Target, to: Role, *, giving: bool) -> Result:
    """GRANT OWNERSHIP ON ... TO ... [COPY | REVOKE CURRENT GRANTS]; read up to the role."""
    current = next((word for word in ("COPY", "REVOKE") if giving and reader.take(word, "CURRENT", "GRANTS")), "")
    reader.end()
    if to[0] == "SHARE" or target.kind == ACCOUNT:
        raise invalid(f"OWNERSHIP on {target.kind} cannot be granted to {to[0]}.")
    if to[0] == "DATABASE ROLE" and (names.holder(to[1]) != target.database or target.kind == "DATABASE"):
        raise invalid(f"Database role '{to[1]}' can only own objects of its own database.")
    with state.together():
        if target.future:
            _future(state, rights, target, to, giving=giving)
        elif not giving:
            raise unsupported("REVOKE OWNERSHIP of what is there: it can only be granted to another role")
        else:
            for name in target.objects:
                item = state.get(target.kind, name)
                assert item is not None  # the reader has found it
                _transfer(state, rights, item, to, current)
    return status(_DONE)


def _transfer(state: State, rights: Rights, item: Object, to: Role, current: str) -> None:
    schema = state.get("SCHEMA", item.parent) if item.kind in IN_SCHEMA else None
    holder = schema if schema is not None and schema.props.get("MANAGED ACCESS") else item
    if not (rights.owns(holder) or rights.manages_grants):
        raise denied(item.kind, item.last_name)
    if item.kind == "ROLE" and item.name in SYSTEM_ROLES:
        raise denied(item.kind, item.last_name)
    if (item.owner_kind, item.owner) == to:
        return
    if not (rights.manages_grants or to in rights.roles):
        # https://docs.snowflake.com/en/release-notes/bcr-bundles/2026_07/bcr-2395
        raise invalid(
            f"{item.kind} ownership can only be transferred to a role that is activated in the current session or by a role"
            " with account-level MANAGE GRANTS."
        )
    grants = state.rows("select * from sf_grant where kind = ? and name = ?", item.kind, item.name)
    held = state.rows("select * from sf_role_grant where role_kind = ? and role = ?", item.kind, item.name)
    if not current and (grants or held):
        privilege = grants[0]["privilege"] if grants else "USAGE"
        raise dependent_grant(privilege, item.name, (grants or held)[0]["grantee"])
    if current == "REVOKE":
        state.write("delete from sf_grant where kind = ? and name = ?", item.kind, item.name)
        state.write("delete from sf_role_grant where role_kind = ? and role = ?", item.kind, item.name)
    else:
        state.write("update sf_grant set by_role = ? where kind = ? and name = ?", to[1], item.kind, item.name)
        state.write("update sf_role_grant set by_role = ? where role_kind = ? and role = ?", to[1], item.kind, item.name)
    item.owner_kind, item.owner = to
    state.save(item)


def _future(state: State, rights: Rights, target: Target, to: Role, *, giving: bool) -> None:
    need_future(state, rights, target)
    where = "privilege = 'OWNERSHIP' and kind = ? and in_kind = ? and in_name = ?"
    key = (target.kind, target.in_kind, target.in_name)
    if giving:  # what is to be made has one owner: the last one said
        state.write(f"delete from sf_future where {where}", *key)
        sql = "insert into sf_future values ('OWNERSHIP', ?, ?, ?, ?, ?, 1, ?, ?)"
        state.write(sql, *key, *to, clock.now(), rights.session.role)
    else:
        state.write(f"delete from sf_future where {where} and grantee_kind = ? and grantee = ?", *key, *to)


def need_future(state: State, rights: Rights, target: Target) -> None:
    """MANAGE GRANTS, or the ownership of the managed-access schema in which the objects will be.

    https://docs.snowflake.com/en/sql-reference/sql/grant-privilege#access-control-requirements
    """
    item = state.get(target.in_kind, target.in_name)
    managed = target.in_kind == "SCHEMA" and item is not None and bool(item.props.get("MANAGED ACCESS"))
    if not (rights.manages_grants or (managed and item is not None and rights.owns(item))):
        raise denied(target.in_kind, names.last(target.in_name))
