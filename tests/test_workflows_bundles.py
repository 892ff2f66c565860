"""Asset Bundles, read whole: includes, variables, references, targets; what is set aside, left out, or wrong."""

from __future__ import annotations

from typing import Any

import pytest

from infra.vocabulary import Environment
from infra.workflows import Reading
from tests.test_settings import read
from tests.workflows import FILE, MINIMAL, expand, reading, refusal, refused

TARGETS = {"dev": "quant", "prod": "quant_live"}
JOB: dict[str, Any] = {"tasks": [{"task_key": "t", "spark_python_task": {"python_file": "../src/a.py"}}]}


def bundle(root: dict[str, Any] | None = None, stack: str = "quant", folder: str = "", **files: Any) -> Reading:
    """A bundle of one included file, and what more is said."""
    resources = files.pop("resources", {"jobs": {"one": JOB}})
    settings = {key: files.pop(key) for key in ("variables", "allowed") if key in files}
    said = {"bundle": {"name": "etl"}, "include": ["resources/*.yml"], **(root or {})}
    content = {f"{folder}databricks.yml": said, f"{folder}resources/jobs.yml": {"resources": resources}, **files}
    present = tuple(f"{folder}{path}" for path in ("src/a.py", "src/note.ipynb"))
    return reading(content, stack, (*present, "src/a.py"), bundleTargets=TARGETS, **settings)


def only(found: Reading) -> dict[str, Any]:
    [one] = found.workflows
    return one.job


def test_a_bundle_is_a_source_beside_the_workflow_files() -> None:
    """Wherever its root lies; the job is called by its key where it has no name, and its paths are from the saying file."""
    files: dict[str, Any] = {"workflows/native.yml": MINIMAL}
    found = bundle(None, "quant", "teams/etl/", **files)
    assert [(one.key, one.name, one.file) for one in found.workflows] == [
        ("native", "factor_returns", "workflows/native.yml"),
        ("one", "one", "teams/etl/resources/jobs.yml"),
    ]
    assert found.workflows[1].job["tasks"][0]["spark_python_task"]["python_file"] == "/Workspace/quant/teams/etl/src/a.py"


@pytest.mark.parametrize("name", ["databricks.yml", "databricks.yaml", "bundle.yml", "bundle.yaml"])
def test_a_folder_below_workflows_that_has_a_root_is_a_bundle(name: str) -> None:
    """Its other files are not workflow files."""
    files = {
        f"workflows/etl/{name}": {"bundle": {"name": "x"}, "include": ["jobs/*.yml"]},
        "workflows/etl/jobs/a.yml": {
            "resources": {
                "jobs": {
                    "a": MINIMAL | {"tasks": [{"task_key": "t", "spark_python_task": {"python_file": "../../../src/a.py"}}]}
                }
            }
        },
        "workflows/etl/dbt_project.yml": {"name": "dbt"},
    }
    found = reading(files)
    assert [one.key for one in found.workflows] == ["a"]
    assert "not read: workflows/etl/dbt_project.yml" in str(found.notes[-1])


def test_includes_are_patterns_within_a_folder() -> None:
    """As the bundle tool has them; a file that is not there is told, a pattern without files is not."""
    jobs = {
        f"jobs/{path}": {"resources": {"jobs": {key: MINIMAL | {"name": key}}}}
        for path, key in (("a.yml", "a"), ("deep/b.yml", "b"), ("c.json", "c"))
    }

    def found(*patterns: str) -> list[str]:
        root = {"bundle": {"name": "x"}, "include": list(patterns)}
        content = {"databricks.yml": root, **{path: str(one).replace("'", '"') for path, one in jobs.items()}}
        return [one.key for one in reading(content, present=("src/a.py", "jobs/src/a.py")).workflows] if patterns else []

    for one in jobs.values():
        one["resources"]["jobs"][next(iter(one["resources"]["jobs"]))]["tasks"] = [
            {"task_key": "t", "spark_python_task": FILE}
        ]
    assert found("jobs/*") == ["a", "c"]
    assert found("./jobs/*.yml", "jobs/**/*.yml") == ["a", "b"]
    assert found("jobs/[a-b].yml", "nothing/*.yml") == ["a"]
    said = refused(
        {"databricks.yml": {"bundle": {"name": "x"}, "include": ["jobs/aa.yml"]}, **{p: str(j) for p, j in jobs.items()}}
    )
    assert "include: 'jobs/aa.yml' is not in the commit; did you mean jobs/a.yml?" in said


