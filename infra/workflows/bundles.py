"""Asset Bundles: a root file with what it includes, laid over by the target of an environment. Pure.

https://docs.databricks.com/dev-tools/bundles/settings, and databricks/cli, bundle/config (loading, targets, merging)
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.vocabulary import Environment
from infra.workflows.document import Map, Seq, copied, read
from infra.workflows.format import OF_THE_ENVIRONMENT
from infra.workflows.merge import entries_joined, laid_over
from infra.workflows.places import From
from infra.workflows.problems import Mark, Problem, Refused, nearest, one_of, quoted
from infra.workflows.references import CURRENT_USER, References
from infra.workflows.scene import Note, Scene
from infra.workflows.written import Written

ROOTS = ("databricks.yml", "databricks.yaml", "bundle.yml", "bundle.yaml")
_FILES = (".yml", ".yaml", ".json")
_MERGED = ("bundle", "workspace", "resources")
# What a bundle says beside its jobs and what is the environment's here, or the bundle tool's own.
_SET_ASIDE = (
    "artifacts", "experimental", "git", "mode", "permissions", "presets", "run_as", "scripts", "sync", "workspace",
)  # fmt: skip
_KNOWN = (*_SET_ASIDE, "bundle", "environments", "include", "python", "resources", "targets", "variables")
_OF_TARGETS = (*_KNOWN, "cluster_id", "compute_id", "default")
_NO_TARGET = "none of its targets is this environment, so it is read without one; quant:bundleTargets says which one is."


@dataclass
class Bundle:
    """A bundle as it is written: everything but its targets is merged. `root` is its folder."""

    path: str
    config: Map
    pasted: bool = False
    files: set[str] = field(default_factory=set)
    wrong: list[Problem] = field(default_factory=list)

    @property
    def root(self) -> str:
        """The bundle's folder in the repository."""
        return posixpath.dirname(self.path)

    @property
    def targets(self) -> Map:
        """What each target changes."""
        said = self.config.get("targets", self.config.get("environments"))
        return said if isinstance(said, Map) else Map(Mark(self.path))


def is_bundle(value: object) -> bool:
    """Whether a file is one of a bundle."""
    return isinstance(value, Map) and bool({"bundle", "resources", "targets", "include"} & value.keys())


def load(path: str, value: Map, files: Mapping[str, bytes], present: Iterable[str], pasted: bool = False) -> Bundle:
    """The root file with what it includes."""
    bundle = Bundle(path, value, pasted, {path})
    wrong = bundle.wrong
    for name, mark in _included(bundle, present):
        bundle.files.add(name)
        try:
            part = read(name, files[name])
        except KeyError:
            wrong.append(Problem(mark, "include", f"{name} cannot be read."))
            continue
        except Refused as error:
            wrong.extend(error.problems)
            continue
        if part is None:
            continue
        if not isinstance(part, Map):
            wrong.append(Problem(Mark(name), "", f"found {quoted(part)}, expected the keys of a bundle."))
            continue
        wrong.extend(_twice(bundle.config, part))
        bundle.config = laid_over(bundle.config, part)
    for key in bundle.config:
        # What is no key of a bundle holds anchors, as the templates for machine learning have them; a slip is told.
        if key not in _KNOWN and (near := nearest(key, _KNOWN, 0.8)):
            wrong.append(Problem(bundle.config.marks[key], key, f"unknown key of a bundle; did you mean {near}?"))
    return bundle


def _included(bundle: Bundle, present: Iterable[str]) -> list[tuple[str, Mark]]:
    """The files that `include` names; a pattern's * stays within one folder, ** too, as the bundle tool has it."""
    said = bundle.config.get("include")
    if said is None:
        return []
    if not isinstance(said, Seq):
        bundle.wrong.append(Problem(bundle.config.marks["include"], "include", f"found {quoted(said)}, expected a list."))
        return []
    candidates = sorted(path for path in present if path.endswith(_FILES))
    found: dict[str, Mark] = {}
    for pattern, mark in zip(said, said.marks, strict=True):
        if not isinstance(pattern, str):
            bundle.wrong.append(Problem(mark, "include", f"found {quoted(pattern)}, expected a file or a pattern."))
            continue
        whole = posixpath.normpath(posixpath.join(bundle.root, pattern))
        matcher = re.compile(_as_expression(whole))
        names = [name for name in candidates if matcher.fullmatch(name)]
        if not names and not re.search(r"[*?\[]", pattern):
            said_ = f"{quoted(pattern)} is not in the commit; {one_of(whole, candidates)}"
            bundle.wrong.append(Problem(mark, "include", said_))
        found |= {name: mark for name in names if name != bundle.path and name not in found}
    return list(found.items())


