"""What a trial import shows: every difference between what is there and what would be declared. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from infra.naming import Names
from infra.service_keys import is_ours, written
from infra.settings import Settings
from quantctl.adopt.decisions import CHANGE, LEAVE, Item
from quantctl.adopt.literals import resolved
from quantctl.adopt.model import Entry, Granted, Look
from quantctl.adopt.people import Target, access_items
from quantctl.adopt.prepare import ADMINISTRATORS

Json = dict[str, Any]
JOB, PERMISSIONS = "Job", "Permissions"
# What a first update may make beside what is there: it takes nothing away and replaces nothing.
CREATED = frozenset(
    {
        "AccountRole", "DatabaseRole", "Directory", "GrantAccountRole", "GrantDatabaseRole",
        "GrantPrivilegesToAccountRole", "GrantPrivilegesToDatabaseRole", "Group", "NetworkPolicy", "Permissions",
        "ResourceMonitor", "SecretAcl", "SecretScope", "ServiceUser", "Warehouse",
    }
)  # fmt: skip
_KINDS = {"userName": "user", "groupName": "group", "servicePrincipalName": "servicePrincipal"}
_WHEN = ("schedule", "trigger", "continuous")
_FILLED_IN = (("runIf", "ALL_SUCCESS"), ("source", "WORKSPACE"))


@dataclass(frozen=True)
class Step:
    """One step of a preview: what the state holds of a resource, and what is declared."""

    op: str
    urn: str
    kind: str
    custom: bool
    old: Json
    new: Json
    names: frozenset[str]  # the properties that differ

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rsplit("::", 1)[-1]


def steps(preview: Json) -> list[Step]:
    """The steps of `pulumi preview --json`."""
    found = []
    for one in preview.get("steps") or []:
        old, new = one.get("oldState") or {}, one.get("newState") or {}
        state = new or old
        kind = str(state.get("type"))
        if kind.startswith(("pulumi:providers:", "pulumi:pulumi:")):
            continue
        paths = [*(one.get("detailedDiff") or {}), *(one.get("diffReasons") or [])]
        found.append(
            Step(
                op=str(one["op"]),
                urn=str(one["urn"]),
                kind=kind.rsplit(":", 1)[-1],
                custom=bool(state.get("custom")),
                old={**(old.get("inputs") or {}), **(old.get("outputs") or {})},
                new=new.get("inputs") or {},
                names=frozenset(path.replace("[", ".").split(".")[0] for path in paths),
            )
        )
    return found


def items(found: Sequence[Step], look: Look, settings: Settings, names: Names) -> list[Item]:
    """Every difference, one item for those that are alike."""
    made: list[Item] = []
    workflows = {int(one.old["id"]): one for one in found if one.kind == JOB and one.old.get("id")}
    made += _jobs(look, workflows)
    made += access_items(_targets(found, look), look, settings)
    made += _owners(look, settings, set(workflows))
    for one in found:
        if one.op == "update" and one.kind == JOB:
            made += _job(one)
        elif one.op in ("update", "replace") and one.kind not in (PERMISSIONS, JOB):
            made += _other(one)
        elif one.op == "create" and one.custom and one.kind not in CREATED:
            made.append(_change(f"{one.kind} {one.name}", "", "nothing", "created"))
    return [*_alike(made), *_leftovers(look, settings, names)]


def _jobs(look: Look, workflows: Mapping[int, Step]) -> list[Item]:
    return [
        Item(
            group="jobs",
            id=f"job/{job.id}",
            what=f"job {job.id}",
            there=job.name,
            declared=str(workflows[job.id].new.get("name")),
            may=(CHANGE, LEAVE),
        )
        for job in look.jobs
        if job.id in workflows
    ]


def _targets(found: Sequence[Step], look: Look) -> list[Target]:
    """What is declared of folder, directory and jobs, beside what they have."""
    declared = {one.name: _entries(one.new) for one in found if one.kind == PERMISSIONS}
    targets = []
    if look.folder and "folder" in declared:
        targets.append(Target("folder", "folder", [look.folder.acl], declared["folder"]))
    if look.folder and "parent" in declared:
        targets.append(Target("folder", "directory", [look.folder.parent_acl], declared["parent"]))
    jobs = {one.name: int(one.old["id"]) for one in found if one.kind == JOB and one.old.get("id")}
    known = {job.id: job.acl for job in look.jobs}
    before = [known[number] for name, number in jobs.items() if f"job/{name}" in declared and number in known]
    if before:
        targets.append(Target("job", "jobs", before, declared[f"job/{next(iter(jobs))}"]))
    return targets


def _entries(inputs: Json) -> list[Entry]:
    return [
        Entry(who=str(one[key]), kind=kind, level=str(one["permissionLevel"]))
        for one in inputs.get("accessControls") or []
        for key, kind in _KINDS.items()
        if one.get(key)
    ]


def _owners(look: Look, settings: Settings, adopted: set[int]) -> list[Item]:
    made = []
    for job in look.jobs:
        if job.id in adopted:
            for what, there, declared in (
                ("owner", job.owner, settings.deployer),
                ("run_as", job.run_as, settings.service_principal),
            ):
                if there.lower() != declared.lower():
                    made.append(Item("owners", f"owners/{what}/{there}", what, there, declared, (CHANGE,), (job.name,)))
    if _given_already(look):
        return made
    for what, owner in (
        (f"schema {look.schema_.name}" if look.schema_ else "", look.schema_.owner if look.schema_ else ""),
        (f"user {look.user.name}" if look.user else "", look.user.owner if look.user else ""),
        (f"role {look.user.role}" if look.user else "", look.role_owner),
    ):
        if what:
            made.append(Item("owners", f"owners/{what}", f"owner of {what}", owner, "the deployer's role", (CHANGE,)))
    return made


def _given_already(look: Look) -> bool:
    """Whether schema, user and role are of one role that is no administrator's: the SQL was run before."""
    if look.schema_ is None or look.user is None or look.schema_.owner in ADMINISTRATORS:
        return False
    return {look.user.owner, look.role_owner} == {look.schema_.owner} and look.schema_.managed


