"""Which of the declared resources are there already, so that they are imported and not created. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from infra.naming import Names
from infra.settings import Settings
from infra.vocabulary import Persona
from quantctl.adopt.identity import Declared, Identities, Real
from quantctl.adopt.model import Entry, Look
from quantctl.adopt.pairing import Workflow


def real(look: Look, workflows: Sequence[Workflow]) -> Real:
    """The ids of what was found; jobs by the workflow that they are."""
    jobs = {one.name: one.jobs[look.environment].id for one in workflows if look.environment in one.jobs}
    if look.folder is None:
        return Real(jobs=jobs, groups=look.managed_groups)
    above = look.folder.path.rsplit("/", 1)[0]
    directories = {above: look.folder.parent} if above and look.folder.parent else {}
    folders = {look.folder.path: look.folder.id}
    return Real(jobs=jobs, folders=folders, directories=directories, groups=look.managed_groups)


class Present:
    """Judges resource by resource; `me` is whoever imports, whose own entries the provider does not read."""

    def __init__(self, look: Look, settings: Settings, names: Names, found: Real, me: str) -> None:
        self._look, self._settings, self._names, self._real, self._me = look, settings, names, found, me
        self._identities = Identities(settings, names, found)

    def identity(self, one: Declared) -> str | None:
        """The id to import a resource under; None where it is to be created."""
        there = self._there(one)
        return self._identities.of(one) if there else None

    def _there(self, one: Declared) -> bool:
        look, names = self._look, self._names
        match one.kind:
            case "Schema":
                return look.schema_ is not None
            case "ServiceUser":
                return look.user is not None
            case "AccountRole":
                return str(one.inputs.get("name")) in look.roles_there
            case "Group":
                return str(one.inputs.get("displayName")) in look.managed_groups
            case "Warehouse":
                return str(one.inputs.get("name")) in look.warehouses
            case "NetworkPolicy":
                return str(one.inputs.get("name")) in look.network_policies
            case "ResourceMonitor":
                return str(one.inputs.get("name")) in look.resource_monitors
            case "DatabaseRole":
                return str(one.inputs.get("name")) in look.database_roles
            case "GrantAccountRole":
                return look.user is not None and names.service_role in look.user.roles
            case "GrantDatabaseRole":
                return self._held(one)
            case "GrantPrivilegesToAccountRole":
                warehouse = self._settings.warehouse.upper()
                return self._has(names.service_role, one.inputs.get("privileges") or [], "WAREHOUSE", warehouse)
            case "GrantPrivilegesToDatabaseRole":
                return self._granted(one)
            case "SecretScope":
                return look.scope is not None
            case "SecretAcl":
                return look.scope is not None and str(one.inputs.get("principal")) in look.scope.acls
            case "Permissions":
                return any(entry.who.lower() != self._me.lower() for entry in self._entries(one))
            case "Repo" | "Directory" | "Job":
                return True  # their ids say it
        return False

    def _entries(self, one: Declared) -> list[Entry]:
        folder = self._look.folder
        if one.name == "folder":
            return folder.acl if folder else []
        if one.name == "parent":
            return folder.parent_acl if folder else []
        number = self._real.jobs.get(one.name.removeprefix("job/"))
        return next((job.acl for job in self._look.jobs if job.id == number), [])

    def _held(self, one: Declared) -> bool:
        if one.name == "role-writes":
            role, holder = self._names.writer, self._names.service_role
        else:
            role = self._names.reader
            holder = self._settings.names(Persona(one.name.removesuffix("-reads"))).role.upper()
        return self._has(holder, ["USAGE"], "DATABASE_ROLE", f"{self._settings.database.upper()}.{role}")

    def _granted(self, one: Declared) -> bool:
        role = self._names.writer if one.name.startswith("writer") else self._names.reader
        schema = f"{self._settings.database.upper()}.{self._names.schema}"
        if "onSchema" in one.inputs:
            return self._has(role, one.inputs.get("privileges") or [], "SCHEMA", schema)
        future = (one.inputs.get("onSchemaObject") or {}).get("future")
        if not future:
            return False  # on all that is there: granted again, which changes nothing
        kind = str(future["objectTypePlural"]).removesuffix("S")
        return self._has(role, one.inputs.get("privileges") or [], kind, schema, future=True)

    def _has(self, holder: str, privileges: Sequence[str], on: str, name: str, *, future: bool = False) -> bool:
        held = {
            grant.privilege
            for grant in self._look.grants
            if (grant.holder, grant.on, grant.name, grant.future) == (holder, on, name, future)
        }
        return bool(privileges) and set(privileges) <= held