def _as_expression(pattern: str) -> str:
    made = ""
    for part in re.findall(r"\*+|\?|\[[^\]/]+\]|[^*?\[]+|\[", pattern):
        if part.startswith("*"):
            made += "[^/]*"
        elif part == "?":
            made += "[^/]"
        elif part.startswith("[") and len(part) > 1:
            made += "[" + ("^" if part[1] in "!^" else "") + re.escape(part[1:-1].lstrip("!^")).replace(r"\-", "-") + "]"
        else:
            made += re.escape(part)
    return made


def _twice(config: Map, part: Map) -> list[Problem]:
    """A resource that two files define."""
    wrong = []
    for kind, ones in _resources(part):
        known = dict(_resources(config)).get(kind, Map(Mark("")))
        for key in ones:
            if key in known:
                at = known.marks[key]
                text = f"already stands in {at.file}, line {at.line}; keys differ."
                wrong.append(Problem(ones.marks[key], f"resources.{kind}.{key}", text))
    return wrong


def _resources(config: Map) -> list[tuple[str, Map]]:
    resources = config.get("resources")
    if not isinstance(resources, Map):
        return []
    return [(kind, ones) for kind, ones in resources.items() if isinstance(ones, Map)]


def target_of(bundle: Bundle, scene: Scene) -> str | None:
    """The target that is the environment: said in quant:bundleTargets, or of its name.

    Raises:
        Refused: two targets are the same environment.
    """
    environment = scene.settings.environment
    said = [name for name, one in scene.settings.bundle_targets.items() if one is environment and name in bundle.targets]
    if len(said) > 1:
        text = f"the targets {', '.join(sorted(said))} are all {environment} by quant:bundleTargets; one is."
        raise Refused([Problem(bundle.targets.mark, "targets", text)])
    return said[0] if said else environment.value if environment.value in bundle.targets else None


def jobs_of(bundle: Bundle, scene: Scene) -> tuple[list[Written], list[Note], list[Problem]]:
    """The jobs of a bundle in an environment, what was set aside, and what is wrong."""
    wrong: list[Problem] = list(bundle.wrong)
    try:
        target = target_of(bundle, scene)
    except Refused as error:
        return [], [], [*wrong, *error.problems]
    notes = []
    config = bundle.config
    if target is not None:
        if isinstance(bundle.targets[target], Map):
            config = _with_target(bundle, target, wrong)
        elif bundle.targets[target] is not None:
            at = bundle.targets.marks[target]
            wrong.append(
                Problem(at, f"targets.{target}", f"found {quoted(bundle.targets[target])}, expected keys of a target.")
            )
    elif bundle.targets and not (bundle.pasted and set(bundle.targets) <= set(Environment)):
        notes.append(Note(Mark(bundle.path), _NO_TARGET))
    if bundle.pasted and target is None:
        wrong.extend(_unknown_targets(bundle, scene))
    found = _jobs(config, wrong)
    keys = {key: key for key in found}
    folder = "/".join(part for part in (scene.folder, bundle.root) if part)
    references = References(config, scene.settings, target or scene.settings.environment.value, folder, keys)
    start = From(bundle.root, pasted=bundle.pasted)
    aside = _set_aside(bundle, config, target)
    made: list[Written] = []
    for key, (job, mark) in found.items():
        one = entries_joined(job)
        aside |= {name for name in OF_THE_ENVIRONMENT if one.pop(name, None) is not None}
        aside |= _without_deploying_user(one)
        foreign: list[Problem] = []
        resolved = references.resolved(one, foreign, wrong, mark, f"resources.jobs.{key}")
        if foreign:
            at = foreign[0].mark
            notes.append(Note(at, f"the job {key} is left out: {foreign[0].key} {foreign[0].text}", warns=True, job=key))
        elif isinstance(resolved, Map):
            if resolved.get("name") is None:
                resolved.put("name", key, mark)
            made.append(Written(key, mark, resolved, start, lenient=True))
    if aside:
        said = ", ".join(
            f"{name} ({OF_THE_ENVIRONMENT[name]})" if name in OF_THE_ENVIRONMENT else name for name in sorted(aside)
        )
        notes.append(Note(Mark(bundle.path), f"set aside, because the environment says it: {said}."))
    if other := sorted(kind for kind, ones in _resources(config) if kind != "jobs" and ones):
        notes.append(Note(Mark(bundle.path), f"only jobs are deployed from here; not deployed: {', '.join(other)}."))
    if "python" in config:
        notes.append(Note(config.marks["python"], "jobs that Python code makes are not read.", warns=True))
    return made, notes, wrong


