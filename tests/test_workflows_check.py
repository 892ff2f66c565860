"""`quantctl check`, `quantctl show` and the schema: a repository is judged before it is pushed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from infra.vocabulary import Environment
from infra.workflows import format
from quantctl.check import command
from quantctl.reference.schema import workflow_schema
from tests.corpus import corpus
from tests.paths import ROOT
from tests.workflows import FILE, MINIMAL, job, task
from toolchain import job_format

RUN = CliRunner()
app = typer.Typer()
app.command("check")(command.check)
app.command("show")(command.show)
CRON = {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC"}
# One mistake of each kind.
MISTAKES: dict[str, Any] = {
    "circle": job({"depends_on": [{"task_key": "t1"}]}, {"depends_on": [{"task_key": "t0"}]}),
    "cluster": job({"job_cluster_key": "nope"}),
    "cron": job(schedule={**CRON, "quartz_cron_expression": "0 6 * * *"}),
    "enumeration": job({"run_if": "ALL_DON"}),
    "key": {**MINIMAL, "name": "key", "taks": []},
    "kind": {"name": "kind", "tasks": [{"task_key": "a"}]},
    "outside": task("spark_python_task", python_file="/Workspace/Users/dana@quant.example/a.py"),
    "path": task("spark_python_task", python_file="src/aa.py"),
    "range": job(timeout_seconds=2**40),
    "twice": "name: a\nname: b\n",
    "unsent": job(max_concurrent_runs=0),
    "zone": job(schedule={**CRON, "timezone_id": "Europe/Londn"}),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pipelines repository without Git, and a shell without any setting of ours."""
    for name in [name for name in os.environ if name.startswith(("QUANT_", "DATABRICKS_", "PULUMI_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("print(1)\n")
    (tmp_path / "workflows").mkdir()
    return tmp_path


def put(folder: Path, name: str, content: Any) -> None:
    text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
    (folder / "workflows" / f"{name}.yml").write_text(text)


def check(folder: Path, *options: str) -> Result:
    return RUN.invoke(app, ["check", str(folder), *options])


def test_the_sample_is_right_in_all_four_environments() -> None:
    """Without endpoint, credentials and engine."""
    done = check(ROOT / "examples" / "pipelines")
    assert (done.exit_code, done.output) == (0, "4 workflows are right for quant, quant_stg, quant_lr, quant_live.\n")


@pytest.mark.parametrize("name", list(MISTAKES))
def test_each_kind_of_mistake_is_told_with_its_line(folder: Path, name: str) -> None:
    """In one line that names file and line."""
    put(folder, name, MISTAKES[name])
    done = check(folder)
    assert done.exit_code == 1
    assert done.output.startswith(f"workflows/{name}.yml, line "), done.output
    assert done.output.endswith("1 problem.\n"), done.output


def test_a_long_list_is_cut_and_counted(folder: Path) -> None:
    """The first ten in text, all of them for programs."""
    for name, mistake in MISTAKES.items():
        put(folder, name, mistake)
    done = check(folder)
    assert len(done.output.splitlines()) == 12
    assert "and 2 more (12 in all)" in done.output
    found = json.loads(check(folder, "--format", "json").output)
    assert len(found["problems"]) == 12
    assert found["problems"][0].keys() == {"file", "line", "key", "message", "environments"}


def test_a_mistake_of_one_environment_says_which(folder: Path) -> None:
    """The others are right."""
    put(
        folder,
        "a",
        {**MINIMAL, "tasks": [{"task_key": "t", "spark_python_task": {"python_file": "/Workspace/quant_lr/src/a.py"}}]},
    )
    done = check(folder)
    assert done.output.count("[quant, quant_stg, quant_live]") == 1, done.output


def test_annotations_of_gitlab_and_github(folder: Path) -> None:
    """A code quality report, and workflow commands whose text cannot break out of its line."""
    put(folder, "a,b", {**MINIMAL, "name": "a\n::error ::forged%"})
    [one] = json.loads(check(folder, "--format", "gitlab").output)
    assert one["location"] == {"path": "workflows/a,b.yml", "lines": {"begin": 1}}
    assert one["severity"] == "blocker"
    assert len(one["fingerprint"]) == 64
    [line] = check(folder, "--format", "github").output.splitlines()
    assert line.startswith("::error file=workflows/a%2Cb.yml,line=1,title=quantctl check::name: found")
    assert "forged%25" in line
    put(folder, "a,b", MINIMAL)
    assert (check(folder, "--format", "github").output, check(folder, "--format", "gitlab").output) == ("", "[]\n")


def test_what_others_wrote_is_text(folder: Path) -> None:
    """Neither a file's name nor a value reaches the terminal as a command."""
    (folder / "workflows" / "\x1b[31mx\u202e.yml").write_text("taks: []\n")
    done = check(folder)
    assert "\x1b" not in done.output
    assert "\u202e" not in done.output


def test_usage_is_another_exit_status(folder: Path) -> None:
    """2: no such folder."""
    assert check(folder / "nowhere").exit_code == 2
    assert RUN.invoke(app, ["check", str(folder), "--format", "xml"]).exit_code == 2


def test_a_git_repository_is_read_without_what_it_ignores(folder: Path) -> None:
    """As a commit of it would be: what is deleted is not there."""
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    (folder / ".gitignore").write_text("workflows/ignored.yml\n")
    put(folder, "ignored", "a: [")
    put(folder, "right", MINIMAL)
    put(folder, "deleted", MINIMAL)
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    (folder / "workflows" / "deleted.yml").unlink()
    assert "1 workflow is right" in check(folder).output


def test_a_bundle_is_judged_in_every_environment(folder: Path) -> None:
    """What is set aside is a note and no problem."""
    root = {"bundle": {"name": "b"}, "permissions": [], "resources": {"jobs": {"one": MINIMAL}}}
    (folder / "databricks.yml").write_text(yaml.safe_dump(root))
    done = check(folder)
    assert done.exit_code == 0
    assert "note: databricks.yml: set aside" in done.output


def show(folder: Path, *arguments: str) -> Result:
    return RUN.invoke(app, ["show", *arguments, "--folder", str(folder)])


def test_show_prints_the_job_as_it_would_be_declared(folder: Path) -> None:
    """YAML and JSON say the same; the name is the file's or the job's."""
    put(folder, "nightly", {**MINIMAL, "schedule": CRON})
    done = show(folder, "nightly", "quant_live")
    made = yaml.safe_load(done.output)
    assert made["name"] == "quant_live factor_returns"
    assert made["tasks"][0]["spark_python_task"]["python_file"] == "/Workspace/quant_live/src/a.py"
    assert made["run_as"] == {"service_principal_name": "00000000-0000-4000-8000-000000000004"}
    assert made["schedule"]["pause_status"] == "UNPAUSED"
    assert json.loads(show(folder, "factor_returns", "quant_live", "--format", "json").output) == made
    missing = show(folder, "nightli", "quant")
    assert missing.exit_code == 1
    assert "did you mean nightly?" in str(missing.exception)


def test_the_format_file_is_what_the_sdks_say() -> None:
    """python -m toolchain.job_format writes it."""
    assert job_format.FILE.read_text() == job_format.as_text(job_format.made())


def test_every_field_that_the_provider_lacks_is_known() -> None:
    """Of the SDK's fields; a later provider that has them makes the list shorter."""
    types = json.loads(job_format.FILE.read_text())
    lacking = {key for of in types for key, field in format.fields(of).items() if field.lacking}
    assert {"triggers", "environment_variables", "duration_target", "maintenance_window", "project_environment"} <= lacking


def test_the_schema_knows_the_same() -> None:
    """Every workflow file of the corpus and the sample is valid; a mistake that a schema can say is not."""
    schema = workflow_schema()
    assert json.loads((ROOT / "examples" / "pipelines" / "workflow.schema.json").read_text()) == schema
    validator = jsonschema.Draft202012Validator(schema)
    samples = {path: content for path, content in corpus().items() if path.startswith("workflows/") and "/n" in path}
    samples |= {file.name: file.read_text() for file in (ROOT / "examples" / "pipelines" / "workflows").iterdir()}
    for path, content in samples.items():
        assert not list(validator.iter_errors(yaml.safe_load(content))), path
    said = {**MINIMAL, "per_environment": {environment.value: {"timeout_seconds": 1} for environment in Environment}}
    assert validator.is_valid(said)
    for name in ("enumeration", "key", "range", "unsent"):
        assert not validator.is_valid(MISTAKES[name]), name
    assert not validator.is_valid(job(schedule=CRON, continuous={}))
    assert not validator.is_valid(job(triggers=[]))
    assert validator.is_valid(task("run_job_task", job="factor_returns"))
    assert not validator.is_valid(task("run_job_task", job="factor_returns", job_id=1))
    assert FILE
