"""The files that a workflow's result depends on: those of its tasks and what they import, transitively. Pure.

Python's own parser reads them; what cannot be followed (another kind of task, an import by a computed name) makes the whole
commit the answer: unknown is never "nothing".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

_ENDINGS = ("", ".py", ".ipynb")
_FOLLOWED = ("spark_python_task", "notebook_task")
_HARMLESS = ("condition_task",)
_COMPUTED = frozenset({"import_module", "__import__", "exec", "eval", "run_path", "run_module", "spec_from_file_location"})
_RUN = re.compile(r"^(?:# MAGIC\s+)?%run\s+(\S+)", re.M)  # https://docs.databricks.com/aws/en/notebooks/notebook-workflows
Read = Callable[[str], bytes]


@dataclass(frozen=True)
class Closure:
    """Paths of the commit; `unknown` is why there may be more, "" when there are not."""

    paths: frozenset[str]
    unknown: str = ""


def closure(job: Mapping[str, Any], folder: str, present: frozenset[str], read: Read) -> Closure:
    """What a job's tasks run. `folder` is the Git folder that the definition's paths begin with."""
    roots: set[str] = set()
    try:
        for task in _tasks(job):
            roots |= set(_roots(task, folder, present))
        found: set[str] = set()
        todo = sorted(roots)
        while todo:
            path = todo.pop()
            if path not in found:
                found.add(path)
                todo += sorted(_needs(path, roots, present, read) - found)
        return Closure(frozenset(found))
    except _Unknown as unknown:
        return Closure(frozenset(), str(unknown))


class _Unknown(Exception):
    """What the job depends on cannot be followed."""


def _tasks(job: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for task in job.get("tasks") or []:
        inner = (task.get("for_each_task") or {}).get("task")
        yield inner or task


def _roots(task: Mapping[str, Any], folder: str, present: frozenset[str]) -> Iterator[str]:
    kinds = [key for key in task if key.endswith("_task")]
    if kinds and set(kinds) <= set(_HARMLESS):
        return
    strange = [kind for kind in kinds if kind not in _FOLLOWED]
    if strange or not kinds:
        raise _Unknown(f"the task {task.get('task_key')} is a {', '.join(strange) or 'task of no kind that is known'}")
    for text in _strings(task):
        rest = _inside(text, folder)
        if rest is None:
            continue
        path = next((rest + ending for ending in _ENDINGS if rest + ending in present), None)
        if path is None:
            raise _Unknown(f"the task {task.get('task_key')} uses {rest}, which is no file of the commit")
        yield path


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)


def _inside(text: str, folder: str) -> str | None:
    path = text.removeprefix("/Workspace")
    return path.removeprefix(f"{folder}/") if path.startswith(f"{folder}/") else None


def _needs(path: str, roots: Iterable[str], present: frozenset[str], read: Read) -> set[str]:
    """Files of the commit that a file imports or names."""
    if not path.endswith(".py"):
        if path.endswith(".ipynb"):
            raise _Unknown(f"{path} is a notebook whose imports are not read")
        return set()
    text = read(path).decode(errors="replace")
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _Unknown(f"{path} cannot be parsed") from None
    here = PurePosixPath(path).parent
    searched = {PurePosixPath(root).parent for root in roots} | {here, PurePosixPath(), PurePosixPath("src")}
    found: set[str] = set()
    for module, base in _imports(tree, here, path):
        for root in [base] if base is not None else searched:
            found |= _files_of(root, module, present)
    for named in _RUN.findall(text):
        whole = _normal(here / named.strip("\"'"))
        hit = next((whole + ending for ending in _ENDINGS if whole + ending in present), None)
        if hit is None:
            raise _Unknown(f"{path} runs {named}, which is no file of the commit")
        found.add(hit)
    return found | _data(tree, present)


def _imports(tree: ast.AST, here: PurePosixPath, path: str) -> Iterator[tuple[str, PurePosixPath | None]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = None
            if node.level:
                base = here
                for _ in range(node.level - 1):
                    base = base.parent
            names = [f"{node.module}.{alias.name}" if node.module else alias.name for alias in node.names]
            yield from ((name, base) for name in [*([node.module] if node.module else []), *names])
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in _COMPUTED:
                raise _Unknown(f"{path} calls {called}, so what it imports is not known")


def _files_of(root: PurePosixPath, module: str, present: frozenset[str]) -> set[str]:
    """The module below a root, with the packages on the way to it."""
    found = set()
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        stem = _normal(root.joinpath(*parts[:length]))
        found |= {path for path in (f"{stem}.py", f"{stem}/__init__.py") if path in present}
    return found


def _data(tree: ast.AST, present: frozenset[str]) -> set[str]:
    """Files of the commit that stand in the source as a text: what is opened, or given to a query."""
    names = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    wanted = {PurePosixPath(name).name for name in names if name and "." in name and len(name) < 300}
    return {path for path in present if not path.endswith((".md", ".rst")) and PurePosixPath(path).name in wanted}


def _normal(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
