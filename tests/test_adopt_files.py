"""The files that are generated of jobs and names that exist: read by people, and accepted by `quantctl check`."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.naming import names_of
from infra.settings import Settings
from infra.workflows.expand import parameters_of
from quantctl.adopt import folder as working_folder
from quantctl.adopt import stack_file
from quantctl.adopt.model import Job, Scope, User
from quantctl.adopt.pairing import Workflow
from quantctl.adopt.workflow_files import Scene, file_of
from quantctl.errors import UserError
from tests.adopted import folder, looked
from tests.test_adopt_pairing import job
from tests.test_settings import read

Json = dict[str, Any]
ENVS = ("quant", "quant_live")


def scene(**changed: Any) -> Scene:
    """Development and production, each with its folder below /pipelines."""
    settings = {env: read(env) for env in ENVS}
    known = {env: parameters_of(one, names_of(one)) for env, one in settings.items()}
    said: Json = {
        "folders": {env: f"/pipelines/{env}" for env in ENVS},
        "known": known,
        "keys": {env: {} for env in ENVS},
        "paused": frozenset(),
        "there": frozenset(ENVS),
    }
    return Scene(**{**said, **changed})


def task(env: str, *parameters: str, **more: Any) -> Json:
    python = {"python_file": f"/Workspace/pipelines/{env}/src/a.py", "parameters": list(parameters)}
    return {"task_key": "a", "spark_python_task": python, "run_if": "ALL_SUCCESS", "timeout_seconds": 0, **more}


def with_tasks(env: str, *tasks: Json, **more: Any) -> Job:
    settings = {
        "name": "x",
        "format": "MULTI_TASK",
        "max_concurrent_runs": 1,
        "queue": {"enabled": True},
        "tasks": list(tasks),
    }
    return Job(id=1, settings={**settings, **more}, owner="", run_as="", acl=[], runs=[], active=[])


def made(scene_: Scene | None = None, **jobs: Job) -> Json:
    found: Json = yaml.safe_load(file_of(Workflow("a", dict(jobs)), scene_ or scene()))
    return found


def test_jobs_that_are_alike_are_one_definition_without_defaults() -> None:
    """Paths are the repository's, and what the API fills in is not said."""
    found = made(quant=with_tasks("quant", task("quant")), quant_live=with_tasks("quant_live", task("quant_live")))
    assert found == {"name": "a", "tasks": [{"task_key": "a", "spark_python_task": {"python_file": "src/a.py"}}]}


def test_a_literal_that_follows_the_environment_is_its_parameter() -> None:
    """QUANT is schema and database in development; production tells which is which."""

    def words(schema: str) -> list[str]:
        return ["--schema", schema, "QUANT", f"--as={schema}_SVC", "other"]

    found = made(
        quant=with_tasks("quant", task("quant", *words("QUANT"))),
        quant_live=with_tasks("quant_live", task("quant_live", *words("QUANT_LIVE"))),
    )
    assert found["tasks"][0]["spark_python_task"]["parameters"] == [
        "--schema",
        "{{job.parameters.snowflake_schema}}",
        "{{job.parameters.snowflake_database}}",
        "--as={{job.parameters.snowflake_role}}",
        "other",
    ]


def test_an_option_that_one_environment_has_alone_does_not_hide_the_others() -> None:
    """Options are compared by their names, wherever they stand."""
    live = with_tasks("quant_live", task("quant_live", "--verbose=1", "--schema", "QUANT_LIVE"))
    found = made(quant=with_tasks("quant", task("quant", "--schema", "QUANT")), quant_live=live)
    assert found["tasks"][0]["spark_python_task"]["parameters"] == ["--schema", "{{job.parameters.snowflake_schema}}"]
    [changed] = found["per_environment"]["quant_live"]["tasks"]
    assert changed["spark_python_task"]["parameters"] == [
        "--verbose=1",
        "--schema",
        "{{job.parameters.snowflake_schema}}",
    ]


