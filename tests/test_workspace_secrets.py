"""Secret scopes, secrets and who may do what with them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from databricks.sdk.errors import NotFound, PermissionDenied
from databricks.sdk.service.workspace import AclPermission

from tests.workspace_sandbox import ADMIN, DANA, EDDIE, Workspace

pytest_plugins = ["tests.workspace_sandbox"]


def test_a_secret_comes_back_as_it_was_put(workspace: Workspace) -> None:
    """As text and as bytes; a second put replaces it; a list has names and times and no values."""
    admin, scope = workspace.client(), workspace.name("scope")
    admin.secrets.create_scope(scope)
    admin.secrets.put_secret(scope, "text", string_value="ünïcode")
    admin.secrets.put_secret(scope, "bytes", bytes_value=base64.b64encode(b"\x00\xff").decode())
    assert base64.b64decode(admin.secrets.get_secret(scope, "text").value or "").decode() == "ünïcode"
    assert base64.b64decode(admin.secrets.get_secret(scope, "bytes").value or "") == b"\x00\xff"
    admin.secrets.put_secret(scope, "text", string_value="second")
    listed = workspace.http("GET", "/api/2.0/secrets/list", params={"scope": scope}).json()["secrets"]
    assert [set(entry) for entry in listed] == [{"key", "last_updated_timestamp"}] * 2
    assert [entry["key"] for entry in listed] == ["bytes", "text"]
    admin.secrets.delete_secret(scope, "text")
    for attempt in (lambda: admin.secrets.get_secret(scope, "text"), lambda: admin.secrets.delete_secret(scope, "text")):
        with pytest.raises(NotFound, match="text"):
            attempt()
    admin.secrets.delete_scope(scope)
    with pytest.raises(NotFound, match=f"Scope {scope} does not exist!"):
        admin.secrets.list_secrets(scope).__iter__().__next__()


LEVELS: list[tuple[AclPermission | None, set[str]]] = [
    (None, set()),
    (AclPermission.READ, {"get", "list"}),
    (AclPermission.WRITE, {"put", "delete"}),
    (AclPermission.MANAGE, {"acls", "acl", "share", "unshare", "drop"}),
]


@pytest.mark.parametrize("principal", [DANA, "quant-developers", "users"])
@pytest.mark.parametrize("level", [level for level, _ in LEVELS])
def test_a_level_allows_what_it_allows(workspace: Workspace, level: AclPermission | None, principal: str) -> None:
    """Each call with each level, had by name, by group and as one of the users; each has those below it."""
    admin, dana, scope = workspace.client(), workspace.client(DANA), workspace.name("scope")
    admin.secrets.create_scope(scope)
    admin.secrets.put_secret(scope, "key", string_value="x")
    if level:
        admin.secrets.put_acl(scope, principal, level)
    actions: dict[str, Callable[[], Any]] = {
        "get": lambda: dana.secrets.get_secret(scope, "key"),
        "list": lambda: list(dana.secrets.list_secrets(scope)),
        "put": lambda: dana.secrets.put_secret(scope, "other", string_value="y"),
        "delete": lambda: dana.secrets.delete_secret(scope, "other"),
        "acls": lambda: list(dana.secrets.list_acls(scope)),
        "acl": lambda: dana.secrets.get_acl(scope, ADMIN),
        "share": lambda: dana.secrets.put_acl(scope, EDDIE, AclPermission.READ),
        "unshare": lambda: dana.secrets.delete_acl(scope, EDDIE),
        "drop": lambda: dana.secrets.delete_scope(scope),
    }
    done = set()
    for name, action in actions.items():
        try:
            action()
        except PermissionDenied as refused:
            assert f"on scope {scope}" in str(refused)
        else:
            done.add(name)
    order = [one for one, _ in LEVELS]
    assert done == set().union(*(allowed for one, allowed in LEVELS if order.index(one) <= order.index(level)))


def test_who_makes_a_scope_manages_it(workspace: Workspace) -> None:
    """Anybody may make one; with initial_manage_principal it is everybody's; the list of scopes is everybody's too."""
    dana, eddie = workspace.client(DANA), workspace.client(EDDIE)
    own, common = workspace.name("own"), workspace.name("common")
    dana.secrets.create_scope(own)
    dana.secrets.create_scope(common, initial_manage_principal="users")
    assert [(acl.principal, acl.permission) for acl in dana.secrets.list_acls(own)] == [(DANA, AclPermission.MANAGE)]
    assert [acl.principal for acl in eddie.secrets.list_acls(common)] == ["users"]
    with pytest.raises(PermissionDenied):
        list(eddie.secrets.list_secrets(own))
    assert {own, common} <= {scope.name for scope in eddie.secrets.list_scopes()}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("scopes/create", {"scope": "a b"}, 400, "INVALID_PARAMETER_VALUE"),
        ("scopes/create", {"scope": "x" * 129}, 400, "INVALID_PARAMETER_VALUE"),
        ("scopes/create", {}, 400, "INVALID_PARAMETER_VALUE"),
        ("scopes/create", {"scope": "ok", "initial_manage_principal": "dana"}, 400, "INVALID_PARAMETER_VALUE"),
        ("scopes/create", {"scope": "there"}, 400, "RESOURCE_ALREADY_EXISTS"),
        ("put", {"scope": "there", "key": "a b", "string_value": "x"}, 400, "INVALID_PARAMETER_VALUE"),
        ("put", {"scope": "there", "key": "k"}, 400, "MALFORMED_REQUEST"),
        ("put", {"scope": "there", "key": "k", "string_value": "x", "bytes_value": "eA=="}, 400, "MALFORMED_REQUEST"),
        ("put", {"scope": "there", "key": "k", "bytes_value": "no base64!"}, 400, "MALFORMED_REQUEST"),
        ("put", {"scope": "there", "key": "k", "string_value": "x" * 131073}, 400, "INVALID_PARAMETER_VALUE"),
        ("put", {"scope": "absent", "key": "k", "string_value": "x"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("acls/put", {"scope": "there", "principal": "nobody", "permission": "READ"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("acls/put", {"scope": "there", "principal": DANA, "permission": "OWN"}, 400, "INVALID_PARAMETER_VALUE"),
        ("acls/delete", {"scope": "there", "principal": DANA}, 404, "RESOURCE_DOES_NOT_EXIST"),
    ],
)
def test_what_cannot_be_is_refused(workspace: Workspace, path: str, body: dict[str, str], status: int, code: str) -> None:
    """Names, sizes, levels and principals, each with its code."""
    workspace.http("POST", "/api/2.0/secrets/scopes/create", json={"scope": "there"})
    answer = workspace.http("POST", f"/api/2.0/secrets/{path}", json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)


def test_no_secret_is_in_the_state_files_of_a_stranger(workspace: Workspace) -> None:
    """The state folder is its owner's alone; secrets lie nowhere else."""
    admin, scope = workspace.client(), workspace.name("scope")
    admin.secrets.create_scope(scope)
    admin.secrets.put_secret(scope, "key", string_value="a-very-secret-value")
    holders = [
        file for file in workspace.state.folder.rglob("*") if file.is_file() and b"a-very-secret-value" in file.read_bytes()
    ]
    assert holders and all(file.name.startswith("sandbox.db") for file in holders)
    assert workspace.state.folder.stat().st_mode & 0o077 == 0
