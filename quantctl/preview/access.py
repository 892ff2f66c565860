"""Who gains or loses what: permissions, grants and addresses, compared entry by entry. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from infra.vocabulary import FolderLevel, JobLevel
from quantctl.preview.events import AFTERWARDS, Json, Step

_LEVELS = {level: number for levels in (FolderLevel, JobLevel) for number, level in enumerate(map(str, levels))}
_SECRET_LEVELS = {"READ": 1, "WRITE": 2, "MANAGE": 3}  # https://docs.databricks.com/security/secrets/secret-acl.html
_NOTHING = "nothing"
_PRINCIPALS = ("groupName", "servicePrincipalName", "userName")
_EVERYWHERE = "any address"


class Direction(StrEnum):
    """Which way somebody's access goes; what cannot be ordered counts as widened."""

    WIDENED = "widened"
    NARROWED = "narrowed"


@dataclass(frozen=True)
class AccessChange:
    """`who` may do `new` where it was `old`, on `what`: for example jobs, of which `names` are meant."""

    who: str
    what: str
    names: tuple[str, ...]
    old: str
    new: str
    direction: Direction


@dataclass(frozen=True)
class _Held:
    """What one principal holds on one thing: a level, or a set of privileges."""

    words: str
    rank: frozenset[str] | int


def concerns(step: Step) -> bool:
    """Whether a resource says who may do what."""
    return step.type in _READERS


def changes(steps: Iterable[Step], known: Mapping[str, str]) -> tuple[AccessChange, ...]:
    """Every principal whose access changes; the same change on several jobs is one. `known`: principal -> who that is."""
    grouped: dict[tuple[str, str, str, str, Direction], list[str]] = defaultdict(list)
    for step in steps:
        if not concerns(step) or step.op == "same":
            continue
        reader = _READERS[step.type]
        before = reader(step.name, step.old) if step.op != "create" else {}
        after = reader(step.name, step.new) if step.op != "delete" else {}
        for key in sorted({*before, *after}):
            who, what, name = key
            old, new = before.get(key), after.get(key)
            if old != new and (old is None or new is None or old.words != new.words):
                told = f"{who} ({known[who]})" if who in known else who
                words = (old.words if old else _empty(what), new.words if new else _empty(what))
                grouped[(told, what, *words, _direction(what, old, new))].append(name)
    found = [
        AccessChange(who, what, tuple(sorted(filter(None, names))), old, new, direction)
        for (who, what, old, new, direction), names in grouped.items()
    ]
    return tuple(sorted(found, key=lambda change: (change.direction != Direction.WIDENED, change.what, change.who)))


def holders(step: Step) -> tuple[str, ...]:
    """Which groups may do what with a new job, from its permissions; the environment's own identities are on every job."""
    groups = {str(entry["groupName"]) for entry in step.new.get("accessControls") or [] if entry.get("groupName")}
    held = _permissions(step.name, step.new)
    return tuple(f"{who} {one.words}" for (who, _, _), one in sorted(held.items()) if who in groups)


def _direction(what: str, old: _Held | None, new: _Held | None) -> Direction:
    """Widened unless less is held than before; of addresses that may log in, none named is more than some."""
    if old is None or new is None:
        less = (old is None) if what == "logins" else (new is None)
    elif isinstance(old.rank, int):
        less = isinstance(new.rank, int) and new.rank < old.rank
    else:
        less = isinstance(new.rank, frozenset) and new.rank < old.rank
    return Direction.NARROWED if less else Direction.WIDENED


def _empty(what: str) -> str:
    return _EVERYWHERE if what == "logins" else _NOTHING


_Key = tuple[str, str, str]  # who, what, name


def _permissions(name: str, inputs: Json) -> dict[_Key, _Held]:
    kind, _, job = name.partition("/")
    what = {"job": "jobs", "parent": "the directory above the folder"}.get(kind, kind)
    found: dict[_Key, _Held] = {}
    for entry in inputs.get("accessControls") or []:
        who = next((str(entry[key]) for key in _PRINCIPALS if entry.get(key)), "somebody")
        level = str(entry.get("permissionLevel"))
        found[(who, what, job)] = _Held(level, _LEVELS.get(level, len(_LEVELS)))
    return found


def _secret_acl(name: str, inputs: Json) -> dict[_Key, _Held]:
    level = str(inputs.get("permission"))
    return {(str(inputs.get("principal")), "secret scope", ""): _Held(level, _SECRET_LEVELS.get(level, 9))}


def _role_grant(name: str, inputs: Json) -> dict[_Key, _Held]:
    role = _name(inputs.get("databaseRoleName") or inputs.get("roleName"))
    holder = next((inputs[key] for key in ("parentRoleName", "userName", "shareName") if inputs.get(key)), "somebody")
    what = "schema" if inputs.get("databaseRoleName") else "role"
    return {(_name(holder), what, ""): _Held(role, frozenset({role}))}


def _privileges(name: str, inputs: Json) -> dict[_Key, _Held]:
    role = _name(inputs.get("databaseRoleName") or inputs.get("accountRoleName"))
    privileges = sorted(map(str, inputs.get("privileges") or []))
    if inputs.get("allPrivileges"):
        privileges = ["ALL PRIVILEGES"]
    held = _Held(", ".join(privileges), frozenset(privileges))
    return {(role, next(_objects(inputs), "objects"), ""): held}


def _objects(inputs: Json) -> Iterator[str]:
    """What privileges are granted on, in words."""
    schema, item = inputs.get("onSchema") or {}, inputs.get("onSchemaObject") or {}
    for scope in ("all", "future"):
        if found := item.get(scope):
            yield f"{scope} {str(found.get('objectTypePlural', 'objects')).lower()}"
    if schema:
        yield "schema"
    account = inputs.get("onAccountObject") or {}
    if account:
        yield f"{str(account.get('objectType', 'object')).lower()} {account.get('objectName', '')}".strip()


def _addresses(name: str, inputs: Json) -> dict[_Key, _Held]:
    allowed = sorted(map(str, inputs.get("allowedIpLists") or []))
    return {("the service user", "logins", ""): _Held(", ".join(allowed), frozenset(allowed))}


def _name(value: object) -> str:
    """The last part of `"DATABASE"."NAME"`."""
    text = str(value or AFTERWARDS)
    return text.rpartition(".")[2].strip('"') if text.startswith('"') else text


_READERS = {
    "databricks:Permissions": _permissions,
    "databricks:SecretAcl": _secret_acl,
    "snowflake:GrantAccountRole": _role_grant,
    "snowflake:GrantDatabaseRole": _role_grant,
    "snowflake:GrantPrivilegesToAccountRole": _privileges,
    "snowflake:GrantPrivilegesToDatabaseRole": _privileges,
    "snowflake:NetworkPolicy": _addresses,
}
