"""Written by `make sdk` from pulumi-snowflake 2.22.0; not by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from infra.sdk.base import Declared, options, wire

_VERSION = "2.22.0"


class AccountRole(Declared):
    """The package's AccountRole."""

    READ = ("name",)

    def __init__(
        self,
        resource_name: str,
        *,
        name: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "name": name,
        }
        properties = {"name": None, **wire(given)}
        merged = options(_VERSION, opts)
        super().__init__("snowflake:index/accountRole:AccountRole", resource_name, properties, merged)

    @property
    def name(self) -> pulumi.Output[str]:
        """As the provider answers it."""
        found: pulumi.Output[str] = pulumi.get(self, "name")
        return found


class DatabaseRole(Declared):
    """The package's DatabaseRole."""

    READ = ("fullyQualifiedName",)

    def __init__(
        self,
        resource_name: str,
        *,
        database: pulumi.Input[str],
        name: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "database": database,
            "name": name,
        }
        properties = {"fullyQualifiedName": None, **wire(given)}
        merged = options(_VERSION, opts)
        super().__init__("snowflake:index/databaseRole:DatabaseRole", resource_name, properties, merged)

    @property
    def fully_qualified_name(self) -> pulumi.Output[str]:
        """As the provider answers it."""
        found: pulumi.Output[str] = pulumi.get(self, "fullyQualifiedName")
        return found


class GrantAccountRole(Declared):
    """The package's GrantAccountRole."""

    def __init__(
        self,
        resource_name: str,
        *,
        role_name: pulumi.Input[str],
        user_name: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "role_name": role_name,
            "user_name": user_name,
        }
        properties = wire(given)
        merged = options(_VERSION, opts)
        super().__init__("snowflake:index/grantAccountRole:GrantAccountRole", resource_name, properties, merged)


class GrantDatabaseRole(Declared):
    """The package's GrantDatabaseRole."""

    def __init__(
        self,
        resource_name: str,
        *,
        database_role_name: pulumi.Input[str],
        parent_role_name: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "database_role_name": database_role_name,
            "parent_role_name": parent_role_name,
        }
        properties = wire(given)
        merged = options(_VERSION, opts)
        super().__init__("snowflake:index/grantDatabaseRole:GrantDatabaseRole", resource_name, properties, merged)


