"""What a file alone can tell is told before the branch moves: how the parts of a job fit, and what values may be."""

from __future__ import annotations

from typing import Any

import pytest

from infra.workflows.cron import cron_problem
from infra.workflows.values import bounds
from tests.workflows import FILE, MINIMAL, expand, job, refusal, task

CLUSTER = {"spark_version": "15.4.x-scala2.12", "node_type_id": "i3.xlarge", "num_workers": 1}
CRON = {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC"}
NOTEBOOK = {"notebook_path": "src/note"}


def cluster(**more: Any) -> dict[str, Any]:
    return job({"new_cluster": {**CLUSTER, **more}})


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (job({"depends_on": [{"task_key": "t1"}]}, {"depends_on": [{"task_key": "t0"}]}), ["circle: t0 -> t1 -> t0"]),
        (job({"depends_on": [{"task_key": "t0"}]}), ["tasks[0].depends_on[0].task_key", "'t0' depends on itself"]),
        (job({"task_key": "load"}, {"depends_on": [{"task_key": "laod"}]}), ["'laod'", "did you mean load?"]),
        (job({"depends_on": [{"task_key": "t1", "outcome": "true"}]}, {}), ["'t1' is no condition_task"]),
        (job({"job_cluster_key": "nope"}), ["tasks[0].job_cluster_key", "'nope' is not in job_clusters"]),
        (
            job({"job_cluster_key": "man"}, job_clusters=[{"job_cluster_key": "main", "new_cluster": CLUSTER}]),
            ["did you mean main?"],
        ),
        (job({"environment_key": "nope"}), ["tasks[0].environment_key", "'nope' is not in environments"]),
        ({"name": "x", "tasks": [{"task_key": "a"}]}, ["'a' is of no kind", "notebook_task"]),
        (job({"notebook_task": NOTEBOOK}), ["of 2 kinds (notebook_task, spark_python_task)"]),
        (task("for_each_task", inputs="[1]", task={"task_key": "i"}), ["for_each_task.task", "of no kind"]),
        (
            task("for_each_task", inputs="[1]", task={"task_key": "i", "spark_python_task": FILE, "environment_key": "e"}),
            ["for_each_task.task.environment_key", "'e'"],
        ),
        (job({}, {"task_key": "t0"}), ["'t0' stands twice"]),
        (job({"task_key": "with space"}), ["'with space'", "letters, digits"]),
        (job({"existing_cluster_id": "x", "new_cluster": CLUSTER}), ["stands beside existing_cluster_id"]),
        (job(schedule=CRON, continuous={}), ["stands beside continuous", "one of"]),
        (job(schedule=CRON, trigger={"periodic": {"interval": 1, "unit": "DAYS"}}), ["stands beside schedule"]),
        (job(trigger={}), ["trigger: found none", "file_arrival, periodic, table_update"]),
        (job(trigger={"model": {"condition": "MODEL_CREATED"}}), ["trigger: found model"]),
        (job(schedule={**CRON, "pause_status": "paused"}), ["pause_status", "did you mean PAUSED?"]),
        (job(continuous={"pause_status": "OFF"}), ["continuous.pause_status", "allowed are PAUSED, UNPAUSED"]),
        (job(schedule={**CRON, "quartz_cron_expression": "0 6 * * 1-5"}), ["five fields of crontab", "MON-FRI"]),
        (job(schedule={**CRON, "timezone_id": "Europe/Londn"}), ["no time zone", "did you mean Europe/London?"]),
        (job({"run_if": "ALL_DON"}), ["run_if", "did you mean ALL_DONE?"]),
        (task("condition_task", left="1", right="1", op="EQUALS"), ["op", "EQUAL_TO"]),
        (job({"spark_python_task": {**FILE, "source": "WORKSPAC"}}), ["source", "did you mean WORKSPACE?"]),
        (
            job(health={"rules": [{"metric": "RUN_DURATION", "op": "GREATER_THAN", "value": 1}]}),
            ["metric", "RUN_DURATION_SECONDS"],
        ),
        (job(timeout_seconds=2**70), ["timeout_seconds", "0 to 2147483647"]),
        (job(timeout_seconds=-1), ["timeout_seconds", "found -1"]),
        (job(max_concurrent_runs=1001), ["max_concurrent_runs", "0 to 1000"]),
        (job({"max_retries": -2}), ["max_retries", "-1 to"]),
        (
            task("for_each_task", inputs="[1]", concurrency=101, task={"task_key": "i", "spark_python_task": FILE}),
            ["1 to 100"],
        ),
        (job(trigger={"periodic": {"interval": 0, "unit": "DAYS"}}), ["interval", "found 0"]),
        (task("run_job_task", job_id=2**53), ["job_id", "9007199254740991"]),
        (
            cluster(autoscale={"min_workers": 4, "max_workers": 2}),
            ["num_workers: stands beside autoscale", "more than max_workers"],
        ),
        (cluster(aws_attributes={}, azure_attributes={}), ["azure_attributes: stands beside aws_attributes"]),
        (job(*({} for _ in range(1001))), ["tasks: found 1001, at most 1000"]),
        (job(tags={str(number): "" for number in range(26)}), ["tags: found 26, at most 25"]),
        (job(parameters=[{"name": "a", "default": "1"}, {"name": "a", "default": "2"}]), ["'a' stands twice"]),
        (job(parameters=[{"name": "a b", "default": "1"}]), ["parameters[0].name", "'a b'"]),
        (job(description="x" * 30_000), ["description", "at most 27700"]),
        (task("notebook_task", notebook_path=""), ["notebook_path", "empty text"]),
        (task("notebook_task", notebook_path="src/both"), ["two files that become one notebook", "src/both.ipynb"]),
        (task("notebook_task", notebook_path="src/both.py"), ["two files that become one notebook"]),
        (job(tasks=[]), ["tasks: missing"]),
        (job(queue={}), ["queue.enabled: missing"]),
        (job(triggers=[{"schedule": CRON}]), ["triggers", "provider", "does not know this field yet"]),
        (job(duration_target="x"), ["duration_target", "does not know this field yet"]),
        (job(email_notifications={"on_maintenance_start": ["a@quant.example"]}), ["does not know this field yet"]),
    ],
)
def test_what_the_file_alone_can_tell_is_told(file: dict[str, Any], words: list[str]) -> None:
    """With its way and the right word."""
    said = refusal(file)
    for word in words:
        assert word in said, said


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (job(max_concurrent_runs=0), ["max_concurrent_runs: found 0", "Databricks then takes 1"]),
        (cluster(workload_type={"clients": {"notebooks": False, "jobs": True}}), ["notebooks: found false", "takes true"]),
        (cluster(num_workers=None, autoscale={"min_workers": 0, "max_workers": 2}), ["min_workers: found 0"]),
        (task("spark_jar_task", main_class_name="x", run_as_repl=False), ["run_as_repl: found false"]),
        (cluster(gcp_attributes={"local_ssd_count": 0}), ["local_ssd_count: found 0"]),
        (
            task(
                "for_each_task",
                inputs="[1]",
                task={"task_key": "i", "spark_python_task": FILE, "new_cluster": {**CLUSTER, "num_workers": 0}},
            ),
            ["num_workers: found 0", "job_cluster_key"],
        ),
    ],
)
def test_a_value_that_the_provider_does_not_send_is_refused_with_the_reason(file: dict[str, Any], words: list[str]) -> None:
    """Where Databricks would take another one; nothing is silently different."""
    said = refusal(file)
    for word in [*words, "provider does not send"]:
        assert word in said, said


