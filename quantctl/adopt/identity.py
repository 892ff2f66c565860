"""Under which id each declared resource is imported, where the real object is there. Pure.

The formats are those of "Import" on each page of https://www.pulumi.com/registry/packages/databricks/ and .../snowflake/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.naming import Names, qualified
from infra.settings import Settings
from infra.vocabulary import Persona

Json = dict[str, Any]
SECRETS = ("databricks:index/secret:Secret", "databricks:index/gitCredential:GitCredential")
_DATABRICKS, _SNOWFLAKE = "databricks:index/", "snowflake:index/"


@dataclass(frozen=True)
class Declared:
    """A resource of a preview; `parent` and `urn` are URNs, `inputs` what the program says (unknown values included)."""

    urn: str
    type: str
    custom: bool
    inputs: Json
    parent: str
    provider: str

    @property
    def name(self) -> str:
        """The logical name, the last part of the URN."""
        return self.urn.rsplit("::", 1)[-1]

    @property
    def kind(self) -> str:
        """Job, Schema, ..."""
        return self.type.rsplit(":", 1)[-1]

    @property
    def within(self) -> str:
        """The component that it stands in: ManagedSchema, GitFolder, ..."""
        return self.parent.split("::")[-2].rsplit("$", 1)[-1].rsplit(":", 1)[-1] if self.parent else ""


@dataclass(frozen=True)
class Real:
    """Ids of the workspace's objects; `objects` says which of the account's are there, by kind and qualified name.

    `jobs` are by logical name, `groups` by display name, `folders` and `directories` by path.
    """

    jobs: Mapping[str, int] = field(default_factory=dict)
    folders: Mapping[str, int] = field(default_factory=dict)
    directories: Mapping[str, int] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)


class Identities:
    """The ids of one environment's resources."""

    def __init__(self, settings: Settings, names: Names, real: Real) -> None:
        self._settings, self._names, self._real = settings, names, real

    def of(self, one: Declared) -> str | None:
        """The id of a resource; None where it cannot be imported, or the real object is not there."""
        if one.type in SECRETS:
            return None
        known: Mapping[str, Callable[[Declared], str | None]] = {
            "Directory": lambda one: self._path(self._real.directories, one.inputs["path"], keep=True),
            "Group": lambda one: self._real.groups.get(str(one.inputs["displayName"])),
            "Job": lambda one: _text(self._real.jobs.get(one.name)),
            "Permissions": self._permissions,
            "Repo": lambda one: self._path(self._real.folders, one.inputs["path"]),
            "SecretAcl": lambda one: f"{self._names.secret_scope}|||{one.inputs['principal']}",
            "SecretScope": lambda one: str(one.inputs["name"]),
            "AccountRole": lambda one: quoted(one.inputs["name"]),
            "DatabaseRole": lambda one: qualified(one.inputs["database"], one.inputs["name"]),
            "GrantAccountRole": lambda _: f"{quoted(self._names.service_role)}|USER|{quoted(self._names.service_user)}",
            "GrantDatabaseRole": self._held,
            "GrantPrivilegesToAccountRole": self._on_warehouse,
            "GrantPrivilegesToDatabaseRole": self._on_schema,
            "NetworkPolicy": lambda one: quoted(one.inputs["name"]),
            "ResourceMonitor": lambda one: quoted(one.inputs["name"]),
            "Schema": lambda one: qualified(one.inputs["database"], one.inputs["name"]),
            "ServiceUser": lambda one: quoted(one.inputs["name"]),
            "Warehouse": lambda one: quoted(one.inputs["name"]),
        }
        if not one.type.startswith((_DATABRICKS, _SNOWFLAKE)) or one.kind not in known:
            return None
        return known[one.kind](one)

    @staticmethod
    def _path(known: Mapping[str, int], path: object, *, keep: bool = False) -> str | None:
        number = known.get(str(path).removeprefix("/Workspace"))
        return None if number is None else str(path) if keep else str(number)

    def _permissions(self, one: Declared) -> str | None:
        if one.name.startswith("job/"):
            return _prefixed("/jobs/", self._real.jobs.get(one.name.removeprefix("job/")))
        if one.name == "folder":
            return _prefixed("/repos/", self._real.folders.get(self._settings.folder))
        if one.name == "parent":
            return _prefixed("/directories/", self._real.directories.get(self._settings.folder.rsplit("/", 1)[0]))
        return None

    def _held(self, one: Declared) -> str:
        """The reader of a persona, or the writer of the service user."""
        if one.name == "role-writes":
            return f"{self._role('writer')}|ROLE|{quoted(self._names.service_role)}"
        persona = Persona(one.name.removesuffix("-reads"))
        return f"{self._role('reader')}|ROLE|{quoted(self._settings.names(persona).role.upper())}"

    def _on_warehouse(self, one: Declared) -> str:
        privileges = ",".join(sorted(one.inputs["privileges"]))
        warehouse = quoted(self._settings.warehouse.upper())
        return f"{quoted(self._names.service_role)}|false|false|{privileges}|OnAccountObject|WAREHOUSE|{warehouse}"

    def _on_schema(self, one: Declared) -> str:
        role, privileges = self._role(one.name.split("-")[0]), ",".join(sorted(one.inputs["privileges"]))
        start = f"{role}|false|false|{privileges}"
        schema = qualified(self._settings.database, self._names.schema)
        if "onSchema" in one.inputs:
            return f"{start}|OnSchema|OnSchema|{schema}"
        [(scope, on)] = [(key, value) for key, value in one.inputs["onSchemaObject"].items() if key in ("all", "future")]
        return f"{start}|OnSchemaObject|On{scope.capitalize()}|{on['objectTypePlural']}|InSchema|{schema}"

    def _role(self, which: str) -> str:
        return qualified(self._settings.database, self._names.writer if which == "writer" else self._names.reader)


def quoted(name: object) -> str:
    """One name, as the Snowflake provider keeps it."""
    return f'"{name}"'


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _prefixed(prefix: str, number: int | None) -> str | None:
    return None if number is None else f"{prefix}{number}"
