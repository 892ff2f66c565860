"""Workflow files: what an environment makes of them, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from infra.vocabulary import Environment
from infra.workflows.format import arguments, fit
from tests.spent import spent
from tests.workflows import FILE, MINIMAL, expand, job, reading, refusal, refused, task


def test_paths_become_absolute_in_the_environments_folder() -> None:
    """A task runs the file of its own environment."""
    [one] = expand(MINIMAL)
    assert one["tasks"][0]["spark_python_task"]["python_file"] == "/Workspace/quant_stg/src/a.py"


def test_a_job_knows_its_schema_and_user() -> None:
    """The environment gives its schema, role and user as job parameters."""
    [one] = expand(MINIMAL)
    given_parameters = {p["name"]: p["default"] for p in one["parameters"]}
    assert given_parameters["snowflake_schema"] == "QUANT_STG"
    assert given_parameters["snowflake_user"] == "SVC_QUANT_STG"


def test_the_same_file_differs_only_by_environment() -> None:
    """No commit and nothing else that moves stands in a job, so a promotion of code changes the folder alone."""
    one, two = (json.dumps(expand(MINIMAL, stack=stack)) for stack in ("quant_stg", "quant_live"))
    assert one.replace("quant_stg", "quant_live").replace("QUANT_STG", "QUANT_LIVE") == two


CRON = {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC"}


@pytest.mark.parametrize(
    "when",
    [
        {"schedule": CRON},
        {"schedule": {**CRON, "pause_status": "UNPAUSED"}},
        {"trigger": {"periodic": {"interval": 1, "unit": "DAYS"}}},
        {"continuous": {}},
        {"continuous": {"pause_status": "UNPAUSED"}},
    ],
)
def test_a_stack_with_paused_schedules_pauses_everything_that_starts_by_itself(when: dict[str, Any]) -> None:
    """Also what is empty: the Jobs API's default is UNPAUSED."""
    key = next(iter(when))
    assert expand({**MINIMAL, **when}, schedules="paused")[0][key]["pause_status"] == "PAUSED"
    assert expand({**MINIMAL, **when}, schedules="live")[0][key]["pause_status"] == "UNPAUSED"


def test_what_a_file_pauses_stays_paused() -> None:
    """Whatever the stack says."""
    paused = {**MINIMAL, "schedule": {**CRON, "pause_status": "PAUSED"}}
    assert expand(paused, schedules="live")[0]["schedule"]["pause_status"] == "PAUSED"


def test_an_override_changes_one_environment_only() -> None:
    """per_environment merges tasks by task_key and leaves the other environments alone."""
    changed = {**MINIMAL, "per_environment": {"quant_live": {"tasks": [{"task_key": "compute", "max_retries": 3}]}}}
    assert expand(changed, stack="quant_live")[0]["tasks"][0]["max_retries"] == 3
    assert "max_retries" not in expand(changed, stack="quant_stg")[0]["tasks"][0]


