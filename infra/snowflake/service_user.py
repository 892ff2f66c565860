"""The service user of an environment: logs in with a key pair, writes its own schema and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra.naming import Names
from infra.sdk import snowflake
from infra.settings import Settings

# What an adopted user was made with stays: without its login name its jobs could not log in.
_OF_ITS_MAKER = ["defaultSecondaryRolesOption", "displayName", "loginName", "minsToUnlock"]


@dataclass(frozen=True)
class ServiceUserArgs:
    """`writer` is the database role that the user may use."""

    settings: Settings
    names: Names
    writer: pulumi.Output[str]
    warehouse: pulumi.Input[str]


class ServiceUser(pulumi.ComponentResource):
    """An account role with one database role, and the user that logs in with it."""

    def __init__(self, args: ServiceUserArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("quant:snowflake:ServiceUser", "service-user", None, opts)
        settings, names = args.settings, args.names
        child = pulumi.ResourceOptions(parent=self, protect=settings.is_live)
        role = snowflake.AccountRole("role", name=names.service_role, opts=child)
        snowflake.GrantDatabaseRole("role-writes", database_role_name=args.writer, parent_role_name=role.name, opts=child)
        snowflake.GrantPrivilegesToAccountRole(
            "role-uses-warehouse",
            account_role_name=role.name,
            privileges=["USAGE"],
            on_account_object={"object_type": "WAREHOUSE", "object_name": args.warehouse},
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(delete_before_replace=True)),
        )
        policy = None
        if settings.allowed_addresses:
            policy = snowflake.NetworkPolicy(
                "addresses", name=names.network_policy, allowed_ip_lists=settings.allowed_addresses, opts=child
            ).name
        first, second = settings.public_keys
        user = snowflake.ServiceUser(
            "user",
            name=names.service_user,
            rsa_public_key=first,
            rsa_public_key2=second,
            network_policy=policy,
            default_role=names.service_role,
            default_warehouse=settings.warehouse.upper(),
            default_namespace=f"{settings.database.upper()}.{names.schema}",
            comment=f"Jobs of environment {settings.environment}.",
            disabled="false",  # always said: an import reads it so, and another spelling of the same would be an update
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(ignore_changes=_OF_ITS_MAKER)),
        )
        snowflake.GrantAccountRole("user-has-role", role_name=role.name, user_name=user.name, opts=child)
        self.name: pulumi.Output[str] = user.name
        self.register_outputs({"name": self.name})
