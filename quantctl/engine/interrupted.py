"""What a killed update had begun: found out before the next one, so that nothing is created twice.

The engine notes in the state what it begins ("pending operations"). Killed before the answer to a create has come, it does
not know the new object, warns, and creates another one: Databricks takes any number of jobs of one name. So what is there is
taken into the state by `pulumi import`. The engine's own `pulumi refresh --import-pending-creates` forgets the operation and
takes nothing in (measured with 3.256).
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.outside.workspace import Workspace
from quantctl.engine import managed_access, process
from quantctl.engine.history import last_failure
from quantctl.engine.lock import backend
from quantctl.engine.said import reason
from quantctl.engine.state import States, name_of
from quantctl.errors import UserError

_CLIENT_SECONDS = 20
# Types whose ID follows from what is declared: https://www.pulumi.com/registry/packages/snowflake/, "Import" of each page.
ID_FROM_INPUTS = {
    "snowflake:index/accountRole:AccountRole": "{name}",
    "snowflake:index/databaseRole:DatabaseRole": '"{database}"."{name}"',
    "snowflake:index/networkPolicy:NetworkPolicy": "{name}",
    "snowflake:index/resourceMonitor:ResourceMonitor": "{name}",
    "snowflake:index/schema:Schema": '"{database}"."{name}"',
    "snowflake:index/serviceUser:ServiceUser": "{name}",
    "snowflake:index/warehouse:Warehouse": "{name}",
    "databricks:index/secretScope:SecretScope": "{name}",
}
# Types that may be created again: the second time changes nothing.
_AGAIN = ("snowflake:index/grant", "databricks:index/permissions:", "databricks:index/secret", "databricks:index/directory:")
_VERSION = re.compile(r"::default_(\d+)_(\d+)_(\d+)::")
_ABSENT = re.compile(r"does not exist|not found|cannot find", re.I)


@dataclass(frozen=True)
class Operation:
    """Something that was begun and whose end the engine did not see."""

    kind: str  # the engine's word: creating, updating, deleting ...
    urn: str
    type: str
    inputs: dict[str, Any]
    parent: str
    provider: str

    @property
    def name(self) -> str:
        """As people say it: `Job risk_model`."""
        return f"{self.type.rsplit(':', 1)[-1]} {self.short}"

    @property
    def short(self) -> str:
        """The logical name, the last part of the URN."""
        return self.urn.rsplit("::", 1)[-1]


def pending(deployment: dict[str, Any]) -> list[Operation]:
    """The operations that an exported state names as begun."""
    found = []
    for one in deployment.get("pending_operations") or []:
        resource = one["resource"]
        urn, type_, parent, provider = (str(resource.get(key, "")) for key in ("urn", "type", "parent", "provider"))
        found.append(Operation(one["type"], urn, type_, resource.get("inputs") or {}, parent, provider))
    return found


def begun(env: str, states: States) -> list[Operation]:
    """What the last update of a stack began and did not end."""
    return pending(states.exported(env).get("deployment") or {})


def settle(env: str, states: States, say: Callable[[str], None]) -> None:
    """Take what an interrupted update created into the state, and forget what it did not; read again what is in doubt.

    Raises:
        UserError: the stack is locked, or something cannot be found out; nothing has been created meanwhile.
    """
    _read_again(env, states, say)
    managed_access.correct(env, states.exported(env), states.environ, say)


def _read_again(env: str, states: States, say: Callable[[str], None]) -> None:
    """Where the last update left something, the state afterwards holds what became of it."""
    deployment, environ = states.exported(env).get("deployment") or {}, states.environ
    operations, failed = pending(deployment), refused(deployment)
    off = [one for one in managed_access.refused(deployment) if one not in failed]  # perhaps it was turned on meanwhile
    doubt = in_doubt(env, states)
    if not operations and not failed and not off and not doubt:
        return
    backend.need_free(env, environ)  # of whoever is at it right now
    known = {str(one.get("urn")): str(one.get("id")) for one in deployment.get("resources", [])}
    for operation in operations:
        if operation.kind == "creating":
            became = _created(operation, env, environ, known)
            say(f"The last update of {env} was interrupted while creating {operation.name}: {became}.")
        else:
            say(f"The last update of {env} was interrupted while {operation.kind} {operation.name}: it is read again.")
    for one in failed:
        say(f"The last update of {name_of(one)} in {env} was refused, and is tried again: {reason(one['initErrors'][0])}")
    if doubt and not operations:
        say(f"The last update of {env} failed: all that it may have changed is read again.")
    words = ["refresh", "--yes", "--skip-preview", "-s", env]
    targets = [word for one in (*failed, *off) for word in ("--target", str(one["urn"]))]
    process.run([*words, *(["--clear-pending-creates"] if operations or doubt else targets)], environ)


def in_doubt(env: str, states: States) -> bool:
    """Whether the last update failed and may have done more than the state says, which is not empty.

    Of a change or a deletion whose answer is lost the engine keeps what was before it, and no pending operation
    (pkg/resource/deploy/step_executor.go, pkg/backend/snapshot.go). An update that wants just that would leave it so.
    """
    if not any(one.get("custom") for one in (states.exported(env).get("deployment") or {}).get("resources") or []):
        return False
    last = last_failure(env, states)
    return last is not None and (isinstance(last, str) or last.began)


def refused(deployment: dict[str, Any]) -> list[dict[str, Any]]:
    """Resources that the last update could not change. Pure.

    Their outputs in the state are what was wanted: a provider that compares with them finds nothing left to do, and the
    next update would be taken for done (seen with a refused ALTER SCHEMA ... ENABLE MANAGED ACCESS).
    """
    return [one for one in deployment.get("resources") or [] if one.get("initErrors") and not one.get("delete")]


def identities(operation: Operation, environ: dict[str, str]) -> list[str]:
    """IDs that the created object may have, as the type is imported; none when creating it again changes nothing.

    Raises:
        UserError: it is not known how to look for such an object.
    """
    if pattern := ID_FROM_INPUTS.get(operation.type):
        return [pattern.format(**operation.inputs)]
    if operation.type.startswith(_AGAIN):
        return []
    workspace = Workspace(environ, seconds=_CLIENT_SECONDS)
    if operation.type == "databricks:index/job:Job":
        name = operation.inputs["name"]
        jobs = workspace.jobs(name=name)
        return [str(job["job_id"]) for job in jobs if job["settings"]["name"] == name]  # the query knows no upper case
    if operation.type == "databricks:index/repo:Repo":
        path = str(operation.inputs["path"]).removeprefix("/Workspace")
        folder = workspace.git_folder(path)
        return [str(folder.id)] if folder else []
    take_in = f"pulumi import {operation.type} {operation.short} ID --parent 'parent={operation.parent}'"
    raise UserError(
        f"The last update was interrupted while creating {operation.name}; whether it is there has to be looked up by hand.",
        do_next=f"if it is: `{take_in}`, else `pulumi refresh --clear-pending-creates`",
    )


def _created(operation: Operation, env: str, environ: dict[str, str], known: dict[str, str]) -> str:
    """What became of a creation, in words; it is in the state afterwards when the object is there."""
    found = [one for one in identities(operation, environ) if one not in known.values()]
    replaces = operation.urn in known
    if len(found) > 1 or (found and replaces and operation.type not in ID_FROM_INPUTS):
        raise UserError(
            f"The last update of {env} was interrupted while creating {operation.name}"
            f"{', in place of another one' if replaces else ''}, and what it made cannot be identified.",
            found=", ".join(found),
            do_next="delete those that are not wanted, and run this again",
        )
    if replaces:
        return "its name is in the state already"
    if found and take_in(operation, found[0], env, environ):
        return f"it is there ({found[0]}), and is in the state now"
    return "it is not there, or may be created again" if operation.type.startswith(_AGAIN) else "it is not there"


def take_in(operation: Operation, identity: str, env: str, environ: dict[str, str]) -> bool:
    """`pulumi import` under the URN that the program declares; False when there is no such object."""
    version = _VERSION.search(operation.provider)
    resource = {
        "type": operation.type,
        "name": operation.short,
        "id": identity,
        "parent": "parent",
        **({"version": ".".join(version.groups())} if version else {}),
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "import.json"
        file.write_text(json.dumps({"nameTable": {"parent": operation.parent}, "resources": [resource]}))
        flags = ["--protect=false", "--generate-code=false", "--yes", "--skip-preview"]
        done = process.run(["import", "-f", str(file), *flags, "-s", env], environ, must=False)
    if done.code == 0:
        return True
    said = process.quiet(done.out + done.err)
    if _ABSENT.search(said):
        return False
    raise UserError(f"{operation.name} could not be taken into the state of {env}. The engine said:\n{said}")
