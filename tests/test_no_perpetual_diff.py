"""Thirty jobs with all that the Jobs API has, some thirty grants: a second up changes nothing, nor does a refresh."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from infra.vocabulary import ReadableKind
from tests.conftest import Team

pytestmark = pytest.mark.real
STACK = "quant_stg"

CLUSTER = {
    "spark_version": "15.4.x-scala2.12",
    "node_type_id": "i3.xlarge",
    "num_workers": 2,
    "custom_tags": {"Team": "quant", "cost": "1"},
    "spark_conf": {"spark.sql.shuffle.partitions": "8"},
    "spark_env_vars": {"B": "2", "A": "1"},
}
FILE = {"python_file": "src/positions_snapshot.py"}
# What one job adds to a plain one; each line is a job.
JOBS: list[dict[str, Any]] = [
    {"tasks": [{"task_key": key, "spark_python_task": FILE} for key in ("zebra", "alpha", "Mid_1")]},
    {"job_clusters": [{"job_cluster_key": "main", "new_cluster": CLUSTER}]},
    {
        "tasks": [
            {"task_key": "a", "spark_python_task": FILE, "new_cluster": CLUSTER, "libraries": [{"pypi": {"package": "x"}}]}
        ]
    },
    {"environments": [{"environment_key": "e", "spec": {"client": "2", "dependencies": ["b", "a"]}}]},
    {"parameters": [{"name": "z", "default": "1"}, {"name": "a", "default": ""}]},
    {"schedule": {"quartz_cron_expression": "0 0 6 ? * MON-FRI", "timezone_id": "Europe/London"}},
    {"schedule": {"quartz_cron_expression": "0 0 7 * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"}},
    {"trigger": {"file_arrival": {"url": "/Volumes/main/in/", "min_time_between_triggers_seconds": 60}}},
    {"trigger": {"periodic": {"interval": 2, "unit": "HOURS"}}},
    {"continuous": {"pause_status": "UNPAUSED"}},
    {"queue": {"enabled": False}},
    {"max_concurrent_runs": 3},
    {"timeout_seconds": 0},
    {"health": {"rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 600}]}},
    {
        "email_notifications": {
            "on_failure": ["b@quant.example", "a@quant.example"],
            "on_start": ["c@quant.example"],
            "no_alert_for_skipped_runs": True,
        }
    },
    {"webhook_notifications": {"on_failure": [{"id": "hook-1"}], "on_success": [{"id": "hook-3"}, {"id": "hook-2"}]}},
    {"notification_settings": {"no_alert_for_canceled_runs": True}},
    {"tags": {"Team": "quant", "a": "", "UPPER": "Case"}},
    {"description": "Ünïcode, “quotes” and a\nsecond line"},
    {"performance_target": "PERFORMANCE_OPTIMIZED"},
    {
        "tasks": [
            {"task_key": "a", "notebook_task": {"notebook_path": "src/risk_model", "base_parameters": {"b": "2", "a": "1"}}}
        ]
    },
    {
        "tasks": [
            {
                "task_key": "check",
                "condition_task": {"op": "EQUAL_TO", "left": "{{job.parameters.environment}}", "right": "x"},
            },
            {
                "task_key": "after",
                "depends_on": [{"task_key": "check", "outcome": "true"}],
                "spark_python_task": FILE,
                "run_if": "ALL_DONE",
            },
        ]
    },
    {
        "tasks": [
            {
                "task_key": "each",
                "for_each_task": {
                    "inputs": "[1, 2, 3]",
                    "concurrency": 2,
                    "task": {"task_key": "one", "spark_python_task": {**FILE, "parameters": ["{{input}}"]}},
                },
            }
        ]
    },
    {
        "tasks": [
            {
                "task_key": "a",
                "spark_python_task": FILE,
                "max_retries": 2,
                "min_retry_interval_millis": 60000,
                "retry_on_timeout": True,
                "timeout_seconds": 60,
            }
        ]
    },
    {
        "tasks": [
            {"task_key": "a", "spark_python_task": FILE, "email_notifications": {"on_success": ["a@quant.example"]}},
            {"task_key": "b", "spark_python_task": FILE, "health": {"rules": []}, "depends_on": [{"task_key": "a"}]},
        ]
    },
    {"tasks": [{"task_key": "a", "python_wheel_task": {"package_name": "p", "entry_point": "main", "parameters": ["x"]}}]},
    {
        "tasks": [
            {"task_key": "a", "sql_task": {"warehouse_id": "w1", "query": {"query_id": "q1"}, "parameters": {"p": "1"}}}
        ]
    },
    {"tasks": [{"task_key": "a", "spark_jar_task": {"main_class_name": "x.Y", "parameters": ["1"]}}]},
    {"tasks": [{"task_key": "a", "pipeline_task": {"pipeline_id": "p1", "full_refresh": True}}]},
    {"tasks": [{"task_key": "a", "run_job_task": {"job_id": 1, "job_parameters": {"b": "2", "a": "1"}}}]},
]

ALLOWED = {"mailDomains": ["quant.example"], "queries": ["q1"], "pipelines": ["p1"], "jobs": ["1"]}


def test_no_difference_is_left(team: Team) -> None:
    """Order, case, defaults and spelling come back as they were declared; a promotion of code changes the folder alone."""
    before = team.head(STACK)
    team.git("checkout", "-q", "-B", "work", before)
    for number, more in enumerate(JOBS):
        plain = {"tasks": [{"task_key": "a", "spark_python_task": FILE}]}
        job = {"name": f"job_{number:02}", **plain, **more}
        (team.clone / "workflows" / f"job_{number:02}.yml").write_text(yaml.safe_dump(job, sort_keys=False))
    team.git("add", "-A")
    team.git("commit", "-q", "-m", "Thirty jobs")
    team.git("push", "-q", "origin", f"HEAD:refs/heads/{STACK}")
    try:
        config = ["--config-file", team.config(STACK, allowed=ALLOWED, alsoReadable=[kind.value for kind in ReadableKind])]
        done = team.pulumi("up", "--yes", "--skip-preview", "-s", STACK, *config)
        assert done.returncode == 0, done.stdout
        for command in (["up", "--skip-preview", "--yes"], ["refresh", "--preview-only"]):
            done = team.pulumi(*command, "--diff", "-s", STACK, "--expect-no-changes", *config)
            assert done.returncode == 0, done.stdout
        team.commit(STACK, "src/positions_snapshot.py", "print('again')\n", "Change code only")
        assert team.changes(STACK, *config) == {"update": ["databricks:index/repo:Repo::folder"]}
    finally:
        restored = team.git("commit-tree", f"{before}^{{tree}}", "-p", "HEAD", "-m", "Take them back")
        team.git("push", "-q", "origin", f"{restored}:refs/heads/{STACK}")
        team.up(STACK)
