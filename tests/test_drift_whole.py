"""All that was read of one environment, judged together: what is unknown hides nothing and is never drift."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from infra.outside.local_edits import Edits
from infra.service_keys import marker
from quantctl.drift.belongings import Scope
from quantctl.drift.finding import Class, Verdict
from quantctl.drift.folder import Folder
from quantctl.drift.grants import Held
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
    return {(finding.kind, finding.resource, finding.real) for finding in judge(given).findings}


QUIET = said(GOOD)


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
