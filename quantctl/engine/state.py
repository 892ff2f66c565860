"""What the state of a stack holds: which real object is whose. Ids come from here, never from a name."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.vocabulary import DECLARED
from quantctl.engine.process import run
from quantctl.errors import UserError

Json = dict[str, Any]
_NO_STACK = "no stack named"
STACK = "pulumi:pulumi:Stack"
REPO = "databricks:index/repo:Repo"
JOB = "databricks:index/job:Job"


def stack_outputs(resources: Iterable[Json]) -> Json:
    """The stack's own outputs, in a state of these resources. Pure."""
    return next((one.get("outputs") or {} for one in resources if one.get("type") == STACK), {})


def missing(resources: Sequence[Json]) -> int:
    """How many of the resources that were declared last a state of these does not hold; 0 where it does not say. Pure."""
    held = [one for one in resources if one.get("custom") and "pulumi:providers" not in str(one.get("urn"))]
    return max(int(stack_outputs(resources).get(DECLARED) or 0) - len(held), 0)


@dataclass(frozen=True)
class State:
    """A checkpoint: its resources as the engine keeps them, and the operations that were begun and not ended."""

    resources: tuple[Json, ...] = ()
    pending: tuple[Json, ...] = ()

    @property
    def commit(self) -> str:
        """The commit that the last update deployed which went through: the stack's own output."""
        return str(stack_outputs(self.resources).get("commit") or "")

    @property
    def missing(self) -> int:
        """How many of the resources that were declared last are not there: after half a destroy, or half an update."""
        return missing(self.resources)

    @property
    def folder(self) -> str:
        """The commit that the environment's Git folder was declared at when it was last changed with success."""
        repos = [one for one in self.resources if one.get("type") == REPO and "PersonalFolders" not in str(one.get("urn"))]
        return str((repos[0].get("inputs") or {}).get("commitHash") or "") if repos else ""

    @property
    def half(self) -> bool:
        """An update moved the folder and did not come to its end."""
        return bool(self.commit and self.folder and self.commit != self.folder)

    @property
    def unfinished(self) -> list[str]:
        """What the last update left, in words: half of it, what failed, what was begun. The most important first."""
        found = [f"half an update: the folder is at {self.folder[:12]}, the rest at {self.commit[:12]}"] if self.half else []
        failed = [name_of(one) for one in self.resources if one.get("initErrors")]
        found += [f"the last update of {name} failed" for name in failed]
        begun = [f"{one.get('type')} {name_of(one.get('resource') or {})}" for one in self.pending]
        found += [f"{self.missing} of what was deployed in no state: it was destroyed half way"] if self.missing else []
        return [*found, *(f"an update was interrupted while {what}" for what in begun)]

    @property
    def jobs(self) -> dict[str, int]:
        """Workflow -> job id."""
        return {name_of(one): int(one["id"]) for one in self.resources if one.get("type") == JOB and one.get("id")}

    @property
    def job_names(self) -> dict[str, int]:
        """What each job is called in the workspace -> its id."""
        jobs = [one for one in self.resources if one.get("type") == JOB and one.get("id")]
        return {str((one.get("outputs") or {}).get("name")): int(one["id"]) for one in jobs}


def read_state(env: str, environ: Mapping[str, str]) -> State:
    """The state of a stack; empty where there is no such stack.

    Raises:
        UserError: it cannot be read.
    """
    done = run(["stack", "export", "-s", env], environ, must=False)
    if done.code != 0:
        if _NO_STACK in done.err + done.out:
            return State()
        raise UserError(f"The state of {env} cannot be read: {done.reason}.", do_next=f"pulumi stack export -s {env}")
    return state_of(json.loads(done.out))


def export(env: str, environ: Mapping[str, str]) -> Json:
    """What `pulumi stack export` prints.

    Raises:
        UserError: there is no such stack, or its state cannot be read.
    """
    exported: Json = json.loads(run(["stack", "export", "-s", env], environ).out)
    return exported


def put_state(env: str, environ: Mapping[str, str], exported: Json) -> None:
    """Make what `pulumi stack export` printed, perhaps changed, the state of the stack; in no file that others may read.

    Raises:
        UserError: the engine refuses it.
    """
    with tempfile.TemporaryDirectory(prefix="quant-state-") as folder:
        file = Path(folder) / "state.json"
        file.touch(0o600)
        file.write_text(json.dumps(exported))
        run(["stack", "import", "-s", env, "--file", str(file)], environ)


def state_of(exported: Json) -> State:
    """What `pulumi stack export` printed. Pure."""
    deployment = exported.get("deployment") or {}
    # A resource that is being replaced stands there twice; the one that is to be deleted is no longer the stack's.
    resources = [one for one in deployment.get("resources") or [] if not one.get("delete")]
    return State(tuple(resources), tuple(deployment.get("pending_operations") or []))


def name_of(resource: Mapping[str, Any]) -> str:
    """The logical name: the last part of the URN."""
    return str(resource.get("urn", "")).rsplit("::", 1)[-1]
