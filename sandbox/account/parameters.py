"""SHOW PARAMETERS: those that the provider reads, with Snowflake's defaults.

https://docs.snowflake.com/en/sql-reference/parameters
"""

from __future__ import annotations

from sandbox.account.definitions import full_name
from sandbox.account.errors import no_object
from sandbox.account.privileges import Rights
from sandbox.account.reader import Reader
from sandbox.account.state import State
from sandbox.account.wire import Result

_COLUMNS = [(name, "text") for name in ("key", "value", "default", "level", "description", "type")]
_OBJECT = {
    "DATA_RETENTION_TIME_IN_DAYS": "1",
    "MAX_DATA_EXTENSION_TIME_IN_DAYS": "14",
    "DEFAULT_DDL_COLLATION": "",
    "LOG_LEVEL": "OFF",
    "TRACE_LEVEL": "OFF",
    "EXTERNAL_VOLUME": "",
    "CATALOG": "",
    "REPLACE_INVALID_CHARACTERS": "false",
    "STORAGE_SERIALIZATION_POLICY": "OPTIMIZED",
    "SUSPEND_TASK_AFTER_NUM_FAILURES": "10",
    "TASK_AUTO_RETRY_ATTEMPTS": "0",
    "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE": "Medium",
    "USER_TASK_TIMEOUT_MS": "3600000",
    "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS": "30",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": "false",
    "ENABLE_CONSOLE_OUTPUT": "false",
    "PIPE_EXECUTION_PAUSED": "false",
}
_WAREHOUSE = {
    "MAX_CONCURRENCY_LEVEL": "8",
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": "0",
    "STATEMENT_TIMEOUT_IN_SECONDS": "172800",
}
_USER = {
    "ABORT_DETACHED_QUERY": "false",
    "AUTOCOMMIT": "true",
    "BINARY_INPUT_FORMAT": "HEX",
    "BINARY_OUTPUT_FORMAT": "HEX",
    "CLIENT_MEMORY_LIMIT": "1536",
    "CLIENT_METADATA_REQUEST_USE_CONNECTION_CTX": "false",
    "CLIENT_PREFETCH_THREADS": "4",
    "CLIENT_RESULT_CHUNK_SIZE": "160",
    "CLIENT_RESULT_COLUMN_CASE_INSENSITIVE": "false",
    "CLIENT_SESSION_KEEP_ALIVE": "false",
    "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY": "3600",
    "CLIENT_TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_LTZ",
    "DATE_INPUT_FORMAT": "AUTO",
    "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
    "ENABLE_UNLOAD_PHYSICAL_TYPE_OPTIMIZATION": "true",
    "ENABLE_UNREDACTED_QUERY_SYNTAX_ERROR": "false",
    "ERROR_ON_NONDETERMINISTIC_MERGE": "true",
    "ERROR_ON_NONDETERMINISTIC_UPDATE": "false",
    "GEOGRAPHY_OUTPUT_FORMAT": "GeoJSON",
    "GEOMETRY_OUTPUT_FORMAT": "GeoJSON",
    "JDBC_TREAT_DECIMAL_AS_INT": "true",
    "JDBC_TREAT_TIMESTAMP_NTZ_AS_UTC": "false",
    "JDBC_USE_SESSION_TIMEZONE": "true",
    "JSON_INDENT": "2",
    "LOCK_TIMEOUT": "43200",
    "LOG_LEVEL": "OFF",
    "MULTI_STATEMENT_COUNT": "1",
    "NETWORK_POLICY": "",
    "NOORDER_SEQUENCE_AS_DEFAULT": "true",
    "ODBC_TREAT_DECIMAL_AS_INT": "false",
    "PREVENT_UNLOAD_TO_INTERNAL_STAGES": "false",
    "QUERY_TAG": "",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": "false",
    "ROWS_PER_RESULTSET": "0",
    "S3_STAGE_VPCE_DNS_NAME": "",
    "SEARCH_PATH": "$current, $public",
    "SIMULATED_DATA_SHARING_CONSUMER": "",
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": "0",
    "STATEMENT_TIMEOUT_IN_SECONDS": "172800",
    "STRICT_JSON_OUTPUT": "false",
    "TIMESTAMP_DAY_IS_ALWAYS_24H": "false",
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": "",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3",
    "TIMESTAMP_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "TIMESTAMP_TZ_OUTPUT_FORMAT": "",
    "TIMEZONE": "America/Los_Angeles",
    "TIME_INPUT_FORMAT": "AUTO",
    "TIME_OUTPUT_FORMAT": "HH24:MI:SS",
    "TRACE_LEVEL": "OFF",
    "TRANSACTION_ABORT_ON_ERROR": "false",
    "TRANSACTION_DEFAULT_ISOLATION_LEVEL": "READ COMMITTED",
    "TWO_DIGIT_CENTURY_START": "1970",
    "UNSUPPORTED_DDL_ACTION": "ignore",
    "USE_CACHED_RESULT": "true",
    "WEEK_OF_YEAR_POLICY": "0",
    "WEEK_START": "0",
}
_BY_KIND = {"SCHEMA": _OBJECT, "DATABASE": _OBJECT, "WAREHOUSE": _WAREHOUSE, "USER": _USER}


def show(state: State, rights: Rights, reader: Reader) -> Result:
    """SHOW PARAMETERS [LIKE] IN | FOR <kind> <name>"""
    like = reader.string() if reader.take("LIKE") else None
    if not (reader.take("IN") or reader.take("FOR")) or reader.take("ACCOUNT") or reader.take("SESSION"):
        reader.end()
        return _rows({**_USER, **_OBJECT}, {}, "", like)
    kind = next((kind for kind in _BY_KIND if reader.take(kind)), None)
    if kind is None:
        raise reader.unexpected()
    name = full_name(kind, reader.name(), rights)
    item = state.get(kind, name)
    if item is None or not rights.sees(item):
        raise no_object(kind.capitalize(), name)
    return _rows(_BY_KIND[kind], item.props, kind, like)


def _rows(known: dict[str, str], props: dict[str, object], level: str, like: str | None) -> Result:
    rows = []
    for key, default in known.items():
        if like is None or like.upper() == key:
            value = props.get(key)
            rows.append([key, default if value is None else value, default, level if key in props else "", "", "STRING"])
    return Result(_COLUMNS, rows)
