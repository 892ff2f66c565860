"""`quantctl schema`: the JSON Schema of workflow files, so that editors complete and check them."""

from __future__ import annotations

from typing import Any

from infra.vocabulary import Environment
from infra.workflows import format, rules, values

Json = dict[str, Any]
_PLAIN = {"text": "string", "integer": "integer", "number": "number", "boolean": "boolean"}
_TASKS = ("JobTask", "JobTaskForEachTaskTask")


def workflow_schema() -> Json:
    """JSON Schema 2020-12, of what infra/workflows/format.json has and the rules that a schema can say."""
    definitions: Json = {}
    one = _object("Job", definitions)
    properties = one["properties"]
    # What an environment changes need not be complete by itself.
    change = {"type": "object", "properties": properties, "additionalProperties": False}
    definitions["change"] = change
    none_there = {"type": "null", "description": "The environment has no such job."}
    changes = {environment.value: {"anyOf": [{"$ref": "#/$defs/change"}, none_there]} for environment in Environment}
    per_environment = {"type": "object", "properties": changes, "additionalProperties": False}
    per_environment["description"] = "What differs in one environment; null takes a key away."
    triggers = [
        {"required": list(pair)} for pair in (("schedule", "continuous"), ("schedule", "trigger"), ("continuous", "trigger"))
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Workflow of the pipelines repository: one job, in the words of the Databricks Jobs API 2.2",
        "type": "object",
        "properties": {**properties, "per_environment": per_environment},
        "required": ["name", "tasks"],
        "not": {"anyOf": triggers},
        "additionalProperties": False,
        "$defs": definitions,
    }


def _object(of: str, definitions: Json) -> Json:
    known = {key: field for key, field in format.fields(of).items() if not field.lacking}
    found: Json = {"type": "object", "additionalProperties": False}
    found["properties"] = {
        key: _schema(key, of, field, definitions) | _described(field) for key, field in sorted(known.items())
    }
    required = sorted(key for key, field in known.items() if field.required)
    if of.endswith("RunJobTask"):
        found["properties"]["job"] = {"type": "string", "description": "the workflow that is run, by its file's name"}
        return found | {"oneOf": [{"required": ["job"]}, {"required": ["job_id"]}]}
    return found | ({"required": required} if required else {})


def _described(field: format.Field) -> Json:
    return {"description": field.text} if field.text else {}


def _schema(key: str, of: str, field: format.Field, definitions: Json) -> Json:
    if field.plain:
        inner: Json = {"type": _PLAIN[field.of]} | ({"enum": list(field.words)} if field.words else {})
        if field.of == "integer":
            low, high = values.bounds(key, of)
            inner |= {"minimum": low, "maximum": high}
    else:
        name = field.of
        if name not in definitions:
            definitions[name] = {}  # the name is taken, so that a type within itself ends here
            definitions[name] = _object(field.of, definitions)
        inner = {"$ref": f"#/$defs/{name}"}
    if field.within == "list":
        most = {"maxItems": rules.MOST[key]} if of == "Job" and key in rules.MOST else {}
        return {"type": "array", "items": inner} | most
    return {"type": "object", "additionalProperties": inner} if field.within == "map" else inner
