"""Which jobs of the four environments are one workflow: by their files and tasks, and by what their names have in common.

Names are decorated in each environment ("PROD - x", "x [STG]"); what all jobs of an environment begin or end with is no
part of the workflow's name. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from quantctl.adopt.model import Job, Look
from quantctl.errors import UserError

_WORDS = re.compile(r"[A-Za-z0-9_.]+")
Member = tuple[str, Job]  # environment and job


@dataclass
class Workflow:
    """One workflow: its name and its job in each environment that has it."""

    name: str
    jobs: dict[str, Job] = field(default_factory=dict)


def paired(looks: Mapping[str, Look], left: Mapping[str, frozenset[int]] | None = None) -> list[Workflow]:
    """The workflows, by name. `left` are jobs by environment that are left alone.

    Raises:
        UserError: two jobs of an environment could be the same workflow, or two workflows would get one name.
    """
    cores: dict[int, str] = {}
    members: list[Member] = []
    for env, look in looks.items():
        jobs = [job for job in look.jobs if job.id not in (left or {}).get(env, frozenset())]
        names = undecorated([job.name for job in look.jobs])
        cores |= {job.id: core for job, core in zip(look.jobs, names, strict=True)}
        members += [(env, job) for job in jobs]
    folders = {env: look.folder.path for env, look in looks.items() if look.folder}
    groups: list[list[Member]] = []
    for member in members:
        _place(member, groups, cores, folders)
    _merge(groups, cores, folders)
    _need_one_each(groups)
    return _named(groups, cores)


def undecorated(names: Sequence[str]) -> list[str]:
    """Names without the words that all of them begin or end with. One name alone shows no decoration."""
    split = [_WORDS.findall(name) for name in names]
    if len(names) < 2:
        return ["_".join(words) for words in split]
    first = next((i for i in range(min(map(len, split))) if len({words[i] for words in split}) > 1), 0)
    last = next((i for i in range(min(map(len, split))) if len({words[-1 - i] for words in split}) > 1), 0)
    kept = [words[first : len(words) - last] or words for words in split]
    return ["_".join(words) for words in kept]


def signature(job: Job, folder: str) -> tuple[frozenset[str], frozenset[str]]:
    """The files that the tasks run, from the repository's root, and the names of the tasks."""
    tasks = job.settings.get("tasks") or []
    return frozenset(_files(tasks, folder)), frozenset(str(task.get("task_key")) for task in tasks)


def _files(value: Any, folder: str) -> list[str]:
    if isinstance(value, str):
        path = value.removeprefix("/Workspace")
        return [path.removeprefix(f"{folder}/")] if path.startswith(f"{folder}/") else []
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [file for item in items for file in _files(item, folder)]


def _place(member: Member, groups: list[list[Member]], cores: Mapping[int, str], folders: Mapping[str, str]) -> None:
    """Into the group of the same name and something in common; else into one of its own."""
    env, job = member
    mine = signature(job, folders.get(env, ""))
    for group in groups:
        other_env, other = group[0]
        theirs = signature(other, folders.get(other_env, ""))
        if cores[job.id].lower() == cores[other.id].lower() and (
            mine == theirs or mine[0] & theirs[0] or mine[1] & theirs[1]
        ):
            group.append(member)
            return
    groups.append([member])


def _merge(groups: list[list[Member]], cores: Mapping[int, str], folders: Mapping[str, str]) -> None:
    """Groups of other names become one where files and tasks are the same and no other group could be meant."""
    while True:
        candidates = [
            (one, other)
            for one, other in combinations(groups, 2)
            if not {env for env, _ in one} & {env for env, _ in other} and _alike(one, other, folders)
        ]
        alone = [
            (one, other)
            for one, other in candidates
            if sum(one in pair for pair in candidates) == 1 and sum(other in pair for pair in candidates) == 1
        ]
        if not alone:
            break
        one, other = alone[0]
        groups.remove(other)
        one += other
    if candidates:
        one, other = candidates[0]
        raise UserError(
            "Jobs that two workflows could claim: "
            + "; ".join(f"{env}: {job.name} ({job.id})" for env, job in (*one, *other, *_third(candidates, one, other)))
            + ". They run the same files with the same tasks, under different names.",
            do_next="call those that belong together alike in the environments, or delete those that nobody needs",
        )


def _third(candidates: list[tuple[list[Member], list[Member]]], one: list[Member], other: list[Member]) -> list[Member]:
    return next((group for pair in candidates[1:] for group in pair if group not in (one, other)), [])


def _alike(one: list[Member], other: list[Member], folders: Mapping[str, str]) -> bool:
    (env, job), (other_env, other_job) = one[0], other[0]
    return signature(job, folders.get(env, "")) == signature(other_job, folders.get(other_env, ""))


def _need_one_each(groups: list[list[Member]]) -> None:
    for group in groups:
        for env in {env for env, _ in group}:
            jobs = [job for other, job in group if other == env]
            if len(jobs) > 1:
                raise UserError(
                    f"{env}: two jobs could be one workflow: " + ", ".join(f"{job.name} ({job.id})" for job in jobs) + ".",
                    expected="one job of a name and of the same files in each environment",
                    do_next="rename one in the workspace, or delete the one that nobody needs (its runs say which)",
                )


def _named(groups: list[list[Member]], cores: Mapping[int, str]) -> list[Workflow]:
    found: dict[str, Workflow] = {}
    for group in groups:
        name = file_name(common([cores[job.id] for _, job in group]) or cores[group[0][1].id])
        if name in found:
            theirs = next(iter(found[name].jobs.values()))
            raise UserError(
                f"Two workflows would be called {name}: {theirs.name} ({theirs.id}) and {group[0][1].name}"
                f" ({group[0][1].id}).",
                do_next="rename one of them in the workspace",
            )
        found[name] = Workflow(name, dict(group))
    return [found[name] for name in sorted(found)]


def common(names: Sequence[str]) -> str:
    """The longest run of words that all names have, as names of other words for one workflow are rare."""
    split = [name.split("_") for name in names]
    first = min(split, key=len)
    for length in range(len(first), 0, -1):
        for start in range(len(first) - length + 1):
            part = first[start : start + length]
            if all(any(words[i : i + length] == part for i in range(len(words))) for words in split):
                return "_".join(part)
    return ""


def file_name(name: str) -> str:
    """A name that is a file's and a job's: letters, digits, _, - and dots within."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("._-") or "workflow"
