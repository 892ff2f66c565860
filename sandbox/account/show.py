"""SHOW of objects and grants, with Snowflake's columns."""

from __future__ import annotations

import re
from typing import Any

from sandbox.account import parameters
from sandbox.account.definitions import IN_SCHEMA, full_name, kind_next
from sandbox.account.errors import no_object, unsupported
from sandbox.account.privileges import ACCOUNT, Rights
from sandbox.account.reader import Reader
from sandbox.account.state import Object, State
from sandbox.account.wire import Result

_TIME = {"created_on", "resumed_on", "updated_on"}
_PLURALS = {
    "DATABASE ROLES": "DATABASE ROLE",
    "RESOURCE MONITORS": "RESOURCE MONITOR",
    "NETWORK POLICIES": "NETWORK POLICY",
    "DATABASES": "DATABASE",
    "SCHEMAS": "SCHEMA",
    "ROLES": "ROLE",
    "USERS": "USER",
    "WAREHOUSES": "WAREHOUSE",
    "TABLES": "TABLE",
    "VIEWS": "VIEW",
    "SEQUENCES": "SEQUENCE",
    "STAGES": "STAGE",
}


def show(state: State, rights: Rights, reader: Reader) -> Result:
    """SHOW ..."""
    if reader.take("PARAMETERS"):
        return parameters.show(state, rights, reader)
    if reader.take("FUTURE", "GRANTS"):
        return _future_grants(state, rights, reader)
    if reader.take("GRANTS"):
        return _grants(state, rights, reader)
    reader.take("TERSE")
    kind = next((kind for plural, kind in _PLURALS.items() if reader.take(*plural.split())), None)
    if kind is None:
        raise unsupported(reader.sql)
    return _objects(state, rights, reader, kind)


def _objects(state: State, rights: Rights, reader: Reader, kind: str) -> Result:
    like = reader.string() if reader.take("LIKE") else None
    within = ""
    if reader.take("IN"):
        if reader.take("ACCOUNT"):
            pass
        elif reader.take("SCHEMA"):
            within = full_name("SCHEMA", reader.name(), rights)
        else:
            reader.take("DATABASE")
            within = reader.name()
    elif kind == "SCHEMA" and rights.session.database:
        within = rights.session.database
    starts = reader.string() if reader.take("STARTS", "WITH") else ""
    if reader.take("LIMIT"):
        reader.any()
        if reader.take("FROM"):
            reader.string()
    reader.end()
    if within:
        holder = "SCHEMA" if "." in within else "DATABASE"
        item = state.get(holder, within)
        if item is None or not (rights.sees(item) or (holder == "DATABASE" and rights.sees_database(within))):
            raise no_object(holder.capitalize(), within)
    found = [
        item
        for item in state.all(kind)
        if rights.sees(item)
        and (not within or item.name.startswith(f"{within}."))
        and (like is None or _matches(like, item.last_name))
        and item.last_name.startswith(starts)
    ]
    rows = [_row(state, rights, item) for item in found]
    columns = list(_row(state, rights, Object(0, kind, "A.B.C", "", 0.0)))
    return Result([(name, _type(name)) for name in columns], [list(row.values()) for row in rows])


