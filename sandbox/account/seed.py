"""Who and what is in the account from the beginning. Run again, it changes nothing that is there."""

from __future__ import annotations

import time
from pathlib import Path

from sandbox.account.execute import execute
from sandbox.account.privileges import Session, add_grant
from sandbox.account.state import State

# https://docs.snowflake.com/en/user-guide/security-access-control-overview#system-defined-roles
_HIERARCHY = {"SECURITYADMIN": "ACCOUNTADMIN", "SYSADMIN": "ACCOUNTADMIN", "USERADMIN": "SECURITYADMIN"}
_GLOBAL = {
    "SECURITYADMIN": ("MANAGE GRANTS",),
    "USERADMIN": ("CREATE USER", "CREATE ROLE"),
    "SYSADMIN": ("CREATE DATABASE", "CREATE WAREHOUSE"),
}


def seed(db_path: Path, *, users: list[dict[str, str]], roles: dict[str, list[str]], statements: list[str]) -> None:
    """System roles, users with their public keys, roles with their users; then statements as ACCOUNTADMIN."""
    state = State(db_path)
    for role in ("ACCOUNTADMIN", *_HIERARCHY, "PUBLIC", *roles):
        if state.get("ROLE", role) is None:
            state.add("ROLE", role, "ACCOUNTADMIN", {})
    for role, parent in _HIERARCHY.items():
        _give(state, role, "ROLE", parent)
    for role, privileges in _GLOBAL.items():
        for privilege in privileges:
            add_grant(state, privilege, "ACCOUNT", "", ("ROLE", role), 0, "")
    for user in users:
        if state.get("USER", user["name"]) is None:
            props = {"RSA_PUBLIC_KEY": user["rsa_public_key"], "DEFAULT_ROLE": user["default_role"]}
            state.add(
                "USER",
                user["name"],
                "ACCOUNTADMIN",
                props | ({"PASSWORD": user["password"]} if "password" in user else {}),
            )
            for role, members in roles.items():
                if user["name"] in members:
                    _give(state, role, "USER", user["name"])
    session = Session(0, "SEED", "ACCOUNTADMIN", None, None, None)
    for statement in statements:
        execute(state, session, statement)


def _give(state: State, role: str, kind: str, to: str) -> None:
    state.write("insert or ignore into sf_role_grant values ('ROLE', ?, ?, ?, '', ?)", role, kind, to, time.time())
