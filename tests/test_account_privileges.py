"""What a role may do: each statement with the least privilege, and the exact refusal without it."""

from __future__ import annotations

import pytest

from tests.account_sandbox import Account

DEV = {"user": "DANA", "role": "QUANT_DEVELOPERS"}
NOT_PERFORMED = "002043 02000 SQL compilation error: Object does not exist, or operation cannot be performed."
SETUP = """
CREATE DATABASE DESK
CREATE SCHEMA DESK.RISK
CREATE SCHEMA DESK.HIDDEN
CREATE TABLE DESK.HIDDEN.T (N NUMBER)
CREATE TABLE DESK.RISK.CLOSED (N NUMBER)
CREATE TABLE DESK.RISK.READ_ONLY (N NUMBER)
GRANT USAGE ON DATABASE DESK TO ROLE QUANT_DEVELOPERS
GRANT USAGE ON SCHEMA DESK.RISK TO ROLE QUANT_DEVELOPERS
GRANT SELECT ON TABLE DESK.RISK.READ_ONLY TO ROLE QUANT_DEVELOPERS
"""


def denied(kind: str, name: str) -> str:
    return f"003001 42501 SQL access control error: Insufficient privileges to operate on {kind} '{name}'"


def missing(kind: str, name: str) -> str:
    return f"002003 02000 SQL compilation error: {kind} '{name}' does not exist or not authorized."


_T = "DESK.RISK.READ_ONLY"
_TABLE = denied("table", "READ_ONLY")
# statement, the one grant that it needs => what is said without it
LEAST = [
    ("SELECT * FROM DESK.RISK.CLOSED", f"SELECT ON TABLE DESK.RISK.CLOSED => {missing('Object', 'DESK.RISK.CLOSED')}"),
    (f"INSERT INTO {_T} VALUES (1)", f"INSERT ON TABLE {_T} => {_TABLE}"),
    (f"UPDATE {_T} SET N = 2 WHERE N = 1", f"UPDATE ON TABLE {_T} => {_TABLE}"),
    (f"DELETE FROM {_T} WHERE N = 2", f"DELETE ON TABLE {_T} => {_TABLE}"),
    (f"TRUNCATE TABLE {_T}", f"TRUNCATE ON TABLE {_T} => {_TABLE}"),
    ("CREATE TABLE DESK.RISK.MADE (N NUMBER)", f"CREATE TABLE ON SCHEMA DESK.RISK => {denied('schema', 'RISK')}"),
    (
        f"CREATE TABLE DESK.RISK.MADE AS SELECT * FROM {_T}",
        f"CREATE TABLE ON SCHEMA DESK.RISK => {denied('schema', 'RISK')}",
    ),
    (f"CREATE VIEW DESK.RISK.SEEN AS SELECT * FROM {_T}", f"CREATE VIEW ON SCHEMA DESK.RISK => {denied('schema', 'RISK')}"),
    ("ALTER SCHEMA DESK.RISK SET COMMENT = 'x'", f"MODIFY ON SCHEMA DESK.RISK => {denied('schema', 'RISK')}"),
    ("CREATE SCHEMA DESK.MADE", f"CREATE SCHEMA ON DATABASE DESK => {denied('database', 'DESK')}"),
    ("ALTER DATABASE DESK SET COMMENT = 'x'", f"MODIFY ON DATABASE DESK => {denied('database', 'DESK')}"),
    ("CREATE DATABASE MADE", f"CREATE DATABASE ON ACCOUNT => {denied('account', 'SANDBOX')}"),
    ("CREATE ROLE MADE", f"CREATE ROLE ON ACCOUNT => {denied('account', 'SANDBOX')}"),
    ("CREATE WAREHOUSE MADE", f"CREATE WAREHOUSE ON ACCOUNT => {denied('account', 'SANDBOX')}"),
    ("ALTER WAREHOUSE QUANT_WH SET AUTO_SUSPEND = 60", f"MODIFY ON WAREHOUSE QUANT_WH => {denied('warehouse', 'QUANT_WH')}"),
    ("ALTER WAREHOUSE QUANT_WH RESUME IF SUSPENDED", f"OPERATE ON WAREHOUSE QUANT_WH => {denied('warehouse', 'QUANT_WH')}"),
    ("SHOW GRANTS ON TABLE DESK.RISK.CLOSED", f"SELECT ON TABLE DESK.RISK.CLOSED => {missing('Table', 'DESK.RISK.CLOSED')}"),
]


