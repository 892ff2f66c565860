"""What the account tells and refuses as the real one does, where an older version of this sandbox was kinder."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.account_sandbox import Account

DEV = {"user": "DANA", "role": "QUANT_DEVELOPERS"}
SETUP = """
CREATE DATABASE DESK
CREATE SCHEMA DESK.RISK
CREATE TABLE DESK.RISK.T (N NUMBER)
CREATE DATABASE ROLE DESK.READER
CREATE ROLE HELPERS
GRANT ROLE HELPERS TO USER DANA
"""
_PRIMARY = "CURRENT_ROLE(), IS_ROLE_IN_SESSION('HELPERS')"


def test_a_database_role_may_use_its_database(account: Account) -> None:
    """Nobody has granted it, and it is told."""
    rows = account.shown("SHOW GRANTS TO DATABASE ROLE DESK.READER")
    assert [(row["privilege"], row["granted_on"], row["name"]) for row in rows] == [("USAGE", "DATABASE", "DESK")]


def test_grants_to_a_user_have_nine_columns(account: Account) -> None:
    """BCR-1803: those of SHOW GRANTS TO ROLE, and the role."""
    for statement in ("SHOW GRANTS TO USER DANA", "SHOW GRANTS"):
        [row, *_] = account.shown(statement, **DEV)
        assert " ".join(row) == ("created_on privilege granted_on name role granted_to grantee_name grant_option granted_by")
        assert (row["privilege"], row["granted_on"], row["name"]) == ("USAGE", "ROLE", row["role"])


def test_roles_in_a_session(account: Account) -> None:
    """The primary role, its own, and the secondary ones that are switched on: all, none or a list."""
    with account.connect("DANA", "dana", role="QUANT_DEVELOPERS") as connection:
        cursor = connection.cursor()
        for use, there in (("NONE", False), ("ALL", True), ("HELPERS", True), ("QUANT_DEVELOPERS", False)):
            cursor.execute(f"USE SECONDARY ROLES {use}")
            assert cursor.execute(f"SELECT {_PRIMARY}").fetchone() == ("QUANT_DEVELOPERS", there), use
        cursor.execute("USE SECONDARY ROLES ALL")
        [(told,)] = cursor.execute("SELECT CURRENT_SECONDARY_ROLES()").fetchall()
        assert told == '{"roles":"HELPERS","value":"ALL"}'
    assert account.refused("USE SECONDARY ROLES SYSADMIN", **DEV).startswith("003013 42501")


def test_a_renamed_user_logs_in_as_before(account: Account) -> None:
    """Login name and display name were made with the user and stay."""
    account.sql("CREATE USER NEWCOMER")
    account.sql("ALTER USER NEWCOMER RENAME TO REGULAR")
    [row] = account.shown("SHOW USERS LIKE 'REGULAR'")
    assert (row["login_name"], row["display_name"]) == ("NEWCOMER", "NEWCOMER")
    assert account.refused("CREATE USER NEWCOMER").startswith("002002 42710")


def test_a_role_of_future_grants_needs_manage_grants_to_be_dropped(account: Account) -> None:
    """Whether it holds them or has made them; and nobody drops the role that is in use."""
    account.sql("GRANT CREATE ROLE ON ACCOUNT TO ROLE QUANT_DEVELOPERS")
    account.sql("CREATE ROLE HOLDER", **DEV)
    account.sql("CREATE ROLE GRANTOR", **DEV)
    account.sql("GRANT SELECT ON FUTURE TABLES IN SCHEMA DESK.RISK TO ROLE HOLDER")
    account.sql("GRANT ROLE GRANTOR TO USER ADA")
    account.sql("GRANT MANAGE GRANTS ON ACCOUNT TO ROLE GRANTOR")
    account.sql("GRANT SELECT ON FUTURE VIEWS IN SCHEMA DESK.RISK TO ROLE QUANT_SUPPORT", role="GRANTOR")
    for role in ("HOLDER", "GRANTOR"):
        assert account.refused(f"DROP ROLE {role}", **DEV).startswith("003001 42501")
    account.sql("GRANT MANAGE GRANTS ON ACCOUNT TO ROLE QUANT_DEVELOPERS")
    for role in ("HOLDER", "GRANTOR"):
        account.sql(f"DROP ROLE {role}", **DEV)
    account.sql("REVOKE MANAGE GRANTS ON ACCOUNT FROM ROLE QUANT_DEVELOPERS")
    account.sql("CREATE ROLE MINE")
    account.sql("GRANT ROLE MINE TO USER ADA")
    account.sql("GRANT OWNERSHIP ON ROLE MINE TO ROLE MINE REVOKE CURRENT GRANTS")
    account.sql("GRANT ROLE MINE TO USER ADA")
    said = account.refused("DROP ROLE MINE", role="MINE")
    assert said.endswith("Cannot drop role MINE as it is the current primary role.")


def test_any_privilege_on_what_holds_it_is_enough_to_drop_and_describe(account: Account) -> None:
    """An owner needs no USAGE on the schema for that, but something on it."""
    account.sql("CREATE TABLE DESK.RISK.OWNED (N NUMBER)")
    account.sql("GRANT OWNERSHIP ON TABLE DESK.RISK.OWNED TO ROLE HELPERS COPY CURRENT GRANTS")
    who = {"user": "DANA", "role": "HELPERS"}
    assert account.refused("DESCRIBE TABLE DESK.RISK.OWNED", **who).startswith("002003 02000")
    account.sql("GRANT MONITOR ON DATABASE DESK TO ROLE HELPERS")
    account.sql("GRANT MONITOR ON SCHEMA DESK.RISK TO ROLE HELPERS")
    assert len(account.sql("DESCRIBE TABLE DESK.RISK.OWNED", **who)) == 1
    assert account.refused("SELECT * FROM DESK.RISK.OWNED", **who).startswith("002003 02000")
    account.sql("DROP TABLE DESK.RISK.OWNED", **who)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER SCHEMA DESK.RISK SET DATA_RETENTION_TIME_IN_DAYS = 91",
        "ALTER SCHEMA DESK.RISK SET DATA_RETENTION_TIME_IN_DAYS = -1",
        "CREATE WAREHOUSE W MAX_CLUSTER_COUNT = 11",
        "CREATE WAREHOUSE W STATEMENT_TIMEOUT_IN_SECONDS = 604801",
        "CREATE WAREHOUSE W AUTO_SUSPEND = -1",
        "CREATE WAREHOUSE W MIN_CLUSTER_COUNT = 3 MAX_CLUSTER_COUNT = 2",
        "CREATE RESOURCE MONITOR R CREDIT_QUOTA = 0",
    ],
)
def test_a_number_out_of_its_range_is_refused(account: Account, statement: str) -> None:
    """By Snowflake's limits of each parameter."""
    assert account.refused(statement).startswith("001008 22023")


