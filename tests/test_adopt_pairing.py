"""Which jobs of the environments are one workflow, and what is refused because it cannot be told."""

from __future__ import annotations

import pytest

from quantctl.adopt.model import Job, Look
from quantctl.adopt.pairing import paired, undecorated
from quantctl.errors import UserError
from tests.adopted import looked


def look(env: str, *jobs: Job) -> Look:
    """An environment with these jobs and nothing else."""
    return looked(env, jobs=list(jobs))


def job(env: str, number: int, name: str, *files: str, **more: object) -> Job:
    """A job that runs one task a file."""
    tasks = [
        {"task_key": file.split(".")[0], "spark_python_task": {"python_file": f"/Workspace/pipelines/{env}/src/{file}"}}
        for file in files
    ]
    settings = {"name": name, "tasks": tasks, **more}
    return Job(id=number, settings=settings, owner="", run_as="", acl=[], runs=[], active=[])


def names(*looks: Look) -> dict[str, list[int]]:
    """Workflow -> ids of its jobs."""
    return {one.name: sorted(j.id for j in one.jobs.values()) for one in paired({one.environment: one for one in looks})}


def test_decorated_names_are_one_workflow() -> None:
    """What every job of an environment begins or ends with is no part of the workflow's name."""
    dev = look("quant", job("quant", 1, "returns", "a.py"), job("quant", 2, "risk", "b.py"))
    stg = look("quant_stg", job("quant_stg", 3, "returns [STG]", "a.py"), job("quant_stg", 4, "risk [STG]", "b.py"))
    live = look("quant_live", job("quant_live", 5, "PROD - returns", "a.py"), job("quant_live", 6, "PROD - risk", "b.py"))
    assert names(dev, stg, live) == {"returns": [1, 3, 5], "risk": [2, 4, 6]}


def test_other_names_with_the_same_files_and_tasks_are_one_workflow() -> None:
    """A name that somebody made up does not make another workflow of it, where only one can be meant."""
    dev = look("quant", job("quant", 1, "nightly", "a.py"), job("quant", 2, "risk", "b.py"))
    live = look("quant_live", job("quant_live", 5, "Production run", "a.py"), job("quant_live", 6, "Risk numbers", "b.py"))
    assert sorted(names(dev, live).values()) == [[1, 5], [2, 6]]


def test_one_more_task_in_production_is_still_the_workflow() -> None:
    """The same name and a file in common is enough."""
    dev = look("quant", job("quant", 1, "returns", "a.py"), job("quant", 2, "risk", "b.py"))
    live = look("quant_live", job("quant_live", 5, "returns", "a.py", "check.py"), job("quant_live", 6, "risk", "b.py"))
    assert names(dev, live) == {"returns": [1, 5], "risk": [2, 6]}


def test_a_job_that_one_environment_has_alone_is_a_workflow() -> None:
    """Its name is what is left without the decoration."""
    dev = look("quant", job("quant", 1, "returns", "a.py"), job("quant", 2, "risk", "b.py"))
    live = look("quant_live", job("quant_live", 5, "P returns", "a.py"), job("quant_live", 6, "P extra", "c.py"))
    assert names(dev, live) == {"returns": [1, 5], "risk": [2], "extra": [6]}


def test_jobs_that_run_the_same_code_under_names_of_their_own_stay_apart() -> None:
    """Two jobs of one script, alike in each environment."""
    dev = look("quant", job("quant", 1, "morning", "a.py"), job("quant", 2, "evening", "a.py"))
    live = look("quant_live", job("quant_live", 5, "X morning", "a.py"), job("quant_live", 6, "X evening", "a.py"))
    assert names(dev, live) == {"morning": [1, 5], "evening": [2, 6]}


def test_a_job_that_two_workflows_could_claim_is_refused() -> None:
    """The same code twice in one environment, and other names in the other: nobody but the team knows."""
    dev = look("quant", job("quant", 1, "first", "a.py"), job("quant", 2, "second", "a.py"))
    live = look("quant_live", job("quant_live", 5, "Third thing", "a.py"))
    with pytest.raises(UserError) as refused:
        names(dev, live)
    for word in ("two workflows could claim", "first (1)", "second (2)", "Third thing (5)", "do next"):
        assert word in str(refused.value)


def test_two_jobs_of_one_name_in_an_environment_are_refused() -> None:
    """One of them is a copy, and its runs say which."""
    dev = look("quant", job("quant", 1, "returns", "a.py"), job("quant", 2, "returns", "a.py"))
    with pytest.raises(UserError, match=r"two jobs could be one workflow: returns \(1\), returns \(2\)"):
        names(dev)


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (["PROD - a_b", "PROD - c"], ["a_b", "c"]),
        (["a [STG]", "b [STG]"], ["a", "b"]),
        (["x"], ["x"]),
        (["same", "same"], ["same", "same"]),
        (["dev/a", "dev/b c"], ["a", "b_c"]),
        (["nightly", "nightly risk"], ["nightly", "nightly_risk"]),
    ],
)
def test_the_words_that_all_names_share_are_taken_off(given: list[str], left: list[str]) -> None:
    """Never all of a name."""
    assert undecorated(given) == left
