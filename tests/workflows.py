"""Reading definitions in tests: files in, jobs or words out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from infra.naming import names_of
from infra.workflows import Reading, Refused, read_definitions
from tests.test_settings import read

FILE = {"python_file": "src/a.py"}
MINIMAL: dict[str, Any] = {"name": "factor_returns", "tasks": [{"task_key": "compute", "spark_python_task": FILE}]}
PRESENT = ("src/a.py", "src/b.py", "src/note.ipynb", "src/both.py", "src/both.ipynb", "dist/own.whl", "requirements.txt")


def written(content: Any) -> bytes:
    """A file's content; what is no text is written as YAML."""
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)).encode()


def reading(
    files: Mapping[str, Any], stack: str = "quant_stg", present: tuple[str, ...] = PRESENT, **changed: Any
) -> Reading:
    """What a stack makes of files (path -> content); `changed` are settings."""
    settings = read(stack, **{key: value if isinstance(value, str) else json.dumps(value) for key, value in changed.items()})
    content = {path: written(one) for path, one in files.items()}
    return read_definitions(content, frozenset({*present, *content}), settings, names_of(settings))


def expand(*files: Any, stack: str = "quant_stg", **changed: Any) -> list[dict[str, Any]]:
    """The jobs of workflow files."""
    named = {f"workflows/{number}.yml": file for number, file in enumerate(files)}
    return [one.job for one in reading(named, stack, **changed).workflows]


def refusal(*files: Any, stack: str = "quant_stg", **changed: Any) -> str:
    """What is said of workflow files that are wrong."""
    with pytest.raises(Refused) as raised:
        expand(*files, stack=stack, **changed)
    return str(raised.value)


def refused(files: Mapping[str, Any], stack: str = "quant_stg", **changed: Any) -> str:
    """The same for files by their paths."""
    with pytest.raises(Refused) as raised:
        reading(files, stack, **changed)
    return str(raised.value)


def job(*tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A job of tasks that run a file, each with what it adds; one plain task without any."""
    made = [{"task_key": f"t{number}", "spark_python_task": FILE, **task} for number, task in enumerate(tasks or ({},))]
    return {"name": "one", "tasks": made, **more}


def task(kind: str, **keys: Any) -> dict[str, Any]:
    """A job of one task of a kind."""
    return {"name": "one", "tasks": [{"task_key": "t", kind: keys}]}
