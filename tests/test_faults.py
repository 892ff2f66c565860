"""A sample of the fault matrix (`make faults` has all of it), with the real engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Team
from tests.faults import Fault, behind, strike
from tests.rewound import Rewound, rewound
from tests.situations import ENV, TAKEN_BACK, prepare, wrong

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rewound]:
    """A sandbox of the module's own that is put back before each case."""
    with rewound(tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.mark.parametrize(
    "fault",
    [
        Fault("504 after", "create the schema", situation="first deployment"),
        Fault("reset after", "create a job", situation="fix"),
        Fault("504 after", "create a job", situation="fix"),
        # What the state holds after it is not what is there, and the next update wants just what the state holds.
        Fault("504 after", "delete a job", situation=TAKEN_BACK),
        Fault("html before", "delete a job", situation=TAKEN_BACK),
    ],
    ids=str,
)
def test_after_a_fault_one_command_makes_everything_whole(stage: Rewound, fault: Fault) -> None:
    """Nothing twice, nothing stuck, no traceback, no "clean" that is not."""
    assert strike(stage, fault) == (True, [])


@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset before", "list jobs", situation="status"),
        Fault("504 before", "read the folder", situation="status"),
        Fault("garbage after", "list runs", situation="status"),
        Fault("truncated after", "list jobs", situation="status"),
        Fault("html before", "read the folder", situation="status"),
        Fault("429 before", "list jobs", situation="status"),
    ],
    ids=str,
)
def test_a_fault_while_looking_changes_nothing_and_is_told(stage: Rewound, fault: Fault) -> None:
    """The other kinds, at a command that only reads: no traceback, and nothing is otherwise than before."""
    assert strike(stage, fault) == (True, [])


def test_a_git_folder_whose_answer_was_lost_is_taken_in(team: Team, kind: str) -> None:
    """It is there and in no state; with Git folders of either kind it is found by its path, and nothing is made twice."""
    fault = Fault("504 after", "create the folder")
    with behind(team, fault) as struck:
        ended = struck.quantctl(*prepare(team, "first deployment", 0))
    assert fault.struck and ended.returncode != 0
    helped = team.quantctl("up", ENV, "--yes")
    assert helped.returncode == 0, helped.stderr
    assert wrong(team, ended.stdout, ended.stderr, helped.stdout, helped.stderr) == []
