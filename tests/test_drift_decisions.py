"""What is drift, what waits and what is unknown; decided without an engine."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantctl.drift import By, Class, EnvironmentDrift, Finding, Fix, exit_status
from quantctl.drift.belongings import Scope, job_findings, paused, scope_findings
from quantctl.drift.changed import engine_findings
from quantctl.drift.finding import report, unknown
from quantctl.drift.fix import plan, why_no_engine
from quantctl.drift.folder import Branch, folder_findings, missing_folder
from quantctl.drift.formats import as_json, as_junit, as_markdown
from quantctl.drift.grants import Grant, Held, declared_grants, grant_findings, identifier
from quantctl.drift.steps import Checkpoint, Refresh, Step, read_refresh
from quantctl.drift.unchanged import same_job, same_permissions

ENV = "quant_stg"
OLD, NEW = "a" * 40, "b" * 40


def step(kind: str, name: str, old: dict[str, Any], new: dict[str, Any] | None, *changed: str, **more: Any) -> Step:
    component = more.pop("component", "quant:databricks:GitFolder")
    urn = f"urn:pulumi:{ENV}::quant::quant:index:Environment${component}$x:index/{kind.lower()}:{kind}::{name}"
    return Step(urn, more.pop("inputs", old), old, new, changed, **more)


def folder(branch: str = ENV, commit: str = OLD, *changed: str) -> Step:
    old = {"path": "/quant_stg", "branch": ENV, "commitHash": OLD}
    return step("Repo", "folder", old, {**old, "branch": branch, "commitHash": commit}, *changed)


def said(findings: list[Finding]) -> list[tuple[str, str, str, str]]:
    return [(f.kind.value, f.property, f.declared, f.real) for f in findings]


@pytest.mark.parametrize(
    ("there", "branch", "expected", "by"),
    [
        (folder(), Branch(ENV, OLD, 0), [], None),
        (folder(), None, [], None),
        (folder(), Branch(ENV, NEW, 3), ["waiting"], By.HAND),
        (folder(), Branch(ENV, NEW, None), ["waiting"], By.HAND),
        (folder(commit=NEW), Branch(ENV, OLD, 0), ["drift"], By.ENGINE),
        (folder("quant"), Branch(ENV, OLD, 0), ["drift"], By.ENGINE),
        (folder("quant"), None, ["drift"], By.ENGINE),
        (folder(commit=NEW), Branch(ENV, NEW, 3), ["drift"], By.HAND),
    ],
)
def test_a_moved_branch_waits_and_a_moved_folder_is_drift(
    there: Step, branch: Branch | None, expected: list[str], by: By | None
) -> None:
    """Never both for one folder; and a fix that would check out another commit is left to a person."""
    found = folder_findings(ENV, Refresh((there,)), branch, [])
    assert [finding.kind.value for finding in found] == expected
    assert [finding.fix.by for finding in found] == ([by] if by else [])


def test_a_missing_folder_is_not_made_at_another_commit() -> None:
    """A new clone would be at the branch's head."""
    gone = step("Repo", "folder", {"path": "/quant_stg", "branch": ENV, "commitHash": OLD}, None)
    refresh = Refresh((gone,))
    for head, by in ((OLD, By.ENGINE), (NEW, By.HAND)):
        [finding] = missing_folder(engine_findings(ENV, refresh), refresh, Branch(ENV, head, 0))
        assert (finding.real, finding.fix.by) == ("missing", by)


def test_what_a_provider_keeps_beside_is_no_difference() -> None:
    """A login of the service user changes SHOW USERS, and that is not drift."""
    urn = f"urn:pulumi:{ENV}::quant::a$s:index/serviceUser:ServiceUser::user"
    old = {"urn": urn, "custom": True, "outputs": {"showOutputs": 1}}
    diff = {"showOutputs": {"kind": "update"}, "__meta": {"kind": "update"}}
    refresh = read_refresh(
        events(
            {"resourcePreEvent": {"metadata": {"op": "refresh", "urn": urn, "old": old, "new": old}}},
            {
                "resOutputsEvent": {
                    "metadata": {
                        "op": "update",
                        "urn": urn,
                        "old": old,
                        "new": {**old, "outputs": {"showOutputs": 2}},
                        "detailedDiff": diff,
                    }
                }
            },
            {"diagnosticEvent": {"severity": "error", "message": "error: no\n"}},
            {"diagnosticEvent": {"severity": "warning", "message": "w"}},
            {"summaryEvent": {"resourceChanges": {"update": 1}}},
        ),
        Checkpoint(),
    )
    assert engine_findings(ENV, refresh) == []
    assert refresh.errors == ("error: no",)


