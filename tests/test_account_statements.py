"""Ordinary statements of pipelines: what Snowflake answers, with its types. None is answered otherwise in silence."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal as D
from typing import Any

import pytest

from tests.account_sandbox import Account

SETUP = """
CREATE DATABASE DESK
CREATE SCHEMA DESK.RISK
CREATE TABLE TRADES (ID INT, BOOK VARCHAR(10), AMOUNT NUMBER(12,2), DAY DATE, AT TIMESTAMP_NTZ, OK BOOLEAN, W FLOAT)
INSERT INTO TRADES VALUES (1, 'fx', 10.50, '2026-01-31', '2026-01-31 10:00:00', TRUE, 0.5)
INSERT INTO TRADES VALUES (2, 'eq', 20.25, '2026-02-15', '2026-02-15 11:30:15.25', FALSE, 1.5)
INSERT INTO TRADES VALUES (3, 'fx', 30.00, '2026-03-01', NULL, TRUE, NULL), (4, 'ir', NULL, '2026-12-31', NULL, NULL, 2.5)
CREATE TABLE DOCS (ID INT, V VARIANT)
INSERT INTO DOCS SELECT 1, PARSE_JSON('{"b":{"c":[10,20,{"d":"x"}]},"name":"one","n":5,"none":null}')
INSERT INTO DOCS SELECT 2, PARSE_JSON('{"name":"two","b":{"c":[]}}')
CREATE SEQUENCE NUMBERS START = 5 INCREMENT = 2
"""
_IN = "USE SCHEMA DESK.RISK"
Rows = list[tuple[Any, ...]]
QUERIES: list[tuple[str, Rows]] = [
    # numbers
    ("SELECT 1/3, 7/2, 10/4.0, -1/6, 2/3*3, 1.10*1.10", [(D("0.333333"), D("3.500000"), D("2.500000"),
     D("-0.166667"), D("2.000001"), D("1.2100"))]),
    ("SELECT 2147483647 + 1, 9223372036854775807 + 1, 99999999999999999999 * 2", [(2147483648,
     9223372036854775808, 199999999999999999998)]),
    ("SELECT ROUND(2.5), ROUND(-2.5), ROUND(1.255, 2), ROUND(1234.5, -2), TRUNC(1.999, 1), CEIL(-1.2), FLOOR(-1.2)",
     [(3, -3, D("1.26"), 1200, D("1.9"), -1, -2)]),
    ("SELECT MOD(-7, 4), -7 % 4, ABS(-1.5), SIGN(-3), SQRT(16), POWER(2, 10), DIV0(1, 0), DIV0(1, 4)",
     [(-3, -3, D("1.5"), -1, 4.0, 1024.0, D("0.000000"), D("0.250000"))]),
    ("SELECT 2.5::INT, 2.5::FLOAT::INT, '2.55'::NUMBER(10,1), TRUE::INT, 'yes'::BOOLEAN, 0::BOOLEAN, '12'::INT + 1",
     [(3, 3, D("2.6"), 1, True, False, 13)]),
    ("SELECT TRY_TO_NUMBER('12x'), TRY_TO_NUMBER('12'), TRY_TO_DECIMAL('1.55', 10, 1), TRY_CAST('x' AS INT),"
     " TO_DOUBLE('1.5')",
     [(None, 12, D("1.6"), None, 1.5)]),
    ("SELECT SUM(AMOUNT), AVG(AMOUNT), MIN(AMOUNT), COUNT(AMOUNT), COUNT(*), MEDIAN(AMOUNT) FROM TRADES",
     [(D("60.75"), D("20.25000000"), D("10.50"), 3, 4, D("20.25000"))]),
    ("SELECT SUM(AMOUNT) / COUNT(*), SUM(W) / 2, AVG(W), MEDIAN(N) FROM TRADES, (SELECT 1.05 AS N UNION ALL SELECT 1.00)",
     [(D("15.18750000"), 4.5, 1.5, D("1.02500"))]),
    ("SELECT GREATEST(1, NULL, 3), LEAST(2, 1.5), COALESCE(NULL, 2), NVL(NULL, 3), NULLIF(1, 1),"
     " ZEROIFNULL(NULL), NVL2(NULL, 1, 2)",
     [(None, D("1.5"), 2, 3, None, 0, 2)]),
    # texts
    ("SELECT 'a' || NULL, CONCAT('a', 1, TRUE), 'x' || 1.50 || DAY FROM TRADES WHERE ID = 1", [(None, "a1true",
     "x1.502026-01-31")]),
    ("SELECT SUBSTR('hello', 2, 3), SUBSTR('hello', -3), SUBSTR('abc', 0, 2), LEFT('abc', 2), RIGHT('abc', 2)",
     [("ell", "llo", "ab", "ab", "bc")]),
    ("SELECT LPAD('7', 3, '0'), RPAD('a', 3, '-'), TRIM('  x '), LTRIM('xxa', 'x'), REVERSE('abc'), REPEAT('ab',"
     " 2), INITCAP('new york')",
     [("007", "a--", "x", "a", "cba", "abab", "New York")]),
    ("SELECT POSITION('b' IN 'abc'), CHARINDEX('c', 'abc'), CONTAINS('abc', 'b'), STARTSWITH('abc', 'b'),"
     " ENDSWITH('abc', 'c'), LENGTH('héé')",
     [(2, 3, True, False, True, 3)]),
    ("SELECT SPLIT_PART('a-b-c', '-', 2), SPLIT_PART('a-b-c', '-', -1), SPLIT_PART('a', '-', 5), SPLIT('a,b',"
     " ',')[1]::STRING, REPLACE('aba', 'a')",
     [("b", "c", "", "b", "b")]),
    ("SELECT 'abc' ILIKE 'A%', 'abc' LIKE 'A%', 'a_c' LIKE 'a^_c' ESCAPE '^', 'abc' LIKE ANY ('x%', 'a%'), 'abc'"
     " RLIKE 'a.', 'abc' RLIKE 'a.*'",
     [(True, False, True, True, False, True)]),
    ("SELECT REGEXP_REPLACE('a1b22', '[0-9]+', '#'), REGEXP_SUBSTR('a1b22', '[0-9]+'), REGEXP_COUNT('a1b22',"
     " '[0-9]'), REGEXP_LIKE('ab', 'a')",
     [("a#b#", "1", 3, False)]),
    ("SELECT 1.50::VARCHAR, 2.5::FLOAT::VARCHAR, 3::FLOAT::VARCHAR, TRUE::VARCHAR, AT::VARCHAR, DAY::VARCHAR"
     " FROM TRADES WHERE ID = 2",
     [("1.50", "2.5", "3", "true", "2026-02-15 11:30:15.250", "2026-02-15")]),
    ("SELECT LISTAGG(BOOK, ',') WITHIN GROUP (ORDER BY ID), LISTAGG(DISTINCT BOOK, '|') WITHIN GROUP (ORDER BY"
     " BOOK) FROM TRADES",
     [("fx,eq,fx,ir", "eq|fx|ir")]),
    ("SELECT LISTAGG(BOOK) FROM TRADES WHERE ID > 9", [("",)]),
    # conditions and order
    ("SELECT IFF(1 > 0, 'y', 'n'), DECODE(2, 1, 'one', 2, 'two', 'other'), CASE 3 WHEN 3 THEN 1 ELSE 2.5 END,"
     " EQUAL_NULL(NULL, NULL)",
     [("y", "two", D("1.0"), True)]),
    ("SELECT AMOUNT FROM TRADES ORDER BY AMOUNT DESC", [(None,), (D("30.00"),), (D("20.25"),), (D("10.50"),)]),
    ("SELECT OK FROM TRADES ORDER BY OK, ID", [(False,), (True,), (True,), (None,)]),
    ("SELECT ID FROM TRADES WHERE AMOUNT NOT IN (10.5) ORDER BY AMOUNT NULLS FIRST", [(2,), (3,)]),
    ("SELECT ID FROM TRADES WHERE DAY >= '2026-03-01' AND ID = '3'", [(3,)]),
    ("SELECT 1 WHERE NULL OR FALSE", []),
    # dates
    ("SELECT DATEADD(MONTH, 1, DAY), DATEADD(HOUR, 1, DAY), DAY + 1, DAY - '2026-01-01'::DATE, ADD_MONTHS(DAY,"
     " 1) FROM TRADES WHERE ID = 1",
     [(date(2026, 2, 28), datetime(2026, 1, 31, 1), date(2026, 2, 1), 30, date(2026, 2, 28))]),
    ("SELECT DATEDIFF(DAY, '2026-01-01'::DATE, '2026-03-01'::DATE), DATEDIFF('month', '2026-01-31'::DATE,"
     " '2026-02-01'::DATE),"
     " DATEDIFF(YEAR, '2025-12-31', '2026-01-01'), DATEDIFF(HOUR, '2026-01-01 10:59', '2026-01-01 11:01')",
      [(59, 1, 1, 1)]),
    ("SELECT DATE_TRUNC('month', DAY), DATE_TRUNC('hour', AT), LAST_DAY(DAY), DATE_TRUNC('week', DAY) FROM"
     " TRADES WHERE ID = 2",
     [(date(2026, 2, 1), datetime(2026, 2, 15, 11), date(2026, 2, 28), date(2026, 2, 9))]),
    ("SELECT YEAR(DAY), MONTH(DAY), DAY(DAY), DAYOFWEEK(DAY), DAYOFYEAR(DAY), QUARTER(DAY), EXTRACT(WEEK FROM"
     " DAY), DATE_PART(MINUTE, AT),"
     " DAYNAME(DAY), MONTHNAME(DAY) FROM TRADES WHERE ID = 2", [(2026, 2, 15, 0, 46, 1, 7, 30, "Sun", "Feb")]),
    ("SELECT TO_CHAR(DAY, 'DD-MON-YYYY'), TO_CHAR(AT, 'YYYY/MM/DD HH24:MI:SS.FF3'), TO_VARCHAR(AMOUNT) FROM"
     " TRADES WHERE ID = 2",
     [("15-Feb-2026", "2026/02/15 11:30:15.250", "20.25")]),
    ("SELECT TO_DATE('31/01/2026', 'DD/MM/YYYY'), TO_TIMESTAMP('2026-01-01 10:20', 'YYYY-MM-DD HH24:MI'),"
     " TRY_TO_DATE('nope'), DATE_FROM_PARTS(2026, 2, 3)",
     [(date(2026, 1, 31), datetime(2026, 1, 1, 10, 20), None, date(2026, 2, 3))]),
    ("SELECT '2026-01-01 10:00:00 +0200'::TIMESTAMP_NTZ, '2026-01-01 10:00:00 +0200'::TIMESTAMP_LTZ::VARCHAR",
     [(datetime(2026, 1, 1, 10), "2026-01-01 08:00:00.000 +0000")]),
    ("SELECT CURRENT_DATE() - 1 < CURRENT_DATE(), CURRENT_TIMESTAMP() > '2026-01-01'::TIMESTAMP, DAY + INTERVAL"
     " '1 day' FROM TRADES WHERE ID = 1",
     [(True, True, date(2026, 2, 1))]),
    # groups and windows
    ("SELECT BOOK, COUNT(*) FROM TRADES GROUP BY ALL ORDER BY 1", [("eq", 1), ("fx", 2), ("ir", 1)]),
    ("SELECT BOOK, SUM(AMOUNT) S FROM TRADES GROUP BY 1 HAVING S > 20.25 ORDER BY 1", [("fx", D("40.50"))]),
    ("SELECT BOOK, OK, COUNT(*) FROM TRADES GROUP BY ROLLUP (BOOK, OK) ORDER BY 3 DESC, 1, 2 LIMIT 1", [(None,
     None, 4)]),
    ("SELECT ID FROM TRADES QUALIFY ROW_NUMBER() OVER (PARTITION BY BOOK ORDER BY ID DESC) = 1 ORDER BY ID",
     [(2,), (3,), (4,)]),
    ("SELECT ID, SUM(AMOUNT) OVER (ORDER BY ID ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), AVG(AMOUNT)"
     " OVER (PARTITION BY BOOK) FROM TRADES ORDER BY ID",
     [(1, D("10.50"), D("20.25000000")), (2, D("30.75"), D("20.25000000")), (3, D("60.75"), D("20.25000000")),
      (4, D("60.75"), None)]),
    ("SELECT ID, RANK() OVER (ORDER BY BOOK), LAG(ID, 1, 0) OVER (ORDER BY ID), FIRST_VALUE(ID) OVER (ORDER BY"
     " ID DESC), LAST_VALUE(ID) OVER (ORDER BY ID)"
     " FROM TRADES ORDER BY ID LIMIT 2", [(1, 2, 0, 4, 4), (2, 1, 1, 4, 4)]),
    ("SELECT COUNT_IF(A > 0), COUNT_IF(A > 1), COUNT(*), SUM(A) FROM (SELECT 1 AS A) AS T WHERE A > 5", [(0, 0, 0, None)]),
    ("SELECT COUNT_IF(OK), MAX_BY(BOOK, ID), ANY_VALUE(1), COUNT(DISTINCT BOOK), BOOLAND_AGG(ID > 0) FROM"
     " TRADES", [(2, "ir", 1, 3, True)]),
    ("SELECT * FROM (SELECT BOOK, MONTH(DAY) M, AMOUNT FROM TRADES) PIVOT (SUM(AMOUNT) FOR M IN (1, 2)) AS P"
     " ORDER BY BOOK",
     [("eq", None, D("20.25")), ("fx", D("10.50"), None), ("ir", None, None)]),
    ("SELECT * FROM (SELECT 1 ID, 10 A, 20 B) UNPIVOT (V FOR C IN (A, B)) ORDER BY C", [(1, "A", 10), (1, "B", 20)]),
    ("WITH RECURSIVE R AS (SELECT 1 AS N UNION ALL SELECT N + 1 FROM R WHERE N < 5) SELECT SUM(N), COUNT(*) FROM"
     " R", [(15, 5)]),
    ("SELECT * FROM VALUES (1, 'a'), (2, 'b') AS T (X, Y) ORDER BY X DESC", [(2, "b"), (1, "a")]),
    ("SELECT COLUMN1 + 1, COLUMN2 FROM VALUES (1, 'a')", [(2, "a")]),
    ("SELECT COUNT(*), MAX(N) FROM (SELECT SEQ4() AS N FROM TABLE(GENERATOR(ROWCOUNT => 10)))", [(10, 9)]),
    ("SELECT T.* EXCLUDE (AMOUNT, DAY, AT, OK, W) FROM TRADES T WHERE ID = 1", [(1, "fx")]),
    ("SELECT A.ID, B.ID FROM TRADES A LEFT JOIN TRADES B ON A.BOOK = B.BOOK AND A.ID < B.ID ORDER BY 1", [(1,
     3), (2, None), (3, None), (4, None)]),
    ("SELECT ID FROM TRADES MINUS SELECT 1 INTERSECT SELECT ID FROM TRADES ORDER BY 1", [(2,), (3,), (4,)]),
    # semi-structured values
    ("SELECT V:b.c[0]::INT, V:name::STRING, V['b']['c'][1]::INT, V:b.c[2].d::STRING, V:nosuch::INT FROM DOCS"
     " WHERE ID = 1", [(10, "one", 20, "x", None)]),
    ("SELECT ID FROM DOCS WHERE V:name = 'two' OR V:n > 4 ORDER BY ID", [(1,), (2,)]),
    ("SELECT V:none IS NULL, IS_NULL_VALUE(V:none), V:none::INT IS NULL, V:nosuch IS NULL FROM DOCS WHERE ID ="
     " 1", [(False, True, True, True)]),
    ("SELECT D.ID, F.INDEX, F.VALUE::STRING FROM DOCS D, LATERAL FLATTEN(INPUT => D.V:b.c) F ORDER BY 1, 2",
     [(1, 0, "10"), (1, 1, "20"), (1, 2, '{"d":"x"}')]),
    ("SELECT COUNT(*) FROM DOCS D, LATERAL FLATTEN(INPUT => D.V:b.c, OUTER => TRUE) F", [(4,)]),
    ("SELECT KEY, VALUE::INT FROM TABLE(FLATTEN(INPUT => OBJECT_CONSTRUCT('b', 2, 'a', 1, 'c', NULL))) ORDER BY"
     " KEY", [("a", 1), ("b", 2)]),
    ("SELECT OBJECT_CONSTRUCT('k', 1):k::INT, ARRAY_SIZE(ARRAY_CONSTRUCT(1, 2)), ARRAY_CONSTRUCT(1,"
     " 'a')[1]::STRING, ARRAY_CONTAINS(2::VARIANT, [1, 2])",
     [(1, 2, "a", True)]),
    ("SELECT TO_CHAR('2024-03-05'::DATE, 'YYYY-MM-DD'),"
     " TO_CHAR('2024-03-05 13:04:05'::TIMESTAMP_NTZ, 'DY DD.MM.YY HH12:MI AM')",
     [("2024-03-05", "Tue 05.03.24 01:04 PM")]),
    ("SELECT ARRAY_TO_STRING(['a', NULL, 'b'], ','), ARRAY_SIZE(PARSE_JSON('{}')), ARRAY_SIZE([1])", [("a,,b", None, 1)]),
    ("SELECT TO_JSON({'x': 1, 'Y z': NULL}), TO_JSON(OBJECT_CONSTRUCT('a', NULL, 'c', PARSE_JSON('{\"b\":null}'), 'd',"
     " PARSE_JSON('null')))",
     [('{"x":1}', '{"c":{"b":null},"d":null}')]),
    ("SELECT TO_JSON(OBJECT_AGG(ID::VARCHAR, AMOUNT)), TO_JSON(OBJECT_AGG(BOOK, OK)) FROM TRADES WHERE ID IN (2, 4)",
     [('{"2":20.25}', '{"eq":false}')]),
    ("SELECT ARRAY_SIZE(ARRAY_AGG(AMOUNT)), ARRAY_TO_STRING(ARRAY_AGG(BOOK) WITHIN GROUP (ORDER BY ID), '-')"
     " FROM TRADES", [(3, "fx-eq-fx-ir")]),
    ("SELECT TYPEOF(V:b), TYPEOF(V:n), TYPEOF(V:name), TO_JSON(V:b.c[2]) FROM DOCS WHERE ID = 1", [("OBJECT",
     "INTEGER", "VARCHAR", '{"d":"x"}')]),
    # names
    ("SELECT ID AS \"Mixed\", \"Mixed\" + 1 AS NEXT FROM TRADES WHERE ID = 1", [(1, 2)]),
    ("SELECT COLUMN_NAME, DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'TRADES' ORDER BY"
     " ORDINAL_POSITION LIMIT 3",
     [("ID", "NUMBER"), ("BOOK", "TEXT"), ("AMOUNT", "NUMBER")]),
    ("SELECT TABLE_NAME, TABLE_TYPE FROM DESK.INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'RISK' AND"
     " TABLE_NAME = 'DOCS'", [("DOCS", "BASE TABLE")]),
]  # fmt: skip
# Each on tables of its own: statements, a question, the answer.
SCRIPTS: dict[str, tuple[list[str], str, Rows]] = {
    "merge with several branches": (
        ["CREATE TABLE M (ID INT, V VARCHAR)", "INSERT INTO M VALUES (1, 'old'), (2, 'same'), (3, 'gone')",
         "MERGE INTO M USING (SELECT 1 AS ID, 'new' AS V UNION ALL SELECT 3, NULL UNION ALL SELECT 4, 'four'"
          " UNION ALL SELECT 5, NULL) S ON M.ID = S.ID"
         " WHEN MATCHED AND S.V IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET V = S.V"
         " WHEN NOT MATCHED AND S.V IS NOT NULL THEN INSERT (ID, V) VALUES (S.ID, UPPER(S.V))"],
        "SELECT * FROM M ORDER BY 1", [(1, "new"), (2, "same"), (4, "FOUR")]),
    "update from, delete using": (
        ["CREATE TABLE U (ID INT, N NUMBER(5,1))", "INSERT INTO U SELECT ID, ID FROM TRADES",
         "UPDATE U SET N = T.AMOUNT FROM TRADES T WHERE U.ID = T.ID AND T.BOOK = 'fx'", "DELETE FROM U USING"
          " TRADES T WHERE U.ID = T.ID AND T.BOOK = 'ir'"],
        "SELECT * FROM U ORDER BY 1", [(1, D("10.5")), (2, D("2.0")), (3, D("30.0"))]),
    "insert overwrite": (
        ["CREATE TABLE O (A INT)", "INSERT INTO O VALUES (1), (2)", "INSERT OVERWRITE INTO O SELECT A + 5 FROM O"
         " WHERE A = 2"], "SELECT * FROM O", [(7,)]),
    "clone and like": (
        ["CREATE TABLE C CLONE TRADES", "DELETE FROM C WHERE ID > 1", "CREATE TABLE L LIKE TRADES"],
        "SELECT (SELECT COUNT(*) FROM C), (SELECT COUNT(*) FROM L), (SELECT COUNT(*) FROM TRADES)", [(1, 0, 4)]),
    "a sequence, alone and as a default": (
        ["CREATE TABLE S (ID INT DEFAULT NUMBERS.NEXTVAL, K INT AUTOINCREMENT START 10 INCREMENT 10, V VARCHAR)",
         "INSERT INTO S (V) VALUES ('a'), ('b')", "INSERT INTO S (ID, V) VALUES (NUMBERS.NEXTVAL, 'c')"],
        "SELECT * FROM S ORDER BY K", [(5, 10, "a"), (7, 20, "b"), (9, 30, "c")]),
    "a column more, one less, another name": (
        ["CREATE TABLE A (X INT, Y INT)", "INSERT INTO A VALUES (1, 2)", "ALTER TABLE A ADD COLUMN Z VARCHAR"
         " DEFAULT 'z'", "ALTER TABLE A DROP COLUMN Y",
         "ALTER TABLE A RENAME COLUMN X TO \"x\"", "ALTER TABLE A RENAME TO B"],
        'SELECT "x", Z FROM B', [(1, "z")]),
    "defaults": (
        ["CREATE TABLE F (A INT, B DATE DEFAULT CURRENT_DATE(), C TIMESTAMP DEFAULT CURRENT_TIMESTAMP(), E"
         " VARCHAR DEFAULT 'x' || 'y')", "INSERT INTO F (A) VALUES (1)"],
        "SELECT B = CURRENT_DATE(), C IS NOT NULL, E FROM F", [(True, True, "xy")]),
    "a semi-structured column": (
        ["CREATE TABLE J (V VARIANT, O OBJECT, A ARRAY)", "INSERT INTO J SELECT PARSE_JSON('[1]'),"
         " OBJECT_CONSTRUCT('a', 1), ARRAY_CONSTRUCT(1, 2)", "INSERT INTO J (V) SELECT 'text'"],
        "SELECT V[0]::INT, O:a::INT, ARRAY_SIZE(A) FROM J WHERE O IS NOT NULL", [(1, 1, 2)]),
    "rolled back": (
        ["CREATE TABLE R (A INT)", "BEGIN", "INSERT INTO R VALUES (1)", "ROLLBACK", "BEGIN", "INSERT INTO R"
         " VALUES (2)", "COMMIT"], "SELECT * FROM R", [(2,)]),
    "a table from a query with a view on it": (
        ["CREATE TABLE Q AS SELECT BOOK, SUM(AMOUNT) AS S, AVG(W) AS W, MAX(AT) AS AT FROM TRADES GROUP BY"
         " BOOK", "CREATE VIEW QV AS SELECT * FROM Q WHERE S > 25"],
        "SELECT BOOK, S FROM QV", [("fx", D("40.50"))]),
}  # fmt: skip


@pytest.mark.parametrize(("query", "rows"), QUERIES, ids=[query for query, _ in QUERIES])
def test_a_query(account: Account, query: str, rows: Rows) -> None:
    """The same values, of the same Python types."""
    account.sql(_IN)
    found = account.sql(query)
    assert found == rows
    assert [type(value) for row in found for value in row] == [type(value) for row in rows for value in row]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script(account: Account, name: str) -> None:
    """What is there after several statements."""
    account.sql(_IN)
    statements, question, rows = SCRIPTS[name]
    for statement in statements:
        account.sql(statement)
    assert account.sql(question) == rows


def test_a_merge_tells_what_it_did_and_refuses_what_is_not_certain(account: Account) -> None:
    """A count for each kind of change; two rows of the source for one of the target are an error."""
    account.sql(_IN)
    account.sql("CREATE TABLE ONE (ID INT, V VARCHAR)")
    merge = (
        "MERGE INTO ONE USING ({}) S ON ONE.ID = S.ID WHEN MATCHED THEN UPDATE SET V = 'u'"
        " WHEN NOT MATCHED THEN INSERT VALUES (S.ID, 'i')"
    )
    assert account.shown(merge.format("SELECT 1 AS ID UNION ALL SELECT 2")) == [
        {"number of rows inserted": 2, "number of rows updated": 0}
    ]
    assert account.shown(merge.format("SELECT 1 AS ID UNION ALL SELECT 3")) == [
        {"number of rows inserted": 1, "number of rows updated": 1}
    ]
    said = account.refused(merge.format("SELECT 1 AS ID UNION ALL SELECT 1"))
    assert said.startswith("100090 42P18 Duplicate row detected during DML action")
    assert account.shown("MERGE INTO ONE USING ONE S ON ONE.ID = S.ID AND S.ID = 3 WHEN MATCHED THEN DELETE") == [
        {"number of rows deleted": 1}
    ]


def test_semi_structured_values_come_as_json(account: Account) -> None:
    """Indented, their members in order, numbers with the digits that they have; the type is told."""
    account.sql(_IN)
    cursor = account.cursor()
    cursor.execute(
        'SELECT PARSE_JSON(\'{"b":[1,2.50],"a":null}\'), ARRAY_AGG(AMOUNT) WITHIN GROUP (ORDER BY ID) FROM TRADES'
    )
    value, amounts = cursor.fetchone()
    assert value == '{\n  "a": null,\n  "b": [\n    1,\n    2.5\n  ]\n}'
    assert json.loads(amounts) == [10.5, 20.25, 30.0]


def test_tables_tell_their_keys_and_columns(account: Account) -> None:
    """As SQLAlchemy asks for them."""
    account.sql(_IN)
    account.sql("CREATE TABLE KEYED (ID INT PRIMARY KEY, CODE VARCHAR UNIQUE)")
    for which, column in (("PRIMARY", "ID"), ("UNIQUE", "CODE")):
        [key] = account.shown(f"SHOW {which} KEYS IN TABLE KEYED")
        assert (key["table_name"], key["column_name"], key["key_sequence"]) == ("KEYED", column, 1)
    assert account.shown("SHOW IMPORTED KEYS IN SCHEMA DESK.RISK") == []
    assert [row["name"] for row in account.shown("DESCRIBE TABLE KEYED TYPE = COLUMNS")] == ["ID", "CODE"]
    assert account.refused("DESCRIBE TABLE KEYED TYPE = STAGE").startswith("000002 0A000")


def test_a_temporary_table_is_its_sessions_own(account: Account) -> None:
    """It hides the table of the same name, is seen by nobody else, and goes with its session."""
    account.sql("CREATE OR REPLACE TABLE DESK.RISK.SAME (N INT)")
    with account.connect("ADA", "ada", database="DESK", schema="RISK") as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TEMPORARY TABLE SAME AS SELECT 'mine' AS T")
        assert cursor.execute("SELECT * FROM SAME").fetchall() == [("mine",)]
        assert account.sql("SELECT * FROM DESK.RISK.SAME") == []
        cursor.execute("CREATE TEMP TABLE OTHER (N INT)")
        cursor.execute("DROP TABLE SAME")
        assert cursor.execute("SELECT * FROM SAME").fetchall() == []
    assert account.refused("SELECT * FROM DESK.RISK.OTHER").startswith("002003 02000")


def test_a_sequence_goes_on_after_a_kill(account: Account) -> None:
    """A number that was given is not given again."""
    account.sql("CREATE SEQUENCE DESK.RISK.KEPT")
    given = [account.sql("SELECT DESK.RISK.KEPT.NEXTVAL")[0][0] for _ in range(3)]
    account.kill_9()
    account.start_again()
    assert account.sql("SELECT DESK.RISK.KEPT.NEXTVAL")[0][0] > max(given)
