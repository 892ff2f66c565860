"""Run the previews, several stacks at once, and put what the engine and Git say into stories."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from infra.errors import UserError as InfraError
from infra.settings import Settings
from infra.what_if import WHAT_IF
from quantctl.engine import diffs, process
from quantctl.engine.state import States
from quantctl.preview import events
from quantctl.preview.redact import Redactor, secret_values
from quantctl.preview.story import Commits, Story, tell
from quantctl.records.repository import Pipelines, read_pipelines
from quantctl.stack_settings import stack_settings
from quantctl.workspace import Workspace

# Told (environment, words) while a preview runs.
Progress = Callable[[str, str], None]


@dataclass(frozen=True)
class Wanted:
    """One stack to preview. `what_if` is the ref that its branch might move to, `save_plan` where the engine's plan goes.

    `thorough` asks the providers about every resource, even where nothing can have changed.
    """

    environment: str
    what_if: str | None = None
    save_plan: Path | None = None
    thorough: bool = False


def previews(wanted: Sequence[Wanted], states: States, progress: Progress) -> list[Story]:
    """One story for each, in the same order. What fails is a story too; the others go on."""
    redactor = Redactor(secret_values(states.environ))
    pipelines = cache(read_pipelines)
    with ThreadPoolExecutor(min(len(wanted), len(os.sched_getaffinity(0))) or 1) as pool:
        told = list(pool.map(lambda one: _preview(one, states, redactor, progress), wanted))
    stories = []
    for story, settings in told:
        try:
            stories.append(story if settings is None else _with_commits(story, settings, pipelines, redactor))
        except InfraError:
            stories.append(story)  # Git failed meanwhile: the commits' ids are told without their subjects
    return stories


def _preview(one: Wanted, states: States, redactor: Redactor, progress: Progress) -> tuple[Story, Settings | None]:
    env, environ = one.environment, states.environ
    try:
        settings = stack_settings(env, environ)
        with ThreadPoolExecutor(1) as pool:
            left = pool.submit(_left, env, states)
            read = engine_preview(one, environ, redactor, lambda name: progress(env, f"looks at {name}"))
        read = replace(read, warnings=(*left.result(), *_there(env, read, environ), *read.warnings))
    except InfraError as error:
        progress(env, "failed")
        return Story(env, one.what_if, errors=(redactor.text(str(error)),), failed=True), None
    story = tell(env, read, settings, one.what_if, environ)
    progress(env, "failed" if story.failed else f"{story.changes or 'no'} {'change' if story.changes == 1 else 'changes'}")
    return story, settings


def _left(env: str, states: States) -> list[str]:
    """What the last update left, which the next one meets; a state that cannot be read is told by the preview itself."""
    try:
        state = states.of(env)
    except InfraError:
        return []
    way = f"`quantctl repair {env}`, then `quantctl up {env}`" if state.pending else f"`quantctl up {env}` finishes it"
    return [f"{text} ({way})" for text in state.unfinished]


def _there(env: str, read: events.Events, environ: Mapping[str, str]) -> list[str]:
    """Jobs that would be created though one of their name is there: Databricks takes any number of them."""
    names = {str(step.new.get("name")) for step in read.steps if step.op == "create" and step.type == "databricks:Job"}
    if not names:
        return []
    try:
        there = {str((job.get("settings") or {}).get("name")) for job in Workspace(environ).jobs()}
    except InfraError as error:
        return [f"whether the new jobs are there already is unknown: {error}"]
    look = f"`quantctl repair {env}` looks at it"
    return [f"a job {name} is there already and in no state; {look}" for name in sorted(names & there)]


def engine_preview(
    one: Wanted, environ: Mapping[str, str], redactor: Redactor, progress: Callable[[str], None]
) -> events.Events:
    """`pulumi preview` with the policy pack; every resource that is looked at is told to `progress`.

    Raises:
        UserError: there is no engine.
    """
    # --json alone tells no policy results; the stream of events does.
    changed = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true", **({WHAT_IF: one.what_if} if one.what_if else {})}
    changed |= diffs.variables(one.environment, environ, one.thorough)
    words = ["preview", "--json", "-s", one.environment, *process.policy()]
    words += ["--save-plan", str(one.save_plan)] if one.save_plan else []

    def each(line: str) -> None:
        if name := events.progress(line):
            progress(name)

    done = process.run(words, {**environ, **changed}, must=False, each=each)
    read = events.read(done.out.split("\n"), redactor)
    if done.code and not read.errors and not any(violation.mandatory for violation in read.violations):
        said = process.quiet(done.err).strip()
        return replace(read, failed=True, errors=(redactor.text(said or f"pulumi ended with exit status {done.code}"),))
    return replace(read, failed=read.failed or done.code != 0)


def _with_commits(story: Story, settings: Settings, pipelines: Callable[[str], Pipelines], redactor: Redactor) -> Story:
    """The story with the subjects and files between the two commits."""
    commits = story.commits
    if commits is None or commits.old == commits.new:
        return story
    repository = pipelines(settings.remote)
    old, new = commits.old, commits.new
    if not repository.knows(new) or (old and not repository.knows(old)):
        return story
    listed = repository.between(old, new)
    back = bool(old) and not listed
    if back and old:
        listed = repository.between(new, old)
    before, after = repository.blobs(old) if old else {}, repository.blobs(new)
    head = repository.heads.get(settings.branch)
    found = Commits(
        old,
        new,
        subjects=tuple((commit.id[:7], redactor.text(commit.subject)) for commit in listed),
        files=tuple(sorted(path for path in {*before, *after} if before.get(path) != after.get(path))) if old else (),
        back=back,
        diverged=len(repository.between(new, head)) if story.what_if and head else 0,
    )
    return replace(story, commits=found)
