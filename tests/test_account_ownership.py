"""Ownership: given with COPY or REVOKE CURRENT GRANTS, to a role or a database role, of one object or of all."""

from __future__ import annotations

import pytest

from tests.account_sandbox import Account

SETUP = """
CREATE ROLE HEIR
CREATE ROLE LENT
CREATE WAREHOUSE HIRED
CREATE DATABASE DESK
CREATE SCHEMA DESK.A
CREATE SCHEMA DESK.B
CREATE SCHEMA DESK.C
CREATE TABLE DESK.PUBLIC.T (N NUMBER)
CREATE DATABASE ROLE DESK.READER
CREATE DATABASE ROLE DESK.KEEPER
"""


def owner(account: Account, on: str) -> str:
    [told] = [g for g in account.shown(f"SHOW GRANTS ON {on}") if g["privilege"] == "OWNERSHIP"]
    assert told["granted_by"] == told["grantee_name"]
    return f"{told['granted_to']} {told['grantee_name']}"


def grants(account: Account, on: str) -> set[tuple[str, str, str]]:
    rows = account.shown(f"SHOW GRANTS ON {on}")
    return {(g["privilege"], g["grantee_name"], g["granted_by"]) for g in rows if g["privilege"] != "OWNERSHIP"}


@pytest.mark.parametrize(
    ("on", "how", "left"),
    [
        ("SCHEMA DESK.A", "COPY CURRENT GRANTS", {("USAGE", "QUANT_SUPPORT", "HEIR")}),
        ("SCHEMA DESK.B", "REVOKE CURRENT GRANTS", set()),
        ("DATABASE ROLE DESK.READER", "COPY CURRENT GRANTS", {("USAGE", "QUANT_SUPPORT", "HEIR")}),
        ("ROLE LENT", "REVOKE CURRENT GRANTS", set()),
        ("WAREHOUSE HIRED", "COPY CURRENT GRANTS", {("USAGE", "QUANT_SUPPORT", "HEIR")}),
        ("TABLE DESK.PUBLIC.T", "REVOKE CURRENT GRANTS", set()),
    ],
)
def test_what_becomes_of_grants_must_be_said(account: Account, on: str, how: str, left: set[tuple[str, str, str]]) -> None:
    """Without it the transfer is refused as long as there is a grant."""
    kind = "ROLE" if on.startswith("ROLE") else on.rpartition(" ")[0]
    privilege = "SELECT ON" if kind == "TABLE" else "" if kind.endswith("ROLE") else "USAGE ON"
    account.sql(f"GRANT {privilege} {on} TO ROLE QUANT_SUPPORT")
    said = account.refused(f"GRANT OWNERSHIP ON {on} TO ROLE HEIR")
    assert said.startswith("003036 23001 SQL execution error: Dependent grant of privilege")
    account.sql(f"GRANT OWNERSHIP ON {on} TO ROLE HEIR {how}")
    assert owner(account, on) == "ROLE HEIR"
    assert grants(account, on) == left


def test_all_objects_of_a_schema_move_together(account: Account) -> None:
    """ON ALL TABLES IN SCHEMA."""
    for name in ("ONE", "TWO"):
        account.sql(f"CREATE TABLE DESK.C.{name} (N NUMBER)")
    account.sql("GRANT OWNERSHIP ON ALL TABLES IN SCHEMA DESK.C TO ROLE HEIR")
    assert {row["owner"] for row in account.shown("SHOW TABLES IN SCHEMA DESK.C")} == {"HEIR"}


def test_a_database_role_owns_in_its_own_database_only(account: Account) -> None:
    """And by it those who have it: they may drop the table."""
    account.sql("CREATE TABLE DESK.C.OWNED (N NUMBER)")
    account.sql("GRANT OWNERSHIP ON TABLE DESK.C.OWNED TO DATABASE ROLE DESK.KEEPER")
    assert owner(account, "TABLE DESK.C.OWNED") == "DATABASE_ROLE KEEPER"
    assert "own database" in account.refused("GRANT OWNERSHIP ON SCHEMA QUANT.PUBLIC TO DATABASE ROLE DESK.KEEPER")
    drop, who = "DROP TABLE DESK.C.OWNED", {"user": "DANA", "role": "QUANT_DEVELOPERS"}
    account.sql("GRANT USAGE ON SCHEMA DESK.C TO ROLE QUANT_DEVELOPERS")
    account.sql("GRANT USAGE ON DATABASE DESK TO ROLE QUANT_DEVELOPERS")
    assert account.refused(drop, **who).startswith("002003 02000")
    account.sql("GRANT DATABASE ROLE DESK.KEEPER TO ROLE QUANT_DEVELOPERS")
    account.sql(drop, **who)


def test_only_the_owner_gives_away(account: Account) -> None:
    """Who may change an object does not own it; REVOKE OWNERSHIP is not a statement for what is there."""
    account.sql("GRANT MODIFY, OPERATE, USAGE ON WAREHOUSE QUANT_WH TO ROLE QUANT_DEVELOPERS")
    take = "GRANT OWNERSHIP ON WAREHOUSE QUANT_WH TO ROLE QUANT_DEVELOPERS COPY CURRENT GRANTS"
    assert account.refused(take, user="DANA", role="QUANT_DEVELOPERS").startswith("003001 42501")
    assert account.refused("REVOKE OWNERSHIP ON WAREHOUSE QUANT_WH FROM ROLE ACCOUNTADMIN").startswith("000002 0A000")
