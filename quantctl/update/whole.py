"""An update is whole, or visibly half: what it changed before it failed is said, and nothing is left twice."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable
from dataclasses import replace

from infra.errors import UserError as InfraError
from infra.outside.workspace import Workspace as Reader
from infra.settings import Settings
from quantctl.engine import planned
from quantctl.engine.lock.locks import Locked
from quantctl.engine.stacks import Result
from quantctl.engine.state import JOB, State, States, name_of
from quantctl.errors import UserError
from quantctl.forge import connect
from quantctl.records import deployments
from quantctl.records.deployments import Record
from quantctl.records.repository import read_pipelines
from quantctl.stack_settings import stack_settings

Say = Callable[[str], None]
_SHOWN = 6  # names in a message


def whole(env: str, states: States, update: Callable[[], Result], say: Say) -> Result:
    """Run an update of a stack. Afterwards jobs that a repeated request made beside ours are removed.

    Raises:
        UserError: it failed; says what was changed until then, and that half of it is deployed where that is so.
    """
    before, began = states.of(env), Reader(states.environ).now()
    try:
        result = update()
    except Locked:
        raise  # nothing was begun, and what changes is somebody else's update
    except UserError as error:
        raise _told(env, states, before, began, error, say) from None
    planned.after(env, states, say, since=began)
    planned.delete_again(env, before, states, say)
    return result


def changes(before: State, after: State) -> list[str]:
    """What differs between the state before an update that failed and the one after it, in words. Pure."""
    old = {one["urn"]: one for one in before.resources if one.get("custom")}
    new = {one["urn"]: one for one in after.resources if one.get("custom") and "pulumi:providers" not in one["urn"]}
    created = [name_of(one) for urn, one in new.items() if urn not in old]
    changed = [name_of(one) for urn, one in new.items() if urn in old and one.get("inputs") != old[urn].get("inputs")]
    gone = [name_of(one) for urn, one in old.items() if urn not in new and "pulumi:providers" not in urn]
    failed = [name_of(one) for one in new.values() if one.get("initErrors")]
    found = []
    if after.folder != before.folder and before.folder and after.folder:
        jobs = [one for urn, one in new.items() if one.get("type") == JOB and urn in old]
        kept = sum(one.get("inputs") == old[one["urn"]].get("inputs") for one in jobs)
        words = f"{kept} job{' is' if kept == 1 else 's are'} as at {before.folder[:12]}"
        found.append(f"the folder is at {after.folder[:12]}" + (f", {words}" if kept else ""))
    for what, names in (("created", created), ("changed", changed), ("no longer in the state", gone), ("failed", failed)):
        if names:
            found.append(f"{what}: {_names(names)}")
    return found


def _told(env: str, states: States, before: State, began: datetime.datetime, error: UserError, say: Say) -> UserError:
    """The error with what is left; what cannot be found out now is said to be unknown."""
    try:
        after = states.of(env)
        left = changes(before, after)
        planned.after(env, states, say, since=began)
        planned.delete_again(env, before, states, say)
    except InfraError as more:
        return UserError(f"{error}\n  what it changed is not known: {more}")
    if not left:
        return error if "othing was changed" in str(error) else UserError(f"{error}\n  Nothing was changed.")
    told = f"{error}\n  Changed before it failed:\n" + "\n".join(f"  - {text}" for text in left)
    if after.half:
        told += f"\n  Half of it is deployed. `quantctl up {env}` finishes it, `quantctl rollback {env}` goes back."
        _record(env, states.environ, after, say)
    return UserError(told)


def _record(env: str, environ: dict[str, str], after: State, say: Say) -> None:
    """Put on record that half of an update was deployed: of kind `attempt`, which no gate takes for a deployment."""
    try:
        settings: Settings = stack_settings(env, environ)
        forge, pipelines = connect(settings, environ), read_pipelines(settings.remote, ("attempt",))
        now, who = Reader(environ).now(), forge.promoter()
        if any(one.commit == after.folder for one in deployments.records(pipelines, "attempt", env)):
            return
        record = Record("attempt", settings.environment.value, now, after.folder, after.commit, str(who), "half")
        replace(record, tag=deployments.write(pipelines, record, who))
    except InfraError as error:
        say(f"that half of it is deployed is not on record: {error}")
        print(f"{env}: half an update is not on record: {error}", file=sys.stderr)


def _names(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(sorted(names)[:_SHOWN]) + more
