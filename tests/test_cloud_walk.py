"""docs/cloud.md from top to bottom, in a sandbox that is a bare cloud: `quantctl doctor` says what each step left out."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from databricks.sdk import WorkspaceClient

from sandbox import control, identities, sample
from sandbox.state import State
from tests import warm
from tests.conftest import Team, shell
from tests.paths import ROOT

pytestmark = pytest.mark.real
QUANTCTL = str(ROOT / ".venv" / "bin" / "quantctl")
RULES = "/api/2.0/preview/accounts/access-control/rule-sets"
GROUPS = [person.group for person in identities.PEOPLE if person.group]
PRINCIPAL = identities.SERVICE_PRINCIPALS["quant_lr"]
ROLES = [person.role for person in identities.PEOPLE if person.group]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A workspace, an account and a private Git host in which nobody has prepared anything; the principals exist."""
    folder = tmp_path_factory.mktemp("cloud")
    base = {**os.environ, "QUANT_SANDBOX": str(folder / "state"), "QUANT_SANDBOX_PROTECTED_REMOTE": "true"}
    state = State(folder / "state")
    try:
        subprocess.run([QUANTCTL, "sandbox", "start"], env=base, check=True, capture_output=True)
        sample.create(state.remote)
        listed = subprocess.run(
            [QUANTCTL, "sandbox", "credentials", "--format", "json"], env=base, check=True, capture_output=True, text=True
        ).stdout
        environ = shell(base)
        environ["QUANT_PROJECT"] = str(project(folder, environ))
        team = Team(environ, folder, {one["persona"]: one for one in json.loads(listed)})
        strip(team)
        yield team
    finally:
        control.stop(state)


