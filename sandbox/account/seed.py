"""Who and what is in the account from the beginning. Run again, it changes nothing that is there."""

from __future__ import annotations

from pathlib import Path

from sandbox import clock
from sandbox.account import users as user_rules
from sandbox.account.execute import Account, Request, execute
from sandbox.account.privileges import ADMIN, SYSTEM_ROLES, add_grant
from sandbox.account.rows import Rows
from sandbox.account.session import Session
from sandbox.account.state import State

# https://docs.snowflake.com/en/user-guide/security-access-control-overview#system-defined-roles
_HIERARCHY = {"SECURITYADMIN": ADMIN, "SYSADMIN": ADMIN, "USERADMIN": "SECURITYADMIN"}
_GLOBAL = {
    "SECURITYADMIN": ("MANAGE GRANTS", "CREATE NETWORK POLICY"),
    "USERADMIN": ("CREATE USER", "CREATE ROLE"),
    "SYSADMIN": ("CREATE DATABASE", "CREATE WAREHOUSE"),
}


def seed(db_path: Path, *, users: list[dict[str, str]], roles: dict[str, list[str]], statements: list[str]) -> None:
    """System roles, users with their public keys, roles with their users; then statements as ACCOUNTADMIN."""
    account = Account(State(db_path), Rows(db_path))
    state = account.state
    with state.together():
        for role in (*(each for each in SYSTEM_ROLES if each != "ORGADMIN"), *roles):
            if state.get("ROLE", role) is None:
                state.add("ROLE", role, ADMIN, {})
        for role, parent in _HIERARCHY.items():
            _give(state, role, "ROLE", parent)
        for role, privileges in _GLOBAL.items():
            for privilege in privileges:
                add_grant(state, privilege, "ACCOUNT", "", ("ROLE", role), 0, "")
        for user in users:
            _user(state, user, [role for role, members in roles.items() if user["name"] in members])
    session = Session(0, "SEED", ADMIN)
    for statement in statements:
        execute(account, session, Request(statement))


def _user(state: State, user: dict[str, str], roles: list[str]) -> None:
    if state.get("USER", user["name"]) is not None:
        return
    given = {"RSA_PUBLIC_KEY": user["rsa_public_key"], "DEFAULT_ROLE": user["default_role"], "DISPLAY_NAME": user["name"]}
    given |= {"PASSWORD": user["password"]} if "password" in user else {}
    state.add("USER", user["name"], ADMIN, user_rules.prepare(given, "PERSON"))
    for role in roles:
        _give(state, role, "USER", user["name"])


def _give(state: State, role: str, kind: str, to: str) -> None:
    state.write("insert or ignore into sf_role_grant values ('ROLE', ?, ?, ?, '', ?)", role, kind, to, clock.now())
