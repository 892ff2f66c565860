"""The service principal's own credential at the forge, so that it reads the repository as itself."""

from __future__ import annotations

import pulumi

from infra.sdk.databricks import GitCredential, get_service_principal_sp_id
from infra.settings import Settings


class PrincipalGitCredential(pulumi.ComponentResource):
    """A Git credential of the environment's service principal. A preview without the token leaves it as it is deployed."""

    def __init__(self, settings: Settings, username: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__("quant:databricks:GitCredential", "git-credential", None, opts)
        kept = None if settings.git_token else ["personalAccessToken"]
        child = pulumi.ResourceOptions(parent=self, protect=settings.is_live, ignore_changes=kept)
        principal = get_service_principal_sp_id(settings.service_principal, pulumi.InvokeOptions(parent=self))
        GitCredential(
            "git-credential",
            git_provider=settings.git_provider,
            git_username=username,
            name=settings.environment.value,  # the bridge makes one up where none is given, and a random one says nothing
            personal_access_token=pulumi.Output.secret(settings.git_token or "not known to this preview"),
            principal_id=principal,
            opts=child,
        )
        self.register_outputs({})
