"""What the plugin of our build answers itself is what the provider in it answers: asked both ways, change by change."""

from __future__ import annotations

import copy
import itertools
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from infra.sdk.base import wire
from infra.workflows.format import arguments
from quantctl.engine.diffs import EVERY
from tests import provider_plugin
from tests.provider_plugin import Json, Plugin
from tests.workspace_sandbox import ADMIN, PRINCIPAL, Workspace
from toolchain import cache

pytest_plugins = ["tests.workspace_sandbox"]
pytestmark = pytest.mark.real

_URN = "urn:pulumi:quant::quant::quant:index:Environment$quant:databricks:Jobs$databricks:index/{kind}::{name}"
_NOTEBOOK = {"notebook_path": "/Workspace/quant/notebook", "base_parameters": {"run_date": "today"}}
_CLUSTER = {
    "spark_version": "15.4.x-scala2.12",
    "node_type_id": "m5.large",
    "num_workers": 2,
    "spark_conf": {"spark.speculation": "true"},
    "spark_env_vars": {"MODE": "test"},
    "custom_tags": {"team": "quant"},
}
# Workflows of different make, as the Jobs API spells them (tasks in its order); each is deployed and then taken for a state.
JOBS: dict[str, Json] = {
    "serverless": {
        "parameters": [{"name": "as_of", "default": "x"}, {"name": "mode", "default": ""}],
        "schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"},
        "timeout_seconds": 3600,
        "tags": {"cost_center": "a_b"},
        "queue": {"enabled": True},
        "health": {"rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 60}]},
        "email_notifications": {"on_failure": ["dana@quant.example"], "no_alert_for_skipped_runs": True},
        "webhook_notifications": {"on_failure": [{"id": "w1"}]},
        "notification_settings": {"no_alert_for_canceled_runs": True},
        "tasks": [
            {"task_key": "first", "spark_python_task": {"python_file": "a.py"}, "environment_key": "default"},
            {
                "task_key": "second",
                "depends_on": [{"task_key": "first"}],
                "run_if": "ALL_DONE",
                "max_retries": 2,
                "spark_python_task": {"python_file": "a.py", "parameters": ["x", "y"]},
                "environment_key": "default",
            },
        ],
        "environments": [{"environment_key": "default", "spec": {"client": "3", "dependencies": ["numpy", "pandas"]}}],
    },
    "clusters": {
        "max_concurrent_runs": 3,
        "job_clusters": [{"job_cluster_key": "shared", "new_cluster": _CLUSTER}],
        "tasks": [
            {
                "task_key": "a_own",
                "notebook_task": _NOTEBOOK,
                "new_cluster": _CLUSTER,
                "libraries": [{"pypi": {"package": "numpy"}}],
            },
            {"task_key": "b_shared", "notebook_task": _NOTEBOOK, "job_cluster_key": "shared"},
        ],
    },
    "loops": {
        "continuous": {"pause_status": "PAUSED"},
        "tasks": [
            {"task_key": "a_asks", "condition_task": {"op": "EQUAL_TO", "left": "1", "right": "1"}},
            {
                "task_key": "c_loops",
                "depends_on": [{"task_key": "a_asks", "outcome": "true"}],
                "for_each_task": {
                    "inputs": "[1, 2]",
                    "concurrency": 2,
                    "task": {"task_key": "inner", "notebook_task": _NOTEBOOK},
                },
            },
            {
                "task_key": "d_asks_sql",
                "sql_task": {"warehouse_id": "w", "file": {"path": "/Workspace/q.sql"}, "parameters": {"a": "b"}},
            },
        ],
    },
}


