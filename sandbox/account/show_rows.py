"""What SHOW tells of each kind of object: Snowflake's columns, which the provider reads by name.

https://docs.snowflake.com/en/sql-reference/sql/show-databases and its neighbours
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.account import names, users
from sandbox.account.privileges import Rights
from sandbox.account.state import Object, State
from sandbox.account.values import INTEGER, TEXT, TIME, Type
from sandbox.identities import SNOWFLAKE_ACCOUNT, SNOWFLAKE_ORGANIZATION

_TERSE = ("kind", "database_name", "schema_name")
_TIMES = {
    "created_on", "resumed_on", "updated_on", "dropped_on", "last_success_login", "expires_at_time", "locked_until_time",
}  # fmt: skip
_NUMBERS = {
    "assigned_to_users", "granted_to_roles", "granted_roles", "granted_to_database_roles", "granted_database_roles",
    "entries_in_allowed_ip_list", "entries_in_blocked_ip_list", "entries_in_allowed_network_rules",
    "entries_in_blocked_network_rules", "min_cluster_count", "max_cluster_count", "started_clusters", "running", "queued",
    "auto_suspend", "query_acceleration_max_scale_factor", "rows", "bytes", "next_value", "interval",
    "search_optimization_bytes",
}  # fmt: skip
_SIZES = {
    "XSMALL": "X-Small", "SMALL": "Small", "MEDIUM": "Medium", "LARGE": "Large", "XLARGE": "X-Large", "XXLARGE": "2X-Large",
    "X2LARGE": "2X-Large", "2XLARGE": "2X-Large", "XXXLARGE": "3X-Large", "X3LARGE": "3X-Large", "3XLARGE": "3X-Large",
    "X4LARGE": "4X-Large", "4XLARGE": "4X-Large", "X5LARGE": "5X-Large", "5XLARGE": "5X-Large", "X6LARGE": "6X-Large",
    "6XLARGE": "6X-Large",
}  # fmt: skip


_OF_USERS = (
    "login_name", "display_name", "first_name", "last_name", "email", "mins_to_unlock", "days_to_expiry", "comment",
    "default_warehouse", "default_namespace", "default_role", "default_secondary_roles", "ext_authn_uid",
    "mins_to_bypass_mfa", "type",
)  # fmt: skip


def is_shown(kind: str) -> bool:
    """Whether SHOW knows the columns; the provider asks for pipes, of which there are none."""
    return kind in _ORDER


def columns_of(kind: str, wanted: tuple[str, ...] = ()) -> list[tuple[str, Type]]:
    """The columns of SHOW <kind>s with their types, or those that are wanted."""
    names_ = wanted or _ORDER[kind].split()
    return [(name, TIME if name in _TIMES else INTEGER if name in _NUMBERS else TEXT) for name in names_]


def row_of(state: State, rights: Rights, item: Object, columns: list[tuple[str, Type]]) -> list[Any]:
    """One row, in the order of the columns."""
    told = {
        "created_on": item.created,
        "name": item.last_name,
        "owner": names.last(item.owner),
        "owner_role_type": item.owner_kind.replace(" ", "_"),
        "comment": item.props.get("COMMENT", ""),
    }
    kind = item.kind if item.kind in _MORE else "VIEW" if "query" in item.props else "TABLE"
    told |= _MORE[kind](state, rights, item)
    if any(name == "is_iceberg" for name, _ in columns):
        told = dict.fromkeys(("cluster_by", "rows", "bytes", "retention_time", "budget")) | told
        told |= {"kind": kind, "is_hybrid": "N", "is_dynamic": "N", "is_iceberg": "N"}
    return [told.get(name) if name in _TERSE else told[name] for name, _ in columns]


def _database(state: State, rights: Rights, item: Object) -> dict[str, Any]:
    return {
        "is_default": "N", "is_current": _yes(rights.session.database == item.name), "origin": "", "options": "",
        "retention_time": str(item.props.get("DATA_RETENTION_TIME_IN_DAYS", "1")), "dropped_on": None, "kind": "STANDARD",
        "resource_group": "",
    }  # fmt: skip


def _schema(state: State, rights: Rights, item: Object) -> dict[str, Any]:
    session, database = rights.session, state.get("DATABASE", item.parent)
    inherited = database.props.get("DATA_RETENTION_TIME_IN_DAYS", "1") if database is not None else "1"
    return {
        "is_default": "N", "is_current": _yes(f"{session.database}.{session.schema}" == item.name),
        "database_name": names.last(item.parent),
        "options": ", ".join(word for word in ("TRANSIENT", "MANAGED ACCESS") if item.props.get(word)),
        "retention_time": str(item.props.get("DATA_RETENTION_TIME_IN_DAYS", inherited)), "dropped_on": None,
    }  # fmt: skip


def _role(state: State, rights: Rights, item: Object) -> dict[str, Any]:
    sql = "select grantee_kind from sf_role_grant where role_kind = ? and role = ?"
    to = [row["grantee_kind"] for row in state.rows(sql, item.kind, item.name)]
    sql = "select role_kind from sf_role_grant where grantee_kind = ? and grantee = ?"
    held = [row["role_kind"] for row in state.rows(sql, item.kind, item.name)]
    current = item.kind == "ROLE" and rights.session.role == item.name
    return {
        "is_default": "N", "is_current": _yes(current),
        "is_inherited": _yes(not current and (item.kind, item.name) in rights.primary),
        "assigned_to_users": to.count("USER"), "granted_to_roles": to.count("ROLE"),
        "granted_roles": held.count("ROLE"), "granted_to_database_roles": to.count("DATABASE ROLE"),
        "granted_database_roles": held.count("DATABASE ROLE"),
    }  # fmt: skip


def _user(state: State, rights: Rights, item: Object) -> dict[str, Any]:
    props = users.told(item)
    told = {name: props.get(name.upper(), "") for name in _OF_USERS}
    told |= {name: props.get(name.upper(), "false") for name in ("disabled", "must_change_password")}
    told |= dict.fromkeys(("snowflake_lock", "ext_authn_duo", "has_mfa", "has_pat", "has_workload_identity"), "false")
    told |= {
        "has_password": _word("PASSWORD" in props),
        "has_rsa_public_key": _word("RSA_PUBLIC_KEY" in props or "RSA_PUBLIC_KEY_2" in props),
    }
    # https://docs.snowflake.com/en/sql-reference/sql/show-users: others see the name only
    if not rights.knows(item):
        told = dict.fromkeys(told)
    ends = {"expires_at_time": users.until(item, "DAYS_TO_EXPIRY"), "locked_until_time": users.until(item, "MINS_TO_UNLOCK")}
    return told | ends | {"last_success_login": None}


def _warehouse(state: State, rights: Rights, item: Object) -> dict[str, Any]:
    props = item.props
    running = props.get("INITIALLY_SUSPENDED") != "true"
    return {
        "state": "STARTED" if running else "SUSPENDED", "type": props.get("WAREHOUSE_TYPE", "STANDARD"),
        "size": _SIZES[str(props.get("WAREHOUSE_SIZE", "XSMALL")).replace("-", "")],
        "min_cluster_count": int(props.get("MIN_CLUSTER_COUNT", 1)),
        "max_cluster_count": int(props.get("MAX_CLUSTER_COUNT", 1)),
        "started_clusters": int(running), "running": 0, "queued": 0, "is_default": "N",
        "is_current": _yes(rights.session.warehouse == item.name), "is_interactive": "N",
        "auto_suspend": int(props.get("AUTO_SUSPEND", 600)), "auto_resume": props.get("AUTO_RESUME", "true"),
        "available": "100" if running else "", "provisioning": "0" if running else "", "quiescing": "0" if running else "",
        "other": "0" if running else "", "resumed_on": item.created, "updated_on": item.created,
        "enable_query_acceleration": props.get("ENABLE_QUERY_ACCELERATION", "false"),
        "query_acceleration_max_scale_factor": int(props.get("QUERY_ACCELERATION_MAX_SCALE_FACTOR", 8)),
        "resource_monitor": props.get("RESOURCE_MONITOR", "null"), "actives": str(int(running)), "pendings": "0",
        "failed": "0", "suspended": str(int(not running)), "uuid": str(item.id),
        "scaling_policy": props.get("SCALING_POLICY", "STANDARD"), "budget": None, "warehouse_credit_limit": None,
        "target_statement_size": None, "disabled_reasons": None, "generation": props.get("GENERATION", "1"),
        "resource_constraint": props.get("RESOURCE_CONSTRAINT"),
    }  # fmt: skip


def _monitor(state: State, rights: Rights, item: Object) -> dict[str, Any]:
    props = item.props
    quota = f"{float(props['CREDIT_QUOTA']):.2f}" if "CREDIT_QUOTA" in props else None
    used_by = [each for each in state.all("WAREHOUSE") if each.props.get("RESOURCE_MONITOR") == item.name]
    return {
        "credit_quota": quota, "used_credits": "0.00", "remaining_credits": quota, "level": "WAREHOUSE" if used_by else None,
        "frequency": props.get("FREQUENCY", "MONTHLY"), "start_time": _start(item),
        "end_time": props.get("END_TIMESTAMP"), "notify_at": _triggers(props, "NOTIFY"),
        "suspend_at": _triggers(props, "SUSPEND"), "suspend_immediately_at": _triggers(props, "SUSPEND_IMMEDIATE"),
        "notify_users": ", ".join(props.get("NOTIFY_USERS", [])),
    }  # fmt: skip


def _start(item: Object) -> str:
    """When it began to count, in the account's time zone; IMMEDIATELY is when it was made."""
    said = str(item.props.get("START_TIMESTAMP", "IMMEDIATELY"))
    if said.upper() != "IMMEDIATELY":
        return said
    return datetime.fromtimestamp(item.created, UTC).strftime("%Y-%m-%d %H:%M:%S.000 +0000")


