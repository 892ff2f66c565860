"""A sample of the fault matrix (`make faults` has all of it), with the real engine."""

from __future__ import annotations

import pytest

from tests.conftest import Team
from tests.faults import Fault, prepare, strike

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("situation", "fault"),
    [
        ("first deployment", Fault("504 after", "create the schema")),
        ("fix", Fault("reset after", "create a job")),
        ("fix", Fault("504 after", "create a job")),
    ],
    ids=str,
)
def test_after_a_fault_one_command_makes_everything_whole(team: Team, situation: str, fault: Fault) -> None:
    """Nothing twice, nothing stuck, no traceback, no "clean" that is not."""
    assert strike(team, fault, *prepare(team, situation, 0)) == []
    assert fault.struck


def test_a_git_folder_whose_answer_was_lost_is_taken_in(team: Team, kind: str) -> None:
    """It is there and in no state; with Git folders of either kind it is found by its path, and nothing is made twice."""
    fault = Fault("504 after", "create the folder")
    assert strike(team, fault, *prepare(team, "first deployment", 0)) == []
    assert fault.struck
