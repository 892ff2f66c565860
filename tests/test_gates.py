"""The gates of a promotion: each answers yes, no or unknown, with its evidence; pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.outside.workspace import Run
from infra.promotion import EDGES, Edge, Freeze, GateChanges, Gates, gates_of
from infra.vocabulary import Environment
from quantctl.forge import Answer, Approval, Approvals, Verdict
from quantctl.forge.gitlab_vetoes import Seen, vetoes, withdrawn
from quantctl.promotion import soak
from quantctl.promotion.gates import (
    Facts,
    Line,
    Soaked,
    Unknown,
    answer,
    stopped,
)
from quantctl.promotion.namesakes import namesakes
from quantctl.promotion.promote import may_be_opened
from quantctl.records.deployments import Record
from quantctl.records.repository import Commit

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HEAD, BELOW = "a" * 40, "b" * 40
EDGE = Edge(Environment.STAGING, Environment.LIVE)
ALL = Gates(3, 2, 0, 2, sign_off=True, release_manager=True)
COMMIT = Commit(HEAD, "Dana", "dana@quant.example", 0, "Window of 20 days")


def run(number: int, result: str = "SUCCESS") -> Run:
    return Run(1, number, NOW - timedelta(days=1), result)


RAVI = Approval("Ravi", "2026-11-24", "!7")
GOOD = Facts(
    now=NOW,
    line=Line(HEAD, BELOW, [COMMIT], []),
    deployed=HEAD,
    soaked=[Soaked("risk_model", NOW - timedelta(days=4), [run(1), run(2)])],
    approvals=Approvals((RAVI, Approval("Rhea", "2026-11-24", "!7"))),
    sign_offs=["by Uma: 'fine'"],
    release_manager=Answer(Verdict.YES, "in quant-release-managers"),
    active={},
)
FREEZE = Freeze(environments=[Environment.LIVE], start=NOW.date(), end=NOW.date(), why="Year end")


def verdicts(facts: Facts, gates: Gates = ALL) -> dict[str, Verdict]:
    return {gate.name: gate.verdict for gate in answer(EDGE, gates, facts)}


def test_a_change_that_clears_every_gate_goes_ahead() -> None:
    """Every gate of the edge is asked and none stops it."""
    found = answer(EDGE, ALL, GOOD)
    assert [gate.name for gate in found] == [
        "fast-forward", "soak", "approvals", "sign-off", "release-manager", "no-active-runs", "no-freeze",
    ]  # fmt: skip
    assert stopped(found) == []
    assert all(gate.evidence for gate in found)


BROKEN: list[tuple[str, dict[str, Any], list[str]]] = [
    ("fast-forward", {"line": Line(HEAD, BELOW, [COMMIT], [COMMIT])}, ["never had", "Dana", "Window of 20 days"]),
    ("fast-forward", {"line": Line(HEAD, HEAD, [], [])}, ["nothing that quant_live lacks"]),
    ("soak", {"deployed": BELOW}, ["at bbbbbbbbbbbb", "`quantctl up quant_stg` first"]),
    ("soak", {"deployed": None}, ["not deployed"]),
    ("soak", {"soaked": [Soaked("x", NOW - timedelta(days=1), [run(1), run(2)])]}, ["x:", "1.0 of 3 days"]),
    ("soak", {"soaked": [Soaked("x", NOW - timedelta(days=4), [run(1)])]}, ["1 of 2 successful runs"]),
    ("soak", {"soaked": [Soaked("x", NOW - timedelta(days=4), [run(1), run(2), run(3, "FAILED")])]}, ["run 3"]),
    ("soak", {"soaked": [Soaked("x", NOW - timedelta(days=4), [run(1), run(2), run(9, "SUCCESS_WITH_FAILURES")])]}, ["9"]),
    ("soak", {"soaked": [Soaked("x", None, note="has no job in the workspace")]}, ["x: has no job"]),
    ("approvals", {"approvals": Approvals((RAVI,), ("Dana wrote of it",))}, ["1 of 2", "Dana wrote"]),
    ("approvals", {"approvals": Approvals()}, ["0 of 2: nobody"]),
    ("sign-off", {"sign_offs": []}, ["none for aaaaaaaaaaaa", "quantctl signoff quant_stg"]),
    ("release-manager", {"release_manager": Answer(Verdict.NO, "in no group")}, ["in no group"]),
    ("no-active-runs", {"active": {"risk_model": [12]}}, ["risk_model (run 12)", "--wait"]),
    ("no-freeze", {"freezes": [FREEZE]}, ["frozen", "Year end"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changed", "words"), BROKEN)
def test_each_gate_that_is_broken_stops_it_with_its_evidence(name: str, changed: dict[str, Any], words: list[str]) -> None:
    """That one gate says no and why; the others stay as they were."""
    found = answer(EDGE, ALL, replace(GOOD, **changed))
    [gate] = [gate for gate in stopped(found) if gate.name == name]
    assert gate.verdict is Verdict.NO
    for word in words:
        assert word in gate.evidence
    assert {one.name for one in stopped(found)} == {name}


@pytest.mark.parametrize(
    ("edge", "command"),
    [
        (Edge(Environment.STAGING, Environment.LIMITED), "`quantctl approve quant_lr`."),
        (EDGE, "`quantctl approve quant_live --from quant_stg`."),
    ],
)
def test_an_approval_names_its_source_where_two_ways_lead_to_the_target(edge: Edge, command: str) -> None:
    """So that the command is right as it is printed."""
    [gate] = [gate for gate in answer(edge, ALL, replace(GOOD, approvals=Approvals())) if gate.name == "approvals"]
    assert gate.evidence.endswith(command)


@pytest.mark.parametrize(
    ("fact", "names"),
    [
        ("now", {"soak", "no-freeze"}),
        ("line", {"fast-forward", "soak", "sign-off"}),
        ("deployed", {"soak"}),
        ("soaked", {"soak"}),
        ("approvals", {"approvals"}),
        ("sign_offs", {"sign-off"}),
        ("release_manager", {"release-manager"}),
        ("active", {"no-active-runs"}),
    ],
)
def test_what_could_not_be_read_never_passes(fact: str, names: set[str]) -> None:
    """The gates that need it are unknown, and say why; the others answer."""
    unread: dict[str, Any] = {fact: Unknown("Databricks does not answer")}
    found = answer(EDGE, ALL, replace(GOOD, **unread))
    assert {gate.name for gate in stopped(found)} == names
    for gate in stopped(found):
        assert (gate.verdict, gate.evidence) == (Verdict.UNKNOWN, "Databricks does not answer")


def test_a_promoter_whom_nobody_knows_cannot_be_told() -> None:
    """Neither yes nor no."""
    unknown = replace(GOOD, release_manager=Answer(Verdict.UNKNOWN, "the workspace says nothing of groups"))
    assert verdicts(unknown)["release-manager"] is Verdict.UNKNOWN


def test_a_cancelled_run_is_neither_a_success_nor_a_failure() -> None:
    """Somebody who stops a run has not shown anything."""
    runs = [run(1), run(2), run(3, "CANCELED"), run(4, "")]
    assert verdicts(replace(GOOD, soaked=[Soaked("x", NOW - timedelta(days=4), runs)]))["soak"] is Verdict.YES
    runs = [run(1), run(3, "CANCELED")]
    assert verdicts(replace(GOOD, soaked=[Soaked("x", NOW - timedelta(days=4), runs)]))["soak"] is Verdict.NO


def test_gates_that_an_edge_does_not_have_are_not_asked() -> None:
    """An edge without approvals, sign-off and release manager asks for none."""
    assert set(verdicts(GOOD, Gates(0, 0, 0, 0, sign_off=False, release_manager=False))) == {
        "fast-forward", "soak", "no-active-runs", "no-freeze",
    }  # fmt: skip


def test_the_settings_change_a_gate_and_leave_the_others() -> None:
    """quant:gates names an edge and what differs there."""
    changed = gates_of(EDGE, {"quant_stg -> quant_live": GateChanges.model_validate({"soakDays": 0.5})})
    assert changed == replace(EDGES[EDGE], soak_days=0.5)
    assert gates_of(EDGE, {}) == EDGES[EDGE]


def test_every_way_into_production_needs_a_release_manager_and_a_second_person() -> None:
    """The defaults of both edges into quant_live."""
    for edge, gates in EDGES.items():
        if edge.target is Environment.LIVE:
            assert gates.release_manager and gates.approvals >= 1 and gates.failed_runs == 0


def deployed(*steps: tuple[str, float]) -> list[Record]:
    """Commit and days ago, the oldest first; each names the one before."""
    commits: list[str | None] = [None, *(commit for commit, _ in steps)]
    made = zip(commits, steps, strict=False)
    return [Record("deployment", "quant", NOW - timedelta(days=ago), to, old, "Dana", "up") for old, (to, ago) in made]


SAME = {"c1": {"w": "1"}, "c2": {"w": "1"}, "c3": {"w": "2"}, "c4": {"w": "2"}}


def test_a_workflow_soaks_since_it_is_as_it_is() -> None:
    """Deployments that leave it as it was do not begin its soak anew; one that changes it does."""
    records = deployed(("c1", 9), ("c2", 7), ("c3", 5), ("c4", 2))
    assert soak.since("w", "c4", records, SAME.get, None) == NOW - timedelta(days=5)
    assert soak.since("w", "c2", records[:2], SAME.get, None) == NOW - timedelta(days=9)
    back = deployed(("c1", 9), ("c2", 7), ("c3", 5), ("c1", 3), ("c3", 1))
    assert soak.since("w", "c3", back, SAME.get, None) == NOW - timedelta(days=1)


def test_a_record_that_is_gone_ends_a_soak() -> None:
    """Whoever deletes the tag of what ran between makes no soak longer."""
    records = deployed(("c1", 9), ("c3", 5), ("c2", 1))
    assert soak.since("w", "c2", records, SAME.get, None) == NOW - timedelta(days=1)
    assert soak.since("w", "c2", [records[0], records[2]], SAME.get, None) == NOW - timedelta(days=1)


def test_a_deployment_that_is_not_recorded_counts_from_the_engines_last_change() -> None:
    """Plain pulumi up leaves no record; what nobody can tell is no soak at all."""
    changed = NOW - timedelta(days=1)
    assert soak.since("w", "c4", deployed(("c3", 5)), SAME.get, changed) == changed
    assert soak.since("w", "c4", deployed(("c3", 5)), SAME.get, None) is None
    assert soak.since("other", "c4", deployed(("c4", 5)), SAME.get, changed) is None
    assert soak.since("w", "gone", deployed(("gone", 5)), SAME.get, changed) is None


def test_what_makes_a_workflow_another_one() -> None:
    """Its definition and every file but documentation and other workflows' definitions."""
    definitions = [{"name": "w", "tasks": [1]}, {"name": "v", "tasks": [2]}]
    blobs = {"src/a.py": "1", "README.md": "1", "workflows/v.yml": "1"}
    before = soak.identities(definitions, blobs, "workflows")
    assert soak.identities(definitions, {**blobs, "README.md": "2", "workflows/v.yml": "2"}, "workflows") == before
    assert soak.identities(definitions, {**blobs, "src/a.py": "2"}, "workflows")["w"] != before["w"]
    after = soak.identities([definitions[0], {"name": "v", "tasks": [3]}], blobs, "workflows")
    assert (after["w"] == before["w"], after["v"] == before["v"]) == (True, False)


