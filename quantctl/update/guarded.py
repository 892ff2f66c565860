"""`quantctl up ENV`: the guarded update of one stack. What is shown, or was reviewed, is what runs; else nothing does."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from shlex import quote

import typer

from infra.errors import UserError as InfraError
from infra.outside.branch import take_snapshot
from infra.what_if import REVIEWED, WHAT_IF
from quantctl.engine import plan, planned, stacks
from quantctl.engine.lock.locks import Locked
from quantctl.engine.plan import Plan
from quantctl.engine.state import States
from quantctl.errors import UserError
from quantctl.forge import connect
from quantctl.preview.note import section, title
from quantctl.preview.redact import Redactor, secret_values
from quantctl.preview.run import Progress, Wanted, previews
from quantctl.preview.story import Story
from quantctl.promotion.deploy import make_ready, record_updates, settle_planned
from quantctl.stack_settings import stack_settings
from quantctl.text.links import folder_page
from quantctl.text.terminal import Console
from quantctl.update.whole import whole
from quantctl.workspace import Workspace


def save(one: Wanted, environ: Mapping[str, str], file: Path, progress: Progress) -> Story:
    """Preview and keep the plan in `file`; a preview that fails or that a policy refuses leaves none.

    Raises:
        UserError: the state cannot be read, or the plan would hold a secret in plain text.
    """
    story, made = _preview(one, States(environ), progress)
    if made is not None:
        plan.write(file, made)
    return story


def update(
    env: str,
    file: Path | None,
    yes: bool,
    environ: Mapping[str, str],
    console: Console,
    told: Callable[[], AbstractContextManager[Progress]],
) -> None:
    """Run the reviewed plan in `file`, or preview, show and ask; then update. `told` shows progress.

    Raises:
        UserError: something is not as it was reviewed, nobody can be asked, or the update fails.
    """
    if environ.get(WHAT_IF):
        raise UserError(f"{WHAT_IF} is for previews.", found=environ[WHAT_IF], do_next=f"unset {WHAT_IF}")
    if not yes and not sys.stdin.isatty():
        raise UserError("Nobody can be asked here.", do_next=f"quantctl up {env} --yes, after a review")
    states = States(environ)
    with told() as progress:
        make_ready(env, states, lambda text: progress(env, text))
        if file is None and planned.needs_a_look(env, states):
            settle_planned(env, states, lambda text: progress(env, text))
    if file is None:
        with told() as progress:
            story, made = _preview(Wanted(env), states, progress)
            if made is not None and _settle(env, made, states, progress):
                story, made = _preview(Wanted(env), states, progress)
        console.print(section(story), markup=False, highlight=False, soft_wrap=True)
        if made is None:
            raise UserError(f"{env} is not updated: {title([story])}.", do_next="fix what the preview names")
    else:
        made = plan.read(file, env)
        _need_same(env, file, made, states)
        with told() as progress:
            if _settle(env, made, states, progress):
                raise UserError(
                    f"{env} is not updated: what a failed update had made is in its state now, so the plan is stale.",
                    do_next=_again(env, file),
                )
        console.print(f"Reviewed: {made.title}", markup=False, highlight=False, soft_wrap=True)
    if not yes and not typer.confirm(f"Update {env} to commit {made.facts.commit[:12]}?"):
        raise UserError(f"{env} is not updated.", do_next=f"`quantctl up {env}` when it is time")
    if not yes:
        states = States(environ)  # while a person read, somebody else may have updated
    with told() as progress:
        begin = partial(_apply, env, file, made, environ, progress)
        result = whole(env, states, begin, lambda text: progress(env, text))
    _done(env, made, result, environ, console)


def _settle(env: str, made: Plan, states: States, progress: Progress) -> int:
    """Take in what is there already of what the plan would create, and is surely ours; how much."""
    return planned.settle(env, planned.creates_of_plan(made.engine), states, lambda text: progress(env, text))


def _preview(one: Wanted, states: States, progress: Progress) -> tuple[Story, Plan | None]:
    env, environ = one.environment, states.environ
    # Before the preview: a state that moves on while it runs is not what was previewed.
    remote = stack_settings(env, environ).remote
    before = plan.facts(env, "", remote, states)
    with tempfile.TemporaryDirectory(prefix="quant-plan.") as folder:
        kept = Path(folder) / "plan.json"
        [story] = previews([replace(one, save_plan=kept)], states, progress)
        if story.failed or story.refused or story.commits is None:
            return story, None
        engine = json.loads(kept.read_text())
    secrets = Redactor(secret_values(environ))
    if found := {place for place, text in plan.plain_texts(engine) if secrets.holds_secret(text)}:
        raise UserError(
            "The plan is not kept: it would hold a secret in plain text.",
            found=", ".join(sorted(found)),
            expected="secrets in the secret scope alone; jobs read them when they run",
            do_next="take it out of the workflow file or the setting, and replace it where it counts: it has leaked",
        )
    return story, Plan(replace(before, commit=story.commits.new), title([story]), engine)


def _need_same(env: str, file: Path, made: Plan, states: States) -> None:
    settings = stack_settings(env, states.environ)
    head = take_snapshot(settings.remote, settings.branch).commit
    if found := plan.differences(made.facts, plan.facts(env, head, settings.remote, states)):
        raise UserError(
            f"{env} is not updated: what would run is not what was reviewed. Nothing was changed.\n  "
            + "\n  ".join(f"- {text}" for text in found),
            do_next=_again(env, file),
        )


def _apply(env: str, file: Path | None, made: Plan, environ: Mapping[str, str], progress: Progress) -> stacks.Result:
    """The engine's update, held to plan and commit; it previews first, so what differs is seen before it begins."""
    progress(env, "looks at the plan")
    begun = False

    def step(text: str) -> None:
        nonlocal begun
        begun = True  # the engine tells steps of the update, none of its preview
        progress(env, f"looks at {text}")

    with tempfile.TemporaryDirectory(prefix="quant-plan.") as folder:
        file = Path(folder) / "plan.json"
        file.touch(0o600)
        file.write_text(json.dumps(made.engine))
        held = {**environ, REVIEWED: made.facts.commit}
        try:
            result = stacks.up(env, held, step, ("--plan", str(file)))
        except Locked:
            raise
        except UserError as error:
            progress(env, "failed")
            raise explained(env, file, str(error), begun) from None
    progress(env, "is updated")
    return result


