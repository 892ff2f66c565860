"""Roles: account roles, database roles, their hierarchy, secondary roles, and what is left when one is dropped."""

from __future__ import annotations

import pytest
from snowflake.connector.errors import ProgrammingError

from tests.account_sandbox import Account

DEV = {"user": "DANA", "role": "QUANT_DEVELOPERS"}
SETUP = """
CREATE DATABASE OTHER
CREATE DATABASE ROLE OTHER.ROLE
CREATE DATABASE DESK
CREATE SCHEMA DESK.RISK
CREATE TABLE DESK.RISK.T (N NUMBER)
CREATE DATABASE ROLE DESK.READER
CREATE DATABASE ROLE DESK.WRITER
CREATE ROLE LOWER_ROLE
CREATE ROLE SIDE_ROLE
"""


def test_privileges_come_up_the_hierarchy(account: Account) -> None:
    """Table -> database role -> database role -> account role -> account role -> user; each link can be cut."""
    links = [
        "SELECT ON TABLE DESK.RISK.T TO DATABASE ROLE DESK.READER",
        "DATABASE ROLE DESK.READER TO DATABASE ROLE DESK.WRITER",
        "DATABASE ROLE DESK.WRITER TO ROLE LOWER_ROLE",
        "ROLE LOWER_ROLE TO ROLE QUANT_DEVELOPERS",
    ]
    account.sql("GRANT USAGE ON SCHEMA DESK.RISK TO DATABASE ROLE DESK.READER")
    for link in links:
        account.sql(f"GRANT {link}")
    assert account.sql("SELECT COUNT(*) FROM DESK.RISK.T", **DEV) == [(0,)]  # the database is used by its roles' nature
    for link in links:
        account.sql("REVOKE " + link.replace(" TO ", " FROM "))
        assert account.refused("SELECT COUNT(*) FROM DESK.RISK.T", **DEV).startswith("002003 02000")
        account.sql(f"GRANT {link}")
    assert account.sql("SELECT COUNT(*) FROM DESK.RISK.T", **DEV) == [(0,)]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("GRANT DATABASE ROLE DESK.READER TO DATABASE ROLE OTHER.ROLE", "of another database"),
        ("GRANT ROLE LOWER_ROLE TO DATABASE ROLE DESK.READER", "001003 42000 SQL compilation error: syntax error line 1"),
        ("GRANT DATABASE ROLE DESK.READER TO USER DANA", "unexpected 'USER'"),
        ("GRANT SELECT ON TABLE DESK.RISK.T TO DATABASE ROLE OTHER.ROLE", "outside of database OTHER"),
        ("GRANT USAGE ON WAREHOUSE QUANT_WH TO DATABASE ROLE DESK.READER", "outside of database DESK"),
        ("GRANT SELECT ON FUTURE TABLES IN DATABASE DESK TO DATABASE ROLE OTHER.ROLE", "outside of database OTHER"),
        ("GRANT ROLE LOWER_ROLE TO ROLE LOWER_ROLE", "cannot be granted to itself"),
        ("GRANT ROLE ACCOUNTADMIN TO ROLE SYSADMIN", "cannot be granted to itself"),
        ("GRANT ROLE NOSUCH TO ROLE SYSADMIN", "002003 02000 SQL compilation error: Role 'NOSUCH' does not exist"),
        ("GRANT ROLE LOWER_ROLE TO USER NOSUCH", "002003 02000 SQL compilation error: User 'NOSUCH' does not exist"),
        ("DROP ROLE SYSADMIN", "003001 42501"),
        ("USE ROLE NOSUCH", "002043 02000"),
        ("USE ROLE QUANT_SUPPORT", "003013 42501 SQL access control error: Requested role 'QUANT_SUPPORT' is not assigned"),
    ],
)  # fmt: skip
def test_a_role_is_not_granted_everywhere(account: Account, statement: str, said: str) -> None:
    """Not across databases, not an account role to a database role, not in a circle."""
    assert said in account.refused(statement)


def test_a_role_is_granted_by_its_owner_or_with_manage_grants(account: Account) -> None:
    """Who has only been granted it cannot pass it on."""
    account.sql("GRANT ROLE LOWER_ROLE TO ROLE QUANT_REVIEWERS")
    said = account.refused("GRANT ROLE LOWER_ROLE TO USER RAVI", user="RAVI", role="QUANT_REVIEWERS")
    assert said == "003001 42501 SQL access control error: Insufficient privileges to operate on role 'LOWER_ROLE'"


