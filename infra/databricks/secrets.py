"""The secret scope through which the service user's private key reaches the environment's jobs, and nobody else."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra.naming import SECRET_KEY, Names
from infra.sdk.databricks import Secret, SecretAcl, SecretScope
from infra.settings import Settings


@dataclass(frozen=True)
class SecretsArgs:
    """`private_key` is PEM text and a secret from its first line."""

    settings: Settings
    names: Names
    private_key: pulumi.Output[str]


class Secrets(pulumi.ComponentResource):
    """A scope with one key that the environment's service principal alone may read."""

    def __init__(self, args: SecretsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("quant:databricks:Secrets", "secrets", None, opts)
        child = pulumi.ResourceOptions(parent=self, protect=args.settings.is_live)
        scope = SecretScope("scope", name=args.names.secret_scope, opts=child)
        # The provider replaces a secret whose value changes: the new value is put under the same key, and a deletion of the
        # old one afterwards would take the new one away. The scope takes it along when it goes.
        kept = pulumi.ResourceOptions(retain_on_delete=True, additional_secret_outputs=["stringValue"])
        Secret(
            SECRET_KEY,
            scope=scope.name,
            key=args.names.secret_key,
            string_value=args.private_key,
            opts=pulumi.ResourceOptions.merge(child, kept),
        )
        SecretAcl(
            "service-principal-reads",
            scope=scope.name,
            principal=args.settings.service_principal,
            permission="READ",
            opts=child,
        )
        self.register_outputs({})
