"""What follows from what was read: what needs attention, what could be done next, what is unknown. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quantctl.forge.model import Verdict
from quantctl.promotion.gates import Unknown
from quantctl.status.model import DriftVerdict, Status, Way, number


@dataclass(frozen=True)
class Step:
    """A command that would go ahead, and what for."""

    command: str
    why: str


def unread(status: Status) -> dict[str, list[str]]:
    """Why something is unknown -> what it is. Each reason once, however much it hides."""
    found: dict[str, list[str]] = {}
    for what, why in _unread(status):
        found.setdefault(why, []).append(what)
    return found


def attention(status: Status) -> list[str]:
    """What somebody should look at, the most urgent first; what merely waits is none."""
    return [text for _, text in sorted(_attention(status), key=lambda one: one[0])]


def steps(status: Status) -> list[Step]:
    """What would go ahead: deployments that wait, and promotions that every gate lets through."""
    return list(_steps(status))


def _unread(status: Status) -> Iterator[tuple[str, str]]:
    for one in status.environments:
        facts = {
            "branch head": one.head,
            "deployed commit": one.deployed,
            "commits to deploy": one.undeployed,
            "runs": one.workflows,
            "sign-offs": one.sign_offs,
            "last deployment": one.last,
        }
        yield from ((f"{one.name}: {what}", fact.why) for what, fact in facts.items() if isinstance(fact, Unknown))
        if one.drift.verdict is DriftVerdict.UNKNOWN:
            yield f"{one.name}: drift", "; ".join(one.drift.findings) or "nothing was found out"
    for edge in status.edges:
        if isinstance(edge.commits, Unknown):
            yield f"{edge.edge}: commits", edge.commits.why
        for gate in edge.gates:
            if gate.verdict is Verdict.UNKNOWN:
                yield f"{edge.edge}: gate {gate.name}", gate.evidence


def _attention(status: Status) -> Iterator[tuple[int, str]]:
    for one in status.environments:
        if one.drift.verdict is DriftVerdict.DRIFT:
            yield 0, f"{one.name} has drifted: {'; '.join(one.drift.findings)}"
        if one.interrupted:
            found = one.interrupted
            yield 1, f"{one.name}: a {found.how} to {found.commit[:8]} was decided and not finished; run it again"
        if one.until and status.at.date() > one.until:
            yield 1, f"{one.name}: the limited release should have ended on {one.until}; promote it to quant_live, or end it"
        if isinstance(one.workflows, Sequence):
            failed = [flow for flow in one.workflows if flow.total.failed]
            told = ", ".join(f"{flow.name} ({flow.total.failed})" for flow in failed[:3])
            more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
            if failed:
                yield 2, f"{one.name}: failed runs of {told}{more}"
    for edge in status.edges:
        if edge.foreign:
            yield 1, f"{edge.edge}: {number(edge.foreign, 'commit')} of {edge.edge.target} alone"


def _steps(status: Status) -> Iterator[Step]:
    for one in status.environments:
        if one.drift.verdict is DriftVerdict.DRIFT or one.interrupted:
            continue  # that comes first
        if one.deployed is None and not isinstance(one.head, Unknown):
            yield Step(f"quantctl up {one.name}", f"{one.name} is not deployed yet")
        elif not isinstance(one.undeployed, Unknown) and one.undeployed:
            yield Step(f"quantctl up {one.name}", f"{number(len(one.undeployed), 'commit')} of its branch to deploy")
    for edge in status.edges:
        if edge.way is Way.OPEN and not isinstance(edge.commits, Unknown):
            why = f"{number(len(edge.commits), 'commit')}, and every gate says yes"
            yield Step(f"quantctl promote {edge.edge.source} {edge.edge.target}", why)
