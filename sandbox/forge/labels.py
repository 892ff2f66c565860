"""Labels of the project: https://docs.gitlab.com/api/labels/"""

from __future__ import annotations

import re

from sandbox.forge.call import Call
from sandbox.forge.errors import ApiError, conflict, missing
from sandbox.forge.store import Json
from sandbox.forge.users import REPORTER

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}|#[0-9a-fA-F]{3}|[a-z]+")
_USUAL = "#428BCA"


def listed(call: Call) -> list[Json]:
    """GET /projects/:id/labels?search="""
    search = call.query.get("search", "").lower()
    return [one for one in call.store.all("label") if search in one["name"].lower()]


def get(call: Call) -> Json:
    """GET /projects/:id/labels/:name"""
    return _load(call, call.path["name"])


def create(call: Call) -> Json:
    """POST /projects/:id/labels"""
    call.require(REPORTER)
    name, colour = call.text("name"), call.text("color")
    if not _COLOUR.fullmatch(colour):
        raise ApiError(400, {"color": ["must be a valid color code"]})
    with call.store.together():
        if any(one["name"] == name for one in call.store.all("label")):
            raise conflict("Label already exists")
        return _make(call, name, colour, call.text("description", ""))


def update(call: Call) -> Json:
    """PUT /projects/:id/labels and /labels/:name: new_name, color, description"""
    call.require(REPORTER)
    with call.store.together():
        label = _load(call, call.path.get("name") or call.text("name"))
        label |= {name: call.text(name) for name in ("color", "description") if call.given(name) is not None}
        label["name"] = call.text("new_name", label["name"])
        call.store.put("label", label["id"], label)
    return label


def delete(call: Call) -> None:
    """DELETE /projects/:id/labels/:name"""
    call.require(REPORTER)
    call.store.drop("label", _load(call, call.path["name"])["id"])


def known(call: Call, names: list[str]) -> list[str]:
    """The names, sorted; those that are new are made, as GitLab does for who may plan."""
    for name in set(names) - {one["name"] for one in call.store.all("label")}:
        _make(call, name, _USUAL, "")
    return sorted(set(names))


def changed(call: Call, before: list[str]) -> list[str]:
    """The labels of an issue or merge request after `labels`, `add_labels` and `remove_labels`."""
    wanted = set(before if call.given("labels") is None else call.words("labels"))
    return known(call, sorted((wanted | set(call.words("add_labels"))) - set(call.words("remove_labels"))))


def _make(call: Call, name: str, colour: str, description: str) -> Json:
    number = call.store.next("label")
    made = {
        "id": number, "name": name, "color": colour, "text_color": "#FFFFFF", "description": description,
        "description_html": description, "priority": None, "subscribed": False, "is_project_label": True,
    }  # fmt: skip
    call.store.put("label", number, made)
    return made


def _load(call: Call, name: str) -> Json:
    for one in call.store.all("label"):
        if name in (one["name"], str(one["id"])):
            return one
    raise missing("Label")