class GrantPrivilegesToAccountRole(Declared):
    """The package's GrantPrivilegesToAccountRole."""

    def __init__(
        self,
        resource_name: str,
        *,
        account_role_name: pulumi.Input[str],
        on_account_object: pulumi.Input[Mapping[str, Any]] | None = None,
        privileges: pulumi.Input[Sequence[str]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "account_role_name": account_role_name,
            "on_account_object": on_account_object,
            "privileges": privileges,
        }
        properties = wire(given)
        merged = options(_VERSION, opts)
        super().__init__(
            "snowflake:index/grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole", resource_name, properties, merged
        )


class GrantPrivilegesToDatabaseRole(Declared):
    """The package's GrantPrivilegesToDatabaseRole."""

    def __init__(
        self,
        resource_name: str,
        *,
        database_role_name: pulumi.Input[str],
        on_schema: pulumi.Input[Mapping[str, Any]] | None = None,
        on_schema_object: pulumi.Input[Mapping[str, Any]] | None = None,
        privileges: pulumi.Input[Sequence[str]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "database_role_name": database_role_name,
            "on_schema": on_schema,
            "on_schema_object": on_schema_object,
            "privileges": privileges,
        }
        properties = wire(given)
        merged = options(_VERSION, opts)
        super().__init__(
            "snowflake:index/grantPrivilegesToDatabaseRole:GrantPrivilegesToDatabaseRole", resource_name, properties, merged
        )


class NetworkPolicy(Declared):
    """The package's NetworkPolicy."""

    READ = ("name",)

    def __init__(
        self,
        resource_name: str,
        *,
        allowed_ip_lists: pulumi.Input[Sequence[str]] | None = None,
        name: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "allowed_ip_lists": allowed_ip_lists,
            "name": name,
        }
        properties = {"name": None, **wire(given)}
        merged = options(_VERSION, opts)
        super().__init__("snowflake:index/networkPolicy:NetworkPolicy", resource_name, properties, merged)

    @property
    def name(self) -> pulumi.Output[str]:
        """As the provider answers it."""
        found: pulumi.Output[str] = pulumi.get(self, "name")
        return found


class ResourceMonitor(Declared):
    """The package's ResourceMonitor."""

    READ = ("name",)

    def __init__(
        self,
        resource_name: str,
        *,
        credit_quota: pulumi.Input[int] | None = None,
        name: pulumi.Input[str] | None = None,
        notify_triggers: pulumi.Input[Sequence[int]] | None = None,
        suspend_immediate_trigger: pulumi.Input[int] | None = None,
        suspend_trigger: pulumi.Input[int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "credit_quota": credit_quota,
            "name": name,
            "notify_triggers": notify_triggers,
            "suspend_immediate_trigger": suspend_immediate_trigger,
            "suspend_trigger": suspend_trigger,
        }
        properties = {"name": None, **wire(given)}
        merged = options(_VERSION, opts)
        super().__init__("snowflake:index/resourceMonitor:ResourceMonitor", resource_name, properties, merged)

    @property
    def name(self) -> pulumi.Output[str]:
        """As the provider answers it."""
        found: pulumi.Output[str] = pulumi.get(self, "name")
        return found


class Schema(Declared):
    """The package's Schema."""

    READ = (
        "name",
        "showOutputs",
    )

    def __init__(
        self,
        resource_name: str,
        *,
        database: pulumi.Input[str],
        comment: pulumi.Input[str] | None = None,
        data_retention_time_in_days: pulumi.Input[int] | None = None,
        is_transient: pulumi.Input[str] | None = None,
        name: pulumi.Input[str] | None = None,
        with_managed_access: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "comment": comment,
            "data_retention_time_in_days": data_retention_time_in_days,
            "database": database,
            "is_transient": is_transient,
            "name": name,
            "with_managed_access": with_managed_access,
        }
        properties = {"name": None, "showOutputs": None, **wire(given)}
        merged = options(_VERSION, opts)
        super().__init__("snowflake:index/schema:Schema", resource_name, properties, merged)

    @property
    def name(self) -> pulumi.Output[str]:
        """As the provider answers it."""
        found: pulumi.Output[str] = pulumi.get(self, "name")
        return found

    @property
    def show_outputs(self) -> pulumi.Output[Sequence[Any]]:
        """As the provider answers it."""
        found: pulumi.Output[Sequence[Any]] = pulumi.get(self, "showOutputs")
        return found


class ServiceUser(Declared):
    """The package's ServiceUser."""

    READ = ("name",)

    def __init__(
        self,
        resource_name: str,
        *,
        comment: pulumi.Input[str] | None = None,
        default_namespace: pulumi.Input[str] | None = None,
        default_role: pulumi.Input[str] | None = None,
        default_warehouse: pulumi.Input[str] | None = None,
        disabled: pulumi.Input[str] | None = None,
        name: pulumi.Input[str] | None = None,
        network_policy: pulumi.Input[str] | None = None,
        rsa_public_key: pulumi.Input[str] | None = None,
        rsa_public_key2: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "comment": comment,
            "default_namespace": default_namespace,
            "default_role": default_role,
            "default_warehouse": default_warehouse,
            "disabled": disabled,
            "name": name,
            "network_policy": network_policy,
            "rsa_public_key": rsa_public_key,
            "rsa_public_key2": rsa_public_key2,
        }
        properties = {"name": None, **wire(given)}
        merged = options(_VERSION, opts, ["email", "loginName"])
        super().__init__("snowflake:index/serviceUser:ServiceUser", resource_name, properties, merged)

    @property
    def name(self) -> pulumi.Output[str]:
        """As the provider answers it."""
        found: pulumi.Output[str] = pulumi.get(self, "name")
        return found


class Warehouse(Declared):
    """The package's Warehouse."""

    READ = ("name",)

    def __init__(
        self,
        resource_name: str,
        *,
        auto_resume: pulumi.Input[str] | None = None,
        auto_suspend: pulumi.Input[int] | None = None,
        comment: pulumi.Input[str] | None = None,
        initially_suspended: pulumi.Input[bool] | None = None,
        name: pulumi.Input[str] | None = None,
        resource_monitor: pulumi.Input[str] | None = None,
        statement_timeout_in_seconds: pulumi.Input[int] | None = None,
        warehouse_size: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "auto_resume": auto_resume,
            "auto_suspend": auto_suspend,
            "comment": comment,
            "initially_suspended": initially_suspended,
            "name": name,
            "resource_monitor": resource_monitor,
            "statement_timeout_in_seconds": statement_timeout_in_seconds,
            "warehouse_size": warehouse_size,
        }
        properties = {"name": None, **wire(given)}
        merged = options(_VERSION, opts)
        super().__init__("snowflake:index/warehouse:Warehouse", resource_name, properties, merged)

    @property
    def name(self) -> pulumi.Output[str]:
        """As the provider answers it."""
        found: pulumi.Output[str] = pulumi.get(self, "name")
        return found