def test_a_resource_that_two_files_define_is_refused() -> None:
    """Both are named."""
    said = refused(
        {
            "databricks.yml": {"bundle": {"name": "x"}, "include": ["*.yml"], "resources": {"jobs": {"a": JOB}}},
            "b.yml": {"resources": {"jobs": {"a": JOB}}},
        }
    )
    assert "resources.jobs.a: already stands in databricks.yml, line 7" in said
    assert "b.yml, line 3" in said


def test_targets_are_laid_over_as_the_bundle_tool_does() -> None:
    """Lists are concatenated, named ones merged by their key, plain values replaced; null changes nothing."""
    base = {
        "tags": {"a": "1"},
        "timeout_seconds": 5,
        "parameters": [{"name": "p", "default": "1"}],
        "email_notifications": {"on_failure": ["a@quant.example"]},
        "tasks": [
            {
                "task_key": "t",
                "max_retries": 1,
                "libraries": [{"pypi": {"package": "a"}}],
                "spark_python_task": {**JOB["tasks"][0]["spark_python_task"], "parameters": ["x"]},
            }
        ],
        "job_clusters": [{"job_cluster_key": "c", "new_cluster": {"spark_version": "15", "num_workers": 1}}],
        "environments": [{"environment_key": "e", "spec": {"client": "2", "dependencies": ["a"]}}],
    }
    over = {
        "tags": {"b": "2"},
        "timeout_seconds": None,
        "parameters": [{"name": "q", "default": "2"}, {"name": "p", "default": "3"}],
        "email_notifications": {"on_failure": ["b@quant.example"]},
        "tasks": [
            {
                "task_key": "t",
                "max_retries": 2,
                "libraries": [{"pypi": {"package": "b"}}],
                "spark_python_task": {"parameters": ["y"]},
            }
        ],
        "job_clusters": [{"job_cluster_key": "c", "new_cluster": {"num_workers": 4}}],
        "environments": [{"environment_key": "e", "spec": {"dependencies": ["b"]}}],
    }
    root = {"targets": {"prod": {"resources": {"jobs": {"one": over, "only_prod": {**MINIMAL, "name": "late"}}}}}}
    made = bundle(root, "quant_live", resources={"jobs": {"one": base}}).workflows
    assert [one.key for one in made] == ["only_prod", "one"]
    one = made[1].job
    assert (one["tags"], one["timeout_seconds"]) == ({"a": "1", "b": "2"}, 5)
    assert [(p["name"], p["default"]) for p in one["parameters"][:2]] == [("p", "3"), ("q", "2")]
    assert one["email_notifications"]["on_failure"] == ["a@quant.example", "b@quant.example"]
    [task] = one["tasks"]
    assert task["max_retries"] == 2
    assert task["libraries"] == [{"pypi": {"package": "a"}}, {"pypi": {"package": "b"}}]
    assert task["spark_python_task"]["parameters"] == ["x", "y"]
    assert one["job_clusters"][0]["new_cluster"] == {"spark_version": "15", "num_workers": 4}
    assert one["environments"][0]["spec"]["dependencies"] == ["a", "b"]
    assert [o.key for o in bundle(root, "quant", resources={"jobs": {"one": base}}).workflows] == ["one"]