@pytest.mark.parametrize("path", ["requirements.txt", "src/limits.txt", "workflows/lib/a.py", "workflows/query.sql"])
def test_what_a_run_reads_is_not_taken_for_documentation(path: str) -> None:
    """Requirements, data, and everything below workflows/ but definitions."""
    definitions = [{"name": "w"}]
    before, after = (soak.identities(definitions, {path: blob}, "workflows") for blob in "12")
    assert before != after


def test_the_soak_covers_what_the_target_will_run() -> None:
    """A change of the target's own part begins it anew; of another workflow's it does not."""
    here = [{"name": "w"}, {"name": "v"}]
    before = soak.identities(here, {}, "workflows", [{"name": "w", "tasks": [1]}, {"name": "v"}])
    after = soak.identities(here, {}, "workflows", [{"name": "w", "tasks": [2]}, {"name": "v"}])
    gone = soak.identities(here, {}, "workflows", [{"name": "v"}])
    assert before["w"] != after["w"] != gone["w"] != before["w"]
    assert before["v"] == after["v"] == gone["v"]


def test_a_job_of_the_same_name_is_told() -> None:
    """By its id and who made it; the stack's own is none."""
    listed: list[dict[str, Any]] = [
        {"job_id": 1, "settings": {"name": "quant a"}},
        {"job_id": 2, "settings": {"name": "quant a"}, "creator_user_name": "dana@quant.example"},
        {"job_id": 3, "settings": {"name": "quant_stg a"}},
        {"job_id": 4},
    ]
    assert namesakes({"quant a": 1}, listed) == ["job 2, which dana@quant.example has named 'quant a' too"]
    told = answer(EDGE, ALL, replace(GOOD, namesakes=namesakes({"quant a": 1}, listed)))[1]
    assert told.verdict is Verdict.YES and "Not looked at: job 2" in told.evidence


