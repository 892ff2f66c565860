"""The settings of a stack, as the program reads them, without the engine. Secrets stay encrypted and are not read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.settings import PROJECT, Settings, read_settings
from quantctl import project
from quantctl.errors import UserError

_UNREAD = "(a secret, not read here)"


def stack_settings(env: str, environ: Mapping[str, str], file: Path | None = None) -> Settings:
    """What `Pulumi.yaml` and `Pulumi.<env>.yaml`, or another stack file, say of an environment.

    Raises:
        infra.errors.UserError: what the program itself would refuse.
        UserError: a file is missing or no YAML.
    """
    # https://www.pulumi.com/docs/iac/concepts/config/#project-level-configuration
    shared = {key: _project_value(value) for key, value in _config(Path("Pulumi.yaml")).items()}
    given = {_qualified(key): value for key, value in {**shared, **_config(file or Path(f"Pulumi.{env}.yaml"))}.items()}
    secret = [key for key, value in given.items() if isinstance(value, dict) and set(value) == {"secure"}]
    texts = {key: _UNREAD if key in secret else _text(value) for key, value in given.items() if value is not None}
    unread = {**environ, "PULUMI_CONFIG_SECRET_KEYS": json.dumps(secret)}
    return read_settings(env, texts, unread)


def _config(name: Path) -> dict[str, Any]:
    path = project.root() / name
    try:
        read = yaml.safe_load(path.read_text()) or {}
    except FileNotFoundError:
        raise UserError(f"{name} is missing.", found=f"no such file in {path.parent}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{name} is no YAML.", found=str(error).replace("\n", " ")) from None
    config = read.get("config") if isinstance(read, dict) else None
    return config if isinstance(config, dict) else {}


def _project_value(value: Any) -> Any:
    """Project files write objects as `value:` or `default:`."""
    if isinstance(value, dict):
        return value.get("value", value.get("default"))
    return value


def _qualified(key: str) -> str:
    return key if ":" in key else f"{PROJECT}:{key}"


def _text(value: Any) -> str:
    """As the engine hands it to the program: text, and JSON for what has parts."""
    if isinstance(value, str):
        return value
    return json.dumps(value, default=str)