def explained(env: str, file: Path | None, said: str, begun: bool) -> UserError:
    """What the engine said of a failed update; told apart is what was stopped because it was not reviewed. Pure."""
    if "violates plan" not in said and "since the review" not in said:
        return UserError(said)
    changed = "The update had begun: something may have been changed" if begun else "Nothing was changed"
    return UserError(
        f"{env} is not updated as reviewed: what would run is not what was reviewed. {changed}.",
        found=said[max(said.find("error:"), 0) :].partition("\n\n")[0],
        do_next=_again(env, file),
    )


def _again(env: str, file: Path | None) -> str:
    if file is None:
        return f"`quantctl up {env}`, which previews again and asks"
    name = quote(str(file))
    return f"`quantctl preview {env} --save-plan {name}`, review it again, then `quantctl up {env} --plan {name}`"


def _done(env: str, made: Plan, result: stacks.Result, environ: Mapping[str, str], console: Console) -> None:
    """After a successful update; the one place where a deployment is known to have happened."""
    try:
        settings = stack_settings(env, environ)
        record_updates([settings], Workspace(environ), connect(settings, environ))
    except InfraError as error:  # it is deployed all the same
        print(f"{env} is deployed, and that is not on record (quantctl history): {error}", file=sys.stderr)
    counts = ", ".join(f"{number} {what}" for what, number in result.counts.items())
    console.print(f"{env} is at commit {made.facts.commit[:12]}: {counts or 'done'}.", markup=False, highlight=False)
    if page := _page(env, environ):
        console.print(page, markup=False, highlight=False, soft_wrap=True)


def _page(env: str, environ: Mapping[str, str]) -> str:
    """The Git folder's page in the workspace; empty where it cannot be asked now."""
    try:
        folder = Workspace(environ).git_folder(stack_settings(env, environ).folder)
    except InfraError:
        return ""
    return folder_page(environ, folder.id) if folder else ""
