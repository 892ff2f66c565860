"""`quantctl schema`: the JSON Schema of workflow files, so that editors complete and check them."""

from __future__ import annotations

import dataclasses
import enum
import json
import typing
from typing import Any

import typer

from infra import job_format
from infra.vocabulary import Environment

Json = dict[str, Any]
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


def show() -> None:
    """Print the JSON Schema of workflow files: quantctl schema > workflows/schema.json"""
    typer.echo(json.dumps(workflow_schema(), indent=1, sort_keys=True))


def workflow_schema() -> Json:
    """JSON Schema 2020-12. Keys and types are those of infra/job_format.py, allowed words those of databricks-sdk."""
    from databricks.sdk.service.jobs import JobSettings

    shape = job_format.job()
    assert shape.input_type is not None
    definitions: Json = {}
    one = dict(_object(shape.input_type, JobSettings, definitions))
    properties = one["properties"]
    # What an environment changes need not be complete by itself.
    change = {"type": "object", "properties": properties, "additionalProperties": False}
    definitions["change"] = change
    changes = {environment.value: {"$ref": "#/$defs/change"} for environment in Environment}
    per_environment = {"type": "object", "properties": changes, "additionalProperties": False}
    per_environment["description"] = "What differs in one environment; null takes a key away."
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Workflow of the pipelines repository: one job, in the words of the Databricks Jobs API 2.2",
        "type": "object",
        "properties": {**properties, "per_environment": per_environment},
        "required": ["name", "tasks"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _object(input_type: type, api_type: Any, definitions: Json) -> Json:
    hints = typing.get_type_hints(api_type) if dataclasses.is_dataclass(api_type) else {}
    known = job_format.fields(input_type)
    found: Json = {"type": "object", "additionalProperties": False}
    found["properties"] = {
        key: _schema(field.shape, hints.get(key), definitions) | _described(field) for key, field in sorted(known.items())
    }
    required = sorted(key for key, field in known.items() if field.required)
    return found | ({"required": required} if required else {})


def _described(field: job_format.Field) -> Json:
    text = " ".join(field.description.split())
    return {"description": text} if text else {}


def _schema(shape: job_format.Shape, hint: Any, definitions: Json) -> Json:
    if shape.kind == "plain":
        words = next((kind for kind in _flat(hint) if isinstance(kind, type) and issubclass(kind, enum.Enum)), None)
        return {"type": _PLAIN.get(shape.plain, "string")} | ({"enum": [word.value for word in words]} if words else {})
    if shape.kind == "object":
        assert shape.input_type is not None
        name = shape.input_type.__name__.removesuffix("Args")
        if name not in definitions:
            definitions[name] = {}  # the name is taken, so that a type within itself ends here
            api_type = next((kind for kind in _flat(hint) if dataclasses.is_dataclass(kind)), None)
            definitions[name] = _object(shape.input_type, api_type, definitions)
        return {"$ref": f"#/$defs/{name}"}
    assert shape.item is not None
    inner = _schema(shape.item, hint, definitions)
    return {"type": "array", "items": inner} if shape.kind == "list" else {"type": "object", "additionalProperties": inner}


def _flat(hint: Any) -> list[Any]:
    """The types within Optional[List[X]] and the like."""
    inner = typing.get_args(hint)
    return [kind for part in inner for kind in _flat(part)] if inner else [hint]