def _policy(state: State, rights: Rights, item: Object) -> dict[str, Any]:
    return {
        "entries_in_allowed_ip_list": len(item.props.get("ALLOWED_IP_LIST", [])),
        "entries_in_blocked_ip_list": len(item.props.get("BLOCKED_IP_LIST", [])),
        "entries_in_allowed_network_rules": 0,
        "entries_in_blocked_network_rules": 0,
    }


def _share(state: State, rights: Rights, item: Object) -> dict[str, Any]:
    sql = "select name from sf_grant where kind = 'DATABASE' and grantee_kind = 'SHARE' and grantee = ?"
    databases = [names.last(row["name"]) for row in state.rows(sql, item.name)]
    return {
        "kind": "OUTBOUND", "owner_account": f"{SNOWFLAKE_ORGANIZATION}.{SNOWFLAKE_ACCOUNT}",
        "database_name": databases[0] if databases else "", "to": "", "listing_global_name": "",
        "secure_objects_only": "true",
    }  # fmt: skip


def _in_schema(state: State, rights: Rights, item: Object) -> dict[str, Any]:
    where = {"database_name": names.last(names.database_of(item.name)), "schema_name": names.last(item.parent)}
    if item.kind not in ("VIEW", "SEQUENCE", "STAGE", "FILE FORMAT", "TAG") and "query" not in item.props:
        return where | {
            "kind": item.props.get("kind", "TABLE"), "cluster_by": "", "rows": None, "bytes": None, "retention_time": "1",
            "automatic_clustering": "OFF", "change_tracking": "OFF", "search_optimization": "OFF",
            "search_optimization_progress": None, "search_optimization_bytes": None, "is_external": "N",
            "enable_schema_evolution": "N", "is_event": "N", "budget": None, "dropped_on": None,
        }  # fmt: skip
    if "query" in item.props:
        return where | {
            "kind": "", "reserved": "", "text": item.props.get("text", ""), "is_secure": "false",
            "is_materialized": "false", "change_tracking": "OFF",
        }  # fmt: skip
    if item.kind == "SEQUENCE":
        start, by = (int(item.props.get(key, 1)) for key in ("START", "INCREMENT"))
        return where | {"next_value": start, "interval": by, "ordered": "N"}
    if item.kind == "TAG":
        return where | {"allowed_values": None, "propagate": "NONE", "on_conflict": None}
    if item.kind == "FILE FORMAT":
        return where | {"type": "PARQUET", "format_options": json.dumps(item.props["options"])}
    return where | {
        "url": "", "has_credentials": "N", "has_encryption_key": "N", "region": None, "type": "INTERNAL", "cloud": None,
        "notification_channel": None, "storage_integration": None, "endpoint": None, "directory_enabled": "N",
    }  # fmt: skip


