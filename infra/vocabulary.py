"""The words that everything else uses: environments, personas and permission levels."""

from __future__ import annotations

from enum import StrEnum

# The output of a stack that says how many resources its program declared.
DECLARED = "declared"


class Environment(StrEnum):
    """The four maturity branches, in the order of promotion. A stack, a branch, a folder and a schema share the name."""

    DEV = "quant"
    STAGING = "quant_stg"
    LIMITED = "quant_lr"
    LIVE = "quant_live"


class Persona(StrEnum):
    """A kind of person. In Databricks a group, in Snowflake an account role."""

    DEVELOPERS = "developers"
    REVIEWERS = "reviewers"
    RELEASE_MANAGERS = "releaseManagers"
    UAT_TESTERS = "uatTesters"
    LIMITED_RELEASE = "limitedRelease"
    END_USERS = "endUsers"
    SUPPORT = "support"
    COMPARERS = "comparers"


class ReadableKind(StrEnum):
    """Kinds of objects in a schema that are no tables and views of the pipelines' own making, but may be read."""

    DYNAMIC_TABLES = "dynamicTables"
    EXTERNAL_TABLES = "externalTables"
    ICEBERG_TABLES = "icebergTables"
    MATERIALIZED_VIEWS = "materializedViews"


class FolderLevel(StrEnum):
    """Permission levels of a Git folder, as Databricks spells them, from least to most."""

    NONE = "none"
    READ = "CAN_READ"
    RUN = "CAN_RUN"
    EDIT = "CAN_EDIT"
    MANAGE = "CAN_MANAGE"


class JobLevel(StrEnum):
    """Permission levels of a job, as Databricks spells them, from least to most."""

    NONE = "none"
    VIEW = "CAN_VIEW"
    RUN = "CAN_MANAGE_RUN"
    MANAGE = "CAN_MANAGE"
    OWNER = "IS_OWNER"


class SchemaAccess(StrEnum):
    """What may be done in the environment's Snowflake schema, from least to most: its two database roles, and its owner."""

    NONE = "none"
    READ = "read"
    WRITE = "write"
    OWN = "own"


class Right(StrEnum):
    """What somebody's signature counts for."""

    DEPLOY = "deploy"
    PROMOTE = "promote"
    APPROVE = "approve"
    SIGN_OFF = "signOff"
    COMPARE = "compare"
