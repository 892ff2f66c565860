"""The principal that runs an environment's jobs alone reads its secret scope, which holds the service user's key. Pure."""

from __future__ import annotations

from typing import Any

from rules.environments import Environment
from rules.table import Table, anything, judge, one_of, own
from rules.values import Props

_PRIVATE_KEY, _PUBLIC_KEY = "snowflake_private_key", "snowflake_public_key"


def _nobody(value: Any, environment: Environment) -> str | None:
    if value is None:
        return None
    return f"nothing: it lets every user read the service user's key of {environment.name}. Remove it."


def _principal(value: Any, environment: Environment) -> str | None:
    if isinstance(value, str) and environment.principal is not None and value.lower() == environment.principal:
        return None
    return (
        f"the service principal that runs the jobs, quant:servicePrincipal of Pulumi.{environment.name}.yaml:"
        f" {environment.principal}. Remove the entry."
    )


def _key(value: Any, environment: Environment) -> str | None:
    """A declared secret of this name would put an old key back, and be in the state."""
    own = environment.own_names.get("secretKey", _PRIVATE_KEY)
    if isinstance(value, str) and not value.startswith((own, _PRIVATE_KEY, _PUBLIC_KEY)):
        return None
    return "another name: `quantctl keys rotate` writes the service user's key. Remove the resource."


_SCOPE = own("secret_scope", "quant:names.secretScope")
TABLE: Table = {
    "databricks:Secret": {"scope": _SCOPE, "key": _key, "stringValue": anything},  # plain_secrets looks at the value
    "databricks:SecretAcl": {"scope": _SCOPE, "principal": _principal, "permission": one_of("READ")},
    "databricks:SecretScope": {"initialManagePrincipal": _nobody},
}


def check(resource_type: str, props: Props, stack: str) -> list[str]:
    """What would let somebody else read the key."""
    return list(judge(TABLE, resource_type, props, stack))
