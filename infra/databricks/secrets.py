"""The secret scope through which the service user's private key reaches the environment's jobs, and nobody else.

The key itself is not declared, so that it is in no state: `quantctl keys` writes it into the scope.
"""

from __future__ import annotations

import pulumi

from infra.sdk.databricks import SecretAcl, SecretScope
from infra.settings import Settings


class Secrets(pulumi.ComponentResource):
    """A scope that the environment's service principal alone may read."""

    def __init__(self, settings: Settings, name: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__("quant:databricks:Secrets", "secrets", None, opts)
        child = pulumi.ResourceOptions(parent=self, protect=settings.is_live)
        scope = SecretScope("scope", name=name, opts=child)
        SecretAcl(
            "service-principal-reads",
            scope=scope.name,
            principal=settings.service_principal,
            permission="READ",
            opts=child,
        )
        self.register_outputs({})
