"""`quantctl doctor`: what is needed, what was found, and how it is fixed."""

from __future__ import annotations

import json

import pytest

from quantctl.doctor import model
from quantctl.doctor.model import Answer, Health
from tests.conftest import Team

FINE, WRONG, UNKNOWN = Health.FINE, Health.WRONG, Health.UNKNOWN
ME = {"userName": "app-1", "groups": [{"display": "admins"}]}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (
            model.branches(["quant"], ["quant", "quant_live"], "R"),
            [(FINE, ""), (WRONG, "git push R HEAD:refs/heads/quant_live")],
        ),
        (model.login(ME, "APP-1"), [(FINE, ""), (FINE, "")]),
        (
            model.login({"userName": "dana"}, "app-1"),
            [(WRONG, "log in as the deployer"), (WRONG, "add the deployer to admins")],
        ),
        ([model.git_credential([], "gitLab", False)], [(WRONG, "git-credentials create gitLab")]),
        ([model.git_credential([], "gitLab", True)], [(FINE, "")]),
        ([model.git_credential([{"git_provider": "gitHub"}], "gitLab", False)], [(WRONG, "as the deployer")]),
        ([model.git_credential([{"git_provider": "GitLab"}], "gitLab", False)], [(FINE, "")]),
        (
            model.principals({"a": True}, {"quant": "a", "quant_live": "b"}),
            [(FINE, ""), (WRONG, "quant:servicePrincipal of quant_live")],
        ),
        (
            model.groups(["quant-dev"], {"Quant-Dev": "developers", "x": "support"}),
            [(FINE, ""), (WRONG, "quant:personas.support.group")],
        ),
        (model.roles(["R1"], {"r1": "developers", "r2": "support"}), [(FINE, ""), (WRONG, "CREATE ROLE r2")]),
        (
            model.privileges(
                "D", {"x": ("CREATE ROLE", "ACCOUNT"), "y": ("USAGE", "DATABASE Q")}, [("OWNERSHIP", "DATABASE Q")]
            ),
            [(WRONG, "GRANT CREATE ROLE ON ACCOUNT TO ROLE D;"), (FINE, "")],
        ),
    ],
)
def test_each_answer_says_how_it_is_fixed(answers: list[Answer], expected: list[tuple[Health, str]]) -> None:
    """Nothing where it is fine; a command or a setting where it is not."""
    assert [answer.health for answer in answers] == [health for health, _ in expected]
    for answer, (_, words) in zip(answers, expected, strict=True):
        assert words in answer.fix
        assert bool(answer.fix) is (answer.health is not FINE)


@pytest.mark.parametrize(
    ("rules", "health"),
    [
        ([{"role": "roles/servicePrincipal.user", "principals": ["servicePrincipals/D"]}], FINE),
        ([{"role": "roles/servicePrincipal.manager", "principals": ["servicePrincipals/D"]}], WRONG),
        ([{"role": "roles/servicePrincipal.user", "principals": ["users/other"]}], WRONG),
        ([], WRONG),
    ],
)
def test_run_as_needs_the_user_role(rules: list[dict[str, object]], health: Health) -> None:
    """The manager role is not the user role, and an administrator needs it too."""
    assert model.may_use("app", "quant", rules, "d").health is health


@pytest.mark.parametrize(("healths", "status"), [([FINE], 0), ([FINE, WRONG], 2), ([WRONG, UNKNOWN], 1), ([], 0)])
def test_unknown_is_never_fine(healths: list[Health], status: int) -> None:
    """Nor is it missing: 1 wins over 2."""
    assert model.exit_status([Answer("x", "y", health, "z") for health in healths]) == status


@pytest.mark.real
def test_the_sandbox_has_everything_and_says_what_is_taken_away(team: Team) -> None:
    """All four environments as the deployer; as a developer the lines that fail, each with its way out."""
    done = team.quantctl("doctor", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {answer["where"] for answer in json.loads(done.stdout)} == {"engine", "Git", "Databricks", "Snowflake"}
    token = team.credentials["developer"]["databricks_token"]
    team.environ["DATABRICKS_TOKEN"], kept = token, team.environ["DATABRICKS_TOKEN"]
    try:
        done = team.quantctl("doctor", "quant", "--format", "json")
    finally:
        team.environ["DATABRICKS_TOKEN"] = kept
    found = {(answer["where"], answer["needed"]): answer for answer in json.loads(done.stdout)}
    assert done.returncode != 0
    assert found["Databricks", "login as the deployer"]["health"] == "missing"
    assert all(answer["fix"] for answer in found.values() if answer["health"] != "ok")
