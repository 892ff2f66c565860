"""A baseline run: what of a job is run once, where it writes, and by which run it is known again."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest
from rules import environments, grants
from rules.agreement import NAMES
from rules.table import judge

from infra.outside.workspace import Run
from infra.settings import Settings
from quantctl.errors import UserError
from quantctl.promotion.read import definitions
from quantctl.records.repository import read_pipelines
from quantctl.results.baseline import found_in, one_time, run_name, workflows
from quantctl.stack_settings import stack_settings
from sandbox import sample
from tests.results_world import RETURNS, contract

DAY, COMMIT = datetime.date(2026, 11, 24), "c" * 40


@pytest.fixture(scope="module")
def settings() -> Settings:
    """The limited release's."""
    return stack_settings("quant_lr", {"QUANT_REMOTE": "https://gitlab.example/quant/pipelines.git"})


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[dict[str, dict[str, Any]]]:
    """Production's jobs with the limited release's settings, of the sample."""
    remote = tmp_path_factory.mktemp("baseline") / "remote.git"
    sample.create(remote)
    pipelines = read_pipelines(str(remote))
    yield {str(job["name"]): job for job in definitions(pipelines, settings, pipelines.head("quant_live"))}


@pytest.mark.parametrize("name", ["factor_returns", "risk_model", "positions_snapshot", "signal_report"])
def test_a_run_writes_the_baseline_and_nothing_else(name: str, jobs: dict[str, dict[str, Any]], settings: Settings) -> None:
    """The limit stays, the schema is the baseline's, the code is in a folder of its own, nothing is left to be filled in."""
    body = one_time(jobs[name], settings, "/quant_lr_base", DAY, COMMIT)
    text = json.dumps(body)
    arguments = body["tasks"][-1]["spark_python_task"]["parameters"]
    assert arguments[arguments.index("--schema") + 1] == "QUANT_LR_BASE" and f"--day={DAY}" in arguments
    assert ("--factors=MARKET,SIZE" in text) == (name != "positions_snapshot")
    assert "/Workspace/quant_lr_base/src/" in text and "/quant_lr/" not in text and "{{" not in text
    assert body["run_as"] == {"service_principal_name": settings.service_principal}
    assert not {"schedule", "job_clusters", "parameters", "queue"} & {*body, *body["tasks"][0]}


def test_what_chooses_its_schema_itself_has_no_baseline(settings: Settings) -> None:
    """It would write what the audience reads."""
    job = {"name": "w", "tasks": [{"task_key": "a", "spark_python_task": {"python_file": "/Workspace/quant_lr/a.py"}}]}
    with pytest.raises(UserError, match="does not take its schema"):
        one_time(job, settings, "/quant_lr_base", DAY, COMMIT)


def test_a_notebook_gets_the_parameters_and_a_task_its_cluster(settings: Settings) -> None:
    """A job hands both to its tasks; a one-time run has neither."""
    job = {
        "name": "w",
        "parameters": [{"name": "snowflake_schema", "default": "QUANT_LR"}, {"name": "factors", "default": "SIZE"}],
        "job_clusters": [{"job_cluster_key": "c", "new_cluster": {"num_workers": 1}}],
        "tasks": [{"task_key": "a", "job_cluster_key": "c", "notebook_task": {
            "notebook_path": "/quant_lr/a", "base_parameters": {"factors": "mine"}}}],
    }  # fmt: skip
    [task] = one_time(job, settings, "/quant_lr_base", DAY, COMMIT)["tasks"]
    assert task["notebook_task"]["base_parameters"] == {"snowflake_schema": "QUANT_LR_BASE", "factors": "mine"}
    assert task["notebook_task"]["notebook_path"] == "/quant_lr_base/a"
    assert task["new_cluster"] == {"num_workers": 1} and "job_cluster_key" not in task


def test_what_a_table_is_made_of_runs_first() -> None:
    """And each workflow once; of tables without a baseline none, however they are made of each other."""
    made = [
        contract(table="RISK", workflow="risk", inputs=("RETURNS",), baseline=True),
        contract(table="RETURNS", workflow="returns", inputs=("PRICES", "RISK")),
        contract(table="PRICES", workflow="returns"), contract(table="BOOK", workflow="book"),
    ]  # fmt: skip
    assert workflows(made) == ["returns", "risk"] and workflows(made[1:]) == []


def test_a_run_is_known_by_its_name() -> None:
    """The newest of a day; another environment's, and what is called almost so, is none."""
    began = datetime.datetime(2026, 11, 25, tzinfo=datetime.UTC)
    own = run_name("quant_lr", "risk", DAY, COMMIT)
    names = [own, own, run_name("quant_stg", "risk", DAY, COMMIT), "quantctl baseline"]
    found = found_in("quant_lr", [(name, Run(0, 9 - n, began, "SUCCESS")) for n, name in enumerate(names)])
    assert {key: (commit, run.run_id) for key, (commit, run) in found.items()} == {("risk", DAY): (COMMIT, 9)}


def test_a_contract_says_that_it_has_a_baseline() -> None:
    """With true or false."""
    said = RETURNS.replace("{property: quant.day,", "{property: quant.baseline, value: true}\n      - {property: quant.day,")
    assert contract(said).baseline and not contract().baseline


def test_the_pack_knows_the_baseline_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its schema and grants are right in quant_lr, if it is set, and nowhere else."""
    on = {"schemaName": '"QUANT"."QUANT_LR_BASE"'}
    grant = {"databaseRoleName": '"QUANT"."QUANT_LR_READER"', "privileges": ["USAGE"], "onSchema": on}
    kind = "snowflake:index/grantPrivilegesToDatabaseRole:GrantPrivilegesToDatabaseRole"
    schema = {"database": "QUANT", "name": "QUANT_LR_BASE"}

    def problems(stack: str, baseline: str) -> list[str]:
        monkeypatch.setattr(environments, "_given", {stack: {"quant:limitedRelease": f'{{"baseline": {baseline}}}'}})
        environments.named.cache_clear()
        table = {"snowflake:Schema": {"name": NAMES["snowflake:Schema"]["name"]}}
        names = judge(table, "snowflake:index/schema:Schema", schema, stack)
        return [*names, *grants.check(kind, grant, stack)]

    assert problems("quant_lr", "true") == []
    assert len(problems("quant_lr", "false")) == 2 and len(problems("quant_live", "true")) >= 2
    environments.named.cache_clear()
