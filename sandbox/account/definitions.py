"""CREATE and DROP of databases, schemas, roles, users, warehouses and whatever else has only properties."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.account import names, network, properties, users
from sandbox.account.errors import SqlError, denied, exists, invalid, invalid_property, no_object, unsupported
from sandbox.account.kinds import ACCOUNT, IN_DATABASE, KINDS
from sandbox.account.naming import full_name
from sandbox.account.privileges import SYSTEM_ROLES, Rights, apply_future_grants
from sandbox.account.reader import Reader
from sandbox.account.state import Object, State
from sandbox.account.wire import Result, status

EMULATED = {kind.name for kind in KINDS.values() if kind.creatable}
# Kinds whose CREATE knows OR REPLACE but not IF NOT EXISTS, by the vendor's syntax.
_NO_IF = {"SHARE"}
TRANSIENT = ("DATABASE", "SCHEMA")  # kinds that are permanent unless it is said


def create(state: State, rights: Rights, reader: Reader, kind: str, *, replace: bool, transient: bool = False) -> Result:
    """CREATE [OR REPLACE] <kind> [IF NOT EXISTS], of what is no table and no view; CREATE and OR REPLACE are read."""
    only_if_missing = kind not in _NO_IF and reader.take("IF", "NOT", "EXISTS")
    if only_if_missing and replace:
        raise SqlError("001003", "42000", "SQL compilation error:\noptions IF NOT EXISTS and OR REPLACE are incompatible.")
    name = full_name(kind, reader.name(), rights.session)
    given: dict[str, Any] = {"TRANSIENT": True} if transient else {}
    if kind == "SCHEMA" and reader.take("WITH", "MANAGED", "ACCESS"):
        given["MANAGED ACCESS"] = True
    reader.take("WITH")
    given |= properties.read(reader, kind)
    if kind == "USER":
        if "DISABLE_MFA" in given:  # ALTER only
            raise invalid_property("DISABLE_MFA", kind)
        # They stay what they are when the user is renamed.
        named = {"LOGIN_NAME": names.last(name), "DISPLAY_NAME": names.last(name)}
        given = named | users.prepare(given, str(given.get("TYPE", "PERSON")))
    given = {key: value for key, value in given.items() if value is not None}
    there = state.get(kind, name)
    check_values(state, kind, given, there if replace else None)
    need_create(state, rights, kind, name)
    shown = names.last(name)
    if there is not None and only_if_missing:
        return status(f"{shown} already exists, statement succeeded.")
    if there is not None and not replace:
        raise exists(shown if KINDS[kind].depth == 1 else name)
    if there is not None:
        _need_drop(rights, there)
    with state.together():
        if there is not None:
            state.remove(there, rights.session.role)
        _add(state, rights, kind, name, given)
    return status(f"{kind.capitalize()} {shown} successfully created.")


def _add(state: State, rights: Rights, kind: str, name: str, given: dict[str, Any]) -> None:
    role = rights.session.role
    made = state.add(kind, name, role, given)
    if kind == "DATABASE":
        apply_future_grants(state, state.add("SCHEMA", f"{name}.PUBLIC", role, {}))
        use(state, rights, name, f"{name}.PUBLIC")
    if kind == "SCHEMA":
        use(state, rights, names.holder(name), name)
    if kind == "WAREHOUSE":
        rights.session.warehouse = name
        state.write("update sf_session set warehouse = ? where id = ?", name, rights.session.id)
    if kind in IN_DATABASE:
        apply_future_grants(state, made)


def use(state: State, rights: Rights, database: str, schema: str | None) -> None:
    """What a session works in from now on; a new database, schema or warehouse is in use at once, as in the product."""
    session = rights.session
    session.database, session.schema = database, names.quoted_if_needed(names.last(schema)) if schema else None
    sql = "update sf_session set database = ?, schema = ? where id = ?"
    state.write(sql, session.database, session.schema, session.id)


def need_create(state: State, rights: Rights, kind: str, name: str) -> None:
    """The privilege to make one, and the use of what is to hold it."""
    made_in, holder = KINDS[kind].made_in, names.holder(name)
    if made_in == "SCHEMA":
        rights.need_usage(holder)
    elif made_in == "DATABASE" and not rights.uses("DATABASE", holder):
        raise no_object("Database", holder)
    if kind in ("RESOURCE MONITOR",) and not rights.is_admin:
        # https://docs.snowflake.com/en/sql-reference/sql/create-resource-monitor: account administrators only
        raise denied(ACCOUNT, "SANDBOX")
    rights.need(f"CREATE {kind}", made_in, holder)


def check_values(state: State, kind: str, given: dict[str, Any], item: Object | None = None) -> None:
    """What is named must be there, a login name must be nobody else's, an address must be one."""
    if kind == "NETWORK POLICY":
        network.check_list([*(given.get("ALLOWED_IP_LIST") or []), *(given.get("BLOCKED_IP_LIST") or [])])
    if (policy := given.get("NETWORK_POLICY")) and state.get("NETWORK POLICY", policy) is None:
        raise no_object("Network policy", policy)
    if (monitor := given.get("RESOURCE_MONITOR")) and state.get("RESOURCE MONITOR", monitor) is None:
        raise no_object("Resource monitor", monitor)
    for user in given.get("NOTIFY_USERS") or []:
        if state.get("USER", names.join([user])) is None:
            raise SqlError("090268", "22023", f"User {user} does not exist")
    known = (item.props if item else {}) | given
    at_least, at_most = (int(known.get(f"{end}_CLUSTER_COUNT") or 1) for end in ("MIN", "MAX"))
    if kind == "WAREHOUSE" and at_least > at_most:
        raise invalid(f"MAX_CLUSTER_COUNT {at_most} is less than MIN_CLUSTER_COUNT {at_least}")
    for key in ("START_TIMESTAMP", "END_TIMESTAMP"):
        if (said := str(given.get(key) or "IMMEDIATELY")).upper() != "IMMEDIATELY":
            try:
                datetime.fromisoformat(said)
            except ValueError:
                raise invalid(f"Invalid date/time format string '{said}'") from None
    if kind == "USER" and (login := given.get("LOGIN_NAME")):
        for other in state.all("USER"):
            if users.login_name(other) == login and (item is None or other.id != item.id):
                raise exists(str(login))


