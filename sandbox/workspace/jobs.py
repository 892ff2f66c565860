"""Job definitions: settings are kept as they were sent. https://docs.databricks.com/api/workspace/jobs"""

from __future__ import annotations

import json
import sqlite3

from sandbox import clock
from sandbox.workspace import levels, paging, permissions
from sandbox.workspace.auth import identity
from sandbox.workspace.call import Call, Json
from sandbox.workspace.errors import invalid
from sandbox.workspace.job_settings import MERGED, answered, check, with_defaults

_PAGE, _MAXIMUM = 20, 100  # jobs in a list
_ELEMENTS = 100  # of each array of one job, in one answer of API 2.2
_OFFSET = 1000  # the highest that is taken; a page token has no such limit
PAGED = ("tasks", "job_clusters", "parameters", "environments")


def create(call: Call) -> Json:
    """POST /api/2.2/jobs/create"""
    settings = {key: value for key, value in call.body.items() if key != "access_control_list"}
    check(call, settings)
    given = call.mappings("access_control_list")
    job_id = call.store.new_id()
    with call.store.together():
        call.store.write(
            "insert into ws_job values (?, ?, ?, ?)",
            job_id, call.who.name, int(clock.now() * 1000), json.dumps(with_defaults(settings)),
        )  # fmt: skip
        levels.grant(call.store, "jobs", job_id, call.who, "IS_OWNER")
        if given:
            permissions.write(
                call, "jobs", str(job_id), given, keep=not any(e.get("permission_level") == "IS_OWNER" for e in given)
            )
    return {"job_id": job_id}


def get(call: Call) -> Json:
    """GET /api/2.2/jobs/get?job_id=&page_token=: more than a hundred tasks come in pages"""
    row = job_row(call, call.number("job_id"), "CAN_VIEW")
    job = _answer(call, row)
    arrays, token = page_of_arrays(job["settings"], call.query.get("page_token"))
    if call.path["version"] != "2.2":
        return _without_too_many(job)
    job["settings"] |= arrays
    return {**job, "has_more": token is not None, **({"next_page_token": token} if token else {})}


def list_(call: Call) -> Json:
    """GET /api/2.2/jobs/list?limit=&name=&expand_tasks=&page_token=: what the caller may view, the newest first"""
    rows = [
        row
        for row in call.store.rows("select * from ws_job order by id desc")
        if levels.has(call.store, call.who, "jobs", row["id"], "CAN_VIEW")
    ]
    if name := call.text("name", ""):
        rows = [row for row in rows if json.loads(row["settings"])["name"].lower() == name.lower()]
    size, offset = call.number("limit", _PAGE), call.number("offset", 0)
    if not 1 <= size <= _MAXIMUM:
        raise invalid(f"Invalid limit {size} - it has to be between 1 and {_MAXIMUM}.")
    need_offset(offset, _OFFSET)
    rows = rows[offset:]
    page, token = paging.cut(rows, [row["id"] for row in rows], call.query.get("page_token"), size, newest_first=True)
    expand = call.flag("expand_tasks")
    shown = [_listed(call, row, expand=expand) for row in page]
    return {
        **({"jobs": shown} if shown else {}),
        "has_more": token is not None,
        **({"next_page_token": token} if token else {}),
    }


def reset(call: Call) -> Json:
    """POST /api/2.2/jobs/reset: these settings and no others"""
    row = job_row(call, call.number("job_id"), "CAN_MANAGE")
    settings = dict(call.mapping("new_settings"))
    if call.given("new_settings") is None:
        raise invalid("Missing required field: new_settings")
    before = json.loads(row["settings"]).get("run_as")
    # run_as that is left out stays as it was (databricks/cli #4873).
    if before and "run_as" not in settings:
        settings["run_as"] = before
    check(call, settings, before)
    _save(call, row["id"], settings)
    return {}


