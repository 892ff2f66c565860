"""The real engine and the real provider on the workspace: one of each resource, made, changed, looked at and taken away."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from quantctl.laptop import exports as environment
from tests.paths import ROOT
from tests.workspace_sandbox import ADMIN, SCIM, Workspace, git

pytest_plugins = ["tests.workspace_sandbox"]
pytestmark = pytest.mark.real

# `changed` is another version of each resource that can change in place.
PROGRAM = """
import os
import pulumi
import pulumi_databricks as databricks

changed = pulumi.Config().get_bool("changed") or False
remote = os.environ["QUANT_REMOTE"]
top = databricks.Directory("top", path="/declared")
directory = databricks.Directory(
    "directory", path="/declared/deep", delete_recursive=changed, opts=pulumi.ResourceOptions(depends_on=[top])
)
group = databricks.Group("group", display_name="declared" + ("-new" if changed else ""), workspace_access=not changed)
user = databricks.User(
    "user", user_name="Declared@quant.example", display_name="New name" if changed else "Name",
    allow_cluster_create=changed, active=not changed, force_delete_home_dir=True,
)
principal = databricks.ServicePrincipal(
    "principal", display_name="sp-declared" + ("-new" if changed else ""), allow_cluster_create=changed,
    force_delete_home_dir=True,
)
databricks.GroupMember("user-in-group", group_id=group.id, member_id=user.id)
databricks.GroupMember("principal-in-group", group_id=group.id, member_id=principal.id)
scope = databricks.SecretScope("scope", name="declared")
# The provider replaces a secret: its deletion must come first, both have one name.
databricks.Secret("secret", scope=scope.name, key="key", string_value="two" if changed else "one",
                  opts=pulumi.ResourceOptions(delete_before_replace=True))
databricks.SecretAcl("acl", scope=scope.name, principal=principal.application_id, permission="READ")
databricks.GitCredential(
    "credential", git_provider="gitLab", git_username="new" if changed else "declared", personal_access_token="token",
    principal_id=principal.id.apply(int),
)
repo = databricks.Repo(
    "repo", url=remote, git_provider="gitLab", path="/declared/git", branch="quant_stg" if changed else "quant",
    opts=pulumi.ResourceOptions(depends_on=[top]),
)
sparse = databricks.Repo(
    "sparse", url=remote, git_provider="gitLab", path="/declared/sparse", branch="quant",
    sparse_checkout={"patterns": ["workflows"]}, opts=pulumi.ResourceOptions(depends_on=[top]),
)
job = databricks.Job(
    "job", name="declared" + (" new" if changed else ""), timeout_seconds=60 if changed else 0,
    tags={"b": "2", "A": "1"}, parameters=[{"name": "p", "default": "1"}],
    run_as={"service_principal_name": "00000000-0000-4000-8000-000000000001"},
    tasks=[
        {"task_key": key, "spark_python_task": {"python_file": pulumi.Output.concat(repo.workspace_path, "/", key)}}
        for key in (["ant", "zebra"] if changed else ["ant", "mid", "zebra"])  # sorted, as the provider keeps them
    ],
)
older = databricks.Job("older", name="older", spark_python_task={"python_file": "dbfs:/x.py"}, new_cluster={
    "spark_version": "15.4.x-scala2.12", "node_type_id": "i3.xlarge", "num_workers": 2 if changed else 1})
level = "CAN_RUN" if changed else "CAN_READ"
databricks.Permissions("on-repo", repo_id=repo.id, access_controls=[
    {"group_name": group.display_name, "permission_level": level},
    {"service_principal_name": principal.application_id, "permission_level": "CAN_MANAGE"}])
databricks.Permissions("on-path", repo_path=sparse.path, access_controls=[
    {"user_name": "Dana@quant.example", "permission_level": level}])
databricks.Permissions("on-directory", directory_path=directory.path, access_controls=[
    {"group_name": group.display_name, "permission_level": level}])
databricks.Permissions("on-job", job_id=job.id, access_controls=[
    {"group_name": group.display_name, "permission_level": "CAN_MANAGE_RUN" if changed else "CAN_VIEW"},
    {"service_principal_name": "00000000-0000-4000-8000-0000000000d0", "permission_level": "IS_OWNER"}])
databricks.Permissions("on-job-without-owner", job_id=older.id, access_controls=[
    {"group_name": "users", "permission_level": "CAN_VIEW"}])
me = databricks.get_current_user()
pulumi.export("me", [me.user_name, me.acl_principal_id, me.home])
pulumi.export("commit", repo.commit_hash)
pulumi.export("application", principal.application_id)
"""


@dataclass(frozen=True)
class Stack:
    """A stack of the program in a folder of its own."""

    folder: Path
    environ: dict[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """pulumi, whatever comes of it."""
        command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
        return subprocess.run(
            command, cwd=self.folder, env=self.environ, capture_output=True, text=True, timeout=300, check=False
        )

    def must(self, *arguments: str) -> str:
        """pulumi, which must succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def settled(self) -> None:
        """Neither the workspace nor, after it was read, the program says that anything is to change."""
        self.must("preview", "--refresh", "--diff", "--expect-no-changes")


