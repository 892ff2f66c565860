"""The project and its settings."""

from __future__ import annotations

from sandbox.forge.call import PROJECT_ID, PROJECT_PATH, Call
from sandbox.forge.errors import bad, missing
from sandbox.forge.repository import DEFAULT_BRANCH
from sandbox.forge.store import Json, Store
from sandbox.forge.users import MAINTAINER, NAMESPACE

MERGE_METHODS = ("merge", "rebase_merge", "ff")
_DEFAULTS = {"merge_method": "merge", "description": "The pipelines of the four environments"}


def settings(store: Store) -> Json:
    """What of the project may be set."""
    return store.setting("project", _DEFAULTS)


def get(call: Call) -> Json:
    """GET /projects/:id: https://docs.gitlab.com/api/projects/#get-a-single-project"""
    name = PROJECT_PATH.partition("/")[2]
    return {
        "id": PROJECT_ID, "name": name, "path": name, "path_with_namespace": PROJECT_PATH,
        "name_with_namespace": PROJECT_PATH.replace("/", " / "), "default_branch": DEFAULT_BRANCH,
        "visibility": "internal", "web_url": call.web, "http_url_to_repo": f"{call.web}.git", "archived": False,
        "namespace": {"id": 1, "name": NAMESPACE, "path": NAMESPACE, "full_path": NAMESPACE, "kind": "group"},
        "merge_requests_enabled": True, "issues_enabled": True, "squash_option": "never",
        "permissions": {"project_access": {"access_level": call.who.level, "notification_level": 3}, "group_access": None},
        **settings(call.store),
    }  # fmt: skip


def listed(call: Call) -> list[Json]:
    """GET /projects"""
    return [get(call)] if call.query.get("search", "") in PROJECT_PATH else []


def update(call: Call) -> Json:
    """PUT /projects/:id: merge_method and description; other settings are ignored"""
    call.require(MAINTAINER)
    changed = {name: call.text(name) for name in _DEFAULTS if call.given(name) is not None}
    if changed.get("merge_method", "merge") not in MERGE_METHODS:
        raise bad("merge_method does not have a valid value")
    with call.store.together():
        call.store.set("project", {**settings(call.store), **changed})
    return get(call)


def check(given: str) -> None:
    """404 for a project that there is not."""
    if given not in (str(PROJECT_ID), PROJECT_PATH):
        raise missing("Project")
