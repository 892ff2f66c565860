"""Kinds of objects: what holds them, which properties they take, and what may be granted on them.

https://docs.snowflake.com/en/user-guide/security-access-control-privileges
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.account import known_parameters

ACCOUNT = "ACCOUNT"
TEXT, INTEGER, BOOLEAN, NAME, TEXTS, NAMES = "text", "integer", "boolean", "name", "texts", "names"
Property = str | tuple[str, ...]  # a type above, or the words that are allowed

_SIZES = (
    "XSMALL", "X-SMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "X-LARGE", "XXLARGE", "X2LARGE", "2X-LARGE", "XXXLARGE",
    "X3LARGE", "3X-LARGE", "X4LARGE", "4X-LARGE", "X5LARGE", "5X-LARGE", "X6LARGE", "6X-LARGE",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """`made_in` is what holds it, ACCOUNT for nothing; `creatable` is false for what only grants may name."""

    name: str
    plural: str
    made_in: str
    privileges: tuple[str, ...]
    properties: dict[str, Property] = field(default_factory=dict)
    creatable: bool = True

    @property
    def depth(self) -> int:
        """How many parts a qualified name has."""
        return {ACCOUNT: 1, "DATABASE": 2, "SCHEMA": 3}[self.made_in]


def _types_of(parameters: dict[str, str]) -> dict[str, Property]:
    of = {"BOOLEAN": BOOLEAN, "NUMBER": INTEGER, "STRING": TEXT}
    return {key: of[known_parameters.type_of(default)] for key, default in parameters.items()}


_COMMENT: dict[str, Property] = {"COMMENT": TEXT}
_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF")
_OBJECT_PARAMETERS = _types_of(known_parameters.OBJECT) | {
    "LOG_LEVEL": _LEVELS, "TRACE_LEVEL": ("ALWAYS", "ON_EVENT", "PROPAGATE", "OFF"), "EXTERNAL_VOLUME": NAME,
    "CATALOG": NAME, "STORAGE_SERIALIZATION_POLICY": ("COMPATIBLE", "OPTIMIZED"),
}  # fmt: skip
_USER_PROPERTIES: dict[str, Property] = {
    "PASSWORD": TEXT, "LOGIN_NAME": TEXT, "DISPLAY_NAME": TEXT, "FIRST_NAME": TEXT, "MIDDLE_NAME": TEXT,
    "LAST_NAME": TEXT, "EMAIL": TEXT, "MUST_CHANGE_PASSWORD": BOOLEAN, "DISABLED": BOOLEAN, "DAYS_TO_EXPIRY": INTEGER,
    "MINS_TO_UNLOCK": INTEGER, "DEFAULT_WAREHOUSE": NAME, "DEFAULT_NAMESPACE": NAME, "DEFAULT_ROLE": NAME,
    "DEFAULT_SECONDARY_ROLES": TEXTS, "MINS_TO_BYPASS_MFA": INTEGER, "DISABLE_MFA": BOOLEAN, "RSA_PUBLIC_KEY": TEXT,
    "RSA_PUBLIC_KEY_2": TEXT, "TYPE": ("PERSON", "SERVICE", "LEGACY_SERVICE"), **_COMMENT,
    **_types_of(known_parameters.USER), "NETWORK_POLICY": NAME, "LOG_LEVEL": _LEVELS,
}  # fmt: skip
_CONSTRAINTS = (
    "STANDARD_GEN_1", "STANDARD_GEN_2",
    *(f"MEMORY_{size}X{processor}" for size in (1, 16, 64) for processor in ("", "_X86")),
)  # fmt: skip
_WAREHOUSE_PROPERTIES: dict[str, Property] = {
    "WAREHOUSE_TYPE": ("STANDARD", "SNOWPARK-OPTIMIZED"), "WAREHOUSE_SIZE": _SIZES, "WAIT_FOR_COMPLETION": BOOLEAN,
    "MAX_CLUSTER_COUNT": INTEGER, "MIN_CLUSTER_COUNT": INTEGER, "SCALING_POLICY": ("STANDARD", "ECONOMY"),
    "AUTO_SUSPEND": INTEGER, "AUTO_RESUME": BOOLEAN, "INITIALLY_SUSPENDED": BOOLEAN, "RESOURCE_MONITOR": NAME,
    "ENABLE_QUERY_ACCELERATION": BOOLEAN, "QUERY_ACCELERATION_MAX_SCALE_FACTOR": INTEGER, "GENERATION": ("1", "2"),
    "RESOURCE_CONSTRAINT": _CONSTRAINTS, **_COMMENT,
    **_types_of(known_parameters.WAREHOUSE),
}  # fmt: skip
# What a number may be; where nothing is said, zero and more. From the pages of the parameters and of CREATE WAREHOUSE.
RANGES: dict[str, tuple[int, int | None]] = {
    "DATA_RETENTION_TIME_IN_DAYS": (0, 90), "MAX_DATA_EXTENSION_TIME_IN_DAYS": (0, 90), "CREDIT_QUOTA": (1, None),
    "MIN_CLUSTER_COUNT": (1, 10), "MAX_CLUSTER_COUNT": (1, 10), "QUERY_ACCELERATION_MAX_SCALE_FACTOR": (0, 100),
    "MAX_CONCURRENCY_LEVEL": (1, None), "STATEMENT_TIMEOUT_IN_SECONDS": (0, 604800),
    "TASK_AUTO_RETRY_ATTEMPTS": (0, 30), "USER_TASK_TIMEOUT_MS": (0, 604800000),
    "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS": (10, 604800), "WEEK_START": (0, 7),
    "WEEK_OF_YEAR_POLICY": (0, 1), "TWO_DIGIT_CENTURY_START": (1900, 2100), "JSON_INDENT": (0, 16),
    "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY": (900, 3600), "CLIENT_PREFETCH_THREADS": (1, 10),
    **dict.fromkeys(("DAYS_TO_EXPIRY", "MINS_TO_UNLOCK", "MINS_TO_BYPASS_MFA"), (-(2**31), None)),
}  # fmt: skip
_MONITOR_PROPERTIES: dict[str, Property] = {
    "CREDIT_QUOTA": INTEGER, "FREQUENCY": ("MONTHLY", "DAILY", "WEEKLY", "YEARLY", "NEVER"), "START_TIMESTAMP": TEXT,
    "END_TIMESTAMP": TEXT, "NOTIFY_USERS": NAMES,
}  # fmt: skip

_MADE_IN_SCHEMA = (
    "TABLE", "VIEW", "STAGE", "FILE FORMAT", "SEQUENCE", "FUNCTION", "PROCEDURE", "TASK", "STREAM", "PIPE",
    "DYNAMIC TABLE", "EVENT TABLE", "EXTERNAL TABLE", "HYBRID TABLE", "ICEBERG TABLE", "MATERIALIZED VIEW",
    "MASKING POLICY", "ROW ACCESS POLICY", "SESSION POLICY", "PASSWORD POLICY", "NETWORK RULE", "SECRET", "TAG", "ALERT",
    "NOTEBOOK", "STREAMLIT", "MODEL", "SERVICE", "GIT REPOSITORY", "IMAGE REPOSITORY", "SEMANTIC VIEW",
    "CORTEX SEARCH SERVICE", "AGGREGATION POLICY", "AUTHENTICATION POLICY", "PROJECTION POLICY", "PACKAGES POLICY",
    "DATASET", "SNAPSHOT", "SNOWFLAKE.CORE.BUDGET", "SNOWFLAKE.ML.ANOMALY_DETECTION", "SNOWFLAKE.ML.FORECAST",
)  # fmt: skip
_GLOBAL = (
    *(
        f"CREATE {kind}"
        for kind in (
            "ACCOUNT", "APPLICATION", "APPLICATION PACKAGE", "COMPUTE POOL", "DATA EXCHANGE LISTING", "DATABASE",
            "EXTERNAL VOLUME", "FAILOVER GROUP", "INTEGRATION", "NETWORK POLICY", "REPLICATION GROUP", "ROLE", "SHARE",
            "USER", "WAREHOUSE",
        )
    ),
    *(
        f"APPLY {what} POLICY"
        for what in (
            "AGGREGATION", "AUTHENTICATION", "MASKING", "PACKAGES", "PASSWORD", "PROJECTION", "ROW ACCESS", "SESSION",
        )
    ),
    "APPLY TAG", "ATTACH POLICY", "AUDIT", "BIND SERVICE ENDPOINT", "EXECUTE ALERT", "EXECUTE DATA METRIC FUNCTION",
    "EXECUTE MANAGED ALERT", "EXECUTE MANAGED TASK", "EXECUTE TASK", "IMPORT SHARE", "MANAGE ACCOUNT SUPPORT CASES",
    "MANAGE EVENT SHARING", "MANAGE GRANTS", "MANAGE LISTING AUTO FULFILLMENT", "MANAGE SHARE TARGET",
    "MANAGE USER SUPPORT CASES", "MANAGE WAREHOUSES", "MODIFY LOG LEVEL", "MODIFY SESSION LOG LEVEL",
    "MODIFY SESSION TRACE LEVEL", "MODIFY TRACE LEVEL", "MONITOR EXECUTION", "MONITOR SECURITY", "MONITOR USAGE",
    "MONITOR", "OVERRIDE SHARE RESTRICTIONS", "PURCHASE DATA EXCHANGE LISTING", "RESOLVE ALL",
)  # fmt: skip
# Given to the account by its organization first, which there is none of here: nobody may pass it on.
NEEDS_ORGANIZATION = ("MANAGE LISTING AUTO FULFILLMENT",)
_READ_WRITE = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES")

# These are not emulated, but may be named by grants on all (there are none) and on future ones.
_ONLY_IN_GRANTS = (
    ("FUNCTION", "FUNCTIONS", ("USAGE",)),
    ("PROCEDURE", "PROCEDURES", ("USAGE",)),
    ("TASK", "TASKS", ("MONITOR", "OPERATE")),
    ("STREAM", "STREAMS", ("SELECT",)),
    ("PIPE", "PIPES", ("MONITOR", "OPERATE")),
    ("ALERT", "ALERTS", ("MONITOR", "OPERATE")),
    ("DYNAMIC TABLE", "DYNAMIC TABLES", ("SELECT", "MONITOR", "OPERATE")),
    ("EVENT TABLE", "EVENT TABLES", ("SELECT", "DELETE", "TRUNCATE", "REFERENCES")),
    ("EXTERNAL TABLE", "EXTERNAL TABLES", ("SELECT", "REFERENCES")),
    ("HYBRID TABLE", "HYBRID TABLES", _READ_WRITE),
    ("ICEBERG TABLE", "ICEBERG TABLES", _READ_WRITE),
    ("MATERIALIZED VIEW", "MATERIALIZED VIEWS", ("SELECT", "REFERENCES")),
    ("SEMANTIC VIEW", "SEMANTIC VIEWS", ("SELECT", "REFERENCES")),
    ("SECRET", "SECRETS", ("READ", "USAGE")),
    ("NETWORK RULE", "NETWORK RULES", ("USAGE",)),
    ("GIT REPOSITORY", "GIT REPOSITORIES", ("READ", "WRITE")),
    ("IMAGE REPOSITORY", "IMAGE REPOSITORIES", ("READ", "WRITE")),
    ("MODEL", "MODELS", ("USAGE",)),
    ("DATASET", "DATASETS", ("USAGE",)),
    ("NOTEBOOK", "NOTEBOOKS", ("USAGE",)),
    ("STREAMLIT", "STREAMLITS", ("USAGE",)),
    ("SERVICE", "SERVICES", ("MONITOR", "OPERATE", "USAGE")),
    ("CORTEX SEARCH SERVICE", "CORTEX SEARCH SERVICES", ("MONITOR", "OPERATE", "USAGE")),
    *((f"{what} POLICY", f"{what} POLICIES", ("APPLY",)) for what in (
        "AGGREGATION", "AUTHENTICATION", "MASKING", "PASSWORD", "PROJECTION", "ROW ACCESS", "SESSION",
    )),
)  # fmt: skip

_ALL = (
    Kind(
        "DATABASE", "DATABASES", ACCOUNT,
        ("USAGE", "MONITOR", "MODIFY", "CREATE SCHEMA", "CREATE DATABASE ROLE", "REFERENCE_USAGE", "APPLYBUDGET"),
        _COMMENT | _OBJECT_PARAMETERS,
    ),
    Kind(
        "SCHEMA", "SCHEMAS", "DATABASE",
        (
            "USAGE", "MONITOR", "MODIFY", "APPLYBUDGET", "ADD SEARCH OPTIMIZATION",
            *(f"CREATE {kind}" for kind in _MADE_IN_SCHEMA),
        ),
        _COMMENT | _types_of(known_parameters.SCHEMA) | _OBJECT_PARAMETERS,
    ),
    Kind("ROLE", "ROLES", ACCOUNT, (), _COMMENT),
    Kind("DATABASE ROLE", "DATABASE ROLES", "DATABASE", (), _COMMENT),
    Kind("USER", "USERS", ACCOUNT, ("MONITOR",), _USER_PROPERTIES),
    Kind(
        "WAREHOUSE", "WAREHOUSES", ACCOUNT, ("USAGE", "OPERATE", "MONITOR", "MODIFY", "APPLYBUDGET"), _WAREHOUSE_PROPERTIES
    ),
    Kind("RESOURCE MONITOR", "RESOURCE MONITORS", ACCOUNT, ("MONITOR", "MODIFY"), _MONITOR_PROPERTIES),
    Kind(
        "NETWORK POLICY", "NETWORK POLICIES", ACCOUNT, ("USAGE",),
        _COMMENT | {"ALLOWED_IP_LIST": TEXTS, "BLOCKED_IP_LIST": TEXTS},
    ),
    Kind("SHARE", "SHARES", ACCOUNT, (), _COMMENT),
    Kind("TABLE", "TABLES", "SCHEMA", (*_READ_WRITE, "EVOLVE SCHEMA", "APPLYBUDGET"), _COMMENT),
    Kind("VIEW", "VIEWS", "SCHEMA", ("SELECT", "REFERENCES"), _COMMENT),
    Kind("SEQUENCE", "SEQUENCES", "SCHEMA", ("USAGE",), _COMMENT),
    Kind("STAGE", "STAGES", "SCHEMA", ("USAGE", "READ", "WRITE"), _COMMENT),
    Kind("FILE FORMAT", "FILE FORMATS", "SCHEMA", ("USAGE",), _COMMENT),
    Kind("TAG", "TAGS", "SCHEMA", ("APPLY", "READ"), _COMMENT),
    *(Kind(name, plural, "SCHEMA", privileges, creatable=False) for name, plural, privileges in _ONLY_IN_GRANTS),
)  # fmt: skip
KINDS = {kind.name: kind for kind in _ALL}
GLOBAL = _GLOBAL
IN_SCHEMA = tuple(kind.name for kind in _ALL if kind.made_in == "SCHEMA")
IN_DATABASE = (*IN_SCHEMA, "SCHEMA", "DATABASE ROLE")


def privileges_on(kind: str) -> tuple[str, ...]:
    """What may be granted on a kind of object, without OWNERSHIP."""
    return GLOBAL if kind == ACCOUNT else KINDS[kind].privileges
