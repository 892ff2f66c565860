"""What one environment's preview means to a reviewer: commits, workflows, access, schema, and the rest. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from infra.settings import Settings
from infra.vocabulary import Persona
from quantctl.preview import access
from quantctl.preview.access import AccessChange
from quantctl.preview.events import Events, Json, Step, Violation
from quantctl.preview.fields import Field, changed, text
from quantctl.text.links import resource_page

NOTHING: Mapping[str, str] = {}
_LOSES = {  # what goes when such a resource is deleted or replaced
    "databricks:Repo": "the Git folder: its jobs fail until it is back",
    "databricks:SecretScope": "the secret scope: jobs cannot log in until it is back",
    "snowflake:DatabaseRole": "the database role: who reads by it no longer can",
    "snowflake:Schema": "the schema: the tables and views in it are lost",
}


@dataclass(frozen=True)
class Commits:
    """From where to where the folder moves. `subjects` are (short id, subject), the newest first; `files` changed paths.

    `back`: they are taken away, not added. `diverged`: so many commits of the branch are not in what was asked about.
    """

    old: str | None
    new: str
    subjects: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    back: bool = False
    diverged: int = 0


@dataclass(frozen=True)
class Change:
    """One resource. `op` is added, changed, replaced or removed; `notes` are words for what has no old value."""

    op: str
    kind: str
    name: str
    fields: tuple[Field, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Story:
    """One environment. `error` is why there is no preview at all; `what_if` the ref that was asked about.

    `pages` are the workspace's own pages of the jobs that are named here, by workflow; `folder_page` is the Git folder's.
    """

    environment: str
    what_if: str | None = None
    first: bool = False
    commits: Commits | None = None
    workflows: tuple[Change, ...] = ()
    access: tuple[AccessChange, ...] = ()
    schema: tuple[Change, ...] = ()
    others: tuple[Change, ...] = ()
    losses: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    policies: int = 0
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    failed: bool = False
    raw: tuple[str, ...] = ()
    pages: Mapping[str, str] = field(default_factory=dict)
    folder_page: str = ""

    @property
    def changes(self) -> int:
        """How many resources change."""
        return sum(number for op, number in self.counts.items() if op != "unchanged")

    @property
    def refused(self) -> bool:
        """Whether a policy is the reason that it fails."""
        return any(violation.mandatory for violation in self.violations)


_DONE = {"create": "added", "update": "changed", "replace": "replaced", "delete": "removed", "import": "imported"}
_ORDER = {op: number for number, op in enumerate(_DONE)}


def tell(
    env: str, events: Events, settings: Settings | None, what_if: str | None = None, environ: Mapping[str, str] = NOTHING
) -> Story:
    """The story of one preview, without the commits' subjects, which Git has. `environ` has the workspace's address."""
    # The engine tells them as they come; a note that is written again has them in the same order.
    moving = sorted(
        (step for step in events.steps if step.op != "same"), key=lambda step: (_ORDER[step.op], step.type, step.name)
    )
    new_jobs = {step.name for step in moving if step.type == "databricks:Job" and step.op == "create"}
    gone_jobs = {step.name for step in moving if step.type == "databricks:Job" and step.op == "delete"}
    first = any(step.type == "pulumi:Stack" and step.op == "create" for step in moving)
    holders = {step.name: access.holders(step) for step in moving if step.type == "databricks:Permissions"}
    # Who may see a workflow that comes or goes is told with it.
    others = [step for step in moving if not _belongs(step, new_jobs | gone_jobs)]
    known = _known(settings) if settings else {}
    done = Counter(_DONE[step.op] for step in moving if not _is_component(step))
    same = sum(step.op == "same" and not _is_component(step) for step in events.steps)
    return Story(
        environment=env,
        what_if=what_if,
        first=first,
        commits=_commits(events),
        workflows=tuple(_workflow(step, holders) for step in moving if step.type == "databricks:Job"),
        access=() if first else access.changes(others, known),
        schema=tuple(_change(step) for step in moving if step.type == "snowflake:Schema"),
        others=tuple(_change(step) for step in others if _is_other(step) or (first and access.concerns(step))),
        losses=tuple(_losses(moving)),
        counts={**done, "unchanged": same},
        violations=events.violations,
        policies=events.policies,
        warnings=events.warnings,
        errors=events.errors,
        failed=events.failed,
        raw=tuple(line for step in moving if not _is_component(step) for line in _raw(step)),
        pages={name: page for step in moving if (name := _job_of(step)) and (page := _page(step, environ))},
        folder_page=next((_page(step, environ) for step in events.steps if _is_folder(step)), ""),
    )


def _job_of(step: Step) -> str:
    """The workflow whose job, or whose job's permissions, a resource is."""
    if step.type == "databricks:Job":
        return step.name
    return step.name.removeprefix("job/") if step.type == "databricks:Permissions" and step.name.startswith("job/") else ""


