"""What stops an adoption, what is asked, and what an update may do afterwards: no decision is ever taken by itself."""

from __future__ import annotations

from typing import Any

import pytest

from infra.naming import names_of
from quantctl.adopt import decisions, prepare, verify
from quantctl.adopt.completed import completed
from quantctl.adopt.decisions import Decisions, Item
from quantctl.adopt.differences import Step, items, pruned, steps
from quantctl.adopt.model import Entry, Granted, Job, Look, Schema, Scope, Table
from quantctl.adopt.people import Target, access_items, by_person
from quantctl.adopt.refusals import refusals
from quantctl.errors import UserError
from tests.adopted import folder, looked
from tests.test_settings import read

ENV = "quant_live"
DEPLOYER = "00000000-0000-4000-8000-0000000000d0"


def test_an_estate_that_is_in_order_is_adoptable() -> None:
    """Nothing is refused for the sake of it."""
    assert refusals(looked(ENV)) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"holds": ["folder", "schema"]}, ["holds 2 resources", "docs/state.md"]),
        ({"locked": "dana@host (pid 7)"}, ["locked by dana@host", f"quantctl lock {ENV}"]),
        ({"folder": None}, ["no Git folder called quant_live", "quant:folder"]),
        ({"folder": folder(ENV, edited=["src/a.py"])}, ["local edits (src/a.py)", "commit them", "discard"]),
        ({"folder": folder(ENV, branch="main")}, ["on branch main, not on quant_live", "check out"]),
        (
            {"folder": folder(ENV, code_differs=["src/a.py"], head="b" * 40)},
            ["aaaaaaaaaaaa", "bbbbbbbbbbbb", "pull the folder"],
        ),
        ({"folder": folder(ENV, path="/pipelines/prod")}, ["/pipelines/prod is not called quant_live"]),
        (
            {"schema_": Schema(name="Q", owner="A", transient=True, managed=False, retention=1, comment="")},
            ["transient", "would be replaced with its tables", "AS SELECT"],
        ),
        ({"schema_": None}, ["no schema is seen", "quant:schema", "SNOWFLAKE_ROLE=ACCOUNTADMIN"]),
    ],
)
def test_what_stands_in_the_way_is_refused_with_a_way_out(changed: dict[str, Any], words: list[str]) -> None:
    """Each by itself, with what was found and what to do."""
    [told] = refusals(looked(ENV, **changed))
    assert all(word in told for word in words), told


def item(**changed: Any) -> Item:
    said: dict[str, Any] = {
        "group": "changes",
        "id": "changes/x",
        "what": "x",
        "there": "1",
        "declared": "2",
        "may": ("change",),
    }
    return Item(**{**said, **changed})


def test_a_decision_holds_for_what_it_was_taken_for() -> None:
    """Other values are another question; what was kept or left is remembered when its difference is gone."""
    before = Decisions((item(decision="change"), item(id="widened/folder/support/none", group="widened", decision="keep")))
    assert [one.decision for one in decisions.merged([item()], before).items] == ["keep", "change"]
    assert [one.decision for one in decisions.merged([item(declared="3")], before).items] == ["keep", ""]
    assert decisions.merged([item(declared="3")], before).undecided == [item(declared="3")]


def test_the_file_is_read_as_it_was_written() -> None:
    """With names that YAML would take for something else."""
    odd = item(
        id="owners/a: b",
        group="owners",
        there="'yes'",
        declared="null",
        of=("no", "1"),
        people=("x@y.z",),
        may=("change", "leave"),
    )
    made = Decisions((odd, item(decision="change")))
    text = decisions.text(ENV, made)
    assert decisions.read("d.yaml", text) == made
    assert decisions.read("d.yaml", text.replace("decision:\n", "decision: leave\n", 1)).items[0].decision == "leave"


@pytest.mark.parametrize("content", ["changes: [a", "changes: [1]", "changes:\n- id: x\n", "- x"])
def test_a_file_that_cannot_be_read_is_told(content: str) -> None:
    """Never taken for "nothing to decide"."""
    with pytest.raises(UserError, match=r"d\.yaml cannot be read"):
        decisions.read("d.yaml", content)


def test_a_word_that_may_not_stand_there_is_refused() -> None:
    """With those that may."""
    text = decisions.text(ENV, Decisions((item(),))).replace("decision:", "decision: ignore")
    with pytest.raises(UserError, match=r"changes/x: found 'ignore', allowed are change"):
        decisions.read("d.yaml", text)


