"""A team's estate made by hand: Git folders, jobs from the UI, permissions and grants one by one, tables, users with keys.

Nothing here knows the product: it is made with the vendors' clients, as administrators and developers would.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from databricks.sdk.service.iam import GrantRule, RuleSetUpdateRequest
from snowflake.connector.errors import ProgrammingError

from sandbox.identities import ADMIN
from tests import warm
from tests.conftest import Team, shell
from tests.paths import ROOT

Json = dict[str, Any]
ENVS = ("quant", "quant_stg", "quant_lr", "quant_live")
_SOURCE = ROOT / "examples" / "pipelines"
_NOT_COPIED = shutil.ignore_patterns(".venv", ".git", ".sandbox", "__pycache__", ".*_cache", "adoption", "node_modules")


@dataclass(frozen=True)
class Style:
    """How a team called things and what it has: the first as it was found, the second different in each point."""

    job_names: Mapping[str, str]
    role: str = "{ENV}_RW"
    live_role: str = "QUANT_LIVE_SVC"
    user: str = "SVC_{ENV}"
    scope: str = "{env}"
    cluster: str = ""
    tables_of: str = ""  # a person's role that owns a table
    more: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # job -> the environments that alone have it
    says: Mapping[str, Json] = field(default_factory=dict)  # what the team's stack files say besides

    def warehouse(self, env: str) -> str:
        return str(self.says.get(env, {}).get("warehouse", "QUANT_WH"))

    def role_of(self, env: str) -> str:
        return (self.live_role if env == "quant_live" else self.role).format(ENV=env.upper())


FOUND = Style({"quant": "{}", "quant_stg": "{} [STG]", "quant_lr": "LR {}", "quant_live": "PROD - {}"})
OTHER = Style(
    {"quant": "dev/{}", "quant_stg": "uat/{}", "quant_lr": "canary/{}", "quant_live": "{}"},
    role="PIPELINES_{ENV}",
    live_role="PIPELINES_PRODUCTION",
    user="JOBS_{ENV}",
    scope="{env}-secrets",
    cluster="1105-201500-shared7",
    tables_of="DANAS_OWN",
    more={"data_quality": ("quant", "quant_stg")},
    says={
        "quant": {"groups": "managed", "secrets": ["slack_webhook"]},
        "quant_stg": {
            "warehouse": "STG_WH",
            "managedWarehouse": {"size": "SMALL", "autoSuspendSeconds": 60},
            "allowedAddresses": ["10.0.0.0/8", "127.0.0.1"],
        },
    },
)


@dataclass
class Estate:
    """What was made, and the shell and project of whoever adopts it."""

    team: Team
    project: Path
    style: Style
    folders: dict[str, int] = field(default_factory=dict)
    jobs: dict[str, int] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def key(self, env: str) -> str:
        """The private key of the jobs' user, as somebody made it once: PEM."""
        if env not in self.keys:
            made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            self.keys[env] = made.private_bytes(serialization.Encoding.PEM, form, plain).decode()
        return self.keys[env]

    def quantctl(self, *words: str, as_admin: bool = False) -> subprocess.CompletedProcess[str]:
        """The command line in the team's project; an administrator's shell sees the whole account."""
        return warm.quantctl(*words, environ=self.shell(as_admin=as_admin))

    def shell(self, *, as_admin: bool = False) -> dict[str, str]:
        """Its variables."""
        return self.team.environ | (self.team.admin() if as_admin else {})

    def sql(self, *statements: str) -> list[list[tuple[Any, ...]]]:
        """Statements as the account's administrator."""
        with self.team.snowflake("admin") as connection:
            return [connection.cursor().execute(one).fetchall() for one in statements]

    def rows(self, table: str) -> int:
        """How many it has; an administrator who is not above its owner's role takes that role to look."""
        count = f"SELECT COUNT(*) FROM {table}"
        [grants] = self.sql(f"SHOW GRANTS ON TABLE {table}")
        owner = next(str(row[5]) for row in grants if row[1] == "OWNERSHIP")
        try:
            [[[found]]] = self.sql(count)
        except ProgrammingError:
            _, [[found]], _ = self.sql(
                f"GRANT ROLE {owner} TO ROLE ACCOUNTADMIN", count, f"REVOKE ROLE {owner} FROM ROLE ACCOUNTADMIN"
            )
        return int(found)

    def api(self, who: str, method: str, path: str, body: Json | None = None, **query: Any) -> Json:
        """A request of the workspace's REST API."""
        found: Json = self.team.workspace(who).api_client.do(method, path, body=body, query=query or None)
        return found

    def principal(self, env: str) -> str:
        return str(self.team.credentials[f"service_principal:{env}"]["databricks_user"])

    def facts(self, env: str) -> Json:
        """What must be as it was: ids, runs, rows, secrets, keys and grants."""
        jobs = {name: number for name, number in self.jobs.items() if name.startswith(f"{env}/")}
        listed = {int(one["job_id"]) for one in self.api("admin", "GET", "/api/2.2/jobs/list", limit=100)["jobs"]}
        runs = {
            name: [
                run["run_id"] for run in self.api("admin", "GET", "/api/2.2/jobs/runs/list", job_id=number).get("runs", [])
            ]
            for name, number in jobs.items()
        }
        scope, schema = self.style.scope.format(env=env), f"QUANT.{env.upper()}"
        secrets = self.api("admin", "GET", "/api/2.0/secrets/list", scope=scope)["secrets"]
        tables = ("FACTOR_RETURNS", "POSITIONS")
        rows = [self.rows(f"{schema}.{table}") for table in tables]
        on = [f"SCHEMA {schema}", *(f"TABLE {schema}.{table}" for table in tables)]
        grants = [(row[1], row[2], row[3], row[4], row[5]) for what in on for row in self.sql(f"SHOW GRANTS ON {what}")[0]]
        user = {str(row[0]): str(row[1]) for row in self.sql(f"DESCRIBE USER {self.style.user.format(ENV=env.upper())}")[0]}
        return {
            "jobs": {name: number in listed for name, number in jobs.items()},
            "runs": runs,
            "folder": self.team.git_folder(f"/pipelines/{env}", "admin").id,
            "secrets": sorted(one["key"] for one in secrets),
            "rows": rows,
            "grants": {one for one in map(str, grants) if "OWNERSHIP" not in one and "MANAGE GRANTS" not in one},
            "user": {key: user[key] for key in ("LOGIN_NAME", "RSA_PUBLIC_KEY", "DEFAULT_ROLE")},
        }


