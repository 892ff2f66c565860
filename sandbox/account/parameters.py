"""SHOW PARAMETERS: those that the provider reads."""

from __future__ import annotations

from typing import Any

from sandbox.account import known_parameters, names
from sandbox.account.errors import denied, invalid, no_object
from sandbox.account.like import matches
from sandbox.account.naming import full_name
from sandbox.account.privileges import Rights
from sandbox.account.reader import Reader
from sandbox.account.state import State
from sandbox.account.wire import TEXT, Result

_COLUMNS = [(name, TEXT) for name in ("key", "value", "default", "level", "description", "type")]


def show(state: State, rights: Rights, reader: Reader) -> Result:
    """SHOW PARAMETERS [LIKE] IN | FOR SESSION, ACCOUNT or an object"""
    like = reader.string() if reader.take("LIKE") else None
    kind, levels = "SESSION", [("SESSION", rights.session.parameters)]
    known = known_parameters.SESSION
    if (reader.take("IN") or reader.take("FOR")) and not reader.take("SESSION"):
        if reader.take("ACCOUNT"):
            known, levels = {**known_parameters.USER, **known_parameters.OBJECT}, []
        else:
            kind = next((kind for kind in known_parameters.BY_KIND if reader.take(kind)), "")
            if not kind:
                raise reader.unexpected()
            known, levels = known_parameters.BY_KIND[kind], _levels(state, rights, kind, reader.name())
    reader.end()
    levels.append(("ACCOUNT", known_parameters.ACCOUNT))
    rows = [_row(key, default, levels) for key, default in sorted(known.items()) if like is None or matches(like, key)]
    return Result(_COLUMNS, rows)


def _levels(state: State, rights: Rights, kind: str, written: str) -> list[tuple[str, dict[str, Any]]]:
    """Where a value may be set, nearest first: the object, then what holds it."""
    name = full_name(kind, written, rights.session)
    item = state.get(kind, name)
    if item is None or not rights.sees(item):
        raise no_object(kind.capitalize(), name)
    if kind == "USER" and not rights.knows(item):
        raise denied(kind, item.last_name)
    levels = [(kind, item.props)]
    if kind == "SCHEMA" and (database := state.get("DATABASE", names.holder(name))) is not None:
        levels.append(("DATABASE", database.props))
    return levels


def _row(key: str, default: str, levels: list[tuple[str, dict[str, Any]]]) -> list[str]:
    level, value = next(((level, values[key]) for level, values in levels if values.get(key) is not None), ("", default))
    return [key, str(value), default, level, "", known_parameters.type_of(default)]


def session_value(key: str, value: Any) -> str:
    """A session parameter's value as it is kept.

    Raises:
        SqlError: the value is of another type.
    """
    text = str(value).lower() if isinstance(value, bool) else str(value)
    kind = known_parameters.type_of(known_parameters.SESSION[key])
    if kind == "BOOLEAN":
        text = text.lower()
    if (kind == "BOOLEAN" and text not in ("true", "false")) or (kind == "NUMBER" and not text.isdigit()):
        raise invalid(f"invalid value [{value}] for parameter '{key}'")
    return text