def project(folder: Path, environ: dict[str, str]) -> Path:
    """The team's own, from an empty folder, as step 1 of the page says; what it answers is this cloud's."""
    said: dict[str, Any] = {
        "remote": re.sub(r"//[^@/]*@", "//", environ["QUANT_REMOTE"]),
        "databricksHost": "https://workspace.example",  # the shell's own wins: a sandbox has no TLS
        "account": f"{identities.SNOWFLAKE_ORGANIZATION}-{identities.SNOWFLAKE_ACCOUNT}",
        "deployer": identities.DEPLOYER_ID,
        "servicePrincipals": dict(identities.SERVICE_PRINCIPALS),
        "mailDomains": ["quant.example"],
    }
    (folder / "answers.yaml").write_text(yaml.safe_dump(said))
    made = folder / "empty" / "quant-settings"
    command = [QUANTCTL, "init", str(made), "--answers", str(folder / "answers.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return made


def strip(team: Team) -> None:
    """Take away what the sandbox has from the beginning and a cloud has not."""
    admin = team.workspace("admin")
    for credential in team.workspace("deployer").git_credentials.list():
        team.workspace("deployer").git_credentials.delete(credential.credential_id)
    for group in GROUPS:
        [found] = list(admin.groups.list(filter=f'displayName eq "{group}"'))
        admin.groups.delete(str(found.id))
    members(admin, "remove")
    for env in identities.ENVIRONMENTS:
        may_use(admin, env, [])
    with team.snowflake("admin") as account:
        statements = ["DROP DATABASE QUANT", "DROP USER QUANT_DEPLOYER", *(f"DROP ROLE {role}" for role in ROLES)]
        for statement in (*statements, "DROP ROLE QUANT_DEPLOYER"):
            account.cursor().execute(statement)


def members(admin: WorkspaceClient, op: str) -> None:
    """Add the deployer to `admins`, or take it out."""
    [group] = list(admin.groups.list(filter='displayName eq "admins"'))
    [deployer] = list(admin.service_principals.list(filter=f'applicationId eq "{identities.DEPLOYER_ID}"'))
    change = {"op": op, "path": f'members[value eq "{deployer.id}"]'}
    if op == "add":
        change = {"op": op, "value": {"members": [{"value": deployer.id}]}}  # type: ignore[dict-item]
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [change]}
    admin.api_client.do("PATCH", f"/api/2.0/preview/scim/v2/Groups/{group.id}", body=body)


def may_use(admin: WorkspaceClient, env: str, who: list[str]) -> None:
    """Who has the Service Principal User role on an environment's principal."""
    name = f"accounts/sandbox/servicePrincipals/{identities.SERVICE_PRINCIPALS[env]}/ruleSets/default"
    found: Any = admin.api_client.do("GET", RULES, query={"name": name, "etag": ""})
    rules = [{"principals": who, "role": "roles/servicePrincipal.user"}] if who else []
    body = {"name": name, "rule_set": {"name": name, "etag": found["etag"], "grant_rules": rules}}
    admin.api_client.do("PUT", RULES, body=body)


def statements_of_the_page(state: State) -> list[str]:
    """The SQL that docs/cloud.md gives, as it stands there, with the deployer's public key."""
    public_key = state.public_key("deployer")
    page = (ROOT / "docs" / "cloud.md").read_text()
    [block] = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    lines = [line for line in block.splitlines() if not line.startswith("--")]
    return [one.strip().replace("'...'", f"'{public_key}'") for one in "\n".join(lines).split(";") if one.strip()]


def doctor(team: Team) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit status, and each answer by what is needed."""
    done = warm.quantctl("doctor", "--format", "json", environ=team.environ)
    return done.returncode, {one["needed"]: one for one in json.loads(done.stdout)}


def _nothing_is_missing(team: Team) -> None:
    status, answers = doctor(team)
    assert status == 0, [one for one in answers.values() if one["health"] != "ok"]


PRIVILEGES = {
    "CREATE SCHEMA on DATABASE QUANT (its schemas)": "CREATE SCHEMA ON DATABASE QUANT",
    "CREATE DATABASE ROLE on DATABASE QUANT (readers and writers)": "CREATE DATABASE ROLE ON DATABASE QUANT",
    "CREATE ROLE on account (roles of the service users)": "CREATE ROLE ON ACCOUNT",
    "CREATE USER on account (service users)": "CREATE USER ON ACCOUNT",
    "USAGE WITH GRANT OPTION on WAREHOUSE QUANT_WH (the jobs' QUANT_WH)": "USAGE ON WAREHOUSE QUANT_WH",
}


def _each_thing_that_is_left_out_is_red(team: Team, state: State, sql: Callable[[list[str]], None]) -> None:
    """Privileges one by one, a branch, a principal: each by its own line; the printed statements are what it takes."""
    admin = team.workspace("admin")
    [principal] = [one for one in admin.service_principals.list() if one.application_id == PRINCIPAL]
    head = _git(state, "rev-parse", "refs/heads/quant_lr")
    sql([f"REVOKE {privilege} FROM ROLE QUANT_DEPLOYER" for privilege in PRIVILEGES.values()])
    admin.service_principals.delete(str(principal.id))
    _git(state, "update-ref", "-d", "refs/heads/quant_lr")
    status, answers = doctor(team)
    unknown = [needed for needed, one in answers.items() if one["health"] == "unknown"]
    assert (status, unknown) == (1, ["Service Principal User role on the principal of quant_lr"]), answers
    red = {needed: one["fix"] for needed, one in answers.items() if one["health"] != "ok"}
    assert red.keys() == {
        *PRIVILEGES,
        "branch quant_lr",
        "service principal of quant_lr",
        "Service Principal User role on the principal of quant_lr",
    }
    for needed, privilege in PRIVILEGES.items():
        option = " WITH GRANT OPTION" if "WAREHOUSE" in privilege else ""
        assert red[needed] == f"GRANT {privilege} TO ROLE QUANT_DEPLOYER{option};"
    assert "HEAD:refs/heads/quant_lr" in red["branch quant_lr"]
    assert "create it in the account and assign it" in red["service principal of quant_lr"]
    sql([red[needed].rstrip(";") for needed in PRIVILEGES])
    admin.service_principals.create(application_id=PRINCIPAL, display_name=principal.display_name)
    may_use(admin, "quant_lr", [f"servicePrincipals/{identities.DEPLOYER_ID}"])
    _git(state, "update-ref", "refs/heads/quant_lr", head)
    _nothing_is_missing(team)


def _a_shell_that_is_not_set_up_is_red(team: Team) -> None:
    """No login, no Git credential, no place for the states: each system says what it lacks, and the others answer."""
    url = re.sub(r"//[^@/]*@", "//", team.environ["QUANT_REMOTE"])
    changed = {"DATABRICKS_TOKEN": "wrong", "PULUMI_BACKEND_URL": "file:///nowhere/at/all", "QUANT_REMOTE": url}
    bare = {**team.environ, **changed, "GIT_CONFIG_COUNT": "0", "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run([QUANTCTL, "doctor", "--format", "json"], env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    said = {one["where"]: f"{one['found']} {one['fix']}" for one in json.loads(done.stdout) if one["health"] != "ok"}
    assert said.keys() == {"engine", "Git", "Databricks"}, said
    assert "set PULUMI_BACKEND_URL" in said["engine"]
    assert "credential helper" in said["Git"]
    assert "DATABRICKS_TOKEN" in said["Databricks"]


def _git(state: State, *words: str) -> str:
    command = ["git", "--git-dir", str(state.remote), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_from_nothing_to_a_first_promotion(cloud: Team) -> None:
    """Each step is red with the right words before it is done, and green after it."""
    admin, state = cloud.workspace("admin"), State(Path(cloud.environ["QUANT_SANDBOX"]))

    def git_credential() -> None:
        token = state.gitlab_tokens()[identities.DEPLOYER_NAME]
        cloud.workspace("deployer").git_credentials.create(
            "gitLab", git_username=identities.DEPLOYER_NAME, personal_access_token=token
        )

    def groups() -> None:
        for group in GROUPS:
            admin.groups.create(display_name=group)

    def principals() -> None:
        for env in identities.ENVIRONMENTS:
            may_use(admin, env, [f"servicePrincipals/{identities.DEPLOYER_ID}"])

    def sql(statements: list[str]) -> None:
        with cloud.snowflake("admin") as account:
            for statement in statements:
                account.cursor().execute(statement)

    def stacks() -> None:
        for env in identities.ENVIRONMENTS:
            done = cloud.pulumi("stack", "init", env, "--no-select")
            assert done.returncode == 0, done.stderr

    steps: list[tuple[str, str, Callable[[], None]]] = [
        ("workspace administrator", "add the deployer to admins", lambda: members(admin, "add")),
        ("Service Principal User role on the principal of quant", "Permissions: add the deployer", principals),
        ("the deployer's own Git credential for gitLab", "databricks git-credentials create gitLab", git_credential),
        ("group of developers", "create the account group", groups),
        (
            "login as the deployer",
            "SNOWFLAKE_PRIVATE_KEY",
            lambda: sql(statements_of_the_page(state)),
        ),
        (
            "account role of developers",
            "CREATE ROLE QUANT_DEVELOPERS",
            lambda: sql([f"CREATE ROLE {role}" for role in ROLES]),
        ),
        ("stack quant", "pulumi stack init quant --secrets-provider", stacks),
    ]
    for needed, words, step in steps:
        status, answers = doctor(cloud)
        assert status in (1, 2)
        assert answers[needed]["health"] != "ok" and words in answers[needed]["fix"], answers[needed]
        step()
        assert doctor(cloud)[1][needed]["health"] == "ok", needed
    _nothing_is_missing(cloud)
    _each_thing_that_is_left_out_is_red(cloud, state, sql)
    _a_shell_that_is_not_set_up_is_red(cloud)
    _git(state, "worktree", "add", "--detach", str(cloud.clone / "checkout"), "refs/heads/quant")
    checked = cloud.quantctl("check", str(cloud.clone / "checkout"))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    early = cloud.quantctl("up", "quant", "--yes")
    assert early.returncode == 1 and "quantctl keys rotate quant" in early.stdout + early.stderr
    for env in identities.ENVIRONMENTS:
        for rotated_or_up in (("keys", "rotate", env, "--yes"), ("up", env, "--yes")):
            done = cloud.quantctl(*rotated_or_up)
            assert done.returncode == 0, (rotated_or_up, done.stdout + done.stderr)
    previewed = cloud.quantctl("preview", "quant")
    assert previewed.returncode == 0 and "nothing changes in quant" in previewed.stdout, previewed.stdout
    head = subprocess.run(
        ["git", "ls-remote", cloud.environ["QUANT_REMOTE"], "refs/heads/quant"],
        env=cloud.environ, check=True, capture_output=True, text=True,
    ).stdout.split()[0]  # fmt: skip
    _git(state, "update-ref", "refs/heads/quant_stg", head)  # the merge, on the forge
    done = cloud.quantctl("up", "quant_stg", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert cloud.git_folder("/quant_stg").head_commit_id == head
