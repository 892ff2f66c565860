"""The gate `results`, and what a sign-off has to name where there are contracts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from quantctl.forge.model import Verdict
from quantctl.records.signoffs import SignOff
from quantctl.text.plain import counted

Told = tuple[Verdict, str]


@dataclass(frozen=True)
class ReportSeen:
    """The newest report of exactly the commit that moves. `days`: of its window, run by this very code.

    `findings`: what it has not expected, or does not know. `stale`: why it no longer says what is there.
    """

    digest: str
    verdict: str
    against: str
    days: int
    findings: Sequence[str]
    by: str
    stale: str = ""


@dataclass(frozen=True)
class ResultsSeen:
    """What is on record of the results. `void`: tags that are no reports, and why. `signed`: sign-offs of the commit."""

    report: ReportSeen | None
    signed: Sequence[SignOff] = ()
    void: Mapping[str, str] = field(default_factory=dict)

    def of_report(self) -> list[SignOff]:
        """The sign-offs that name the report, as it is now."""
        if self.report is None or self.report.stale:
            return []
        digest = self.report.digest
        return [one for one in self.signed if one.words.report and digest.startswith(one.words.report)]


def results(source: str, needed: int, seen: ResultsSeen) -> Told:
    """Whether a recorded report finds nothing that nobody has accepted."""
    besides = "".join(f" Not a report: {name}: {why}." for name, why in sorted(seen.void.items()))
    report = seen.report
    if report is None:
        return Verdict.NO, f"no report of this commit is recorded: quantctl results {source} --record.{besides}"
    told = f"report {report.digest[:12]} against {report.against}, recorded by {report.by}"
    if report.stale:
        return Verdict.NO, f"{told}, is stale: {report.stale}. `quantctl results {source} --record` again.{besides}"
    if report.days < needed:
        ran = f"{counted(report.days, 'day')} of {needed} in it were run by this code, with success"
        return Verdict.NO, f"{told}: {ran}.{besides}"
    accepted = {id: (one.by, why) for one in seen.of_report() for id, why in one.words.accepted.items()}
    left = [id for id in report.findings if id not in accepted]
    if left:
        named = ", ".join(left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
        accept = f"`quantctl signoff {source} --report {report.digest[:12]} --accept ID --because TEXT --note TEXT`"
        return Verdict.NO, f"{told}: {named}. Fix it, or {accept} accepts one.{besides}"
    taken = "".join(f" {id} is accepted by {by}: {why}." for id, (by, why) in accepted.items() if id in report.findings)
    return Verdict.YES, f"{told}: {report.verdict}, {counted(report.days, 'day')} run by this code.{taken}{besides}"


def stakeholders(source: str, wanted: Sequence[str], seen: ResultsSeen | None, given: Sequence[SignOff]) -> Told:
    """Whether everybody who is asked has signed off, each another person; with contracts, on the report."""
    counts = given if seen is None else seen.of_report()
    report = f" --report {seen.report.digest[:12]}" if seen is not None and seen.report is not None else ""
    if not counts:
        others = "; none of those there are names this report" if given else ""
        return Verdict.NO, f"none{others}; when its users agree: quantctl signoff {source} --by NAME --note TEXT{report}."
    missing, people = [], set[str]()
    for name in wanted:
        those = [one for one in counts if one.words.stakeholder == name and one.by not in people]
        people |= {one.by for one in those[:1]}
        missing += [] if those else [name]
    told = "; ".join(map(str, counts))
    if missing:
        ask = f"quantctl signoff {source} --for {missing[0]} --by NAME --note TEXT{report}"
        return Verdict.NO, f"missing: {', '.join(missing)} ({ask}). There are: {told}."
    return Verdict.YES, f"{told}."