def update(call: Call) -> Json:
    """POST /api/2.2/jobs/update: top-level fields are replaced; tasks and clusters are merged by their keys"""
    row = job_row(call, call.number("job_id"), "CAN_MANAGE")
    before: Json = json.loads(row["settings"])
    new, settings = call.mapping("new_settings"), {**before}
    check(call, {**new, "name": new.get("name", "")}, before.get("run_as"), whole=False)
    for field, value in new.items():
        if key := MERGED.get(field):
            there = {item[key]: item for item in [*before.get(field, []), *(value or [])]}
            settings[field] = list(there.values())
        else:
            settings[field] = value
    removed = call.given("fields_to_remove") or []
    for field in removed if isinstance(removed, list) else [removed]:
        name, _, inner = str(field).partition("/")
        if inner and name in MERGED:
            settings[name] = [item for item in settings.get(name, []) if item[MERGED[name]] != inner]
        else:
            settings.pop(name, None)
    check(call, settings, before.get("run_as"))
    _save(call, row["id"], settings)
    return {}


def delete(call: Call) -> Json:
    """POST /api/2.2/jobs/delete"""
    row = job_row(call, call.number("job_id"), "CAN_MANAGE")
    with call.store.together():
        call.store.write("delete from ws_job where id = ?", row["id"])
        levels.forget(call.store, "jobs", row["id"])
    return {}


def job_row(call: Call, job_id: int, level: str) -> sqlite3.Row:
    """The job, when the caller has at least `level` on it."""
    row = call.store.row("select * from ws_job where id = ?", job_id)
    if row is None:
        # The product answers this code for a job, and not RESOURCE_DOES_NOT_EXIST.
        raise invalid(f"Job {job_id} does not exist.")
    permissions.require(call, "jobs", job_id, level, f"job {job_id}")
    return row


def run_as(row: sqlite3.Row) -> str:
    """Whose rights the job's runs have: the service principal or user of run_as, else the creator."""
    said = json.loads(row["settings"]).get("run_as") or {}
    return str(said.get("service_principal_name") or said.get("user_name") or row["creator"])


def page_of_arrays(holder: Json, token: str | None) -> tuple[Json, str | None]:
    """A hundred elements of each array, and the token of the next hundred."""
    start = paging.position(token) or 0
    if start < 0:
        raise invalid(f"Invalid page token: {token}")
    arrays = {name: holder[name][start : start + _ELEMENTS] for name in PAGED if isinstance(holder.get(name), list)}
    more = any(len(holder[name]) > start + _ELEMENTS for name in arrays)
    return arrays, paging.token(start + _ELEMENTS) if more else None


def need_offset(offset: int, highest: int) -> None:
    """Refuse what the product refuses of the parameter that page tokens have replaced."""
    if not 0 <= offset <= highest:
        raise invalid(
            f"The supplied offset {offset} has exceeded the value of {highest} allowed for this parameter."
            " Please use the page_token parameter to paginate."
        )


def _save(call: Call, job_id: int, settings: Json) -> None:
    call.store.write("update ws_job set settings = ? where id = ?", json.dumps(with_defaults(settings)), job_id)


def _answer(call: Call, row: sqlite3.Row) -> Json:
    who = identity(call.store, run_as(row))
    return {
        "job_id": row["id"],
        "creator_user_name": row["creator"],
        "run_as_user_name": who.name if who else run_as(row),
        "created_time": row["created"],
        "settings": answered(json.loads(row["settings"])),
    }


def _listed(call: Call, row: sqlite3.Row, *, expand: bool) -> Json:
    job = _answer(call, row)
    if not expand:
        job["settings"] = {key: value for key, value in job["settings"].items() if key not in ("tasks", "job_clusters")}
        return job
    if call.path["version"] != "2.2":
        return _without_too_many(job)
    arrays, token = page_of_arrays(job["settings"], None)
    job["settings"] |= arrays
    return {**job, **({"has_more": True} if token else {})}


def _without_too_many(job: Json) -> Json:
    """API 2.1 and older cannot show a job with more than a hundred tasks: it has none there."""
    if len(job["settings"].get("tasks", [])) > _ELEMENTS:
        del job["settings"]["tasks"]
    return job