def test_a_veto_stops_a_merge_request() -> None:
    """Told as what it is; in plain Git there is no such gate; what cannot be read never passes."""
    assert "merge-request" not in verdicts(GOOD)
    assert verdicts(replace(GOOD, vetoes=()))["merge-request"] is Verdict.YES
    assert verdicts(replace(GOOD, vetoes=["!7 is a draft"]))["merge-request"] is Verdict.NO
    assert verdicts(replace(GOOD, vetoes=Unknown("GitLab does not answer")))["merge-request"] is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("stopping", "opened"),
    [
        ({"soaked": [Soaked("x", NOW, [])], "sign_offs": []}, True),
        ({"approvals": Approvals(), "active": {"x": [1]}, "freezes": [FREEZE]}, True),
        ({"line": Line(HEAD, BELOW, [COMMIT], [COMMIT])}, False),
        ({"vetoes": ["!7 was closed"]}, False),
        ({"release_manager": Answer(Verdict.NO, "in no group")}, False),
        ({"line": Unknown("Git does not answer")}, False),
    ],
)
def test_a_merge_request_is_opened_early_and_no_veto_overridden(stopping: dict[str, Any], opened: bool) -> None:
    """Approvals can be given while the soak goes on; what cannot be merged is not opened."""
    assert may_be_opened(answer(EDGE, ALL, replace(GOOD, **stopping))) is opened


