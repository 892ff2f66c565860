"""The personas' groups, for a team whose identity provider does not bring them."""

from __future__ import annotations

import pulumi

from infra.sdk.databricks import Group
from infra.settings import Settings
from infra.vocabulary import Persona


class Groups(pulumi.ComponentResource):
    """One workspace group a persona; who is a member is not said here."""

    def __init__(self, settings: Settings, opts: pulumi.ResourceOptions) -> None:
        super().__init__("quant:databricks:Groups", "groups", None, opts)
        child = pulumi.ResourceOptions(parent=self, protect=settings.is_live)
        for persona in Persona:
            Group(f"group/{persona}", display_name=settings.names(persona).group, opts=child)
        self.register_outputs({})
