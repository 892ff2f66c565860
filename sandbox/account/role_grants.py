"""GRANT and REVOKE of account roles and database roles.

https://docs.snowflake.com/en/sql-reference/sql/grant-role and grant-database-role
"""

from __future__ import annotations

from sandbox import clock
from sandbox.account import names
from sandbox.account.errors import denied, invalid, no_object, unsupported
from sandbox.account.naming import full_name
from sandbox.account.privileges import Hierarchy, Rights
from sandbox.account.reader import Reader
from sandbox.account.state import State
from sandbox.account.wire import Result, status


def change(state: State, rights: Rights, reader: Reader, kind: str, *, giving: bool) -> Result:
    """GRANT | REVOKE [DATABASE] ROLE x TO | FROM ROLE | DATABASE ROLE | USER y; the first role's kind is read."""
    name = full_name(kind, reader.name(), rights.session)
    reader.need("TO" if giving else "FROM")
    if reader.take("SHARE"):
        raise unsupported(f"{kind} to a share")
    to_kinds = ("DATABASE ROLE", "ROLE") if kind == "DATABASE ROLE" else ("ROLE", "USER")
    to_kind = next((k for k in to_kinds if reader.take(*k.split())), None)
    if to_kind is None:
        raise reader.unexpected()
    to = full_name(to_kind, reader.name(), rights.session)
    reader.end()
    item = state.get(kind, name)
    if item is None:
        raise no_object(kind.capitalize(), name)
    if state.get(to_kind, to) is None:
        raise no_object(to_kind.capitalize(), to)
    if not (rights.owns(item) or rights.manages_grants):
        raise denied(kind, item.last_name)
    if not giving:
        where = "role_kind = ? and role = ? and grantee_kind = ? and grantee = ?"
        state.write(f"delete from sf_role_grant where {where}", kind, name, to_kind, to)
        return status("Statement executed successfully.")
    if to_kind == "DATABASE ROLE" and names.holder(to) != item.parent:
        raise invalid(f"Cannot grant database role '{name}' to database role '{to}' of another database.")
    if (to_kind, to) in Hierarchy(state).closure((kind, name)):
        raise invalid(f"Cannot grant {kind.lower()} '{name}' to '{to}': a role cannot be granted to itself.")
    by = item.owner if rights.owns(item) else rights.session.role
    sql = "insert into sf_role_grant values (?, ?, ?, ?, ?, ?) on conflict do nothing"
    state.write(sql, kind, name, to_kind, to, by, clock.now())
    return status("Statement executed successfully.")
