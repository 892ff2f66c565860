"""Literals that equal the environment's values, put back as the parameters that every job has. Pure.

In development `QUANT` is the database and the schema. So a literal is compared in all environments that have the job: it is
the parameter whose values it follows. Where two do, the option before it says which is meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Values = Mapping[str, str]  # parameter -> its value in one environment
_ORDER = (
    "snowflake_schema", "snowflake_role", "snowflake_user", "secret_scope", "snowflake_database", "snowflake_warehouse",
    "snowflake_account", "environment",
)  # fmt: skip
_FLAG = re.compile(r"(--?[A-Za-z][\w-]*=)(.+)", re.S)


def replaced(found: Mapping[str, str], known: Mapping[str, Values], hint: str, folders: Mapping[str, str]) -> dict[str, str]:
    """One text of a job in each environment, with references where it follows a parameter."""
    flags = {env: match for env, text in found.items() if (match := _FLAG.fullmatch(text))}
    if len(flags) == len(found) and len({match[1] for match in flags.values()}) == 1:
        inner = {env: match[2] for env, match in flags.items()}
        flag = next(iter(flags.values()))[1]
        return {env: f"{flag}{text}" for env, text in _one(inner, known, flag, folders).items()}
    return _one(found, known, hint, folders)


def _one(found: Mapping[str, str], known: Mapping[str, Values], hint: str, folders: Mapping[str, str]) -> dict[str, str]:
    follows = [name for name in _ORDER if all(text == known[env][name] for env, text in found.items())]
    if len(follows) > 1:
        follows = _meant(follows, hint) or ([] if len(found) == 1 else follows[:1])
    if follows:
        return dict.fromkeys(found, f"{{{{job.parameters.{follows[0]}}}}}")
    # The folder ends with the environment's name.
    made = {}
    for env, text in found.items():
        folder = folders.get(env, "")
        above = folder.rsplit("/", 1)[0]
        made[env] = (
            re.sub(rf"{re.escape(folder)}(?=/|$)", above + "/{{job.parameters.environment}}", text) if folder else text
        )
    return made


def _meant(follows: Sequence[str], hint: str) -> list[str]:
    """Those that the option before the literal names: --schema, secret_scope, env."""
    words = re.findall(r"[a-z]+", hint.lower())
    return [name for name in follows if any(part in words for part in name.split("_")[-1:])] or [
        name for name in follows if name == "environment" and "env" in words
    ]


def resolved(value: Any, given: Values) -> Any:
    """A job's text or tree with the references to the environment's parameters as the values that they stand for."""
    if isinstance(value, str):
        return re.sub(r"\{\{job\.parameters\.(\w+)\}\}", lambda found: given.get(found[1], found[0]), value)
    if isinstance(value, Mapping):
        return {key: resolved(item, given) for key, item in value.items()}
    return [resolved(item, given) for item in value] if isinstance(value, list) else value