@pytest.fixture
def stack(workspace: Workspace, tmp_path: Path) -> Iterator[Stack]:
    """The program, not deployed yet; what a failed test leaves is taken away."""
    folder, backend = tmp_path / "program", tmp_path / "backend"
    folder.mkdir()
    backend.mkdir()
    runtime = f"{{name: python, options: {{virtualenv: {ROOT / '.venv'}}}}}"
    (folder / "Pulumi.yaml").write_text(f"name: declared\nruntime: {runtime}\n")
    (folder / "__main__.py").write_text(PROGRAM)
    environ = environment.process_environment(workspace.state)
    made = Stack(folder, {**environ, "PULUMI_BACKEND_URL": f"file://{backend}", "TMPDIR": os.environ.get("TMPDIR", "/tmp")})
    made.must("stack", "init", "dev")
    yield made
    made.run("destroy", "--yes", "--skip-preview")


def everything(workspace: Workspace) -> dict[str, Any]:
    """All that there is in the workspace, as its API tells it."""
    found = {
        kind: workspace.http("GET", f"{SCIM}/{kind}").json()["Resources"]
        for kind in ("Users", "ServicePrincipals", "Groups")
    }
    admin = workspace.client()
    found |= {"jobs": [job.as_dict() for job in admin.jobs.list()], "scopes": [s.name for s in admin.secrets.list_scopes()]}
    found["tree"] = sorted(entry.path or "" for top in ("/", "/Users") for entry in admin.workspace.list(top))
    found["credentials"] = [one.as_dict() for one in admin.git_credentials.list()]
    return found


def test_one_of_each_is_made_changed_seen_and_taken_away(workspace: Workspace, stack: Stack) -> None:
    """After up and after a change neither preview nor refresh finds a difference; destroy leaves the workspace as before."""
    before = everything(workspace)
    stack.must("up", "--yes", "--skip-preview")
    me = stack.must("stack", "output", "--json")
    deployer = "00000000-0000-4000-8000-0000000000d0"
    for word in (deployer, f"servicePrincipals/{deployer}", git(workspace.state.remote, "rev-parse", "quant")):
        assert word in me
    stack.settled()
    stack.must("config", "set", "changed", "true")
    shown = stack.must("preview", "--diff")
    assert [line.split()[0] for line in shown.splitlines() if "-databricks:" in line] == [
        "+-databricks:index/secret:Secret:"
    ]
    stack.must("up", "--yes", "--skip-preview")
    assert git(workspace.state.remote, "rev-parse", "quant_stg") in stack.must("stack", "output", "--json")
    stack.settled()
    admin = workspace.client(ADMIN)
    [group] = admin.groups.list(filter='displayName eq "declared-new"')
    assert len(group.members or []) == 2
    [user] = admin.users.list(filter='userName eq "declared@quant.example"')
    assert (user.display_name, user.active, [one.value for one in user.entitlements or []]) == (
        "New name",
        False,
        ["allow-cluster-create"],
    )
    [job] = admin.jobs.list(name="declared new", expand_tasks=True)
    assert job.settings and [task.task_key for task in job.settings.tasks or []] == ["ant", "zebra"]
    stack.must("destroy", "--yes", "--skip-preview")
    assert everything(workspace) == before


def test_what_was_done_by_hand_is_seen_and_fixed(workspace: Workspace, stack: Stack) -> None:
    """An object deleted, a level widened, a member removed, a branch switched: refresh names each, up --refresh fixes it."""
    stack.must("up", "--yes", "--skip-preview")
    admin = workspace.client()
    [repo] = admin.repos.list(path_prefix="/declared/git")
    [job] = admin.jobs.list(name="declared")
    [group] = admin.groups.list(filter='displayName eq "declared"')
    admin.repos.update(repo.id or 0, branch="quant_live")
    admin.jobs.delete(job.job_id or 0)
    admin.secrets.delete_secret("declared", "key")
    remove = {"op": "remove", "path": f'members[value eq "{(group.members or [])[0].value}"]'}
    workspace.http("PATCH", f"{SCIM}/Groups/{group.id}", json={"Operations": [remove]})
    wider = {"access_control_list": [{"group_name": "users", "permission_level": "CAN_MANAGE"}]}
    workspace.http("PATCH", f"/api/2.0/permissions/repos/{repo.id}", json=wider)
    assert stack.run("preview", "--refresh", "--expect-no-changes").returncode != 0
    shown = stack.must("refresh", "--preview-only", "--diff")
    for word in ("quant_live", "job:Job", "secret:Secret", "groupMember:GroupMember", "permissions:Permissions"):
        assert word in shown, shown
    stack.must("up", "--refresh", "--yes", "--skip-preview")
    stack.settled()