@pytest.mark.parametrize(("statement", "needed"), LEAST, ids=[statement[:50] for statement, _ in LEAST])
def test_a_statement_needs_its_privilege(account: Account, statement: str, needed: str) -> None:
    """Refused before the grant with what is said, done after it, and refused again once it is revoked."""
    grant, _, said = needed.partition(" => ")
    assert account.refused(statement, **DEV) == said
    account.sql(f"GRANT {grant} TO ROLE QUANT_DEVELOPERS")
    account.sql(statement, **DEV)
    account.sql(f"REVOKE {grant} FROM ROLE QUANT_DEVELOPERS")
    for left in (
        "TABLE DESK.RISK.MADE",
        "VIEW DESK.RISK.SEEN",
        "SCHEMA DESK.MADE",
        "ROLE MADE",
        "WAREHOUSE MADE",
        "DATABASE MADE",
    ):
        account.sql(f"GRANT OWNERSHIP ON {left} TO ROLE ACCOUNTADMIN") if account.there(left) else None
        account.sql(f"DROP {left.split()[0]} IF EXISTS {left.split()[1]}")
    assert account.refused(statement, **DEV) == said


def test_what_may_not_be_seen_is_not_there(account: Account) -> None:
    """Without USAGE on schema and database a table is told to be missing, in the words of one that is."""
    account.sql("GRANT SELECT ON TABLE DESK.HIDDEN.T TO ROLE QUANT_DEVELOPERS")
    assert account.refused("SELECT * FROM DESK.HIDDEN.T", **DEV) == missing("Schema", "DESK.HIDDEN")
    assert account.refused("SELECT * FROM DESK.NOSUCH.T", **DEV) == missing("Schema", "DESK.NOSUCH")
    assert account.refused("SELECT * FROM NOSUCH.PUBLIC.T", **DEV) == missing("Database", "NOSUCH")
    assert account.refused("SELECT * FROM DESK.RISK.NOSUCH", **DEV) == missing("Object", "DESK.RISK.NOSUCH")
    account.sql("GRANT USAGE ON SCHEMA DESK.HIDDEN TO ROLE QUANT_DEVELOPERS")
    assert account.sql("SELECT * FROM DESK.HIDDEN.T", **DEV) == []
    account.sql("REVOKE USAGE ON SCHEMA DESK.HIDDEN FROM ROLE QUANT_DEVELOPERS")


def test_show_tells_what_may_be_seen(account: Account) -> None:
    """Databases, schemas and tables without any privilege are left out; of users the others' details."""
    assert [row["name"] for row in account.shown("SHOW DATABASES", **DEV)] == ["DESK"]
    assert [row["name"] for row in account.shown("SHOW SCHEMAS IN DATABASE DESK", **DEV)] == ["INFORMATION_SCHEMA", "RISK"]
    assert [row["name"] for row in account.shown("SHOW TABLES IN SCHEMA DESK.RISK", **DEV)] == ["READ_ONLY"]
    assert len(account.shown("SHOW TABLES IN SCHEMA DESK.RISK")) == 2
    assert account.refused("SHOW TABLES IN SCHEMA DESK.HIDDEN", **DEV) == NOT_PERFORMED
    assert account.refused("SHOW SCHEMAS IN DATABASE QUANT", **DEV) == NOT_PERFORMED
    users = {row["name"]: row for row in account.shown("SHOW USERS", **DEV)}
    assert (users["DANA"]["default_role"], users["ADA"]["default_role"]) == ("QUANT_DEVELOPERS", None)
    assert account.refused("DESCRIBE USER ADA", **DEV) == denied("user", "ADA")
    assert account.sql("DESCRIBE USER DANA", **DEV)


