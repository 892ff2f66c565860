"""The update of an environment whose branch has moved: run, verified at the workspace, recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from infra.settings import Settings
from infra.what_if import REVIEWED
from quantctl.engine import checkpoint, interrupted, planned, stacks
from quantctl.engine.lock.backend import folder_of, need_free, release_gone
from quantctl.engine.orphans import end_orphans
from quantctl.engine.state import States
from quantctl.errors import UserError
from quantctl.forge import Forge, Person
from quantctl.preview.run import Wanted, previews
from quantctl.preview.story import Story
from quantctl.promotion.move import Say
from quantctl.records import deployments
from quantctl.records.deployments import PREFIXES, Record
from quantctl.records.repository import read_pipelines
from quantctl.text.links import folder_page
from quantctl.update.whole import whole
from quantctl.workspace import Workspace


def preview(env: str, commit: str, states: States, say: Say) -> Story:
    """What the engine would do in `env`, were its branch at `commit`."""
    say(f"previewing {env} at {commit[:12]} ...")
    [story] = previews([Wanted(env, what_if=commit)], states, lambda *_: None)
    return story


def make_ready(env: str, states: States, say: Say) -> None:
    """Clear what an update that was killed or refused has left: processes, a stale lock, what it had begun or wanted.

    Raises:
        UserError: an update runs, something cannot be found out, or the state cannot be read; nothing has been created
            meanwhile.
    """
    environ = states.environ
    checkpoint.need_whole(env, environ)
    checkpoint.need_room(env, environ)
    end_orphans(environ, say)
    for lock in release_gone(env, environ):
        say(f"released the lock of an update that was killed ({lock.owner})")
    if folder_of(environ) is not None:  # elsewhere only the engine sees the lock, and takes its time to say so
        need_free(env, environ)
    interrupted.settle(env, states, say)


def settle_planned(env: str, states: States, say: Say) -> None:
    """Take in what an update that failed had made, before the next one would make it a second time.

    Raises:
        UserError: something is in the way that is not surely ours.
    """
    planned.settle(env, planned.previewed(env, states.environ), states, say)


def finish(
    decision: Record, settings: Settings, workspace: Workspace, who: Person, environ: dict[str, str], say: Say
) -> Record:
    """Update the stack, verify that the workspace reports the commit, and record the deployment of a decision.

    Raises:
        UserError: the update failed, or the folder is elsewhere; the same command goes on from there.
    """
    env, states = decision.environment, States(environ)
    make_ready(env, states, say)
    settle_planned(env, states, say)
    pipelines = read_pipelines(settings.remote, (), settings.signers)
    head = pipelines.head(settings.branch)
    say(f"pulumi up -s {env} ...")
    reviewed = {**environ, REVIEWED: head}
    whole(env, states, lambda: stacks.up(env, reviewed, lambda line: say(f"  {line}")), say)
    folder = workspace.git_folder(settings.folder)
    if folder is None or folder.commit != head:
        raise UserError(
            f"{env} was updated, but the workspace does not report the commit.",
            found=f"the folder {settings.folder} at {folder.commit[:12] if folder else 'nothing'}",
            expected=f"{head[:12]}, the head of {settings.branch}",
            do_next="run the same command again: the branch moved meanwhile, or somebody moved the folder",
        )
    page = folder_page(environ, folder.id)
    say(f"the workspace reports {settings.folder} at {head[:12]}" + (f": {page}" if page else ""))
    done = replace(decision, kind="deployment", at=workspace.now(), commit=head, decision=decision.tag, tag="")
    return replace(done, tag=deployments.write(pipelines, done, who))


def record_updates(settings: Sequence[Settings], workspace: Workspace, forge: Forge) -> list[Record]:
    """Record what is deployed, where the newest record says something else: what `quantctl up` leaves behind.

    Raises:
        UserError: Git or the workspace cannot be asked, or the remote takes no tag of ours.
    """
    pipelines, who, now = (
        read_pipelines(settings[0].remote, PREFIXES, settings[0].signers),
        forge.promoter(),
        workspace.now(),
    )
    written = []
    for one in settings:
        folder, before = workspace.git_folder(one.folder), deployments.last(pipelines, one.environment)
        if folder is None or (before is not None and before.commit == folder.commit) or not pipelines.knows(folder.commit):
            continue
        previous = before.commit if before else None
        record = Record("deployment", one.environment.value, now, folder.commit, previous, str(who), "up")
        written.append(replace(record, tag=deployments.write(pipelines, record, who)))
    return written
