"""What is real against what was declared last, and an update that did not end well; decided without an engine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from infra.outside.workspace import GitFolder
from infra.vocabulary import DECLARED
from quantctl.drift.by_hand import by_hand
from quantctl.drift.changed import engine_findings
from quantctl.drift.declared import differences, same, unexplained
from quantctl.drift.finding import By, Class, Finding, report
from quantctl.drift.fix import plan, why_no_engine
from quantctl.drift.folder import Folder, deployed_commit, folder_findings, half, place_findings
from quantctl.drift.keys import key_findings
from quantctl.drift.steps import Checkpoint, Refresh, Step, checkpoint, read_refresh
from quantctl.drift.unchanged import unchanged
from quantctl.drift.unfinished import missing_again, unfinished_findings
from quantctl.engine.history import LastUpdate, failure_of
from quantctl.engine.said import reason
from quantctl.engine.state import JOB, state_of

ENV = "quant_stg"
OLD, NEW = "a" * 40, "b" * 40


def step(kind: str, inputs: dict[str, Any], new: dict[str, Any] | None, **more: Any) -> Step:
    urn = f"urn:pulumi:{ENV}::quant::quant:index:Environment$x:index/{kind.lower()}:{kind}::{more.pop('name', 'it')}"
    return Step(urn, inputs, more.pop("old", new if new is not None else inputs), new, **more)


def folder(declared: str = OLD, state: str = OLD, real: str | None = OLD, **more: Any) -> Step:
    """A Git folder at the commits that were declared, that the state holds, and that are real."""
    at = {"path": "/quant_stg", "branch": ENV, "id": "7"}
    read = None if real is None else {**at, "commitHash": real}
    return step("Repo", {**at, "commitHash": declared}, read, old={**at, "commitHash": state}, name="folder", **more)


def said(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(f.resource, f.property, f.real) for f in findings]


@pytest.mark.parametrize(
    ("kind", "inputs", "old", "new", "expected"),
    [
        # After a refused ENABLE MANAGED ACCESS and a failed retention the state says what was wanted.
        ("Schema", {"withManagedAccess": "true"}, {"withManagedAccess": "true"}, {"withManagedAccess": "false"}, "real"),
        ("Schema", {"dataRetentionTimeInDays": 14}, {"dataRetentionTimeInDays": 14}, {"dataRetentionTimeInDays": 0}, "real"),
        # The provider's own way to spell it, which it has told since the update ended.
        ("Schema", {"isTransient": "default"}, {"isTransient": "false"}, {"isTransient": "false"}, "clean"),
        ("Repo", {"path": "/Workspace/quant"}, {"path": "/quant"}, {"path": "/quant"}, "clean"),
        # Zero, false and empty are not sent.
        ("Job", {"maxConcurrentRuns": 0}, {"maxConcurrentRuns": 1}, {"maxConcurrentRuns": 1}, "real"),
        ("Job", {"queue": {"enabled": False}}, {"queue": {"enabled": True}}, {"queue": {"enabled": True}}, "real"),
        ("Job", {"description": ""}, {"description": "by hand"}, {"description": "by hand"}, "real"),
        ("Job", {"tasks": [{"taskKey": "a", "maxRetries": 0}]}, {"tasks": [{"taskKey": "a"}]}, None, "clean"),
        # Another order of what has names, or of plain values.
        (
            "Job",
            {"tasks": [{"taskKey": "a"}, {"taskKey": "b"}]},
            {},
            {"tasks": [{"taskKey": "b"}, {"taskKey": "a"}]},
            "clean",
        ),
        ("Grant", {"privileges": ["SELECT", "USAGE"]}, {}, {"privileges": ["USAGE", "SELECT"]}, "clean"),
        ("Job", {"timeoutSeconds": 60}, {"timeoutSeconds": 60}, {"timeoutSeconds": "60"}, "clean"),
        ("Secret", {"stringValue": "[secret]"}, {}, {"stringValue": "another"}, "clean"),
        # Nobody declared it: set by hand, or left in a list that was emptied.
        ("Job", {}, {}, {"webhookNotifications": {"onFailures": [{"id": "x"}]}}, "real"),
        ("Job", {}, {"emailNotifications": {"onFailures": [""]}}, {"emailNotifications": {"onFailures": [""]}}, "real"),
        ("Job", {}, {"format": "MULTI_TASK"}, {"format": "MULTI_TASK"}, "clean"),
        ("Schema", {}, {}, {"fullyQualifiedName": "x"}, "clean"),
    ],
)
def test_the_real_thing_is_compared_with_what_was_declared(
    kind: str, inputs: dict[str, Any], old: dict[str, Any], new: dict[str, Any] | None, expected: str
) -> None:
    """Whatever the state says that it became, and without an alarm over a provider's spelling."""
    found = differences(step(kind, inputs, old if new is None else new, old=old))
    assert bool(found) == (expected == "real"), found


