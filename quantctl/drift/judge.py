"""All that was read of one environment -> its findings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.naming import names_of
from infra.outside.branch import Snapshot
from infra.outside.local_edits import Edits
from infra.settings import Settings
from quantctl.drift.belongings import Scope, job_findings, scope_findings
from quantctl.drift.by_hand import by_hand, without_parts
from quantctl.drift.changed import engine_findings
from quantctl.drift.declared import unexplained
from quantctl.drift.finding import EnvironmentDrift, Finding, report, unknown
from quantctl.drift.folder import Branch, Folder, folder_findings, missing_folder, place_findings
from quantctl.drift.grants import HANDS_ON, Held, declared_grants, grant_findings
from quantctl.drift.keys import held_findings, key_findings
from quantctl.drift.steps import Refresh
from quantctl.drift.unfinished import unfinished_findings


@dataclass(frozen=True)
class Read:
    """What was read of one environment; what could not be read is its reason, a text, instead.

    `ahead` is how many commits the branch is ahead of the deployed one; None when that is not in its history.
    """

    settings: Settings
    refresh: Refresh
    snapshot: Snapshot | str
    ahead: int | None
    jobs: Sequence[Mapping[str, Any]] | str
    edits: Edits | str
    scope: Scope | str | None
    held: Held | str
    folder: Folder | str = field(default_factory=Folder)

    @property
    def env(self) -> str:
        """The environment's name."""
        return self.settings.environment.value

    @property
    def branch(self) -> Branch | None:
        """The branch's head, where Git answered."""
        if isinstance(self.snapshot, str):
            return None
        return Branch(self.snapshot.branch, self.snapshot.commit, self.ahead)


def judge(read: Read) -> EnvironmentDrift:
    """Every difference, and everything that is unknown. What is unknown is never drift."""
    env, settings, refresh = read.env, read.settings, read.refresh
    unsaid = [f"the engine says that {step.name} differs, and not in what" for step in refresh.steps if unexplained(step)]
    found = [unknown(env, "what the engine reads", reason) for reason in (*refresh.errors, *unsaid)]
    for what, seen in (
        (f"branch {settings.branch}", read.snapshot),
        (f"Git folder {settings.folder}", read.folder if isinstance(read.folder, str) else read.edits),
        ("jobs of the workspace", read.jobs),
        (f"secret scope {names_of(settings).secret_scope}", read.scope),
        (f"grants of schema {settings.schema_.upper()}", read.held),
    ):
        if isinstance(seen, str):
            found.append(unknown(env, what, seen))
    found += unfinished_findings(env, refresh)
    seen_by_engine = engine_findings(env, refresh)
    found += missing_folder(seen_by_engine, refresh, read.branch)
    found += folder_findings(env, refresh, read.branch, () if isinstance(read.edits, str) else read.edits.edited)
    if refresh.steps and not refresh.errors:  # without the state nobody knows what was declared
        found = without_parts([*found, *_undeclared(read, seen_by_engine)])
    # The provider looks for a grant without the option to hand it on, and tells one with it as missing.
    handed_on = {finding.urn for finding in found if finding.real == HANDS_ON}
    kept = [f for f in found if not (f.property == "privileges" and f.urn in handed_on)]
    unsure = {} if isinstance(read.edits, str) else read.edits.unknown or {}
    return report(env, kept, [f"{settings.folder}/{path} was not compared: {why}" for path, why in unsure.items()])


def _undeclared(read: Read, seen_by_engine: Sequence[Finding]) -> Iterator[Finding]:
    env, settings, refresh, names = read.env, read.settings, read.refresh, names_of(read.settings)
    if not isinstance(read.folder, str):
        yield from place_findings(env, refresh, read.folder, settings.folder, settings.deployer)
    if not isinstance(read.jobs, str):
        yield from job_findings(env, refresh, read.jobs, settings.folder)
        yield from by_hand(env, refresh, read.jobs, seen_by_engine)
    if not isinstance(read.scope, str):
        if read.scope is not None:
            yield from scope_findings(env, refresh, read.scope, settings.deployer, settings.other_secrets)
        yield from held_findings(env, refresh, read.scope.secrets if read.scope else {}, names)
    if not isinstance(read.held, str):
        schema, owners = f"{settings.database.upper()}.{names.schema}", frozenset({read.held.deployer, names.service_role})
        yield from key_findings(env, refresh, read.held.keys)
        yield from grant_findings(env, declared_grants(refresh), read.held, schema, owners)