def test_a_path_in_a_parameter_names_the_environment() -> None:
    """No absolute path of one environment stays in the file."""
    config = "--config=/Workspace/pipelines/{}/conf/a.yml"
    found = made(
        quant=with_tasks("quant", task("quant", config.format("quant"))),
        quant_live=with_tasks("quant_live", task("quant_live", config.format("quant_live"))),
    )
    [parameter] = found["tasks"][0]["spark_python_task"]["parameters"]
    assert parameter == "--config=/Workspace/pipelines/{{job.parameters.environment}}/conf/a.yml"


def test_what_differs_is_said_where_it_differs() -> None:
    """Objects are merged, tasks by their key, and null takes a key away."""
    live = with_tasks("quant_live", task("quant_live", max_retries=3), timeout_seconds=7200, tags={"env": "prod"})
    found = made(quant=with_tasks("quant", task("quant"), timeout_seconds=600, description="d"), quant_live=live)
    assert found["timeout_seconds"] == 600
    assert found["per_environment"]["quant_live"]["timeout_seconds"] == 7200
    assert found["per_environment"]["quant_live"]["tasks"] == [{"task_key": "a", "max_retries": 3}]
    assert found["per_environment"]["quant_live"]["tags"] == {"env": "prod"}
    assert found["per_environment"]["quant"] == {"description": "d"}


def test_an_environment_that_has_no_such_job_says_so() -> None:
    """Else the next promotion would make one."""
    found = made(quant=with_tasks("quant", task("quant")))
    assert found["per_environment"] == {"quant_live": None}


def test_runs_that_do_not_queue_stay_so() -> None:
    """The product queues runs where a file says nothing."""
    found = made(
        quant=with_tasks("quant", task("quant"), queue=None), quant_live=with_tasks("quant_live", task("quant_live"))
    )
    assert {"enabled": False} in (found.get("queue"), found["per_environment"].get("quant", {}).get("queue"))


def test_a_paused_job_stays_paused() -> None:
    """By the file; or by the settings, where the whole environment is paused."""

    def scheduled(env: str, state: str) -> Job:
        return with_tasks(
            env, task(env), schedule={"quartz_cron_expression": "0", "timezone_id": "UTC", "pause_status": state}
        )

    jobs = {"quant": scheduled("quant", "PAUSED"), "quant_live": scheduled("quant_live", "UNPAUSED")}
    said = made(scene(), **jobs)
    states = [said["schedule"].get("pause_status"), said["per_environment"].get("quant", {}).get("schedule")]
    assert "PAUSED" in str(states) and "UNPAUSED" not in str(said)
    assert "pause_status" not in str(made(scene(paused=frozenset({"quant"})), **jobs))
    assert stack_file.all_paused([jobs["quant"]]) and not stack_file.all_paused(list(jobs.values()))


def test_a_job_that_runs_another_names_its_workflow() -> None:
    """Ids are those of one environment."""
    runs = {"task_key": "b", "run_job_task": {"job_id": 17}}
    found = made(
        scene(keys={"quant": {17: "returns"}, "quant_live": {}}, there=frozenset({"quant"})), quant=with_tasks("quant", runs)
    )
    assert found["tasks"] == [{"task_key": "b", "run_job_task": {"job": "returns"}}]


def test_a_cluster_by_id_is_a_variable_of_the_settings() -> None:
    """The file names it, each stack says which one it is."""
    known = scene()
    cluster = {"existing_cluster_id": "1105-201500-shared7"}
    found = made(
        known,
        quant=with_tasks("quant", task("quant", **cluster)),
        quant_live=with_tasks("quant_live", task("quant_live", **cluster)),
    )
    assert found["tasks"][0]["existing_cluster_id"] == "${var.cluster_of_a}"
    assert known.ids == {env: {"cluster_of_a": "1105-201500-shared7"} for env in ENVS}


def test_a_parameter_of_the_environment_s_own_is_not_said_again() -> None:
    """A job that was given its schema as a job parameter by hand gets it from the environment."""
    parameters = [{"name": "snowflake_schema", "default": "QUANT"}, {"name": "window", "default": "20"}]
    found = made(quant=with_tasks("quant", task("quant"), parameters=parameters))
    assert found["parameters"] == [{"name": "window", "default": "20"}]


