"""What a workflow file says of environments that have no such job, and of ids that are not the environment's own."""

from __future__ import annotations

import json

import pytest

from tests.workflows import MINIMAL, expand, job, refusal

CLUSTER = {"existing_cluster_id": "${var.shared}"}


def test_null_says_that_an_environment_has_no_such_job() -> None:
    """It is declared in the others."""
    file = {**MINIMAL, "per_environment": {"quant_stg": None}}
    assert expand(file, stack="quant_stg") == []
    assert len(expand(file, stack="quant_live")) == 1


def test_a_variable_is_the_value_of_the_settings() -> None:
    """Whoever wrote it there has allowed it."""
    file = job(CLUSTER)
    [one] = expand(file, variables=json.dumps({"shared": "1105-201500-shared7"}))
    assert one["tasks"][0]["existing_cluster_id"] == "1105-201500-shared7"


@pytest.mark.parametrize("variables", [{}, {"sharde": "1"}, {"shared": ["1"]}])
def test_a_variable_without_a_value_is_refused(variables: dict[str, object]) -> None:
    """With the setting that says it."""
    said = str(refusal(job(CLUSTER), variables=json.dumps(variables)))
    assert "${var.shared} has no value" in said and "quant:variables" in said
