"""How the sandbox behaves where the real services differ from each other: a file of the state folder, read at each use.

`sandbox.control.switch` changes it while the sandbox runs; the environment variables set it at a start.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from sandbox.state import write_atomically

CLI, LEGACY = "cli", "legacy"


class SwitchError(ValueError):
    """There is no such switch or value; the message says what there is."""


@dataclass(frozen=True)
class Switches:
    """Each field's comment names the environment variable and what the real services do."""

    # QUANT_SANDBOX_GIT_FOLDERS: with Git CLI access (`cli`, how workspaces make new ones as the preview spreads) or without.
    git_folders: str = CLI
    # QUANT_SANDBOX_EXPORT_DOT_GIT: whether a folder with Git CLI access is exported with its .git (not documented).
    export_dot_git: bool = False
    # QUANT_SANDBOX_PROTECTED_REMOTE: the remote asks for a credential also for a fetch, as a private project does.
    protected_remote: bool = False
    # QUANT_SANDBOX_ANONYMOUS_PUSH: the remote takes pushes without a credential, which no real one does.
    anonymous_push: bool = False
    # QUANT_SANDBOX_RATE_LIMITS: 429 above the documented rates.
    rate_limits: bool = False
    # QUANT_SANDBOX_THROTTLED: how many of the next requests are answered 429, whatever the rate.
    throttled: int = 0

    def changed(self, changes: Mapping[str, str | int | bool]) -> Switches:
        """The same with other values, which may be words.

        Raises:
            SwitchError: no such switch, or no such value.
        """
        kinds = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        if unknown := sorted(set(changes) - set(kinds)):
            raise SwitchError(f"There is no switch {unknown[0]!r}; there are {', '.join(kinds)}.")
        read: dict[str, Any] = {name: _read(name, kinds[name], value) for name, value in changes.items()}
        return replace(self, **read)


def path(folder: Path) -> Path:
    """Where they are kept."""
    return folder / "switches.json"


def read(folder: Path) -> Switches:
    """As they are now."""
    try:
        return Switches().changed(json.loads(path(folder).read_text()))
    except (OSError, ValueError):
        return Switches()


def write(folder: Path, changes: Mapping[str, str | int | bool]) -> Switches:
    """Change some; a running sandbox takes them over at once."""
    made = read(folder).changed(changes)
    write_atomically(path(folder), json.dumps(asdict(made)))
    return made


def of_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What the environment variables say."""
    prefix = "QUANT_SANDBOX_"
    names = {field.name: prefix + field.name.upper() for field in fields(Switches)}
    return {name: environ[variable] for name, variable in names.items() if environ.get(variable)}


def _read(name: str, kind: type, value: str | int | bool) -> str | int | bool:
    word = str(value).lower()
    if kind is bool and word in ("true", "false", "1", "0"):
        return word in ("true", "1")
    if kind is int and word.isdecimal():
        return int(word)
    if kind is str and word in (CLI, LEGACY):
        return word
    allowed = {bool: "true or false", int: "a number", str: f"{CLI} or {LEGACY}"}[kind]
    raise SwitchError(f"{name} is {value!r}; it must be {allowed}.")