def test_a_difference_of_a_task_names_the_task() -> None:
    """One path a setting, none twice where the engine names it too, and none for the list as a whole."""
    tasks = [{"taskKey": "a", "timeoutSeconds": 1}, {"taskKey": "b", "timeoutSeconds": 2}]
    real = [{"taskKey": "a", "timeoutSeconds": 1}, {"taskKey": "b", "timeoutSeconds": 77}]
    job = step("Job", {"tasks": tasks}, {"tasks": real}, old={"tasks": tasks})
    assert (
        differences(job) == differences(replace(job, changed=("tasks[1].timeoutSeconds",))) == ("tasks[1].timeoutSeconds",)
    )
    assert differences(replace(job, inputs={"tasks": [*tasks, {"taskKey": "c"}]})) == ("tasks",)


def test_what_failed_is_compared_though_the_state_agrees_with_what_is_real() -> None:
    """With `initErrors` nothing is the provider's spelling."""
    schema = step("Schema", {"comment": "declared"}, {"comment": "real"}, failed=("no",))
    assert differences(schema) == ("comment",)
    assert differences(replace(schema, failed=())) == ()


def test_nothing_zero_false_and_empty_are_one_and_an_empty_text_in_a_list_is_not() -> None:
    """`[""]` is what a list that was emptied leaves on a job."""
    assert same(None, 0) and same("", False) and same([], {}) and same(None, {"a": ""})
    assert not same([], [""])


def test_a_failed_update_is_told_first_and_is_no_deployment() -> None:
    """An expired Git credential: the state holds the wanted commit, the folder and the inputs the deployed one."""
    failed = folder(OLD, NEW, OLD, failed=("updating urn:x: 1 error occurred:\n\t* cannot update repo: expired\n\n",))
    refresh = Refresh((failed,), commit=OLD)
    assert deployed_commit(refresh) == OLD and half(refresh) == ""
    [finding] = unfinished_findings(ENV, refresh)
    assert (finding.first, finding.kind, finding.fix.by) == (True, Class.DRIFT, By.ENGINE)
    assert finding.real == "its last update failed: cannot update repo: expired"
    waiting = folder_findings(ENV, refresh, None, [])
    other = Finding(ENV, Class.DRIFT, "a first name", "", "x", "y", finding.fix)
    assert report(ENV, [other, *waiting, finding]).findings[0] == finding


def test_a_half_update_is_neither_deployed_nor_fixed_by_the_engine() -> None:
    """The folder has moved and a job was refused: only an update or a rollback makes one whole of it."""
    refresh = Refresh((folder(NEW, NEW, NEW), step("Job", {"name": "j"}, {"name": "j"}, failed=("refused",))), commit=OLD)
    assert (deployed_commit(refresh), half(refresh)) == (OLD, NEW)
    found = unfinished_findings(ENV, refresh)
    assert {f.fix.by for f in found} == {By.HAND}
    drift = report(ENV, found)
    assert f"`quantctl up {ENV}` finishes it; `quantctl rollback {ENV}` goes back" in why_no_engine(drift)
    assert plan(drift, why_no_engine(drift)).engine == ()


