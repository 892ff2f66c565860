"""Future grants: what a new object gets, and that what is there gets nothing."""

from __future__ import annotations

from tests.account_sandbox import Account

SETUP = """
CREATE DATABASE DESK
CREATE SCHEMA DESK.RISK
CREATE DATABASE ROLE DESK.READER
"""


def held(account: Account, on: str) -> set[tuple[str, str]]:
    return {
        (g["privilege"], g["grantee_name"]) for g in account.shown(f"SHOW GRANTS ON {on}") if g["privilege"] != "OWNERSHIP"
    }


def test_what_is_made_later_has_them_and_what_was_there_has_not(account: Account) -> None:
    """Tables made by CREATE, by CREATE AS and by OR REPLACE; until they are revoked."""
    account.sql("CREATE TABLE DESK.RISK.BEFORE (N NUMBER)")
    account.sql("GRANT SELECT, INSERT ON FUTURE TABLES IN SCHEMA DESK.RISK TO DATABASE ROLE DESK.READER")
    account.sql("CREATE TABLE DESK.RISK.LATER (N NUMBER)")
    account.sql("CREATE TABLE DESK.RISK.COPIED AS SELECT * FROM DESK.RISK.LATER")
    both = {("SELECT", "READER"), ("INSERT", "READER")}
    assert held(account, "TABLE DESK.RISK.BEFORE") == set()
    assert held(account, "TABLE DESK.RISK.LATER") == held(account, "TABLE DESK.RISK.COPIED") == both
    account.sql("REVOKE INSERT ON FUTURE TABLES IN SCHEMA DESK.RISK FROM DATABASE ROLE DESK.READER")
    assert held(account, "TABLE DESK.RISK.LATER") == both
    account.sql("CREATE OR REPLACE TABLE DESK.RISK.BEFORE (N NUMBER)")
    assert held(account, "TABLE DESK.RISK.BEFORE") == {("SELECT", "READER")}
    account.sql("GRANT SELECT ON ALL TABLES IN SCHEMA DESK.RISK TO ROLE QUANT_SUPPORT")
    assert ("SELECT", "QUANT_SUPPORT") in held(account, "TABLE DESK.RISK.COPIED")


def test_a_schemas_future_grants_win_over_its_databases(account: Account) -> None:
    """The database's count only where the schema has none for that kind of object."""
    account.sql("CREATE SCHEMA DESK.OWN")
    account.sql("CREATE SCHEMA DESK.NONE")
    account.sql("GRANT SELECT ON FUTURE TABLES IN DATABASE DESK TO ROLE QUANT_REVIEWERS")
    account.sql("GRANT SELECT ON FUTURE TABLES IN SCHEMA DESK.OWN TO ROLE QUANT_DEVELOPERS")
    for schema in ("OWN", "NONE"):
        account.sql(f"CREATE TABLE DESK.{schema}.T (N NUMBER)")
    assert held(account, "TABLE DESK.OWN.T") == {("SELECT", "QUANT_DEVELOPERS")}
    assert held(account, "TABLE DESK.NONE.T") == {("SELECT", "QUANT_REVIEWERS")}


def test_other_kinds_get_theirs(account: Account) -> None:
    """Views, sequences, stages and schemas; a table gets nothing of them."""
    account.sql("CREATE SCHEMA DESK.KINDS")
    for privilege, kind in (("SELECT", "VIEWS"), ("USAGE", "SEQUENCES"), ("READ", "STAGES")):
        account.sql(f"GRANT {privilege} ON FUTURE {kind} IN SCHEMA DESK.KINDS TO ROLE QUANT_SUPPORT")
    account.sql("GRANT MONITOR ON FUTURE SCHEMAS IN DATABASE DESK TO ROLE QUANT_SUPPORT")
    account.sql("CREATE TABLE DESK.KINDS.T (N NUMBER)")
    account.sql("CREATE VIEW DESK.KINDS.V AS SELECT * FROM DESK.KINDS.T")
    account.sql("CREATE SEQUENCE DESK.KINDS.S")
    account.sql("CREATE STAGE DESK.KINDS.G")
    account.sql("CREATE SCHEMA DESK.AFTERWARDS")
    for on, privilege in (
        ("VIEW DESK.KINDS.V", "SELECT"),
        ("SEQUENCE DESK.KINDS.S", "USAGE"),
        ("STAGE DESK.KINDS.G", "READ"),
        ("SCHEMA DESK.AFTERWARDS", "MONITOR"),
    ):
        assert held(account, on) == {(privilege, "QUANT_SUPPORT")}
    assert ("SELECT", "QUANT_SUPPORT") not in held(account, "TABLE DESK.KINDS.T")


