"""`${...}` in a bundle: what each stands for, and what is said where it has no value."""

from __future__ import annotations

from typing import Any

import pytest

from tests.test_workflows_bundles import JOB, bundle, only


def resolved(text: Any, root: dict[str, Any] | None = None, stack: str = "quant", **more: Any) -> Any:
    """What a text of a bundle stands for."""
    one = {**JOB, "description": text}
    return only(bundle(root, stack, resources={"jobs": {"one": one}}, **more))["description"]


VARIABLES: dict[str, Any] = {
    "plain": {"default": "p", "description": "a word"},
    "number": {"default": 8},
    "flag": {"default": True},
    "of_other": {"default": "${var.plain}-${bundle.target}"},
    "cluster": {
        "type": "complex",
        "default": {"spark_version": "15.4", "num_workers": 2, "spark_conf": {"k": "${var.plain}"}},
    },
    "short": "s",
    "unset": {"description": "no value"},
    "looked_up": {"lookup": {"cluster": "shared"}},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${var.plain}", "p"),
        ("a ${var.plain}/${var.number} ${var.flag} b", "a p/8 true b"),
        ("${var.of_other}", "p-dev"),
        ("${var.short}", "s"),
        ("${var.cluster.spark_version}", "15.4"),
        ("${var.cluster.spark_conf.k}", "p"),
        ("${bundle.name} ${bundle.target} ${bundle.environment} ${bundle.git.branch}", "etl dev dev quant"),
        ("${workspace.file_path}/x", "/Workspace/quant/x"),
        ("${workspace.root_path}", "/Workspace/quant"),
        ("${workspace.current_user.userName}", "00000000-0000-4000-8000-000000000001"),
        ("${workspace.current_user.short_name}", "quant"),
        ("${workspace.host}", "https://dev.example"),
        ("${resources.jobs.one.name}", "the one"),
        ("${HOME} ${env:X} $(date) ${a.b}", "${HOME} ${env:X} $(date) ${a.b}"),
    ],
)
def test_references_are_resolved(text: str, value: str) -> None:
    """Alone or within a text."""
    root = {"variables": VARIABLES, "targets": {"dev": {"workspace": {"host": "https://dev.example"}}}}
    one = {**JOB, "name": "the one", "description": text}
    assert only(bundle(root, resources={"jobs": {"one": one}}))["description"] == value


def test_a_complex_variable_is_a_structure() -> None:
    """And numbers keep their kind."""
    clusters = [{"job_cluster_key": "c", "new_cluster": "${var.cluster}"}]
    one = {**JOB, "job_clusters": clusters, "max_concurrent_runs": "${var.number}"}
    made = only(bundle({"variables": VARIABLES}, resources={"jobs": {"one": one}}))
    assert made["job_clusters"][0]["new_cluster"] == {"spark_version": "15.4", "num_workers": 2, "spark_conf": {"k": "p"}}
    assert made["max_concurrent_runs"] == 8


def test_a_targets_variables_replace_the_defaults_and_the_stacks_win() -> None:
    """quant:variables is what --var is to the bundle tool."""
    targets = {
        "dev": {"variables": {"plain": "of dev", "cluster": {"default": {"spark_version": "16.1"}}}},
        "prod": {"variables": {"plain": {"default": "of prod"}}},
    }
    root = {"variables": VARIABLES, "targets": targets}
    assert resolved("${var.plain}", root) == "of dev"
    assert resolved("${var.plain}", root, "quant_live") == "of prod"
    assert resolved("${var.plain}", root, variables={"plain": "of the stack"}) == "of the stack"
    assert resolved("${var.looked_up}", root, variables={"looked_up": "0101-x"}) == "0101-x"
    assert resolved("${var.cluster.spark_version}", root) == "16.1"
    with pytest.raises(Exception, match="has no num_workers"):
        resolved("${var.cluster.num_workers}", root)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${var.plian}", ["no variable is called plian", "did you mean plain?"]),
        ("${var.unset}", ["${var.unset} has no value", "quant:variables.unset"]),
        ("${var.looked_up}", ["looked up by name", "cluster 'shared'", "quant:variables.looked_up"]),
        ("a ${var.cluster}", ["keys and values", "cannot be part of a text"]),
        ("${bundle.git.commit}", ["changes with every commit"]),
        ("${workspace.artifact_path}/x.whl", ["nothing is built here"]),
        ("${workspace.state_path}", ["no value here"]),
        ("${resources.jobs.on.id}", ["no job of the bundle is called on", "did you mean one?"]),
    ],
)
def test_a_reference_without_a_value_is_refused(text: str, words: list[str]) -> None:
    """With file, line, key and what to do."""
    with pytest.raises(Exception, match=r"resources/jobs\.yml, line") as raised:
        resolved(text, {"variables": VARIABLES})
    for word in ["resources.jobs.one.description", *words]:
        assert word in str(raised.value)


def test_what_is_not_used_needs_no_value() -> None:
    """A variable that is looked up stops nothing that does not ask for it."""
    assert bundle({"variables": VARIABLES}).workflows
