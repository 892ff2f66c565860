"""What the Snowflake account has of an environment: schema, tables, grants, and the jobs' user with its role."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from infra.naming import Names, names_of
from infra.settings import Settings
from infra.vocabulary import Persona
from quantctl.adopt.model import Granted, Schema, Table, User
from quantctl.drift.account import Account
from quantctl.drift.grants import identifier, plain, quoted
from quantctl.errors import UserError

Json = dict[str, Any]
Shown = Callable[[str], list[Json]]
_WRITES = {"CREATE TABLE", "INSERT", "OWNERSHIP"}
_SYSTEM = ("ACCOUNTADMIN", "SECURITYADMIN", "SYSADMIN", "USERADMIN", "ORGADMIN", "PUBLIC")


def read(account: Account, settings: Settings) -> Json:
    """The fields of a Look that the account tells.

    Raises:
        UserError: a statement was refused, or the answer leaves open which user is the jobs'.
    """
    import snowflake.connector.errors

    try:
        return _read(account, settings)
    except (snowflake.connector.errors.Error, ValueError) as error:
        raise UserError(
            f"{settings.environment}: the account cannot be read: {' '.join(str(error).split())[:300]}",
            do_next="look with a Snowflake role that sees the schema and its grants, such as ACCOUNTADMIN",
        ) from None


def _read(account: Account, settings: Settings) -> Json:
    shown, names, database = account.shown, names_of(settings), settings.database.upper()
    schema = _schema(shown, database, names.schema)
    roles = sorted(str(row["name"]) for row in shown("ROLES"))
    on_schema = shown(f"GRANTS ON SCHEMA {quoted(f'{database}.{names.schema}')}") if schema else []
    user = _user(shown, settings, names, {str(row["grantee_name"]) for row in on_schema if row["privilege"] in _WRITES})
    role = user.role if user else names.service_role
    tables = _tables(shown, f"{database}.{names.schema}") if schema else []
    grants: list[Granted] = []
    if schema:
        held = account.held(
            database, replace(names, service_role=role, service_user=user.name if user else names.service_user)
        )
        grants = [
            Granted(
                privilege=one.privilege,
                on=one.on,
                name=one.name,
                holder_kind=one.grantee_kind,
                holder=one.grantee,
                future=one.future,
            )
            for one in sorted(held.grants)
        ]
        if user is not None:
            user = user.model_copy(update={"keys": list(held.keys or ())})
    people = {holder for holder in (one.holder for one in grants if one.holder_kind == "ROLE") if holder not in _SYSTEM}
    people |= {settings.names(persona).role.upper() for persona in Persona} & set(roles)
    return {
        "schema_": schema,
        "user": user,
        "role_owner": _owner(shown("ROLES"), role),
        "tables": tables,
        "grants": grants,
        "roles": {one: _users_of(shown, one) for one in sorted(people)},
        "roles_there": roles,
        "database_roles": sorted(str(row["name"]) for row in shown(f"DATABASE ROLES IN DATABASE {identifier(database)}")),
        **_besides(shown, settings),
    }


def _besides(shown: Shown, settings: Settings) -> Json:
    """What only some stacks declare: a warehouse, its monitor, a network policy."""
    asked = []
    if settings.managed_warehouse is not None:
        asked += [("warehouses", "WAREHOUSES"), ("resource_monitors", "RESOURCE MONITORS")]
    if settings.allowed_addresses:
        asked.append(("network_policies", "NETWORK POLICIES"))
    return {field: sorted(str(row["name"]) for row in shown(what)) for field, what in asked}


def _schema(shown: Shown, database: str, name: str) -> Schema | None:
    for row in shown(f"SCHEMAS IN DATABASE {identifier(database)}"):
        if row["name"] == name:
            options = str(row.get("options") or "").upper()
            return Schema(
                name=name,
                owner=str(row["owner"]),
                transient="TRANSIENT" in options,
                managed="MANAGED ACCESS" in options,
                retention=int(row.get("retention_time") or 0),
                comment=str(row.get("comment") or ""),
            )
    return None


def _tables(shown: Shown, schema: str) -> list[Table]:
    found = []
    for kind in ("TABLE", "VIEW"):
        for row in shown(f"{kind}S IN SCHEMA {quoted(schema)}"):
            rows = row.get("rows") if kind == "TABLE" else None
            number = None if rows is None else int(rows)
            found.append(Table(kind=kind, name=str(row["name"]), owner=str(row["owner"]), rows=number))
    return sorted(found, key=lambda table: table.name)


def _user(shown: Shown, settings: Settings, names: Names, writers: set[str]) -> User | None:
    """The user that the settings name; else the one service user that may write the schema."""
    users = {str(row["name"]): row for row in shown("USERS")}
    if names.service_user in users:
        chosen = [names.service_user]
    else:
        services = [name for name, row in users.items() if str(row.get("type") or "").upper() == "SERVICE"]
        chosen = [name for name in services if writers & set(_roles_of(shown, name))]
    if len(chosen) > 1:
        raise UserError(
            f"{settings.environment}: several service users may write the schema: {', '.join(sorted(chosen))}.",
            do_next=f"say which one is the jobs': quant:names.serviceUser in Pulumi.{settings.environment}.yaml",
        )
    if not chosen:
        return None
    name = chosen[0]
    row, roles = users[name], _roles_of(shown, name)
    default = str(row.get("default_role") or "")
    said = names.service_role if names.service_role in roles else ""
    role = said or (default if default in roles else roles[0] if len(roles) == 1 else "")
    if not role:
        raise UserError(
            f"{settings.environment}: the user {name} has {len(roles)} roles and none as its default: {', '.join(roles)}.",
            do_next=f"say which one the jobs use: quant:names.serviceRole in Pulumi.{settings.environment}.yaml",
        )
    return User(name=name, owner=str(row.get("owner") or ""), role=role, roles=roles, keys=[])


def _roles_of(shown: Shown, user: str) -> list[str]:
    rows = shown(f"GRANTS TO USER {identifier(user)}")
    return sorted(plain(row["role"]) for row in rows if row.get("role"))


def _users_of(shown: Shown, role: str, seen: frozenset[str] = frozenset()) -> list[str]:
    """Users who hold a role, by themselves or through another role; not those who administer the account."""
    found: set[str] = set()
    for row in shown(f"GRANTS OF ROLE {identifier(role)}"):
        holder = plain(row["grantee_name"])
        if row["granted_to"] == "USER":
            found.add(holder)
        elif holder not in _SYSTEM and holder not in seen:
            found |= set(_users_of(shown, holder, seen | {role}))
    return sorted(found)


def _owner(rows: list[Json], role: str) -> str:
    return next((str(row["owner"]) for row in rows if row["name"] == role), "")
