"""A job runs the code of its own environment, on compute of its own, and reports to the team: the rule `own-code`."""

from __future__ import annotations

import re
from typing import Any

import pulumi_databricks
import pytest
from pulumi._types import input_type_py_to_pulumi_names, input_type_types, is_input_type
from rules import allowed, environments, job_keys, own_code
from rules.environments import DEVELOPMENT, LIVE
from rules.values import UNKNOWN, Secret

from tests.policy_shapes import PRINCIPALS, broken, called, configured, job, token

pytestmark = pytest.mark.usefixtures("configured")
_ = configured

JOB = token("Job")
HOME = "/Workspace/quant_live"


def task(**fields: Any) -> dict[str, Any]:
    return {"tasks": [{"taskKey": "a", **fields}]}


def python(path: str) -> dict[str, Any]:
    return task(sparkPythonTask={"pythonFile": path})


def cluster(**fields: Any) -> dict[str, Any]:
    return {"jobClusters": [{"jobClusterKey": "c", "newCluster": {"sparkVersion": "x", "numWorkers": 1, **fields}}]}


def library(**fields: Any) -> dict[str, Any]:
    return task(libraries=[fields])


def needs(*dependencies: str) -> dict[str, Any]:
    return {"environments": [{"environmentKey": "d", "spec": {"client": "2", "dependencies": list(dependencies)}}]}


