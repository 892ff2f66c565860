"""Is what an update would do only what was decided; and is afterwards everything there that was there? Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from quantctl.adopt.decisions import Decisions, Item
from quantctl.adopt.differences import JOB, Step
from quantctl.adopt.model import Look

_HARMLESS = ("same", "read", "create", "update", "refresh")
_PROPERTIES = ("widened", "narrowed", "schedules", "changes")


def before(found: Sequence[Step], items: Iterable[Item], decisions: Decisions) -> list[str]:
    """What an update would do that nobody decided: nothing is deleted or replaced, and no job is made a second time."""
    wrong = [f"{one.kind} {one.name} would be {_word(one.op)}" for one in found if one.custom and one.op not in _HARMLESS]
    wrong += [f"job {one.name} would be created" for one in found if one.op == "create" and one.kind == JOB]
    for item in items:
        known = next((one for one in decisions.items if one.id == item.id), None)
        change = f"{item.what}: {item.there} would become {item.declared}"
        if known is None:
            wrong.append(f"{change}, and that is in no decision")
        elif item.group in _PROPERTIES and (known.there, known.declared) != (item.there, item.declared):
            wrong.append(f"{change}, and decided was {known.there} to {known.declared}")
        elif item.group in _PROPERTIES and known.decision != "change":
            wrong.append(f"{change}, and decided was {known.decision or 'nothing'}")
    return wrong


def _word(op: str) -> str:
    return {"delete": "deleted", "discard": "taken out of the state"}.get(op, "replaced" if "replace" in op else op)


def after(was: Look, now: Look, decisions: Decisions, state_jobs: Iterable[int]) -> list[str]:
    """What the first update lost, measured at what was found before."""
    lost = []
    if was.folder and (now.folder is None or now.folder.id != was.folder.id):
        lost.append(f"the Git folder {was.folder.path} is not the one that it was (id {was.folder.id})")
    jobs, managed = {job.id: job for job in now.jobs}, set(state_jobs)
    for job in was.jobs:
        if job.id not in jobs:
            lost.append(f"job {job.id} ({job.name}) is gone")
        elif missing := set(job.runs) - set(jobs[job.id].runs):
            lost.append(f"job {job.id} ({job.name}) has lost {len(missing)} runs")
        elif job.id not in managed and job.id not in decisions.jobs_left:
            lost.append(f"job {job.id} ({job.name}) is in no state")
    rows = {table.name: table.rows for table in now.tables}
    for table in was.tables:
        if table.name not in rows:
            lost.append(f"{table.kind.lower()} {table.name} is gone, or hidden from this role")
        elif (table.rows or 0) > (rows[table.name] or 0):
            lost.append(f"table {table.name} has {rows[table.name]} rows, it had {table.rows}")
    if was.scope:
        there = now.scope.secrets if now.scope else {}
        lost += [f"secret {was.scope.name}/{key} is gone" for key in sorted(set(was.scope.secrets) - set(there))]
    held = {(one.privilege, one.on, one.name, one.holder, one.future) for one in now.grants}
    for grant in was.grants:
        key = (grant.privilege, grant.on, grant.name, grant.holder, grant.future)
        if key not in held and grant.privilege not in ("OWNERSHIP", "MANAGE GRANTS"):
            future = "future " if grant.future else ""
            lost.append(f"{grant.privilege} on {future}{grant.on.lower()} {grant.name} is gone from {grant.holder}")
    return lost