def test_secondary_roles_add_what_they_may_and_create_nothing(account: Account) -> None:
    """A session begins with all of a user's roles unless the user is made otherwise; what it creates is the primary's."""
    account.sql("GRANT ROLE SIDE_ROLE TO USER LENA")
    account.sql("GRANT DATABASE ROLE DESK.READER TO ROLE SIDE_ROLE")
    account.sql("GRANT USAGE ON DATABASE DESK TO ROLE QUANT_LIMITED_RELEASE")
    account.sql("GRANT USAGE, CREATE TABLE ON SCHEMA DESK.RISK TO ROLE SIDE_ROLE")
    count, create = "SELECT COUNT(*) FROM DESK.RISK.T", "CREATE TABLE DESK.RISK.MADE (N NUMBER)"
    with account.connect("LENA", "lena") as connection:
        cursor = connection.cursor()
        assert cursor.execute(count).fetchone() == (0,)
        with pytest.raises(ProgrammingError, match="Insufficient privileges to operate on schema 'RISK'"):
            cursor.execute(create)
        cursor.execute("USE SECONDARY ROLES NONE")
        with pytest.raises(ProgrammingError, match="does not exist or not authorized"):
            cursor.execute(count)
        cursor.execute("USE ROLE SIDE_ROLE")
        cursor.execute(create)
    account.sql("ALTER USER LENA SET DEFAULT_SECONDARY_ROLES = ()")
    with account.connect("LENA", "lena") as connection, pytest.raises(ProgrammingError):
        connection.cursor().execute(count)


def test_a_role_that_is_taken_away_is_lost_at_once(account: Account) -> None:
    """A session that is open has PUBLIC's privileges left, also when there is a role of that name again."""
    account.sql("CREATE ROLE BRIEF")
    account.sql("GRANT ROLE BRIEF TO USER UMA")
    account.sql("GRANT USAGE ON DATABASE DESK TO ROLE BRIEF")
    account.sql("GRANT USAGE ON SCHEMA DESK.RISK TO ROLE BRIEF")
    account.sql("GRANT SELECT ON TABLE DESK.RISK.T TO ROLE BRIEF")
    count, who = "SELECT COUNT(*) FROM DESK.RISK.T", {"user": "UMA", "role": "BRIEF"}
    assert account.sql(count, **who) == [(0,)]
    account.sql("REVOKE ROLE BRIEF FROM USER UMA")
    assert account.refused(count, **who).startswith("002003 02000")
    account.sql("GRANT ROLE BRIEF TO USER UMA")
    assert account.sql(count, **who) == [(0,)]
    account.sql("DROP ROLE BRIEF")
    account.sql("CREATE ROLE BRIEF")
    account.sql("GRANT USAGE ON DATABASE DESK TO ROLE BRIEF")
    assert account.refused(count, **who).startswith("002003 02000")


def test_a_dropped_role_leaves_what_it_owned_to_who_dropped_it(account: Account) -> None:
    """Its grants are gone on both sides; its objects are there, with another owner."""
    account.sql("CREATE ROLE PASSING")
    account.sql("CREATE SCHEMA DESK.LEFT_BEHIND")
    account.sql("GRANT OWNERSHIP ON SCHEMA DESK.LEFT_BEHIND TO ROLE PASSING")
    account.sql("GRANT ROLE PASSING TO USER DANA")
    account.sql("GRANT USAGE ON WAREHOUSE QUANT_WH TO ROLE PASSING")
    account.sql("GRANT SELECT ON FUTURE TABLES IN SCHEMA DESK.RISK TO ROLE PASSING")
    account.sql("DROP ROLE PASSING")
    account.sql("CREATE ROLE PASSING")
    assert account.shown("SHOW SCHEMAS LIKE 'LEFT_BEHIND' IN DATABASE DESK")[0]["owner"] == "ACCOUNTADMIN"
    assert account.sql("SHOW GRANTS TO ROLE PASSING") == []
    assert account.sql("SHOW GRANTS OF ROLE PASSING") == []
    assert account.sql("SHOW FUTURE GRANTS TO ROLE PASSING") == []


def test_what_the_organization_gives_is_not_passed_on(account: Account) -> None:
    """The rest of the grant is done, and to revoke it is no error."""
    several = "CREATE DATABASE, MANAGE LISTING AUTO FULFILLMENT ON ACCOUNT"
    refused = account.refused(f"GRANT {several} TO ROLE QUANT_SUPPORT")
    assert refused.startswith("003011 42501 Grant partially executed: privileges [MANAGE LISTING AUTO FULFILLMENT]")
    assert "CREATE DATABASE" in [row["privilege"] for row in account.shown("SHOW GRANTS TO ROLE QUANT_SUPPORT")]
    account.sql(f"REVOKE {several} FROM ROLE QUANT_SUPPORT")
