"""Definitions in the shapes that teams have: accepted, deployed in one go, no difference afterwards, read back."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.vocabulary import Environment
from infra.workflows.document import read
from tests.conftest import Team, deployed
from tests.corpus import DEFINED, SETTINGS, corpus
from tests.paths import ROOT
from tests.workflows import reading

STACK = "quant"
# What an author writes and the environment says otherwise, or says where it is: docs/workflows.md.
PATHS = (
    "notebook_path",
    "python_file",
    "path",
    "project_directory",
    "destination",
    "dependencies",
    "requirements",
)
NEVER_SENT = "spark.databricks.delta.preview.enabled"
LEFT_OUT = {"job": {"per_environment", "format", "deployment", "git_source", "run_as", "edit_mode"}, "source": {"GIT"}}


def test_the_corpus_is_as_large_as_it_is_said_to_be() -> None:
    """At least sixty, and a line of the table for each."""
    defined = [path for path in corpus() if DEFINED.fullmatch(path)]
    assert len(defined) >= 60
    table = (Path(__file__).parent / "corpus" / "README.md").read_text()
    for path in defined:
        name = path.split("/")[1] if path.startswith("bundles/") else Path(path).stem
        assert f"| `{name}` |" in table, name


@pytest.mark.parametrize("stack", list(Environment))
def test_the_corpus_is_accepted(stack: str) -> None:
    """In every environment; what is left out needs what is not deployed from here."""
    files = corpus()
    found = reading(files, stack, tuple(files), **SETTINGS)
    assert len(found.workflows) >= 66
    left_out = {note.job for note in found.notes if note.job}
    assert left_out == {"b01_refresh", "b12_needs"}


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A sandbox of its own."""
    with deployed(tmp_path_factory.mktemp("corpus")) as made:
        yield made


def pulumi(team: Team, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Plain pulumi, with the time that some seventy jobs take on a busy machine."""
    command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
    return subprocess.run(command, cwd=ROOT, env=team.environ, capture_output=True, text=True, timeout=1200, check=False)


@pytest.mark.real
def test_the_corpus_is_deployed_without_a_difference(team: Team) -> None:
    """The real engine declares it all, sees nothing to do afterwards, and the SDK reads what the authors wrote."""
    files = corpus()
    team.git("checkout", "-q", "-B", "work", f"origin/{STACK}")
    for path, content in files.items():
        (team.clone / path).parent.mkdir(parents=True, exist_ok=True)
        (team.clone / path).write_text(content)
    team.git("add", "-A")
    team.git("commit", "-q", "-m", "What teams have")
    team.git("push", "-q", "origin", f"HEAD:refs/heads/{STACK}")
    config = ["--config-file", team.config(STACK, **SETTINGS), "-s", STACK]
    done = pulumi(team, "up", "--yes", "--skip-preview", *config)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the job b01_refresh is left out" in done.stdout
    assert done.stdout.count("bundles/b08/databricks.yml: set aside") <= 2  # the diagnostics repeat a line at their end
    for command in (["preview"], ["refresh", "--preview-only"]):
        clean = pulumi(team, *command, *config, "--diff", "--expect-no-changes")
        assert clean.returncode == 0, clean.stdout
    client = team.workspace("deployer")
    ids = json.loads(team.pulumi("stack", "output", "jobs", "--json", "-s", STACK).stdout)
    there = {key: client.jobs.get(int(id)).settings for key, id in ids.items()}
    found = reading(files, STACK, tuple(files), **SETTINGS)
    differing: list[str] = []
    for one in found.workflows:
        settings = there[one.key]
        assert settings is not None
        assert settings.name == f"{STACK} {one.name}"
        assert settings.run_as and settings.run_as.service_principal_name == "00000000-0000-4000-8000-000000000001"
        differing += [f"{one.key}: {said}" for said in differences(with_ids(one.job, ids), settings.as_dict(), "")]
    for path, content in files.items():
        if path.startswith("workflows/") and "resources:" not in content:
            raw = read(path, content.encode())
            raw = raw.get("settings", raw)
            key = path.removeprefix("workflows/").rpartition(".")[0]
            if "per_environment" not in raw:
                settings = there[key]
                assert settings is not None
                differing += [f"{key}: {said}" for said in differences(raw, settings.as_dict(), "")]
    assert not differing, "\n".join(differing)
    shutil.rmtree(team.clone / "bundles")


def with_ids(value: Any, ids: dict[str, str]) -> Any:
    """The job with the ids of the jobs that it names."""
    text = json.dumps(value)
    for key, id in ids.items():
        text = text.replace(f"${{resources.jobs.{key}.id}}", id)
    return json.loads(text)


def differences(wanted: Any, there: Any, way: str) -> Iterator[str]:
    """What an author wrote and is not there; empty values and zeros are what Databricks takes without them."""
    key = way.rpartition(".")[2].split("[")[0]
    if key in PATHS and not str(wanted).startswith(("/", "dbfs:", "s3:")):
        if there is None:
            yield f"{way}: {wanted!r} is missing"
        return
    if isinstance(wanted, dict):
        for name, value in wanted.items():
            if (way == "" and name in LEFT_OUT["job"] | {"name"}) or value in LEFT_OUT.get(name, ()) or name == NEVER_SENT:
                continue
            if name == "job" and way.endswith("run_job_task"):  # another workflow by its name: its id
                name, value = "job_id", int((there or {}).get("job_id") or -1)
            yield from differences(value, (there or {}).get(name), f"{way}.{name}")
    elif isinstance(wanted, list) and all(isinstance(one, dict) for one in wanted):
        names = ("task_key", "job_cluster_key", "environment_key", "name", "id")
        for index, value in enumerate(wanted):
            name = next((name for name in names if name in value), None)
            entries = there or []
            match = [o for o in entries if name and o.get(name) == value[name]] or (
                [] if name else entries[index : index + 1]
            )
            yield from differences(value, match[0] if match else None, f"{way}[{index}]")
    elif wanted != there and not (there is None and not wanted) and str(wanted) != str(there):
        paused = key == "pause_status"  # what starts by itself follows the stack
        if not paused:
            yield f"{way}: wrote {wanted!r}, is {there!r}"


def test_the_comparison_can_fail() -> None:
    """A value that is another, one that is missing, a task that is not there."""
    wanted = {"timeout_seconds": 5, "tasks": [{"task_key": "a", "max_retries": 1}], "tags": {"a": "b"}}
    assert len(list(differences(wanted, {"timeout_seconds": 6, "tasks": [], "tags": {}}, ""))) == 4
    assert list(differences(wanted, yaml.safe_load(json.dumps(wanted)), "")) == []