def events(*listed: dict[str, Any]) -> str:
    return "\n".join(json.dumps(event) for event in listed)


def test_a_personal_folder_is_its_developers_own() -> None:
    """Another branch there is nobody's drift; that it is gone is."""
    old = {"path": "/Users/dana/quant", "branch": "quant", "commitHash": OLD}
    more = {"component": "quant:databricks:PersonalFolders"}
    moved = step("Repo", "personal/dana", old, {**old, "branch": "idea"}, "branch", "commitHash", **more)
    gone = step("Repo", "personal/dana", old, None, **more)
    assert engine_findings(ENV, Refresh((moved,))) == folder_findings(ENV, Refresh((moved,)), None, []) == []
    assert [f.real for f in engine_findings(ENV, Refresh((gone,)))] == ["missing"]


def test_permissions_are_told_by_person() -> None:
    """Who came, who is missing and whose level is another."""

    def entries(**levels: str) -> dict[str, Any]:
        return {
            "accessControls": [{"userName": who, "groupName": "", "permissionLevel": level} for who, level in levels.items()]
        }

    changed = step(
        "Permissions", "folder", entries(a="CAN_READ", b="CAN_READ"), entries(b="CAN_MANAGE", c="CAN_RUN"), "accessControls"
    )
    assert said(engine_findings(ENV, Refresh((changed,)))) == [
        ("drift", "a", "CAN_READ", "nothing"),
        ("drift", "b", "CAN_READ", "CAN_MANAGE"),
        ("drift", "c", "nothing", "CAN_RUN"),
    ]


def test_what_hung_on_a_missing_thing_is_one_finding() -> None:
    """And all of it is fixed with it."""
    schema = step("Schema", "schema", {"name": "QUANT_STG"}, None)
    grant = step("GrantPrivilegesToDatabaseRole", "g", {}, None, dependencies=(schema.urn,))
    other = step("GrantPrivilegesToDatabaseRole", "h", {}, None, dependencies=(grant.urn,))
    [finding] = engine_findings(ENV, Refresh((schema, grant, other)))
    assert finding.real == "missing, and 2 that hung on it"
    assert set(finding.fix.targets) == {schema.urn, grant.urn, other.urn}


def grants() -> Refresh:
    def privileges(name: str, **inputs: Any) -> Step:
        return step("GrantPrivilegesToDatabaseRole", name, {"databaseRoleName": '"D"."S_READER"', **inputs}, {})

    where = {"objectTypePlural": "TABLES", "inSchema": '"D"."S"'}
    return Refresh(
        (
            privileges("uses", privileges=["USAGE"], onSchema={"schemaName": '"D"."S"'}),
            privileges("all", privileges=["SELECT"], onSchemaObject={"all": where}),
            privileges("future", privileges=["SELECT"], onSchemaObject={"future": where}),
            step("GrantDatabaseRole", "reads", {"databaseRoleName": '"D"."S_READER"', "parentRoleName": "TEAM"}, {}),
            step("GrantAccountRole", "has", {"roleName": "S_SVC", "userName": "SVC_S"}, {}),
        )
    )


READER = ("DATABASE_ROLE", "S_READER")
AS_DECLARED = frozenset(
    {
        Grant("OWNERSHIP", "SCHEMA", "D.S", "ROLE", "DEPLOYER"),
        Grant("USAGE", "SCHEMA", "D.S", *READER),
        Grant("USAGE", "DATABASE", "D", *READER),
        Grant("SELECT", "TABLE", "D.S", *READER, future=True),
        Grant("SELECT", "TABLE", "D.S.T", *READER),
        Grant("OWNERSHIP", "TABLE", "D.S.T", "ROLE", "S_SVC"),
        Grant("USAGE", "DATABASE_ROLE", "D.S_READER", "ROLE", "TEAM"),
        Grant("USAGE", "ROLE", "S_SVC", "USER", "SVC_S"),
    }
)


def judged(real: frozenset[Grant]) -> list[Finding]:
    held = Held("DEPLOYER", real, frozenset({("TABLE", "D.S.T"), ("VIEW", "D.S.V")}))
    return grant_findings(ENV, declared_grants(grants()), held, "D.S", frozenset({"DEPLOYER", "S_SVC"}))


