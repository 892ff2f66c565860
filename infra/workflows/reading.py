"""All definitions of a commit: which files there are, what each is, and the jobs that an environment makes of them. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.vocabulary import Environment
from infra.workflows import bundles
from infra.workflows.document import Json, Map, read
from infra.workflows.expand import checked, expanded, misplaced
from infra.workflows.format import JOB_ID
from infra.workflows.native import native
from infra.workflows.problems import Mark, Problem, Refused, one_of, quoted
from infra.workflows.rules import cycle
from infra.workflows.scene import Note, Scene
from infra.workflows.written import Written

_READ = (".yml", ".yaml", ".json")
_JOB = ("name", "tasks", "settings", "job_id", "resources", "targets", "bundle", "per_environment", "schedule")


@dataclass(frozen=True)
class Workflow:
    """One job of an environment. `key` is its logical name, `job` Jobs API settings, `runs` the jobs whose ids it needs."""

    key: str
    file: str
    job: Json
    runs: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """What its author calls it."""
        return str(self.job["name"])


@dataclass(frozen=True)
class Reading:
    """What an environment makes of a commit's definitions, and what is right to know about it."""

    workflows: list[Workflow]
    notes: list[Note] = field(default_factory=list)


def is_definition(path: str, folder: str) -> bool:
    """Whether a file of the commit is read by itself: it lies below the workflows folder, or is a bundle's root."""
    if posixpath.basename(path) in bundles.ROOTS:
        return not any(part.startswith(".") or "{{" in part for part in path.split("/"))
    return path.startswith(f"{folder}/") and path.endswith(_READ)


class Definitions:
    """The files of a commit, parsed once for all environments.

    `files` answers for any path of `present`; the ones it lists are read by themselves.
    """

    def __init__(self, files: Mapping[str, bytes], present: frozenset[str], folder: str) -> None:
        self._files, self._present, self._folder = files, present, folder
        self.wrong: list[Problem] = []
        self.notes: list[Note] = []
        self._bundles: list[bundles.Bundle] = []
        self._natives: list[Written] = []
        self._checked: dict[str, tuple[dict[str | None, Map], list[Problem]]] = {}
        parsed: dict[str, Map] = {}
        roots = [path for path in sorted(files) if posixpath.basename(path) in bundles.ROOTS]
        for path in roots:
            self._root(path)
        self._in_bundles = {name for bundle in self._bundles for name in bundle.files}
        for path in sorted(set(files) - set(roots) - self._in_bundles):
            if not is_definition(path, folder) or self._below_a_bundle(path):
                continue
            if (value := self._parsed(path)) is not None:
                parsed[path] = value
        for path, value in parsed.items():
            self._workflow_file(path, value)

    def _root(self, path: str) -> None:
        value = self._parsed(path)
        if bundles.is_bundle(value):
            assert isinstance(value, Map)
            self._bundles.append(bundles.load(path, value, self._files, self._present))

    def _below_a_bundle(self, path: str) -> bool:
        """A folder of workflows/ that has a bundle's root is that bundle's alone."""
        roots = {bundle.root for bundle in self._bundles}
        return any(f"{root}/".startswith(f"{self._folder}/") and path.startswith(f"{root}/") for root in roots)

    def _parsed(self, path: str) -> Map | None:
        try:
            value = read(path, self._files[path])
        except Refused as error:
            self.wrong.extend(error.problems)
            return None
        if isinstance(value, Map):
            return value
        self.wrong.append(
            Problem(Mark(path), "", f"found {quoted(value)}, expected the keys of one job (name, tasks, ...).")
        )
        return None

    def _workflow_file(self, path: str, value: Map) -> None:
        if path.endswith(".json") and not set(_JOB) & value.keys():
            return  # a schema, or data: named with what is not read
        self._in_bundles.add(path)
        if bundles.is_bundle(value):
            self._bundles.append(bundles.load(path, value, self._files, self._present, pasted=True))
            return
        inside = path.removeprefix(f"{self._folder}/")
        try:
            written, notes = native(posixpath.splitext(inside)[0], path, value)
        except Refused as error:
            self.wrong.extend(error.problems)
            return
        self.notes.extend(notes)
        self._natives.append(written)

    def read(self, scene: Scene) -> Reading:
        """What an environment makes of them.

        Raises:
            Refused: everything that is wrong, each with its place.
        """
        wrong, notes = list(self.wrong), list(self.notes)
        written: list[tuple[Written, Map]] = []
        for one in self._natives:
            if one.key not in self._checked:
                self._checked[one.key] = checked_in_every_environment(one)
            by_environment, problems = self._checked[one.key]
            wrong.extend(problems)
            if not problems and scene.settings.environment.value not in one.absent:
                written.append((one, by_environment.get(scene.settings.environment, by_environment[None])))
                for environment in set(one.overrides) - {scene.settings.environment.value}:
                    other = Scene.of(Environment(environment), scene)
                    wrong.extend(misplaced(one, by_environment[environment], other, environment))
        for bundle in self._bundles:
            found, told, problems = bundles.jobs_of(bundle, scene)
            notes.extend(told)
            wrong.extend(problems)
            for one in found:
                fitted, problems = checked(one, None)
                wrong.extend(problems)
                if not problems:
                    written.append((one, fitted))
        made: list[tuple[Written, Json]] = []
        for one, fitted in written:
            job, problems = expanded(one, fitted, scene)
            wrong.extend(problems)
            if not problems:
                made.append((one, job))
        wrong.extend(_same_names(made))
        workflows, told = _connected(made, wrong, {one.key for one, _ in written}, notes)
        if wrong:
            raise Refused(wrong)
        return Reading(workflows, [*told, *self._unread(made)])

    def _unread(self, made: Iterable[tuple[Written, Json]]) -> Iterator[Note]:
        """Files of the workflows folder that are neither read nor used by a job."""
        used = str([job for _, job in made])
        left = [
            path
            for path in sorted(self._present)
            if path.startswith(f"{self._folder}/")
            and path not in self._in_bundles
            and path not in used
            and posixpath.splitext(path)[0] not in used
        ]
        if left:
            more = f" and {len(left) - 5} more" if len(left) > 5 else ""
            yield Note(
                Mark(self._folder), f"not read: {', '.join(left[:5])}{more}; workflows are .yml, .yaml and .json files."
            )


