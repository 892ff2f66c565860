"""Rows: written and read through the connector with their types, and each way in which a query is wrong."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
import snowflake.connector
from snowflake.connector.constants import FIELD_ID_TO_NAME
from snowflake.connector.errors import ProgrammingError

from tests.account_sandbox import Account

TYPES = "D DATE, N NUMBER(10,2), I INT, B BOOLEAN, F FLOAT, T TIMESTAMP_NTZ, S VARCHAR"
ROW = (
    date(2026, 1, 5),
    Decimal("1234.50"),
    7,
    True,
    0.1,
    datetime(2026, 1, 5, 1, 2, 3, 4000),
    'it\'s a \\ "quoted"\n50 % text é',
)
_P = "FROM DESK.RISK.P"
QUERIES: list[tuple[str, list[tuple[object, ...]]]] = [
    (f"SELECT K, SUM(N), AVG(N), COUNT(*) {_P} WHERE K < 'c' GROUP BY K ORDER BY K",
     [("a", Decimal("1.50"), Decimal("1.50000000"), 1), ("b", Decimal("2.00"), Decimal("2.00000000"), 1)]),
    (f"SELECT K {_P} WHERE DAY >= '2026-01-06' ORDER BY N DESC LIMIT 1", [("c",)]),
    (f"SELECT MAX(DAY), MIN(N) {_P}", [(date(2026, 1, 7), Decimal("1.50"))]),
    (f"SELECT X.K, Y.K {_P} X LEFT JOIN DESK.RISK.P Y ON X.N = Y.N + 0.5 ORDER BY 1",
     [("a", None), ("b", "a"), ("c", None)]),
    (f"WITH W (A, B) AS (SELECT K, N {_P}) SELECT A FROM W WHERE B > (SELECT AVG(B) FROM W)", [("c",)]),
    (f"SELECT K, ROW_NUMBER() OVER (ORDER BY N DESC) AS R {_P} QUALIFY R = 1", [("c", 1)]),
    (f"SELECT CASE WHEN OK THEN 'y' ELSE 'n' END, IFF(N > 2, 1, 0), NVL(OK, FALSE) {_P} ORDER BY K",
     [("y", 0, True), ("n", 0, False), ("n", 1, False)]),
    ("SELECT 1 / 3, 7 / 2, 1.5 * 1.5, 7 % 4, -7 % 4", [(Decimal("0.333333"), Decimal("3.500000"), Decimal("2.25"), 3, -3)]),
    ("SELECT 0.1 + 0.2 = 0.3, 0.1 + 0.2, 12345678901234567, CASE 3 WHEN 2 THEN 'a' WHEN 3 THEN 'b' END",
     [(True, Decimal("0.3"), 12345678901234567, "b")]),
    (f"SELECT COUNT(*) {_P} HAVING SUM(N) = 6.75", [(3,)]),
    ("(SELECT 1) UNION ALL (SELECT 2 UNION SELECT 2) ORDER BY 1", [(1,), (2,)]),
    ("SELECT 'A' LIKE 'a', 'A' ILIKE 'a', 'a_b' LIKE 'a^_b' ESCAPE '^'", [(False, True, True)]),
    ("SELECT '2026-01-05'::DATE, '12.345'::NUMBER(5,1), 'yes'::BOOLEAN, TRY_CAST('x' AS INT), 1::VARCHAR || 'a'",
     [(date(2026, 1, 5), Decimal("12.3"), True, None, "1a")]),
    ("SELECT TRUE::VARCHAR, 1.50::NUMBER(5,2)::VARCHAR, '2026-01-05 01:02:03'::TIMESTAMP::VARCHAR",
     [("true", "1.50", "2026-01-05 01:02:03.000")]),
    ("SELECT UPPER('aé'), LENGTH('abc'), SUBSTR('abcd', 2, 2), TRIM('  x '), ROUND(2.345, 2), ABS(-2)",
     [("AÉ", 3, "bc", "x", Decimal("2.35"), 2)]),
    (f"SELECT K {_P} WHERE N IN (1.5, 2) UNION SELECT 'z' ORDER BY 1", [("a",), ("b",), ("z",)]),
    (f"SELECT K {_P} WHERE DAY BETWEEN '2026-01-05' AND '2026-01-06' AND EXISTS (SELECT 1 {_P} Q WHERE Q.K = P.K)"
     " ORDER BY K",
     [("a",), ("b",)]),
    ("SELECT NULL, COALESCE(NULL, 2), NULLIF(1, 1), '5' = 5", [(None, 2, None, True)]),
    ("SELECT V.TOTAL FROM DESK.RISK.TOTALS AS V JOIN DESK.RISK.P ON P.K = V.K WHERE P.N = 2", [(Decimal("2.00"),)]),
    ("SELECT CURRENT_ROLE(), CURRENT_ACCOUNT_NAME(), CURRENT_ORGANIZATION_NAME(), IS_ROLE_IN_SESSION('SYSADMIN'),"
     " IS_ROLE_IN_SESSION('\"SYSADMIN\"'), IS_ROLE_IN_SESSION('\"sysadmin\"')",
     [("ACCOUNTADMIN", "SANDBOX", "QUANTORG", True, True, False)]),
]  # fmt: skip
_COMPILE = "SQL compilation error:"
WRONG = [
    (f"SELECT NOSUCH {_P}", f"000904 42000 {_COMPILE} error line 1 at position 7 invalid identifier 'NOSUCH'"),
    (f"SELECT Q.K {_P}", f"000904 42000 {_COMPILE}"),
    (f'SELECT "k" {_P}', f"000904 42000 {_COMPILE} error line 1 at position 7 invalid identifier 'k'"),
    (f"SELECT K {_P} A JOIN DESK.RISK.P B ON A.N = B.N", f"002028 42601 {_COMPILE} ambiguous column name 'K'"),
    (f"SELECT K, COUNT(*) {_P}", f"000979 42601 {_COMPILE} [P.K] is not a valid group by expression"),
    (
        "SELECT * FROM DESK.RISK.NOSUCH",
        f"002003 02000 {_COMPILE} Object 'DESK.RISK.NOSUCH' does not exist or not authorized.",
    ),
    ("SELECT * FROM NOWHERE.RISK.P", f"002003 02000 {_COMPILE} Database 'NOWHERE' does not exist or not authorized."),
    (f"SELEC K {_P}", "001003 42000"),
    (f"SELECT K {_P} WHERE", f"001003 42000 {_COMPILE} syntax error line 1 at position"),
    (f"SELECT N / 0 {_P}", "100051 22012 Division by zero"),
    (f"SELECT K::NUMBER {_P}", "100038 22018 Numeric value 'a' is not recognized"),
    (f"SELECT * {_P} WHERE DAY = 'tomorrow'", "100040 22007 Date 'tomorrow' is not recognized"),
    (f"SELECT K {_P} UNION SELECT K, N {_P}", f"001789 42601 {_COMPILE}"),
    ("INSERT INTO DESK.RISK.P (K) VALUES ('d')", "100072 22000 NULL result in a non-nullable column"),
    (
        "INSERT INTO DESK.RISK.P VALUES ('d')",
        f"002020 21S01 {_COMPILE} Insert value list does not match column list expecting 4",
    ),
    (
        "INSERT INTO DESK.RISK.P (DAY, NOSUCH) VALUES ('2026-01-01', 1)",
        f"000904 42000 {_COMPILE} invalid identifier 'NOSUCH'",
    ),
    ("INSERT INTO DESK.RISK.P (DAY, DAY) VALUES ('2026-01-01', '2026-01-01')", "002025 42S21"),
    ("INSERT INTO DESK.RISK.P (DAY, K) VALUES ('2026-01-01', 'too long')", "100078 22000 String 'too long' is too long"),
    ("INSERT INTO DESK.RISK.P (DAY, N) VALUES ('2026-01-01', 1), ('2026-01-01', 123456789)", "100046 22003 Number out of"),
    (
        "INSERT INTO DESK.RISK.P (DAY, OK) VALUES ('2026-01-01', 'maybe')",
        "100037 22018 Boolean value 'maybe' is not recognized",
    ),
    ("INSERT INTO DESK.RISK.P (DAY, K) VALUES ('2026-02-30', 'a')", "100040 22007 Date '2026-02-30' is not recognized"),
    ("INSERT INTO DESK.RISK.P (DAY, N) VALUES ('2026-01-01', 1234567890123456789)", "100046 22003"),
    ("INSERT INTO DESK.RISK.TOTALS VALUES ('a', 1)", "002026 42601"),
    ("UPDATE DESK.RISK.P SET NOSUCH = 1", f"000904 42000 {_COMPILE} invalid identifier 'NOSUCH'"),
    ("UPDATE DESK.RISK.P SET DAY = NULL", "100072 22000"),
    ("UPDATE DESK.RISK.P SET N = N / 0", "100051 22012"),
    ("DELETE FROM DESK.RISK.P WHERE NOSUCH = 1", f"000904 42000 {_COMPILE}"),
    ("CREATE TABLE DESK.RISK.P (N NUMBER)", f"002002 42710 {_COMPILE} Object 'DESK.RISK.P' already exists."),
    ("CREATE TABLE DESK.RISK.X (A INT, A INT)", f"002025 42S21 {_COMPILE} duplicate column name 'A'"),
    ("DROP VIEW DESK.RISK.P", f"002003 02000 {_COMPILE} View 'DESK.RISK.P' does not exist"),
]
SETUP = """
CREATE DATABASE DESK
CREATE SCHEMA DESK.RISK
CREATE TABLE DESK.RISK.P (DAY DATE NOT NULL, K VARCHAR(3), N NUMBER(10,2), OK BOOLEAN)
INSERT INTO DESK.RISK.P VALUES ('2026-01-05', 'a', 1.5, TRUE), ('2026-01-06', 'b', 2, FALSE), ('2026-01-07', 'c', 3.25, NULL)
CREATE VIEW DESK.RISK.TOTALS (K, TOTAL) AS SELECT K, SUM(N) FROM DESK.RISK.P GROUP BY K
"""


@pytest.mark.parametrize("style", ["pyformat", "qmark"])
def test_values_come_back_as_what_they_are(account: Account, style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dates, decimals, booleans, floats and times, NULLs and texts with quotes, in both ways of binding."""
    monkeypatch.setattr(snowflake.connector, "paramstyle", style)
    account.sql(f"CREATE OR REPLACE TABLE DESK.RISK.V ({TYPES})")
    place = "%s" if style == "pyformat" else "?"
    with account.connect("ADA", "ada", database="DESK", schema="RISK") as connection:
        cursor = connection.cursor()
        for row in (ROW, (None,) * len(ROW)):
            cursor.execute(f"INSERT INTO V VALUES ({', '.join([place] * len(ROW))})", row)
            assert cursor.rowcount == 1
        assert cursor.execute("SELECT * FROM V ORDER BY I").fetchall() == [ROW, (None,) * len(ROW)]
        kinds = [FIELD_ID_TO_NAME[column.type_code] for column in cursor.description]
        assert kinds == ["DATE", "FIXED", "FIXED", "BOOLEAN", "REAL", "TIMESTAMP_NTZ", "TEXT"]
        assert [(column.precision, column.scale) for column in cursor.description][1] == (10, 2)
        found = cursor.execute(
            f"SELECT COUNT(*) FROM V WHERE D = {place} AND N = {place} AND T = {place}", (ROW[0], ROW[1], ROW[5])
        )
        assert found.fetchone() == (1,)