def test_an_environment_without_a_target_reads_the_bundle_without_one() -> None:
    """And says so; a target of the environment's own name needs no setting."""
    root = {"targets": {"dev": {"resources": {"jobs": {"one": {"timeout_seconds": 7}}}}}}
    found = bundle(root, "quant_lr")
    assert "timeout_seconds" not in only(found)
    assert "none of its targets is this environment" in str(found.notes[0])
    root = {"targets": {"quant_lr": {"resources": {"jobs": {"one": {"timeout_seconds": 7}}}}}}
    assert only(bundle(root, "quant_lr"))["timeout_seconds"] == 7
    said = {"a": "quant", "b": "quant"}
    with pytest.raises(Exception, match="the targets a, b are all quant"):
        reading({"databricks.yml": {"bundle": {"name": "x"}, "targets": {"a": {}, "b": {}}}}, "quant", bundleTargets=said)
    with pytest.raises(Exception, match="quant:bundleTargets"):
        read("quant", bundleTargets='{"dev": "production"}')


def test_what_is_the_environments_is_set_aside_and_named_once() -> None:
    """Permissions, run_as, git_source, mode, presets, sync, artifacts, workspace; mail to whoever deploys."""
    one = {
        **JOB,
        "permissions": [{"level": "CAN_VIEW", "group_name": "users"}],
        "run_as": {"user_name": "a@quant.example"},
        "git_source": {"git_url": "https://git.example/x.git", "git_provider": "gitLab", "git_branch": "main"},
        "email_notifications": {"on_failure": ["${workspace.current_user.userName}"]},
        "tasks": [{"task_key": "t", "notebook_task": {"notebook_path": "src/note", "source": "GIT"}}],
    }
    root = {
        "artifacts": {"default": {"type": "whl"}},
        "sync": {"include": ["x"]},
        "permissions": [],
        "presets": {"name_prefix": "x"},
        "targets": {
            "dev": {
                "mode": "development",
                "default": True,
                "workspace": {"host": "https://x.example"},
                "run_as": {"user_name": "b@quant.example"},
            }
        },
    }
    found = bundle(root, resources={"jobs": {"one": one, "two": {**one, "name": "two"}}})
    assert len(found.workflows) == 2
    [note] = map(str, found.notes)
    for word in (
        "artifacts",
        "sync",
        "presets",
        "mode",
        "workspace",
        "permissions (levels",
        "run_as (jobs run as",
        "git_source (",
        "mail to whoever",
    ):
        assert note.count(word) == 1, note
    made = found.workflows[0].job
    assert made["tasks"][0]["notebook_task"] == {"notebook_path": "/Workspace/quant/src/note"}
    assert not {"permissions", "run_as", "git_source"} & made.keys()


def test_other_resources_stop_the_jobs_that_need_them_and_nothing_else() -> None:
    """Whoever runs such a job stops too; with the id in quant:variables nothing does."""
    resources = {
        "jobs": {
            "plain": {**JOB, "name": "plain"},
            "needs": {"tasks": [{"task_key": "t", "pipeline_task": {"pipeline_id": "${resources.pipelines.dlt.id}"}}]},
            "runs": {"tasks": [{"task_key": "t", "run_job_task": {"job_id": "${resources.jobs.needs.id}"}}]},
        },
        "pipelines": {"dlt": {"name": "dlt"}},
        "schemas": {"s": {"name": "s", "catalog_name": "main"}},
    }
    found = bundle(resources=resources)
    assert [one.key for one in found.workflows] == ["plain"]
    notes = "\n".join(map(str, found.notes))
    assert "the job needs is left out: resources.jobs.needs.tasks[0].pipeline_task.pipeline_id needs" in notes
    assert "say 'resources.pipelines.dlt.id' in quant:variables" in notes
    assert "the job runs is left out: it runs needs" in notes
    assert "not deployed: pipelines, schemas" in notes
    assert sum(note.warns for note in found.notes) == 2
    found = bundle(resources=resources, variables={"resources.pipelines.dlt.id": "0a1b"})
    assert {one.key: one.runs for one in found.workflows} == {"plain": frozenset(), "needs": frozenset(), "runs": {"needs"}}