def test_what_is_kept_narrows_and_what_is_left_is_not_adopted() -> None:
    """What a person decided is what the settings and the import do."""
    made = Decisions(
        (
            item(group="widened", id="widened/job/releaseManagers/CAN_VIEW", decision="keep"),
            item(group="widened", id="widened/folder/support/none", decision="change"),
            item(group="jobs", id="job/17", decision="leave"),
        )
    )
    assert {persona.value: levels for persona, levels in made.narrowing.items()} == {"releaseManagers": {"job": "CAN_VIEW"}}
    assert made.jobs_left == {17}


def entry(who: str, level: str, kind: str = "group") -> Entry:
    return Entry(who=who, kind=kind, level=level)


def access(before: list[Entry], after: list[Entry], **changed: Any) -> list[Item]:
    groups = {"quant-support": ["sam"], "quant-developers": ["dana", "sam"]}
    look = looked(ENV, groups=groups, schema_=None, **changed)
    return access_items([Target("job", "jobs", [before], after)], look, read(ENV))


def test_access_is_told_by_person() -> None:
    """A level that somebody has by another group is neither got nor lost."""
    before = [entry("quant-developers", "CAN_MANAGE_RUN"), entry("dana", "CAN_MANAGE", "user")]
    found = access(before, [entry("quant-developers", "CAN_VIEW"), entry("quant-support", "CAN_VIEW")])
    told = {(one.group, one.what): (one.there, one.declared, one.people) for one in found}
    assert told[("narrowed", "jobs: dana")] == ("CAN_MANAGE", "nothing", ("dana",))
    assert told[("narrowed", "jobs: quant-developers")] == ("CAN_MANAGE_RUN", "CAN_VIEW", ("dana", "sam"))
    assert told[("widened", "jobs: quant-support")] == ("nothing", "CAN_VIEW", ())
    assert set(by_person(found)["narrowed"]) == {"dana", "sam"} and by_person(found)["widened"] == {}


def test_only_what_the_settings_can_say_may_be_kept() -> None:
    """A persona's access can be narrowed; nobody else's can, and nothing can be widened."""
    found = access([entry("dana", "CAN_MANAGE", "user")], [entry("quant-support", "CAN_VIEW")])
    assert {one.what: one.may for one in found} == {"jobs: dana": ("change",), "jobs: quant-support": ("change", "keep")}


def test_who_reads_all_of_the_schema_already_gets_nothing() -> None:
    """Whoever reads a part of it gets the rest."""

    def granted(role: str, table: str) -> Granted:
        return Granted(
            privilege="SELECT", on="TABLE", name=f"QUANT.QUANT_LIVE.{table}", holder_kind="ROLE", holder=role, future=False
        )

    tables = [Table(kind="TABLE", name=name, owner="A", rows=1) for name in ("A", "B")]
    grants = [granted("QUANT_END_USERS", "A"), granted("QUANT_END_USERS", "B"), granted("QUANT_SUPPORT", "A")]
    found = access_items([], looked(ENV, tables=tables, grants=grants, roles={"QUANT_SUPPORT": ["SAM"]}), read(ENV))
    told = {one.what: (one.there, one.people) for one in found}
    assert "schema: QUANT_END_USERS" not in told
    assert told["schema: QUANT_SUPPORT"] == ("reads 1 of 2 tables and views", ("SAM",))


def step(op: str, kind: str, old: dict[str, Any] | None = None, new: dict[str, Any] | None = None, *names: str) -> Step:
    return Step(op, f"urn:pulumi:{ENV}::quant::t::x", kind, True, old or {}, new or {}, frozenset(names))


def test_nothing_is_deleted_or_replaced_and_no_job_made() -> None:
    """Whatever was decided."""
    found = [step("delete", "Schema"), step("create-replacement", "Repo"), step("create", "Job"), step("create", "Secret")]
    assert verify.before(found, [], Decisions()) == [
        "Schema x would be deleted",
        "Repo x would be replaced",
        "job x would be created",
    ]


def test_an_update_that_nobody_decided_is_told() -> None:
    """Also where something else was decided, or the same for other values."""
    assert verify.before([], [item()], Decisions((item(decision="change"),))) == []
    for known in ((), (item(),), (item(declared="3", decision="change"),), (item(decision="keep", may=("keep",)),)):
        assert len(verify.before([], [item()], Decisions(known))) == 1, known


def differing(old: dict[str, Any], new: dict[str, Any], *names: str) -> list[tuple[str, str, str]]:
    found = items(
        [step("update", "Job", {"id": "1", **old}, new, *names)], looked(ENV, scope=None), read(ENV), names_of(read(ENV))
    )
    return [(one.what, one.there, one.declared) for one in found if one.group in ("changes", "schedules")]