def overridden(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    return expand({**base, "per_environment": {"quant_stg": over}})[0]


def test_parameters_of_a_task_are_replaced_and_those_of_a_job_merged_by_name() -> None:
    """A list of words has no names; an empty list or text clears; null takes away."""
    base = job(
        {"spark_python_task": {**FILE, "parameters": ["--universe", "ALL"]}}, parameters=[{"name": "p", "default": "1"}]
    )

    def of_task(parameters: list[str]) -> Any:
        over = {"tasks": [{"task_key": "t0", "spark_python_task": {"parameters": parameters}}]}
        return overridden(base, over)["tasks"][0]["spark_python_task"]["parameters"]

    assert of_task(["--universe", "SMALL"]) == ["--universe", "SMALL"]
    assert of_task([]) == []
    changed = overridden(base, {"parameters": [{"name": "q", "default": ""}, {"name": "p", "default": "2"}]})
    assert [(p["name"], p["default"]) for p in changed["parameters"][:2]] == [("p", "2"), ("q", "")]
    assert overridden(base, {"parameters": []})["parameters"][0]["name"] == "environment"
    assert "schedule" not in overridden({**base, "schedule": CRON}, {"schedule": None})
    assert overridden({**base, "tags": {"a": "1"}}, {"tags": {"a": ""}})["tags"] == {"a": ""}


def test_an_override_reaches_what_a_for_each_task_repeats() -> None:
    """And replaces its list."""
    inner = {"task_key": "i", "spark_python_task": {**FILE, "parameters": ["{{input}}"]}}
    base = task("for_each_task", inputs="[1]", task=inner)
    over = {"tasks": [{"task_key": "t", "for_each_task": {"task": {"spark_python_task": {"parameters": ["x"]}}}}]}
    found = overridden(base, over)["tasks"][0]["for_each_task"]
    assert (found["inputs"], found["task"]["spark_python_task"]["parameters"]) == ("[1]", ["x"])


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ({**MINIMAL, "taskz": 1}, ["workflows/0.yml", "line 6", "taskz", "unknown key", "did you mean tasks?"]),
        ({"name": "x", "tasks": [{"task_key": "a", "retries": 1}]}, ["tasks[0].retries", "did you mean max_retries?"]),
        ({**MINIMAL, "per_environment": {"prod": {}}}, ["prod", "quant_live"]),
        ({**MINIMAL, "per_environment": {"quant": "off"}}, ["per_environment.quant", "'off'", "keys of a job", "null"]),
        ({**MINIMAL, "per_environment": ["quant"]}, ["per_environment", "a list", "quant_live"]),
        (
            {**MINIMAL, "per_environment": {"quant_live": {"tasks": [{"task_key": "Compute", "max_retries": 3}]}}},
            ["per_environment.quant_live", "line 9", "'Compute' is of no kind"],
        ),
        ({"name": "x"}, ["workflows/0.yml", "tasks", "missing"]),
        ({**MINIMAL, "name": None}, ["name: missing"]),
        ({"name": "x", "tasks": [{"task_key": "a", "spark_python_task": {"python_file": "no.py"}}]}, ["no.py", "commit"]),
        (task("spark_python_task", python_file="a.py"), ["'a.py' is not in the commit", "Did you mean src/a.py?"]),
        (job({"depends_on": [{"task_key": "b"}]}), ["depends_on", "'b'"]),
        ("a: [", ["workflows/0.yml", "line 1", "cannot be read"]),
        ("name: a\ntasks: []\nname: b\n", ["workflows/0.yml", "line 3", "'name' stands twice"]),
        ("- 1", ["workflows/0.yml", "list"]),
        ("", ["workflows/0.yml", "found nothing"]),
        ({**MINIMAL, "parameters": [{"name": "snowflake_role", "default": "x"}]}, ["snowflake_role", "environment"]),
        ({**MINIMAL, "parameters": [{"name": "Secret_Scope", "default": "x"}]}, ["'Secret_Scope'", "environment"]),
        ({**MINIMAL, "run_as": {"user_name": "a@quant.example"}}, ["run_as: not kept", "quant:servicePrincipal"]),
        ({**MINIMAL, "permissions": []}, ["permissions: not kept", "docs/access.md"]),
        ({**MINIMAL, "git_source": {}}, ["git_source: not kept", "Git folder"]),
        ({**MINIMAL, "edit_mode": "EDITABLE"}, ["edit_mode: not kept", "locked"]),
        ({**MINIMAL, "parent_path": "/Workspace/x"}, ["parent_path: not kept"]),
        ({**MINIMAL, "description": 5}, ["description: found 5, expected text", 'quote it: "5"']),
    ],
)
def test_a_wrong_file_is_refused_with_file_line_key_and_what_is_right(file: Any, words: list[str]) -> None:
    """The message names file, line and key, and what would be right."""
    said = refusal(file)
    for word in ["workflows/0.yml", *words]:
        assert word in said, said


def test_a_long_list_is_cut_to_ten_and_the_count() -> None:
    """A beginner reads a screen."""
    said = refusal({**MINIMAL, **{f"key{number:02}": 1 for number in range(14)}})
    assert said.count("unknown key") == 10
    assert "and 4 more (14 in all)" in said


def test_two_workflows_with_one_name_are_refused() -> None:
    """Both files are named, whether the file's name or the job's is the same."""
    said = refusal(MINIMAL, MINIMAL)
    assert "workflows/0.yml" in said
    assert "workflows/1.yml" in said
    said = refused({"workflows/a.yml": MINIMAL, "workflows/a.yaml": {**MINIMAL, "name": "b"}})
    assert "the workflow is called 'a', as is the one of workflows/a.yaml" in said


