"""CREATE, ALTER and DROP: what is set is told, what is unknown is refused, and nothing is half done."""

from __future__ import annotations

from typing import Any

import pytest

from tests.account_sandbox import Account

_WH, _USER, _SCHEMA = "SHOW WAREHOUSES LIKE 'WH'", "SHOW USERS LIKE 'PAT'", "SHOW SCHEMAS LIKE 'RISK' IN DATABASE DESK"
_RM, _NP = "SHOW RESOURCE MONITORS", "SHOW NETWORK POLICIES"
_TRIGGERS = "TRIGGERS ON 50 PERCENT DO NOTIFY ON 90 PERCENT DO SUSPEND_IMMEDIATE"
_QUOTA = {"credit_quota": "20.00", "remaining_credits": "20.00", "notify_at": "50%", "suspend_immediately_at": "90%"}
# a change, what shows it, and every column that differs afterwards
CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("ALTER SCHEMA DESK.RISK SET COMMENT = 'it''s', LOG_LEVEL = INFO", _SCHEMA, {"comment": "it's"}),
    ("ALTER SCHEMA DESK.RISK SET DATA_RETENTION_TIME_IN_DAYS = 3", _SCHEMA, {"retention_time": "3"}),
    (
        "ALTER SCHEMA IF EXISTS DESK.RISK UNSET COMMENT, DATA_RETENTION_TIME_IN_DAYS",
        _SCHEMA,
        {"comment": "", "retention_time": "1"},
    ),
    ("ALTER DATABASE DESK SET COMMENT = $$a 'b'$$", "SHOW DATABASES LIKE 'DESK'", {"comment": "a 'b'"}),
    ("ALTER ROLE QUANT_SUPPORT SET COMMENT = 'x'", "SHOW ROLES LIKE 'QUANT_SUPPORT'", {"comment": "x"}),
    ("ALTER DATABASE ROLE DESK.READER SET COMMENT = 'x'", "SHOW DATABASE ROLES IN DATABASE DESK", {"comment": "x"}),
    (
        "ALTER WAREHOUSE WH SET WAREHOUSE_SIZE = 'X-LARGE' AUTO_SUSPEND = 60",
        _WH,
        {"size": "X-Large", "auto_suspend": 60},
    ),
    ("ALTER WAREHOUSE WH UNSET AUTO_SUSPEND", _WH, {"auto_suspend": 0}),
    ("ALTER WAREHOUSE WH UNSET AUTO_RESUME", _WH, {"auto_resume": "false"}),
    ("ALTER WAREHOUSE WH SET GENERATION = '2'", _WH, {"generation": "2"}),
    ("ALTER WAREHOUSE WH SET RESOURCE_CONSTRAINT = STANDARD_GEN_2", _WH, {"resource_constraint": "STANDARD_GEN_2"}),
    (
        "ALTER USER PAT SET FIRST_NAME = 'P', DEFAULT_ROLE = \"low\", DISABLED = TRUE",
        _USER,
        {"first_name": "P", "default_role": "low", "disabled": "true"},
    ),
    (
        "ALTER USER PAT UNSET FIRST_NAME, DEFAULT_ROLE, DISABLED",
        _USER,
        {"first_name": "", "default_role": "", "disabled": "false"},
    ),
    ("ALTER USER PAT SET DEFAULT_SECONDARY_ROLES = ()", _USER, {"default_secondary_roles": "[]"}),
    ("ALTER USER PAT SET LOGIN_NAME = 'pat@desk'", _USER, {"login_name": "PAT@DESK"}),
    (f"ALTER RESOURCE MONITOR LIMITS SET CREDIT_QUOTA = 20 {_TRIGGERS}", _RM, _QUOTA),
    ('ALTER RESOURCE MONITOR LIMITS SET NOTIFY_USERS = (PAT, "DANA")', _RM, {"notify_users": "PAT, DANA"}),
    (
        "ALTER RESOURCE MONITOR LIMITS SET CREDIT_QUOTA = null",
        _RM,
        {"credit_quota": None, "remaining_credits": None},
    ),
    (
        "ALTER NETWORK POLICY OFFICE SET ALLOWED_IP_LIST = ('10.0.0.0/8', '192.168.0.1')",
        _NP,
        {"entries_in_allowed_ip_list": 2},
    ),
    ("ALTER NETWORK POLICY OFFICE UNSET ALLOWED_IP_LIST", _NP, {"entries_in_allowed_ip_list": 0}),
]
_SYNTAX = "001003 42000 SQL compilation error: syntax error line 1 at position"
REFUSED = [
    ("CREATE USER U FOO = 1", "001420 22023 SQL compilation error: invalid property 'FOO' for 'USER'"),
    ("CREATE SCHEMA DESK.S PASSWORD = 'x'", "001420 22023 SQL compilation error: invalid property 'PASSWORD' for 'SCHEMA'"),
    ("ALTER USER PAT SET RSA_PUBLIC_KEY_FP = 'x'", "001420 22023"),
    ("ALTER USER PAT UNSET FOO", "001420 22023"),
    ("ALTER USER PAT SET DISABLED = MAYBE", "001008 22023 SQL compilation error: invalid value [MAYBE] for parameter"),
    ("ALTER USER PAT SET DAYS_TO_EXPIRY = 1.5", "001008 22023 SQL compilation error: invalid value [1.5] for parameter"),
    (
        "ALTER RESOURCE MONITOR LIMITS SET END_TIMESTAMP = '2027-01-01 00:00x'",
        "001008 22023 SQL compilation error: Invalid date",
    ),
    ("ALTER WAREHOUSE WH UNSET WAREHOUSE_TYPE", "001008 22023 SQL compilation error: invalid type of property 'null' for"),
    ("CREATE USER U DISABLE_MFA = TRUE", "001420 22023 SQL compilation error: invalid property 'DISABLE_MFA' for 'USER'"),
    ("CREATE USER U WITH TAG (T = 'x')", "000002 0A000 Unsupported feature 'TAG of USER'"),
    ("ALTER USER PAT SET TYPE = ROBOT", "001008 22023 SQL compilation error: invalid value [ROBOT] for parameter 'TYPE'"),
    ("ALTER USER PAT SET DEFAULT_SECONDARY_ROLES = ('OTHER')", "001008 22023"),
    ("ALTER WAREHOUSE WH SET WAREHOUSE_SIZE = 'SMALLa'", "001008 22023"),
    ("ALTER WAREHOUSE WH SET RESOURCE_MONITOR = NOSUCH", "002003 02000"),
    ("ALTER WAREHOUSE WH RESUME", "090063 22000 Invalid state. Warehouse 'WH' cannot be resumed."),
    ("CREATE WAREHOUSE W2 TAG = (A = 'b')", "000002 0A000"),
    ("CREATE USER PAT", "002002 42710 SQL compilation error: Object 'PAT' already exists."),
    ("CREATE USER OTHER LOGIN_NAME = 'pat@desk'", "002002 42710"),
    ("CREATE OR REPLACE SCHEMA IF NOT EXISTS DESK.RISK", "001003 42000"),
    ("CREATE SCHEMA DESK.RISK2 MANAGED ACCESS", _SYNTAX),
    ("CREATE SCHEMA DESK.RISK2 CLONE DESK.RISK", "000002 0A000"),
    ("CREATE SCHEMA NOSUCH.RISK", "002003 02000 SQL compilation error: Database 'NOSUCH' does not exist"),
    ("CREATE SCHEMA A.B.C", _SYNTAX),
    ("CREATE ROLE R COMMENT = 'x' 'y'", _SYNTAX),
    ("CREATE TRANSIENT ROLE R", "000002 0A000"),
    ("CREATE ROLE R COMMENT = 'x' COMMENT = 'y'", "001424 22023"),
    ("ALTER SCHEMA DESK.RISK SET", _SYNTAX),
    ("ALTER SCHEMA DESK.RISK", _SYNTAX),
    ("ALTER SCHEMA DESK.RISK SWAP WITH DESK.PUBLIC", "000002 0A000"),
    ("ALTER SCHEMA DESK.RISK ENABLE MANAGED ACCESS NOW", _SYNTAX),
    ("ALTER SCHEMA DESK.RISK RENAME TO DESK.PUBLIC", "002002 42710"),
    ("DROP SCHEMA DESK.RISK NOW", _SYNTAX),
    ("CREATE RESOURCE MONITOR M WITH TRIGGERS ON 1 PERCENT DO SUSPEND ON 2 PERCENT DO SUSPEND", "001008 22023"),
    ("CREATE NETWORK POLICY P ALLOWED_IP_LIST = ('300.0.0.1')", "001008 22023"),
    ("CREATE NETWORK POLICY P ALLOWED_NETWORK_RULE_LIST = (A.B.C)", "000002 0A000"),
    ("CREATE USER 'quoted'", _SYNTAX),
]
SETUP = """
CREATE DATABASE DESK
CREATE SCHEMA DESK.RISK
CREATE DATABASE ROLE DESK.READER
CREATE WAREHOUSE WH
CREATE USER PAT
CREATE RESOURCE MONITOR LIMITS
CREATE NETWORK POLICY OFFICE ALLOWED_IP_LIST = ('10.0.0.0/8')
"""


