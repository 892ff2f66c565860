"""What each gate answers, from facts that were read before. Pure.

"Unknown" never passes; an answer carries its evidence.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from infra.outside.workspace import Run
from infra.promotion import EDGES, Edge, Freeze, Gates
from infra.vocabulary import Environment
from quantctl.forge.model import Answer, Approvals, Verdict
from quantctl.promotion.results_gate import ResultsSeen, results, stakeholders
from quantctl.records.repository import Commit
from quantctl.records.signoffs import SignOff


@dataclass(frozen=True)
class Gate:
    """One gate's answer; `evidence` is what was found, in a sentence or more."""

    name: str
    verdict: Verdict
    evidence: str

    def as_json(self) -> dict[str, str]:
        """For programs, and for records."""
        return {"name": self.name, "verdict": self.verdict.value, "evidence": self.evidence}


@dataclass(frozen=True)
class Unknown:
    """Something could not be read; `why` says so."""

    why: str


@dataclass(frozen=True)
class Line:
    """How the two branches stand: commits that would move, and commits that stand on the target alone.

    `present` stand on the target alone, and the source has the same change under another id. `reverted` are commits of the
    source that the target has taken back, the last time with `revert`. `same_tree`: both have the same content.
    """

    source: str
    target: str
    ahead: Sequence[Commit]
    foreign: Sequence[Commit]
    present: Sequence[Commit] = ()
    reverted: Sequence[Commit] = ()
    revert: Commit | None = None
    same_tree: bool = False


@dataclass(frozen=True)
class Soaked:
    """One workflow of the source: since when it has run as it is to be promoted (None: it is not deployed), and its runs."""

    workflow: str
    since: datetime.datetime | None
    runs: Sequence[Run] = ()
    note: str = ""


@dataclass(frozen=True)
class Facts:
    """Everything that the gates are told. An Unknown in the place of a fact is a gate whose answer is unknown."""

    now: datetime.datetime | Unknown
    line: Line | Unknown
    deployed: str | Unknown | None
    soaked: Sequence[Soaked] | Unknown
    approvals: Approvals | Unknown
    sign_offs: Sequence[str] | Unknown
    release_manager: Answer | Unknown
    active: Mapping[str, Sequence[int]] | Unknown
    freezes: Sequence[Freeze] = field(default=())
    vetoes: Sequence[str] | Unknown | None = None  # None: the forge has no merge requests
    namesakes: Sequence[str] | Unknown = field(default=())
    results: ResultsSeen | Unknown | None = None  # None: no contracts, or no report is asked for
    signed: Sequence[SignOff] = field(default=())


def answer(edge: Edge, gates: Gates, facts: Facts) -> list[Gate]:
    """Every gate of the edge, in the order in which one clears them. A gate that the settings switch off is left out."""
    asked = [("fast-forward", _fast_forward(edge, facts)), ("soak", _soak(edge, gates, facts))]
    if gates.approvals:
        asked.append(("approvals", _approvals(edge, gates.approvals, facts.approvals)))
    if facts.vetoes is not None:
        asked.append(("merge-request", _merge_request(facts.vetoes)))
    if gates.results_days and facts.results is not None:
        asked.append(("results", _results(edge, gates.results_days, facts.results)))
    if gates.sign_off:
        asked.append(("sign-off", _sign_off(edge, gates, facts)))
    if gates.release_manager:
        asked.append(("release-manager", _release_manager(facts.release_manager)))
    asked += [("no-active-runs", _no_active_runs(edge, facts.active)), ("no-freeze", _no_freeze(edge, facts))]
    return [Gate(name, verdict, evidence) for name, (verdict, evidence) in asked]


def stopped(gates: Iterable[Gate]) -> list[Gate]:
    """The gates that stop a promotion."""
    return [gate for gate in gates if gate.verdict is not Verdict.YES]


Told = tuple[Verdict, str]
_YES, _NO, _CANNOT = Verdict.YES, Verdict.NO, Verdict.UNKNOWN