ELSEWHERE = [
    # Paths, and ways to write one that lies elsewhere.
    *map(
        python,
        (
            "/Workspace/quant/src/a.py", "/quant/src/a.py", "/Workspace/Users/dana@quant.example/quant_live/a.py",
            "/Workspace/quant_live/../quant/a.py", "/Workspace/quant_live/./../quant/a.py", "/Workspace/quant_live//../a.py",
            "/Workspace/quant_live_old/a.py", "/Workspace/Workspace/quant_live/a.py", "/Volumes/main/quant_live/a.py",
            "dbfs:/quant_live/a.py", "s3://evil/a.py", "abfss://x@evil/a.py", "file:/quant_live/a.py", "src/a.py", "a.py",
            "", "/", "/Workspace", "/quant_live\\..\\a.py", "/quant_live/%2e%2e/quant/a.py", "/quant_live/a\n.py",
            "//quant_live/a.py", "/quant_live//a.py", "/quant_live/./a.py", "/quant_live/", "/quant_live/a/..",
            "a/quant_live/b", "{{job.parameters.file}}", "/quant_live/{{job.parameters.file}}", "/quant_live/${FILE}",
        ),
    ),
    task(notebookTask={"notebookPath": "/Workspace/quant/src/a"}),
    task(notebookTask={"notebookPath": f"{HOME}/a", "source": "GIT"}),
    task(notebookTask={"notebookPath": f"{HOME}/a", "warehouseId": Secret("w")}),
    task(sparkPythonTask={"pythonFile": f"{HOME}/a.py", "source": "GIT"}),
    task(sparkPythonTask={"pythonFile": Secret(f"{HOME}/a.py")}),
    task(sparkPythonTask={"pythonFile": ["/quant_live/a.py"]}),
    task(sparkPythonTask={"pythonFile": f"{HOME}/a.py", "parameters": ["{{secrets/quant/key}}"]}),
    task(dbtTask={"projectDirectory": "/Workspace/quant/dbt", "commands": ["dbt run"]}),
    task(dbtTask={"projectDirectory": HOME, "profilesDirectory": "/Workspace/Shared", "commands": []}),
    task(dbtTask={"projectDirectory": HOME, "commands": [], "warehouseId": ["w"]}),
    task(sqlTask={"file": {"path": "/Workspace/quant/a.sql"}, "warehouseId": "w"}),
    task(sqlTask={"query": {"queryId": "q"}}),
    task(sqlTask={"alert": {"alertId": "q"}}),
    task(sqlTask={"dashboard": {"dashboardId": "q"}}),
    task(sqlTask={"file": {"path": f"{HOME}/a.sql", "source": "GIT"}}),
    task(sparkJarTask={"mainClassName": "x", "jarUri": "dbfs:/x.jar"}),
    *(
        task(sparkSubmitTask={"parameters": parameters})
        for parameters in (
            ["--py-files", "s3://evil/a.py"], ["--jars", f"{HOME}/a.jar,/tmp/b.jar"], ["--conf", "spark.jars=/tmp/x"],
            ["evil.py"], ["--packages", "org.evil:x:1"], ["--repositories=https://evil.example"], [7],
            ["--conf", "spark.executorEnv.PYTHONPATH=x"], ["--conf=spark.hadoop.fs.s3a.access.key=x"],
            ["--proxy-user", "ada"], ["--properties-file", "x.conf"], ["--driver-java-options", "-javaagent"],
        )
    ),
    task(forEachTask={"inputs": "[1]", "task": {"taskKey": "b", "sparkPythonTask": {"pythonFile": "/quant/a.py"}}}),
    task(pipelineTask={"pipelineId": "p"}),
    task(existingClusterId="0101-x"),
    task(cleanRoomsNotebookTask={"cleanRoomName": "x"}),
    task(dbtCloudTask={"dbtCloudJobId": 1}),
    task(genAiComputeTask={"dlRuntimeImage": "evil"}),
    task(sparkPythonTask="/quant_live/a.py"),
    {"gitSource": {"url": "https://evil.example/x", "branch": "quant", "provider": "gitLab"}},
    {"deployment": {"kind": "BUNDLE", "metadataFilePath": "/x"}},
    {"controlRunState": True},
    {"aNewKey": "x"},
    {"tasks": "x"},
    {"parentPath": "/Workspace/quant"},
    {"trigger": {"fileArrival": {"url": "s3://evil/"}}},
    # Packages.
    *(
        needs(one)
        for one in (
            "--index-url=https://evil.example/simple", "--extra-index-url https://evil.example/simple",
            "-i https://evil.example",
            "-f https://evil.example", "--find-links=/tmp", "--trusted-host=evil.example", "--no-index",
            "git+https://evil.example/x",
            "x @ https://evil.example/x.whl", "-r /Workspace/quant/r.txt", "-r requirements.txt",
            "-e git+https://evil.example/x",
            "https://evil.example/x.whl", "/Workspace/Users/dana@quant.example/e.whl", "./x.whl", "../x.whl",
            "pandas --index-url https://evil.example", "pandas\n--index-url https://evil.example",
            "pandas; --index-url x", "", "evil.whl", "evil.ZIP", "evil.tar.bz2", f"{HOME}/x.whl --index-url evil.example",
            f"-r {HOME}/r.txt --extra-index-url evil.example", "pandas @ file:///tmp/x", "${NAME}",
        )
    ),
    {"environments": [{"environmentKey": "d", "spec": {"dependencies": [7]}}]},
    {"environments": [{"environmentKey": "d", "spec": {"dependencies": Secret(["pandas"])}}]},
    {"environments": [{"environmentKey": "d", "spec": {"javaDependencies": ["https://evil.example/x.jar"]}}]},
    {"environments": [{"environmentKey": "d", "spec": {"baseEnvironment": "/Workspace/quant/env.yaml"}}]},
    *(library(**{kind: "/Workspace/quant/x"}) for kind in ("whl", "jar", "egg", "requirements")),
    library(pypi={"package": "evil", "repo": "https://evil.example/simple"}),
    library(pypi={"package": "git+https://evil.example/x"}),
    library(pypi={"package": "evil.tar.gz"}),
    library(maven={"coordinates": "org.evil:x:1", "repo": "https://evil.example"}),
    library(maven={"coordinates": "https://evil.example/x.jar"}),
    library(cran={"package": "evil", "repo": "https://evil.example"}),
    # Compute.
    cluster(instancePoolId="p"), cluster(driverInstancePoolId="p"), cluster(policyId="p"),
    cluster(awsAttributes={"instanceProfileArn": "arn:aws:iam::1:instance-profile/live"}),
    cluster(gcpAttributes={"googleServiceAccount": "x@y"}),
    cluster(dockerImage={"url": "evil/x"}), cluster(singleUserName="ada@quant.example"),
    cluster(singleUserName=PRINCIPALS[DEVELOPMENT]), cluster(dataSecurityMode="NONE"), cluster(sshPublicKeys=["ssh-rsa x"]),
    *(
        cluster(initScripts=[{kind: {"destination": place}}])
        for kind, place in (
            ("s3", "s3://evil/x.sh"), ("workspace", "/Users/dana@quant.example/x.sh"), ("volumes", "/Volumes/x/y.sh"),
            ("dbfs", "dbfs:/x.sh"), ("abfss", "abfss://x"), ("gcs", "gs://x"), ("file", "file:/x.sh"),
        )
    ),
    cluster(clusterLogConf={"dbfs": {"destination": "dbfs:/logs"}}),
    *(
        cluster(sparkConf=conf)
        for conf in (
            {"spark.jars.packages": "org.evil:x:1"}, {"spark.submit.pyFiles": "/tmp/a.py"},
                {"spark.driver.extraClassPath": "/x"},
            {"spark.hadoop.fs.s3a.access.key": "x"}, {"spark.sql.x": "{{secrets/quant/key}}"},
                {"spark.sql.warehouse.dir": "/x"},
            {"spark.executorEnv.PYTHONPATH": "/x"}, {"spark.databricks.acl.dfAclsEnabled": "false"},
            {"spark.databricks.passthrough.enabled": "true"}, {"spark.sql.hive.metastore.jars": "maven"},
            {"spark.databricks.pyspark.enableProcessIsolation": "false"},
            {"spark.databricks.repl.allowedLanguages": "scala"},
        )
    ),
    cluster(sparkConf="x"),
    *(
        cluster(sparkEnvVars={name: "x"})
        for name in ("PYTHONPATH", "PIP_INDEX_URL", "UV_INDEX", "LD_PRELOAD", "PATH", "https_proxy",
            "DATABRICKS_HOST", "PYSPARK_PYTHON", "HOME", "SHELLOPTS", "NODE_OPTIONS", "PERL5LIB", "RUBYOPT", "AWS_PROFILE",
            "AWS_REGION_X", "GOOGLE_APPLICATION_CREDENTIALS", "AZURE_CLIENT_ID", "SSL_CERT_FILE", "CURL_CA_BUNDLE",
            "npm_config_registry", "OPENSSL_CONF", "PROMPT_COMMAND", "XDG_CONFIG_HOME", "BASH_FUNC_x")
    ),
    cluster(sparkEnvVars=Secret({"PYTHONPATH": "/x"})),
    cluster(sparkEnvVars={"KEY": Secret("{{secrets/quant/snowflake_private_key}}")}),
    cluster(sparkConf={"spark.sql.x": Secret("/x")}),
    task(dbtTask={"projectDirectory": HOME, "commands": ["dbt run --project-dir /Workspace/quant/dbt"]}),
    *(
        task(dbtTask={"projectDirectory": HOME, "commands": [command]})
        for command in (
            "dbt run --profiles-dir=../x", "dbt run --profiles-dir ~/x", "bash x.sh", "", "dbtx run", "dbt run; curl x",
            "dbt run && x", "dbt run | x", "dbt run > x", "dbt run < x", "dbt run `x`", "dbt run $(x)", "dbt run\ncurl x", 7,
        )
    ),
    cluster(sparkEnvVars={"KEY": "{{ secrets/quant/snowflake_private_key }}"}),
    cluster(sparkEnvVars={"KEY": "{{secrets / quant / snowflake_private_key}}"}),
    cluster(customTags={"key": "{{secrets/quant/x}}"}),
    task(notebookTask={"notebookPath": f"{HOME}/a", "baseParameters": {"key": "{{secrets/quant/x}}"}}),
    # To whom it reports.
    {"emailNotifications": {"onFailures": ["mallory@evil.example"]}},
    {"emailNotifications": {"onFailures": ["x@quant.example.evil.example"]}},
    {"emailNotifications": {"onSuccesses": ["quant.example"]}},
    *(
        {"emailNotifications": {"onFailures": [address]}}
        for address in (
            "mallory%evil.example@quant.example", "a;b@quant.example", "mallory@evil.example <a@quant.example",
            "a@quant.example,mallory@evil.example", "@quant.example",
        )
    ),
    {"emailNotifications": "mallory@evil.example"},
    task(emailNotifications={"onStarts": ["a@quant.example", "mallory@evil.example"]}),
    {"emailNotifications": {"onFailures": [7]}},
    {"webhookNotifications": {"onSuccesses": [{"id": Secret("someone")}]}},
    {"webhookNotifications": {"onFailures": {"id": 5}}},
    {"webhookNotifications": {"onFailures": [7]}},
    task(webhookNotifications={"onFailures": [{"id": 5}]}),
    # Parameters that name an environment.
    *(
        {"parameters": [{"name": name, "default": default}]}
        for name, default in (
            ("snowflake_schema", "QUANT"), ("Snowflake_Schema", "QUANT"), ("secret_scope", "quant"), ("environment",
                "quant"),
            ("snowflake_user", "SVC_QUANT"), ("snowflake_role", "QUANT_DEPLOYER"), ("snowflake_account", "EVIL-ORG"),
            ("snowflake_database", "OTHER"), ("snowflake_warehouse", "BIG"), (None, "x"),
        )
    ),
    {"parameters": {"name": "snowflake_schema", "default": "QUANT"}},
    {"parameters": [UNKNOWN, {"name": "snowflake_schema", "default": "QUANT"}]},
    {"parameters": [{"default": "x"}, {"name": "snowflake_schema", "default": "QUANT"}]},
    {"parameters": [{"name": "x", "default": "{{secrets/quant/key}}"}]},
    *(
        task(runJobTask={"jobId": 1, "jobParameters": given})
        for given in (
            {"snowflake_schema": "QUANT"}, {"Snowflake_User": "SVC_QUANT"}, {"secret_scope": Secret("quant_live")},
            {"snowflake_schema": "QUANT_{{job.parameters.x}}"}, {"x": "{{secrets/quant/key}}"},
        )
    ),
]  # fmt: skip

