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
from databricks.sdk import WorkspaceClient

from sandbox import control, identities, sample
from sandbox.state import State
from tests.conftest import Team, shell
from tests.faults import open_gates
from tests.paths import ROOT

pytestmark = pytest.mark.real
QUANTCTL = str(ROOT / ".venv" / "bin" / "quantctl")
RULES = "/api/2.0/preview/accounts/access-control/rule-sets"
GROUPS = [person.group for person in identities.PEOPLE if person.group]
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
        environ = {**shell(base), "QUANT_PROJECT": str(open_gates(folder))}  # what is rotated in is written to stack files
        team = Team(environ, folder, {one["persona"]: one for one in json.loads(listed)})
        strip(team)
        yield team
    finally:
        control.stop(state)


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
    done = team.quantctl("doctor", "--format", "json")
    return done.returncode, {one["needed"]: one for one in json.loads(done.stdout)}


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
    status, answers = doctor(cloud)
    assert status == 0, [one for one in answers.values() if one["health"] != "ok"]
    for env in identities.ENVIRONMENTS:
        for rotated_or_up in (("keys", "rotate", env, "--yes"), ("up", env, "--yes")):
            done = cloud.quantctl(*rotated_or_up)
            assert done.returncode == 0, (rotated_or_up, done.stdout + done.stderr)
    head = subprocess.run(
        ["git", "ls-remote", cloud.environ["QUANT_REMOTE"], "refs/heads/quant"],
        env=cloud.environ, check=True, capture_output=True, text=True,
    ).stdout.split()[0]  # fmt: skip
    push = ["git", "--git-dir", str(state.remote), "update-ref", "refs/heads/quant_stg", head]
    subprocess.run(push, check=True)  # the merge, on the forge
    done = cloud.quantctl("up", "quant_stg", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert cloud.git_folder("/quant_stg").head_commit_id == head