NOTES = [("ravi", "approved this merge request"), ("ravi", "unapproved this merge request")]


@pytest.mark.parametrize(
    ("notes", "left"),
    [
        ([], []),
        (NOTES, ["Ravi (@ravi)"]),
        ([*NOTES, NOTES[0]], []),
        ([*NOTES, ("dana", "added 1 commit\n\n* abc")], []),
        ([("ravi", "unapproved this merge request", False)], []),
    ],
)
def test_an_approval_that_was_withdrawn_is_a_veto(notes: list[Any], left: list[str]) -> None:
    """Until it is given again, or another commit is pushed; what people write is none."""
    ids = {"ravi": 3, "dana": 4}
    read = [
        {"author": {"id": ids[who], "name": who.capitalize(), "username": who}, "body": body, "system": not more}
        for who, body, *more in notes
    ]
    assert withdrawn(read) == left


def test_of_several_merge_requests_the_newest_speaks() -> None:
    """One that was closed before another was opened holds nothing back; a merged one is over."""
    closed = Seen(1, "!1", "closed", closed_by="Ravi")
    assert vetoes([closed]) == ["!1 was closed by Ravi: reopen it, or push another commit"]
    assert vetoes([closed, Seen(2, "!2", "opened")]) == []
    assert vetoes([Seen(2, "!2", "merged", draft=True), closed]) == []
    assert vetoes([Seen(2, "!2", "opened", draft=True, withdrawn=["Uma"])])[0] == "!2 is a draft: mark it as ready"
    assert vetoes([]) == []


@pytest.mark.parametrize(
    ("freezes", "verdict"),
    [
        ([(Environment.LIVE, 0, 0)], Verdict.NO),
        ([(Environment.LIVE, -5, 0)], Verdict.NO),
        ([(Environment.LIVE, 0, 5)], Verdict.NO),
        ([(Environment.LIVE, -5, -1)], Verdict.YES),  # it ended
        ([(Environment.LIVE, 1, 5)], Verdict.YES),  # it has not begun
        ([(Environment.STAGING, 0, 0)], Verdict.YES),  # another environment's
        ([(Environment.LIVE, -5, -1), (Environment.LIVE, 0, 0)], Verdict.NO),  # the second one
        ([(Environment.LIVE, 0, 0), (Environment.STAGING, 0, 0)], Verdict.NO),
        ([], Verdict.YES),
    ],
)
def test_a_freeze_is_for_its_days_and_environments(freezes: list[tuple[Environment, int, int]], verdict: Verdict) -> None:
    """From its first day to its last, each of several, and nobody else's."""
    given = [
        Freeze(
            environments=[env], start=(NOW + timedelta(days=first)).date(), end=(NOW + timedelta(days=last)).date(), why="x"
        )
        for env, first, last in freezes
    ]
    assert verdicts(replace(GOOD, freezes=given))["no-freeze"] is verdict