class Asked:
    """One resource's state, and both ways of asking."""

    def __init__(self, own: Plugin, theirs: Plugin, urn: str, given: Json) -> None:
        self.own, self.theirs, self.urn = own, theirs, urn
        self.inputs = theirs.checked(urn, given)
        self.id, self.answered = theirs.create(urn, self.inputs)
        # The bridge's notes on a state end the provider where they fit no longer; without them it reads the outputs alone.
        self.outputs = {name: value for name, value in self.answered.items() if name != "__pulumi_raw_state_delta"}

    def both(self, outputs: Json, inputs: Json | None = None, before: Json | None = None) -> tuple[str, str]:
        """Our build's answer, the provider's."""
        inputs = self.inputs if inputs is None else inputs
        given = (self.urn, self.id, outputs, inputs if before is None else before, inputs)
        return self.own.changes(*given), self.theirs.changes(*given)


@pytest.fixture(scope="module")
def plugins(workspace: Workspace) -> Iterator[tuple[Plugin, Plugin]]:
    """Our build's plugin, and the same one told to leave nothing out."""
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("DATABRICKS", "PULUMI"))},
        "DATABRICKS_HOST": workspace.endpoints.databricks_host,
        "DATABRICKS_TOKEN": workspace.state.tokens()[ADMIN],
        "DATABRICKS_RATE_LIMIT": "200",
    }
    program = cache.built_bin() / "pulumi-resource-databricks"
    with provider_plugin.running(program, environ) as own, provider_plugin.running(program, {**environ, **EVERY}) as theirs:
        yield own, theirs


@pytest.fixture(scope="module", params=[*JOBS, "permissions"])
def asked(request: pytest.FixtureRequest, plugins: tuple[Plugin, Plugin]) -> Iterator[Asked]:
    """A resource as an update leaves it."""
    own, theirs = plugins
    name = "serverless" if request.param == "permissions" else request.param
    urn = _URN.format(kind="job:Job", name=request.param)
    given = wire(arguments({**JOBS[name], "name": f"{request.param} answered"}), _free())
    job = Asked(own, theirs, urn, {**given, "editMode": "UI_LOCKED"})
    try:
        if request.param == "permissions":
            entries = [
                {"groupName": "quant-developers", "permissionLevel": "CAN_VIEW"},
                {"groupName": "quant-support", "permissionLevel": "CAN_MANAGE_RUN"},
                {"servicePrincipalName": PRINCIPAL, "permissionLevel": "CAN_MANAGE_RUN"},
                {"userName": ADMIN, "permissionLevel": "IS_OWNER"},
            ]
            urn = _URN.format(kind="permissions:Permissions", name="job/permissions")
            yield Asked(own, theirs, urn, {"jobId": job.id, "accessControls": entries})
        else:
            yield job
    finally:
        theirs.delete(job.urn, job.id, job.answered)


def _free() -> frozenset[str]:
    from infra.sdk import databricks

    return databricks._FREE_OF_JOB


def others(value: Any) -> Iterator[Any]:
    """Other values of what may stand there: of its kind, of another, none."""
    if isinstance(value, bool):
        yield from (not value, None)
    elif isinstance(value, (int, float)):
        yield from (value + 1, 0, None, str(value))
    elif isinstance(value, str):
        yield from (f"{value}x", "", None)
    elif value is None:
        yield from ("x", 1, True, [], {}, ["x"], {"x": "y"})
    elif isinstance(value, list):
        yield from ([], None, [*value, *value[:1]], value[1:], value[::-1])
    else:
        yield from ({}, None)


