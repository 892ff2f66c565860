"""What each environment ran on each day, and the baseline beside a limited release; what cannot be read is unknown."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from infra.errors import UserError as InfraError
from infra.outside.workspace import Run
from quantctl.engine.state import States
from quantctl.promotion.gates import Unknown
from quantctl.results import baseline
from quantctl.results.history import Code, History
from quantctl.results.model import Nights, Side
from quantctl.results.statements import Window
from quantctl.workspace import Workspace

T = TypeVar("T")


def _jobs(env: str, environ: Mapping[str, str]) -> Mapping[str, int]:
    return States(environ).of(env).jobs


def nights_of(
    workflows: Sequence[str],
    sides: tuple[Side, Side],
    workspace: Workspace,
    environ: Mapping[str, str],
    history: History,
    window: Window,
) -> dict[str, Nights | Unknown]:
    """Workflow -> what both environments ran on each day."""
    begin = datetime.datetime.combine(window.first, datetime.time(), datetime.UTC)
    listed: dict[str, list[dict[str, list[Run]] | Unknown]] = {name: [] for name in workflows}
    for side in sides:
        env = side.settings.environment
        jobs = _try(partial(_jobs, env, environ))
        for name in workflows:
            if isinstance(jobs, Unknown):
                listed[name].append(jobs)
            elif name not in jobs:
                listed[name].append(Unknown(f"{env} has no job of {name}"))
            else:
                runs = _try(partial(workspace.runs, jobs[name], begin))
                listed[name].append(runs if isinstance(runs, Unknown) else {name: list(runs)})
    found: dict[str, Nights | Unknown] = {}
    for name, (one, other) in listed.items():
        if isinstance(one, Unknown) or isinstance(other, Unknown):
            found[name] = one if isinstance(one, Unknown) else other if isinstance(other, Unknown) else Unknown("")
            continue
        found[name] = {
            day: (
                history.night(name, one[name], day, sides[0].deployed),
                history.night(name, other[name], day, sides[1].deployed),
            )
            for day in window.days
        }
    return found


def baseline_nights(
    nights: Mapping[str, Nights | Unknown], side: Side, workspace: Workspace, history: History, window: Window
) -> dict[str, Nights | Unknown]:
    """The same with the baseline's runs as those of the other side."""
    begin = datetime.datetime.combine(window.first, datetime.time(), datetime.UTC)
    listed = _try(lambda: workspace.submitted(begin))
    if isinstance(listed, Unknown):
        return dict.fromkeys(nights, listed)
    found = baseline.found_in(side.settings.environment, listed)
    return {
        name: those
        if isinstance(those, Unknown)
        else {day: (both[0], baseline.night(name, day, found, history)) for day, both in those.items()}
        for name, those in nights.items()
    }


def days_by_this_code(
    nights: Mapping[str, Nights | Unknown], code: Mapping[str, Code] | str, window: Window
) -> tuple[datetime.date, ...]:
    """Days on which every workflow of a contract ran in the environment, with success, what it would run today."""
    found = []
    for day in window.days:
        ran = []
        for workflow, those in nights.items():
            both = None if isinstance(those, Unknown) else those.get(day)
            it = None if isinstance(code, str) else code.get(workflow)
            known = both is not None and it is not None and both[0].run is not None and both[0].code == it.identity
            ran.append(known and both is not None and both[0].run is not None and both[0].run.succeeded)
        if ran and all(ran):
            found.append(day)
    return tuple(found)


def _try(ask: Callable[[], T]) -> T | Unknown:
    try:
        return ask()
    except InfraError as error:
        return Unknown(str(error).splitlines()[0])
