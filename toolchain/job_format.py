"""Makes infra/workflows/format.json, the Jobs API's format as the SDKs have it: python -m toolchain.job_format

The types of pulumi-databricks say keys, shapes and descriptions, databricks-sdk says the allowed words, and
toolchain/lacking.json says what the provider built here does not know. Loading them takes seconds, reading the file
milliseconds. A test compares the file with what the SDKs say.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import inspect
import json
import re
import typing
from typing import Any

import pulumi_databricks

# No public reader of an input type's fields exists.
from pulumi._types import input_type_py_to_pulumi_names, input_type_types, is_input_type

from toolchain import cache, lacking

FILE = cache.HERE.parent / "infra" / "workflows" / "format.json"
Json = dict[str, Any]
_PLAIN = {str: "text", int: "integer", float: "number", bool: "boolean"}
# What the SDK has beside the Jobs API 2.2: leftovers of single-task jobs, of clusters, and of the Terraform provider itself.
_NOT_OF_THE_API = {
    "Job": {
        "always_running", "control_run_state", "dbt_task", "existing_cluster_id", "libraries", "max_retries",
        "min_retry_interval_millis", "new_cluster", "notebook_task", "pipeline_task", "provider_config",
        "python_wheel_task", "retry_on_timeout", "run_job_task", "spark_jar_task", "spark_python_task",
        "spark_submit_task",
    },
    "NewCluster": {"cluster_id", "cluster_mount_infos", "idempotency_token", "libraries", "provider_config"},
    "Library": {"provider_config"},
}  # fmt: skip


def made() -> Json:
    """The format: type -> key -> what stands there."""
    from databricks.sdk.service.jobs import JobSettings

    types: Json = {}
    _add(pulumi_databricks.JobArgs, JobSettings, types, "")
    return types


def _add(input_type: type, api_type: Any, types: Json, way: str) -> str:
    """The name of a type that stands at `way` within a job, after it and what is within it were added."""
    name = input_type.__name__.removesuffix("Args")
    if name not in types:
        types[name] = {}  # the name is taken, so that a type within itself ends here
        hints = typing.get_type_hints(api_type) if dataclasses.is_dataclass(api_type) else {}
        kinds, parameters = input_type_types(input_type), inspect.signature(input_type).parameters
        found: Json = {}
        for sdk_name, wire in input_type_py_to_pulumi_names(input_type).items():
            key = _api_name(sdk_name)
            if wire not in kinds or key in _left_out(name):
                continue
            field = _shape(kinds[wire], hints.get(key), types, f"{way}{sdk_name}.")
            if sdk_name != key:
                field["sdk"] = sdk_name
            if sdk_name in parameters and parameters[sdk_name].default is inspect.Parameter.empty:
                field["required"] = True
            if way + sdk_name in lacking.inputs("Job"):
                field["lacking"] = True
            text = " ".join((getattr(input_type, sdk_name).__doc__ or "").strip().split("\n\n")[0].split())
            found[key] = field | ({"text": text} if text else {})
        types[name] = dict(sorted(found.items()))
    return name


def _left_out(name: str) -> set[str]:
    """The keys of a type that are not the API's; the SDK puts the whole way to a type before its name."""
    return {
        key
        for ending, keys in _NOT_OF_THE_API.items()
        for key in keys
        if name == ending or (ending != "Job" and name.endswith(ending))
    }


def _shape(kind: Any, hint: Any, types: Json, way: str) -> Json:
    if isinstance(kind, type):
        if is_input_type(kind):
            api_type = next((one for one in _flat(hint) if dataclasses.is_dataclass(one)), None)
            return {"is": _add(kind, api_type, types, way)}
        words = next((one for one in _flat(hint) if isinstance(one, type) and issubclass(one, enum.Enum)), None)
        return {"is": _PLAIN.get(kind, "text")} | ({"words": sorted(word.value for word in words)} if words else {})
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (list, collections.abc.Sequence):
        return _shape(inner[0], hint, types, way) | {"in": "list"}
    if origin in (dict, collections.abc.Mapping):
        return _shape(inner[1], hint, types, way) | {"in": "map"}
    # Input[X] and Optional[X]: the first member that is no Awaitable and no Output.
    return _shape(inner[0], hint, types, way) if inner else {"is": "text"}


def _api_name(sdk_name: str) -> str:
    """The provider has repeated blocks in the singular, which the bridge puts in the plural: depends_ons."""
    singular = re.fullmatch(r"(depends_on|on_\w+?|\w+_selection)(s|es)", sdk_name)
    if singular is None:
        return sdk_name
    return "on_success" if sdk_name == "on_successes" else sdk_name.removesuffix("s")


def _flat(hint: Any) -> list[Any]:
    """The types within Optional[List[X]] and the like."""
    inner = typing.get_args(hint)
    return [kind for part in inner for kind in _flat(part)] if inner else [hint]


def as_text(types: Json) -> str:
    """As the file holds it."""
    return json.dumps(types, indent=0, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(as_text(made()))