def _fast_forward(edge: Edge, facts: Facts) -> Told:
    line = facts.line
    if isinstance(line, Unknown):
        return _CANNOT, line.why
    if line.foreign:
        first = line.foreign[0]
        return _NO, (
            f"{edge.target} holds {_number(len(line.foreign), 'commit')} that {edge.source} has never had, the newest"
            f" {_told(first)}. Bring it to {edge.source} first. In a clone: `{clearing(edge)}`; then promote from"
            f" {Environment.DEV} on."
        )
    if not line.ahead and line.same_tree and line.source != line.target:
        same = f"{line.source[:12]} of {edge.source} and {line.target[:12]} of {edge.target}"
        return _NO, f"nothing to promote: {same} are two commits with the same content."
    if not line.ahead:
        return _NO, f"{edge.source} has nothing that {edge.target} lacks: both are at {line.target[:12]}."
    told = [f"{edge.source} is {_number(len(line.ahead), 'commit')} ahead of {edge.target} and holds all of it."]
    if line.present:
        told.append(
            f"{_number(len(line.present), 'commit')} of {edge.target} alone: {edge.source} has the same change under another"
            f" id, or they merge such changes: {'; '.join(map(_told, line.present))}."
        )
    if line.revert is not None:
        told.append(
            f"This undoes a revert made on {edge.target}, {_told(line.revert)}: it brings back"
            f" {'; '.join(map(_told, line.reverted))}."
        )
    if line.same_tree:
        told.append("Both have the same content: nothing that runs changes.")
    return _YES, " ".join(told)


def clearing(edge: Edge) -> str:
    """The command, in a clone, after which the source's line holds all of the target; its own branches may be behind."""
    dev = Environment.DEV
    merge = f"git switch --detach origin/{dev} && git merge --no-edit origin/{edge.target}"
    return f"git fetch origin && {merge} && git push origin HEAD:{dev}"


def _told(commit: Commit) -> str:
    return f"{commit.id[:12]} by {commit.author}: {commit.subject!r}"


def _soak(edge: Edge, gates: Gates, facts: Facts) -> Told:
    for fact in (facts.line, facts.deployed, facts.soaked, facts.now):
        if isinstance(fact, Unknown):
            return _CANNOT, fact.why
    assert not isinstance(facts.line, Unknown) and not isinstance(facts.soaked, Unknown)
    assert not isinstance(facts.now, Unknown)
    if facts.deployed != facts.line.source:
        found = f"at {str(facts.deployed)[:12]}" if facts.deployed else "not deployed"
        return _NO, f"{edge.source} is {found}, its branch at {facts.line.source[:12]}: `quantctl up {edge.source}` first."
    if not facts.soaked:
        return _YES, f"{edge.source} has no workflows."
    others = facts.namesakes.why if isinstance(facts.namesakes, Unknown) else "; ".join(facts.namesakes)
    besides = f" Not looked at: {others}." if others else ""
    problems: dict[str, list[str]] = {}
    for one in facts.soaked:
        if text := _soak_problem(one, gates, facts.now):
            problems.setdefault(text, []).append(one.workflow)
    if problems:
        return _NO, "; ".join(f"{', '.join(names)}: {text}" for text, names in problems.items()) + f".{besides}"
    days = min((facts.now - one.since).total_seconds() for one in facts.soaked if one.since) / 86400
    runs = min(sum(run.succeeded for run in one.runs) for one in facts.soaked)
    return _YES, (
        f"{_number(len(facts.soaked), 'workflow')} ran at least {days:.1f} of {gates.soak_days:g} days, each with at least"
        f" {_number(runs, 'successful run')} of {gates.successful_runs} and at most {gates.failed_runs} failed.{besides}"
    )