OWN = [
    task(sqlTask={"file": {"path": f"{HOME}/a.sql"}, "warehouseId": "w"}),
    task(dbtTask={"projectDirectory": HOME, "commands": ["dbt run"], "warehouseId": "w"}),
    python("/Workspace/quant_live/src/a.py"),
    python("/quant_live/src/a.py"),
    python(HOME),
    task(notebookTask={"notebookPath": f"{HOME}/src/a", "source": "WORKSPACE", "baseParameters": {"x": "y"}}),
    task(dbtTask={"projectDirectory": f"{HOME}/dbt", "commands": ["dbt run"], "schema": "QUANT_LIVE"}),
    task(dbtTask={"projectDirectory": HOME, "commands": ["dbt deps", "dbt run --select a,@b+  --vars '{\"d\": \"$DAY\"}'"]}),
    task(sqlTask={"file": {"path": f"{HOME}/a.sql"}, "parameters": {"x": "y"}}),
    task(sparkSubmitTask={"parameters": ["--class", "x", f"{HOME}/a.jar", "--conf", "spark.sql.shuffle.partitions=8"]}),
    task(sparkJarTask={"mainClassName": "x", "parameters": ["--a", "https://data.example"]}),
    task(pythonWheelTask={"packageName": "p", "entryPoint": "main", "namedParameters": {"a": "b"}}),
    task(forEachTask={"inputs": "[1]", "concurrency": 2, "task": {"taskKey": "b",
        "notebookTask": {"notebookPath": f"{HOME}/a"}}}),
    task(conditionTask={"op": "EQUAL_TO", "left": "1", "right": "2"}, dependsOns=[{"taskKey": "b", "outcome": "true"}]),
    task(runJobTask={"jobId": 1, "jobParameters": {"a": "b"}}, runIf="ALL_DONE", timeoutSeconds=10, maxRetries=1),
    task(runJobTask={"jobId": 1, "jobParameters": {"snowflake_schema": "QUANT_LIVE", "universe": UNKNOWN,
        "secret_scope": "{{ job.parameters.secret_scope }}"}}),
    task(sparkPythonTask={"pythonFile": f"{HOME}/a.py", "parameters": ["{{secrets/quant_live/key}}", "/any/argument"]}),
    needs(
        "pandas", "pandas==2.2.*", "pandas>=2,<3", "pandas[excel]~=2.0", "x; python_version < '3.12'", f"{HOME}/lib/x.whl",
        f"-r {HOME}/requirements.txt", f"-e {HOME}/lib",
    ),
    library(pypi={"package": "pandas==2.0"}), library(maven={"coordinates": "org.x:y_2.12:1.0", "exclusions": ["a:b"]}),
    library(whl=f"{HOME}/x.whl"), library(requirements=f"{HOME}/requirements.txt"),
    cluster(
        dataSecurityMode="SINGLE_USER", singleUserName=PRINCIPALS[LIVE], nodeTypeId="m5", autoscale={"minWorkers": 1,
            "maxWorkers": 2},
        sparkConf={"spark.sql.session.timeZone": "Europe/London", "spark.databricks.delta.preview.enabled": "true"},
        sparkEnvVars={"MODE": "x", "AWS_REGION": "eu-west-1", "RATE": "2",
            "PYSPARK_PYTHON": "/databricks/python3/bin/python3", "KEY": "{{secrets/quant_live/key}}"},
        initScripts=[{"workspace": {"destination": f"{HOME}/init.sh"}}], awsAttributes={"availability": "SPOT",
            "zoneId": "auto"},
        customTags={"team": "quant"}, runtimeEngine="PHOTON",
    ),
    {"emailNotifications": {"onFailures": ["desk@quant.example", "Dana@QUANT.example"], "noAlertForSkippedRuns": True}},
    {"emailNotifications": {"onFailures": [""]}},
    {"schedule": {"quartzCronExpression": "0 0 6 ? * *", "timezoneId": "UTC", "pauseStatus": "PAUSED"},
        "queue": {"enabled": True}},
    {"continuous": {"pauseStatus": "PAUSED"}, "health": {"rules": [{"metric": "x", "op": "GREATER_THAN", "value": 1}]}},
    {"trigger": {"periodic": {"interval": 1, "unit": "DAYS"}}, "tags": {"team": "quant"}, "maxConcurrentRuns": 1},
    {"parameters": [{"name": "snowflake_schema", "default": "QUANT_LIVE"}, {"name": "universe", "default": "TOP50"}]},
    {"tasks": UNKNOWN, "parameters": [UNKNOWN]},
    {"webhookNotifications": {"onFailures": [UNKNOWN, None]}},
    {"environments": [{"environmentKey": "d", "spec": {"dependencies": [UNKNOWN, None, "pandas"]}}]},
]  # fmt: skip