def test_declared_grants_are_no_finding() -> None:
    """Nor is what a job owns, nor what a missing grant of the engine's own is."""
    assert judged(AS_DECLARED) == []
    assert judged(AS_DECLARED - {Grant("USAGE", "SCHEMA", "D.S", *READER)}) == []


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (Grant("SELECT", "TABLE", "D.S.T", "ROLE", "X"), "REVOKE SELECT ON TABLE D.S.T FROM ROLE X"),
        (Grant("INSERT", "TABLE", "D.S.T", *READER), "REVOKE INSERT ON TABLE D.S.T FROM DATABASE ROLE D.S_READER"),
        (Grant("SELECT", "TABLE", "D.OTHER.T", *READER), "REVOKE SELECT ON TABLE D.OTHER.T FROM DATABASE ROLE D.S_READER"),
        (Grant("USAGE", "SCHEMA", "D.S", "ROLE", "X"), "REVOKE USAGE ON SCHEMA D.S FROM ROLE X"),
        (
            Grant("SELECT", "TABLE", "D.S", "ROLE", "X", future=True),
            "REVOKE SELECT ON FUTURE TABLES IN SCHEMA D.S FROM ROLE X",
        ),
        (Grant("USAGE", "DATABASE_ROLE", "D.S_READER", "ROLE", "X"), "REVOKE DATABASE ROLE D.S_READER FROM ROLE X"),
        (Grant("USAGE", "ROLE", "S_SVC", "USER", "dana@x.y"), 'REVOKE ROLE S_SVC FROM USER "dana@x.y"'),
        (Grant("USAGE", "DATABASE_ROLE", "D.L_WRITER", "ROLE", "S_SVC"), "REVOKE DATABASE ROLE D.L_WRITER FROM ROLE S_SVC"),
    ],
)
def test_a_grant_that_nobody_declared_is_taken_back(extra: Grant, words: str) -> None:
    """In the words that one would type."""
    [finding] = judged(AS_DECLARED | {extra})
    assert (finding.kind, finding.fix.words, finding.fix.statements) == (Class.DRIFT, words, (words,))


def test_a_right_to_hand_on_is_taken_back_alone() -> None:
    """What was declared stays granted."""
    use, select = Grant("USAGE", "SCHEMA", "D.S", *READER), Grant("SELECT", "TABLE", "D.S.T", *READER)
    found = judged(AS_DECLARED - {use, select} | {replace(use, option=True), replace(select, option=True)})
    assert {finding.fix.words for finding in found} == {
        "REVOKE GRANT OPTION FOR USAGE ON SCHEMA D.S FROM DATABASE ROLE D.S_READER",
        "REVOKE GRANT OPTION FOR SELECT ON TABLE D.S.T FROM DATABASE ROLE D.S_READER",
    }


def test_what_comes_with_its_holder_is_no_finding() -> None:
    """The owner of a managed-access schema manages its grants; anybody else who does is drift."""
    assert judged(AS_DECLARED | {Grant("MANAGE GRANTS", "SCHEMA", "D.S", "ROLE", "DEPLOYER")}) == []
    [finding] = judged(AS_DECLARED | {Grant("MANAGE GRANTS", "SCHEMA", "D.S", "ROLE", "X")})
    assert finding.fix.words == "REVOKE MANAGE GRANTS ON SCHEMA D.S FROM ROLE X"


def test_the_deployers_own_rights_are_never_revoked() -> None:
    """Who runs `--fix` would take from itself what it needs: it is told, and a person decides."""
    [finding] = judged(AS_DECLARED | {Grant("MODIFY", "SCHEMA", "D.S", "ROLE", "DEPLOYER")})
    assert (finding.fix.by, finding.fix.statements) == (By.HAND, ())


def test_an_owner_is_never_revoked() -> None:
    """Who owns a table in the schema is told; giving it back is for a person."""
    [finding] = judged(AS_DECLARED | {Grant("OWNERSHIP", "TABLE", "D.S.T", "ROLE", "X")})
    assert (finding.fix.by, finding.fix.statements) == (By.HAND, ())


def test_a_grant_that_is_missing_on_a_table_is_given() -> None:
    """The engine's grants `on all` look at nothing."""
    [finding] = judged(AS_DECLARED - {Grant("SELECT", "TABLE", "D.S.T", *READER)})
    assert finding.fix.words == "GRANT SELECT ON TABLE D.S.T TO DATABASE ROLE D.S_READER"
    assert finding.urn.endswith("::all")


def test_names_are_quoted() -> None:
    """A name cannot say more than a name."""
    assert identifier('A" TO ROLE PUBLIC; --') == '"A"" TO ROLE PUBLIC; --"'


