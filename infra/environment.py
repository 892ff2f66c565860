"""One environment, put together: its Git folder, jobs, secrets, Snowflake schema and service user."""

from __future__ import annotations

import pulumi

from infra.databricks.folder import GitFolder, GitFolderArgs
from infra.databricks.git_credential import PrincipalGitCredential
from infra.databricks.groups import Groups
from infra.databricks.jobs import Jobs, JobsArgs
from infra.databricks.personal_folders import PersonalFolders, PersonalFoldersArgs
from infra.databricks.secrets import Secrets
from infra.gitlab.branch_protection import BranchProtection
from infra.naming import Names
from infra.outside.branch import Snapshot
from infra.settings import Settings
from infra.snowflake.persona_roles import PersonaRoles
from infra.snowflake.schema import ManagedSchema, ManagedSchemaArgs
from infra.snowflake.service_user import ServiceUser, ServiceUserArgs
from infra.snowflake.warehouse import Warehouse
from infra.vocabulary import Environment
from infra.workflows import Workflow


class QuantEnvironment(pulumi.ComponentResource):
    """Everything that a stack declares, as the tree that `pulumi preview` prints."""

    def __init__(self, settings: Settings, names: Names, snapshot: Snapshot, workflows: list[Workflow]) -> None:
        super().__init__("quant:index:Environment", settings.environment.value)
        row = settings.row
        child = pulumi.ResourceOptions(parent=self)

        def after(*others: pulumi.Resource) -> pulumi.ResourceOptions:
            return pulumi.ResourceOptions(parent=self, depends_on=list(others))

        groups: list[pulumi.Resource] = []
        if settings.groups == "managed":
            groups = [Groups(settings, child), PersonaRoles(settings, child)]
        self.schema = ManagedSchema(ManagedSchemaArgs(settings, names, row), after(*groups))
        warehouse: pulumi.Input[str] = settings.warehouse.upper()
        if settings.managed_warehouse is not None:
            warehouse = Warehouse(settings, names, settings.managed_warehouse, child).name
        writer = self.schema.writer.fully_qualified_name
        user = ServiceUser(ServiceUserArgs(settings, names, writer, warehouse), child)
        self.secrets = Secrets(settings, names.secret_scope, child)
        if settings.git_credential is not None:
            PrincipalGitCredential(settings, settings.git_credential.username, child)
        self.folder = GitFolder(GitFolderArgs(settings, snapshot.commit, row), after(*groups))
        # A job never runs before the folder holds its code, and it can log in.
        self.jobs = Jobs(JobsArgs(settings, workflows, row), after(self.folder, self.secrets, user))
        if settings.gitlab is not None:
            BranchProtection(settings.gitlab, settings.protection, settings.is_live, child)
        if settings.environment is Environment.DEV:
            PersonalFolders(PersonalFoldersArgs(settings, snapshot, settings.developers), child)
        self.register_outputs({})
