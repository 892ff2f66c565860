"""What a POST, PUT or PATCH says of a SCIM resource. https://datatracker.ietf.org/doc/html/rfc7644#section-3.5.2"""

from __future__ import annotations

import re
from typing import Any

from sandbox.workspace import fields
from sandbox.workspace.errors import ApiError
from sandbox.workspace.fields import Json

MANY = ("members", "entitlements", "roles", "emails")
_ONE = ("displayName", "active", "externalId")
_FIXED = ("userName", "applicationId", "id", "schemas")  # sent along by some clients, never changed
_ABSENT = "No such attribute with the name : {} in the current resource"
_CHOSEN = re.compile(r'(\w+)\[\s*value\s+eq\s+"([^"]*)"\s*\]')


def apply(resource: Json, operations: list[Json]) -> None:
    """Change a resource by the operations of a PatchOp, in their order.

    Raises:
        ApiError: 400 for an operation or attribute that there is not.
    """
    for operation in operations:
        what = fields.text("op", operation.get("op")).lower()
        if what not in ("add", "remove", "replace"):
            raise ApiError(400, "INVALID_VALUE", f"Unsupported operation: {what}")
        path, value = fields.text("path", operation.get("path") or ""), operation.get("value")
        if path:
            _change(resource, what, path, value)
        else:
            for name, inner in fields.mapping("value", value).items():
                _change(resource, what, name, inner)


def whole(kind: str, body: Json) -> Json:
    """What a POST or PUT says of a resource, in the form that is saved. Attributes that there are not are ignored."""
    read: Json = {}
    for key in ("displayName", "userName", "applicationId", "externalId"):
        if body.get(key) is not None:
            read[key] = fields.text(key, body[key])
    for key in MANY:
        if key in body:
            read[key] = many(key, body[key])
    if body.get("name") is not None:
        read["name"] = {key: fields.text(key, value) for key, value in fields.mapping("name", body["name"]).items()}
    if body.get("active") is not None and kind != "Groups":
        read["active"] = truth(body["active"])
    return read


def truth(value: Any) -> bool:
    """`active` comes as a truth value, as a word, and from the provider as [{"value": "false"}]."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        value = value[0].get("value")
    return fields.flag("active", value)


def many(name: str, value: Any) -> list[Json]:
    """A list of complex values; the provider sends one that is empty for none."""
    listed = value if isinstance(value, list) else [] if value is None else [value]
    complex_ = [item if isinstance(item, dict) else {"value": fields.text(name, item)} for item in listed]
    return [{**item, "value": fields.text(name, item["value"])} for item in complex_ if item.get("value")]


def _change(resource: Json, what: str, path: str, value: Any) -> None:
    chosen = _CHOSEN.fullmatch(path)
    name = _name_of(chosen[1] if chosen else path)
    if name in _FIXED:
        return
    if name in MANY:
        given = [{"value": chosen[2]}] if chosen else many(name, value)
        before = resource.get(name, [])
        if what == "remove" and name == "entitlements" and not before and "members" in resource:
            raise ApiError(400, "INVALID_PATH", _ABSENT.format(path))  # of groups, as the provider's tests record it
        if what == "remove" and (chosen or given):
            gone = {item["value"] for item in given}
            resource[name] = [item for item in before if item["value"] not in gone]
        elif what == "remove":
            resource[name] = []
        else:
            kept = before if what == "add" else []
            there = {item["value"] for item in kept}
            resource[name] = [*kept, *({i["value"]: i for i in given if i["value"] not in there}.values())]
    elif name.startswith("name.") or name == "name":
        whole = dict(resource.get("name", {}))
        given_name = {name.removeprefix("name."): value} if "." in name else fields.mapping("name", value or {})
        for part, inner in given_name.items():
            whole.pop(part, None)
            if what != "remove":
                whole[part] = fields.text(part, inner)
        resource["name"] = whole
    elif what == "remove":
        resource.pop(name, None)
    else:
        resource[name] = truth(value) if name == "active" else fields.text(name, value)


def _name_of(path: str) -> str:
    known = {name.lower(): name for name in (*MANY, *_ONE, *_FIXED, "name", "name.givenName", "name.familyName")}
    if path.lower() not in known:
        raise ApiError(400, "INVALID_PATH", _ABSENT.format(path))
    return known[path.lower()]