def test_an_undeclared_job_is_paused_and_not_deleted() -> None:
    """It keeps its definition and its runs; a job of another folder, or a declared one, is nobody's drift."""
    schedule = {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC"}

    def job(number: int, path: str, **more: Any) -> dict[str, Any]:
        tasks = [{"task_key": "a", "notebook_task": {"notebook_path": path}}]
        return {"job_id": number, "settings": {"name": f"j{number}", "tasks": tasks, **more}}

    declared = Refresh((step("Job", "ours", {"id": "1"}, {}),))
    jobs = [
        job(1, "/Workspace/quant_stg/a"),
        job(2, "/quant_stg/a", schedule=schedule),
        job(3, "/quant_stg_2/a"),
        job(4, "/Workspace/quant_stg/a", schedule={**schedule, "pause_status": "PAUSED"}),
    ]
    found = job_findings(ENV, declared, jobs, "/quant_stg")
    assert [(f.resource, f.fix.by, f.fix.targets) for f in found] == [
        ("job j2", By.PAUSE, ("2",)),
        ("job j4", By.HAND, ()),
    ]
    assert paused(jobs[1]["settings"]) == {"schedule": {**schedule, "pause_status": "PAUSED"}}


def test_a_secret_scope_is_the_environments_alone() -> None:
    """Another reader's ACL is taken away; another secret is told, for its value could not be put back."""
    refresh = Refresh(
        (
            step("SecretAcl", "acl", {"principal": "svc", "scope": ENV}, {}),
            step("Secret", "key", {"key": "key", "scope": ENV}, {}),
        )
    )
    ours = {"key": 5, "snowflake_private_key": 6, "snowflake_public_key.ab": 7}
    clean = Scope(ENV, {"svc": "READ", "deployer": "MANAGE"}, ours)
    assert scope_findings(ENV, refresh, clean, "deployer") == []
    changed = Scope(ENV, {"svc": "READ", "deployer": "MANAGE", "team": "READ"}, {**ours, "more": 1})
    found = scope_findings(ENV, refresh, changed, "deployer")
    assert [(f.fix.by, f.real, f.resource.rpartition("/")[2]) for f in found] == [
        (By.ACL, "READ", f"secret scope {ENV}"),
        (By.HAND, "there", "more"),
    ]
    named = scope_findings(ENV, refresh, changed, "deployer", ["more", "missing"])  # quant:secrets
    assert [(f.declared, f.real, f.resource.rpartition("/")[2]) for f in named[1:]] == [("there", "no such key", "missing")]


def test_local_edits_keep_the_engine_away() -> None:
    """Nothing is pulled over what somebody wrote; grants are fixed all the same."""
    edits = folder_findings(ENV, Refresh((folder(),)), Branch(ENV, OLD, 0), ["src/a.py"])
    job = Finding(ENV, Class.DRIFT, "job", "x", "1", "2", Fix("", By.ENGINE, ("urn",)), "urn")
    grant = judged(AS_DECLARED | {Grant("SELECT", "TABLE", "D.S.T", "ROLE", "X")})
    drift = report(ENV, [*edits, job, *grant])
    made = plan(drift, why_no_engine(drift))
    assert (made.engine, len(made.statements)) == ((), 1)
    assert "local edits" in made.refused


UNKNOWN = unknown(ENV, "the engine", "no answer in 5 s")
DRIFT = Finding(
    ENV, Class.DRIFT, "job a|b", "x", "1", "<2>\0", Fix("pulumi up --refresh -s quant_stg", By.ENGINE, ("u",)), "u"
)
WAITS = Finding(ENV, Class.WAITING, "Git folder", "commit", "a", "b", Fix("pulumi up -s quant_stg"))


@pytest.mark.parametrize(
    ("findings", "verdict", "status", "strict"),
    [
        ([], "clean", 0, 0),
        ([WAITS], "waiting", 0, 3),
        ([WAITS, DRIFT], "drift", 2, 2),
        ([WAITS, DRIFT, UNKNOWN], "unknown", 1, 1),
        ([UNKNOWN], "unknown", 1, 1),
    ],
)
def test_unknown_wins_over_drift_and_drift_over_waiting(
    findings: list[Finding], verdict: str, status: int, strict: int
) -> None:
    """0 clean, 2 drift, 3 waiting when asked for, 1 unknown."""
    reports = [EnvironmentDrift("quant", ()), report(ENV, findings)]
    assert reports[1].verdict == verdict
    assert (exit_status(reports, strict=False), exit_status(reports, strict=True)) == (status, strict)


def test_every_format_shows_every_finding() -> None:
    """JSON for programs, one Markdown issue, and JUnit that any forge reads."""
    reports = [EnvironmentDrift("quant", ()), report(ENV, [UNKNOWN, DRIFT, WAITS])]
    read = json.loads(as_json(reports, 1))
    assert [len(each["findings"]) for each in read["environments"]] == [0, 3]
    root = ElementTree.fromstring(as_junit(reports))
    assert [suite.get("name") for suite in root] == ["quant", ENV]
    assert [len(root.findall(f".//{tag}")) for tag in ("failure", "error", "skipped")] == [1, 1, 1]
    text = as_markdown(reports)
    for word in (
        "quant_stg unknown; quant clean",
        "job a\\|b",
        "&lt;2",
        "no answer in 5 s",
        "`pulumi up -s quant_stg`",
        "--fix",
    ):
        assert word in text, text


JOB: dict[str, Any] = {
    "name": "quant a",
    "format": "MULTI_TASK",
    "email_notifications": {"on_failure": ["a@x.y", "b@x.y"]},
    "tags": {"Team": "quant", "empty": ""},
    "queue": {"enabled": True},
    "max_concurrent_runs": 1,
    "tasks": [
        {"task_key": "b", "timeout_seconds": 60, "spark_python_task": {"python_file": "/x", "parameters": ["1", "2"]}},
        {"task_key": "a", "timeout_seconds": 30, "depends_on": [{"task_key": "b"}]},
    ],
}
OUTPUTS: dict[str, Any] = {
    "id": "7",
    "url": "http://x",
    "__meta": "x",
    "name": "quant a",
    "format": "MULTI_TASK",
    "emailNotifications": {"onFailures": ["a@x.y", "b@x.y"], "onSuccesses": [], "noAlertForSkippedRuns": False},
    "tags": {"Team": "quant", "empty": ""},
    "queue": {"enabled": True},
    "maxConcurrentRuns": 1,
    "maxRetries": 0,
    "schedule": None,
    "tasks": [
        {"taskKey": "a", "timeoutSeconds": 30, "dependsOns": [{"taskKey": "b", "outcome": ""}], "maxRetries": 0},
        {
            "taskKey": "b",
            "timeoutSeconds": 60,
            "sparkPythonTask": {"pythonFile": "/x", "parameters": ["1", "2"], "source": ""},
        },
    ],
}


def places(value: Any, *path: Any) -> list[tuple[Any, ...]]:
    """The paths of all plain values."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, each in inner for place in places(each, *path, key)] or [path]


@given(place=st.sampled_from(places(JOB)), value=st.sampled_from(["another", 77, "b", "1", None]))
def test_a_changed_job_is_never_taken_for_an_unchanged_one(place: tuple[Any, ...], value: Any) -> None:
    """Whatever is changed by hand, the engine is asked."""
    assert same_job(OUTPUTS, JOB)
    changed = copy.deepcopy(JOB)
    where: Any = changed
    for key in place[:-1]:
        where = where[key]
    before = where[place[-1]]
    where[place[-1]] = value
    assert same_job(OUTPUTS, changed) == (str(before) == str(value) or not (before or value))


@pytest.mark.parametrize(
    "more",
    [
        {"schedule": {"quartz_cron_expression": "0", "timezone_id": "UTC"}},
        {"tags": {"team": "quant", "empty": ""}},
        {"tags": {"Team": "quant"}},
        {"run_as": {"user_name": "dana"}},
        {"tasks": [{**JOB["tasks"][0], "timeout_seconds": 30}, {**JOB["tasks"][1], "timeout_seconds": 60}]},
    ],
)
def test_nor_one_with_more_in_it(more: dict[str, Any]) -> None:
    """Something added, a key in another case, values that changed places."""
    assert not same_job(OUTPUTS, {**JOB, **more})


def test_permissions_that_are_the_same() -> None:
    """Inherited ones do not count; another level, another person and one fewer do."""

    def entry(level: str = "CAN_VIEW", *, inherited: bool = False, **who: str) -> dict[str, Any]:
        return {**who, "all_permissions": [{"permission_level": level, "inherited": inherited}]}

    outputs = {"accessControls": [{"groupName": "team", "userName": "", "permissionLevel": "CAN_VIEW"}]}
    admins = entry("CAN_MANAGE", group_name="admins", inherited=True)
    assert same_permissions(outputs, [entry(group_name="team"), admins])
    for real in (
        [admins],
        [entry("CAN_MANAGE", group_name="team")],
        [entry(user_name="team")],
        [entry(group_name="team"), entry(user_name="eddie")],
    ):
        assert not same_permissions(outputs, real)
