"""Who calls the workspace."""

from __future__ import annotations

import pytest
from databricks.sdk.errors import PermissionDenied
from databricks.sdk.service.iam import Patch, PatchOp

from sandbox import identities
from tests.workspace_sandbox import ADMIN, EDDIE, SCIM, Workspace

pytest_plugins = ["tests.workspace_sandbox"]


@pytest.mark.parametrize("who", identities.databricks_identities())
def test_each_token_is_its_owners(workspace: Workspace, who: str) -> None:
    """Me names the owner of the token, a service principal by its application id, with the groups it is in."""
    me = workspace.client(who).current_user.me()
    assert me.user_name == who
    groups = {group.display for group in me.groups or []}
    person = next((person for person in identities.PEOPLE if person.user_name == who), None)
    mine = {person.group} if person and person.group else set()
    admins = {"admins"} if who in (identities.ADMIN.user_name, identities.DEPLOYER_ID) else set()
    seeded = {person.group for person in identities.PEOPLE} | {"admins", "users"}
    assert groups & seeded == mine | admins | {"users"}


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        (None, 401, "UNAUTHENTICATED"),
        ("Basic YTpi", 401, "UNAUTHENTICATED"),
        ("Bearer ", 401, "UNAUTHENTICATED"),
        ("Bearer dapi00000000000000000000000000000000", 403, "PERMISSION_DENIED"),
    ],
)
@pytest.mark.parametrize("path", ["/api/2.0/repos", "/api/2.2/jobs/list", "/api/2.0/secrets/scopes/list"])
def test_nobody_gets_in_without_a_token(
    workspace: Workspace, path: str, authorization: str | None, status: int, code: str
) -> None:
    """No token is 401, a token that nobody has is 403; the answer still names the workspace."""
    headers = {"Authorization": authorization} if authorization else {}
    answer = workspace.http("GET", path, None, headers=headers)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert answer.headers["X-Databricks-Org-Id"]


def test_authentication_comes_before_the_body(workspace: Workspace) -> None:
    """A stranger does not learn whether a body could be read."""
    assert workspace.http("POST", "/api/2.0/workspace/mkdirs", None, data=b"{").status_code == 401


def test_a_deactivated_user_is_refused_until_active_again(workspace: Workspace) -> None:
    """active=false as the provider sends it closes the door; true opens it with the same token."""
    admin = workspace.client(ADMIN)
    eddie = workspace.client(EDDIE)
    number = str(eddie.current_user.me().id)
    value = [{"value": "false"}]
    body = {"Operations": [{"op": "replace", "path": "active", "value": value}]}
    assert workspace.http("PATCH", f"{SCIM}/Users/{number}", json=body).status_code == 200
    with pytest.raises(PermissionDenied, match="deactivated"):
        eddie.current_user.me()
    assert admin.users.get(number).active is False
    admin.users.patch(number, operations=[Patch(op=PatchOp.REPLACE, path="active", value=True)])
    assert eddie.current_user.me().active is True