def _soak_problem(one: Soaked, gates: Gates, now: datetime.datetime) -> str:
    if one.since is None:
        return one.note or "is not deployed"
    days = (now - one.since).total_seconds() / 86400
    good, bad = sum(run.succeeded for run in one.runs), sum(run.failed for run in one.runs)
    problems = []
    if days < gates.soak_days:
        problems.append(f"unchanged for {days:.1f} of {gates.soak_days:g} days (since {_moment(one.since)})")
    if good < gates.successful_runs:
        problems.append(f"{good} of {_number(gates.successful_runs, 'successful run')}")
    if bad > gates.failed_runs:
        last = next(run for run in one.runs if run.failed)
        problems.append(f"{_number(bad, 'failed run')}, at most {gates.failed_runs} (the newest is run {last.run_id})")
    return ", ".join(problems)


def _approvals(edge: Edge, needed: int, found: Approvals | Unknown) -> Told:
    if isinstance(found, Unknown):
        return _CANNOT, found.why
    count = len(found.given)
    told = ", ".join(f"{one.by} ({one.where})" for one in found.given) or "nobody"
    void = "".join(f" Does not count: {why}." for why in found.void)
    if count >= needed:
        return _YES, f"{count} of {needed}: {told}.{void}"
    ways = sum(one.target is edge.target for one in EDGES)
    command = f"quantctl approve {edge.target}" + (f" --from {edge.source}" if ways > 1 else "")
    return _NO, f"{count} of {needed}: {told}. Anyone who is not an author of these commits can approve: `{command}`.{void}"


def _merge_request(vetoes: Sequence[str] | Unknown) -> Told:
    """Whether somebody holds it back; one that is not open yet is opened by the promotion."""
    if isinstance(vetoes, Unknown):
        return _CANNOT, vetoes.why
    return (_NO, f"{'; '.join(vetoes)}.") if vetoes else (_YES, "nobody holds it back.")


def _results(edge: Edge, needed: int, seen: ResultsSeen | Unknown) -> Told:
    return (_CANNOT, seen.why) if isinstance(seen, Unknown) else results(edge.source, needed, seen)


def _sign_off(edge: Edge, gates: Gates, facts: Facts) -> Told:
    for fact in (facts.line, facts.sign_offs, facts.results):
        if isinstance(fact, Unknown):
            return _CANNOT, fact.why
    if isinstance(facts.results, ResultsSeen) or gates.stakeholders:
        seen = facts.results if isinstance(facts.results, ResultsSeen) else None
        return stakeholders(edge.source, gates.stakeholders, seen, facts.signed)
    assert not isinstance(facts.line, Unknown) and not isinstance(facts.sign_offs, Unknown)
    if facts.sign_offs:
        return _YES, f"for {facts.line.source[:12]}: {'; '.join(facts.sign_offs)}."
    return _NO, (
        f"none for {facts.line.source[:12]}; when its users agree: quantctl signoff {edge.source} --by NAME --note TEXT."
    )


def _release_manager(found: Answer | Unknown) -> Told:
    """Whether who asks is one."""
    if isinstance(found, Unknown):
        return _CANNOT, found.why
    return found.verdict, f"{found.evidence}."


def _no_active_runs(edge: Edge, active: Mapping[str, Sequence[int]] | Unknown) -> Told:
    if isinstance(active, Unknown):
        return _CANNOT, active.why
    if not active:
        return _YES, f"no run is active in {edge.target}."
    told = ", ".join(f"{name} (run {', '.join(map(str, runs))})" for name, runs in sorted(active.items()))
    return _NO, f"active in {edge.target}: {told}. --wait MINUTES waits for them."


def _no_freeze(edge: Edge, facts: Facts) -> Told:
    if isinstance(facts.now, Unknown):
        return _CANNOT, facts.now.why
    today = facts.now.date()
    for freeze in facts.freezes:
        if edge.target in freeze.environments and freeze.start <= today <= freeze.end:
            return _NO, f"{edge.target} is frozen from {freeze.start} to {freeze.end}: {freeze.why}."
    return _YES, f"no freeze on {today}."


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _moment(when: datetime.datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"
