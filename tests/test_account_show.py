"""SHOW and DESCRIBE: the columns that the provider reads, by name, and Snowflake's own; and what LIKE and IN choose."""

from __future__ import annotations

import pytest

from tests.account_sandbox import Account

SPACED = {"primary_key", "unique_key", "policy_name", "privacy_domain"}
EMPTY = {"SHOW REPLICATION DATABASES WITH PRIMARY QUANTORG.SANDBOX.DESK"}
_GRANT = "created_on privilege granted_on name granted_to grantee_name grant_option granted_by"
_FUTURE = "created_on privilege grant_on name grant_to grantee_name grant_option"
_ROLE_GRANT = "created_on role granted_to grantee_name granted_by"
_COLUMN = "name type kind null? default primary_key unique_key check expression comment policy_name"
COLUMNS = [
    (
        "SHOW DATABASES",
        "created_on name is_default is_current origin owner comment options retention_time resource_group dropped_on kind"
        " owner_role_type",
    ),
    (
        "SHOW SCHEMAS IN DATABASE DESK",
        "created_on dropped_on name is_default is_current database_name owner comment options retention_time"
        " owner_role_type",
    ),
    (
        "SHOW ROLES",
        "created_on name is_default is_current is_inherited assigned_to_users granted_to_roles granted_roles owner comment",
    ),
    (
        "SHOW DATABASE ROLES IN DATABASE DESK",
        "created_on name is_default is_current is_inherited granted_to_roles granted_to_database_roles"
        " granted_database_roles owner comment owner_role_type",
    ),
    (
        "SHOW USERS",
        "name created_on login_name display_name first_name last_name email mins_to_unlock days_to_expiry comment disabled"
        " must_change_password snowflake_lock default_warehouse default_namespace default_role default_secondary_roles"
        " ext_authn_duo ext_authn_uid mins_to_bypass_mfa owner last_success_login expires_at_time locked_until_time"
        " has_password has_rsa_public_key type has_mfa",
    ),
    (
        "SHOW WAREHOUSES",
        "name state type size min_cluster_count max_cluster_count started_clusters running queued is_default is_current"
        " auto_suspend auto_resume available provisioning quiescing other created_on resumed_on updated_on owner comment"
        " enable_query_acceleration query_acceleration_max_scale_factor resource_monitor actives pendings failed suspended"
        " uuid scaling_policy owner_role_type",
    ),
    (
        "SHOW RESOURCE MONITORS",
        "name credit_quota used_credits remaining_credits level frequency start_time end_time notify_at suspend_at"
        " suspend_immediately_at created_on owner comment notify_users",
    ),
    (
        "SHOW NETWORK POLICIES",
        "created_on name comment entries_in_allowed_ip_list entries_in_blocked_ip_list entries_in_allowed_network_rules"
        " entries_in_blocked_network_rules",
    ),
    ("SHOW SHARES", "created_on kind owner_account name database_name to owner comment"),
    (
        "SHOW TABLES IN DATABASE DESK",
        "created_on name schema_name database_name kind comment cluster_by rows bytes owner retention_time dropped_on"
        " automatic_clustering change_tracking search_optimization search_optimization_progress search_optimization_bytes"
        " is_external enable_schema_evolution owner_role_type is_event budget",
    ),
    (
        "SHOW VIEWS IN DATABASE DESK",
        "created_on name kind reserved database_name schema_name owner comment text is_secure is_materialized"
        " owner_role_type change_tracking",
    ),
    (
        "SHOW SEQUENCES IN DATABASE DESK",
        "created_on name schema_name database_name next_value interval owner owner_role_type comment ordered",
    ),
    ("SHOW STAGES IN DATABASE DESK", "created_on name database_name schema_name url owner comment type owner_role_type"),
    ("SHOW PARAMETERS IN SCHEMA DESK.A_B", "key value default level description type"),
    ("SHOW PARAMETERS FOR USER DANA", "key value default level description type"),
    ("SHOW PARAMETERS IN WAREHOUSE QUANT_WH", "key value default level description type"),
    ("SHOW PARAMETERS", "key value default level description type"),
    ("SHOW GRANTS", _ROLE_GRANT),
    ("SHOW GRANTS ON ACCOUNT", _GRANT),
    ("SHOW GRANTS ON SCHEMA DESK.A_B", _GRANT),
    ("SHOW GRANTS TO ROLE QUANT_DEPLOYER", _GRANT),
    ("SHOW GRANTS TO DATABASE ROLE DESK.READER", _GRANT),
    ("SHOW GRANTS TO SHARE OUT", _GRANT),
    ("SHOW GRANTS TO USER DANA", _ROLE_GRANT),
    ("SHOW GRANTS OF ROLE QUANT_DEPLOYER", _ROLE_GRANT),
    ("SHOW GRANTS OF DATABASE ROLE DESK.READER", _ROLE_GRANT),
    ("SHOW FUTURE GRANTS IN SCHEMA DESK.A_B", _FUTURE),
    ("SHOW FUTURE GRANTS IN DATABASE DESK", _FUTURE),
    ("SHOW FUTURE GRANTS TO ROLE QUANT_SUPPORT", _FUTURE),
    (
        "SHOW REPLICATION DATABASES WITH PRIMARY QUANTORG.SANDBOX.DESK",
        "region_group snowflake_region created_on account_name name comment is_primary primary"
        " replication_allowed_to_accounts failover_allowed_to_accounts organization_name account_locator",
    ),
    ("DESCRIBE DATABASE DESK", "created_on name kind"),
    ("DESCRIBE SCHEMA DESK.A_B", "created_on name kind"),
    ("DESCRIBE WAREHOUSE QUANT_WH", "created_on name kind"),
    ("DESCRIBE USER DANA", "property value default description"),
    ("DESC NETWORK POLICY OFFICE", "name value"),
    ("DESCRIBE TABLE DESK.A_B.T", _COLUMN),
    ("DESCRIBE VIEW DESK.A_B.V", _COLUMN + " privacy_domain"),
]
SETUP = """
CREATE DATABASE DESK
CREATE SCHEMA DESK.A_B
CREATE SCHEMA DESK.AXB
CREATE SCHEMA DESK."low"
CREATE TABLE DESK."low"."a""b.c" ("x" NUMBER, y NUMBER)
CREATE TABLE DESK.A_B.T (N NUMBER)
CREATE TABLE DESK.AXB.T (N NUMBER)
CREATE VIEW DESK.A_B.V AS SELECT * FROM DESK.A_B.T
CREATE SEQUENCE DESK.A_B.S
CREATE STAGE DESK.A_B.G
CREATE DATABASE ROLE DESK.READER
GRANT USAGE ON SCHEMA DESK.A_B TO DATABASE ROLE DESK.READER
GRANT DATABASE ROLE DESK.READER TO ROLE QUANT_SUPPORT
GRANT SELECT ON FUTURE TABLES IN SCHEMA DESK.A_B TO ROLE QUANT_SUPPORT
GRANT SELECT ON FUTURE VIEWS IN DATABASE DESK TO ROLE QUANT_SUPPORT
CREATE RESOURCE MONITOR LIMITS WITH CREDIT_QUOTA = 10 TRIGGERS ON 80 PERCENT DO NOTIFY ON 100 PERCENT DO SUSPEND
CREATE NETWORK POLICY OFFICE ALLOWED_IP_LIST = ('10.0.0.0/8')
CREATE SHARE OUT
GRANT USAGE ON DATABASE DESK TO SHARE OUT
"""


