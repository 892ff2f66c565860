"""The SDKs, imported for the modules that are used alone.

Both Pulumi packages import some 400 modules and read two files of 5 to 7 MB from their `__init__`, databricks-sdk every
service that there is; that is 4 s of every preview. A package object with the same `__path__` and an empty body lets
Python import single modules instead. Measured in bench/: docs/decisions/0002-lean-imports.md.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import sys
import threading
from types import ModuleType
from typing import Any

_one_at_a_time = threading.Lock()  # the checks of infra/preflight.py load at the same time


def _package(name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.find_spec(name)
        assert spec is not None, f"{name} is not installed"
        sys.modules[name] = importlib.util.module_from_spec(spec)
    return sys.modules[name]


def _load(module: str, package: str) -> Any:
    """A module of `package`; the collector rests meanwhile, it only finds live objects there."""
    with _one_at_a_time:
        was_enabled, was_imported = gc.isenabled(), package in sys.modules
        gc.disable()
        try:
            _package(package)
            return importlib.import_module(module)
        finally:
            gc.freeze()  # else the interpreter's last collection walks it all again: 0.75 s
            if was_enabled:
                gc.enable()
            if not was_imported:
                del sys.modules[package]  # whoever wants the whole package still gets it


def databricks(resource: str) -> Any:
    """The class of a Databricks resource, e.g. `Repo`."""
    return getattr(_load(f"pulumi_databricks.{_snake(resource)}", "pulumi_databricks"), resource)


def snowflake(resource: str) -> Any:
    """The class of a Snowflake resource, e.g. `Schema`."""
    return getattr(_load(f"pulumi_snowflake.{_snake(resource)}", "pulumi_snowflake"), resource)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def databricks_arguments(resource: str) -> Any:
    """The class of a Databricks resource's arguments, e.g. `JobArgs`."""
    return getattr(_load(f"pulumi_databricks.{_snake(resource)}", "pulumi_databricks"), f"{resource}Args")


def databricks_function(name: str) -> Any:
    """A function that looks something up, e.g. `get_service_principal_output`."""
    return getattr(_load(f"pulumi_databricks.{name.removesuffix('_output')}", "pulumi_databricks"), name)
