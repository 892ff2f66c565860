"""The personas' account roles, for a team whose identity provider does not bring them."""

from __future__ import annotations

import pulumi

from infra.sdk.snowflake import AccountRole
from infra.settings import Settings
from infra.vocabulary import Persona


class PersonaRoles(pulumi.ComponentResource):
    """One account role a persona; who holds it is not said here."""

    def __init__(self, settings: Settings, opts: pulumi.ResourceOptions) -> None:
        super().__init__("quant:snowflake:PersonaRoles", "persona-roles", None, opts)
        child = pulumi.ResourceOptions(parent=self, protect=settings.is_live)
        for persona in Persona:
            AccountRole(f"role/{persona}", name=settings.names(persona).role.upper(), opts=child)
        self.register_outputs({})
