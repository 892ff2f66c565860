"""What an update really does to jobs: names that were taken, mail that is taken out, jobs that run jobs."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from infra.databricks.as_written import put_right, says
from infra.databricks.jobs import in_order, logical_names
from infra.workflows import Workflow
from tests.conftest import Team

STACK = "quant_stg"
FILE = {"python_file": "src/positions_snapshot.py"}


def workflow(key: str, name: str, *runs: str) -> Workflow:
    return Workflow(key, f"workflows/{key}.yml", {"name": name}, frozenset(runs))


def test_a_taken_name_is_an_alias_and_nobody_becomes_anothers_job() -> None:
    """The logical name is the file's; where files and names cross, both stay what they were."""
    assert logical_names([workflow("a", "a")]) == {"a": ["a"]}
    assert logical_names([workflow("a", "was b")]) == {"a": ["a", "was b"]}
    assert logical_names([workflow("a", "[dev] b: ü")]) == {"a": ["a"]}
    crossed = logical_names([workflow("a", "b"), workflow("b", "a"), workflow("c", "c")])
    assert crossed == {"a": ["b"], "b": ["a"], "c": ["c"]}
    chained = logical_names([workflow("x", "y"), workflow("y", "z")])
    assert {key: names[0] for key, names in chained.items()} == {"x": "y", "y": "z"}
    used = [names[0] for names in chained.values()]
    assert not any(set(names[1:]) & set(used) for names in chained.values())


def test_what_is_run_is_declared_first() -> None:
    """Its id is an input of what runs it."""
    found = in_order([workflow("a", "a", "b"), workflow("b", "b", "c"), workflow("c", "c")])
    assert [one.key for one in found] == ["c", "b", "a"]


def test_what_a_definition_no_longer_says_is_taken_out() -> None:
    """At the job, its tasks, what a for-each task repeats and its clusters; what is right is not sent."""
    mails = {"on_failure": [""], "on_start": ["a@quant.example", ""], "no_alert_for_skipped_runs": True}
    wanted = {"on_start": ["a@quant.example"]}
    cluster = {"spark_version": "15", "aws_attributes": {"first_on_demand": 1}, "data_security_mode": "SINGLE_USER"}
    there = {
        "name": "x",
        "email_notifications": mails,
        "tasks": [
            {"task_key": "a", "spark_python_task": {"parameters": ["x"]}, "email_notifications": {}},
            {"task_key": "b", "email_notifications": mails, "retry_on_timeout": True, "timeout_seconds": 5},
            {"task_key": "c", "for_each_task": {"inputs": "[]", "task": {"task_key": "i", "retry_on_timeout": True}}},
            {"task_key": "d", "retry_on_timeout": True, "new_cluster": cluster},
        ],
        "job_clusters": [{"job_cluster_key": "k", "new_cluster": cluster}, {"job_cluster_key": "l", "new_cluster": cluster}],
    }
    written = {
        "email_notifications": wanted,
        "tasks": [
            {"task_key": "a", "spark_python_task": {"parameters": ["x"]}},
            {"task_key": "b", "email_notifications": {"on_failure": []}},
            {"task_key": "c", "for_each_task": {"inputs": "[]", "task": {"task_key": "i"}}},
            {"task_key": "d", "retry_on_timeout": True, "new_cluster": cluster},
        ],
        "job_clusters": [
            {"job_cluster_key": "k", "new_cluster": {"spark_version": "15"}},
            {"job_cluster_key": "l", "new_cluster": cluster},
        ],
    }
    assert put_right(there, written) == {
        "email_notifications": wanted,
        "tasks": [
            {"task_key": "b", "email_notifications": {}, "timeout_seconds": 5},
            {"task_key": "c", "for_each_task": {"inputs": "[]", "task": {"task_key": "i"}}},
        ],
        "job_clusters": [{"job_cluster_key": "k", "new_cluster": {"spark_version": "15"}}],
    }
    assert put_right(written, written) == {}


