"""Files run their own environment: paths, compute, other people's things, addresses. The settings name what else may be."""

from __future__ import annotations

from typing import Any

import pytest

from infra.errors import UserError
from infra.vocabulary import Environment
from tests.test_settings import read
from tests.workflows import FILE, expand, job, reading, refusal, task

CLUSTER = {"spark_version": "15.4.x-scala2.12", "num_workers": 1}


def cluster(**more: Any) -> dict[str, Any]:
    return job(job_clusters=[{"job_cluster_key": "c", "new_cluster": {**CLUSTER, **more}}])


def libraries(*libraries: dict[str, Any]) -> dict[str, Any]:
    return job({"libraries": list(libraries)})


def needs(*dependencies: str) -> dict[str, Any]:
    return job(
        environments=[{"environment_key": "e", "spec": {"environment_version": "2", "dependencies": list(dependencies)}}]
    )


def python(path: str, **more: Any) -> dict[str, Any]:
    return task("spark_python_task", python_file=path, **more)


OUTSIDE = [
    python("/Workspace/quant_live/src/a.py"),
    python("/Workspace/Users/dana@quant.example/quant/src/a.py"),
    python("/Workspace/quant_stg/../quant_live/src/a.py"),
    python("//Workspace/quant_live/src/a.py"),
    python("/quant_live/src/a.py"),
    python("/Workspace/quant_stg2/src/a.py"),
    python("dbfs:/tmp/a.py"),
    python("s3://other/a.py"),
    python("file:/Workspace/quant_stg/src/a.py"),
    python("../../quant_live/src/a.py"),
    task("notebook_task", notebook_path="/Repos/somebody/repo/notebook"),
    task("notebook_task", notebook_path="{{job.parameters.path}}"),
    task("dbt_task", commands=["dbt run"], project_directory="/Workspace/quant_live"),
    task("dbt_task", commands=["dbt run"], project_directory="src", profiles_directory="../../quant_live"),
    task("sql_task", warehouse_id="w", file={"path": "/Workspace/Shared/q.sql"}),
    task("spark_jar_task", main_class_name="x", jar_uri="dbfs:/x.jar"),
    task("spark_submit_task", parameters=["--py-files", "s3://other/a.py", "src/a.py"]),
    task("spark_submit_task", parameters=["--class", "x", "dbfs:/x.jar", "an argument"]),
    task(
        "spark_submit_task",
        parameters=["--repositories", "http://other/maven", "--class", "x", "/Workspace/quant_stg/src/a.py"],
    ),
    libraries({"whl": "/Workspace/Users/dana@quant.example/e.whl"}),
    libraries({"jar": "/Volumes/main/other/x.jar"}),
    libraries({"requirements": "/Workspace/Shared/requirements.txt"}),
    libraries({"pypi": {"package": "x", "repo": "http://other/simple"}}),
    libraries({"pypi": {"package": "x @ git+https://other/x"}}),
    libraries({"maven": {"coordinates": "a:b:1", "repo": "http://other/maven"}}),
    libraries({"whl": "dist/*.whl"}, {"whl": "../build/*.whl"}),
    needs("--index-url=http://other/simple"),
    needs("--extra-index-url http://other/simple"),
    needs("-i http://other/simple"),
    needs("--no-deps"),
    needs("-r /Workspace/Users/dana@quant.example/r.txt"),
    needs("-r missing.txt"),
    needs("-e ../elsewhere"),
    needs("git+https://other/x"),
    needs("x @ https://other/x.whl"),
    needs("https://other/x.whl"),
    needs("/Volumes/main/other/x.whl"),
    needs("./dist/missing.whl"),
    needs("../dist/*.whl", "../build/*.whl"),
    needs("file:///tmp/x.whl"),
    cluster(init_scripts=[{"s3": {"destination": "s3://other/x.sh"}}]),
    cluster(init_scripts=[{"workspace": {"destination": "/Users/dana@quant.example/x.sh"}}]),
    cluster(aws_attributes={"instance_profile_arn": "arn:aws:iam::1:instance-profile/live"}),
    cluster(gcp_attributes={"google_service_account": "live@x.iam"}),
    cluster(instance_pool_id="pool"),
    cluster(docker_image={"url": "other/x"}),
    cluster(single_user_name="ada@quant.example"),
    cluster(spark_conf={"spark.jars": "s3://other/x.jar"}),
    cluster(spark_env_vars={"PIP_INDEX_URL": "http://other/simple"}),
    cluster(spark_env_vars={"K": "{{secrets/quant_live/snowflake_private_key}}"}),
    python("src/a.py", parameters=["{{secrets/quant_live/snowflake_private_key}}"]),
    job({"existing_cluster_id": "0101-x"}),
    task("run_job_task", job_id=123),
    task("pipeline_task", pipeline_id="abc"),
    task("sql_task", warehouse_id="w", query={"query_id": "q"}),
    task("sql_task", warehouse_id="w", alert={"alert_id": "q"}),
    task("dashboard_task", dashboard_id="q"),
    job(email_notifications={"on_failure": ["mallory@evil.example"]}),
    job(email_notifications={"on_failure": ["quant.example"]}),
    job(email_notifications={"on_failure": ["a@quant.example, mallory@evil.example"]}),
    job(email_notifications={"on_failure": ["a@quant.example.evil.example"]}),
    job({"email_notifications": {"on_start": ["mallory@evil.example"]}}),
    python("src/a.py", source="GIT"),
]


