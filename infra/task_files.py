"""Where a job points to a file of the repository: made absolute, in the environment's folder. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from typing import Any

from infra.errors import UserError
from infra.job_format import Json

_NOTEBOOK = re.compile(r"\.(py|sql|ipynb|scala|r)$", re.I)


def place(path: str, job: Json, present: frozenset[str], folder: str) -> None:
    """Change the job in place. Paths are relative to the repository's root, with ./ or ../ to the workflow file.

    Raises:
        UserError: the commit does not hold the file; names workflow file, key and path.
    """
    for where, holder, key in _places(job):
        written = holder[key]
        if not isinstance(written, str) or written.startswith("/") or re.match(r"[A-Za-z0-9]+:/", written):
            continue  # already somewhere else: /Workspace/..., /Volumes/..., dbfs:/, s3://
        found = next((file for file in _meant(path, written) if _is_there(file, key, present)), None)
        if found is None:
            raise UserError(
                f"{path}: {where}.{key}: {written!r} is not in the commit; paths are relative to the repository's root, for"
                " example src/factor_returns.py, or begin with ./ or ../ and are relative to this file."
            )
        # A notebook is a .py file in Git and has no extension in the workspace.
        holder[key] = f"/Workspace{folder}/{_NOTEBOOK.sub('', found) if key == 'notebook_path' else found}".rstrip("/")
    for environment in job.get("environments") or []:
        dependencies = (environment.get("spec") or {}).get("dependencies") or []
        for index, one in enumerate(dependencies):
            meant = next((file for file in _meant(path, one) if file in present), None)
            if meant is not None:  # anything else is a requirement of pip
                dependencies[index] = f"/Workspace{folder}/{meant}"
    for task in _tasks(job):
        for kind in task.values():
            if isinstance(kind, dict) and kind.get("source") == "GIT":
                raise UserError(
                    f"{path}: tasks.{task['task_key']}: source: GIT is not kept: jobs run the files of the environment's"
                    " Git folder; leave source out."
                )


def _meant(path: str, written: str) -> Iterator[str]:
    """The paths from the root that `written` may mean."""
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(path), written))
    if not written.startswith(("./", "../")):
        yield posixpath.normpath(written)
    yield beside  # Asset Bundles are always relative to the file


def _is_there(file: str, key: str, present: frozenset[str]) -> bool:
    if key == "project_directory":
        return file == "." or any(name.startswith(f"{file}/") for name in present)
    if key == "notebook_path":
        return any(f"{file}{ending}" in present for ending in ("", ".py", ".ipynb", ".sql", ".scala", ".r", ".R"))
    return file in present


def _places(job: Json) -> Iterator[tuple[str, Json, str]]:
    """Every object that names a file, with its key."""
    kinds: list[tuple[str, Callable[[Json], Any], str]] = [
        ("spark_python_task", lambda task: task.get("spark_python_task"), "python_file"),
        ("notebook_task", lambda task: task.get("notebook_task"), "notebook_path"),
        ("dbt_task", lambda task: task.get("dbt_task"), "project_directory"),
        ("sql_task.file", lambda task: (task.get("sql_task") or {}).get("file"), "path"),
    ]
    for task in _tasks(job):
        where = f"tasks.{task['task_key']}"
        for kind, holder, key in kinds:
            if (found := holder(task)) and found.get(key):
                yield f"{where}.{kind}", found, key
        for library in task.get("libraries") or []:
            for key in ("whl", "jar", "egg", "requirements"):
                if library.get(key):
                    yield f"{where}.libraries", library, key


def _tasks(job: Json) -> Iterator[Json]:
    """The tasks, and what a for-each task repeats."""
    for task in job["tasks"]:
        yield task
        inner = (task.get("for_each_task") or {}).get("task")
        if inner:
            yield inner