def _triggers(props: dict[str, Any], action: str) -> str | None:
    return ",".join(props.get(action, [])) or None


def _yes(value: bool) -> str:
    return "Y" if value else "N"


def _word(value: bool) -> str:
    return "true" if value else "false"


_MORE: dict[str, Callable[[State, Rights, Object], dict[str, Any]]] = {
    "DATABASE": _database, "SCHEMA": _schema, "ROLE": _role, "DATABASE ROLE": _role, "USER": _user,
    "WAREHOUSE": _warehouse, "RESOURCE MONITOR": _monitor, "NETWORK POLICY": _policy, "SHARE": _share,
    **dict.fromkeys(("TABLE", "VIEW", "SEQUENCE", "STAGE", "FILE FORMAT", "TAG"), _in_schema),
}  # fmt: skip
_ORDER = {
    "DATABASE": "created_on name is_default is_current origin owner comment options retention_time kind owner_role_type"
    " dropped_on resource_group",
    "SCHEMA": "created_on name is_default is_current database_name owner comment options retention_time owner_role_type"
    " dropped_on",
    "ROLE": "created_on name is_default is_current is_inherited assigned_to_users granted_to_roles granted_roles owner"
    " comment",
    "DATABASE ROLE": "created_on name is_default is_current is_inherited granted_to_roles granted_to_database_roles"
    " granted_database_roles owner comment owner_role_type",
    "USER": "name created_on login_name display_name first_name last_name email mins_to_unlock days_to_expiry comment"
    " disabled must_change_password snowflake_lock default_warehouse default_namespace default_role default_secondary_roles"
    " ext_authn_duo ext_authn_uid mins_to_bypass_mfa owner last_success_login expires_at_time locked_until_time has_password"
    " has_rsa_public_key type has_mfa has_pat has_workload_identity",
    "WAREHOUSE": "name state type size min_cluster_count max_cluster_count started_clusters running queued is_default"
    " is_current is_interactive auto_suspend auto_resume available provisioning quiescing other created_on resumed_on"
    " updated_on owner comment enable_query_acceleration query_acceleration_max_scale_factor resource_monitor actives"
    " pendings failed suspended uuid scaling_policy budget owner_role_type resource_constraint warehouse_credit_limit"
    " target_statement_size"
    " disabled_reasons generation",
    "RESOURCE MONITOR": "name credit_quota used_credits remaining_credits level frequency start_time end_time notify_at"
    " suspend_at suspend_immediately_at created_on owner comment notify_users",
    "NETWORK POLICY": "created_on name comment entries_in_allowed_ip_list entries_in_blocked_ip_list"
    " entries_in_allowed_network_rules entries_in_blocked_network_rules",
    "SHARE": "created_on kind owner_account name database_name to owner comment listing_global_name secure_objects_only",
    "TABLE": "created_on name database_name schema_name kind comment cluster_by rows bytes owner retention_time"
    " automatic_clustering change_tracking search_optimization search_optimization_progress search_optimization_bytes"
    " is_external enable_schema_evolution owner_role_type is_event budget dropped_on",
    "VIEW": "created_on name reserved database_name schema_name owner comment text is_secure is_materialized owner_role_type"
    " change_tracking kind",
    "SEQUENCE": "name database_name schema_name next_value interval created_on owner comment owner_role_type ordered",
    "PIPE": "created_on name database_name schema_name definition owner notification_channel comment integration pattern"
    " error_integration owner_role_type invalid_reason kind",
    "TAG": "created_on name database_name schema_name owner comment allowed_values owner_role_type propagate on_conflict",
    "FILE FORMAT": "created_on name database_name schema_name type owner comment format_options owner_role_type",
    "STAGE": "created_on name database_name schema_name url has_credentials has_encryption_key owner comment region type"
    " cloud notification_channel storage_integration endpoint owner_role_type directory_enabled",
}