def _job(one: Step) -> list[Item]:
    """A job's settings. References to the environment's parameters are the values that they stand for."""
    given = {str(p.get("name")): str(p.get("default") or "") for p in one.new.get("parameters") or []}
    before = {str(p.get("name")): str(p.get("default") or "") for p in one.old.get("parameters") or []}
    of_the_environment = {name: value for name, value in given.items() if name not in before}
    made = []
    for name in sorted(one.names - {"name", "runAs", "parameters"}):
        there, declared = one.old.get(name), resolved(one.new.get(name), of_the_environment)
        if name == "tasks":
            made += _tasks(one, there or [], declared or [])
        elif pruned(there) != pruned(declared):
            group = "schedules" if name in _WHEN else "changes"
            made.append(_difference(group, JOB, name, there, declared, one.name))
    for name, value in before.items():
        if given.get(name) != value:
            made.append(_difference("changes", JOB, f"parameter {name}", value, given.get(name), one.name))
    return made


def _tasks(one: Step, there: list[Json], declared: list[Json]) -> list[Item]:
    before = {str(task.get("taskKey")): task for task in there}
    after = {str(task.get("taskKey")): task for task in declared}
    made = []
    for key in sorted({*before, *after}):
        old, new = before.get(key) or {}, after.get(key) or {}
        for name in sorted({*old, *new}):
            if not name.startswith("__") and pruned({name: old.get(name)}) != pruned({name: new.get(name)}):
                made.append(_difference("changes", JOB, f"task {key} {name}", old.get(name), new.get(name), one.name))
    return made


def _other(one: Step) -> list[Item]:
    kind = f"{one.kind} {one.name}"
    found = []
    for name in sorted(one.names):
        there, declared = one.old.get(name), one.new.get(name)
        if one.kind == "Repo" and name == "commitHash":
            declared = "the branch's head, which has the workflow files"
        if pruned(there) != pruned(declared) and name not in ("showOutputs", "describeOutputs", "parameters"):
            found.append(_difference("changes", kind, name, there, declared, ""))
    return found


def _difference(group: str, kind: str, name: str, there: Any, declared: Any, of: str) -> Item:
    before, after = _said(pruned(there)), _said(pruned(declared))
    return Item(group, f"{group}/{kind}/{name}", f"{kind} {name}", before, after, (CHANGE,), (of,) if of else ())


