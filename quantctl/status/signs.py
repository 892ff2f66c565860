"""Signs of drift that the Git folder gives, without asking the engine. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from infra.outside.local_edits import Edits, listed
from quantctl.promotion.gates import Unknown
from quantctl.status.model import Deployed, Drift, DriftVerdict


def signs(
    env: str,
    folder: Deployed | Unknown | None,
    on_branch: bool | Unknown,
    behind: int,
    recorded: str | Unknown | None,
    edits: Edits | Unknown | None,
    unfinished: Sequence[str] = (),
) -> Drift:
    """What the folder tells.

    `on_branch`: its commit stands in the branch's history; `behind`: commits of the branch that it lacks; `recorded`: the
    commit of the last recorded deployment; `edits`: files that differ from the commit, None when nobody looked;
    `unfinished`: what the state says that the last update left.
    """
    if isinstance(folder, Unknown):
        return Drift(DriftVerdict.UNKNOWN, [folder.why])
    drifted, notes = [*unfinished], []
    if drifted:
        drifted.append(f"`quantctl up {env}` finishes it, `quantctl drift {env}` says more")
    if folder is None:
        return Drift(DriftVerdict.DRIFT if drifted else DriftVerdict.WAITING, [*drifted, "not deployed yet"])
    if folder.branch != env:
        drifted.append(f"the folder is on {folder.branch or 'no branch'!r}, not on {env!r}")
    if on_branch is False:
        drifted.append(f"the folder is at {folder.commit[:8]}, which the branch {env} does not hold")
    if isinstance(edits, Unknown):
        notes.append(f"local edits are unknown: {edits.why}")
    elif edits is not None and edits.edited:
        drifted.append(f"local edits: {listed(list(edits.edited))}")
    if isinstance(edits, Edits) and edits.unknown:
        notes.append(f"not compared: {listed([f'{path} ({why})' for path, why in edits.unknown.items()])}")
    if recorded is None:
        notes.append("no deployment is recorded (plain pulumi up records none)")
    elif not isinstance(recorded, Unknown) and recorded != folder.commit:
        notes.append(f"{folder.commit[:8]} was deployed by no recorded deployment: plain pulumi up, or by hand")
    if drifted:
        return Drift(DriftVerdict.DRIFT, [*drifted, *notes])
    if isinstance(on_branch, Unknown):
        return Drift(DriftVerdict.UNKNOWN, [on_branch.why])
    return Drift(DriftVerdict.WAITING if behind else DriftVerdict.CLEAN, notes)
