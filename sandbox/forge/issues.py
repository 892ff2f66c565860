"""Issues of the project: https://docs.gitlab.com/api/issues/"""

from __future__ import annotations

from sandbox.forge import labels, users
from sandbox.forge.call import PROJECT_ID, PROJECT_PATH, Call, now
from sandbox.forge.errors import ApiError, bad, forbidden, missing
from sandbox.forge.store import Json
from sandbox.forge.users import GUEST, REPORTER


def listed(call: Call) -> list[Json]:
    """GET /projects/:id/issues?state=&labels=&search=&iids[]=&order_by=&sort="""
    query, wanted = call.query, set(call.words("labels"))
    iids, order = query.get("iids[]"), query.get("order_by", "created_at")
    if order not in ("created_at", "updated_at", "title"):
        raise bad("order_by does not have a valid value")
    found = [
        issue for issue in call.store.all("issue")
        if query.get("state", "all") in ("all", issue["state"])
        and wanted <= set(issue["labels"])
        and query.get("search", "").lower() in f"{issue['title']} {issue['description']}".lower()
        and (iids is None or str(issue["iid"]) in iids.split(","))
    ]  # fmt: skip
    found.sort(key=lambda issue: (issue[order], issue["iid"]), reverse=query.get("sort", "desc") == "desc")
    return [_shown(call, issue) for issue in found]


def get(call: Call) -> Json:
    """GET /projects/:id/issues/:iid"""
    return _shown(call, load(call))


def create(call: Call) -> Json:
    """POST /projects/:id/issues"""
    title = call.text("title")
    call.require(GUEST)
    if not title.strip():
        raise ApiError(400, {"title": ["can't be blank"]})
    with call.store.together():
        iid, at = call.store.next("issue"), now()
        named = labels.known(call, call.words("labels")) if call.who.level >= REPORTER else []
        issue = {
            "iid": iid, "title": title, "description": call.text("description", ""), "state": "opened", "labels": named,
            "author": call.who.id, "created_at": at, "updated_at": at, "closed_at": None, "closed_by": None,
        }  # fmt: skip
        call.store.put("issue", iid, issue)
    return _shown(call, issue)


def update(call: Call) -> Json:
    """PUT /projects/:id/issues/:iid: the author's and reporters'; labels are for reporters"""
    event = call.text("state_event", "none")
    if event not in ("none", "close", "reopen"):
        raise bad("state_event does not have a valid value")
    with call.store.together():
        issue = load(call)
        if call.who.level < REPORTER and call.who.id != issue["author"]:
            raise forbidden()
        issue |= {name: call.text(name) for name in ("title", "description") if call.given(name) is not None}
        if call.who.level >= REPORTER:
            issue["labels"] = labels.changed(call, issue["labels"])
        if event == "close" and issue["state"] == "opened":
            issue |= {"state": "closed", "closed_at": now(), "closed_by": call.who.id}
        if event == "reopen" and issue["state"] == "closed":
            issue |= {"state": "opened", "closed_at": None, "closed_by": None}
        issue["updated_at"] = now()
        call.store.put("issue", issue["iid"], issue)
    return _shown(call, issue)


def load(call: Call) -> Json:
    """The issue of the path."""
    found = call.store.get("issue", call.path_number("iid"))
    if found is None:
        raise missing()
    return found


def _shown(call: Call, issue: Json) -> Json:
    iid = issue["iid"]
    by = {name: users.told(users.by_id(call.store, issue[name]), call.url) if issue[name] else None
          for name in ("author", "closed_by")}  # fmt: skip
    notes = call.store.rows("select 1 from fg_object where kind = 'note' and owner = ?", f"issue {iid}")
    return {
        **issue, **by, "id": 2000 + iid, "project_id": PROJECT_ID, "type": "ISSUE", "issue_type": "issue",
        "assignees": [], "assignee": None, "milestone": None, "confidential": False, "user_notes_count": len(notes),
        "references": {"short": f"#{iid}", "relative": f"#{iid}", "full": f"{PROJECT_PATH}#{iid}"},
        "web_url": f"{call.web}/-/issues/{iid}",
    }  # fmt: skip