def test_a_reference_is_the_value_that_it_stands_for() -> None:
    """A literal that became a parameter of the environment is no difference; another value is."""

    def tasks(schema: str) -> list[dict[str, Any]]:
        return [{"taskKey": "a", "sparkPythonTask": {"parameters": ["--schema", schema, "{{job.parameters.mine}}"]}}]

    mine = {"name": "mine", "default": "1"}
    given = [mine, {"name": "snowflake_schema", "default": "QUANT_LIVE"}]
    new = {"tasks": tasks("{{job.parameters.snowflake_schema}}"), "parameters": given}
    old = {"parameters": [mine], "tasks": [{**tasks("QUANT_LIVE")[0], "runIf": "ALL_SUCCESS"}]}
    assert differing(old, new, "tasks", "parameters") == []
    [(what, there, _)] = differing({**old, "tasks": tasks("OTHER")}, new, "tasks", "parameters")
    assert what == "Job task a sparkPythonTask" and "OTHER" in there


def test_a_job_that_would_start_is_asked_about() -> None:
    """As are other settings, each once."""
    paused, live = ({"schedule": {"quartzCronExpression": "0", "pauseStatus": state}} for state in ("PAUSED", "UNPAUSED"))
    [(what, there, declared)] = differing(paused, live, "schedule")
    assert what == "Job schedule" and "PAUSED" in there and "UNPAUSED" in declared
    assert differing({"parameters": [{"name": "w", "default": "1"}]}, {"parameters": []}, "parameters") == [
        ("Job parameter w", "1", "nothing")
    ]


@pytest.mark.parametrize("value", [None, "", [], {}, 0, False, {"a": [], "b": {"c": ""}}, {"__defaults": ["x"]}])
def test_what_is_empty_says_nothing(value: object) -> None:
    """The API and the provider fill it in."""
    assert pruned(value) is None


def test_a_preview_s_steps_are_those_of_resources() -> None:
    """The stack and its providers are nobody's estate."""
    said = {
        "op": "update",
        "urn": "urn:pulumi:e::p::a$b::x",
        "detailedDiff": {"tasks[0].maxRetries": {}},
        "diffReasons": ["name"],
    }
    job = {**said, "newState": {"type": "databricks:index/job:Job", "custom": True, "inputs": {"name": "n"}}}
    stack = {"op": "create", "urn": "u", "newState": {"type": "pulumi:pulumi:Stack"}}
    found = steps({"steps": [job, stack]})
    assert [(one.kind, one.name, one.names) for one in found] == [("Job", "x", frozenset({"tasks", "name"}))]


def after(now: dict[str, Any], was: Look | None = None, state: tuple[int, ...] = (5,)) -> list[str]:
    before = was or found()
    return verify.after(before, before.model_copy(update=now), Decisions(), state)


def found() -> Look:
    job = Job(id=5, settings={"name": "a"}, owner="", run_as="", acl=[], runs=[8, 9], active=[])
    grant = Granted(privilege="SELECT", on="TABLE", name="T", holder_kind="ROLE", holder="R", future=False)
    table = Table(kind="TABLE", name="T", owner="A", rows=3)
    return looked(ENV, jobs=[job], grants=[grant], tables=[table])


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({"jobs": []}, "job 5 (a) is gone"),
        ({"jobs": [found().jobs[0].model_copy(update={"runs": [9]})]}, "has lost 1 runs"),
        ({"tables": []}, "table T is gone"),
        ({"tables": [Table(kind="TABLE", name="T", owner="A", rows=2)]}, "has 2 rows, it had 3"),
        ({"scope": Scope(name=ENV, acls={}, secrets={})}, "snowflake_private_key is gone"),
        ({"grants": []}, "SELECT on table T is gone from R"),
        ({"folder": folder(ENV, id=2)}, "is not the one that it was"),
    ],
)
def test_what_the_first_update_lost_is_told(now: dict[str, Any], words: str) -> None:
    """Jobs, runs, rows, secrets, grants and the folder."""
    [told] = after(now)
    assert words in told


def test_what_was_gained_is_no_loss() -> None:
    """More runs, rows and grants are a team at work."""
    more = found().jobs[0].model_copy(update={"runs": [8, 9, 10]})
    assert after({"jobs": [more], "tables": [Table(kind="TABLE", name="T", owner="B", rows=4)]}) == []
    assert after({}, state=()) == ["job 5 (a) is in no state"]