def pruned(value: Any, key: str = "") -> Any:
    """A value without what says nothing: what is empty, zero or false, and what the Jobs API fills in."""
    if isinstance(value, Mapping):
        inner = {name: pruned(item, name) for name, item in value.items() if not str(name).startswith("__")}
        return {name: item for name, item in inner.items() if item is not None} or None
    if isinstance(value, list):
        return [pruned(item) if isinstance(item, (Mapping, list)) else item for item in value] or None
    if value in (None, "", False, 0) or (key, value) in _FILLED_IN:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _change(what: str, name: str, there: str, declared: str) -> Item:
    return Item("changes", f"changes/{what}/{name}", f"{what} {name}".strip(), there, declared, (CHANGE,))


def _said(value: Any) -> str:
    if value is None or value == "" or value == [] or value == {}:
        return "nothing"
    if isinstance(value, Mapping):
        return (
            "{" + ", ".join(f"{k}: {_said(v)}" for k, v in value.items() if not k.startswith("__") and v is not None) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_said, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _alike(made: Iterable[Item]) -> list[Item]:
    """Items that say the same of several resources are one."""
    found: dict[tuple[str, str, str, str], Item] = {}
    for one in made:
        key = (one.group, one.id, one.there, one.declared)
        if key in found:
            one = replace(one, of=tuple(sorted({*found[key].of, *one.of})))
        found[key] = one
    made, counted = [], dict[str, int]()
    for one in sorted(found.values(), key=lambda one: (one.id, one.there, one.declared)):
        counted[one.id] = counted.get(one.id, 0) + 1
        made.append(replace(one, id=f"{one.id}/{counted[one.id]}") if counted[one.id] > 1 else one)
    return made


def _leftovers(look: Look, settings: Settings, names: Names) -> list[Item]:
    """Grants, ACLs, secrets and tables' owners that nobody declares."""
    made = []
    for holder in sorted(
        {(one.holder_kind, one.holder) for one in look.grants if _by_hand(one.privilege, one.holder, look)}
    ):
        of_holder = [one for one in look.grants if (one.holder_kind, one.holder) == holder]
        held = [one for one in of_holder if one.privilege != "OWNERSHIP" and not _declared(one, settings, names)]
        if told := sorted(
            {f"{one.privilege} on {'future ' if one.future else ''}{one.on.lower()} {one.name}" for one in held}
        ):
            what = f"grants of {holder[0].lower()} {holder[1]}"
            made.append(
                Item("leftovers", f"leftovers/{what}", what, f"{len(told)} grants", "none", (LEAVE, CHANGE), tuple(told))
            )
    if look.scope:
        known = {settings.service_principal.lower(), settings.deployer.lower()}
        for who, level in sorted(look.scope.acls.items()):
            if who.lower() not in known:
                what = f"ACL of {who} on secret scope {look.scope.name}"
                made.append(Item("leftovers", f"leftovers/{what}", what, level, "none", (LEAVE, CHANGE), people=(who,)))
        rotated = written(look.scope.secrets, names.secret_key)
        if rotated.key_at is not None and rotated.slot(settings.public_keys) is None:
            what = f"key in secret scope {look.scope.name}"
            by_rotation = "written by quantctl keys rotate"
            made.append(
                Item("leftovers", f"leftovers/{what}", what, "written by hand", by_rotation, (LEAVE,), (names.secret_key,))
            )
        undeclared = look.scope.secrets.keys() - set(settings.other_secrets)
        others = tuple(sorted(name for name in undeclared if not is_ours(name, names.secret_key)))
        if others:
            what = f"other secrets of scope {look.scope.name}"
            made.append(Item("leftovers", f"leftovers/{what}", what, f"{len(others)}", "none", (LEAVE,), others))
    owners = {table.owner for table in look.tables} - {names.service_role}
    for owner in sorted(owners):
        tables = tuple(table.name for table in look.tables if table.owner == owner)
        what = f"tables and views of {owner}"
        to = f"owned by {names.service_role}"
        made.append(Item("leftovers", f"leftovers/{what}", what, f"owned by {owner}", to, (LEAVE, CHANGE), tables))
    return made


def _declared(one: Granted, settings: Settings, names: Names) -> bool:
    """The service user's role and its warehouse."""
    if one.on == "ROLE":
        return (one.name, one.holder) == (names.service_role, names.service_user)
    return (one.on, one.name, one.holder) == ("WAREHOUSE", settings.warehouse.upper(), names.service_role)


def _by_hand(privilege: str, holder: str, look: Look) -> bool:
    owner = look.schema_.owner if look.schema_ else ""
    return privilege not in ("OWNERSHIP", "MANAGE GRANTS") and holder != owner