@pytest.mark.parametrize("file", OUTSIDE, ids=[str(number) for number in range(len(OUTSIDE))])
def test_what_is_not_the_environments_own_is_refused(file: dict[str, Any]) -> None:
    """Whatever the stack."""
    for stack in ("quant_stg", "quant"):
        assert refusal({**file, "per_environment": {"quant_live": {"timeout_seconds": 1}}}, stack=stack)


ALLOWED = {
    "paths": ["/Volumes/main/other/", "/Workspace/Shared/q.sql", "/Workspace/Shared/requirements.txt", "s3://other/"],
    "initScripts": ["s3://other/x.sh"],
    "clusters": ["0101-x"],
    "instancePools": ["pool"],
    "instanceProfiles": ["arn:aws:iam::1:instance-profile/live"],
    "images": ["other/x"],
    "jobs": ["123"],
    "pipelines": ["abc"],
    "queries": ["q"],
    "packageIndexes": ["http://other/simple", "https://other/", "http://other/maven"],
    "mailDomains": ["evil.example"],
}


@pytest.mark.parametrize(
    "file",
    [
        python("s3://other/a.py"),
        task("sql_task", warehouse_id="w", file={"path": "/Workspace/Shared/q.sql"}),
        libraries({"jar": "/Volumes/main/other/x.jar"}, {"requirements": "/Workspace/Shared/requirements.txt"}),
        libraries(
            {"pypi": {"package": "x", "repo": "http://other/simple"}}, {"pypi": {"package": "x @ git+https://other/x"}}
        ),
        needs(
            "--index-url=http://other/simple", "git+https://other/x", "x @ https://other/x.whl", "/Volumes/main/other/x.whl"
        ),
        cluster(
            init_scripts=[{"s3": {"destination": "s3://other/x.sh"}}],
            instance_pool_id="pool",
            docker_image={"url": "other/x"},
        ),
        cluster(aws_attributes={"instance_profile_arn": "arn:aws:iam::1:instance-profile/live"}),
        cluster(spark_conf={"spark.jars": "s3://other/x.jar"}, spark_env_vars={"PIP_INDEX_URL": "http://other/simple"}),
        job({"existing_cluster_id": "0101-x"}),
        task("run_job_task", job_id=123),
        task("pipeline_task", pipeline_id="abc"),
        task("sql_task", warehouse_id="w", query={"query_id": "q"}),
        job(email_notifications={"on_failure": ["Mallory@Evil.example"]}),
    ],
)
def test_what_the_settings_name_is_allowed(file: dict[str, Any]) -> None:
    """quant:allowed, one list a kind."""
    assert expand(file, allowed=ALLOWED)
    refusal(file, allowed={"mailDomains": ["quant.example"]})


def test_the_list_names_no_more_than_it_says() -> None:
    """A folder is not one whose name begins alike, and .. leads nowhere."""
    allowed = {"paths": ["/Volumes/main/libraries"]}
    assert expand(libraries({"whl": "/Volumes/main/libraries/x.whl"}), allowed=allowed)
    for path in ("/Volumes/main/libraries2/x.whl", "/Volumes/main/libraries/../x.whl", "dbfs:/Volumes/main/libraries/x.whl"):
        refusal(libraries({"whl": path}), allowed=allowed)


