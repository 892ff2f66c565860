"""What Pulumi.yaml and a stack's own file say, as the engine would hand it to a program: texts, and JSON for parts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_PROJECT = "quant"


class Unreadable(Exception):
    """A file is there and cannot be read: what it says is unknown."""


def configuration(root: Path, stack: str) -> dict[str, str]:
    """The configuration of a stack: the project's, then its own. A file that is missing says nothing.

    Raises:
        Unreadable: names the file.
    """
    shared = {key: _project_value(value) for key, value in _config(root / "Pulumi.yaml").items()}
    merged = {_qualified(key): value for key, value in {**shared, **_config(root / f"Pulumi.{stack}.yaml")}.items()}
    secret = {key for key, value in merged.items() if isinstance(value, dict) and set(value) == {"secure"}}
    return {key: _text(value) for key, value in merged.items() if value is not None and key not in secret}


def is_there(root: Path, stack: str) -> bool:
    """Whether the stack has a file of its own."""
    return (root / f"Pulumi.{stack}.yaml").exists()


@cache
def _config(path: Path) -> Mapping[str, Any]:
    try:
        read = yaml.safe_load(path.read_bytes()) or {}
    except FileNotFoundError:
        return {}
    except (OSError, yaml.YAMLError, RecursionError) as error:
        raise Unreadable(f"{path.name} cannot be read: {error}") from None
    config = read.get("config") if isinstance(read, dict) else None
    if config is not None and not isinstance(config, dict):
        raise Unreadable(f"{path.name} cannot be read: config is no mapping")
    return config or {}


def _project_value(value: Any) -> Any:
    # https://www.pulumi.com/docs/iac/concepts/config/#project-level-configuration
    return value.get("value", value.get("default")) if isinstance(value, dict) else value


def _qualified(key: Any) -> str:
    return str(key) if ":" in str(key) else f"{_PROJECT}:{key}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
