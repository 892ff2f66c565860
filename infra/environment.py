"""One environment, put together: its Git folder, jobs, secrets, Snowflake schema and service user."""

from __future__ import annotations

from typing import Any

import pulumi

from infra.access import access_of
from infra.databricks.folder import GitFolder, GitFolderArgs
from infra.databricks.jobs import Jobs, JobsArgs
from infra.databricks.secrets import Secrets, SecretsArgs
from infra.keys import public_key
from infra.naming import Names
from infra.settings import Settings
from infra.snowflake.schema import ManagedSchema, ManagedSchemaArgs
from infra.snowflake.service_user import ServiceUser, ServiceUserArgs
from infra.source import Snapshot


class QuantEnvironment(pulumi.ComponentResource):
    """Everything that a stack declares, as the tree that `pulumi preview` prints."""

    def __init__(
        self, settings: Settings, names: Names, snapshot: Snapshot, definitions: list[dict[str, Any]], key: str
    ) -> None:
        super().__init__("quant:index:Environment", settings.environment.value)
        child = pulumi.ResourceOptions(parent=self)
        access = access_of(settings.environment)
        self.schema = ManagedSchema(ManagedSchemaArgs(settings, names, access), child)
        self.user = ServiceUser(
            ServiceUserArgs(
                settings, names, pulumi.Output.from_input(public_key(key)), self.schema.writer.fully_qualified_name
            ),
            child,
        )
        self.secrets = Secrets(SecretsArgs(settings, names.secret_scope, pulumi.Output.secret(key)), child)
        self.folder = GitFolder(GitFolderArgs(settings, snapshot.commit, access), child)
        # A job never runs before the folder holds its code and the secret its key.
        after_folder = pulumi.ResourceOptions(parent=self, depends_on=[self.folder, self.secrets])
        self.jobs = Jobs(JobsArgs(settings, definitions, access), after_folder)
        self.register_outputs({})