def test_zero_and_false_are_kept_where_they_are_the_default_or_sent() -> None:
    """Sample jobs say max_retries: 0."""
    one = expand(
        job({"max_retries": 0, "timeout_seconds": 0, "new_cluster": {**CLUSTER, "num_workers": 0}}, queue={"enabled": False})
    )[0]
    assert one["tasks"][0]["max_retries"] == 0
    assert one["tasks"][0]["new_cluster"]["num_workers"] == 0
    assert one["queue"] == {"enabled": False}
    assert bounds("max_concurrent_runs", "Job") == (1, 1000)
    assert bounds("max_retries", "JobTask") == (-1, 2**31 - 1)


@pytest.mark.parametrize(
    "expression",
    [
        "0 0 6 ? * MON-FRI",
        "0 30 18 L * ?",
        "0 0/15 8-18 * * ? 2026-2030",
        "0 0 12 ? * 6#3",
        "0 0 12 1W,15 JAN,jul ?",
        "1,2 */5 0 ? * 6L",
    ],
)
def test_quartz_expressions_are_right(expression: str) -> None:
    """Names, steps, ranges, last days, the third Friday."""
    assert cron_problem(expression) is None


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * * *",
        "0 0 6 * * *",
        "0 0 6 ? * ?",
        "60 0 6 * * ?",
        "0 0 24 * * ?",
        "0 0 6 32 * ?",
        "0 0 6 ? 13 MON",
        "0 0 6 ? * MON-",
        "0 0/0 6 * * ?",
        "0 0 6 ? * MO",
        "0 0 6 * * ? 1 2",
    ],
)
def test_other_expressions_are_not(expression: str) -> None:
    """Five fields, both days said, values that there are not."""
    assert cron_problem(expression)


def test_every_environments_change_is_checked_in_every_environment() -> None:
    """A mistake is told long before it gets to production: types, rules and paths."""
    for change in (
        {"timeout_seconds": "x"},
        {"max_concurrent_runs": 0},
        {
            "tasks": [
                {"task_key": "compute", "spark_python_task": {"python_file": "/Workspace/Users/dana@quant.example/a.py"}}
            ]
        },
    ):
        said = refusal({**MINIMAL, "per_environment": {"quant_live": change}}, stack="quant")
        assert "per_environment.quant_live" in said