@pytest.mark.parametrize(("change", "show", "told"), CHANGES, ids=[change for change, _, _ in CHANGES])
def test_a_change_is_told(account: Account, change: str, show: str, told: dict[str, Any]) -> None:
    """What ALTER sets or takes away is what SHOW tells, and no other property changes with it."""
    [before] = account.shown(show)
    account.sql(change)
    [after] = account.shown(show)
    assert {key: after[key] for key in after if after[key] != before[key]} == told


@pytest.mark.parametrize(("statement", "said"), REFUSED, ids=[statement for statement, _ in REFUSED])
def test_what_is_wrong_is_refused(account: Account, statement: str, said: str) -> None:
    """An unknown property, a value of another type, words that are left over: in Snowflake's numbers and words."""
    before = account.sql("SHOW USERS"), account.sql("SHOW WAREHOUSES"), account.sql("SHOW SCHEMAS IN DATABASE DESK")
    assert account.refused(statement).startswith(said)
    after = account.sql("SHOW USERS"), account.sql("SHOW WAREHOUSES"), account.sql("SHOW SCHEMAS IN DATABASE DESK")
    assert before == after


def test_a_transient_schema_stays_one_and_says_so(account: Account) -> None:
    """Whatever else is changed of it; a schema is permanent where nothing is said."""
    account.sql("CREATE TRANSIENT SCHEMA DESK.PASSING WITH MANAGED ACCESS")
    account.sql("ALTER SCHEMA DESK.PASSING RENAME TO DESK.PASSED")
    told = {row["name"]: row["options"] for row in account.shown("SHOW SCHEMAS IN DATABASE DESK")}
    assert (told["PASSED"], told["PUBLIC"]) == ("TRANSIENT, MANAGED ACCESS", "")
    account.sql("USE DATABASE DESK")
    transient = account.sql("SELECT IS_TRANSIENT FROM INFORMATION_SCHEMA.SCHEMATA WHERE SCHEMA_NAME = 'PASSED'")
    assert transient == [("YES",)]
    account.sql("DROP SCHEMA DESK.PASSED")


