"""Whether a place, an id or a secret that a job names is its environment's own, or listed for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rules.environments import Environment
from rules.values import Secret, shown, whole

Problems = Iterator[str]

WORKSPACE = "/Workspace"
_NO_PATH = re.compile(r"[\\\x00-\x1f%]|\{\{|\$\{")  # what is read in another way than it is written
_SECRET_REFERENCE = re.compile(r"\{\{\s*secrets\s*/\s*([^/}]*?)\s*/")


def is_inside(path: str, environment: Environment) -> bool:
    """Whether a path lies in the environment's own Git folder; `/Workspace` before it or not."""
    own, found = environment.folder, path.removeprefix(WORKSPACE)
    if own is None or _NO_PATH.search(path):
        return False
    below = found.removeprefix(f"{own}/")
    return found == own or (below != found and not {"", ".", ".."}.intersection(below.split("/")))


def in_folder(value: Any, where: str, environment: Environment) -> Problems:
    """A path in the environment's own Git folder, or one that is listed."""
    if not isinstance(value, str) or not (is_inside(value, environment) or is_listed(value, environment)):
        yield (
            f"{where}: found {shown(value)}, expected a path in {WORKSPACE}{environment.folder}, the Git folder of"
            f" {environment.name}: what it runs was promoted to it. {list_it(environment)}"
        )


def is_listed(value: Any, environment: Environment) -> bool:
    """Whether a list allows it, by name or by the folder that it lies in."""
    return isinstance(value, str) and not {"..", "."}.intersection(value.split("/")) and environment.allows(value)


def listed(value: Any, where: str, environment: Environment) -> Problems:
    """An id or an address that a list allows."""
    if not is_listed(str(whole(value)), environment):
        yield f"{where}: found {shown(value)}, which is not known to belong to {environment.name}. {list_it(environment)}"


def list_it(environment: Environment) -> str:
    """What to do about it."""
    also = "" if environment.name == "quant_live" else " or quant:allowed"
    return f"Or list it for {environment.name} in policy/allowed.yaml{also}."


def no_foreign_secret(value: Any, where: str, environment: Environment) -> Problems:
    """Whatever it is, it names no other environment's secret: Databricks replaces these references in some places."""
    if isinstance(value, Secret):
        yield from no_foreign_secret(value.value, where, environment)
    elif isinstance(value, str):
        for scope in _SECRET_REFERENCE.findall(value):
            if scope != environment.secret_scope:
                expected = f"expected scope {environment.secret_scope!r} alone. Remove it."
                yield f"{where}: found a secret of scope {scope!r}, {expected}"
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from no_foreign_secret(item, f"{where}[{number}]", environment)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from no_foreign_secret(item, f"{where}.{key}", environment)