def drop(state: State, rights: Rights, reader: Reader, kind: str) -> Result:
    """DROP <kind> [IF EXISTS] [CASCADE | RESTRICT]"""
    only_if_there = reader.take("IF", "EXISTS")
    name = full_name(kind, reader.name(), rights.session)
    restrict = kind in ("DATABASE", "SCHEMA", "TABLE", "VIEW") and not reader.take("CASCADE") and reader.take("RESTRICT")
    reader.end()
    if restrict:
        raise unsupported(f"DROP {kind} ... RESTRICT")
    item = state.get(kind, name)
    if kind in ("TABLE", "VIEW") and (mine := state.get(state.temporary(rights.session.id), name)) is not None:
        item = mine if ("query" in mine.props) == (kind == "VIEW") else item
    if item is None or not rights.sees(item):
        if item is None and only_if_there:
            return status("Drop statement executed successfully.")
        raise no_object(kind.capitalize(), name)
    _need_drop(rights, item)
    _let_go(state, rights, item)
    with state.together():
        state.remove(item, rights.session.role)
        for which, column in (("DATABASE", "database"), ("WAREHOUSE", "warehouse")):
            if kind == which:
                state.write(f"update sf_session set {column} = null where {column} = ?", name)
        if kind == "USER":
            state.write("update sf_session set ended = 1 where user = ?", name)
    return status(f"{item.last_name} successfully dropped.")


def _need_drop(rights: Rights, item: Object) -> None:
    if item.kind == "ROLE" and item.name in SYSTEM_ROLES:
        raise denied(item.kind, item.last_name)
    rights.need_owner(item)


def _let_go(state: State, rights: Rights, item: Object) -> None:
    """What is named by others: a network policy in use stays, a resource monitor is taken from its warehouses.

    https://docs.snowflake.com/en/sql-reference/sql/drop-role: a role of future grants needs MANAGE GRANTS to be dropped.
    """
    if item.kind in ("ROLE", "DATABASE ROLE") and not rights.manages_grants:
        named = "(grantee_kind = ? and grantee = ?) or (by_role = ? and ? = 'ROLE')"
        if state.rows(f"select 1 from sf_future where {named}", item.kind, item.name, item.name, item.kind):
            raise denied(item.kind, item.last_name)
    if item.kind == "ROLE" and item.name == rights.session.role:
        message = f"Cannot drop role {item.last_name} as it is the current primary role."
        raise SqlError("003538", "42501", f"SQL execution error: {message}")
    if item.kind == "NETWORK POLICY":
        for user in state.all("USER"):
            if user.props.get("NETWORK_POLICY") == item.name:
                message = f"Cannot perform Drop operation on network policy {item.name}. The policy is attached to USER"
                raise SqlError(
                    "001492", "42601", f"SQL compilation error:\n{message} {user.name}. Unset the network policy."
                )
    if item.kind == "RESOURCE MONITOR":
        for warehouse in state.all("WAREHOUSE"):
            if warehouse.props.get("RESOURCE_MONITOR") == item.name:
                del warehouse.props["RESOURCE_MONITOR"]
                state.save(warehouse)