def _row(state: State, rights: Rights, item: Object) -> dict[str, Any]:
    props, session = item.props, rights.session
    common: dict[str, Any] = {"created_on": item.created, "name": item.last_name}
    tail = {"owner": item.owner, "comment": props.get("COMMENT", "")}
    if item.kind in ("DATABASE", "SCHEMA"):
        current = session.database if item.kind == "DATABASE" else session.schema
        options = "MANAGED ACCESS" if props.get("MANAGED ACCESS") else ""
        row = {**common, "is_default": "N", "is_current": "Y" if current == item.last_name else "N"}
        row |= {"database_name": item.parent} if item.kind == "SCHEMA" else {"origin": ""}
        row |= {**tail, "options": options, "retention_time": str(props.get("DATA_RETENTION_TIME_IN_DAYS", "1"))}
        row |= {"owner_role_type": "ROLE", "dropped_on": None}
        return row | ({"kind": "STANDARD", "resource_group": ""} if item.kind == "DATABASE" else {})
    if item.kind in ("ROLE", "DATABASE ROLE"):
        return common | _role_counts(state, item) | tail | {"owner_role_type": "ROLE"}
    if item.kind == "USER":
        return _user(rights, item)
    if item.kind == "WAREHOUSE":
        return _warehouse(item)
    if item.kind == "RESOURCE MONITOR":
        return {
            "name": item.name, "credit_quota": props.get("CREDIT_QUOTA"), "used_credits": "0.00",
            "remaining_credits": props.get("CREDIT_QUOTA"), "level": None, "frequency": props.get("FREQUENCY", "MONTHLY"),
            "start_time": props.get("START_TIMESTAMP", ""), "end_time": None,
            "notify_at": ",".join(props.get("NOTIFY", [])), "suspend_at": ",".join(props.get("SUSPEND", [])),
            "suspend_immediately_at": ",".join(props.get("SUSPEND_IMMEDIATE", [])),
            "created_on": item.created, "notify_users": "", **tail,
        }  # fmt: skip
    if item.kind == "NETWORK POLICY":
        counted = {
            f"entries_in_{which}": len(props.get(key, []))
            for which, key in (("allowed_ip_list", "ALLOWED_IP_LIST"), ("blocked_ip_list", "BLOCKED_IP_LIST"))
        }
        rules = {"entries_in_allowed_network_rules": 0, "entries_in_blocked_network_rules": 0}
        return {**common, "comment": props.get("COMMENT", ""), **counted, **rules}
    database, _, schema = item.parent.partition(".")
    return {**common, "database_name": database, "schema_name": schema, "kind": "TABLE", **tail, "rows": 0, "bytes": 0}


def _role_counts(state: State, item: Object) -> dict[str, Any]:
    granted = state.rows("select * from sf_role_grant where role_kind = ? and role = ?", item.kind, item.name)
    held = state.rows("select * from sf_role_grant where grantee_kind = ? and grantee = ?", item.kind, item.name)
    to = [row["grantee_kind"] for row in granted]
    first = {"is_default": "N", "is_current": "N", "is_inherited": "N"}
    if item.kind == "ROLE":
        return {
            **first,
            "assigned_to_users": to.count("USER"),
            "granted_to_roles": to.count("ROLE"),
            "granted_roles": len(held),
        }
    return {
        **first,
        "granted_to_roles": to.count("ROLE"),
        "granted_to_database_roles": to.count("DATABASE ROLE"),
        "granted_database_roles": len(held),
    }


def _user(rights: Rights, item: Object) -> dict[str, Any]:
    props = item.props
    full = rights.owns(item) or rights.manages_grants
    secondary = props.get("DEFAULT_SECONDARY_ROLES", ["ALL"])
    shown = {
        "login_name": props.get("LOGIN_NAME", item.name).upper(),
        "display_name": props.get("DISPLAY_NAME", item.name),
        "first_name": props.get("FIRST_NAME", ""),
        "last_name": props.get("LAST_NAME", ""),
        "email": props.get("EMAIL", ""),
        "mins_to_unlock": "",
        "days_to_expiry": "",
        "comment": props.get("COMMENT", ""),
        "disabled": str(props.get("DISABLED", "false")),
        "must_change_password": "false",
        "snowflake_lock": "false",
        "default_warehouse": props.get("DEFAULT_WAREHOUSE", ""),
        "default_namespace": props.get("DEFAULT_NAMESPACE", ""),
        "default_role": props.get("DEFAULT_ROLE", ""),
        "default_secondary_roles": "[" + ", ".join(f'"{role}"' for role in secondary) + "]",
        "ext_authn_duo": "false",
        "ext_authn_uid": "",
        "mins_to_bypass_mfa": "",
    }
    if not full and item.name != rights.session.user:
        shown = dict.fromkeys(shown, "")
    keyed = bool(props.get("RSA_PUBLIC_KEY") or props.get("RSA_PUBLIC_KEY_2"))
    return {
        "name": item.name, "created_on": item.created, **shown, "owner": item.owner, "last_success_login": None,
        "expires_at_time": None, "locked_until_time": None, "has_password": bool(props.get("PASSWORD")),
        "has_rsa_public_key": keyed, "type": props.get("TYPE", ""), "has_mfa": False,
    }  # fmt: skip


