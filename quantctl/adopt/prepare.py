"""The SQL that an account administrator has to run before an import: printed, never run; then checked.

Who owns a schema, a role and a user changes them. Grants stay as they are: COPY CURRENT GRANTS.
https://docs.snowflake.com/en/sql-reference/sql/grant-ownership
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.naming import Names
from infra.settings import Settings
from infra.vocabulary import Persona
from quantctl.adopt.decisions import CHANGE, Decisions
from quantctl.adopt.model import Look
from quantctl.drift.grants import identifier, quoted
from quantctl.errors import UserError

Shown = Callable[[str], list[dict[str, Any]]]
ADMINISTRATORS = ("ACCOUNTADMIN", "SECURITYADMIN", "SYSADMIN", "USERADMIN", "ORGADMIN")


@dataclass(frozen=True)
class Statement:
    """A statement, and how its effect is seen: the SHOW, the row's name, and what must stand in a column."""

    sql: str
    shown: str
    name: str
    column: str
    value: str


def deployer_role(environ: dict[str, str]) -> str:
    """The Snowflake role that deploys: this shell's.

    Raises:
        UserError: there is none, or it is an administrator's.
    """
    role = environ.get("SNOWFLAKE_ROLE", "").upper()
    if not role or role in ADMINISTRATORS:
        raise UserError(
            f"Which Snowflake role deploys is unknown: this shell's is {role or 'not set'}.",
            do_next="from here on in the shell of whoever deploys: SNOWFLAKE_USER, SNOWFLAKE_ROLE and its key",
        )
    return role


def statements(look: Look, settings: Settings, names: Names, decisions: Decisions, role: str) -> list[Statement]:
    """All of them, whether they were run or not."""
    database, deployer = settings.database.upper(), identifier(role)
    found = []
    if look.schema_ is not None:
        schema, shown = quoted(f"{database}.{look.schema_.name}"), f"SCHEMAS IN DATABASE {identifier(database)}"
        to = f"TO ROLE {deployer} COPY CURRENT GRANTS"
        found += [
            Statement(f"GRANT OWNERSHIP ON SCHEMA {schema} {to}", shown, look.schema_.name, "owner", role),
            Statement(f"ALTER SCHEMA {schema} ENABLE MANAGED ACCESS", shown, look.schema_.name, "options", "MANAGED ACCESS"),
        ]
    if names.service_role in look.roles_there:
        sql = f"GRANT OWNERSHIP ON ROLE {identifier(names.service_role)} TO ROLE {deployer} COPY CURRENT GRANTS"
        found.append(Statement(sql, "ROLES", names.service_role, "owner", role))
    if look.user is not None:
        sql = f"GRANT OWNERSHIP ON USER {identifier(look.user.name)} TO ROLE {deployer} COPY CURRENT GRANTS"
        found.append(Statement(sql, "USERS", look.user.name, "owner", role))
    found += _besides(look, settings, names, deployer, role)
    for table in look.tables:
        if decisions.decided(f"leftovers/tables and views of {table.owner}") == CHANGE:
            schema = quoted(f"{database}.{settings.schema_.upper()}")
            to = f"TO ROLE {identifier(names.service_role)} COPY CURRENT GRANTS"
            sql = f"GRANT OWNERSHIP ON {table.kind} {schema}.{identifier(table.name)} {to}"  # a name may hold a dot
            found.append(Statement(sql, f"{table.kind}S IN SCHEMA {schema}", table.name, "owner", names.service_role))
    return found


def _besides(look: Look, settings: Settings, names: Names, deployer: str, role: str) -> list[Statement]:
    """The ownership of what only some stacks declare, where it is there; a resource monitor cannot be given away."""
    to = f"TO ROLE {deployer} COPY CURRENT GRANTS"
    found = []
    if settings.groups == "managed":
        for persona in Persona:
            name = settings.names(persona).role.upper()
            if name in look.roles_there:
                found.append(Statement(f"GRANT OWNERSHIP ON ROLE {identifier(name)} {to}", "ROLES", name, "owner", role))
    if (name := settings.warehouse.upper()) in look.warehouses:
        sql = f"GRANT OWNERSHIP ON WAREHOUSE {identifier(name)} {to}"
        found.append(Statement(sql, "WAREHOUSES", name, "owner", role))
    if (name := names.network_policy) in look.network_policies:  # SHOW tells no owner, and shows it to its owner
        sql = f"GRANT OWNERSHIP ON NETWORK POLICY {identifier(name)} {to}"
        found.append(Statement(sql, "NETWORK POLICIES", name, "name", name))
    return found


def missing(wanted: list[Statement], shown: Shown) -> list[Statement]:
    """Those whose effect is not seen; what is not shown has not been done, as far as the deployer knows."""
    asked: dict[str, list[dict[str, Any]]] = {}
    found: list[Statement] = []
    for one in wanted:
        if found and " IN SCHEMA " in one.shown:  # who does not own the schema yet is not shown what is in it
            found.append(one)
            continue
        if one.shown not in asked:
            asked[one.shown] = shown(one.shown)
        told = [str(row.get(one.column) or "") for row in asked[one.shown] if row["name"] == one.name]
        if not any(one.value in text if one.column == "options" else one.value == text for text in told):
            found.append(one)
    return found


def text(env: str, wanted: list[Statement]) -> str:
    """The file, to be run by hand."""
    head = [
        f"-- Before {env} is adopted. Run by an account administrator; quantctl never does.",
        "-- Every grant that is there stays: COPY CURRENT GRANTS.",
    ]
    return "\n".join([*head, *(f"{one.sql};" for one in wanted)]) + "\n"
