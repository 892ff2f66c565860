"""In a managed-access schema the schema's owner grants, and nobody else."""

from __future__ import annotations

from tests.account_sandbox import Account

DEV = {"user": "DANA", "role": "QUANT_DEVELOPERS"}
OWNER = {"user": "RHEA", "role": "QUANT_RELEASE_MANAGERS"}
DENIED = "003001 42501 SQL access control error: Insufficient privileges to operate on table 'T'"
SETUP = """
CREATE DATABASE DESK
CREATE SCHEMA DESK.PLAIN
CREATE SCHEMA DESK.MANAGED WITH MANAGED ACCESS
GRANT USAGE ON DATABASE DESK TO ROLE PUBLIC
GRANT USAGE, CREATE TABLE ON ALL SCHEMAS IN DATABASE DESK TO ROLE QUANT_DEVELOPERS
GRANT USAGE ON ALL SCHEMAS IN DATABASE DESK TO ROLE QUANT_REVIEWERS
GRANT OWNERSHIP ON SCHEMA DESK.MANAGED TO ROLE QUANT_RELEASE_MANAGERS COPY CURRENT GRANTS
GRANT USAGE ON SCHEMA DESK.PLAIN TO ROLE QUANT_RELEASE_MANAGERS
"""


def test_an_owner_of_a_table_may_not_grant_on_it(account: Account) -> None:
    """In a regular schema it may; in a managed one it is refused, and so is the grant option."""
    for schema, managed in (("PLAIN", False), ("MANAGED", True)):
        account.sql(f"CREATE TABLE DESK.{schema}.T (N NUMBER)", **DEV)
        grant = f"GRANT SELECT ON TABLE DESK.{schema}.T TO ROLE QUANT_SUPPORT"
        if managed:
            assert account.refused(grant, **DEV) == DENIED
            account.sql(f"GRANT SELECT ON TABLE DESK.{schema}.T TO ROLE QUANT_REVIEWERS WITH GRANT OPTION")
            assert account.refused(grant, user="RAVI", role="QUANT_REVIEWERS") == DENIED
        else:
            account.sql(grant, **DEV)
        account.sql(f"INSERT INTO DESK.{schema}.T VALUES (1)", **DEV)


def test_the_schemas_owner_grants_on_what_others_own(account: Account) -> None:
    """It does not own the table, and need not be able to read it; its name stands as the grantor."""
    account.sql("CREATE TABLE DESK.MANAGED.OTHER (N NUMBER)", **DEV)
    account.sql("GRANT SELECT ON TABLE DESK.MANAGED.OTHER TO ROLE QUANT_SUPPORT", **OWNER)
    [held] = [g for g in account.shown("SHOW GRANTS ON TABLE DESK.MANAGED.OTHER") if g["privilege"] == "SELECT"]
    assert held["granted_by"] == "QUANT_RELEASE_MANAGERS"
    account.sql("REVOKE SELECT ON TABLE DESK.MANAGED.OTHER FROM ROLE QUANT_SUPPORT", **OWNER)
    account.sql("GRANT SELECT ON FUTURE TABLES IN SCHEMA DESK.MANAGED TO ROLE QUANT_SUPPORT", **OWNER)
    said = account.refused("GRANT SELECT ON FUTURE TABLES IN SCHEMA DESK.PLAIN TO ROLE QUANT_SUPPORT", **OWNER)
    assert said.endswith("Insufficient privileges to operate on schema 'PLAIN'")


def test_an_owner_may_not_give_its_table_away(account: Account) -> None:
    """Ownership is a grant too: in a managed schema only the schema's owner moves it."""
    account.sql("CREATE TABLE DESK.MANAGED.MINE (N NUMBER)", **DEV)
    give = "GRANT OWNERSHIP ON TABLE DESK.MANAGED.MINE TO ROLE QUANT_SUPPORT REVOKE CURRENT GRANTS"
    assert account.refused(give, **DEV).endswith("Insufficient privileges to operate on table 'MINE'")
    assert "ownership can only be transferred to a role that is activated in the current session" in account.refused(
        give, **OWNER
    )
    account.sql(give.replace("QUANT_SUPPORT", "QUANT_RELEASE_MANAGERS"), **OWNER)
    account.sql(give)  # MANAGE GRANTS
    assert account.shown("SHOW TABLES LIKE 'MINE' IN SCHEMA DESK.MANAGED")[0]["owner"] == "QUANT_SUPPORT"


def test_the_owners_right_to_grant_is_told(account: Account) -> None:
    """SHOW GRANTS ON SCHEMA lists it beside the ownership, of a managed-access schema only (BCR-1397)."""
    for schema, told in (("MANAGED", ["MANAGE GRANTS", "OWNERSHIP"]), ("PLAIN", ["OWNERSHIP"])):
        rows = account.shown(f"SHOW GRANTS ON SCHEMA DESK.{schema}")
        owner = next(row["grantee_name"] for row in rows if row["privilege"] == "OWNERSHIP")
        assert sorted(row["privilege"] for row in rows if row["grantee_name"] == owner) == told


def test_managed_access_is_switched_by_an_owner_with_manage_grants(account: Account) -> None:
    """The owner alone may not, as Snowflake's documentation says; SHOW SCHEMAS tells the option."""
    account.sql("GRANT OWNERSHIP ON SCHEMA DESK.PLAIN TO ROLE QUANT_RELEASE_MANAGERS COPY CURRENT GRANTS")
    assert account.refused("ALTER SCHEMA DESK.PLAIN ENABLE MANAGED ACCESS", **OWNER).startswith("003001 42501")
    account.sql("GRANT MANAGE GRANTS ON ACCOUNT TO ROLE QUANT_RELEASE_MANAGERS")
    for switch, option in (("ENABLE", "MANAGED ACCESS"), ("DISABLE", "")):
        account.sql(f"ALTER SCHEMA DESK.PLAIN {switch} MANAGED ACCESS", **OWNER)
        assert account.shown("SHOW SCHEMAS LIKE 'PLAIN' IN DATABASE DESK")[0]["options"] == option