@pytest.mark.parametrize(("statement", "columns"), COLUMNS, ids=[statement for statement, _ in COLUMNS])
def test_a_statement_has_its_columns(account: Account, statement: str, columns: str) -> None:
    """Written by hand from the provider's `db:` tags; a missing one would silently be empty there."""
    cursor = account.cursor()
    rows = cursor.execute(statement).fetchall()
    wanted = [name.replace("_", " ") if name in SPACED else name for name in columns.split()]
    assert set(wanted) <= {column.name for column in cursor.description}
    assert bool(rows) == (statement not in EMPTY), rows
    assert [column.name for column in cursor.describe(statement)] == [column.name for column in cursor.description]


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("SHOW SCHEMAS LIKE 'a_b' IN DATABASE DESK", ["AXB", "A_B"]),
        ("SHOW SCHEMAS LIKE 'A\\\\_B' IN DATABASE DESK", ["A_B"]),
        ("SHOW SCHEMAS LIKE '%b' IN DESK", ["AXB", "A_B"]),
        ("SHOW SCHEMAS IN DATABASE DESK STARTS WITH 'A' LIMIT 1", ["AXB"]),
        ("SHOW SCHEMAS IN DATABASE DESK LIMIT 2 FROM 'A_'", ["A_B", "INFORMATION_SCHEMA"]),
        ("SHOW SCHEMAS IN DATABASE DESK LIMIT 2 FROM 'A_B'", ["INFORMATION_SCHEMA", "PUBLIC"]),
        ("SHOW SCHEMAS LIKE 'low' IN DATABASE DESK", ["low"]),
        ("SHOW TABLES IN ACCOUNT", ["T", "T", 'a"b.c']),
        ("SHOW TABLES IN DATABASE DESK", ["T", "T", 'a"b.c']),
        ("SHOW TABLES IN SCHEMA DESK.A_B", ["T"]),
        ('SHOW TABLES IN SCHEMA DESK."low"', ['a"b.c']),
        ("SHOW ROLES LIKE 'nosuch'", []),
    ],
)
def test_like_and_in_choose(account: Account, statement: str, found: list[str]) -> None:
    """LIKE knows its wildcards and an escape and no case, STARTS WITH has case, and names are what they are."""
    assert [row["name"] for row in account.shown(statement)] == found