def test_a_job_is_called_as_its_author_wrote_it() -> None:
    """Its logical name is its file's; blanks, brackets and other scripts stay."""
    for name in ("[prod] Täglicher Lauf: Σ/2 (v1.0) 📈", "c11 ", "a" * 300):
        [one] = reading({"workflows/team/nightly.yml": {**MINIMAL, "name": name}}).workflows
        assert (one.key, one.name) == ("team/nightly", name)


@pytest.mark.parametrize("name", ["a\nb", "a\u202eb", "a\u2028b", "\t", "  ", "a\x7fb", "", "x" * 5000])
def test_a_name_that_misleads_is_refused(name: str) -> None:
    """Line breaks, control characters, reversed text, nothing at all."""
    assert "name" in refusal({**MINIMAL, "name": name})


def test_jobs_api_names_reach_the_sdk() -> None:
    """Fields are written as the Jobs API has them; the plural spellings of the SDK never reach a user."""
    made = arguments(
        {
            "name": "x",
            "tasks": [{"task_key": "a", "depends_on": [{"task_key": "b"}]}],
            "email_notifications": {"on_failure": ["a@b.example"]},
        }
    )
    assert made["tasks"][0]["depends_ons"] == [{"task_key": "b"}]
    assert made["email_notifications"] == {"on_failures": ["a@b.example"]}
    wrong = fit({"tasks": [{"task_key": "a", "new_cluster": {"sparkversion": "1"}}]}, lenient=False)[1]
    assert wrong[0].text == "unknown key; did you mean spark_version?"


def test_webhooks_tasks_and_dependencies_are_in_the_order_in_which_the_provider_reads_them() -> None:
    """Any other would be a difference for ever; what a for-each task repeats stays as it is written."""
    hooks = {"on_failure": [{"id": "z"}, {"id": "a"}]}
    first = {"task_key": "b", "depends_on": [{"task_key": "z"}, {"task_key": "a"}], "webhook_notifications": hooks}
    [made] = expand(job(first, {"task_key": "z"}, {"task_key": "a"}, webhook_notifications=hooks))
    assert [one["task_key"] for one in made["tasks"]] == ["a", "b", "z"]
    assert made["tasks"][1]["depends_on"] == [{"task_key": "a"}, {"task_key": "z"}]
    for holder in (made, made["tasks"][1]):
        assert holder["webhook_notifications"]["on_failure"] == [{"id": "a"}, {"id": "z"}]


def test_a_workflow_runs_another_by_its_name() -> None:
    """In each environment its own: the id is known when the job is there. By file or by the job's name."""
    runs = task("run_job_task", job="factor_returns")
    for said in ("base", "factor_returns"):
        runs["tasks"][0]["run_job_task"] = {"job": said, "job_parameters": {"a": "b"}}
        found = reading({"workflows/base.yml": MINIMAL, "workflows/after.yml": runs}).workflows
        after = next(one for one in found if one.key == "after")
        assert after.runs == {"base"}
        assert after.job["tasks"][0]["run_job_task"] == {
            "job_parameters": {"a": "b"},
            "job_id": "${resources.jobs.base.id}",
        }


def test_workflows_that_run_each_other_in_a_circle_are_refused() -> None:
    """As are themselves, and names that are nearly right."""
    one, two = task("run_job_task", job="b"), {**task("run_job_task", job="a"), "name": "two"}
    said = refused({"workflows/a.yml": one, "workflows/b.yml": two})
    assert "in a circle" in said
    assert "in a circle: a -> a" in refused({"workflows/a.yml": task("run_job_task", job="a")})
    said = refused({"workflows/factors.yml": MINIMAL, "workflows/b.yml": {**two, **task("run_job_task", job="factor")}})
    assert "no workflow is called 'factor'; did you mean factors?" in said


@pytest.mark.parametrize("stack", list(Environment))
def test_two_hundred_workflows_are_read_in_a_moment(stack: str) -> None:
    """In a few times what it takes to parse them."""
    files = {f"workflows/w{number:03}.yml": {**MINIMAL, "name": f"w{number}"} for number in range(200)}
    texts = [yaml.safe_dump(file) for file in files.values()]
    assert len(reading(files, stack).workflows) == 200
    parsed = spent(lambda: [yaml.safe_load(text) for text in texts])
    assert spent(lambda: reading(files, stack)) < 10 * parsed
