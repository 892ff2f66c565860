"""A warehouse of the environment's own: it stops when idle, ends long statements, and keeps to a quota."""

from __future__ import annotations

from typing import Any

import pulumi

from infra.naming import Names
from infra.sdk import snowflake
from infra.settings import ManagedWarehouse, Settings


class Warehouse(pulumi.ComponentResource):
    """The warehouse, and a resource monitor when a quota is given."""

    def __init__(self, settings: Settings, names: Names, managed: ManagedWarehouse, opts: pulumi.ResourceOptions) -> None:
        super().__init__("quant:snowflake:Warehouse", "warehouse", None, opts)
        child = pulumi.ResourceOptions(parent=self, protect=settings.is_live)
        watched: dict[str, Any] = {}
        if managed.monthly_credits is not None:
            monitor = snowflake.ResourceMonitor(
                "monitor",
                name=names.resource_monitor,
                credit_quota=managed.monthly_credits,
                notify_triggers=[80],
                suspend_trigger=100,
                suspend_immediate_trigger=110,
                opts=child,
            )
            watched["resource_monitor"] = monitor.name
        warehouse = snowflake.Warehouse(
            "warehouse",
            name=settings.warehouse.upper(),
            warehouse_size=managed.size,
            auto_suspend=managed.auto_suspend_seconds,
            auto_resume="true",
            initially_suspended=True,
            statement_timeout_in_seconds=managed.statement_timeout_seconds,
            comment=f"Jobs of environment {settings.environment}.",
            **watched,
            opts=child,
        )
        self.name: pulumi.Output[str] = warehouse.name
        self.register_outputs({"name": self.name})
