"""All that was read of one environment, judged together: what is unknown hides nothing and is never drift."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.outside.branch import Snapshot
from infra.outside.local_edits import Edits
from infra.service_keys import marker
from quantctl.drift.belongings import Scope
from quantctl.drift.finding import Class, Verdict
from quantctl.drift.folder import Folder
from quantctl.drift.grants import HANDS_ON, Grant, Held
from quantctl.drift.judge import Read, judge
from quantctl.drift.steps import Refresh
from quantctl.keys.pair import new_pair
from tests.test_drift_decisions import step
from tests.test_settings import read

SETTINGS = read("quant_stg")
KEY = new_pair().public
_USER, _ACL = {"name": "SVC_QUANT_STG", "rsaPublicKey": KEY}, {"principal": "svc", "scope": "quant_stg"}
USER, ACL = step("ServiceUser", "user", _USER, _USER), step("SecretAcl", "acl", _ACL, _ACL)
SCOPE = Scope("quant_stg", {"svc": "READ"}, {"snowflake_private_key": 5, marker(KEY): 6})
HELD = Held("QUANT_DEPLOYER", frozenset(), frozenset(), (KEY, ""))
GOOD = Read(SETTINGS, Refresh((USER, ACL)), "the branch is silent", 0, [], Edits(), SCOPE, HELD, Folder())


def said(given: Read) -> set[tuple[Class, str, str]]:
    findings = judge(given).findings
    assert {finding.environment for finding in findings} == {"quant_stg"}
    return {(finding.kind, finding.resource, finding.real) for finding in findings}


QUIET = said(GOOD)


def inherited(who: str) -> dict[str, Any]:
    """An entry of the folder's access list that comes from above."""
    return {"user_name": who, "all_permissions": [{"permission_level": "CAN_EDIT", "inherited": True}]}


def owned(role: str) -> Grant:
    return Grant("OWNERSHIP", "TABLE", "QUANT.QUANT_STG.T", "ROLE", role)


def test_what_is_the_deployers_or_the_jobs_own_is_no_drift() -> None:
    """The folder from above, the scope, and the tables: in any spelling of its letters."""
    deployer = SETTINGS.deployer.upper()
    for given in (
        replace(GOOD, folder=Folder(entries=[inherited(deployer)])),
        replace(GOOD, scope=replace(SCOPE, acls={"svc": "READ", deployer: "MANAGE"})),
        replace(GOOD, held=replace(HELD, grants=frozenset({owned("QUANT_DEPLOYER"), owned("QUANT_STG_SVC")}))),
    ):
        assert said(given) == QUIET


def test_what_the_engine_does_not_explain_is_unknown() -> None:
    """It says that something differs, and what was read does not say what: that is not clean."""
    found = said(replace(GOOD, refresh=Refresh((replace(USER, unsaid=True), ACL))))
    assert found - QUIET == {
        (Class.UNKNOWN, "what the engine reads", "the engine says that user differs, and not in what"),
    }


def test_a_setting_that_somebody_made_on_a_job_is_told_once() -> None:
    """What the engine sees already, and a part of a block that is told whole, are not told again."""
    given = {"name": "quant_stg a", "id": "4", "tasks": [{"taskKey": "t", "notebookTask": {"notebookPath": "/quant_stg/a"}}]}
    tagged = {**given, "tags": {"team": "quant"}}
    described, more = {"description": "mine", "tags": {"a": "b"}}, {"tags": {"team": "quant", "a": "b"}}
    by_engine = step("Job", "a", given, {**given, "description": "mine"}, "description")
    for job, made, told in (
        (step("Job", "a", given, given), described, ["description", "tags"]),
        (by_engine, described, ["description", "tags"]),
        (step("Job", "a", tagged, {**tagged, **more}, "tags.a"), more, ["tags.a"]),
    ):
        real = [{"job_id": 4, "settings": {"name": "quant_stg a", **made}}]
        findings = judge(replace(GOOD, refresh=Refresh((USER, ACL, job)), jobs=real)).findings
        mine = [(finding.environment, finding.property) for finding in findings if finding.urn == job.urn]
        assert sorted(mine) == [("quant_stg", each) for each in told], mine


def test_what_could_not_be_read_is_told_by_its_name() -> None:
    """With the reason; the state here knows no Git folder, and that is told besides."""
    assert {
        (Class.UNKNOWN, "branch quant_stg", "the branch is silent"),
        (Class.DRIFT, "Git folder /quant_stg", "in nobody's state; nothing is at its path"),
    } == QUIET
    assert judge(GOOD).verdict is Verdict.UNKNOWN and judge(GOOD).environment == "quant_stg"