def test_what_was_begun_is_looked_for() -> None:
    """A pending operation is never clean, and `--fix` looks for what it made."""
    held = checkpoint(
        {
            "deployment": {
                "resources": [
                    {"urn": "u::p::pulumi:pulumi:Stack::s", "type": "pulumi:pulumi:Stack", "outputs": {"commit": OLD}},
                    {"urn": "u::p::x:index/job:Job::a", "custom": True, "initErrors": ["no"]},
                    {"urn": "u::p::x:index/job:Job::old", "custom": True, "delete": True},
                ],
                "pending_operations": [
                    {"type": "creating", "resource": {"type": "databricks:index/job:Job", "urn": "u::p::t::risk_model"}}
                ],
            }
        }
    )
    assert (held.commit, held.begun) == (OLD, ("creating Job risk_model",))
    assert [(one.name, one.failed) for one in held.steps] == [("a", ("no",))]
    [finding] = unfinished_findings(ENV, Refresh(begun=held.begun))
    assert (finding.fix.by, finding.fix.words) == (By.REPAIR, f"quantctl repair {ENV}")
    assert plan(report(ENV, [finding])).repair


def test_what_was_declared_and_is_in_no_state_is_never_clean() -> None:
    """The stack's own output says how many resources were declared; half a destroy, or a refresh, took one of three."""
    kept = [{"urn": f"urn:pulumi:s::p::databricks:index/job:Job::{name}", "custom": True, "type": JOB} for name in "ab"]
    kept[1]["delete"] = True  # replaced, and not removed yet
    provider = {"urn": "urn:pulumi:s::p::pulumi:providers:databricks::default", "custom": True}
    for declared, missing in ((3, 2), (1, 0), (0, 0), (None, 0)):  # nothing is known of a stack of an earlier version
        stack = {
            "urn": "urn",
            "type": "pulumi:pulumi:Stack",
            "outputs": {DECLARED: declared} if declared is not None else {},
        }
        exported = {"deployment": {"resources": [stack, provider, *kept]}}
        held = checkpoint(exported)
        assert held.missing == missing == state_of(exported).missing
        assert any("in no state" in one for one in state_of(exported).unfinished) is bool(missing)
        found = unfinished_findings(ENV, Refresh(held.steps, missing=held.missing))
        assert [(f.resource, f.fix.words) for f in found] == ([("what is missing", f"quantctl up {ENV}")] if missing else [])
        assert plan(report(ENV, found)).all is bool(missing)
        refused = plan(report(ENV, found), "its branch no longer holds it")
        assert not refused.all and bool(refused.refused) is bool(missing)


@pytest.mark.parametrize(
    ("last", "kind"),
    [(None, []), (LastUpdate("2026-11-25T15:49", True), ["drift"]), (LastUpdate("2026-11-25T15:49", False), ["waiting"])],
)
def test_an_update_that_failed_is_never_clean(last: LastUpdate | None, kind: list[str]) -> None:
    """One that was refused before it touched anything waits; any other may have changed something."""
    assert [f.kind.value for f in unfinished_findings(ENV, Refresh((folder(),), commit=OLD, last=last))] == kind


def entry(result: str, *flags: str, kind: str = "update", same: int = 4) -> dict[str, Any]:
    environment = {f"pulumi.flag.{flag}": "true" for flag in flags}
    changes = {"same": same} if same else {}
    return {"kind": kind, "result": result, "startTime": "2026-11-25T15:49:35.000Z", "environment": environment} | {
        "resourceChanges": changes
    }


@pytest.mark.parametrize(
    ("entries", "failed"),
    [
        ([], False),
        ([entry("succeeded"), entry("failed")], False),
        ([entry("failed"), entry("succeeded")], True),
        ([entry("succeeded", kind="refresh"), entry("failed"), entry("succeeded")], True),
        ([entry("failed", kind="refresh"), entry("succeeded")], False),
        ([entry("succeeded", "target"), entry("failed"), entry("succeeded")], True),
        ([entry("succeeded", "target"), entry("failed", "target"), entry("succeeded")], False),
        ([entry("failed", "target"), entry("succeeded")], True),
        ([entry("succeeded", "target-replace"), entry("failed", same=0)], True),
    ],
)
def test_only_a_whole_update_makes_a_failed_one_good(entries: list[dict[str, Any]], failed: bool) -> None:
    """A refresh makes nothing good; an update of some resources only what failed of some."""
    assert (failure_of(entries) is not None) == failed