def test_or_replace_begins_anew_and_if_not_exists_leaves_alone(account: Account) -> None:
    """OR REPLACE forgets properties, what is inside and the grants; IF NOT EXISTS forgets nothing."""
    account.sql("CREATE SCHEMA DESK.AGAIN COMMENT = 'one'")
    account.sql("CREATE TABLE DESK.AGAIN.T AS SELECT 1 AS N")
    account.sql("GRANT USAGE ON SCHEMA DESK.AGAIN TO ROLE QUANT_SUPPORT")
    account.sql("CREATE SCHEMA IF NOT EXISTS DESK.AGAIN COMMENT = 'two'")
    assert account.sql("SELECT * FROM DESK.AGAIN.T") == [(1,)]
    account.sql("CREATE OR REPLACE SCHEMA DESK.AGAIN COMMENT = 'two'")
    [row] = account.shown("SHOW SCHEMAS LIKE 'AGAIN' IN DATABASE DESK")
    assert row["comment"] == "two"
    assert account.sql("SHOW TABLES IN SCHEMA DESK.AGAIN") == []
    assert [g["privilege"] for g in account.shown("SHOW GRANTS ON SCHEMA DESK.AGAIN")] == ["OWNERSHIP"]
    account.sql("CREATE TABLE DESK.AGAIN.T AS SELECT 2 AS N")
    assert account.sql("SELECT * FROM DESK.AGAIN.T") == [(2,)]


