"""The Snowflake schema of an environment, its reader and writer database roles, and who holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from infra.access import Access, Persona, SchemaAccess
from infra.naming import Names, qualified
from infra.sdk import snowflake
from infra.settings import Settings

# Privileges as Snowflake returns them, never ALL PRIVILEGES (snowflakedb/terraform-provider-snowflake #1573, #2076).
_READ = {"TABLES": ["SELECT"], "VIEWS": ["SELECT"]}
_WRITE = {"TABLES": ["DELETE", "INSERT", "SELECT", "TRUNCATE", "UPDATE"], "VIEWS": ["SELECT"]}
_CREATE = ["CREATE TABLE", "CREATE VIEW", "USAGE"]


@dataclass(frozen=True)
class ManagedSchemaArgs:
    """What the schema is declared from."""

    settings: Settings
    names: Names
    access: dict[Persona, Access]


class ManagedSchema(pulumi.ComponentResource):
    """A managed-access schema: only its owner grants, by role, on what is there and on what will be."""

    def __init__(self, args: ManagedSchemaArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("quant:snowflake:ManagedSchema", "schema", None, opts)
        settings, names = args.settings, args.names
        database = settings.database.upper()
        child = pulumi.ResourceOptions(parent=self, protect=settings.is_live)
        self.schema = snowflake("Schema")(
            "schema",
            database=database,
            name=names.schema,
            with_managed_access="true",
            data_retention_time_in_days=7 if settings.is_live else 1,
            comment=f"Outputs of branch {settings.branch}. Declared by Pulumi stack {settings.environment}.",
            # The data outlives a mistake in the stack, everywhere.
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(retain_on_delete=settings.is_live)),
        )
        self._child, self._database, self._schema = child, database, qualified(database, names.schema)
        reader, writer = self._role("reader", names.reader), self._role("writer", names.writer)
        self._grants("reader", reader, ["USAGE"], _READ)
        self._grants("writer", writer, _CREATE, _WRITE)
        for persona, access in args.access.items():
            if access.schema is SchemaAccess.READ:
                snowflake("GrantDatabaseRole")(
                    f"{persona.role.lower()}-reads",
                    database_role_name=reader.fully_qualified_name,
                    parent_role_name=persona.role,
                    opts=child,
                )
        self.writer = writer
        self.name: pulumi.Output[str] = self.schema.name
        self.register_outputs({"name": self.name})

    def _role(self, short: str, name: str) -> Any:
        return snowflake("DatabaseRole")(short, database=self._database, name=name, opts=self._child)

    def _grants(
        self, short: str, role: Any, on_schema: list[str], on_objects: dict[str, list[str]]
    ) -> None:
        grant = snowflake("GrantPrivilegesToDatabaseRole")
        after = pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[self.schema]))
        role_name = role.fully_qualified_name
        grant(
            f"{short}-uses-schema",
            database_role_name=role_name,
            privileges=on_schema,
            on_schema={"schema_name": self._schema},
            opts=after,
        )
        for kind, privileges in on_objects.items():
            for scope in ("all", "future"):
                grant(
                    f"{short}-{scope}-{kind.lower()}",
                    database_role_name=role_name,
                    privileges=privileges,
                    on_schema_object={scope: {"object_type_plural": kind, "in_schema": self._schema}},
                    opts=after,
                )
