"""What DuckDB says of a failure, in Snowflake's words; what has none is refused as not emulated, with the statement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from sandbox.account.errors import SqlError, unsupported

_NUMBER = r"Could not convert string [\"'](.*?)[\"'] to (?:U?INT\d+|DECIMAL\(.*?\)|DOUBLE|FLOAT)"
# Each with the words of DuckDB, the number and state of Snowflake, and its words.
_KNOWN: tuple[tuple[str, str, str, str], ...] = (
    (r"NOT NULL constraint failed", "100072", "22000", "NULL result in a non-nullable column"),
    (r"Division by zero", "100051", "22012", "Division by zero"),
    (r"(String '.*' is too long and would be truncated)", "100078", "22000", "{0}"),
    (r"(Invalid floating point operation)", "100046", "22003", "{0}"),
    (r"(Error parsing JSON)", "100069", "22P02", "{0}"),
    (r"(Boolean value '.*' is not recognized)", "100037", "22018", "{0}"),
    (r"Malformed JSON", "100069", "22P02", "Error parsing JSON"),
    (r"invalid date field format: \"(.*?)\"", "100040", "22007", "Date '{0}' is not recognized"),
    (r"date field value out of range: \"(.*?)\"", "100040", "22007", "Date '{0}' is not recognized"),
    (r"timestamp field value out of range: \"(.*?)\"", "100035", "22007", "Timestamp '{0}' is not recognized"),
    (r"invalid timestamp field format: \"(.*?)\"", "100035", "22007", "Timestamp '{0}' is not recognized"),
    (r"Could not parse string \"(.*?)\" according to format", "100040", "22007", "Can't parse '{0}' with this format"),
    (r"Could not convert string [\"'](.*?)[\"'] to BOOL", "100037", "22018", "Boolean value '{0}' is not recognized"),
    (_NUMBER, "100038", "22018", "Numeric value '{0}' is not recognized"),
    (r"Could not cast value (\S+) to (?:DECIMAL)", "100046", "22003", "Number out of representable range: value {0}"),
    (r"(?:Overflow|overflow|out of range)", "100046", "22003", "Number out of representable range"),
    (r"More than one row returned by a subquery", "090150", "22000", "Single-row subquery returns more than one row."),
)  # fmt: skip
_GROUPED = re.compile(r'column "(.*?)" must appear in the GROUP BY clause')


@contextmanager
def told(sql: str) -> Iterator[None]:
    """Raises what DuckDB raises as an SqlError."""
    try:
        yield
    except duckdb.Error as error:
        raise _as_snowflake(str(error), sql) from None


def _as_snowflake(words: str, sql: str) -> SqlError:
    for pattern, code, state, said in _KNOWN:
        if (found := re.search(pattern, words, re.S)) is not None:
            return SqlError(code, state, said.format(*found.groups()))
    if (found := _GROUPED.search(words)) is not None:
        holder = re.search(rf'"([^"]+)"\."{re.escape(found[1])}"', sql)
        shown = f"{holder[1]}.{found[1]}" if holder else found[1]
        return SqlError("000979", "42601", f"SQL compilation error:\n[{shown}] is not a valid group by expression")
    return unsupported(f"{words.splitlines()[0]}: {sql}")