def test_a_new_name_goes_everywhere(account: Account) -> None:
    """What is in it, grants on it and to it, and the sessions that use it."""
    account.sql("CREATE DATABASE OLD_NAME")
    account.sql("CREATE TABLE OLD_NAME.PUBLIC.T AS SELECT 1 AS N")
    account.sql("CREATE DATABASE ROLE OLD_NAME.READER")
    account.sql("CREATE ROLE OLD_ROLE")
    account.sql("GRANT USAGE ON SCHEMA OLD_NAME.PUBLIC TO DATABASE ROLE OLD_NAME.READER")
    account.sql("GRANT SELECT ON TABLE OLD_NAME.PUBLIC.T TO DATABASE ROLE OLD_NAME.READER")
    account.sql("GRANT DATABASE ROLE OLD_NAME.READER TO ROLE OLD_ROLE")
    account.sql("GRANT ROLE OLD_ROLE TO USER EDDIE")
    session = account.connect("ADA", "ada", database="OLD_NAME", schema="PUBLIC").cursor()
    account.sql("ALTER DATABASE OLD_NAME RENAME TO NEW_NAME")
    account.sql("ALTER SCHEMA NEW_NAME.PUBLIC RENAME TO NEW_NAME.RENAMED")
    assert session.execute("SELECT N, CURRENT_DATABASE(), CURRENT_SCHEMA() FROM T").fetchall() == [
        (1, "NEW_NAME", "RENAMED")
    ]
    account.sql("ALTER ROLE OLD_ROLE RENAME TO NEW_ROLE")
    account.sql("ALTER DATABASE ROLE NEW_NAME.READER RENAME TO NEW_NAME.READS")
    assert account.sql("SELECT * FROM NEW_NAME.RENAMED.T", user="EDDIE", role="NEW_ROLE") == [(1,)]
    assert account.refused("SHOW GRANTS ON DATABASE OLD_NAME").startswith("002003 02000")
    assert account.refused("ALTER ROLE NEW_ROLE RENAME TO SYSADMIN").startswith("002002 42710")
    account.sql("CREATE NETWORK POLICY OLD_PLACE ALLOWED_IP_LIST = ('127.0.0.1')")
    account.sql("CREATE USER PLACED NETWORK_POLICY = OLD_PLACE")
    account.sql("ALTER NETWORK POLICY OLD_PLACE RENAME TO NEW_PLACE")
    [told] = account.shown("SHOW PARAMETERS LIKE 'NETWORK_POLICY' IN USER PLACED")
    assert told["value"] == "NEW_PLACE"


def test_drop_if_exists(account: Account) -> None:
    """What is not there may be dropped with IF EXISTS only."""
    for kind, name in (("ROLE", "NOSUCH"), ("SCHEMA", "DESK.NOSUCH"), ("USER", "NOSUCH"), ("TABLE", "DESK.PUBLIC.NOSUCH")):
        assert account.refused(f"DROP {kind} {name}").startswith("002003 02000")
        assert account.sql(f"DROP {kind} IF EXISTS {name}") == [("Drop statement executed successfully.",)]


def test_a_resource_monitor_is_the_account_administrators(account: Account) -> None:
    """No privilege makes it anybody else's; its warehouse forgets it when it goes."""
    account.sql("GRANT ROLE SYSADMIN TO USER SAM")
    assert account.refused("CREATE RESOURCE MONITOR M", user="SAM", role="SYSADMIN").startswith("003001 42501")
    account.sql("CREATE RESOURCE MONITOR GOING")
    account.sql("CREATE WAREHOUSE WATCHED RESOURCE_MONITOR = GOING")
    assert account.shown("SHOW WAREHOUSES LIKE 'WATCHED'")[0]["resource_monitor"] == "GOING"
    account.sql("DROP RESOURCE MONITOR GOING")
    assert account.shown("SHOW WAREHOUSES LIKE 'WATCHED'")[0]["resource_monitor"] == "null"


