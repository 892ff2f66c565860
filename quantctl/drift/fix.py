"""Fix what a look found, without promoting anything and without deleting data; then somebody looks again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import snowflake.connector.errors

from infra.errors import UserError
from infra.outside.branch import Snapshot
from quantctl.drift.account import Account
from quantctl.drift.belongings import paused
from quantctl.drift.finding import By, Class, EnvironmentDrift, Finding
from quantctl.drift.folder import deployed_commit
from quantctl.drift.judge import Read
from quantctl.engine import refresh as engine
from quantctl.engine.state import States
from quantctl.promotion.deploy import make_ready
from quantctl.workspace import Workspace

Say = Callable[[str], None]
_AT_ONCE = 2  # engines, as in quantctl up


@dataclass(frozen=True)
class Plan:
    """What is to be done in one environment, in this order."""

    environment: str
    engine: tuple[str, ...]
    statements: tuple[str, ...]
    workspace: tuple[Finding, ...]
    refused: str = ""
    repair: bool = False
    all: bool = False

    @property
    def anything(self) -> bool:
        """Whether there is something to do."""
        return bool(self.repair or self.all or self.engine or self.statements or self.workspace)


def plan(drift: EnvironmentDrift, refused: str = "") -> Plan:
    """What fixes the drift of an environment; nothing for what is unknown or waiting, or left to a person. Pure.

    `refused` is why the engine must not run here; the rest is fixed all the same.
    """
    found = drift.of(Class.DRIFT)

    def targets(by: By) -> tuple[str, ...]:
        return tuple(dict.fromkeys(target for finding in found if finding.fix.by is by for target in finding.fix.targets))

    fixed_by = {finding.fix.by for finding in found}
    # What is begun may not be in the state once it is looked for, and what is in none is no target.
    everything = not fixed_by.isdisjoint((By.ALL, By.REPAIR))
    return Plan(
        environment=drift.environment,
        engine=() if refused else targets(By.ENGINE),
        statements=tuple(dict.fromkeys(text for finding in found for text in finding.fix.statements)),
        workspace=tuple(finding for finding in found if finding.fix.by in (By.ACL, By.PAUSE, By.SETTING)),
        repair=By.REPAIR in fixed_by,
        all=everything and not refused,
        refused=refused if everything or By.ENGINE in fixed_by else "",
    )


def why_no_engine(drift: EnvironmentDrift, read: Read | None = None) -> str:
    """Why `pulumi up` would be refused or would promote here; empty when it fixes. Pure."""
    for finding in drift.of(Class.DRIFT):
        if finding.property == "local edits":
            return f"the {finding.resource} has local edits, with which no update runs: {finding.fix.words}"
        if finding.property == "commit" and finding.fix.by is By.HAND:
            return f"the {finding.resource} was moved, and its branch has moved too: {finding.fix.words}"
        if finding.property == "clone":
            return f"another folder is at its path: {finding.fix.words}"
        if finding.first and finding.resource == "half an update":
            return f"{finding.real}: {finding.fix.words}"
    return "" if read is None else _not_deployable(read)


def _not_deployable(read: Read) -> str:
    """Why the branch cannot be taken to be where it was deployed; then an update would deploy something else."""
    if isinstance(read.snapshot, str):
        return f"the branch cannot be read: {read.snapshot}"
    commit = deployed_commit(read.refresh)
    if not commit:
        return f"it is not known which commit was deployed: quantctl up {read.env}"
    if read.ahead is None:
        return f"its branch no longer holds {commit[:12]}, which was deployed: push a commit on top of that"
    return ""


def fix(found: Sequence[tuple[EnvironmentDrift, Read]], environ: Mapping[str, str], seconds: float, say: Say) -> None:
    """Do it, several environments at once. What fails is said and left to the second look."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = [
            pool.submit(_environment, plan(drift, why_no_engine(drift, read)), read, environ, seconds, say)
            for drift, read in found
        ]
        for done in running:
            done.result()


def _environment(what: Plan, read: Read, environ: Mapping[str, str], seconds: float, say: Say) -> None:
    env = what.environment

    def tell(text: str) -> None:
        say(f"{env}: {text}")

    if what.refused:
        tell(f"the engine is not asked: {what.refused}")
    if what.repair:
        try:
            make_ready(env, States(environ), tell)
        except UserError as error:
            tell(f"not fixed: {error}")
            return
    if what.engine or what.all:
        with _deployed(read, environ) as pinned:
            tell("pulumi up of everything ..." if what.all else f"pulumi up of {len(what.engine)} resources ...")
            if wrong := engine.fix(env, pinned, () if what.all else what.engine, seconds):
                tell(f"not fixed: {wrong}")
    if what.statements:
        _account(what.statements, environ, tell)
    if what.workspace:
        _workspace(what.workspace, environ, tell)


@contextlib.contextmanager
def _deployed(read: Read, environ: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """An environment in which the branch is where it was deployed, so that jobs are fixed to what they were."""
    assert isinstance(read.snapshot, Snapshot), "else the engine is not asked"
    with engine.at_commit(environ, read.snapshot, deployed_commit(read.refresh)) as pinned:
        yield pinned


def _account(statements: Sequence[str], environ: Mapping[str, str], tell: Say) -> None:
    try:
        with contextlib.closing(Account(environ)) as account:
            for statement in statements:
                _each(partial(account.run, statement), _without_key(statement), tell)
    except snowflake.connector.errors.Error as error:
        tell(f"not fixed: {' '.join(str(error).split())}")


def _workspace(findings: Sequence[Finding], environ: Mapping[str, str], tell: Say) -> None:
    workspace = Workspace(environ, say=tell)
    for finding in findings:
        targets = finding.fix.targets
        if finding.fix.by is By.ACL:
            _each(partial(workspace.delete_acl, *targets), finding.fix.words, tell)
        elif finding.fix.by is By.SETTING:
            _each(partial(workspace.remove_setting, *targets), finding.fix.words, tell)
        else:
            _each(partial(_pause, workspace, targets[0]), f"pause {finding.resource}", tell)


def _pause(workspace: Workspace, job: str) -> None:
    workspace.update_job(job, paused(workspace.job(job).get("settings") or {}))


def _each(do: Callable[[], None], words: str, tell: Say) -> None:
    try:
        do()
        tell(words)
    except (UserError, snowflake.connector.errors.Error) as error:
        tell(f"not fixed: {words}: {' '.join(str(error).split())}")


def _without_key(statement: str) -> str:
    """A public key is no secret, and no reading either."""
    head, _, key = statement.partition("'")
    return f"{head}'...'" if key else statement