def _warehouse(item: Object) -> dict[str, Any]:
    props = item.props
    return {
        "name": item.name, "state": "SUSPENDED" if props.get("INITIALLY_SUSPENDED") == "true" else "STARTED",
        "type": props.get("WAREHOUSE_TYPE", "STANDARD"), "size": props.get("WAREHOUSE_SIZE", "X-Small"),
        "min_cluster_count": props.get("MIN_CLUSTER_COUNT", 1), "max_cluster_count": props.get("MAX_CLUSTER_COUNT", 1),
        "started_clusters": 0, "running": 0, "queued": 0, "is_default": "N", "is_current": "N",
        "auto_suspend": props.get("AUTO_SUSPEND", 600), "auto_resume": props.get("AUTO_RESUME", "true"), "available": "",
        "provisioning": "", "quiescing": "", "other": "", "created_on": item.created, "resumed_on": item.created,
        "updated_on": item.created, "owner": item.owner, "comment": props.get("COMMENT", ""),
        "enable_query_acceleration": props.get("ENABLE_QUERY_ACCELERATION", "false"),
        "query_acceleration_max_scale_factor": props.get("QUERY_ACCELERATION_MAX_SCALE_FACTOR", 8),
        "resource_monitor": props.get("RESOURCE_MONITOR", "null"), "actives": "0", "pendings": "0", "failed": "0",
        "suspended": "1", "uuid": str(item.id), "scaling_policy": props.get("SCALING_POLICY", "STANDARD"),
        "owner_role_type": "ROLE",
    }  # fmt: skip


_GRANT = ["created_on", "privilege", "granted_on", "name", "granted_to", "grantee_name", "grant_option", "granted_by"]


def _grants(state: State, rights: Rights, reader: Reader) -> Result:
    if reader.take("ON"):
        if reader.take("ACCOUNT"):
            kind, name = ACCOUNT, ""
        else:
            found = kind_next(reader)
            if found is None:
                raise unsupported(reader.sql)
            kind, name = found, full_name(found, reader.name(), rights)
            item = state.get(kind, name)
            if item is None or not rights.sees(item):
                raise no_object(kind.capitalize(), name)
        return _privilege_rows(state, "kind = ? and name = ?", kind, name)
    if reader.take("OF"):
        kind = "DATABASE ROLE" if reader.take("DATABASE", "ROLE") else "ROLE"
        if kind == "ROLE":
            reader.need("ROLE")
        name = full_name(kind, reader.name(), rights)
        if state.get(kind, name) is None:
            raise no_object(kind.capitalize(), name)
        rows = state.rows("select * from sf_role_grant where role_kind = ? and role = ?", kind, name)
        # Of a role in a database, the database role grantees are shown qualified.
        table = [[r["created"], name, r["grantee_kind"].replace(" ", "_"), r["grantee"], r["by_role"]] for r in rows]
        columns = ["created_on", "role", "granted_to", "grantee_name", "granted_by"]
        return Result([(column, _type(column)) for column in columns], table)
    if reader.take("TO"):
        return _grants_to(state, rights, reader)
    return _privilege_rows(state, "grantee_kind = 'ROLE' and grantee = ?", rights.session.role or "")


