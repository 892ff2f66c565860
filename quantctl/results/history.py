"""Which code each environment ran on each day, and whether it is the same: commits, deployments and runs. Reads Git alone.

The definitions of every commit are expanded with the settings of ONE environment, so that what the environments add
themselves (folder, identity, limits) is no difference.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from infra.errors import UserError as InfraError
from infra.outside import git
from infra.outside.workspace import Run
from infra.settings import Settings
from infra.workflows import workflow_files
from quantctl.promotion.read import definitions
from quantctl.promotion.soak import is_code
from quantctl.records.deployments import Record
from quantctl.records.repository import Commit, Pipelines
from quantctl.results.closure import Closure, closure
from quantctl.results.contract import Contract
from quantctl.results.model import Expected, Night, Why

_SHOWN = 6  # commits that are named


@dataclass(frozen=True)
class Code:
    """What a workflow ran at a commit. `files`: path -> what is there; `identity` is all of it in one word."""

    definition: str
    files: Mapping[str, str]
    unknown: str
    identity: str


@dataclass
class History:
    """The commits of a pipelines repository, as workflows of one environment."""

    pipelines: Pipelines
    settings: Settings
    _known: dict[str, dict[str, Code] | str] = field(default_factory=dict)

    def at(self, commit: str) -> dict[str, Code] | str:
        """Workflow -> its code at a commit; why it is unknown, where it is."""
        if commit not in self._known:
            try:
                self._known[commit] = self._read(commit)
            except InfraError as error:
                self._known[commit] = str(error).splitlines()[0]
        return self._known[commit]

    def _read(self, commit: str) -> dict[str, Code]:
        blobs = self.pipelines.blobs(commit)
        present = frozenset(blobs)
        cached: dict[str, bytes] = {}

        def read(path: str) -> bytes:
            if path not in cached:  # all of them at once: a question to Git for each would cost a process
                wanted = [one for one in blobs if one.endswith(".py") or one == path]
                cached.update(self.pipelines.read_all(commit, wanted))
            return cached[path]

        others = set(workflow_files(blobs, self.settings.workflows))
        everything = frozenset(path for path in blobs if path not in others and is_code(path))
        found = {}
        for job in definitions(self.pipelines, self.settings, commit):
            it = closure(job, self.settings.folder, present, read)
            found[str(job["name"])] = _code(job, it, everything, blobs)
        return found

    def why(self, contract: Contract, here: str, there: str) -> Why:
        """Whether the code that writes a table is the same at two commits."""
        if here == there:
            return Why(Expected.SAME)
        if not contract.workflow:
            return Why(Expected.UNKNOWN, ("the contract does not say which workflow writes it (quant.workflow)",))
        one, other = self.at(here), self.at(there)
        for commit, it in ((here, one), (there, other)):
            if isinstance(it, str):
                return Why(Expected.UNKNOWN, (f"the workflows of {commit[:12]} are unknown: {it}",))
        assert not isinstance(one, str) and not isinstance(other, str)
        now, before = one.get(contract.workflow), other.get(contract.workflow)
        if now is None or before is None:
            at = here if now is None else there
            return Why(Expected.CHANGED, (f"{at[:12]} has no workflow {contract.workflow}",))
        if now.identity == before.identity:
            return Why(Expected.SAME)
        paths = sorted(
            path for path in now.files.keys() | before.files.keys() if now.files.get(path) != before.files.get(path)
        )
        reasons = [f"{path} has changed" for path in paths]
        if now.definition != before.definition:
            reasons.insert(0, f"the definition of {contract.workflow} has changed")
        unknown = now.unknown or before.unknown
        if unknown:
            reasons.append(f"every file counts: {unknown}")
        touched = [*paths, *self._definitions(here, there)] if now.definition != before.definition else paths
        return Why(Expected.UNKNOWN if unknown else Expected.CHANGED, tuple(reasons), self._commits(here, there, touched))

    def _definitions(self, here: str, there: str) -> list[str]:
        """Files of definitions that differ."""
        one, other = self.pipelines.blobs(here), self.pipelines.blobs(there)
        listed = {path for blobs in (one, other) for path in workflow_files(blobs, self.settings.workflows)}
        return sorted(path for path in listed if one.get(path) != other.get(path))

    def _commits(self, here: str, there: str, paths: Sequence[str]) -> tuple[Commit, ...]:
        """Commits of one side alone that touched these files, the newest first; of all files where none is named."""
        touched = ["--", *paths] if paths else []
        asked = ("log", "--format=%H", f"{there}...{here}", *touched)
        done = git.run_in(self.pipelines.repository, *asked, seconds=git.READ_SECONDS)
        ids = done.stdout.decode().split()[:_SHOWN] if done.returncode == 0 else []
        return tuple(self.pipelines.commit(id) for id in ids)

    def night(self, workflow: str, runs: Sequence[Run], day: datetime.date, deployed: Sequence[Record]) -> Night:
        """What an environment ran on a day: its last run of that day, and the commit that was deployed when it began."""
        those = [run for run in runs if run.started.date() == day]
        if not those:
            return Night(None)
        last = max(those, key=lambda run: run.started)
        record = next((one for one in reversed(deployed) if one.at <= last.started), None)
        if record is None:
            return Night(last)
        code = self.at(record.commit)
        it = None if isinstance(code, str) else code.get(workflow)
        return Night(last, record.commit, it.identity if it is not None else None)


def _code(job: Mapping[str, object], it: Closure, everything: frozenset[str], blobs: Mapping[str, str]) -> Code:
    paths = everything if it.unknown else it.paths
    files = {path: blobs[path] for path in sorted(paths)}
    definition = json.dumps(job, sort_keys=True, default=str)
    identity = hashlib.sha256(json.dumps([definition, files]).encode()).hexdigest()
    return Code(definition, files, it.unknown, identity)


def by_inputs(contracts: Sequence[Contract], found: Mapping[str, Why]) -> dict[str, Why]:
    """The same, where a table that is made of a changed one is changed by it."""
    told = dict(found)
    for _ in contracts:  # as often as the longest way through inputs may be
        for one in contracts:
            moved = [name for name in one.inputs if told[name].expected is not Expected.SAME]
            if told[one.table].expected is Expected.SAME and moved:
                commits = tuple(dict.fromkeys(commit for name in moved for commit in told[name].commits))
                reasons = tuple(f"it is made of {name}, whose code has changed" for name in moved)
                told[one.table] = Why(Expected.CHANGED, reasons, commits)
    return told