def own_code_says(stack: str, fields: dict[str, Any]) -> list[str]:
    return [one.message for one in broken(stack, JOB, job(stack, **fields)) if one.rule == "own-code"]


@pytest.mark.parametrize("fields", ELSEWHERE, ids=called)
def test_what_comes_from_elsewhere_or_goes_there_is_refused(fields: dict[str, Any]) -> None:
    """One thing of a job of quant_live is not its environment's own: one violation, which names where it stands."""
    found = own_code_says(LIVE, fields)
    assert found and all(re.match(r"Job [A-Za-z(]", one) for one in found), fields


@pytest.mark.parametrize("fields", OWN, ids=called)
def test_what_is_the_environment_s_own_passes(fields: dict[str, Any]) -> None:
    """What a team writes every day needs no list."""
    assert own_code_says(LIVE, fields) == []


LISTED = [
    ("/Volumes/main/wheels/", library(whl="/Volumes/main/wheels/x.whl")),
    ("/Volumes/main/wheels", needs("/Volumes/main/wheels/x.whl")),
    ("https://pypi.example/simple", needs("--index-url https://pypi.example/simple")),
    ("https://pypi.example/?a=b", needs("--extra-index-url=https://pypi.example/?a=b")),
    ("https://pypi.example/?a=b", needs("--find-links  https://pypi.example/?a=b")),
    ("https://pypi.example/simple", needs("-i https://pypi.example/simple", "-f https://pypi.example/simple")),
    ("https://pypi.example/simple", library(pypi={"package": "x", "repo": "https://pypi.example/simple"})),
    ("0101-x", task(existingClusterId="0101-x")),
    ("pool", cluster(instancePoolId="pool")),
    ("arn:aws:iam::1:instance-profile/jobs",
        cluster(awsAttributes={"instanceProfileArn": "arn:aws:iam::1:instance-profile/jobs"})),
    ("s3://init/", cluster(initScripts=[{"s3": {"destination": "s3://init/x.sh"}}])),
    ("p", task(pipelineTask={"pipelineId": "p"})),
    ("7", task(pipelineTask={"pipelineId": 7.0})),
    ("PIP_INDEX_URL", cluster(sparkEnvVars={"PIP_INDEX_URL": "x"})),
    ("spark.jars.packages", cluster(sparkConf={"spark.jars.packages": "org.x:y:1"})),
    ("partner.example", {"emailNotifications": {"onFailures": ["desk@partner.example"]}}),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "fields"), LISTED, ids=[str(fields)[:60] for _, fields in LISTED])
