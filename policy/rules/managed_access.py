"""A schema is managed by its owner alone, keeps its history, and is never replaced by an update. Pure.

In a managed-access schema only the owner grants, not whoever made a table:
https://docs.snowflake.com/en/user-guide/security-access-control-configure#label-managed-access-schemas
The provider replaces a schema whose isTransient changes, and reads an imported one as "false" while one that is not declared
is "default" (snowflakedb/terraform-provider-snowflake, pkg/resources/schema.go): so it is always declared. Its name and its
database replace it too; rules/agreement.py holds both to the environment's own.
"""

from __future__ import annotations

from typing import Any

from rules.environments import LIVE, Environment
from rules.table import Table, judge, number, one_of
from rules.values import Props


def _retention(value: Any, environment: Environment) -> str | None:
    # https://docs.snowflake.com/en/user-guide/data-time-travel: at most 90 days
    return number(1 if environment.name == LIVE else 0, 90)(value, environment)


TABLE: Table = {
    "snowflake:Schema": {
        "dataRetentionTimeInDays": _retention,
        "isTransient": one_of("false"),
        "withManagedAccess": one_of("true"),
    }
}


def check(resource_type: str, props: Props, stack: str) -> list[str]:
    """A schema that could be given away or lost."""
    return list(judge(TABLE, resource_type, props, stack))