def checked_in_every_environment(one: Written) -> tuple[dict[str | None, Map], list[Problem]]:
    """Every environment's change is checked in every environment: a mistake is told long before it gets to production."""
    base, problems = checked(one, None)
    found: dict[str | None, Map] = {None: base}
    if not problems:
        for environment in one.overrides:
            found[environment], told = checked(one, environment)
            problems.extend(told)
    return found, problems


def _same_names(made: Iterable[tuple[Written, Json]]) -> Iterator[Problem]:
    keys: dict[str, Written] = {}
    names: dict[str, Written] = {}
    for one, job in made:
        if one.key in keys:
            other = keys[one.key].mark
            text = f"the workflow is called {one.key!r}, as is the one of {_said(other)}; names differ."
            yield Problem(one.mark, "", text)
        elif job["name"] in names:
            text = f"{job['name']!r} is already the name of {_said(names[job['name']].mark)}; names differ."
            yield Problem(one.job.marks.get("name", one.mark), "name", text)
        keys.setdefault(one.key, one)
        names.setdefault(job["name"], one)


def _said(mark: Mark) -> str:
    return f"{mark.file}, line {mark.line}" if mark.line else mark.file


def _connected(
    made: list[tuple[Written, Json]], wrong: list[Problem], known: set[str], notes: list[Note]
) -> tuple[list[Workflow], list[Note]]:
    """The workflows, each with the keys of those that it runs; what runs a job that is left out is left out too."""
    by_name = {job["name"]: one.key for one, job in made}
    keys = {one.key for one, _ in made}
    left_out = {note.job for note in notes if note.job is not None}
    found: dict[str, Workflow] = {}
    for one, job in made:
        runs = set()
        for name in sorted(set(JOB_ID.findall("\n".join(_texts(job))))):
            key = name if name in known | left_out else by_name.get(name)
            if key is None:
                text = f"no workflow is called {name!r}; {one_of(name, sorted(keys))}"
                wrong.append(Problem(one.mark, "run_job_task.job", text))
                continue
            job = _renamed(job, name, key)
            runs.add(key)
        found[one.key] = Workflow(one.key, one.mark.file, job, frozenset(runs))
    if circle := cycle({key: set(one.runs) & keys for key, one in found.items()}):
        mark = next(one.mark for one, _ in made if one.key == circle[0])
        wrong.append(Problem(mark, "", f"the workflows run each other in a circle: {' -> '.join(circle)}."))
    told = list(notes)
    while missing := [workflow for workflow in found.values() if workflow.runs & left_out]:
        for workflow in missing:
            key, needed = workflow.key, sorted(workflow.runs & left_out)[0]
            text = f"the job {key} is left out: it runs {needed}, which is left out."
            told.append(Note(Mark(workflow.file), text, warns=True, job=key))
            left_out.add(key)
            del found[key]
    return sorted(found.values(), key=lambda one: one.name), told


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _renamed(value: Any, name: str, key: str) -> Any:
    """The job with another workflow named by its key, wherever it was named by its display name."""
    if name == key:
        return value
    if isinstance(value, dict):
        return {one: _renamed(item, name, key) for one, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, name, key) for item in value]
    old, new = f"${{resources.jobs.{name}.id}}", f"${{resources.jobs.{key}.id}}"
    return value.replace(old, new) if isinstance(value, str) else value
