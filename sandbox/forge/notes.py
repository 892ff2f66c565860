"""Notes on merge requests, issues and commits: https://docs.gitlab.com/api/notes/"""

from __future__ import annotations

from sandbox.forge import issues, merge_requests, users
from sandbox.forge.call import PROJECT_ID, Call, now
from sandbox.forge.errors import bad, forbidden, missing
from sandbox.forge.store import Json
from sandbox.forge.users import GUEST, MAINTAINER, REPORTER

_KINDS = {"merge_requests": ("merge_request", "MergeRequest"), "issues": ("issue", "Issue")}


def listed(call: Call) -> list[Json]:
    """GET .../notes?sort=&order_by=: newest first"""
    order = call.query.get("order_by", "created_at")
    if order not in ("created_at", "updated_at"):
        raise bad("order_by does not have a valid value")
    found = sorted(call.store.all("note", _owner(call)), key=lambda note: (note[order], note["id"]))
    if call.query.get("sort", "desc") == "desc":
        found.reverse()
    return [_shown(call, note) for note in found]


def get(call: Call) -> Json:
    """GET .../notes/:note"""
    return _shown(call, _load(call))


def create(call: Call) -> Json:
    """POST .../notes"""
    call.require(GUEST)
    return _shown(call, _made(call, _owner(call)))


def discussions(call: Call) -> list[Json]:
    """GET /projects/:id/repository/commits/:sha/discussions: https://docs.gitlab.com/api/discussions/#commits"""
    call.require(REPORTER)
    return [_thread(call, note) for note in call.store.all("note", _commit(call))]


def discuss(call: Call) -> Json:
    """POST /projects/:id/repository/commits/:sha/discussions: whoever may read the code may comment on it"""
    call.require(REPORTER)
    return _thread(call, _made(call, _commit(call)))


def edit_comment(call: Call) -> Json:
    """PUT /projects/:id/repository/commits/:sha/discussions/:discussion/notes/:note"""
    with call.store.together():
        owner = _commit(call)
        note = next((one for one in call.store.all("note", owner) if one["id"] == call.path_number("note")), None)
        if note is None:
            raise missing()
        _require_own(call, note)
        note |= {"body": call.text("body"), "updated_at": now()}
        call.store.put("note", note["id"], note, owner)
    return _comment(call, note)


def _made(call: Call, owner: str) -> Json:
    if not (body := call.text("body")).strip():
        raise bad("body is empty")
    with call.store.together():
        number, at = call.store.next("note"), now()
        note: Json = {"id": number, "body": body, "author": call.who.id, "created_at": at, "updated_at": at}
        call.store.put("note", number, note, owner)
    return note


def _commit(call: Call) -> str:
    sha = call.repository.resolve(call.path["sha"])
    if sha is None:
        raise missing("Commit")
    return f"commit {sha}"


def _thread(call: Call, note: Json) -> Json:
    return {"id": f"{note['id']:040x}", "individual_note": False, "notes": [_comment(call, note)]}


def _comment(call: Call, note: Json) -> Json:
    author = users.told(users.by_id(call.store, note["author"]), call.url)
    return {**note, "author": author, "type": "DiscussionNote", "attachment": None, "system": False,
            "noteable_type": "Commit", "noteable_id": None, "noteable_iid": None, "resolvable": False}  # fmt: skip


def update(call: Call) -> Json:
    """PUT .../notes/:note"""
    with call.store.together():
        note = _load(call)
        _require_own(call, note)
        note |= {"body": call.text("body"), "updated_at": now()}
        call.store.put("note", note["id"], note, _owner(call))
    return _shown(call, note)


def delete(call: Call) -> None:
    """DELETE .../notes/:note"""
    with call.store.together():
        note = _load(call)
        _require_own(call, note)
        call.store.drop("note", note["id"])


def _require_own(call: Call, note: Json) -> None:
    if note.get("system") or (note["author"] != call.who.id and call.who.level < MAINTAINER):
        raise forbidden()


def _owner(call: Call) -> str:
    """What the notes belong to; 404 when it is not there."""
    found = merge_requests.load(call) if call.path["kind"] == "merge_requests" else issues.load(call)
    return f"{_KINDS[call.path['kind']][0]} {found['iid']}"


def _load(call: Call) -> Json:
    number = call.path_number("note")
    for note in call.store.all("note", _owner(call)):
        if note["id"] == number:
            return note
    raise missing()


def _shown(call: Call, note: Json) -> Json:
    author = users.told(users.by_id(call.store, note["author"]), call.url)
    iid, kind = call.path_number("iid"), _KINDS[call.path["kind"]][1]
    return {
        "system": False, **note, "author": author, "type": None, "attachment": None, "noteable_type": kind,
        "noteable_iid": iid, "noteable_id": iid, "project_id": PROJECT_ID, "resolvable": False, "internal": False,
        "confidential": False,
    }  # fmt: skip