def _with_target(bundle: Bundle, name: str, wrong: list[Problem]) -> Map:
    """The bundle, and over it what the target says. Its variables are replaced, not merged."""
    target: Map = bundle.targets[name]
    config: Map = copied(bundle.config)
    for key, value in target.items():
        if key not in _OF_TARGETS:
            text = f"unknown key of a target; {one_of(key, _OF_TARGETS)}"
            wrong.append(Problem(target.marks[key], f"targets.{name}.{key}", text))
        elif key in _MERGED:
            config.put(key, laid_over(config.get(key), value), target.marks[key])
        elif key == "variables" and isinstance(value, Map):
            declared = config.get("variables")
            variables: Map = declared if isinstance(declared, Map) else Map(value.mark)
            for one, said in value.items():
                variables.put(one, said, value.marks[one])
            config.put("variables", variables, target.marks[key])
    return config


def _jobs(config: Map, wrong: list[Problem]) -> dict[str, tuple[Map, Mark]]:
    resources = config.get("resources")
    if resources is None:
        return {}
    jobs = resources.get("jobs") if isinstance(resources, Map) else resources
    if jobs is None:
        return {}
    if not isinstance(jobs, Map):
        at = config.marks["resources"]
        wrong.append(Problem(at, "resources", f"found {quoted(jobs)}, expected jobs and others by their key."))
        return {}
    found = {}
    for key, job in jobs.items():
        if isinstance(job, Map):
            found[key] = (job, jobs.marks[key])
        else:
            at = jobs.marks[key]
            wrong.append(Problem(at, f"resources.jobs.{key}", f"found {quoted(job)}, expected keys of a job."))
    return found


def _unknown_targets(bundle: Bundle, scene: Scene) -> list[Problem]:
    """In a workflow file a target is an environment, by its name or by quant:bundleTargets."""
    known = [*Environment, *scene.settings.bundle_targets]
    return [
        Problem(bundle.targets.marks[name], f"targets.{name}", f"not an environment; {one_of(name, known)}")
        for name in bundle.targets
        if name not in known
    ]


def _set_aside(bundle: Bundle, config: Map, target: str | None) -> set[str]:
    changed = bundle.targets.get(target) if target else None
    said = set(config) | (set(changed) if isinstance(changed, Map) else set())
    return {key for key in _SET_ASIDE if key in said}


def _without_deploying_user(job: Map) -> set[str]:
    """Mail to whoever deploys: that is a service principal here. Returns what was set aside."""
    found, tasks = set(), job.get("tasks")
    for holder in (job, *(task for task in (tasks if isinstance(tasks, Seq) else ()) if isinstance(task, Map))):
        mails: Any = holder.get("email_notifications")
        for when, people in list(mails.items()) if isinstance(mails, Map) else ():
            if isinstance(people, Seq) and CURRENT_USER in people:
                kept = [(one, at) for one, at in zip(people, people.marks, strict=True) if one != CURRENT_USER]
                mails.put(when, Seq(people.mark, (one for one, _ in kept), (at for _, at in kept)), mails.marks[when])
                found.add("mail to whoever deploys")
    return found
