"""Decided, prepared, imported, verified: and undone until the first update. Only `import` and `undo` change a state."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from infra.naming import names_of
from infra.outside.branch import take_snapshot
from infra.settings import Settings
from quantctl import project
from quantctl.adopt import differences, folder, importing, prepare, verify
from quantctl.adopt import look as looking
from quantctl.adopt.decisions import Decisions
from quantctl.adopt.folder import Place
from quantctl.adopt.identity import Declared
from quantctl.adopt.proposing import files_of, need_adoptable, read_decisions
from quantctl.drift.account import asking
from quantctl.engine.lock import backend
from quantctl.engine.process import run
from quantctl.engine.state import STACK, State, States, put_state
from quantctl.errors import UserError
from quantctl.promotion.deploy import make_ready
from quantctl.stack_settings import stack_settings
from quantctl.workspace import Workspace

Say = Callable[[str], None]
_UPDATES = "updates"  # beside the state that is kept: how many updates the stack had had


def need_decided(env: str) -> Decisions:
    """Go on only when everything is decided.

    Raises:
        UserError: names what is not.
    """
    place = Place.of(env)
    need_adoptable(place.read_look())
    made = read_decisions(env)
    if not made.items:
        raise UserError(f"The differences of {env} are not known yet.", do_next=f"quantctl adopt {env} decide")
    if left := made.undecided:
        shown = "\n".join(f"  - {one.id}: {one.there} -> {one.declared} ({' or '.join(one.may)})" for one in left[:10])
        more = f"\n  and {len(left) - 10} more" if len(left) > 10 else ""
        raise UserError(
            f"{len(left)} of {len(made.items)} differences of {env} are undecided:\n{shown}{more}",
            do_next=f"decide them in {place.decisions}, then quantctl adopt {env} decide",
        )
    return made


def prepared(env: str, environ: dict[str, str]) -> tuple[str, list[prepare.Statement]]:
    """The SQL for an account administrator, and what of it is not done yet, as far as this shell sees.

    Raises:
        UserError: something is undecided, or this shell is not the deployer's.
    """
    place, made = Place.of(env), need_decided(env)
    role = prepare.deployer_role(environ)
    settings = stack_settings(env, environ, place.stack_file)
    wanted = prepare.statements(place.read_look(), settings, names_of(settings), made, role)
    text = prepare.text(env, wanted)
    folder.write(place.sql, text)
    with asking(environ) as shown:
        return text, prepare.missing(wanted, shown)


def take_in(env: str, environ: dict[str, str], say: Say) -> None:
    """Keep the state as it is, and import what is there into the stack.

    Raises:
        UserError: a step before is missing, what is there has changed since, or the import failed; it can be repeated.
    """
    place = Place.of(env)
    need_decided(env)
    if missing := prepared(env, environ)[1]:
        raise UserError(
            f"{len(missing)} statements of {place.sql} have no effect yet, as far as the deployer sees: {missing[0].sql}",
            do_next=f"have an account administrator run {place.sql}, then quantctl adopt {env} prepare",
        )
    settings = stack_settings(env, environ, place.stack_file)
    if stack_settings(env, environ) != settings:
        raise UserError(
            f"Pulumi.{env}.yaml is not what was reviewed.", do_next=f"cp {place.stack_file} Pulumi.{env}.yaml, and commit it"
        )
    need_pushed(place, settings)
    _need_stack(env, environ)
    _need_free(env, environ, say)
    _need_same(place, settings, environ, say)
    _keep_state(place, environ, say)
    say("imports in a state of its own")
    with importing.scratch(place, environ, project.root() / f"Pulumi.{env}.yaml") as apart:
        resources = importing.would_create(env, apart)
        _need_declared(place, resources)
        made = importing.imported(env, apart, place.import_file, resources, protect=settings.is_live)
    say("puts it into the stack")
    put_state(env, environ, made)


def _need_free(env: str, environ: dict[str, str], say: Say) -> None:
    """Nobody is at the stack; what was killed there is cleared away."""
    make_ready(env, States(environ), say)
    backend.need_free(env, environ)


def need_pushed(place: Place, settings: Settings) -> None:
    """The branch has the workflow files that were generated.

    Raises:
        UserError: names those that are missing or differ.
    """
    snapshot, files = take_snapshot(settings.remote, settings.branch), files_of(place, settings)
    there = snapshot.read([path for path in files if path in snapshot.tree])
    if differ := sorted(path for path, content in files.items() if there.get(path) != content):
        raise UserError(
            f"Branch {settings.branch} has not the workflow files that were reviewed: {', '.join(differ[:5])}.",
            do_next=f"commit {place.workflows} as {settings.workflows}/ to quant_live first and merge it into the other"
            " branches, so that the next promotion moves forward (docs/adopt.md)",
        )


def _need_same(place: Place, settings: Settings, environ: dict[str, str], say: Say) -> None:
    """The workspace is as it was when it was looked at; the account is compared by the preview that follows."""
    say("compares the workspace with what was found")
    was, workspace = place.read_look(), Workspace(environ)
    now = looking.read_workspace(settings, workspace)
    changed = [f"the Git folder {settings.folder}"] if now.folder is None else []
    if was.folder and now.folder:
        for what in ("id", "branch", "edited", "code_differs"):
            if getattr(was.folder, what) != getattr(now.folder, what):
                changed.append(f"the Git folder's {what.replace('_', ' ')}")
    before = {job.id: (job.settings, job.acl) for job in was.jobs}
    after = {job.id: (job.settings, job.acl) for job in now.jobs}
    changed += [f"job {number}" for number in sorted({*before, *after}) if before.get(number) != after.get(number)]
    if changed:
        raise UserError(
            f"{place.env} has changed since it was looked at: {', '.join(changed)}. Nothing was imported.",
            do_next=f"quantctl adopt {place.env} look, then decide again",
        )


def _need_declared(place: Place, resources: Iterable[Declared]) -> None:
    """Everything in the file is what the program declares now, under the same name."""
    there = {(one.type, one.name) for one in resources}
    listed = json.loads(place.import_file.read_text())["resources"]
    if other := [one["name"] for one in listed if (one["type"], one["logicalName"]) not in there]:
        raise UserError(
            f"{place.import_file} names what {place.env} does not declare any more: {', '.join(other[:5])}.",
            do_next=f"quantctl adopt {place.env} decide",
        )


def _need_stack(env: str, environ: dict[str, str]) -> None:
    """There is a stack; an empty one, where there was none."""
    if not States(environ).has(env):
        run(["stack", "init", env, "--no-select"], environ)


def _keep_state(place: Place, environ: dict[str, str], say: Say) -> None:
    """The first time as it is; after an import that was interrupted the kept one is put back."""
    env = place.env
    if place.state_before.exists():
        say("an import was begun: the state as it was before is put back first")
        _put_back(place, environ, say)
        return
    states = States(environ)
    if _holds(states.of(env)):
        raise UserError(f"The stack {env} holds something already.", do_next=f"quantctl adopt {env} look")
    folder.write_json(place.state_before, {**states.exported(env), _UPDATES: _updates(env, environ)})


def undo(env: str, environ: dict[str, str], say: Say) -> None:
    """Put the state back as it was before the import. Nothing real was changed by it.

    Raises:
        UserError: there was none, or an update has run since, after which going back would forget what it made.
    """
    place = Place.of(env)
    if not place.state_before.exists():
        raise UserError(f"{env} was not imported here: there is no {place.state_before}.")
    _need_free(env, environ, say)
    _put_back(place, environ, say)
    place.state_before.unlink()


def _put_back(place: Place, environ: dict[str, str], say: Say) -> None:
    env = place.env
    kept: dict[str, Any] = json.loads(place.state_before.read_text())
    if _updates(env, environ) != kept.pop(_UPDATES, 0):
        raise UserError(
            f"An update of {env} has run since the import: its state is the only one that knows what it made.",
            do_next=f"`quantctl adopt {env} verify`; `quantctl rollback {env}` for the code",
        )
    put_state(env, environ, kept)
    say("the state is what it was before the import")


def _updates(env: str, environ: Mapping[str, str]) -> int:
    """How many updates the stack has had, however they ended; imports are none."""
    done = run(["stack", "history", "--json", "-s", env], environ)
    return sum(one.get("kind") in ("update", "destroy") for one in json.loads(done.out or "[]") or [])


def is_imported(place: Place, state: State) -> bool:
    """Whether an import is in the stack: it comes there whole, after the state before was kept."""
    return place.state_before.exists() and _holds(state)


def _holds(state: State) -> bool:
    return any(one["type"] != STACK and one.get("custom") and one.get("id") for one in state.resources)


def check(env: str, environ: dict[str, str], say: Say) -> tuple[bool, list[str]]:
    """Whether the first update has run, and what is not as decided: of what it would do, or of what it did.

    Raises:
        UserError: there was no import, or something cannot be read.
    """
    place = Place.of(env)
    state = States(environ).of(env)
    if not is_imported(place, state):
        raise UserError(f"{env} is not imported yet.", do_next=f"quantctl adopt {env} import")
    was, made = place.read_look(), read_decisions(env)
    settings = stack_settings(env, environ)
    if not state.commit:
        say("previews the first update")
        found = differences.steps(importing.preview(env, environ, judged=True))
        return False, verify.before(found, differences.items(found, was, settings, names_of(settings)), made)
    say("looks again")
    now = looking.look(settings, environ, lambda _: None)
    return True, verify.after(was, now, made, state.jobs.values())
