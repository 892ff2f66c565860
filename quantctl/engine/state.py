"""What the state of a stack holds: which real object is whose. Ids come from here, never from a name.

`States` is the one door to them: a command exports a state once, and again after a run that may have changed it.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from infra.vocabulary import DECLARED
from quantctl.engine import process
from quantctl.errors import UserError

Json = dict[str, Any]
T = TypeVar("T")
_NO_STACK = "no stack named"
_HISTORY = 20  # of its entries that are read, the newest
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


class States:
    """The states of the stacks and their histories, as one command knows them; safe for several threads.

    What was read stays known until an engine run of this process that may have changed it (`process.changes`). Whatever
    somebody else does meanwhile is not seen: who waits, for a person or for a run, takes a new one afterwards.
    """

    def __init__(self, environ: Mapping[str, str], seconds: float | None = None) -> None:
        self.environ = dict(environ)
        self._seconds = seconds
        self._kept: dict[tuple[str, str], tuple[int, Any]] = {}
        self._turns: dict[tuple[str, str], threading.Lock] = {}

    def has(self, env: str) -> bool:
        """Whether there is such a stack.

        Raises:
            UserError: it cannot be read.
        """
        return self._known("export", env, self._export) is not None

    def of(self, env: str) -> State:
        """The state of a stack; empty where there is no such stack.

        Raises:
            UserError: it cannot be read.
        """
        exported = self._known("export", env, self._export)
        return State() if exported is None else state_of(exported)

    def exported(self, env: str) -> Json:
        """What `pulumi stack export` prints, which nobody changes in place.

        Raises:
            UserError: there is no such stack, or its state cannot be read.
        """
        exported = self._known("export", env, self._export)
        if exported is None:
            raise UserError(f"There is no stack {env}.", do_next=f"pulumi stack init {env}")
        return exported

    def history(self, env: str) -> list[Json]:
        """The newest entries of what `pulumi stack history` prints, the newest first.

        Raises:
            UserError: it cannot be read.
        """
        return self._known("history", env, self._history)

    def with_secrets(self, env: str) -> Json:
        """The export with secrets in plain text, which is kept nowhere.

        Raises:
            UserError: there is no such stack, or its state cannot be read.
        """
        done = self._run("stack", "export", "--show-secrets", "-s", env)
        exported: Json = _answer(done, f"The state of {env}", f"pulumi stack export -s {env}")
        return exported

    def forget(self, env: str) -> None:
        """Read the stack again when it is next asked about."""
        self._kept.pop(("export", env), None)
        self._kept.pop(("history", env), None)

    def _known(self, what: str, env: str, read: Callable[[str], T]) -> T:
        with self._turns.setdefault((what, env), threading.Lock()):
            now = process.changes(env)  # before it is read: what changes meanwhile makes it old
            kept = self._kept.get((what, env))
            if kept is None or kept[0] != now:
                kept = self._kept[what, env] = now, read(env)
            found: T = kept[1]
            return found

    def _export(self, env: str) -> Json | None:
        done = self._run("stack", "export", "-s", env)
        if done.code != 0 and _NO_STACK in done.err + done.out:
            return None
        exported: Json = _answer(done, f"The state of {env}", f"pulumi stack export -s {env}")
        return exported

    def _history(self, env: str) -> list[Json]:
        done = self._run("stack", "history", "--json", "--page-size", str(_HISTORY), "--page", "1", "-s", env)
        entries: list[Json] = _answer(done, f"The history of {env}", f"pulumi stack history -s {env}")
        return entries or []

    def _run(self, *words: str) -> process.Done:
        return process.run(words, self.environ, must=False, seconds=self._seconds)


def _answer(done: process.Done, what: str, by_hand: str) -> Any:
    """What the engine printed; a stack's whole state is never nothing because it could not be read."""
    if done.code == 0:
        try:
            return json.loads(done.out)
        except ValueError:
            raise UserError(f"{what} cannot be read: it is no JSON.", do_next=by_hand) from None
    raise UserError(f"{what} cannot be read: {'no answer in time' if done.code is None else done.reason}.", do_next=by_hand)


def put_state(env: str, environ: Mapping[str, str], exported: Json) -> None:
    """Make what `pulumi stack export` printed, perhaps changed, the state of the stack; in no file that others may read.

    Raises:
        UserError: the engine refuses it.
    """
    with tempfile.TemporaryDirectory(prefix="quant-state-") as folder:
        file = Path(folder) / "state.json"
        file.touch(0o600)
        file.write_text(json.dumps(exported))
        process.run(["stack", "import", "-s", env, "--file", str(file)], environ)


def state_of(exported: Json) -> State:
    """What `pulumi stack export` printed. Pure."""
    deployment = exported.get("deployment") or {}
    # A resource that is being replaced stands there twice; the one that is to be deleted is no longer the stack's.
    resources = [one for one in deployment.get("resources") or [] if not one.get("delete")]
    return State(tuple(resources), tuple(deployment.get("pending_operations") or []))


def name_of(resource: Mapping[str, Any]) -> str:
    """The logical name: the last part of the URN."""
    return str(resource.get("urn", "")).rsplit("::", 1)[-1]