def test_a_job_that_ran_from_git_runs_from_the_folder() -> None:
    """Its paths are from the repository's root already."""
    job_ = job("quant", 1, "x")
    python = {"python_file": "src/a.py", "source": "GIT"}
    settings = {
        **job_.settings,
        "tasks": [{"task_key": "a", "spark_python_task": python}],
        "git_source": {"git_branch": "quant"},
    }
    found = made(scene(there=frozenset({"quant"})), quant=job_.model_copy(update={"settings": settings}))
    assert found["tasks"] == [{"task_key": "a", "spark_python_task": {"python_file": "src/a.py"}}]
    assert "git_source" not in found


KEY = "MIIB"
STACK = """# Production.
config:
  quant:branch: quant_live
  quant:folder: /quant_live  # where it is
  quant:allowed: {mailDomains: [quant.example]}
  quant:access:
    support:
      job: none

# a salt
encryptionsalt: v1:x
"""


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is killed before the end leaves what was there."""
    file = tmp_path / "deep" / "a.yml"
    working_folder.write(file, "before")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", killed)
        working_folder.write(file, "half")
    assert file.read_text() == "before"
    working_folder.write(file, "after")
    assert [one.name for one in file.parent.iterdir()] == ["a.yml"] and file.read_text() == "after"


def test_two_steps_do_not_run_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was killed holds nothing: the lock is the kernel's."""
    (tmp_path / "Pulumi.yaml").touch()
    monkeypatch.setenv("QUANT_PROJECT", str(tmp_path))
    with working_folder.alone(), pytest.raises(UserError, match="Another step of an adoption runs"), working_folder.alone():
        pass
    with working_folder.alone():
        pass


def test_settings_are_put_into_the_stack_file_and_the_rest_stays() -> None:
    """Comments and other keys are the team's; parts are merged."""
    found = stack_file.with_settings(
        STACK, {"folder": "/p/quant_live", "retentionDays": 1, "access": {"reviewers": {"job": "none"}}}
    )
    assert yaml.safe_load(found)["config"] == {
        "quant:branch": "quant_live",
        "quant:folder": "/p/quant_live",
        "quant:allowed": {"mailDomains": ["quant.example"]},
        "quant:access": {"support": {"job": "none"}, "reviewers": {"job": "none"}},
        "quant:retentionDays": 1,
    }
    assert found.startswith("# Production.\n") and found.endswith("\n# a salt\nencryptionsalt: v1:x\n")
    assert stack_file.with_settings(STACK, {}) == STACK


def settings() -> Settings:
    return read("quant_live", folder="/pipelines/quant_live")


def test_names_that_exist_become_settings() -> None:
    """Only those that are not the usual ones, so that a stack file says what is special."""
    user = User(name="JOBS", owner="", role="PIPELINES", roles=["PIPELINES"], keys=[KEY, ""])
    found = stack_file.from_look(
        looked(
            "quant_live",
            user=user,
            scope=Scope(name="prod", acls={}, secrets={}),
            folder=folder("quant_live", path="/x/quant_live"),
        ),
        settings(),
    )
    assert found == {
        "folder": "/x/quant_live",
        "names": {"serviceUser": "JOBS", "serviceRole": "PIPELINES", "secretScope": "prod"},
        "retentionDays": 1,
        "publicKey": KEY,
    }
    usual = User(name="SVC_QUANT_LIVE", owner="", role="QUANT_LIVE_SVC", roles=["QUANT_LIVE_SVC"], keys=[])
    assert stack_file.from_look(looked("quant_live", user=usual), settings()) == {"retentionDays": 1}


@pytest.mark.parametrize("place", ["/Volumes/main/wheels/a.whl", "dbfs:/a.jar"])
def test_what_jobs_use_elsewhere_is_allowed_by_name(place: str) -> None:
    """Mail domains and files that are not the folder's; nothing more than what is used."""
    one = with_tasks("quant_live", task("quant_live", libraries=[{"whl": place}]))
    one = one.model_copy(
        update={"settings": {**copy.deepcopy(one.settings), "email_notifications": {"on_failure": ["a@b.example"]}}}
    )
    found = stack_file.allowed(looked("quant_live", jobs=[one]), settings())
    assert found == {"mailDomains": ["b.example", "quant.example"], "paths": [place]}