def _grants_to(state: State, rights: Rights, reader: Reader) -> Result:
    kind = next((k for k in ("DATABASE ROLE", "ROLE", "USER") if reader.take(*k.split())), None)
    if kind is None:
        raise unsupported(reader.sql)
    name = full_name(kind, reader.name(), rights)
    if state.get(kind, name) is None:
        raise no_object(kind.capitalize(), name)
    held = state.rows("select * from sf_role_grant where grantee_kind = ? and grantee = ?", kind, name)
    if kind == "USER":
        columns = ["created_on", "role", "granted_to", "grantee_name", "granted_by"]
        table = [[r["created"], r["role"], "USER", name, r["by_role"]] for r in held]
        return Result([(column, _type(column)) for column in columns], table)
    result = _privilege_rows(state, "grantee_kind = ? and grantee = ?", kind, name)
    for r in held:
        row = [
            r["created"],
            "USAGE",
            r["role_kind"].replace(" ", "_"),
            r["role"],
            kind.replace(" ", "_"),
            name,
            False,
            r["by_role"],
        ]
        result.rows.append(row)
    owned = [item for k in ("SCHEMA", *IN_SCHEMA, "ROLE", "DATABASE ROLE", "USER") for item in state.all(k)]
    if kind == "ROLE":
        for item in owned:
            if item.owner == name:
                granted_on = item.kind.replace(" ", "_")
                result.rows.append([item.created, "OWNERSHIP", granted_on, item.name, "ROLE", name, True, name])
    return result


def _privilege_rows(state: State, where: str, *values: Any) -> Result:
    rows = state.rows(f"select * from sf_grant where {where} order by name, privilege", *values)
    table = []
    for r in rows:
        to_kind = r["grantee_kind"].replace(" ", "_")
        # On an object, a database role is named without its database, as the provider's Read expects.
        grantee = r["grantee"].rsplit(".", 1)[-1]
        on = r["kind"].replace(" ", "_")
        table.append([r["created"], r["privilege"], on, r["name"], to_kind, grantee, bool(r["option"]), r["by_role"]])
    if where.startswith("kind") and values[0] != ACCOUNT and (item := state.get(*values)) is not None:
        on = item.kind.replace(" ", "_")
        table.append([item.created, "OWNERSHIP", on, item.name, "ROLE", item.owner, True, item.owner])
    return Result([(column, _type(column)) for column in _GRANT], table)


def _future_grants(state: State, rights: Rights, reader: Reader) -> Result:
    if reader.take("IN"):
        kind = "SCHEMA" if reader.take("SCHEMA") else "DATABASE"
        if kind == "DATABASE":
            reader.need("DATABASE")
        name = full_name(kind, reader.name(), rights)
        item = state.get(kind, name)
        if item is None or not rights.sees(item):
            raise no_object(kind.capitalize(), name)
        rows = state.rows("select * from sf_future where in_kind = ? and in_name = ?", kind, name)
    else:
        reader.need("TO")
        kind = "DATABASE ROLE" if reader.take("DATABASE", "ROLE") else "ROLE"
        if kind == "ROLE":
            reader.need("ROLE")
        name = full_name(kind, reader.name(), rights)
        if state.get(kind, name) is None:
            raise no_object(kind.capitalize(), name)
        rows = state.rows("select * from sf_future where grantee_kind = ? and grantee = ?", kind, name)
    columns = ["created_on", "privilege", "grant_on", "name", "grant_to", "grantee_name", "grant_option"]
    table = [
        [
            r["created"], r["privilege"], r["kind"].replace(" ", "_"), f"{r['in_name']}.<{r['kind']}>",
            r["grantee_kind"].replace(" ", "_"), r["grantee"].rsplit(".", 1)[-1], bool(r["option"]),
        ]
        for r in rows
    ]  # fmt: skip
    return Result([(column, _type(column)) for column in columns], table)


def _matches(pattern: str, name: str) -> bool:
    """SQL's LIKE, without regard to case, as SHOW ... LIKE has it."""
    parts = ["." if c == "_" else ".*" if c == "%" else re.escape(c) for c in pattern.replace("\\_", "\x00")]
    return re.fullmatch("".join(parts).replace("\\\x00", "_").replace("\x00", "_"), name, re.I) is not None


def _type(column: str) -> str:
    return "timestamp_ltz" if column in _TIME else "text"
