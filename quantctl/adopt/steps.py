"""What each step of `quantctl adopt` does and tells, and where an adoption stands."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import typer

from quantctl import ask
from quantctl.adopt import people, proposing, taking_in
from quantctl.adopt.decisions import GROUPS, Decisions
from quantctl.adopt.folder import Place
from quantctl.adopt.model import Look
from quantctl.adopt.refusals import refusals
from quantctl.adopt.step import Step
from quantctl.engine.state import States
from quantctl.errors import UserError
from quantctl.text.links import folder_page, job_page

_OPEN = 3  # something is left to do before the next step: what was asked for was done


def do(name: str, step: Step, environ: dict[str, str], yes: bool) -> None:
    """One step."""
    match step:
        case Step.look:
            _found(proposing.look(name, environ, _say(name)), environ)
        case Step.generate:
            typer.echo(proposing.generate(name, environ, _say(name)))
            place = Place.of(name)
            typer.echo(f"Written, to be reviewed: {place.workflows}/, {place.stack_file}")
            _next(name, Step.decide)
        case Step.decide:
            _decided(name, proposing.decide(name, environ, _say(name)))
        case Step.prepare:
            _prepared(name, environ)
        case Step.import_:
            ask.need(f"Import what runs as {name} into the stack {name}? Nothing real is changed.", yes, on_stderr=True)
            taking_in.take_in(name, environ, _say(name))
            typer.echo(f"{name} is imported. Until the first update `quantctl adopt {name} undo` takes it back.")
            _next(name, Step.verify)
        case Step.verify:
            _verified(name, environ)
        case Step.undo:
            ask.need(f"Put the state of {name} back as it was before the import?", yes, on_stderr=True)
            taking_in.undo(name, environ, _say(name))


def _say(env: str) -> proposing.Say:
    return lambda text: print(f"{env}: {text} ...", file=sys.stderr)


def _next(env: str, step: Step) -> None:
    typer.echo(f"Next: quantctl adopt {env} {step.value}")


def _found(found: Look, environ: dict[str, str]) -> None:
    """What there is, in a few lines; everything is in look.json."""
    env = found.environment
    if found.folder:
        page = folder_page(environ, found.folder.id)
        typer.echo(f"folder     {found.folder.path}, branch {found.folder.branch} at {found.folder.commit[:12]}  {page}")
    for job in found.jobs:
        runs = f", {len(job.active)} running" if job.active else ""
        typer.echo(f"job        {job.name}, owner {job.owner}, runs as {job.run_as}{runs}  {job_page(environ, job.id)}")
    if found.scope:
        typer.echo(f"scope      {found.scope.name}: {', '.join(sorted(found.scope.secrets)) or 'empty'}")
    if found.schema_:
        rows = [table.rows for table in found.tables if table.kind == "TABLE"]
        told = "rows unknown" if None in rows else f"{sum(number or 0 for number in rows)} rows"
        tables = f"{len(found.tables)} tables and views, {told}"
        typer.echo(f"schema     {found.schema_.name}, owner {found.schema_.owner}: {tables}, {len(found.grants)} grants")
    if found.user:
        typer.echo(f"user       {found.user.name} with role {found.user.role}")
    typer.echo(f"Everything: {Place.of(env).look}")
    proposing.need_adoptable(found)
    _next(env, Step.generate)


def _decided(env: str, made: Decisions) -> None:
    place = Place.of(env)
    for group, title in GROUPS.items():
        items = [one for one in made.items if one.group == group]
        if items:
            typer.echo(f"{title}: {len(items)}, {sum(not one.decision for one in items)} undecided")
    for group, people_ in people.by_person(made.items).items():
        for person, what in people_.items():
            typer.echo(f"{group:9} {person}: {'; '.join(what)}")
    typer.echo(f"Every difference, to be decided there: {place.decisions}")
    if made.undecided:
        typer.echo(f"{len(made.undecided)} of {len(made.items)} are undecided. Then again: quantctl adopt {env} decide")
        raise typer.Exit(_OPEN)
    _next(env, Step.prepare)


def _prepared(env: str, environ: dict[str, str]) -> None:
    text, missing = taking_in.prepared(env, environ)
    typer.echo(text)
    if missing:
        typer.echo(f"{len(missing)} of these have no effect yet. Once they were run: quantctl adopt {env} prepare")
        raise typer.Exit(_OPEN)
    typer.echo("All of it is done.")
    _next(env, Step.import_)


def _verified(env: str, environ: dict[str, str]) -> None:
    updated, wrong = taking_in.check(env, environ, _say(env))
    if wrong:
        words = "lost something" if updated else "would do what nobody decided"
        raise UserError(
            f"The first update of {env} {words}:\n  " + "\n  ".join(f"- {one}" for one in wrong),
            do_next="" if updated else f"quantctl adopt {env} undo, then look and decide again",
        )
    if updated:
        typer.echo(f"{env} is adopted: jobs, runs, rows, secrets, grants and the folder are those that were there.")
        typer.echo(f"Next: quantctl drift {env}")
    else:
        typer.echo("The first update deletes and replaces nothing, and does only what was decided.")
        typer.echo(f"Next: quantctl up {env}, and then again: quantctl adopt {env} verify")


def stands(env: str, environ: dict[str, str]) -> None:
    """Which steps are done, and the next one."""
    place = Place.of(env)
    done = _done(env, place, environ)
    for step in Step:
        if step is not Step.undo:
            typer.echo(f"{'done' if step in done else '    '}  {step.value}")
    left = [step for step in Step if step not in done and step is not Step.undo]
    if left:
        _next(env, left[0])
    else:
        typer.echo(f"{env} is adopted.")


def _done(env: str, place: Place, environ: dict[str, str]) -> Iterable[Step]:
    found = []
    if place.look.exists() and not refusals(place.read_look()):
        found.append(Step.look)
        if place.stack_file.exists() and place.workflow_files():
            found.append(Step.generate)
        made = proposing.read_decisions(env)
        if made.items and not made.undecided:
            found.append(Step.decide)
        state = States(environ).of(env)
        if taking_in.is_imported(place, state):
            found += [Step.prepare, Step.import_]
            if state.commit:
                found.append(Step.verify)
        elif Step.decide in found and place.sql.exists() and not taking_in.prepared(env, environ)[1]:
            found.append(Step.prepare)
    return found