@pytest.mark.parametrize(
    ("failed", "began"),
    [
        (entry("failed", same=0), False),
        (entry("failed", same=1), False),  # the stack itself: the program stopped in preflight
        (entry("failed", same=2), True),
        (entry("failed", same=0, kind="destroy"), True),  # its first deletion may have come through
    ],
)
def test_an_update_that_came_as_far_as_a_resource_may_have_changed_it(failed: dict[str, Any], began: bool) -> None:
    """The engine does not count a step that failed, nor say which it was."""
    found = failure_of([failed, entry("succeeded")])
    assert found is not None and found.began is began


def metadata(op: str, urn: str, new: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    old = {"urn": urn, "custom": True, "inputs": {"a": 1}, "outputs": {"a": 1}}
    return {"metadata": {"op": op, "urn": urn, "old": old, "new": new, **more}}


def test_a_read_without_an_answer_or_without_a_path_is_unknown() -> None:
    """The engine counts a change and does not name it; a resource was asked about and not answered for; no end at all."""
    urn, other = "u::p::x:index/job:Job::a", "u::p::x:index/job:Job::b"
    lines = [
        {"resourcePreEvent": metadata("refresh", urn)},
        {"resourcePreEvent": metadata("refresh", other)},
        {"resOutputsEvent": metadata("update", urn, {"urn": urn, "custom": True, "outputs": {"a": 2}})},
        {"summaryEvent": {}},
    ]
    refresh = read_refresh("\n".join(map(json.dumps, lines)), Checkpoint())
    assert refresh.errors == ("b was asked about, and nothing was read",)
    assert [(one.unsaid, unexplained(one)) for one in refresh.steps] == [(True, False)]  # what was read says in what
    lines[2] = {"resOutputsEvent": metadata("update", urn, {"urn": urn, "custom": True, "outputs": {"a": 1}})}
    [a] = read_refresh("\n".join(map(json.dumps, lines)), Checkpoint()).steps
    assert unexplained(a)
    with pytest.raises(ValueError, match="did not come to an end"):
        read_refresh("\n".join(map(json.dumps, lines[:-1])), Checkpoint())


def test_what_was_read_is_judged_where_the_engine_says_the_same() -> None:
    """The event after the read has what was read; the one before it, what the state says."""
    urn = "u::p::x:index/schema:Schema::schema"
    old = {"urn": urn, "custom": True, "inputs": {"days": 14}, "outputs": {"days": 14}, "initErrors": ["refused"]}
    now = {"urn": urn, "custom": True, "inputs": {"days": 14}, "outputs": {"days": 0}}
    lines = [
        {"resourcePreEvent": {"metadata": {"op": "refresh", "urn": urn, "old": old, "new": old}}},
        {"resOutputsEvent": {"metadata": {"op": "same", "urn": urn, "old": old, "new": now}}},
        {"summaryEvent": {}},
    ]
    [found] = engine_findings(ENV, read_refresh("\n".join(map(json.dumps, lines)), Checkpoint()))
    assert (found.property, found.declared, found.real) == ("days", "14", "0")


def test_a_job_that_is_not_as_declared_is_asked_about() -> None:
    """Though the list of jobs says just what the state says."""
    settings = {"name": "j", "max_concurrent_runs": 1}
    job = step("Job", {"name": "j"}, {"id": "1", "name": "j", "maxConcurrentRuns": 1})
    assert unchanged([job], {"1": settings}, {}) == [job]
    assert unchanged([replace(job, failed=("no",))], {"1": settings}, {}) == []
    assert unchanged([replace(job, inputs={"name": "j", "maxConcurrentRuns": 0})], {"1": settings}, {}) == []


def test_a_setting_that_somebody_added_is_found_in_the_jobs_own_settings() -> None:
    """The provider does not read it; what is declared, empty, or added by the service is nobody's change."""
    job = step("Job", {"name": "j", "schedule": {"pauseStatus": "PAUSED"}}, {}, old={"id": "1", "name": "j"})
    settings = {
        "name": "j",
        "schedule": {"pause_status": "PAUSED"},
        "format": "MULTI_TASK",
        "performance_target": "STANDARD",
        "email_notifications": {"no_alert_for_skipped_runs": False, "on_failure": []},
        "health": {},
    }
    assert list(by_hand(ENV, Refresh((job,)), [{"job_id": 1, "settings": settings}])) == []
    for added in ({"on_failure": ["a@x.y"]}, {"on_failure": [""]}):
        more = [{"job_id": 1, "settings": {**settings, "email_notifications": added}}]
        [finding] = by_hand(ENV, Refresh((job,)), more)
        assert (finding.property, finding.fix.by, finding.fix.targets) == (
            "email_notifications",
            By.SETTING,
            ("1", "email_notifications"),
        )


def test_a_fix_that_loses_something_is_not_clean() -> None:
    """What the refresh took out of the state and could not create again is told, by its name."""
    kept, lost = step("Job", {"name": "a"}, {"name": "a"}, name="a"), folder()
    found = missing_again(ENV, Refresh((kept, lost)), Refresh((kept,)))
    assert said(found) == [("Git folder /quant_stg", "last update", "missing, and no longer in the state")]


CLONE = GitFolder(9, "/quant_stg", "quant", NEW)


def test_a_folder_that_somebody_cloned_again_is_told_with_what_helps() -> None:
    """Whether the state still knows the old one or not; the engine is not asked, for the path is taken."""
    gone = Refresh((folder(real=None),))
    [finding] = place_findings(ENV, gone, Folder(CLONE), "/quant_stg", "d")
    assert "databricks repos delete 9" in finding.fix.words and f"pulumi up --refresh -s {ENV}" in finding.fix.words
    assert "path" in why_no_engine(report(ENV, [finding]))
    [lost] = place_findings(ENV, Refresh((step("Job", {}, {}),)), Folder(CLONE), "/quant_stg", "d")
    assert "in nobody's state; folder 9 is at its path, on quant" in lost.real
    assert place_findings(ENV, Refresh((folder(),)), Folder(CLONE), "/quant_stg", "d") == []


def test_who_may_edit_a_folder_above_may_edit_the_folder() -> None:
    """Administrators and the deployer are no drift; a level that only reads is none."""

    def entry(who: str, level: str, inherited: bool = True) -> dict[str, Any]:
        told = {"permission_level": level, "inherited": inherited, "inherited_from_object": ["/directories/5"]}
        return {"user_name": who, "all_permissions": [told]}

    entries = [entry("admins", "CAN_MANAGE"), entry("D", "CAN_MANAGE"), entry("eddie", "CAN_MANAGE")]
    entries += [entry("uma", "CAN_READ"), entry("dana", "CAN_EDIT", inherited=False)]
    found = place_findings(ENV, Refresh((folder(),)), Folder(CLONE, entries), "/quant_stg", "d")
    assert said(found) == [("Git folder /quant_stg", "eddie from above", "CAN_MANAGE from /directories/5")]


def test_a_key_that_is_gone_is_put_back() -> None:
    """The provider does not miss a public key of the service user; lines and frame of PEM do not count."""
    user = Refresh((step("ServiceUser", {"name": "SVC", "rsaPublicKey": "AB\nCD"}, {}),))
    assert list(key_findings(ENV, user, ("ABCD", ""))) == list(key_findings(ENV, user, None)) == []
    pem = "-----BEGIN PUBLIC KEY-----\nABCD\n-----END PUBLIC KEY-----\n"
    assert list(key_findings(ENV, user, (pem, ""))) == []
    [finding] = key_findings(ENV, user, ("", "X"))
    assert (finding.real, finding.fix.statements) == ("nothing", ("ALTER USER SVC SET RSA_PUBLIC_KEY = 'ABCD'",))


def test_a_provider_is_quoted_without_what_is_around_it() -> None:
    """The reason alone, on one line."""
    text = "  sdk-v2/provider2.go:571: sdk.helper_schema: cannot create repo: it exists: provider=databricks@1.126.0"
    assert reason(text) == "cannot create repo: it exists"
    assert reason("updating urn:pulumi:a::b::c: 1 error occurred:\n\t* cannot\n update\n\n") == "cannot update"