def _page(step: Step, environ: Mapping[str, str]) -> str:
    return resource_page(environ, step.type.rpartition(":")[2], step.id)


def _is_folder(step: Step) -> bool:
    return step.type == "databricks:Repo" and step.name == "folder"


def _known(settings: Settings) -> dict[str, str]:
    """Principal -> who that is, for names that do not say it themselves."""
    people = {settings.service_principal: "the service principal", settings.deployer: "the deployer"}
    for persona in Persona:
        names = settings.names(persona)
        people |= {names.group: persona.value, names.role.upper(): persona.value}
    return people


def _is_component(step: Step) -> bool:
    return step.type.startswith(("quant:", "pulumi:"))


def _belongs(step: Step, jobs: set[str]) -> bool:
    return step.type == "databricks:Permissions" and step.name.removeprefix("job/") in jobs


def _is_other(step: Step) -> bool:
    if _is_component(step) or access.concerns(step) or step.type in ("databricks:Job", "snowflake:Schema"):
        return False
    return step.type != "databricks:Repo" or step.op != "update" or not _only_commit(step)


def _only_commit(step: Step) -> bool:
    return all(found.name == "commit_hash" for found in changed(step))


def _commits(events: Events) -> Commits | None:
    for step in events.steps:
        if _is_folder(step) and step.new.get("commitHash"):
            old = step.real.get("commitHash") or step.old.get("commitHash")
            return Commits(str(old) if old else None, str(step.new["commitHash"]))
    return None


def _change(step: Step) -> Change:
    kind = step.type.rpartition(":")[2]
    fields = changed(step) if step.op in ("update", "replace") else ()
    if step.type == "databricks:Repo":
        fields = tuple(found for found in fields if found.name != "commit_hash")
    notes = ("the real thing is left alone",) if step.op == "delete" and step.retained else ()
    name = str(step.new.get("name") or step.old.get("name") or step.name)
    if re.fullmatch(rf"{re.escape(step.name)}-[0-9a-f]{{7,}}", name):
        name = step.name  # the engine makes such a name anew at every preview
    return Change(_DONE[step.op], kind, name, fields, notes)


def _workflow(step: Step, holders: Mapping[str, tuple[str, ...]]) -> Change:
    if step.op in ("update", "replace"):
        return Change(_DONE[step.op], "workflow", step.name, changed(step))
    if step.op == "delete":
        return Change("removed", "workflow", step.name, notes=("its runs are no longer listed",))
    return Change(
        _DONE[step.op], "workflow", step.name, notes=tuple(_new_workflow(step.new, holders.get(f"job/{step.name}")))
    )


def _new_workflow(job: Json, holders: tuple[str, ...] | None) -> Iterator[str]:
    yield f"tasks: {', '.join(str(task.get('taskKey')) for task in job.get('tasks') or [])}"
    for key, field_ in (("schedule", "quartzCronExpression"), ("trigger", "pauseStatus"), ("continuous", "pauseStatus")):
        if found := job.get(key):
            paused = ", paused" if found.get("pauseStatus") == "PAUSED" else ""
            yield f"{key}: {found.get(field_)} {found.get('timezoneId', '')}".strip() + (paused if key == "schedule" else "")
    if holders:
        yield f"access: {', '.join(holders)}"


def _losses(moving: list[Step]) -> Iterator[str]:
    for step in moving:
        if step.op in ("delete", "replace") and step.type in _LOSES and not step.retained and step.name != "parent":
            yield f"{_DONE[step.op]} is {_LOSES[step.type]}"


_SIGNS = {"create": "+", "update": "~", "replace": "+-", "delete": "-", "import": "="}


def _raw(step: Step) -> Iterator[str]:
    """The resource's diff as text, one line a field."""
    yield f"{_SIGNS[step.op]} {step.type} {step.name}"
    if step.op == "create":
        yield from (f"+   {key}: {text(value)}" for key, value in sorted(step.new.items()))
    elif step.op != "delete":
        for found in changed(step):
            yield from (f"{sign}   {found.name}: {value}" for sign, value in (("-", found.old), ("+", found.new)) if value)
