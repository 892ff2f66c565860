"""What is not emulated says so and changes nothing; what is wrong is not taken for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from snowflake.connector.errors import DatabaseError, ProgrammingError

from sandbox.state import State
from tests.account_sandbox import Account, running

NOT_EMULATED = [
    "CREATE FUNCTION F() RETURNS NUMBER AS '1'",
    "CREATE TASK T SCHEDULE = '1 minute' AS SELECT 1",
    "CREATE TABLE QUANT.PUBLIC.T (N NUMBER) CLUSTER BY (N)",
    "CREATE SECURE VIEW QUANT.PUBLIC.V AS SELECT 1 AS N",
    "COPY INTO QUANT.PUBLIC.KEPT FROM @S",
    "COPY INTO @S FROM QUANT.PUBLIC.KEPT",
    "GET @S file:///tmp",
    "CALL SYSTEM$WAIT(1)",
    "EXPLAIN SELECT 1",
    "UNDROP SCHEMA QUANT.PUBLIC",
    "EXECUTE IMMEDIATE 'SELECT 1'",
    "SET X = 1",
    "COMMENT ON SCHEMA QUANT.PUBLIC IS 'x'",
    "CREATE TABLE QUANT.PUBLIC.T (N TIMESTAMP_TZ)",
    "CREATE TABLE QUANT.PUBLIC.T (N BINARY)",
    "CREATE SCHEMA QUANT.COPY CLONE QUANT.PUBLIC",
    "ALTER TABLE QUANT.PUBLIC.KEPT CLUSTER BY (N)",
    "ALTER TABLE QUANT.PUBLIC.KEPT SWAP WITH QUANT.PUBLIC.KEPT",
    "SELECT MY_FUNCTION(1)",
    "SELECT HASH(1)",
    "SELECT TO_CHAR(1234.5, '9,999.99')",
    "SELECT TO_CHAR(CURRENT_DATE, 'Q')",
    "SELECT IFF(TRUE, 1, 'a')",
    "SELECT 1 UNION ALL SELECT 'a'",
    "SELECT CEIL(1.25, 1)",
    "SELECT PARSE_JSON('1') > PARSE_JSON('2')",
    "SELECT X FROM (SELECT PARSE_JSON('1') AS X) ORDER BY X",
    "SELECT * FROM QUANT.PUBLIC.KEPT MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS N > 1)",
    "SELECT N FROM QUANT.PUBLIC.KEPT START WITH N = 1 CONNECT BY N = PRIOR N",
    "SELECT * FROM TABLE(SPLIT_TO_TABLE('a,b', ','))",
    "SELECT * FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))",
    "SELECT * FROM QUANT.PUBLIC.KEPT AT (OFFSET => -60)",
    "SELECT * FROM QUANT.PUBLIC.KEPT SAMPLE (10)",
    "SELECT $1",
    "SHOW TASKS",
    "SHOW INTEGRATIONS",
    "SHOW ROLES IN CLASS SNOWFLAKE.ML.ANOMALY_DETECTION",
    "SHOW TABLES HISTORY",
    "DESCRIBE TASK T",
    "SHOW GRANTS ON DATABASE QUANT LIMIT 5",
    "CREATE ROLE TAGGED WITH TAG (T = 'x')",
    "ALTER WAREHOUSE QUANT_WH ABORT ALL QUERIES",
    "ALTER SESSION SET TIMEZONE = 'Asia/Tokyo'",
    "GRANT APPLICATION ROLE A.B TO ROLE QUANT_SUPPORT",
    "GRANT USAGE ON INTEGRATION I TO ROLE QUANT_SUPPORT",
    "GRANT USAGE ON FUNCTION QUANT.PUBLIC.F() TO ROLE QUANT_SUPPORT",
    "GRANT DATABASE ROLE QUANT.R TO SHARE S",
]
LEFT_OVER = [
    "CREATE ROLE LEFT_OVER NOW",
    "GRANT USAGE ON DATABASE QUANT TO ROLE QUANT_SUPPORT NOW",
    "GRANT USAGE ON DATABASE QUANT TO ROLE QUANT_SUPPORT COPY CURRENT GRANTS",
    "GRANT USAGE,, MONITOR ON DATABASE QUANT TO ROLE QUANT_SUPPORT",
    "GRANT ROLE QUANT_DEPLOYER TO ROLE QUANT_SUPPORT WITH GRANT OPTION",
    "REVOKE USAGE ON DATABASE QUANT FROM ROLE QUANT_SUPPORT RESTRICT CASCADE",
    "REVOKE USAGE ON DATABASE QUANT TO ROLE QUANT_SUPPORT",
    "SHOW ROLES LIKE 'x' NOW",
    "SHOW GRANTS ON DATABASE QUANT NOW",
    "SHOW GRANTS NOW",
    "DESCRIBE USER ADA NOW",
    "USE ROLE ACCOUNTADMIN NOW",
    "ALTER SESSION SET QUERY_TAG = 'a' NOW",
    "ALTER SESSION UNSET",
    "BEGIN NOW",
    "COMMIT NOW",
    "SELECT 1 FROM",
    "SELECT 1 +",
]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running(State(tmp_path_factory.mktemp("unsupported") / "state")) as made:
        made.sql("CREATE TABLE QUANT.PUBLIC.KEPT (N NUMBER)")
        yield made


@pytest.mark.parametrize("statement", NOT_EMULATED)
def test_it_names_itself_and_the_sandbox(account: Account, statement: str) -> None:
    """000002, SQLSTATE 0A000, and words by which a reader knows that it is the sandbox."""
    said = account.refused(statement)
    assert said.startswith("000002 0A000 Unsupported feature '")
    assert said.endswith("' (this sandbox does not emulate it).")


@pytest.mark.parametrize("statement", LEFT_OVER)
def test_every_statement_is_read_to_its_end(account: Account, statement: str) -> None:
    """Words that are left over are a syntax error, and what stands before them is not done."""
    before = [account.sql(f"SHOW {what}") for what in ("ROLES", "GRANTS ON DATABASE QUANT", "GRANTS TO ROLE QUANT_SUPPORT")]
    assert account.refused(statement).startswith("001003 42000 SQL compilation error: syntax error line 1 at position")
    after = [account.sql(f"SHOW {what}") for what in ("ROLES", "GRANTS ON DATABASE QUANT", "GRANTS TO ROLE QUANT_SUPPORT")]
    assert before == after


def test_several_statements_and_none(account: Account) -> None:
    """One at a time, as the drivers send them."""
    assert account.refused("SELECT 1; SELECT 2").startswith("000008 0A000 Actual statement count 2")
    assert account.refused("-- nothing").startswith("000900 42601")
    with pytest.raises(ProgrammingError, match="Unsupported feature 'several statements in one request'"):
        account.cursor().execute("SELECT 1; SELECT 2", num_statements=2)
    with pytest.raises(ProgrammingError, match="Unsupported feature 'asynchronous execution'"):
        account.cursor().execute_async("SELECT 1")


def test_a_session_may_not_be_made_otherwise_in_silence(account: Account) -> None:
    """A parameter that would change how values are read or shown is refused, at login too."""
    with pytest.raises(DatabaseError, match="session parameter TIMEZONE = Asia/Tokyo"):
        account.connect("DANA", "dana", timezone="Asia/Tokyo")
    with account.connect("DANA", "dana", timezone="Etc/UTC", session_parameters={"QUERY_TAG": "a job"}) as connection:
        [row] = connection.cursor().execute("SHOW PARAMETERS LIKE 'QUERY_TAG'").fetchall()
        assert row[1:4:2] == ("a job", "SESSION")
