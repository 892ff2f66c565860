"""Every persona, in every environment, tries every action with its own credentials. Nothing here reads the program.

The table is written by hand. A letter is an action that succeeds; all others must be refused.

    folder  r read a file, x run a file, e edit a file, p pull another branch, m manage permissions
    job     v view, s start, u update, d delete
    schema  R read a table, W write it, C create a table, G grant on it, D drop it
    secret  K read the service user's key
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, InternalError, NotFound, PermissionDenied, TooManyRequests, Unauthenticated
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel
from databricks.sdk.service.jobs import JobSettings, SparkPythonTask, SubmitTask
from snowflake.connector.errors import Error as SnowflakeError

from tests.conftest import Team, git_folder

STACKS = ("quant", "quant_stg", "quant_lr", "quant_live")
#                               quant             quant_stg         quant_lr          quant_live
TABLE = {
    "developer":                ["rv s R",         "rv R",           "rv",             "rv"],
    "reviewer":                 ["rv R",           "rv R",           "",               ""],
    "release_manager":          ["rv R",           "rv s R",         "rv s",           "rv R"],
    "uat_tester":               ["",               "R",              "",               ""],
    "limited_release":          ["",               "",               "R",              "R"],
    "end_user":                 ["",               "",               "",               "R"],
    "support":                  ["rv",             "rv R",           "rv",             "rv R"],
    "comparer":                 ["R",              "R",              "R",              "R"],
    "service_principal:quant":      ["rx vs RWCD K",   "",               "",               ""],
    "service_principal:quant_stg":  ["",               "rx vs RWCD K",   "",               ""],
    "service_principal:quant_lr":   ["",               "",               "rx vs RWCD K",   ""],
    "service_principal:quant_live": ["",               "",               "",               "rx vs RWCD K"],
    # It deploys: all of the workspace, and the schema without its data.
    "deployer":                 ["rxepm vsud CG K", "rxepm vsud CG K", "rxepm vsud CG K", "rxepm vsud CG K"],
}  # fmt: skip
# "Insufficient privileges", and "does not exist or not authorized" in its two wordings.
NOT_AUTHORIZED = (3001, 2003, 2043)
FILE = "src/common/snowflake.py"
JOB = "positions_snapshot"


class Attempt:
    """One persona in one environment, and the actions it may try."""

    def __init__(self, team: Team, persona: str, stack: str, connection: Any) -> None:
        self.team, self.stack, self.persona = team, stack, persona
        self.workspace: WorkspaceClient = team.workspace(persona)
        deployer = team.workspace("deployer")
        self.folder = git_folder(deployer, f"/{stack}")
        [self.job] = deployer.jobs.list(name=f"{stack} {JOB}")
        self.connection = connection

    def sql(self, text: str) -> None:
        self.connection.cursor().execute(text.format(f"QUANT.{self.stack.upper()}"))

    def r(self) -> None:
        assert b"import" in self.workspace.workspace.download(f"/{self.stack}/{FILE}").read()

    def x(self) -> None:
        task = SubmitTask("once", spark_python_task=SparkPythonTask(f"/Workspace/{self.stack}/{FILE}"))
        self.workspace.jobs.submit(run_name="once", tasks=[task])

    def e(self) -> None:
        path = f"/{self.stack}/{FILE}"
        content = self.team.file(path)
        self.workspace.workspace.upload(path, b"# edited", overwrite=True)
        self.workspace.workspace.upload(path, content.encode(), overwrite=True)

    def p(self) -> None:
        other = "quant_stg" if self.stack == "quant" else "quant"
        self.workspace.repos.update(self.folder.id or 0, branch=other)
        self.workspace.repos.update(self.folder.id or 0, branch=self.stack)

    def m(self) -> None:
        wider = AccessControlRequest(group_name="quant-end-users", permission_level=PermissionLevel.CAN_EDIT)
        before = self.team.workspace("deployer").permissions.get("repos", str(self.folder.id))
        self.workspace.permissions.update("repos", str(self.folder.id), access_control_list=[wider])
        kept = [
            AccessControlRequest(
                group_name=entry.group_name,
                service_principal_name=entry.service_principal_name,
                user_name=entry.user_name,
                permission_level=entry.all_permissions[0].permission_level,
            )
            for entry in before.access_control_list or []
            if entry.all_permissions and not entry.all_permissions[0].inherited
        ]
        self.workspace.permissions.set("repos", str(self.folder.id), access_control_list=kept)

    def v(self) -> None:
        self.workspace.jobs.get(self.job.job_id or 0)

    def s(self) -> None:
        run = self.workspace.jobs.run_now(self.job.job_id or 0)
        self.workspace.jobs.cancel_run(run.run_id)

    def u(self) -> None:
        before = self.job.settings.timeout_seconds if self.job.settings else 0
        self.workspace.jobs.update(self.job.job_id or 0, new_settings=JobSettings(timeout_seconds=77))
        self.workspace.jobs.update(self.job.job_id or 0, new_settings=JobSettings(timeout_seconds=before))

    def d(self) -> None:
        self.workspace.jobs.delete(self.job.job_id or 0)

    def R(self) -> None:
        self.sql("SELECT COUNT(*) FROM {}.KEPT")

    def W(self) -> None:
        self.sql("INSERT INTO {}.KEPT VALUES (2)")

    def C(self) -> None:
        self.sql("CREATE TABLE {}.MADE (N NUMBER)")
        self.sql("DROP TABLE {}.MADE")

    def G(self) -> None:
        self.sql("GRANT SELECT ON TABLE {}.KEPT TO ROLE QUANT_END_USERS")
        self.sql("REVOKE SELECT ON TABLE {}.KEPT FROM ROLE QUANT_END_USERS")

    def D(self) -> None:
        self.sql("DROP TABLE {}.KEPT")

    def K(self) -> None:
        assert self.workspace.secrets.get_secret(self.stack, "snowflake_private_key").value


@pytest.fixture(scope="module")
def connections(team: Team) -> Iterator[Callable[[str], Any]]:
    """One Snowflake session a persona."""
    with contextlib.ExitStack() as stack:
        made: dict[str, Any] = {}

        def connect(persona: str) -> Any:
            if persona not in made:
                made[persona] = stack.enter_context(team.snowflake(persona))
            return made[persona]

        yield connect


def is_refusal(error: DatabricksError | SnowflakeError) -> bool:
    """Whether somebody may not; what one may not see does not exist. Another error proves nothing."""
    if isinstance(error, SnowflakeError):
        return error.errno in NOT_AUTHORIZED
    return isinstance(error, PermissionDenied | NotFound)


def test_another_error_is_no_refusal() -> None:
    """A request that is wrong, a credential that is old, a server that fails: whether the persona may is unknown."""
    assert all(map(is_refusal, (PermissionDenied("x"), NotFound("x"))))
    assert not any(map(is_refusal, (BadRequest("x"), Unauthenticated("x"), InternalError("x"), TooManyRequests("x"))))
    assert all(is_refusal(SnowflakeError("x", errno=number)) for number in NOT_AUTHORIZED)
    assert not any(is_refusal(SnowflakeError("x", errno=number)) for number in (2, 1003, 904, 250001, 390144))


@pytest.mark.real
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("persona", TABLE)
def test_a_persona_may_do_what_the_table_says_and_nothing_else(
    team: Team, connections: Callable[[str], Any], persona: str, stack: str
) -> None:
    """Fifteen actions are tried for real; what succeeded is compared with the table."""
    writer = connections(f"service_principal:{stack}").cursor()
    writer.execute(f"CREATE TABLE IF NOT EXISTS QUANT.{stack.upper()}.KEPT (N NUMBER)")
    attempt = Attempt(team, persona, stack, connections(persona))
    done = ""
    for action in "rxepmvsudRWCGDK":
        try:
            getattr(attempt, action)()
        except (DatabricksError, SnowflakeError) as refused:
            assert is_refusal(refused) and "sandbox" not in str(refused), (action, refused)  # nor is what is not emulated
        else:
            done += action
    allowed = TABLE[persona][STACKS.index(stack)]
    assert set(done) == set(allowed) - {" "}


@pytest.mark.real
@pytest.mark.parametrize("stack", STACKS)
def test_what_was_tried_is_fixed(team: Team, stack: str) -> None:
    """The deployer deleted a job above; up --refresh brings it back."""
    done = team.pulumi("up", "--refresh", "--yes", "--skip-preview", "-s", stack)
    assert done.returncode == 0, done.stdout