def test_the_sql_keeps_grants_and_is_checked() -> None:
    """Ownership with COPY CURRENT GRANTS, managed access; what is not seen is not done."""
    settings = read(ENV, names='{"serviceRole": "QUANT_LIVE_RW"}')
    tables = [Table(kind="TABLE", name="T", owner="DANA", rows=1)]
    moved = Decisions(
        (item(group="leftovers", id="leftovers/tables and views of DANA", may=("leave", "change"), decision="change"),)
    )
    wanted = prepare.statements(looked(ENV, tables=tables), settings, names_of(settings), moved, "DEPLOYER")
    text = prepare.text(ENV, wanted)
    for line in (
        "GRANT OWNERSHIP ON SCHEMA QUANT.QUANT_LIVE TO ROLE DEPLOYER COPY CURRENT GRANTS;",
        "ALTER SCHEMA QUANT.QUANT_LIVE ENABLE MANAGED ACCESS;",
        "GRANT OWNERSHIP ON ROLE QUANT_LIVE_RW TO ROLE DEPLOYER COPY CURRENT GRANTS;",
        "GRANT OWNERSHIP ON USER SVC_QUANT_LIVE TO ROLE DEPLOYER COPY CURRENT GRANTS;",
        "GRANT OWNERSHIP ON TABLE QUANT.QUANT_LIVE.T TO ROLE QUANT_LIVE_RW COPY CURRENT GRANTS;",
    ):
        assert line in text.splitlines()
    assert prepare.missing(wanted, lambda _: []) == wanted
    done = [
        {"name": name, "owner": "DEPLOYER", "options": "MANAGED ACCESS"}
        for name in ("QUANT_LIVE", "QUANT_LIVE_RW", "SVC_QUANT_LIVE")
    ]
    assert [one.name for one in prepare.missing(wanted, lambda _: done)] == ["T"]
    names = ('X"; GRANT ROLE ACCOUNTADMIN TO ROLE PUBLIC; --', "QUANT.T", "a\nb")
    tables = [Table(kind="TABLE", name=name, owner="DANA", rows=1) for name in names]
    text = prepare.text(ENV, prepare.statements(looked(ENV, tables=tables), settings, names_of(settings), moved, "DEPLOYER"))
    for name in (
        '"X""; GRANT ROLE ACCOUNTADMIN TO ROLE PUBLIC; --"',
        '"QUANT.T"',
        '"a\nb"',
    ):
        assert f"\nGRANT OWNERSHIP ON TABLE QUANT.QUANT_LIVE.{name} TO ROLE QUANT_LIVE_RW" in text
    with pytest.raises(UserError, match="Which Snowflake role deploys is unknown"):
        prepare.deployer_role({"SNOWFLAKE_ROLE": "accountadmin"})


def test_an_import_is_completed_with_what_the_providers_leave_out() -> None:
    """The deployer's own entry, the user's minutes, a directory by its path; and only what the program says is said."""
    user = {"urn": "u", "type": "snowflake:index/serviceUser:ServiceUser", "custom": True}
    user |= {
        "inputs": {"name": "S", "timezone": "UTC", "loginName": "s"},
        "outputs": {"minsToUnlock": None, "timezone": "UTC"},
    }
    directory = {
        "urn": "d",
        "type": "databricks:index/directory:Directory",
        "custom": True,
        "outputs": {"objectId": 9, "path": "/p"},
    }
    permissions = {"urn": "p", "type": "databricks:index/permissions:Permissions", "custom": True, "id": "/directories/9"}
    permissions |= {
        "inputs": {"accessControls": [], "directoryId": "9"},
        "outputs": {"accessControls": [], "directoryId": "9"},
    }
    component = {"urn": "c", "type": "quant:index:Environment", "custom": False, "protect": True}
    exported = {"deployment": {"resources": [user, directory, permissions, component]}}
    entries = [
        {"service_principal_name": DEPLOYER, "all_permissions": [{"permission_level": "CAN_MANAGE", "inherited": False}]}
    ]
    made = completed(exported, DEPLOYER, {"/directories/9": entries}, {"u": frozenset({"name"})})
    its_user, _, its_permissions, its_component = made["deployment"]["resources"]
    assert its_user["outputs"]["minsToUnlock"] == -1 and its_user["inputs"] == {"name": "S", "loginName": "s"}
    assert its_permissions["inputs"]["directoryPath"] == "/p" and "directoryId" not in its_permissions["inputs"]
    assert its_permissions["outputs"]["accessControls"][0]["permissionLevel"] == "CAN_MANAGE"
    assert its_component["protect"] is False
    assert completed(made, DEPLOYER, {"/directories/9": entries}, {}) == made  # a second time changes nothing


def test_differences_that_are_alike_are_one_question() -> None:
    """With the names of all that have it; another value is a question of its own."""
    locked = [step("update", "Job", {"id": str(number)}, {"editMode": "UI_LOCKED"}, "editMode") for number in (1, 2)]
    other = step("update", "Job", {"id": "3"}, {"editMode": "EDITABLE"}, "editMode")
    found = items([*locked, other], looked(ENV, scope=None), read(ENV), names_of(read(ENV)))
    told = [(one.id, one.declared) for one in found if one.group == "changes"]
    assert told == [("changes/Job/editMode", "EDITABLE"), ("changes/Job/editMode/2", "UI_LOCKED")]