def test_a_job_runs_another_of_its_bundle() -> None:
    """Also in a parameter; in the order in which they need each other."""
    resources = {
        "jobs": {
            "first": JOB,
            "then": {
                "tasks": [
                    {"task_key": "t", "run_job_task": {"job_id": "${resources.jobs.first.id}"}},
                    {
                        **JOB["tasks"][0],
                        "task_key": "u",
                        "spark_python_task": {
                            "python_file": "../src/a.py",
                            "parameters": ["--job=${resources.jobs.first.id}"],
                        },
                    },
                ]
            },
        }
    }
    then = bundle(resources=resources).workflows[1]
    assert (then.key, set(then.runs)) == ("then", {"first"})
    assert then.job["tasks"][0]["run_job_task"]["job_id"] == "${resources.jobs.first.id}"
    assert then.job["tasks"][1]["spark_python_task"]["parameters"] == ["--job=${resources.jobs.first.id}"]


def test_numbers_and_words_of_truth_are_text_where_text_is_meant() -> None:
    """As the bundle tool takes them, in the spelling of the author."""
    one = {
        "tasks": JOB["tasks"],
        "tags": {"year": 2025, "rate": 1.10, "on": True},
        "queue": {"enabled": "yes"},
        "timeout_seconds": "60",
    }
    made = only(bundle(resources={"jobs": {"one": one}}))
    assert made["tags"] == {"year": "2025", "rate": "1.1", "on": "true"}
    assert (made["queue"], made["timeout_seconds"]) == ({"enabled": True}, 60)
    tasks = "[{task_key: t, spark_python_task: {python_file: ../src/a.py}}]"
    text = f"resources: {{jobs: {{one: {{tags: {{rate: 1.10}}, tasks: {tasks}}}}}}}"
    assert expand(text)[0]["tags"] == {"rate": "1.10"}


def pasted(**targets: Any) -> dict[str, Any]:
    return {"resources": {"jobs": {"one": MINIMAL, "two": {**MINIMAL, "name": "two"}}}, "targets": targets}


def test_a_piece_of_an_asset_bundle_is_taken_as_it_is() -> None:
    """Several jobs in one workflow file, and what a target changes is what an environment changes."""
    change = {"resources": {"jobs": {"two": {"timeout_seconds": 7}}}}
    found = {job["name"]: job.get("timeout_seconds") for job in expand(pasted(quant_stg=change))}
    assert found == {"factor_returns": None, "two": 7}
    found = {job["name"]: job.get("timeout_seconds") for job in expand(pasted(quant_lr=change))}
    assert found == {"factor_returns": None, "two": None}


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (pasted(dev={}), ["targets.dev: not an environment", "quant_live"]),
        (pasted(quant_stg="x"), ["targets.quant_stg: found 'x'"]),
        (pasted(quant_stg={"resources": {"jobs": {"three": {}}}}), ["tasks: missing"]),
        (pasted(quant_stg={"modee": "x"}), ["targets.quant_stg.modee", "did you mean mode?"]),
        ({**pasted(), "variabels": {}}, ["variabels: unknown key of a bundle; did you mean variables?"]),
        ({"resources": {"jobs": []}}, ["resources: found an empty list"]),
        ({"resources": {"jobs": {"a": None}}}, ["resources.jobs.a: found nothing"]),
        ({"resources": {"jobs": {"a": {**MINIMAL, "description": "${var.x}"}}}}, ["no variable is called x"]),
    ],
)
def test_what_is_wrong_in_a_piece_of_a_bundle_is_told(file: dict[str, Any], words: list[str]) -> None:
    """Key by key."""
    said = refusal(file)
    for word in ["workflows/0.yml", *words]:
        assert word in said, said


@pytest.mark.parametrize("stack", list(Environment))
def test_a_bundle_reads_alike_in_every_environment(stack: str) -> None:
    """But for its target."""
    read = only(bundle({"targets": {"dev": {}, "prod": {}}}, stack))["parameters"]
    assert {one["name"]: one["default"] for one in read}["environment"] == stack
