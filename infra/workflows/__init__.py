"""Workflow definitions: native files, bundles and exports of a commit, and what an environment makes of them. Pure.

A file below `workflows/` holds one job, with the keys of `jobs/create` (Jobs API 2.2) and `per_environment`, or an export of
`databricks jobs get`; a databricks.yml is an Asset Bundle, wherever it lies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from infra.naming import Names
from infra.settings import Settings
from infra.workflows.document import Json
from infra.workflows.format import fields
from infra.workflows.problems import Problem, Refused
from infra.workflows.reading import Definitions, Reading, Workflow, is_definition
from infra.workflows.scene import Note, Scene

__all__ = [
    "Definitions", "Files", "Note", "Problem", "Reading", "Refused", "Scene", "Workflow", "allowed_keys", "read_definitions",
    "read_workflows", "workflow_files",
]  # fmt: skip


def workflow_files(paths: Iterable[str], folder: str) -> list[str]:
    """The files of a commit that are read by themselves: all below the workflows folder, and roots of bundles."""
    return [path for path in paths if is_definition(path, folder)]


class Files(Mapping[str, bytes]):
    """The definitions of a commit, each read when it is asked for: a bundle names what it includes."""

    def __init__(self, paths: Iterable[str], folder: str, read: Callable[[list[str]], Mapping[str, bytes]]) -> None:
        self._all = frozenset(paths)
        self._listed = dict.fromkeys(workflow_files(sorted(self._all), folder))
        self._read = read
        self._known: dict[str, bytes] = {}

    def __getitem__(self, path: str) -> bytes:
        if path not in self._all:
            raise KeyError(path)
        if path not in self._known:  # all that are listed at once: a question to Git for each would cost a process
            self._known |= self._read(list(self._listed) if path in self._listed else [path])
        return self._known[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)


def read_definitions(files: Mapping[str, bytes], present: frozenset[str], settings: Settings, names: Names) -> Reading:
    """What an environment makes of the definitions of a commit (path -> content), and what is right to know.

    `present` holds every path of the commit, so that a task whose file is missing is refused here.

    Raises:
        Refused: one line a problem: file, line, key, what was found, what is allowed.
    """
    return Definitions(files, present, settings.workflows).read(Scene(settings, names, present))


def read_workflows(files: Mapping[str, bytes], present: frozenset[str], settings: Settings, names: Names) -> list[Json]:
    """The same, as Jobs API settings alone, sorted by name."""
    return [one.job for one in read_definitions(files, present, settings, names).workflows]


def allowed_keys() -> list[str]:
    """What a job may say in a workflow file."""
    return sorted([*fields("Job"), "per_environment"])
