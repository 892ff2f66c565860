"""What GitLab itself writes down of a merge request: system notes and state events.

https://docs.gitlab.com/user/project/system_notes/, https://docs.gitlab.com/api/resource_state_events/
"""

from __future__ import annotations

from sandbox.forge import users
from sandbox.forge.call import Call, now
from sandbox.forge.store import Json, Store


def note(store: Store, iid: int, author: int, body: str) -> None:
    """A system note, which nobody edits."""
    with store.together():
        number, at = store.next("note"), now()
        made = {"id": number, "body": body, "author": author, "created_at": at, "updated_at": at, "system": True}
        store.put("note", number, made, f"merge_request {iid}")


def event(store: Store, iid: int, author: int, state: str) -> None:
    """It was closed, reopened or merged."""
    with store.together():
        number = store.next("state_event")
        made = {"id": number, "user": author, "created_at": now(), "state": state}
        store.put("state_event", number, made, f"merge_request {iid}")


def events(call: Call) -> list[Json]:
    """GET .../merge_requests/:iid/resource_state_events"""
    iid = call.path_number("iid")
    return [
        {**one, "user": users.told(users.by_id(call.store, one["user"]), call.url), "resource_type": "MergeRequest",
         "resource_id": 1000 + iid}
        for one in call.store.all("state_event", f"merge_request {iid}")
    ]  # fmt: skip
