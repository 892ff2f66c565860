"""What somebody set on a job by hand and nobody declared is found; what the product fills in is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from quantctl.drift.by_hand import by_hand, undeclared
from quantctl.drift.steps import Refresh, Step

_DECLARED: dict[str, Any] = {
    "__defaults": ["format"],
    "name": "quant nightly",
    "tags": {"team": "quant"},
    "schedule": {"quartzCronExpression": "0 0 6 * * ?", "timezoneId": "UTC"},
    "emailNotifications": {"onFailures": ["a@quant.example"]},
    "tasks": [
        {
            "taskKey": "b",
            "dependsOns": [{"taskKey": "a"}],
            "notebookTask": {"notebookPath": "n", "baseParameters": {"p_q": "1"}},
        },
        {"taskKey": "a", "sparkPythonTask": {"pythonFile": "a.py"}},
    ],
}


def real(**changed: Any) -> dict[str, Any]:
    """The job as the product answers it, with everything that it fills in."""
    nothing: dict[str, Any] = {
        "email_notifications": {},
        "webhook_notifications": {},
        "timeout_seconds": 0,
        "max_retries": 0,
    }
    return {
        "name": "quant nightly",
        "tags": {"team": "quant"},
        "schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC", "pause_status": "UNPAUSED"},
        "email_notifications": {"on_failure": ["a@quant.example"], "no_alert_for_skipped_runs": False},
        "webhook_notifications": {},
        "notification_settings": {"no_alert_for_skipped_runs": False},
        "timeout_seconds": 0,
        "max_concurrent_runs": 1,
        "format": "MULTI_TASK",
        "queue": {"enabled": True},
        "edit_mode": "UI_LOCKED",
        "performance_target": "PERFORMANCE_OPTIMIZED",
        "tasks": [
            {"task_key": "a", "run_if": "ALL_SUCCESS", "spark_python_task": {"python_file": "a.py", "source": "WORKSPACE"}}
            | nothing,
            {
                "task_key": "b",
                "run_if": "ALL_SUCCESS",
                "depends_on": [{"task_key": "a"}],
                "notebook_task": {"notebook_path": "n", "base_parameters": {"p_q": "1"}, "source": "WORKSPACE"},
                **nothing,
            },
        ],
        **changed,
    }


def test_what_the_product_fills_in_is_not_told() -> None:
    """A job as it was deployed has nothing by hand."""
    assert list(undeclared(_DECLARED, real())) == []


def _task(**changed: Any) -> dict[str, Any]:
    tasks = real()["tasks"]
    return real(tasks=[tasks[0], tasks[1] | changed])


@pytest.mark.parametrize(
    "settings, expected",
    [
        (real(description="by hand"), [("description", "by hand")]),
        (real(tags={"team": "quant", "owner": "me"}), [("tags.owner", "me")]),
        (real(timeout_seconds=60), [("timeout_seconds", 60)]),
        (real(max_concurrent_runs=4), [("max_concurrent_runs", 4)]),
        (real(queue={"enabled": True}, budget_policy_id="b"), [("budget_policy_id", "b")]),
        (real(webhook_notifications={"on_failure": [{"id": "w"}]}), [("webhook_notifications.on_failure", [{"id": "w"}])]),
        (real(health={"rules": [{"metric": "m", "op": "o", "value": 1}]}), [
            ("health.rules", [{"metric": "m", "op": "o", "value": 1}])]),
        (real(notification_settings={"no_alert_for_skipped_runs": True}), [
            ("notification_settings.no_alert_for_skipped_runs", True)]),
        (_task(description="d"), [("tasks[1].description", "d")]),
        (_task(run_if="ALL_DONE"), [("tasks[1].run_if", "ALL_DONE")]),
        (_task(max_retries=3), [("tasks[1].max_retries", 3)]),
        (_task(disabled=True), [("tasks[1].disabled", True)]),
        (_task(notebook_task={"notebook_path": "n", "base_parameters": {"p_q": "1", "x": "2"}}), [
            ("tasks[1].notebook_task.base_parameters.x", "2")]),
    ],
)  # fmt: skip
def test_what_was_set_by_hand_is_told(settings: dict[str, Any], expected: list[tuple[str, Any]]) -> None:
    """With the way to it and its value."""
    assert list(undeclared(_DECLARED, settings)) == expected


@pytest.mark.parametrize("changed", [{"name": "another"}, {"tags": {"team": "x"}}, {"schedule": None}, {"tasks": []}])
def test_what_was_declared_is_the_engines_to_see(changed: dict[str, Any]) -> None:
    """A declared setting that differs is told once, by the engine."""
    assert list(undeclared(_DECLARED, real(**changed))) == []


def test_what_the_engine_has_told_is_not_told_twice() -> None:
    """A tag beside declared ones is read back by the provider."""
    urn = "urn:pulumi:quant::quant::quant:index:Environment$databricks:index/job:Job::nightly"
    step = Step(urn, _DECLARED, {"id": "1", "name": "quant nightly"}, {"tags": {}})
    jobs = [{"job_id": 1, "settings": real(tags={"team": "quant", "owner": "me"}, max_concurrent_runs=4)}]
    [tag, runs] = sorted(by_hand("quant", Refresh((step,)), jobs), key=lambda one: one.property, reverse=True)
    assert (tag.property, runs.property) == ("tags.owner", "max_concurrent_runs")
    told = replace(runs, property="maxConcurrentRuns")
    assert by_hand("quant", Refresh((step,)), jobs, [tag, told]) == []
