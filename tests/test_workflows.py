"""Workflow files: what an environment makes of them, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.errors import UserError
from infra.job_format import Shape, arguments, fields, job, problems
from infra.naming import names_of
from infra.vocabulary import Environment
from infra.workflows import allowed_keys, read_workflows
from tests.test_settings import read

MINIMAL: dict[str, Any] = {
    "name": "factor_returns",
    "tasks": [{"task_key": "compute", "spark_python_task": {"python_file": "src/a.py"}}],
}


def expand(*files: dict[str, Any] | str, stack: str = "quant_stg", **changed: str) -> list[dict[str, Any]]:
    written = {
        f"workflows/{number}.yml": (file if isinstance(file, str) else yaml.safe_dump(file)).encode()
        for number, file in enumerate(files)
    }
    chosen = read(stack, **changed)
    return read_workflows(written, frozenset({"src/a.py", *written}), chosen, names_of(chosen))


def refusal(*files: dict[str, Any] | str) -> str:
    with pytest.raises(UserError) as raised:
        expand(*files)
    return str(raised.value)


def test_paths_become_absolute_in_the_environments_folder() -> None:
    """A task runs the file of its own environment."""
    [job] = expand(MINIMAL)
    assert job["tasks"][0]["spark_python_task"]["python_file"] == "/Workspace/quant_stg/src/a.py"


def test_a_job_knows_its_schema_and_user() -> None:
    """The environment gives its schema, role and user as job parameters."""
    [job] = expand(MINIMAL)
    given_parameters = {p["name"]: p["default"] for p in job["parameters"]}
    assert given_parameters["snowflake_schema"] == "QUANT_STG"
    assert given_parameters["snowflake_user"] == "SVC_QUANT_STG"


def test_the_same_file_differs_only_by_environment() -> None:
    """No commit and nothing else that moves stands in a job, so a promotion of code changes the folder alone."""
    one, two = (json.dumps(expand(MINIMAL, stack=stack)) for stack in ("quant_stg", "quant_live"))
    assert one.replace("quant_stg", "quant_live").replace("QUANT_STG", "QUANT_LIVE") == two


def test_paused_schedules_are_paused() -> None:
    """A stack with paused schedules declares every schedule paused."""
    scheduled = {**MINIMAL, "schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC"}}
    assert expand(scheduled, schedules="paused")[0]["schedule"]["pause_status"] == "PAUSED"
    assert expand(scheduled, schedules="live")[0]["schedule"]["pause_status"] == "UNPAUSED"


def test_an_override_changes_one_environment_only() -> None:
    """per_environment merges tasks by task_key and leaves the other environments alone."""
    changed = {**MINIMAL, "per_environment": {"quant_live": {"tasks": [{"task_key": "compute", "max_retries": 3}]}}}
    assert expand(changed, stack="quant_live")[0]["tasks"][0]["max_retries"] == 3
    assert "max_retries" not in expand(changed, stack="quant_stg")[0]["tasks"][0]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ({**MINIMAL, "taskz": 1}, ["workflows/0.yml", "taskz", "unknown key", "tasks"]),
        ({"name": "x", "tasks": [{"task_key": "a", "retries": 1}]}, ["tasks[0].retries", "max_retries"]),
        ({**MINIMAL, "per_environment": {"prod": {}}}, ["prod", "quant_live"]),
        ({"name": "x"}, ["workflows/0.yml", "tasks", "missing"]),
        (
            {"name": "x", "tasks": [{"task_key": "a", "spark_python_task": {"python_file": "no.py"}}]},
            ["no.py", "commit"],
        ),
        ({"name": "x", "tasks": [{"task_key": "a", "depends_on": [{"task_key": "b"}]}]}, ["depends_on", "'b'"]),
        ("a: [", ["workflows/0.yml", "line 1", "cannot be read"]),
        ("name: a\ntasks: []\nname: b\n", ["workflows/0.yml", "line 1", "'name' stands twice"]),
        ("- 1", ["workflows/0.yml", "list"]),
        ({**MINIMAL, "parameters": [{"name": "snowflake_role", "default": "x"}]}, ["snowflake_role", "environment"]),
    ],
)
def test_a_wrong_file_is_refused_with_file_key_and_allowed(file: dict[str, Any] | str, words: list[str]) -> None:
    """The message names file and key, and what would be right."""
    said = refusal(file)
    for word in words:
        assert word in said


def bundle(**targets: Any) -> dict[str, Any]:
    return {"resources": {"jobs": {"one": MINIMAL, "two": {**MINIMAL, "name": "two"}}}, "targets": targets}


def test_a_piece_of_an_asset_bundle_is_taken_as_it_is() -> None:
    """Several jobs in one file, and what a target changes is what an environment changes."""
    change = {"resources": {"jobs": {"two": {"timeout_seconds": 7}}}}
    found = {job["name"]: job.get("timeout_seconds") for job in expand(bundle(quant_stg=change))}
    assert found == {"factor_returns": None, "two": 7}
    found = {job["name"]: job.get("timeout_seconds") for job in expand(bundle(quant_lr=change))}
    assert found == {"factor_returns": None, "two": None}


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (bundle(dev={}), ["targets.dev: not an environment", "quant_live"]),
        (bundle(quant="x"), ["targets.quant: found 'x'"]),
        (bundle(quant={"mode": "production"}), ["targets.quant.mode: only resources.jobs is kept"]),
        (bundle(quant={"resources": {"jobs": {"three": {}}}}), ["jobs.three: not a job of this file", "one, two"]),
        ({**bundle(), "variables": {}}, ["variables: a workflow file keeps resources.jobs and targets only"]),
        ({"resources": {"pipelines": {}, "jobs": {}}}, ["resources.pipelines: only jobs are kept"]),
        ({"resources": {"jobs": {"a": {**MINIMAL, "run_as": {}}}}}, ["jobs.a.run_as: not kept", "quant:servicePrincipal"]),
        ({"resources": {"jobs": {"a": {**MINIMAL, "permissions": []}}}}, ["jobs.a.permissions: not kept", "docs/access.md"]),
        ({"resources": {"jobs": {"a": {**MINIMAL, "description": "${var.x}"}}}}, ["'${var.x}' refers to the bundle"]),
    ],
)
def test_what_a_bundle_cannot_keep_is_named(file: dict[str, Any], words: list[str]) -> None:
    """Key by key, with where it is said instead."""
    said = refusal(file)
    for word in ["workflows/0.yml", *words]:
        assert word in said, said


def test_two_workflows_with_one_name_are_refused() -> None:
    """Both files are named."""
    said = refusal(MINIMAL, MINIMAL)
    assert "workflows/0.yml" in said
    assert "workflows/1.yml" in said


def test_jobs_api_names_reach_the_sdk() -> None:
    """Fields are written as the Jobs API has them; the plural spellings of the SDK never reach a user."""
    written = {
        "name": "x",
        "tasks": [{"task_key": "a", "depends_on": [{"task_key": "b"}]}],
        "email_notifications": {"on_failure": ["a@b.example"]},
    }
    made = arguments(written, job())
    assert made["tasks"][0]["depends_ons"] == [{"task_key": "b"}]
    assert made["email_notifications"] == {"on_failures": ["a@b.example"]}
    [said] = problems({"tasks": [{"task_key": "a", "new_cluster": {"sparkversion": "1", "spark_version": "1"}}]}, job())
    assert said.startswith("tasks[0].new_cluster.sparkversion: unknown key; allowed are")
    assert "spark_version" in said


_KEYS = [
    *allowed_keys(), "task_key", "spark_python_task", "python_file", "notebook_task", "for_each_task", "task", "value",
    "spec", "dependencies", "libraries", "whl", "rules", "metric", "environments", "quant_stg", "quant_live", "resources",
    "jobs", "targets", "permissions", "depends_on", "sql_task", "file", "path",
]  # fmt: skip
_plain = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["src/a.py", "../a"])
)
_values = st.recursive(
    _plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS) | st.text(max_size=8), inner),
    max_leaves=10,
)
many = settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))


@many
@given(st.dictionaries(st.sampled_from(_KEYS), _values, max_size=5), st.booleans(), st.sampled_from(list(Environment)))
def test_any_file_is_read_or_refused_in_words(changed: dict[str, Any], complete: bool, stack: str) -> None:
    """No workflow file and no bundle gives a traceback; what is read runs as no one that the file names."""
    limited = {"limitedRelease": '{"notify": ["a@b.example"], "maxDurationSeconds": 60}'} if stack == "quant_lr" else {}
    try:
        made = expand({**(MINIMAL if complete else {}), **changed}, stack=stack, **limited)
    except UserError as error:
        assert str(error)
    else:
        for one in made:
            assert "run_as" not in one
            arguments(one, job())


def shaped(shape: Shape, depth: int = 4) -> st.SearchStrategy[Any]:
    """Values of the right shape, with a few of the keys that there are, and sometimes a wrong one in between."""
    if shape.kind == "plain":
        right = {int: st.integers(), bool: st.booleans(), float: st.floats(allow_nan=False)}.get(shape.plain, st.text())
        return st.one_of(right, right, right, _plain)
    if shape.kind == "object":
        assert shape.input_type is not None
        known = fields(shape.input_type)
        needed = {key: shaped(field.shape, depth - 1) for key, field in known.items() if field.required}
        free = sorted(key for key, field in known.items() if depth > 0 or field.shape.kind == "plain")
        chosen = st.sets(st.sampled_from(free), max_size=3) if free else st.just(set())
        return chosen.flatmap(
            lambda keys: st.fixed_dictionaries(needed | {key: shaped(known[key].shape, depth - 1) for key in sorted(keys)})
        )
    assert shape.item is not None
    inner = shaped(shape.item, depth - 1)
    return st.lists(inner, max_size=2) if shape.kind == "list" else st.dictionaries(st.text(max_size=5), inner, max_size=2)


@many
@given(shaped(job()), shaped(job()), st.booleans())
def test_a_file_of_the_right_shape_is_read_or_refused_in_words(
    one: dict[str, Any], other: dict[str, Any], both: bool
) -> None:
    """Whatever the Jobs API has, in the job or in an environment's change of it."""
    changes = {"per_environment": {"quant_stg": other}} if both else {}
    try:
        [made] = expand({**one, **MINIMAL, **changes})
    except UserError as error:
        assert str(error)
    else:
        assert made["max_concurrent_runs"] is not None
        arguments(made, job())


@many
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_words(content: bytes) -> None:
    """Nor does a file that is no YAML at all."""
    chosen = read("quant")
    try:
        read_workflows({"workflows/a.yml": content}, frozenset(), chosen, names_of(chosen))
    except UserError as error:
        assert str(error)