def test_a_monitor_has_a_start(account: Account) -> None:
    """The moment when it was made, or what was said."""
    account.sql("CREATE RESOURCE MONITOR NOW_ON WITH CREDIT_QUOTA = 5")
    account.sql("CREATE RESOURCE MONITOR LATER CREDIT_QUOTA = 5 FREQUENCY = DAILY START_TIMESTAMP = '2030-01-01 00:00'")
    told = {row["name"]: str(row["start_time"]) for row in account.shown("SHOW RESOURCE MONITORS")}
    assert told["NOW_ON"].startswith("20") and told["LATER"] == "2030-01-01 00:00"


def test_warehouses_are_told_with_the_new_columns(account: Account) -> None:
    """BCR-1889 and the two of generation 2."""
    [row] = account.shown("SHOW WAREHOUSES LIKE 'QUANT_WH'")
    assert {"resource_constraint", "generation", "warehouse_credit_limit", "target_statement_size", "disabled_reasons"} <= {
        *row
    }


@pytest.mark.parametrize("path", ["/api/v2/databases", "/queries/v1/cancel", "/session/authenticator-request"])
def test_a_path_that_is_not_emulated_says_so(account: Account, path: str) -> None:
    """In the words of a statement that is not."""
    url = f"http://{account.endpoints.host}:{account.endpoints.snowflake_port}{path}"
    answer = requests.request("POST", url, timeout=10)
    said: dict[str, Any] = answer.json()
    assert (answer.status_code, said["code"]) == (404, "000002")
    assert said["message"] == f"Unsupported feature 'POST {path}' (this sandbox does not emulate it)."