def test_future_ownership_decides_who_owns(account: Account) -> None:
    """The last role said owns what others make."""
    account.sql("CREATE SCHEMA DESK.GIVEN")
    for role in ("QUANT_REVIEWERS", "QUANT_SUPPORT"):
        account.sql(f"GRANT OWNERSHIP ON FUTURE TABLES IN SCHEMA DESK.GIVEN TO ROLE {role}")
    [told] = account.shown("SHOW FUTURE GRANTS IN SCHEMA DESK.GIVEN")
    assert (told["privilege"], told["grantee_name"], told["name"]) == ("OWNERSHIP", "QUANT_SUPPORT", "DESK.GIVEN.<TABLE>")
    account.sql("CREATE TABLE DESK.GIVEN.T (N NUMBER)")
    assert account.shown("SHOW TABLES IN SCHEMA DESK.GIVEN")[0]["owner"] == "QUANT_SUPPORT"


def test_a_future_grant_needs_manage_grants(account: Account) -> None:
    """The owner of a schema that is not managed may grant on what is there, not on what will be."""
    account.sql("CREATE SCHEMA DESK.THEIRS")
    account.sql("GRANT USAGE ON DATABASE DESK TO ROLE QUANT_RELEASE_MANAGERS")
    account.sql("GRANT OWNERSHIP ON SCHEMA DESK.THEIRS TO ROLE QUANT_RELEASE_MANAGERS REVOKE CURRENT GRANTS")
    who = {"user": "RHEA", "role": "QUANT_RELEASE_MANAGERS"}
    account.sql("GRANT USAGE ON SCHEMA DESK.THEIRS TO ROLE QUANT_SUPPORT", **who)
    said = account.refused("GRANT SELECT ON FUTURE TABLES IN SCHEMA DESK.THEIRS TO ROLE QUANT_SUPPORT", **who)
    assert said == "003001 42501 SQL access control error: Insufficient privileges to operate on schema 'THEIRS'"


def test_kinds_that_are_not_emulated_may_be_named(account: Account) -> None:
    """Future grants on them are kept and shown, grants on all are of none; a privilege that they do not have is refused."""
    for privilege, kinds in (("OWNERSHIP", "ALERTS"), ("USAGE", "SECRETS"), ("APPLY", "MASKING POLICIES"), ("READ", "TAGS")):
        account.sql(f"GRANT {privilege} ON FUTURE {kinds} IN SCHEMA DESK.RISK TO DATABASE ROLE DESK.READER")
        account.sql(f"GRANT {privilege} ON ALL {kinds} IN SCHEMA DESK.RISK TO DATABASE ROLE DESK.READER")
    shown = {(row["privilege"], row["grant_on"]) for row in account.shown("SHOW FUTURE GRANTS IN SCHEMA DESK.RISK")}
    assert shown >= {("OWNERSHIP", "ALERT"), ("USAGE", "SECRET"), ("APPLY", "MASKING_POLICY"), ("READ", "TAG")}
    account.sql("GRANT CREATE SNOWFLAKE.ML.FORECAST ON SCHEMA DESK.RISK TO DATABASE ROLE DESK.READER")
    assert ("CREATE SNOWFLAKE.ML.FORECAST", "READER") in held(account, "SCHEMA DESK.RISK")
    assert "SELECT" in account.refused("GRANT SELECT ON FUTURE ALERTS IN SCHEMA DESK.RISK TO DATABASE ROLE DESK.READER")