@pytest.mark.parametrize(
    ("allowed", "word"),
    [
        ('{"paths": ["/"]}', "for example /Volumes"),
        ('{"paths": ["relative/x"]}', "for example /Volumes"),
        ('{"paths": ["/Workspace/quant/../quant_live"]}', "without .."),
        ('{"packageIndexes": ["internal"]}', "https://packages.example/simple"),
        ('{"mailDomains": ["@quant.example"]}', "for example quant.example"),
        ('{"path": []}', "allowed are clusters"),
    ],
)
def test_a_list_that_would_name_everything_is_refused(allowed: str, word: str) -> None:
    """With what a good one looks like."""
    with pytest.raises(UserError) as raised:
        read("quant", allowed=allowed)
    assert word in str(raised.value)


def test_a_workflow_file_and_its_ways_of_naming_files() -> None:
    """From the root, from itself, absolute in its own folder with or without /Workspace; notebooks without ending."""
    for path in ("src/a.py", "../../src/a.py", "./../../src/a.py", "/Workspace/quant_stg/src/a.py", "/quant_stg/src/./a.py"):
        [one] = reading({"workflows/team/x.yml": python(path)}).workflows
        assert one.job["tasks"][0]["spark_python_task"]["python_file"] == "/Workspace/quant_stg/src/a.py", path
    for path in ("src/note", "src/note.ipynb", "/Workspace/quant_stg/src/note"):
        [made] = expand(task("notebook_task", notebook_path=path))
        assert made["tasks"][0]["notebook_task"]["notebook_path"] == "/Workspace/quant_stg/src/note"
    for path, found in ((".", "/Workspace/quant_stg"), ("src", "/Workspace/quant_stg/src")):
        [made] = expand(task("dbt_task", commands=["dbt run"], project_directory=path))
        assert made["tasks"][0]["dbt_task"]["project_directory"] == found


def test_what_is_installed_from_the_repository() -> None:
    """Requirements, editable packages and wheels that are committed; a pattern is every file that it matches."""
    lines = ["pandas>=2,<3", "-r requirements.txt", "-e .", "../dist/own.whl", "dist/*.whl", "x[y]==1.*"]
    [made] = expand(needs(*lines))
    folder = "/Workspace/quant_stg"
    found = made["environments"][0]["spec"]["dependencies"]
    assert found == [
        lines[0],
        f"-r {folder}/requirements.txt",
        f"-e {folder}",
        f"{folder}/dist/own.whl",
        f"{folder}/dist/own.whl",
        lines[5],
    ]
    [made] = expand(libraries({"whl": "../dist/*.whl"}, {"pypi": {"package": "x"}}))
    assert made["tasks"][0]["libraries"] == [{"whl": f"{folder}/dist/own.whl"}, {"pypi": {"package": "x"}}]


def test_a_wheel_that_is_built_gets_the_way_it_is_deployed() -> None:
    """It is in no commit."""
    said = refusal(libraries({"whl": "../build/own-1.0.whl"}))
    assert "put into a volume by the pipeline that builds it" in said


def test_a_live_only_path_is_refused_in_every_stack() -> None:
    """A personal folder is nobody's production."""
    change = {
        "tasks": [{"task_key": "t0", "spark_python_task": {"python_file": "/Workspace/Users/dana@quant.example/a.py"}}]
    }
    for stack in Environment:
        assert (
            "per_environment.quant_live" in refusal({**job(), "per_environment": {"quant_live": change}}, stack=stack)
            or stack == "quant_live"
        )


def test_values_of_the_settings_are_allowed() -> None:
    """Who named an id in quant:variables has allowed it."""
    assert expand(task("pipeline_task", pipeline_id="abc"), variables={"resources.pipelines.x.id": "abc"})


def test_webhooks_are_the_workspaces_own_unless_a_list_says_which() -> None:
    """Destinations are made by its administrators."""
    hook = job(webhook_notifications={"on_failure": [{"id": "someone"}]})
    assert expand(hook)
    assert "quant:allowed.webhooks" in refusal(hook, allowed={"webhooks": ["ours"]})
    assert FILE
