"""In a managed-access schema only the schema's owner grants, not whoever made a table. Pure.

https://docs.snowflake.com/en/user-guide/security-access-control-configure#label-managed-access-schemas
"""

from __future__ import annotations

from rules.values import UNKNOWN, Props, kind, shown


def check(resource_type: str, props: Props, stack: str) -> list[str]:
    """A schema in which the maker of a table could give it away."""
    managed = props.get("withManagedAccess")
    if kind(resource_type) != "snowflake:Schema" or managed is UNKNOWN or str(managed).lower() == "true":
        return []
    return [f"Schema withManagedAccess: found {shown(managed)}, expected 'true' in {stack}. Set it."]
