"""`quantctl settings`: what may stand in a stack file, read from the models that check it."""

from __future__ import annotations

import json
import types
import typing
from enum import StrEnum
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from rich.table import Table

from infra.settings import Settings
from quantctl.reference.access import Format
from quantctl.text.markdown import table
from quantctl.text.terminal import Console

_HEAD = ("key", "value", "without it", "what it says")
_WORDS = {str: "text", int: "number", float: "number", bool: "true or false"}
_EACH = {"personas": "<persona>.", "gates": "<edge>.", "freezes": "<number>.", "signers": "<who>."}


def show(format: Format) -> None:
    """Print the keys as a table, as Markdown or as JSON."""
    found = rows()
    if format is Format.json:
        typer.echo(json.dumps(found, indent=2))
    elif format is Format.markdown:
        typer.echo(markdown(), nl=False)
    else:
        shown = Table(*_HEAD)
        for row in found:
            shown.add_row(*row.values())
        Console(width=max(Console().width, 108)).print(shown)


def markdown() -> str:
    """The keys as the table of docs/settings.md."""
    return table(_HEAD, (list(row.values()) for row in rows()))


def rows() -> list[dict[str, str]]:
    """One row a key; keys within a key are written with a dot."""
    return [row for name, field in Settings.model_fields.items() if name != "environment" for row in _rows(name, field, "")]


def _rows(name: str, field: FieldInfo, above: str) -> list[dict[str, str]]:
    key = f"{above}{field.alias or name}"
    shown = f"`{key}`" if above else f"`quant:{key}`"
    row = dict(zip(_HEAD, (shown, _value(field.annotation), _default(field), field.description or ""), strict=True))
    part = _part(field.annotation)
    if part is None:
        return [row]
    inner = f"{key}.{_EACH.get(key, '')}"
    return [row, *(r for n, f in part.model_fields.items() for r in _rows(n, f, inner))]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "refused"
    value = field.get_default()
    return "-" if value in (None, {}, []) or isinstance(value, BaseModel) else f"`{value}`"


def _part(kind: Any) -> type[BaseModel] | None:
    """The model within a type, if there is one."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    return next((part for inner in typing.get_args(kind) if (part := _part(inner))), None)


def _value(kind: Any) -> str:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        return _value(inner[0])
    if origin is typing.Literal:
        return ", ".join(f"`{word}`" for word in inner)
    if origin in (typing.Union, types.UnionType):
        return _value(next(part for part in inner if part is not type(None)))
    if origin is list:
        return "a list"
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return ", ".join(f"`{word}`" for word in kind)
    if isinstance(kind, type) and kind in _WORDS:
        return _WORDS[kind]
    return "a day, `YYYY-MM-DD`" if getattr(kind, "__name__", "") == "date" else "keys and values"
