"""Reports on record: what a sign-off says of one, what the gate wants of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.promotion import EDGES, GateChanges, Gates, gates_of
from quantctl.forge import Verdict
from quantctl.promotion import results_gate
from quantctl.promotion.gates import Unknown
from quantctl.promotion.results_gate import ReportSeen, ResultsSeen
from quantctl.records import reports
from quantctl.records.signoffs import SignOff, Words, words_of
from quantctl.records.tags import Tag
from quantctl.results.report import parsed
from tests.results_samples import HERE, report
from tests.test_gates import ALL, EDGE, GOOD, verdicts


def test_a_sign_off_says_on_what_for_whom_and_what_it_accepts() -> None:
    """Written and read again; a note is never taken for it."""
    words = Words("the numbers\nagree", "ab12" * 16, "users", {"T:x/run": "a bad night"})
    assert words_of(str(words)) == words
    assert words_of("Report: none of mine\nfine") == Words("Report: none of mine\nfine")
    assert words_of("plain") == Words("plain")


def sign_off(by: str = "Uma", report: str = "d" * 64, stakeholder: str = "", **accepted: str) -> SignOff:
    """A sign-off."""
    named = {id.replace("__", ":"): why for id, why in accepted.items()}
    return SignOff("quant_stg", HERE, by, str(Words("fine", report, stakeholder, named)), by, 0, f"tag {by}")


SEEN = ReportSeen("d" * 64, "as expected", "quant_live", 3, [], "cora")


@pytest.mark.parametrize(
    ("seen", "verdict", "told"),
    [
        (ResultsSeen(SEEN), Verdict.YES, "as expected"),
        (ResultsSeen(None), Verdict.NO, "no report of this commit is recorded"),
        (ResultsSeen(None, (), {"results/x": "it is not signed"}), Verdict.NO, "Not a report: results/x: it is not signed"),
        (ResultsSeen(replace(SEEN, stale="run again")), Verdict.NO, "is stale: run again"),
        (ResultsSeen(replace(SEEN, days=2)), Verdict.NO, "2 days of 3"),
        (ResultsSeen(replace(SEEN, findings=["T:x"])), Verdict.NO, "T:x. Fix it, or"),
        (ResultsSeen(replace(SEEN, findings=["T:x"]), [sign_off(T__x="a bad night")]), Verdict.YES, "by Uma: a bad night"),
        (ResultsSeen(replace(SEEN, findings=["T:x"]), [sign_off(T__y="other")]), Verdict.NO, "T:x"),
        (ResultsSeen(replace(SEEN, findings=["T:x"]), [sign_off(report="e" * 64, T__x="old")]), Verdict.NO, "T:x"),
    ],
)  # fmt: skip
def test_the_gate_wants_a_report_with_nothing_left(seen: ResultsSeen, verdict: Verdict, told: str) -> None:
    """Of exactly this commit, of enough days, not stale, and what it finds is accepted by name on this very report."""
    found, evidence = results_gate.results("quant_stg", 3, seen)
    assert found is verdict and told in evidence


def test_the_gate_is_off_without_contracts() -> None:
    """And asked where there are some; what cannot be read does not pass."""
    gates = replace(ALL, results_days=3)
    assert "results" not in verdicts(GOOD, gates)
    assert verdicts(replace(GOOD, results=Unknown("no runs")), gates)["results"] is Verdict.UNKNOWN
    assert verdicts(replace(GOOD, results=Unknown("no runs")), gates)["sign-off"] is Verdict.UNKNOWN
    seen = ResultsSeen(SEEN, [sign_off()])
    assert verdicts(replace(GOOD, results=seen, signed=seen.signed), gates)["sign-off"] is Verdict.YES
    other = ResultsSeen(SEEN, [sign_off(report="e" * 64)])
    assert verdicts(replace(GOOD, results=other, signed=other.signed), gates)["sign-off"] is Verdict.NO


def test_every_stakeholder_is_another_person() -> None:
    """`stakeholders: [users, owner]` asks for two sign-offs, each for whom it speaks."""
    gates = gates_of(EDGE, {str(EDGE): GateChanges(stakeholders=["users", "owner"])})
    assert gates.stakeholders == ("users", "owner")

    def verdict(*given: SignOff) -> Verdict:
        return results_gate.stakeholders("quant_stg", gates.stakeholders, ResultsSeen(SEEN, given), given)[0]

    assert verdict(sign_off("Uma", stakeholder="users")) is Verdict.NO
    assert verdict(sign_off("Uma", stakeholder="users"), sign_off("Uma", stakeholder="owner")) is Verdict.NO
    assert verdict(sign_off("Uma", stakeholder="users"), sign_off("Olga", stakeholder="owner")) is Verdict.YES


def test_edges_into_production_ask_for_a_report() -> None:
    """By default, where there are contracts."""
    assert {str(edge): gates.results_days for edge, gates in EDGES.items()} == {
        "quant -> quant_stg": 0, "quant_stg -> quant_lr": 1, "quant_stg -> quant_live": 3, "quant_lr -> quant_live": 3,
    }  # fmt: skip
    assert Gates(0, 0, 0, 0, sign_off=False, release_manager=False).results_days == 0


def test_a_record_is_the_report_that_its_name_says() -> None:
    """Another digest in the name, another commit, another environment, a letter more: no report; the right one is read."""
    made = report()
    name = f"results/quant_stg/{HERE[:12]}/{made.digest[:12]}"

    def read(tag: Tag, environment: str = "quant_stg", commit: str = HERE) -> object:
        return reports._read(tag, environment, commit, parsed)

    good = Tag(name, HERE, message=f"Results\n\n{made.text}")
    assert getattr(read(good), "digest", None) == made.digest
    for bad in (
        replace(good, name=name[:-1] + "x"), replace(good, commit="c" * 40), replace(good, message="Results"),
        replace(good, message=good.message.replace("quant_live", "quant_lime")), replace(good, message=good.message + "}"),
    ):  # fmt: skip
        assert isinstance(read(bad), str)
    assert isinstance(read(good, environment="quant_lr"), str)
