"""What was found of an environment that a team runs by hand: the content of look.json. Pure."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

Json = dict[str, Any]


class Part(BaseModel):
    """Frozen, and nothing else than what it names: a file of another version is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Entry(Part):
    """One level of somebody on a folder or a job; `kind` is user, group or servicePrincipal."""

    who: str
    kind: str
    level: str


class Job(Part):
    """A job as the workspace has it: its settings, who may do what, and its runs of the last weeks."""

    id: int
    settings: Json
    owner: str
    run_as: str
    acl: list[Entry]
    runs: list[int]
    active: list[int]

    @property
    def name(self) -> str:
        """What it is called in the workspace."""
        return str(self.settings.get("name") or self.id)


class Folder(Part):
    """The Git folder, the directory above it (0: the root), and what in it is not as its commit."""

    id: int
    path: str
    branch: str
    commit: str
    acl: list[Entry]
    parent: int
    parent_acl: list[Entry]
    edited: list[str]
    head: str
    code_differs: list[str]


class Scope(Part):
    """A secret scope: principal -> permission, and key -> when it was last written."""

    name: str
    acls: dict[str, str]
    secrets: dict[str, int]


class Schema(Part):
    """The Snowflake schema as SHOW SCHEMAS tells it."""

    name: str
    owner: str
    transient: bool
    managed: bool
    retention: int
    comment: str


class Table(Part):
    """A table or view of the schema; `rows` is None for a view."""

    kind: str
    name: str
    owner: str
    rows: int | None


class Granted(Part):
    """A privilege, or the use of a role, as SHOW GRANTS spells it."""

    privilege: str
    on: str
    name: str
    holder_kind: str
    holder: str
    future: bool


class User(Part):
    """The Snowflake user of the jobs."""

    name: str
    owner: str
    role: str
    roles: list[str]
    keys: list[str]


class Look(Part):
    """Everything that was found of one environment."""

    environment: str
    at: str
    deployer: str
    folder: Folder | None
    jobs: list[Job]
    scope: Scope | None
    schema_: Schema | None
    user: User | None
    role_owner: str
    tables: list[Table]
    grants: list[Granted]
    groups: dict[str, list[str]]
    roles: dict[str, list[str]]
    roles_there: list[str]
    database_roles: list[str]
    # What a stack may declare besides, where it is there already: name -> id, and names.
    managed_groups: dict[str, str] = {}
    warehouses: list[str] = []
    network_policies: list[str] = []
    resource_monitors: list[str] = []
    holds: list[str]
    locked: str

    @property
    def there(self) -> bool:
        """Whether the environment is anywhere yet."""
        return bool(self.folder or self.schema_ or self.jobs)
