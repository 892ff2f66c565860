"""The local SDK: what it registers is what the packages register."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pulumi
import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks

from infra.sdk import databricks, generate, snowflake
from tests.paths import ROOT

_JOB: dict[str, Any] = {
    "name": "nightly",
    "tags": {"cost_center": "a_b"},
    "max_concurrent_runs": 1,
    "schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"},
    "tasks": [
        {
            "task_key": "first_task",
            "notebook_task": {"notebook_path": "a", "base_parameters": {"run_date": "today"}},
            "new_cluster": {
                "num_workers": 1,
                "spark_version": "x",
                "spark_conf": {"spark.a_b": "c"},
                "custom_tags": {"a_b": "c"},
            },
        },
        {
            "task_key": "second",
            "depends_ons": [{"task_key": "first_task"}],
            "sql_task": {"warehouse_id": "w", "parameters": {"as_of": "d"}, "file": {"path": "q.sql"}},
        },
        {"task_key": "third", "run_job_task": {"job_id": 1, "job_parameters": {"as_of": "d"}}},
        {"task_key": "fourth", "spark_python_task": {"python_file": "a.py", "parameters": ["a_b"]}},
    ],
    "parameters": [{"name": "as_of", "default": "x"}],
    "email_notifications": {"on_failures": ["a_b@example.com"]},
    "health": {"rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 60}]},
}
_DECLARED: dict[str, dict[str, Any]] = {
    "databricks.Job": _JOB,
    "databricks.Directory": {"path": "/a"},
    "databricks.GitCredential": {
        "git_provider": "gitLab",
        "git_username": "u",
        "personal_access_token": "t",
        "principal_id": "1",
    },
    "databricks.Group": {"display_name": "g"},
    "databricks.Permissions": {"job_id": "1", "access_controls": [{"group_name": "g", "permission_level": "CAN_VIEW"}]},
    "databricks.Repo": {"url": "u", "git_provider": "gitLab", "path": "/a", "branch": "b", "commit_hash": "c"},
    "databricks.SecretAcl": {"scope": "s", "principal": "p", "permission": "READ"},
    "databricks.SecretScope": {"name": "s"},
    "snowflake.AccountRole": {"name": "R"},
    "snowflake.DatabaseRole": {"database": "D", "name": "R"},
    "snowflake.GrantAccountRole": {"role_name": "R", "user_name": "U"},
    "snowflake.GrantDatabaseRole": {"database_role_name": "R", "parent_role_name": "P"},
    "snowflake.GrantPrivilegesToAccountRole": {
        "account_role_name": "R",
        "privileges": ["USAGE"],
        "on_account_object": {"object_type": "WAREHOUSE", "object_name": "W"},
    },
    "snowflake.GrantPrivilegesToDatabaseRole": {
        "database_role_name": "R",
        "privileges": ["SELECT"],
        "on_schema_object": {"future": {"object_type_plural": "TABLES", "in_schema": "S"}},
    },
    "snowflake.NetworkPolicy": {"name": "N", "allowed_ip_lists": ["10.0.0.0/8"]},
    "snowflake.ResourceMonitor": {"name": "M", "credit_quota": 1, "notify_triggers": [80], "suspend_trigger": 100},
    "snowflake.Schema": {"database": "D", "name": "S", "with_managed_access": "true", "data_retention_time_in_days": 1},
    "snowflake.ServiceUser": {"name": "U", "rsa_public_key": "a", "rsa_public_key2": "b", "default_role": "R"},
    "snowflake.Warehouse": {"name": "W", "warehouse_size": "XSMALL", "auto_resume": "true", "initially_suspended": True},
}


class Mocks(mocks.Mocks):
    """An engine that takes everything."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return "1", args.inputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], None]:
        return {}, None


def test_what_is_registered_is_what_the_packages_register(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each resource, declared by its package and by the local SDK: one request, with the same secrets and version."""
    import pulumi_databricks
    import pulumi_snowflake

    sent: dict[str, Any] = {}
    answer = mocks.MockMonitor.RegisterResource

    def record(self: Any, request: Any) -> Any:
        told = MessageToDict(request)
        sent[request.name] = {key: told.get(key) for key in ("type", "object", "version", "additionalSecretOutputs")}
        return answer(self, request)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(mocks.MockMonitor, "RegisterResource", record)
    mocks.set_mocks(Mocks())
    whole = {"databricks": pulumi_databricks, "snowflake": pulumi_snowflake}
    ours = {"databricks": databricks, "snowflake": snowflake}

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def declare() -> None:
        for place, given in _DECLARED.items():
            package, name = place.split(".")
            getattr(whole[package], name)(f"theirs {place}", **given)
            getattr(ours[package], name)(f"ours {place}", **given)

    declare()
    for place in _DECLARED:
        assert sent[f"ours {place}"] == sent[f"theirs {place}"], place
    assert {f"{package}.{name}" for package, found in generate.RESOURCES.items() for name in found} == set(_DECLARED)


@pytest.mark.parametrize("package", ["databricks", "snowflake"])
def test_the_local_sdk_is_that_of_the_pinned_packages(package: str) -> None:
    """After another version was pinned, `make sdk` writes another file; until then this fails."""
    assert (ROOT / "infra" / "sdk" / f"{package}.py").read_text() == generate.text(package), "run `make sdk`"


def test_the_program_loads_neither_package() -> None:
    """Each is seconds of every preview."""
    code = "import sys, infra.environment; print([n for n in sys.modules if n[:11] in ('pulumi_data', 'pulumi_snow')])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