def test_a_reviewed_list_allows_what_is_not_the_environment_s_own(
    entry: str, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry of policy/allowed.yaml for quant_live allows it there; without it, it is refused."""
    assert own_code_says(LIVE, fields)
    listed = allowed.parse({"references": {LIVE: {"paths": [entry]}}, "mail_domains": ["quant.example"]}, "allowed.yaml")
    monkeypatch.setattr(environments, "_listed", lambda: listed)
    environments.named.cache_clear()
    assert own_code_says(LIVE, fields) == []


HOOKS = [
    {"webhookNotifications": {"onFailures": [{"id": "ours"}]}},
    task(webhookNotifications={"onSuccesses": [{"id": "ours"}]}),
    task(alertTask={"alertId": "ours", "subscribers": [{"destinationId": "ours"}]}),
]


@pytest.mark.parametrize("fields", HOOKS, ids=str)
def test_webhooks_are_the_workspaces_own_unless_a_list_says_which(
    fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the reader of definitions has it: any destination, or those that are listed; in quant_live by the pack."""

    def says(stack: str, reviewed: list[str] | None, setting: str | None = None) -> list[str]:
        lists = {"queries": ["ours"], **({} if reviewed is None else {"webhooks": reviewed})}
        listed = allowed.parse({"references": {stack: lists}}, "allowed.yaml")
        monkeypatch.setattr(environments, "_listed", lambda: listed)
        environments.configure(stack, {"quant:allowed": setting} if setting else {})
        return [one for one in own_code_says(stack, fields) if "destination" in one]

    for stack in (DEVELOPMENT, LIVE):
        assert says(stack, None) == [] == says(stack, ["ours"])
        assert len(says(stack, ["theirs"])) == 1 == len(says(stack, []))
    assert says(DEVELOPMENT, None, '{"webhooks": ["theirs"]}') and not says(LIVE, None, '{"webhooks": ["theirs"]}')
    assert not says(DEVELOPMENT, ["theirs"], '{"webhooks": ["ours"]}') and says(LIVE, ["theirs"], '{"webhooks": ["ours"]}')


def test_a_cluster_is_the_principal_s_in_any_spelling() -> None:
    """Its application id has letters."""
    environments.configure(LIVE, {"quant:servicePrincipal": "00000000-0000-4000-8000-0000000000Ab"})
    assert own_code_says(LIVE, cluster(singleUserName="00000000-0000-4000-8000-0000000000aB")) == []
    assert own_code_says(LIVE, cluster(singleUserName="00000000-0000-4000-8000-0000000000ac"))


def test_an_address_is_told_which_domains_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that are listed, or none."""
    for domains, words in (([], "an address of none."), (["b.example", "a.example"], "an address of a.example, b.example.")):
        listed = allowed.parse({"mail_domains": domains}, "allowed.yaml")
        monkeypatch.setattr(environments, "_listed", lambda listed=listed: listed)
        environments.named.cache_clear()
        [told] = own_code_says(LIVE, {"emailNotifications": {"onFailures": ["ada@quant.example"]}})
        assert words in told


def test_in_quant_live_the_setting_counts_for_nothing() -> None:
    """quant:allowed is written by whoever changes a stack file; elsewhere it counts, in quant_live the pack's list alone."""
    fields = task(existingClusterId="0101-x")
    for stack in (DEVELOPMENT, LIVE):
        environments.configure(stack, {"quant:allowed": '{"clusters": ["0101-x"]}'})
    assert own_code_says(DEVELOPMENT, fields) == []
    [in_live] = own_code_says(LIVE, fields)
    assert in_live.endswith(" Or list it for quant_live in policy/allowed.yaml.")
    environments.configure(DEVELOPMENT, {"quant:allowed": "not JSON"})
    [in_quant] = own_code_says(DEVELOPMENT, fields)
    assert in_quant.endswith(" Or list it for quant in policy/allowed.yaml or quant:allowed.")


def test_an_entry_is_no_way_out_of_it() -> None:
    """A listed folder does not allow its parent, a neighbour with the same beginning, or a way out with dots."""
    environments.configure(DEVELOPMENT, {"quant:allowed": '{"paths": ["/Volumes/main/wheels/", "/Volumes/X"]}'})
    for path in (
        "/Volumes/main", "/Volumes/main/wheels2/x.whl", "/Volumes/main/wheels/../x.whl", "/Volumes/main/wheelsx",
        "/Volumes/main/wheels/./x.whl", "/Volumes/x.whl", "/Volumes/XX/x.whl",
    ):  # fmt: skip
        assert own_code_says(DEVELOPMENT, library(whl=path)), path
    assert own_code_says(DEVELOPMENT, library(whl="/Volumes/main/wheels/a/x.whl")) == []


# What the SDK has and the rule refuses until somebody has judged it.
UNJUDGED = frozenset(
    {
        "aiRuntimeTask", "alwaysRunning", "attachment", "basicAuth", "cannedAcl", "capacityReservationGroup",
        "cleanRoomsNotebookTask", "clusterId", "clusterMountInfos", "confidentialComputeType", "controlRunState",
        "dbtCloudTask", "dbtPlatformTask", "filters", "genAiComputeTask", "idempotencyToken", "kmsKey",
        "logAnalyticsInfo", "maintenanceWindow", "model", "powerBiTask", "projectEnvironment", "providerConfig",
        "pythonOperatorTask", "runAsRepl", "serverlessComputeId", "sqlCondition", "sshPublicKeys", "triggers",
    }
)  # fmt: skip


def test_every_key_of_the_sdk_is_judged_or_refused() -> None:
    """A key that a new SDK brings is refused, and this test asks for a judgement; keys below a refused one count with it."""
    judged = {key.rpartition(".")[2] for key in own_code._JUDGED} | job_keys.FREE
    known = judged | job_keys.OBJECTS
    unknown: set[str] = set()
    seen: set[type] = set()

    def walk(kind: Any) -> None:
        if isinstance(kind, type) and is_input_type(kind) and kind not in seen:
            seen.add(kind)
            types = input_type_types(kind)
            for wire in input_type_py_to_pulumi_names(kind).values():
                if wire in types:
                    if wire not in known:
                        unknown.add(wire)
                    elif wire not in judged:
                        walk(types[wire])
        for inner in getattr(kind, "__args__", ()):
            walk(inner)

    walk(pulumi_databricks.JobArgs)
    assert unknown == UNJUDGED


def test_the_list_is_read_or_the_pack_does_not_start(tmp_path: Any) -> None:
    """A list that is no such list allows nothing, and says why."""
    file = tmp_path / "allowed.yaml"
    for text, words in (
        ("types: [x]", "types and references"),
        ("colour: red", "types"),
        ("types: {snowflake:Execute: any}", "snowflake:Execute"),
        ("types: {snowflake:Table: all}", "snowflake:Table"),
        ("references: {quant_live: ['/']}", "references.quant_live"),
        ("references: {quant_live: {paths: [7]}}", "references.quant_live"),
        ("mail_domains: x", "mail_domains"),
        ("mail_domains: ['']", "mail_domains"),
        ("[", "cannot be read"),
        ("- a", "expected the keys"),
    ):
        file.write_text(text)
        with pytest.raises(allowed.Malformed, match=re.escape(words)):
            allowed.read(file)
    with pytest.raises(allowed.Malformed):
        allowed.read(tmp_path / "missing.yaml")
    file.write_text("types: {snowflake:Table: any, snowflake:Schema: [logLevel]}")
    read = allowed.read(file)
    assert read.types == {"snowflake:Table": None, "snowflake:Schema": frozenset({"logLevel"})}


def test_a_team_adds_a_type_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the list names passes `known-type`, with the properties that it names; secrets and `protect` are judged still."""
    listed = allowed.parse({"types": {"snowflake:Table": ["name"], "snowflake:View": "any"}}, "allowed.yaml")
    monkeypatch.setattr(environments, "_listed", lambda: listed)
    environments.named.cache_clear()
    table, view = token("Table"), token("View")
    assert broken(LIVE, table, {"name": "T"}) == [] == broken(LIVE, view, {"anything": 1})
    assert [one.rule for one in broken(LIVE, table, {"name": "T", "clusterBies": ["A"]})] == ["known-type"]
    assert [one.rule for one in broken(LIVE, view, {"password": "x"}, is_protected=False)] == ["plain-secrets", "protected"]
    assert [one.rule for one in broken(LIVE, token("Stage"), {})] == ["known-type"]