def test_a_grant_option_grants_further_and_falls_with_its_giver(account: Account) -> None:
    """Only with the option; without CASCADE what was granted further stands in the way."""
    account.sql("GRANT SELECT ON TABLE DESK.RISK.CLOSED TO ROLE QUANT_DEVELOPERS")
    further = "GRANT SELECT ON TABLE DESK.RISK.CLOSED TO ROLE QUANT_SUPPORT"
    assert account.refused(further, **DEV) == denied("table", "CLOSED")
    account.sql("GRANT SELECT ON TABLE DESK.RISK.CLOSED TO ROLE QUANT_DEVELOPERS WITH GRANT OPTION")
    account.sql(further, **DEV)
    [held] = [g for g in account.shown("SHOW GRANTS ON TABLE DESK.RISK.CLOSED") if g["grantee_name"] == "QUANT_SUPPORT"]
    assert (held["granted_by"], held["grant_option"]) == ("QUANT_DEVELOPERS", "false")
    said = account.refused("REVOKE SELECT ON TABLE DESK.RISK.CLOSED FROM ROLE QUANT_DEVELOPERS")
    assert said.startswith("003036 23001 SQL execution error: Dependent grant of privilege 'SELECT' on securable")
    account.sql("REVOKE SELECT ON TABLE DESK.RISK.CLOSED FROM ROLE QUANT_DEVELOPERS CASCADE")
    assert {g["grantee_name"] for g in account.shown("SHOW GRANTS ON TABLE DESK.RISK.CLOSED")} == {"ACCOUNTADMIN"}


def test_grant_option_for_takes_only_the_option(account: Account) -> None:
    """The privilege itself stays."""
    account.sql("GRANT MONITOR ON SCHEMA DESK.RISK TO ROLE QUANT_SUPPORT WITH GRANT OPTION")
    account.sql("REVOKE GRANT OPTION FOR MONITOR ON SCHEMA DESK.RISK FROM ROLE QUANT_SUPPORT")
    [held] = [g for g in account.shown("SHOW GRANTS TO ROLE QUANT_SUPPORT") if g["privilege"] == "MONITOR"]
    assert held["grant_option"] == "false"
    account.sql("REVOKE MONITOR ON SCHEMA DESK.RISK FROM ROLE QUANT_SUPPORT")


def test_a_grant_that_may_only_be_made_in_part_says_so(account: Account) -> None:
    """003011 names what was not granted; the rest is."""
    account.sql("GRANT MONITOR ON SCHEMA DESK.RISK TO ROLE QUANT_DEVELOPERS WITH GRANT OPTION")
    said = account.refused("GRANT MONITOR, MODIFY ON SCHEMA DESK.RISK TO ROLE QUANT_SUPPORT", **DEV)
    assert said == "003011 42501 Grant partially executed: privileges [MODIFY] not granted."
    held = {g["privilege"] for g in account.shown("SHOW GRANTS TO ROLE QUANT_SUPPORT") if g["name"] == "DESK.RISK"}
    assert held == {"MONITOR"}
    account.sql("REVOKE MONITOR ON SCHEMA DESK.RISK FROM ROLE QUANT_DEVELOPERS CASCADE")


def test_manage_grants_grants_anything_and_uses_nothing(account: Account) -> None:
    """SECURITYADMIN may grant on what it does not own, and reads no table by that."""
    account.sql("GRANT ROLE SECURITYADMIN TO USER SAM")
    who = {"user": "SAM", "role": "SECURITYADMIN"}
    account.sql("GRANT SELECT ON TABLE DESK.RISK.CLOSED TO ROLE QUANT_SUPPORT", **who)
    account.sql("REVOKE SELECT ON TABLE DESK.RISK.CLOSED FROM ROLE QUANT_SUPPORT", **who)
    assert account.refused("SELECT * FROM DESK.RISK.CLOSED", **who) == missing("Database", "DESK")


def test_a_view_reads_with_its_owners_rights(account: Account) -> None:
    """Who may read the view need not be able to read the table."""
    account.sql("CREATE VIEW DESK.RISK.SEEN AS SELECT N FROM DESK.RISK.CLOSED")
    account.sql("GRANT SELECT ON VIEW DESK.RISK.SEEN TO ROLE QUANT_DEVELOPERS")
    assert account.refused("SELECT * FROM DESK.RISK.CLOSED", **DEV) == missing("Object", "DESK.RISK.CLOSED")
    assert account.sql("SELECT COUNT(*) FROM DESK.RISK.SEEN", **DEV) == [(0,)]
    account.sql("DROP VIEW DESK.RISK.SEEN")
