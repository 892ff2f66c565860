"""What gates and refusals say, word for word, as it stands in tests/evidence.txt: a promotion is decided by reading it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from infra.errors import UserError
from infra.service_keys import marker, need_held, need_keys, written
from quantctl.forge import Answer, Approval, Approvals, Verdict
from quantctl.keys.decide import slot_to_fill, why_not_retire
from quantctl.promotion.gates import Line, Soaked, Unknown, answer
from quantctl.promotion.results_gate import ReportSeen, ResultsSeen
from quantctl.records.repository import Commit
from quantctl.records.signoffs import SignOff, Words
from tests.paths import ROOT
from tests.test_gates import ALL, BELOW, COMMIT, EDGE, FREEZE, GOOD, HEAD, NOW, RAVI, run
from tests.test_settings import read

FILE = ROOT / "tests" / "evidence.txt"
OTHER = Commit("c" * 40, "Mei Ling", "mei@quant.example", 0, 'Say "so"')
DAYS = timedelta(days=1)


def soaked(days: float, *runs: Any, name: str = "risk_model") -> Soaked:
    return Soaked(name, NOW - days * DAYS, runs)


CHANGED: list[dict[str, Any]] = [
    {},
    {"line": Line(HEAD, BELOW, [COMMIT, OTHER], [OTHER])},
    {"line": Line(HEAD, BELOW, [COMMIT], [COMMIT, OTHER])},
    {"line": Line(HEAD, HEAD, [], [])},
    {"line": Line(HEAD, HEAD, [], [], same_tree=True)},
    {"line": Line(HEAD, BELOW, [], [], same_tree=True)},
    {"line": Line(HEAD, BELOW, [], [])},
    {"line": Line(HEAD, BELOW, [COMMIT, OTHER], [], present=[OTHER])},
    {"line": Line(HEAD, BELOW, [COMMIT], [], present=[OTHER, COMMIT])},
    {"line": Line(HEAD, BELOW, [COMMIT], [], reverted=[COMMIT, OTHER], revert=OTHER)},
    {"line": Line(HEAD, BELOW, [COMMIT], [], same_tree=True)},
    {"line": Unknown("Git is silent")},
    {"deployed": None},
    {"deployed": BELOW},
    {"soaked": []},
    {"soaked": [soaked(3, run(1), run(2))]},
    {"soaked": [soaked(2.99, run(1), run(2))]},
    {"soaked": [soaked(4, run(1), run(2)), soaked(5, run(3), run(4), run(5), name="other")]},
    {"soaked": [soaked(5, run(1), run(2), run(6)), soaked(4, run(3), run(4), run(5), name="other")]},
    {"soaked": [soaked(1, run(1)), soaked(1, run(2), name="other"), soaked(4, run(3), run(4), name="fine")]},
    {"soaked": [soaked(1, run(9, "FAILED"), run(8), run(7, "TIMEDOUT"))]},
    {"soaked": [soaked(4, run(1), run(9, "FAILED"), run(8))], "namesakes": ["two jobs are called x"]},
    {"soaked": [Soaked("gone", None), Soaked("lost", None, note="has no job in the workspace")]},
    {"namesakes": ["two jobs are called x", "three y"]},
    {"namesakes": Unknown("the workspace does not say")},
    {"approvals": Approvals((), ("Dana wrote of it", "Ada is in no group"))},
    {"approvals": Approvals((RAVI,))},
    {"approvals": Approvals((RAVI, RAVI, Approval("Rhea", "2026-11-24", "!8")), ("Dana wrote of it",))},
    {"vetoes": []},
    {"vetoes": ["it is a draft", "Ravi took it back"]},
    {"vetoes": Unknown("GitLab is silent")},
    {"sign_offs": []},
    {"sign_offs": ["by Uma: 'fine'", "by Eddie: 'good'"]},
    {"sign_offs": Unknown("GitLab is silent")},
    {"release_manager": Answer(Verdict.NO, "Dana is in no such group")},
    {"active": {"risk_model": [1, 2], "a": [3]}},
    {"freezes": [FREEZE]},
    {"freezes": [FREEZE.model_copy(update={"why": "Audit"}), FREEZE]},
    {"now": Unknown("no clock")},
    {"soaked": [soaked(3.75, run(1), run(2))]},  # a day has 86400 seconds, and not one more
    {"soaked": [soaked(2.75, run(1), run(2))]},
]
DIGEST = "d" * 64
REPORT = ReportSeen(DIGEST, "as expected", "quant_live", 3, (), "Rhea")


def signed(by: str, **words: Any) -> SignOff:
    note = str(Words("fine", **words))
    return SignOff("quant_stg", HEAD, by, note, by, 0, "tag x")


DESK, RISK = signed("Uma", report=DIGEST[:12], stakeholder="desk"), signed("Eddie", report=DIGEST[:12], stakeholder="risk")
WITH = replace(ALL, results_days=3, stakeholders=("desk", "risk"))
RESULTS: list[dict[str, Any]] = [
    {},
    {"results": Unknown("the account is silent")},
    {"results": ResultsSeen(None, (), {"results/x": "it is malformed"})},
    {"results": ResultsSeen(REPORT, (DESK, RISK)), "signed": [DESK, RISK]},
    {"results": ResultsSeen(REPORT, (DESK,)), "signed": [DESK]},
    {"results": ResultsSeen(REPORT), "signed": [DESK]},
    {"results": ResultsSeen(replace(REPORT, stale="the tables moved on"), (DESK, RISK)), "signed": [DESK, RISK]},
    {"results": ResultsSeen(replace(REPORT, days=2)), "signed": []},
    {"results": ResultsSeen(replace(REPORT, findings=("a", "b")), (DESK,)), "signed": [DESK]},
    {"signed": [DESK, RISK]},
]
FEW = replace(ALL, successful_runs=1, failed_runs=1, soak_days=1, approvals=1)


def evidence() -> Iterator[str]:
    """Every gate in every situation that differs, and what a gate is for programs."""
    for gates in (ALL, FEW):
        usual = answer(EDGE, gates, GOOD)
        for number, changed in enumerate(CHANGED):
            told = [gate for gate in answer(EDGE, gates, replace(GOOD, **changed)) if not changed or gate not in usual]
            yield f"{number} {', '.join(changed)}{' with few needed' if gates is FEW else ''}\n"
            for gate in told:
                assert gate.as_json() == {"name": gate.name, "verdict": gate.verdict.value, "evidence": gate.evidence}
                yield f"    {gate.name} {gate.verdict.value}: {gate.evidence}\n"
    for number, changed in enumerate(RESULTS):
        for gates in (WITH, replace(WITH, stakeholders=()), replace(WITH, results_days=0, stakeholders=())):
            yield f"results {number}, {gates.results_days} days, {', '.join(gates.stakeholders) or 'nobody'} asked\n"
            for gate in answer(EDGE, gates, replace(GOOD, **changed)):
                if gate.name in ("results", "sign-off"):
                    yield f"    {gate.name} {gate.verdict.value}: {gate.evidence}\n"
    yield "keys\n"
    first, second = "QUFB", "QkJC"
    key = "snowflake_private_key"
    for ask in (
        lambda: slot_to_fill("quant", (first, second), written({key: 5})),
        lambda: need_keys(read("quant")),
        lambda: need_held(read("quant"), {key: 5, "snowflake_public_key.ab": 6}),
    ):
        with pytest.raises(UserError) as refused:
            ask()
        yield f"    {refused.value}\n"
    for secrets, accepted, runs in (
        ({key: 5}, None, {}),
        ({key: 5, marker(second): 6}, None, {}),
        ({key: 5, marker(second): 6}, (first, first), {"risk_model": [1, 2], "a": [3]}),
    ):
        yield f"    {why_not_retire('quant', (first, second), written(secrets), accepted, runs)}\n"


def test_evidence_is_as_people_read_it() -> None:
    """After a change that was meant: WRITE_MESSAGES=1, and its diff is read."""
    told = "".join(evidence())
    if os.environ.get("WRITE_MESSAGES"):
        FILE.write_text(told)
    assert told == FILE.read_text()
