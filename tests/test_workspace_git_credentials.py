"""Git credentials."""

from __future__ import annotations

import pytest
from databricks.sdk.errors import NotFound, PermissionDenied
from databricks.sdk.errors.base import DatabricksError

from sandbox import identities
from tests.workspace_sandbox import DANA, EDDIE, Workspace

pytest_plugins = ["tests.workspace_sandbox"]


def test_a_credential_is_its_owners_and_its_token_is_never_answered(workspace: Workspace) -> None:
    """Made, read, changed, listed and deleted by its owner; to others it does not exist."""
    dana, eddie = workspace.client(DANA), workspace.client(EDDIE)
    made = dana.git_credentials.create("gitLab", git_username="dana", git_email=DANA, personal_access_token="glpat-secret")
    found = workspace.http("GET", f"/api/2.0/git-credentials/{made.credential_id}", DANA)
    assert "glpat-secret" not in found.text
    assert found.json() == {
        "credential_id": made.credential_id, "git_provider": "gitLab", "git_username": "dana", "git_email": DANA,
    }  # fmt: skip
    with pytest.raises(DatabricksError, match="Only one Git credential is supported at this time"):
        dana.git_credentials.create("GITLAB", git_username="again")
    dana.git_credentials.update(made.credential_id, "gitHub", git_username="new")
    assert [(one.git_provider, one.git_username) for one in dana.git_credentials.list()] == [("gitHub", "new")]
    assert list(eddie.git_credentials.list()) == []
    with pytest.raises(NotFound):
        eddie.git_credentials.get(made.credential_id)
    dana.git_credentials.delete(made.credential_id)
    with pytest.raises(NotFound):
        dana.git_credentials.get(made.credential_id)
    assert not [f for f in workspace.state.folder.rglob("*") if f.is_file() and b"glpat-secret" in f.read_bytes()]


def test_an_admin_keeps_those_of_service_principals(workspace: Workspace) -> None:
    """With principal_id on every call; nobody else may, and it is not the admin's own."""
    admin = workspace.client()
    [principal] = admin.service_principals.list(filter='displayName eq "sp-quant-lr"')
    number = int(principal.id or 0)
    made = admin.git_credentials.create("gitLab", git_username="bot", principal_id=number)
    assert [one.credential_id for one in admin.git_credentials.list(principal_id=number)] == [made.credential_id]
    assert made.credential_id not in [one.credential_id for one in admin.git_credentials.list()]
    own = workspace.client(identities.SERVICE_PRINCIPALS["quant_lr"])
    assert own.git_credentials.get(made.credential_id).git_username == "bot"
    with pytest.raises(PermissionDenied):
        list(workspace.client(DANA).git_credentials.list(principal_id=number))
    with pytest.raises(NotFound):
        admin.git_credentials.get(made.credential_id)
    with pytest.raises(NotFound):
        list(admin.git_credentials.list(principal_id=1))
    admin.git_credentials.delete(made.credential_id, principal_id=number)


@pytest.mark.parametrize("number", ["abc", "-1", "9" * 30])
def test_a_number_that_is_none_is_refused(workspace: Workspace, number: str) -> None:
    """400, and the same for a principal."""
    assert workspace.http("GET", f"/api/2.0/git-credentials/{number}").status_code == 400
    answer = workspace.http("GET", "/api/2.0/git-credentials", params={"principal_id": number})
    assert answer.status_code == (404 if number == "-1" else 400)
