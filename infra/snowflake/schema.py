"""The Snowflake schema of an environment, its reader and writer database roles, and who holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pulumi

from infra.access import Access
from infra.managed_access import PROPERTY, is_off
from infra.naming import Names, qualified
from infra.sdk.snowflake import DatabaseRole, GrantDatabaseRole, GrantPrivilegesToDatabaseRole, Schema
from infra.settings import Settings
from infra.vocabulary import Persona, ReadableKind, SchemaAccess

# What pipelines make, as GRANT ... ON ALL | FUTURE <these> spells it, and privileges as SHOW GRANTS spells them: any other
# spelling would be a difference for ever (snowflakedb/terraform-provider-snowflake #1573, #2076, #4593).
_READ = {"TABLES": ["SELECT"], "VIEWS": ["SELECT"]}
_WRITE = {
    "SEQUENCES": ["USAGE"],
    "STAGES": ["READ", "WRITE"],
    "TABLES": ["DELETE", "INSERT", "SELECT", "TRUNCATE", "UPDATE"],
    "VIEWS": ["SELECT"],
}
_PLURALS = {
    ReadableKind.DYNAMIC_TABLES: "DYNAMIC TABLES",
    ReadableKind.EXTERNAL_TABLES: "EXTERNAL TABLES",
    ReadableKind.ICEBERG_TABLES: "ICEBERG TABLES",
    ReadableKind.MATERIALIZED_VIEWS: "MATERIALIZED VIEWS",
}
# pandas' write_pandas makes a temporary stage and, to find the types of the columns, a temporary file format.
_CREATE = ["CREATE FILE FORMAT", "CREATE SEQUENCE", "CREATE STAGE", "CREATE TABLE", "CREATE VIEW", "USAGE"]


def _refused(settings: Settings, name: str, shown: Sequence[Any] | None) -> str:
    """That the account has refused managed access, which no preview shows; '' where it has not."""
    if not is_off({PROPERTY: "true", "showOutputs": shown}):
        return ""
    env, schema = settings.environment, f"{settings.database.upper()}.{name}"
    return (
        f"{schema} has no managed access: the account refused to turn it on. An account administrator can: ALTER SCHEMA"
        f" {schema} ENABLE MANAGED ACCESS. Then, or with a role that may: `quantctl up {env}`."
    )


@dataclass(frozen=True)
class ManagedSchemaArgs:
    """What the schema is declared from."""

    settings: Settings
    names: Names
    row: dict[Persona, Access]


class ManagedSchema(pulumi.ComponentResource):
    """A managed-access schema: only its owner grants, by role, on what is there and on what will be."""

    def __init__(self, args: ManagedSchemaArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("quant:snowflake:ManagedSchema", "schema", None, opts)
        settings, names = args.settings, args.names
        database = settings.database.upper()
        child = pulumi.ResourceOptions(parent=self, protect=settings.is_live)
        self._child, self._database, self._settings = child, database, settings
        self.schema = self._managed("schema", names.schema, "Outputs")
        reader, writer = self._role("reader", names.reader), self._role("writer", names.writer)
        places = [("", self.schema, names.schema)]
        if settings.limited_release is not None and settings.limited_release.baseline:
            base = self._managed("baseline", names.baseline, "What quant_live's code makes of the inputs")
            places.append(("baseline-", base, names.baseline))
        told = [schema.show_outputs.apply(partial(_refused, settings, name)) for _, schema, name in places]
        self.refused: pulumi.Output[str] = pulumi.Output.all(*told).apply(lambda said: "\n".join(filter(None, said)))
        more = {_PLURALS[kind]: ["SELECT"] for kind in settings.also_readable}
        for prefix, schema, name in places:
            self._grants(f"{prefix}reader", reader, (schema, name), ["USAGE"], {**_READ, **more})
            self._grants(f"{prefix}writer", writer, (schema, name), _CREATE, {**_WRITE, **more})
        # A replaced grant goes first: afterwards the role that it names may be gone, and with it the grant.
        ordered = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(delete_before_replace=True))
        for persona, access in args.row.items():
            if access.schema is SchemaAccess.READ:
                role = settings.names(persona).role.upper()
                GrantDatabaseRole(
                    f"{persona}-reads", database_role_name=reader.fully_qualified_name, parent_role_name=role, opts=ordered
                )
        self.writer = writer
        self.name: pulumi.Output[str] = self.schema.name
        self.register_outputs({"name": self.name})

    def _managed(self, short: str, name: str, what: str) -> Schema:
        settings = self._settings
        return Schema(
            short,
            database=self._database,
            name=name,
            with_managed_access="true",
            is_transient="false",  # always said: another spelling of the same would replace the schema
            data_retention_time_in_days=settings.retention_days,
            comment=f"{what} of branch {settings.branch}. Declared by Pulumi stack {settings.environment}.",
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(retain_on_delete=settings.is_live)),
        )

    def _role(self, short: str, name: str) -> DatabaseRole:
        return DatabaseRole(short, database=self._database, name=name, opts=self._child)

    def _grants(
        self,
        short: str,
        role: DatabaseRole,
        on: tuple[Schema, str],
        on_schema: list[str],
        on_objects: dict[str, list[str]],
    ) -> None:
        # One resource a role and object, never always_apply: a plan costs 300 to 400 ms for each statement.
        after = pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[on[0]]))
        role_name, schema = role.fully_qualified_name, qualified(self._database, on[1])
        GrantPrivilegesToDatabaseRole(
            f"{short}-uses-schema",
            database_role_name=role_name,
            privileges=on_schema,
            on_schema={"schema_name": schema},
            opts=after,
        )
        for kind, privileges in on_objects.items():
            for scope in ("all", "future"):
                GrantPrivilegesToDatabaseRole(
                    f"{short}-{scope}-{kind.lower().replace(' ', '-')}",
                    database_role_name=role_name,
                    privileges=privileges,
                    on_schema_object={scope: {"object_type_plural": kind, "in_schema": schema}},
                    opts=after,
                )