@contextmanager
def by_hand(folder: Path, style: Style) -> Iterator[Estate]:
    """A sandbox of its own with the estate in it, and a copy of the project."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    project = folder / "project"
    shutil.copytree(ROOT, project, ignore=_NOT_COPIED)
    (project / ".venv").symlink_to(ROOT / ".venv")
    base = {**usual, "QUANT_SANDBOX": str(folder / "state"), "QUANT_PROJECT": str(project)}
    base |= {"XDG_CONFIG_HOME": str(folder / "config"), "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", "")}
    quantctl = str(ROOT / ".venv" / "bin" / "quantctl")
    subprocess.run([quantctl, "sandbox", "start"], env=base, check=True, capture_output=True)
    try:
        environ = shell(base)
        _remote(folder, environ)
        listed = subprocess.run(
            [quantctl, "sandbox", "credentials", "--format", "json"], env=base, check=True, capture_output=True, text=True
        )
        credentials = {entry["persona"]: entry for entry in json.loads(listed.stdout)}
        for env, said in style.says.items():
            file = project / f"Pulumi.{env}.yaml"
            lines = "".join(f"  quant:{key}: {json.dumps(value)}\n" for key, value in said.items())
            file.write_text(file.read_text().replace("config:\n", f"config:\n{lines}", 1))
        made = Estate(Team(environ, folder / "pipelines", credentials), project, style)
        _make(made)
        yield made
    finally:
        subprocess.run([quantctl, "sandbox", "stop"], env=base, check=False, capture_output=True)


def _remote(folder: Path, environ: Mapping[str, str]) -> None:
    """Code without workflow files; the four branches at three different commits of one history."""
    work = folder / "pipelines"
    work.mkdir()
    shutil.copytree(_SOURCE / "src", work / "src", ignore=shutil.ignore_patterns("__pycache__"))
    bare = Path(environ["QUANT_SANDBOX"]) / "remote.git"
    identity = {"GIT_AUTHOR_NAME": "Dana", "GIT_AUTHOR_EMAIL": "dana@quant.example", "GIT_CONFIG_GLOBAL": os.devnull}
    identity |= {"GIT_COMMITTER_NAME": "Dana", "GIT_COMMITTER_EMAIL": "dana@quant.example"}

    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=work, env={**environ, **identity}, check=True, capture_output=True)

    git("init", "-q", "--initial-branch=quant")
    for number, branches in enumerate((("quant_live", "quant_lr"), ("quant_stg",), ("quant",))):
        (work / "CHANGES.md").write_text("".join(f"- change {one}\n" for one in range(number + 1)))
        git("add", "-A")
        git("commit", "-q", "-m", f"Change {number}")
        for branch in branches:
            git("branch", "-f", f"at/{branch}")
    if not (bare / "HEAD").exists():
        git("init", "-q", "--bare", "--initial-branch=quant", str(bare))
    git("push", "-q", str(bare), "refs/heads/at/*:refs/heads/*")
    git("remote", "add", "origin", environ["QUANT_REMOTE"])


def _make(estate: Estate) -> None:
    estate.api("admin", "POST", "/api/2.0/workspace/mkdirs", {"path": "/pipelines"})
    for env in ENVS:
        _may_use(estate, env)
        _folder(estate, env)
        _jobs(estate, env)
        _account(estate, env)
        _secrets(estate, env)
    for name in ("quant_live/factor_returns", "quant_live/positions_snapshot", "quant/factor_returns"):
        estate.api("admin", "POST", "/api/2.2/jobs/run-now", {"job_id": estate.jobs[name]})
    for run in estate.api("admin", "GET", "/api/2.2/jobs/runs/list")["runs"]:  # they create tables, which have to be there
        estate.team.workspace("admin").jobs.wait_get_run_job_terminated_or_skipped(run["run_id"])


def _may_use(estate: Estate, env: str) -> None:
    """Whoever lets a job run as a principal has the role for it: administrators too."""
    proxy = estate.team.workspace("admin").account_access_control_proxy
    name = f"accounts/any/servicePrincipals/{estate.principal(env)}/ruleSets/default"
    before = proxy.get_rule_set(name, "")
    rules = [*(before.grant_rules or []), GrantRule("roles/servicePrincipal.user", [f"users/{ADMIN.user_name}"])]
    proxy.update_rule_set(name, RuleSetUpdateRequest(name, before.etag, rules))


def _folder(estate: Estate, env: str) -> None:
    body = {"url": estate.team.environ["QUANT_REMOTE"], "provider": "gitLab", "path": f"/pipelines/{env}"}
    number = int(estate.api("admin", "POST", "/api/2.0/repos", body)["id"])
    estate.api("admin", "PATCH", f"/api/2.0/repos/{number}", {"branch": env})
    level = "CAN_MANAGE" if env == "quant" else "CAN_READ"
    entries = [
        {"group_name": "quant-developers", "permission_level": level},
        {"service_principal_name": estate.principal(env), "permission_level": "CAN_READ"},
    ]
    estate.api("admin", "PUT", f"/api/2.0/permissions/repos/{number}", {"access_control_list": entries})
    estate.folders[env] = number


def _definitions(estate: Estate, env: str) -> dict[str, Json]:
    """The jobs of one environment, with literals where the product would have parameters."""
    read = {p.stem: yaml.safe_load(p.read_text()) for p in sorted((_SOURCE / "workflows").glob("*.yml"))}
    read["eod_cleanup"] = _simple("src/positions_snapshot.py", "clean", "0 0 23 * * ?")
    for name, envs in estate.style.more.items():
        if env in envs:
            read[name] = _simple("src/check_factor_returns.py", "check", "0 15 6 * * ?")
    style, literals = estate.style, _literals(estate, env)
    for name, job in read.items():
        job.pop("per_environment", None)
        job["name"], job["format"] = style.job_names[env].format(name), "MULTI_TASK"
        for task in job["tasks"]:
            python = task["spark_python_task"]
            python["python_file"] = f"/Workspace/pipelines/{env}/{python['python_file']}"
            for key, value in literals.items():
                marked = f"{{{{job.parameters.{key}}}}}"
                python["parameters"] = [one.replace(marked, value) for one in python.get("parameters", [])]
        if style.cluster and name == "risk_model":
            for task in job["tasks"]:
                task["existing_cluster_id"] = task.pop("environment_key") and style.cluster
            del job["environments"]
        if "schedule" in job:
            job["schedule"]["pause_status"] = "PAUSED" if env in ("quant", "quant_lr") else "UNPAUSED"
        if env == "quant_live":
            job["email_notifications"] = {"on_failure": ["oncall@quant.example"]}
            job["timeout_seconds"], job["tags"] = 7200, {"team": "quant", "env": "prod"}
    if env == "quant_live":
        read["risk_model"]["tasks"][-1]["max_retries"] = 3
    if env == "quant_stg":
        [threshold] = [one for one in read["signal_report"]["parameters"] if one["name"] == "threshold"]
        threshold["default"] = "0.01"
    return read


def _simple(file: str, task: str, cron: str) -> Json:
    return {
        "schedule": {"quartz_cron_expression": cron, "timezone_id": "Europe/London"},
        "timeout_seconds": 600,
        "tasks": [{"task_key": task, "spark_python_task": {"python_file": file}, "environment_key": "default"}],
        "environments": [{"environment_key": "default", "spec": {"client": "2", "dependencies": ["databricks-sdk"]}}],
    }


def _literals(estate: Estate, env: str) -> dict[str, str]:
    return {
        "snowflake_account": "QUANTORG-SANDBOX",
        "snowflake_user": estate.style.user.format(ENV=env.upper()),
        "snowflake_role": estate.style.role_of(env),
        "snowflake_database": "QUANT",
        "snowflake_schema": env.upper(),
        "snowflake_warehouse": estate.style.warehouse(env),
        "secret_scope": estate.style.scope.format(env=env),
    }


def _jobs(estate: Estate, env: str) -> None:
    for name, job in _definitions(estate, env).items():
        by_person = env == "quant"
        job["run_as"] = (
            {"user_name": "dana@quant.example"} if by_person else {"service_principal_name": estate.principal(env)}
        )
        body = copy.deepcopy(job)
        made = estate.api("developer" if by_person else "admin", "POST", "/api/2.2/jobs/create", body)
        number = estate.jobs[f"{env}/{name}"] = int(made["job_id"])
        entries: list[Json] = [{"group_name": "quant-developers", "permission_level": "CAN_MANAGE_RUN"}]
        if by_person:
            entries[0]["permission_level"] = "CAN_MANAGE"
        if env == "quant_live":
            entries = [
                {"user_name": "dana@quant.example", "permission_level": "CAN_MANAGE"},
                {"group_name": "quant-support", "permission_level": "CAN_MANAGE_RUN"},
            ]
        estate.api("admin", "PATCH", f"/api/2.0/permissions/jobs/{number}", {"access_control_list": entries})


def _account(estate: Estate, env: str) -> None:
    name, style = env.upper(), estate.style
    said = style.says.get(env, {})
    schema, role, user = f"QUANT.{name}", style.role_of(env), style.user.format(ENV=name)
    statements = [
        "USE DATABASE QUANT",
        f"CREATE SCHEMA {schema} DATA_RETENTION_TIME_IN_DAYS=1",
        f"CREATE TABLE {schema}.FACTOR_RETURNS (D DATE, F VARCHAR, R FLOAT)",
        f"INSERT INTO {schema}.FACTOR_RETURNS VALUES ('2026-01-05','MKT',0.01),('2026-01-06','MKT',0.02)",
        f"CREATE TABLE {schema}.POSITIONS (ID NUMBER, NAME VARCHAR)",
        f"INSERT INTO {schema}.POSITIONS VALUES (1,'a'),(2,'b'),(3,'c')",
        f"CREATE ROLE {role}",
        f"GRANT USAGE ON DATABASE QUANT TO ROLE {role}",
        f"GRANT USAGE, CREATE TABLE, CREATE VIEW ON SCHEMA {schema} TO ROLE {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO ROLE {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON FUTURE TABLES IN SCHEMA {schema} TO ROLE {role}",
        *_besides(style, env),
        f"GRANT USAGE ON WAREHOUSE {style.warehouse(env)} TO ROLE {role}",
        f"CREATE USER {user} TYPE=SERVICE RSA_PUBLIC_KEY='{_public_key(estate, env)}' DEFAULT_ROLE={role}"
        f" DEFAULT_WAREHOUSE={style.warehouse(env)} COMMENT='made by hand'",
        f"GRANT ROLE {role} TO USER {user}",
        *(f"ALTER USER {user} SET NETWORK_POLICY={name}_SVC_ADDRESSES" for key in said if key == "allowedAddresses"),
        "GRANT USAGE ON DATABASE QUANT TO ROLE QUANT_DEVELOPERS",
        f"GRANT USAGE ON SCHEMA {schema} TO ROLE QUANT_DEVELOPERS",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO ROLE QUANT_DEVELOPERS",
    ]
    if env == "quant_live":
        statements += [
            "GRANT USAGE ON DATABASE QUANT TO ROLE QUANT_END_USERS",
            f"GRANT USAGE ON SCHEMA {schema} TO ROLE QUANT_END_USERS",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO ROLE QUANT_END_USERS",
            f"GRANT INSERT ON TABLE {schema}.POSITIONS TO ROLE QUANT_SUPPORT",
        ]
    if style.tables_of:
        statements += [
            f"CREATE ROLE IF NOT EXISTS {style.tables_of}",
            f"GRANT ROLE {style.tables_of} TO USER DANA",
            f"GRANT ROLE {style.tables_of} TO ROLE SYSADMIN",
            f"GRANT OWNERSHIP ON TABLE {schema}.POSITIONS TO ROLE {style.tables_of} COPY CURRENT GRANTS",
        ]
    estate.sql(*statements)


def _besides(style: Style, env: str) -> list[str]:
    """A warehouse and a network policy of an environment's own."""
    said, made = style.says.get(env, {}), []
    if "managedWarehouse" in said:
        made.append(f"CREATE WAREHOUSE {said['warehouse']} WAREHOUSE_SIZE=SMALL AUTO_SUSPEND=300 INITIALLY_SUSPENDED=TRUE")
    if "allowedAddresses" in said:
        made.append(f"CREATE NETWORK POLICY {env.upper()}_SVC_ADDRESSES ALLOWED_IP_LIST=('127.0.0.1')")
    return made


def _secrets(estate: Estate, env: str) -> None:
    scope = estate.style.scope.format(env=env)
    estate.api("admin", "POST", "/api/2.0/secrets/scopes/create", {"scope": scope})
    for name, value in (("snowflake_private_key", estate.key(env)), ("slack_webhook", "https://hooks.example/x")):
        estate.api("admin", "POST", "/api/2.0/secrets/put", {"scope": scope, "key": name, "string_value": value})
    for who in (estate.principal(env), "dana@quant.example"):
        body = {"scope": scope, "principal": who, "permission": "READ"}
        estate.api("admin", "POST", "/api/2.0/secrets/acls/put", body)


def _public_key(estate: Estate, env: str) -> str:
    public = serialization.load_pem_private_key(estate.key(env).encode(), None).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    return "".join(pem.splitlines()[1:-1])