def test_a_quoted_name_is_kept_and_told_quoted(account: Account) -> None:
    """Lower case, dots and quotes survive, in names and in what grants tell of them."""
    [row] = account.shown('SHOW TABLES IN SCHEMA DESK."low"')
    assert (row["database_name"], row["schema_name"]) == ("DESK", "low")
    [grant] = account.shown('SHOW GRANTS ON TABLE DESK."low"."a""b.c"')
    assert grant["name"] == 'DESK."low"."a""b.c"'
    assert account.sql('SELECT "x", Y FROM DESK."low"."a""b.c"') == []
    assert "'LOW'" in account.refused('SHOW GRANTS ON SCHEMA DESK."LOW"').replace("DESK.LOW", "LOW")


def test_a_schema_is_dropped_without_its_neighbour(account: Account) -> None:
    """A_B and AXB differ, although an underscore is a wildcard in LIKE."""
    account.sql("CREATE DATABASE NEIGHBOURS")
    for schema in ("A_B", "AXB"):
        account.sql(f"CREATE SCHEMA NEIGHBOURS.{schema}")
        account.sql(f"CREATE TABLE NEIGHBOURS.{schema}.T AS SELECT 1 AS N")
    account.sql("DROP SCHEMA NEIGHBOURS.A_B")
    assert account.sql("SELECT * FROM NEIGHBOURS.AXB.T") == [(1,)]


def test_parameters_tell_their_level(account: Account) -> None:
    """Where a value comes from: the object, what holds it, the account, or nobody."""
    account.sql("ALTER DATABASE DESK SET DATA_RETENTION_TIME_IN_DAYS = 7")
    account.sql("ALTER SCHEMA DESK.A_B SET LOG_LEVEL = INFO")
    told = {row["key"]: (row["value"], row["level"]) for row in account.shown("SHOW PARAMETERS IN SCHEMA DESK.A_B")}
    assert told["DATA_RETENTION_TIME_IN_DAYS"] == ("7", "DATABASE")
    assert told["LOG_LEVEL"] == ("INFO", "SCHEMA")
    assert told["TRACE_LEVEL"] == ("OFF", "")
    [zone] = account.shown("SHOW PARAMETERS LIKE 'timezone' IN USER ADA")
    assert (zone["value"], zone["default"], zone["level"]) == ("Etc/UTC", "America/Los_Angeles", "ACCOUNT")


def test_a_database_lists_its_information_schema(account: Account) -> None:
    """It is nobody's own; DESCRIBE, SHOW and the views tell of it."""
    assert "INFORMATION_SCHEMA" in [row["name"] for row in account.shown("DESCRIBE DATABASE DESK")]
    [row] = account.shown("SHOW SCHEMAS LIKE 'INFORMATION_SCHEMA' IN DATABASE DESK")
    assert (row["database_name"], row["owner"], row["owner_role_type"]) == ("DESK", "", "")
    named = account.sql("SELECT SCHEMA_NAME, SCHEMA_OWNER FROM DESK.INFORMATION_SCHEMA.SCHEMATA WHERE SCHEMA_OWNER IS NULL")
    assert named == [("INFORMATION_SCHEMA", None)]


def test_pipes_are_asked_for_and_there_are_none(account: Account) -> None:
    """The provider asks before it grants on all of them."""
    cursor = account.cursor()
    assert cursor.execute("SHOW PIPES IN DATABASE DESK").fetchall() == []
    assert "schema_name" in [column.name for column in cursor.description]
