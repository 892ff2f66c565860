"""The Jobs API's format, taken from the SDK's own types: what a job may say, how it is checked, how the SDK spells it.

The provider's schema names repeated blocks in the singular and the bridge puts them in the plural, so the Jobs API's
`depends_on` is the SDK's `depends_ons`, and `on_failure` is `on_failures`. Users write the Jobs API's names only.
"""

from __future__ import annotations

import collections.abc
import inspect
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

# No public reader of an input type's fields exists.
from pulumi._types import input_type_py_to_pulumi_names, input_type_types, is_input_type

Json = dict[str, Any]
_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
# What the SDK has beside the Jobs API 2.2: leftovers of single-task jobs and of the Terraform provider itself.
_NOT_OF_THE_API = frozenset(
    {
        "always_running",
        "control_run_state",
        "dbt_task",
        "existing_cluster_id",
        "libraries",
        "max_retries",
        "min_retry_interval_millis",
        "new_cluster",
        "notebook_task",
        "pipeline_task",
        "provider_config",
        "python_wheel_task",
        "retry_on_timeout",
        "run_job_task",
        "spark_jar_task",
        "spark_python_task",
        "spark_submit_task",
    }
)
# What the environment says, and a file therefore does not.
OF_THE_ENVIRONMENT = frozenset({"edit_mode", "format", "git_source", "run_as"})


@dataclass(frozen=True)
class Shape:
    """What stands at one key: an object of an input type, a list, a map with free keys, or a plain value."""

    kind: typing.Literal["object", "list", "map", "plain"]
    input_type: type | None = None
    item: Shape | None = None
    plain: type = str

    def words(self) -> str:
        """For a message."""
        if self.kind == "plain":
            return _WORDS.get(self.plain, "a value")
        return {"object": "keys and values", "map": "keys and values", "list": "a list"}[self.kind]


@dataclass(frozen=True)
class Field:
    """One key of an object."""

    sdk_name: str
    shape: Shape
    required: bool
    description: str


def job() -> Shape:
    """The shape of a job."""
    return Shape("object", _job_arguments())


def _job_arguments() -> type:
    """The package is loaded whole, which takes seconds."""
    from pulumi_databricks import JobArgs

    found: type = JobArgs
    return found


@cache
def fields(input_type: type) -> dict[str, Field]:
    """The Jobs API's key -> what stands there. Of the job itself, what the environment says is left out."""
    kinds = input_type_types(input_type)
    parameters = inspect.signature(input_type).parameters
    found: dict[str, Field] = {}
    for name, wire in input_type_py_to_pulumi_names(input_type).items():
        if wire in kinds:
            required = name in parameters and parameters[name].default is inspect.Parameter.empty
            text = (getattr(input_type, name).__doc__ or "").strip().split("\n\n")[0]
            found[_api_name(name)] = Field(name, _shape(kinds[wire]), required, text)
    if input_type is _job_arguments():
        return {key: field for key, field in found.items() if key not in _NOT_OF_THE_API | OF_THE_ENVIRONMENT}
    return found


def problems(value: object, shape: Shape, where: str = "") -> Iterator[str]:
    """What is wrong with `value`, each with its key, what was found and what is allowed."""
    if value is None:
        return
    if shape.kind == "plain":
        if not _fits(value, shape.plain):
            yield f"{where}: found {value!r}, expected {shape.words()}."
    elif shape.kind == "list":
        if not isinstance(value, list):
            yield f"{where}: found {value!r}, expected a list."
            return
        assert shape.item is not None
        for index, item in enumerate(value):
            if item is None:
                yield f"{where}[{index}]: found nothing, expected {shape.item.words()}."
            yield from problems(item, shape.item, f"{where}[{index}]")
    elif not isinstance(value, dict):
        yield f"{where or 'the job'}: found {value!r}, expected keys and values."
    elif shape.kind == "map":
        assert shape.item is not None
        for key, item in value.items():
            yield from problems(item, shape.item, f"{where}.{key}")
    else:
        assert shape.input_type is not None
        yield from _object_problems(value, fields(shape.input_type), where)


def _object_problems(value: Json, known: dict[str, Field], where: str) -> Iterator[str]:
    prefix = f"{where}." if where else ""
    for key, item in value.items():
        if key not in known:
            yield f"{prefix}{key}: unknown key; allowed are {', '.join(sorted(known))}."
        else:
            yield from problems(item, known[key].shape, f"{prefix}{key}")
    for key, field in known.items():
        if field.required and value.get(key) is None:
            yield f"{prefix}{key}: missing."


def arguments(value: Any, shape: Shape) -> Any:
    """A checked value with every key as the SDK spells it."""
    if shape.kind == "list":
        assert shape.item is not None
        return [arguments(item, shape.item) for item in value]
    if shape.kind != "object":
        return value
    assert shape.input_type is not None
    known = fields(shape.input_type)
    return {known[key].sdk_name: arguments(item, known[key].shape) for key, item in value.items()}


def _fits(value: object, plain: type) -> bool:
    if plain is bool or isinstance(value, bool):
        return plain is bool and isinstance(value, bool)
    return isinstance(value, (int, float) if plain is float else plain)


def _api_name(sdk_name: str) -> str:
    singular = re.fullmatch(r"(depends_on|on_\w+?|\w+_selection)(s|es)", sdk_name)
    if singular is None:
        return sdk_name
    return "on_success" if sdk_name == "on_successes" else sdk_name.removesuffix("s")


def _shape(kind: Any) -> Shape:
    if isinstance(kind, type):
        return Shape("object", kind) if is_input_type(kind) else Shape("plain", plain=kind)
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (list, collections.abc.Sequence):
        return Shape("list", item=_shape(inner[0]))
    if origin in (dict, collections.abc.Mapping):
        return Shape("map", item=_shape(inner[1]))
    # Input[X] and Optional[X]: the first member that is no Awaitable and no Output.
    return _shape(inner[0]) if inner else Shape("plain")
