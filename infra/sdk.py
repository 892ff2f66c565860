"""The two generated SDKs, imported for the modules that are used alone.

Both packages import some 400 modules and read two files of 5 to 7 MB from their `__init__`; that is 2 to 3 s of every
preview. A package object with the same `__path__` and an empty body lets Python import single modules instead.
Measured in bench/; see docs/decisions/0002-lean-imports.md.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any


def _package(name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.find_spec(name)
        assert spec is not None, f"{name} is not installed"
        sys.modules[name] = importlib.util.module_from_spec(spec)
    return sys.modules[name]


def _load(module: str) -> Any:
    """A generated resource module; the collector rests meanwhile, it only finds live objects there."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        _package(module.split(".")[0])
        return importlib.import_module(module)
    finally:
        if was_enabled:
            gc.enable()


def databricks(resource: str) -> Any:
    """The class of a Databricks resource, e.g. `Repo`."""
    return getattr(_load(f"pulumi_databricks.{_snake(resource)}"), resource)


def snowflake(resource: str) -> Any:
    """The class of a Snowflake resource, e.g. `Schema`."""
    return getattr(_load(f"pulumi_snowflake.{_snake(resource)}"), resource)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def databricks_arguments(resource: str) -> Any:
    """The class of a Databricks resource's arguments, e.g. `JobArgs`."""
    return getattr(_load(f"pulumi_databricks.{_snake(resource)}"), f"{resource}Args")