def test_a_span_is_told_as_what_is_left_of_it(account: Account) -> None:
    """Whole minutes, and days with their fraction; zero takes it away, a span that is over is told for days alone."""
    account.sql("CREATE USER SPAN DAYS_TO_EXPIRY = 5 MINS_TO_UNLOCK = 15 DEFAULT_NAMESPACE = 'DESK.RISK'")
    told = account.shown("SHOW USERS LIKE 'SPAN'")[0]
    assert (told["mins_to_unlock"], 4 < float(told["days_to_expiry"]) < 5) == ("14", True)
    assert told["expires_at_time"] > told["locked_until_time"] > told["created_on"]
    account.sql("ALTER USER SPAN SET DAYS_TO_EXPIRY = -1, MINS_TO_UNLOCK = -1")
    described = {row["property"]: row["value"] for row in account.shown("DESCRIBE USER SPAN")}
    assert (float(described["DAYS_TO_EXPIRY"]) < -1, described["MINS_TO_UNLOCK"]) == (True, "null")
    account.sql("ALTER USER SPAN SET DAYS_TO_EXPIRY = 0")
    assert account.shown("SHOW USERS LIKE 'SPAN'")[0]["days_to_expiry"] == ""


def test_names_of_a_user(account: Account) -> None:
    """What is not said is the name; an UNSET gives the login name back and not the display name; defaults are told bare."""
    account.sql('CREATE USER NAMED DEFAULT_WAREHOUSE = "low" DEFAULT_NAMESPACE = "a"."b"')
    [told] = account.shown("SHOW USERS LIKE 'NAMED'")
    assert [told[key] for key in ("login_name", "display_name", "default_warehouse", "default_namespace")] == [
        "NAMED", "NAMED", "low", "a.b",
    ]  # fmt: skip
    account.sql("ALTER USER NAMED UNSET LOGIN_NAME, DISPLAY_NAME")
    account.sql("ALTER USER NAMED SET DEFAULT_NAMESPACE = 'low'")
    assert account.shown("SHOW USERS LIKE 'NAMED'")[0]["default_namespace"] == "LOW"
    [told] = account.shown("SHOW USERS LIKE 'NAMED'")
    assert (told["login_name"], told["display_name"]) == ("NAMED", "")


def test_types_of_users_in_alter(account: Account) -> None:
    """A legacy service user may be told to change its password; UNSET is refused for two properties alone."""
    account.sql("CREATE USER OLDER TYPE = LEGACY_SERVICE MUST_CHANGE_PASSWORD = TRUE")
    account.sql("CREATE USER NEWER TYPE = SERVICE")
    account.sql("ALTER USER NEWER UNSET FIRST_NAME, PASSWORD")
    for statement in ("ALTER USER NEWER UNSET MUST_CHANGE_PASSWORD", "ALTER USER OLDER UNSET DISABLE_MFA"):
        assert account.refused(statement).startswith("511503 23001 SQL execution error: Cannot set")


def test_what_is_made_is_in_use(account: Account) -> None:
    """A new warehouse is the session's, as a new database and schema are.

    https://docs.snowflake.com/en/sql-reference/sql/create-warehouse#general-usage-notes
    """
    with account.connect("ADA", "ada", role="ACCOUNTADMIN") as connection:
        cursor = connection.cursor()
        for statement in ("CREATE WAREHOUSE IN_USE", "CREATE DATABASE AT_ONCE", "CREATE SCHEMA OF_ITS_OWN"):
            cursor.execute(statement)
        asked = "SELECT CURRENT_WAREHOUSE(), CURRENT_DATABASE(), CURRENT_SCHEMA()"
        assert cursor.execute(asked).fetchall() == [("IN_USE", "AT_ONCE", "OF_ITS_OWN")]