def changed(value: Any, top: bool = True) -> Iterator[tuple[str, Any]]:
    """Where, and the whole with one thing in it another."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("__defaults", "__pulumi_raw_state_delta", "__meta") or (top and name == "id"):
                continue
            for other in others(inner):
                yield f".{name}={json.dumps(other)[:40]}", {**value, name: other}
            yield f".{name} gone", {key: held for key, held in value.items() if key != name}
            for where, whole in changed(inner, False):
                yield f".{name}{where}", {**value, name: whole}
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            for where, whole in changed(inner, False):
                yield f"[{index}]{where}", [*value[:index], whole, *value[index + 1 :]]


def some(request: pytest.FixtureRequest, every: Iterator[tuple[str, Any]], step: int) -> Iterator[tuple[str, Any]]:
    """One of so many, never the same kind of change alone; all of them with --hypothesis-profile=search, in half an hour."""
    whole = request.config.getoption("--hypothesis-profile") == "search"
    return itertools.islice(every, 0, None, 1 if whole else step)


def unlike(pairs: Iterator[tuple[str, tuple[str, str]]]) -> list[str]:
    return [f"{where}: {own}, the provider {theirs}" for where, (own, theirs) in pairs if own.removeprefix("own ") != theirs]


def test_what_was_deployed_is_answered_without_the_provider(asked: Asked) -> None:
    """An unchanged resource, once the provider has been asked about one of this workspace; not a job with a cluster of its
    own, in which the workspace fills in what it likes."""
    asked.both(asked.answered)
    own = "DIFF_NONE" if "::clusters" in asked.urn else "own DIFF_NONE"
    assert asked.both(asked.answered) == (own, "DIFF_NONE")


def test_what_a_state_holds_otherwise_is_judged_alike(request: pytest.FixtureRequest, asked: Asked) -> None:
    """Every property at every depth with another value, none, or one too many: as drift that a refresh recorded, an import
    or a half-done update leaves it."""
    assert unlike((where, asked.both(whole)) for where, whole in some(request, changed(asked.outputs), 31)) == []


def test_what_a_program_says_otherwise_is_judged_alike(request: pytest.FixtureRequest, asked: Asked) -> None:
    """Every input at every depth another one, as in a commit, and as in a state whose inputs a refresh changed."""
    wholes = [(where, asked.theirs.checked(asked.urn, _without(whole))) for where, whole in some(request, _valid(asked), 11)]
    assert len(wholes) > 5
    assert unlike((where, asked.both(asked.outputs, whole, asked.inputs)) for where, whole in wholes) == []
    assert unlike((where, asked.both(asked.outputs, whole)) for where, whole in wholes) == []


def _valid(asked: Asked) -> Iterator[tuple[str, Json]]:
    """Other inputs that the provider's own check lets pass."""
    import grpc

    for where, whole in changed(asked.inputs):
        try:
            asked.theirs.checked(asked.urn, _without(whole))
        except (AssertionError, grpc.RpcError):
            continue
        yield where, whole


def _without(value: Any) -> Any:
    """Inputs as a program says them."""
    if isinstance(value, dict):
        return {name: _without(inner) for name, inner in value.items() if name != "__defaults" and inner is not None}
    return [_without(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "meta",
    [None, "{}", "x", '{"schema_version":"1"}', '{"schema_version":"9"}', '{"schema_version":"2","more":{}}'],
)
def test_a_state_of_another_version_is_the_providers(meta: str | None, asked: Asked) -> None:
    """The provider brings it to its own version first."""
    own, theirs = asked.both({**asked.outputs, "__meta": meta})
    assert own.removeprefix("own ") == theirs
    if "Permissions" not in asked.urn:
        assert not own.startswith("own ")


def test_what_a_delta_hides_is_the_providers(asked: Asked) -> None:
    """The bridge's own notes on a state may say that a value is another one than the outputs show."""
    arms: list[Json] = [{"replace": {"raw": {}}}, {"obj": {"ignored": ["name"]}}]
    for arm in arms:
        outputs = copy.deepcopy(asked.answered)
        outputs["__pulumi_raw_state_delta"]["obj"].setdefault("ps", {})["name"] = arm
        own, _ = asked.both(outputs)
        assert not own.startswith("own "), arm


def test_another_workspace_is_the_providers(asked: Asked) -> None:
    """It replaces what lies elsewhere."""
    outputs = {**asked.outputs, "providerConfig": {"workspaceId": "7"}}
    own, theirs = asked.both(outputs)
    assert (own, theirs) == ("DIFF_SOME", "DIFF_SOME")


def test_ignored_changes_are_the_providers(asked: Asked) -> None:
    """A program may say which properties do not count."""
    name = next(name for name in asked.inputs if name != "__defaults")
    given = (asked.urn, asked.id, asked.outputs, asked.inputs, asked.inputs, (name,))
    assert asked.own.changes(*given) == asked.theirs.changes(*given) == "DIFF_NONE"