def test_a_job_says_what_is_written_whatever_the_workspace_adds_or_orders() -> None:
    """Defaults, an order of tasks by key and the ids of other jobs are no change that was not made."""
    written: dict[str, Any] = {
        "timeout_seconds": 5,
        "tags": {},
        "tasks": [{"task_key": "b", "run_job_task": {"job_id": "${resources.jobs.x.id}"}}, {"task_key": "a"}],
    }
    there: dict[str, Any] = {
        "name": "n",
        "timeout_seconds": 5,
        "tasks": [{"task_key": "a", "timeout_seconds": 0}, {"task_key": "b", "run_job_task": {"job_id": 7}}],
    }
    assert says(there, written)
    assert not says({**there, "timeout_seconds": 6}, written)
    assert not says({**there, "tasks": there["tasks"][:1]}, written)
    assert not says(there, {**written, "schedule": {"quartz_cron_expression": "0 0 6 * * ?"}})


def put(team: Team, message: str, **files: dict[str, Any] | None) -> None:
    team.git("fetch", "-q", "origin")
    team.git("checkout", "-q", "-B", "work", f"origin/{STACK}")
    for name, content in files.items():
        path = team.clone / "workflows" / f"{name}.yml"
        if content is None:
            path.unlink()
        else:
            path.write_text(yaml.safe_dump(content, sort_keys=False))
    team.git("add", "-A")
    team.git("commit", "-q", "-m", message)
    team.git("push", "-q", "origin", f"HEAD:refs/heads/{STACK}")


@pytest.mark.real
def test_what_is_taken_out_is_gone_and_names_stay(team: Team) -> None:
    """Neither an empty address on the job nor a difference afterwards; a file that is renamed by its job keeps the job."""
    before = team.head(STACK)
    task = {"task_key": "t", "spark_python_task": FILE}
    cluster = {"spark_version": "15.4.x-scala2.12", "node_type_id": "x", "num_workers": 1}
    more = {"retry_on_timeout": True, "new_cluster": {**cluster, "aws_attributes": {"first_on_demand": 1}}}
    mails = {"email_notifications": {"on_failure": ["a@quant.example"], "on_start": ["b@quant.example", "c@quant.example"]}}
    hooks = {"webhook_notifications": {"on_failure": [{"id": "z"}, {"id": "a"}]}}
    client = team.workspace("deployer")

    def ids() -> dict[str, str]:
        found: dict[str, str] = json.loads(team.pulumi("stack", "output", "jobs", "--json", "-s", STACK).stdout)
        return found

    try:
        runs = {"name": "after it", "tasks": [{"task_key": "t", "run_job_task": {"job": "mailing"}}]}
        put(team, "Mail", mailing={"name": "mailing", "tasks": [{**task, **mails, **more}], **mails, **hooks}, after=runs)
        team.up(STACK)
        first = ids()
        job = client.jobs.get(int(first["mailing"])).settings
        assert job and job.email_notifications and job.email_notifications.on_failure == ["a@quant.example"]
        after = client.jobs.get(int(first["after"])).settings
        assert after and after.tasks and after.tasks[0].run_job_task
        assert after.tasks[0].run_job_task.job_id == int(first["mailing"])

        put(team, "No mail", mailing={"name": "Mailing: no more", "tasks": [{**task, "new_cluster": cluster}]})
        team.up(STACK)
        assert ids() == first
        job = client.jobs.get(int(first["mailing"])).settings
        assert job and job.name == f"{STACK} Mailing: no more"
        assert not (job.email_notifications and job.email_notifications.as_dict())
        assert job.tasks and not (job.tasks[0].email_notifications and job.tasks[0].email_notifications.as_dict())
        left = job.tasks[0].as_dict()
        assert "retry_on_timeout" not in left
        assert "first_on_demand" not in left["new_cluster"].get("aws_attributes", {})  # what the product fills in stays
        for command in (["preview"], ["refresh", "--preview-only"]):
            clean = team.pulumi(*command, "--diff", "-s", STACK, "--expect-no-changes")
            assert clean.returncode == 0, clean.stdout

        # The file is renamed; the job's name was its logical name once, and the job stays.
        put(team, "A new file", mailing=None, letters={"name": "mailing", "tasks": [task]}, after={**runs, "name": "after"})
        assert set(team.changes(STACK)) == {"update"}
    finally:
        restored = team.git("commit-tree", f"{before}^{{tree}}", "-p", f"origin/{STACK}", "-m", "Take them back")
        team.git("push", "-q", "origin", f"{restored}:refs/heads/{STACK}")
        team.up(STACK)