@pytest.mark.parametrize(
    ("changed", "resource"),
    [
        ({"jobs": "silent"}, "jobs of the workspace"),
        ({"edits": "silent"}, "Git folder /quant_stg"),
        ({"folder": "silent"}, "Git folder /quant_stg"),
        ({"scope": "silent"}, "secret scope quant_stg"),
        ({"held": "silent"}, "grants of schema QUANT_STG"),
        ({"refresh": Refresh((USER, ACL), errors=("silent",))}, "what the engine reads"),
    ],
)
def test_each_reading_that_failed_is_unknown(changed: dict[str, Any], resource: str) -> None:
    """It is named, and what was read besides is judged all the same."""
    assert said(replace(GOOD, **changed)) - QUIET == {(Class.UNKNOWN, resource, "silent")}


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"held": replace(HELD, keys=("", ""))}, ("service user SVC_QUANT_STG", "nothing")),
        ({"scope": None}, ("secret quant_stg/snowflake_private_key", "missing: the jobs cannot log in")),
        ({"scope": replace(SCOPE, acls={"svc": "READ", "team": "READ"})}, ("secret scope quant_stg", "READ")),
        ({"scope": replace(SCOPE, secrets={**SCOPE.secrets, "more": 1})}, ("secret quant_stg/more", "there")),
        (
            {"folder": Folder(entries=[inherited("dana@quant.example")])},
            ("Git folder /quant_stg", "CAN_EDIT from a folder above"),
        ),
        ({"held": replace(HELD, grants=frozenset({owned("QUANT_SUPPORT")}))}, ("table QUANT.QUANT_STG.T", "granted")),
        (
            {"jobs": [{"job_id": 4, "settings": {"name": "mine", "tasks": [{"notebook_path": "/quant_stg/a"}]}}]},
            ("job mine", "made by somebody, does not run by itself"),
        ),
    ],
)
def test_each_reading_is_judged(changed: dict[str, Any], found: tuple[str, str]) -> None:
    """Drift stands beside what is unknown; without the state, or with errors, nobody knows what was declared."""
    given = replace(GOOD, **changed)
    assert said(given) - QUIET == {(Class.DRIFT, *found)}
    for unsure in (Refresh(), replace(GOOD.refresh, errors=("x",))):
        assert (Class.DRIFT, *found) not in said(replace(given, refresh=unsure))


def test_files_that_were_not_compared_are_notes() -> None:
    """With their place and the reason."""
    given = replace(GOOD, edits=Edits(unknown={"a.py": "it is too large"}))
    assert judge(given).notes == ("/quant_stg/a.py was not compared: it is too large",)


OLD, NEW = "a" * 40, "b" * 40
BRANCH = Snapshot("https://git.example/p.git", "quant_stg", NEW, Path())


def test_the_folder_is_compared_with_its_branch_and_its_files() -> None:
    """Local edits are drift; a branch that is ahead waits; what is gone is not made again at another commit."""
    at = {"path": "/quant_stg", "branch": "quant_stg", "commitHash": OLD}
    given = replace(GOOD, snapshot=BRANCH, ahead=2, edits=Edits(("a.py",)))
    there, gone = (replace(given, refresh=Refresh((USER, ACL, step("Repo", "folder", at, new)))) for new in (at, None))
    assert said(there) == {
        (Class.DRIFT, "Git folder /quant_stg", "a.py"),
        (Class.WAITING, "Git folder /quant_stg", "quant_stg at bbbbbbbbbbbb, 2 commits ahead"),
    }
    assert said(replace(there, edits="silent", snapshot="silent")) == {
        (Class.UNKNOWN, "Git folder /quant_stg", "silent"),
        (Class.UNKNOWN, "branch quant_stg", "silent"),
    }
    [missing] = [finding for finding in judge(replace(gone, edits=Edits())).findings if finding.property == "commit"]
    assert missing.declared == OLD[:12] and "promote with pulumi up -s quant_stg" in missing.fix.words


def test_an_update_that_was_interrupted_is_told() -> None:
    """Of this environment, beside everything else."""
    begun = Refresh((USER, ACL), begun=("create a job",))
    assert said(replace(GOOD, refresh=begun)) - QUIET == {
        (Class.DRIFT, "create a job", "an update was interrupted meanwhile: its result is unknown"),
    }


def test_a_grant_that_may_be_handed_on_is_told_once() -> None:
    """The provider tells it as missing, the account with the right to hand it on: the account is right; others stay."""
    granted = {"databaseRoleName": '"QUANT"."QUANT_STG_READER"', "privileges": ["USAGE"]}
    on_schema = {**granted, "onSchema": {"schemaName": '"QUANT"."QUANT_STG"'}}
    uses = step("GrantPrivilegesToDatabaseRole", "uses", on_schema, {**on_schema, "privileges": [], "x": 1}, "privileges")
    other = step(
        "GrantPrivilegesToDatabaseRole",
        "other",
        {**granted, "onDatabase": "QUANT"},
        {**granted, "privileges": []},
        "privileges",
    )
    more = replace(
        other, new={**granted, "comment": "y"}, urn=uses.urn, changed=("comment",), inputs={**granted, "comment": "x"}
    )
    held = Grant("USAGE", "SCHEMA", "QUANT.QUANT_STG", "DATABASE_ROLE", "QUANT_STG_READER", option=True)
    account = replace(HELD, grants=frozenset({held}), objects=frozenset({("SCHEMA", "QUANT.QUANT_STG")}))
    found = judge(replace(GOOD, refresh=Refresh((USER, ACL, uses, other, more)), held=account)).findings
    told = {(finding.urn.rpartition("::")[2], finding.property, finding.real == HANDS_ON) for finding in found}
    assert ("uses", "privileges", False) not in told
    assert {("other", "privileges", False), ("uses", "comment", False)} <= told
    assert any(handed and name == "uses" for name, _, handed in told)