def test_many_rows_at_once(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """executemany in both ways, and a thousand rows in one statement."""
    account.sql("CREATE TABLE DESK.RISK.MANY (I INT, S VARCHAR)")
    rows = [(number, f"it's {number}") for number in range(1200)]
    for style, place in (("pyformat", "%s"), ("qmark", "?")):
        monkeypatch.setattr(snowflake.connector, "paramstyle", style)
        with account.connect("ADA", "ada") as connection:
            cursor = connection.cursor()
            cursor.executemany(f"INSERT INTO DESK.RISK.MANY (I, S) VALUES ({place}, {place})", rows)
            assert cursor.rowcount == len(rows)
    assert account.sql("SELECT COUNT(*), COUNT(DISTINCT S), MAX(I) FROM DESK.RISK.MANY") == [(2400, 1200, 1199)]


@pytest.mark.parametrize(("query", "rows"), QUERIES, ids=[query for query, _ in QUERIES])
def test_a_query_answers_as_snowflake_does(account: Account, query: str, rows: list[tuple[object, ...]]) -> None:
    """Also where DuckDB by itself would answer something else."""
    found = account.sql(query)
    assert found == rows
    assert [type(value) for row in found for value in row] == [type(value) for row in rows for value in row]


@pytest.mark.parametrize(("statement", "said"), WRONG, ids=[statement for statement, _ in WRONG])
def test_what_is_wrong_has_its_number(account: Account, statement: str, said: str) -> None:
    """Number, SQLSTATE and words; and not a row is changed."""
    before = account.sql("SELECT * FROM DESK.RISK.P")
    assert account.refused(statement).startswith(said)
    assert account.sql("SELECT * FROM DESK.RISK.P") == before


def test_a_short_name_needs_something_in_use(account: Account) -> None:
    """Database and schema of the session, by USE, by the connect string or by CREATE; else 090105."""
    with account.connect("ADA", "ada") as connection:
        cursor = connection.cursor()
        with pytest.raises(ProgrammingError, match="This session does not have a current database") as caught:
            cursor.execute("SELECT K FROM P")
        assert (caught.value.errno, caught.value.sqlstate) == (90105, "22000")
        cursor.execute("USE DATABASE DESK")
        with pytest.raises(ProgrammingError, match=r"Object 'DESK\.PUBLIC\.P' does not exist"):
            cursor.execute("SELECT K FROM P")
        for use in ("USE SCHEMA RISK", "USE DESK.RISK"):
            cursor.execute(use)
            assert cursor.execute("SELECT COUNT(*) FROM P").fetchone() == (3,)
        assert (connection.database, connection.schema) == ("DESK", "RISK")


def test_columns_are_called_as_in_snowflake(account: Account) -> None:
    """An expression by its text, a quoted name as it is, others in upper case."""
    cursor = account.cursor()
    cursor.execute('SELECT day, n AS "mine", count(*), n + 1 FROM DESK.RISK.P GROUP BY day, n')
    assert [column.name for column in cursor.description] == ["DAY", "mine", "COUNT(*)", "N + 1"]


def test_a_views_star_is_written_out_when_it_is_made(account: Account) -> None:
    """Columns that its table has later are not in it; on the table's other columns it goes on."""
    account.sql("CREATE TABLE DESK.RISK.W (A INT, B INT)")
    account.sql("INSERT INTO DESK.RISK.W VALUES (1, 2)")
    account.sql("CREATE VIEW DESK.RISK.STAR AS SELECT *, A + B AS C FROM DESK.RISK.W")
    account.sql("CREATE VIEW DESK.RISK.STARS AS SELECT S.*, W.B AS D FROM DESK.RISK.STAR AS S JOIN DESK.RISK.W USING (A)")
    assert account.sql("SELECT * FROM DESK.RISK.STARS WHERE C = 3") == [(1, 2, 3, 2)]
    account.sql("CREATE OR REPLACE TABLE DESK.RISK.W (Z INT, B INT, A INT)")
    account.sql("INSERT INTO DESK.RISK.W VALUES (9, 2, 1)")
    assert account.sql("SELECT * FROM DESK.RISK.STARS") == [(1, 2, 3, 2)]
    account.sql("DROP TABLE DESK.RISK.W")
    assert account.refused("SELECT * FROM DESK.RISK.STARS").startswith("002003 02000")


def test_changes_tell_how_many_rows(account: Account) -> None:
    """UPDATE with and without FROM, DELETE with USING, TRUNCATE; defaults fill what is left out."""
    account.sql("CREATE TABLE DESK.RISK.C (K VARCHAR, N NUMBER(10,2) DEFAULT 7, AT DATE DEFAULT CURRENT_DATE())")
    cursor = account.cursor()
    for statement, count in (
        ("INSERT INTO DESK.RISK.C (K) VALUES ('a'), ('b'), ('c')", 3),
        ("INSERT INTO DESK.RISK.C (N, K) SELECT N * 10, K FROM DESK.RISK.P", 3),
        ("UPDATE DESK.RISK.C SET N = N + 1 WHERE N = 7", 3),
        ("UPDATE DESK.RISK.C SET N = P.N FROM DESK.RISK.P AS P WHERE C.K = P.K AND P.K = 'a'", 2),
        ("DELETE FROM DESK.RISK.C USING DESK.RISK.P WHERE C.K = P.K AND P.N > 2", 2),
        ("DELETE FROM DESK.RISK.C WHERE K = 'nosuch'", 0),
    ):
        cursor.execute(statement)
        assert cursor.rowcount == count, statement
    found = account.sql("SELECT K, N, AT = CURRENT_DATE FROM DESK.RISK.C ORDER BY K, N")
    assert found == [("a", Decimal("1.50"), True)] * 2 + [("b", Decimal("8.00"), True), ("b", Decimal("20.00"), True)]
    account.sql("TRUNCATE TABLE DESK.RISK.C")
    assert account.sql("SELECT COUNT(*) FROM DESK.RISK.C") == [(0,)]
    account.sql("TRUNCATE TABLE IF EXISTS DESK.RISK.NOWHERE")
    assert account.refused("TRUNCATE TABLE DESK.RISK.NOWHERE").startswith("002003 02000")


def test_an_update_may_read_only_what_it_may_select(account: Account) -> None:
    """UPDATE alone reads its own table; another table needs SELECT."""
    account.sql("CREATE TABLE DESK.RISK.U (N NUMBER)")
    account.sql("GRANT USAGE ON DATABASE DESK TO ROLE QUANT_DEVELOPERS")
    account.sql("GRANT USAGE ON SCHEMA DESK.RISK TO ROLE QUANT_DEVELOPERS")
    account.sql("GRANT UPDATE ON TABLE DESK.RISK.U TO ROLE QUANT_DEVELOPERS")
    who = {"user": "DANA", "role": "QUANT_DEVELOPERS"}
    account.sql("UPDATE DESK.RISK.U SET N = N + 1 WHERE N > 1", **who)
    stolen = account.refused("UPDATE DESK.RISK.U SET N = (SELECT MAX(N) FROM DESK.RISK.P)", **who)
    assert stolen == "002003 02000 SQL compilation error: Object 'DESK.RISK.P' does not exist or not authorized."


def test_tables_are_described(account: Account) -> None:
    """Declared types in Snowflake's spelling, NULLs, defaults, comments; keys are kept and not enforced."""
    account.sql(
        "CREATE TABLE DESK.RISK.D (A INT NOT NULL COMMENT 'key', B STRING(5) DEFAULT 'x', C TIMESTAMP, E CHAR, F DOUBLE,"
        " PRIMARY KEY (A))"
    )
    told = [tuple(row[:6]) for row in account.sql("DESCRIBE TABLE DESK.RISK.D")]
    assert told == [
        ("A", "NUMBER(38,0)", "COLUMN", "N", None, "Y"),
        ("B", "VARCHAR(5)", "COLUMN", "Y", "'x'", "N"),
        ("C", "TIMESTAMP_NTZ(9)", "COLUMN", "Y", None, "N"),
        ("E", "VARCHAR(1)", "COLUMN", "Y", None, "N"),
        ("F", "FLOAT", "COLUMN", "Y", None, "N"),
    ]
    for _ in range(2):
        account.sql("INSERT INTO DESK.RISK.D (A) VALUES (1)")
    assert account.sql("SELECT A, B FROM DESK.RISK.D") == [(1, "x"), (1, "x")]
