"""Directories of the workspace tree."""

from __future__ import annotations

import concurrent.futures

import pytest
from databricks.sdk.errors import BadRequest, NotFound, PermissionDenied
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel
from databricks.sdk.service.workspace import ObjectType

from tests.workspace_sandbox import ADMIN, DANA, EDDIE, Workspace

pytest_plugins = ["tests.workspace_sandbox"]


def test_a_directory_is_made_with_those_above_it_and_found_without_the_prefix(workspace: Workspace) -> None:
    """mkdirs takes paths with and without /Workspace, changes nothing that is there, and its maker manages it."""
    admin, top = workspace.client(), workspace.name("dir")
    admin.workspace.mkdirs(f"/Workspace/{top}/a//b/")
    admin.workspace.mkdirs(f"/{top}/a/b")
    found = admin.workspace.get_status(f"/Workspace/{top}/a/b")
    assert (found.path, found.object_type) == (f"/{top}/a/b", ObjectType.DIRECTORY)
    assert [entry.path for entry in admin.workspace.list(f"/{top}/a")] == [f"/{top}/a/b"]
    granted = admin.permissions.get("directories", str(found.object_id)).access_control_list or []
    mine = next(entry for entry in granted if entry.user_name == ADMIN)
    assert {one.permission_level for one in mine.all_permissions or []} == {PermissionLevel.CAN_MANAGE}
    assert [one.inherited for one in mine.all_permissions or []] == [False, True, True]  # from both that were made above


def test_many_make_the_same_directory_at_once(workspace: Workspace) -> None:
    """The provider does, for every Git folder below it: all succeed, and there is one."""
    top = workspace.name("dir")

    def attempt(number: int) -> int:
        body = {"path": f"/{top}/shared/{number}"}
        return workspace.http("POST", "/api/2.0/workspace/mkdirs", json=body).status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(attempt, range(24))) == {200}
    assert len([entry.path for entry in workspace.client().workspace.list(f"/{top}/shared")]) == 24


def test_only_an_empty_directory_goes_without_recursive(workspace: Workspace) -> None:
    """DIRECTORY_NOT_EMPTY is refused; recursive takes Git folders along, and their permissions."""
    admin, top = workspace.client(), workspace.name("dir")
    admin.workspace.mkdirs(f"/{top}/a")
    folder = workspace.folder(path=f"/{top}/a/git")
    for path in (f"/{top}", f"/{top}/a", f"/{top}/a/git"):
        with pytest.raises(BadRequest, match="is not empty"):
            admin.workspace.delete(path)
    admin.workspace.delete(f"/{top}", recursive=True)
    with pytest.raises(NotFound):
        admin.workspace.get_status(f"/{top}/a")
    with pytest.raises(NotFound):
        admin.repos.get(folder.id or 0)
    with pytest.raises(NotFound, match="doesn't exist"):
        admin.workspace.delete(f"/{top}")


def test_everybody_has_a_home_and_not_that_of_others(workspace: Workspace) -> None:
    """One's own directory is one's own; the root, /Users and another's home are not."""
    dana = workspace.client(DANA)
    dana.workspace.mkdirs(f"/Users/{DANA}/mine/deep")
    assert {entry.path for entry in dana.workspace.list("/Users")} == {f"/Users/{DANA}"}
    assert f"/Users/{DANA}/mine" in {entry.path for entry in dana.workspace.list(f"/Users/{DANA}")}
    for path in ("/top", "/Users/other", f"/Users/{EDDIE}/mine"):
        with pytest.raises(PermissionDenied, match="CAN_MANAGE"):
            dana.workspace.mkdirs(path)
    with pytest.raises(NotFound):
        dana.workspace.get_status(f"/Users/{EDDIE}")
    with pytest.raises(NotFound):
        dana.workspace.delete(f"/Users/{EDDIE}")


def test_who_sees_something_sees_the_names_above_it(workspace: Workspace) -> None:
    """A reader of a deep directory finds the way to it and nothing beside it."""
    admin, dana, top = workspace.client(), workspace.client(DANA), workspace.name("dir")
    for path in (f"/{top}/a/b", f"/{top}/other"):
        admin.workspace.mkdirs(path)
    number = str(admin.workspace.get_status(f"/{top}/a/b").object_id)
    entry = AccessControlRequest(user_name=DANA, permission_level=PermissionLevel.CAN_READ)
    admin.permissions.update("directories", number, access_control_list=[entry])
    assert [found.path for found in dana.workspace.list(f"/{top}")] == [f"/{top}/a"]
    assert dana.workspace.get_status(f"/{top}/a/b").object_id == int(number)
    with pytest.raises(NotFound):
        dana.workspace.get_status(f"/{top}/other")


def test_the_root_has_the_number_nought(workspace: Workspace) -> None:
    """As the provider's Permissions know it; a level there is inherited by all below."""
    admin = workspace.client()
    assert admin.workspace.get_status("/").object_id == 0
    path = f"/{workspace.name('dir')}"
    admin.workspace.mkdirs(path)
    dana = workspace.client(DANA)
    with pytest.raises(NotFound):
        dana.workspace.get_status(path)
    entry = AccessControlRequest(user_name=DANA, permission_level=PermissionLevel.CAN_READ)
    admin.permissions.set("directories", "0", access_control_list=[entry])
    try:
        assert dana.workspace.get_status(path).path == path
    finally:
        admin.permissions.set("directories", "0", access_control_list=[])
    with pytest.raises(BadRequest):
        admin.workspace.mkdirs("relative/path")
    for path in ("/a/../b", "/a/\x00", "/" + "x" * 256):
        answer = workspace.http("POST", "/api/2.0/workspace/mkdirs", json={"path": path})
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_shared_is_everybodys_until_its_permissions_are_replaced(own: Workspace) -> None:
    """By an entry for all users, which a replacement takes away like any other."""
    dana, admin = own.client(DANA), own.client()
    dana.workspace.mkdirs("/Shared/hers")
    number = str(admin.workspace.get_status("/Shared").object_id)
    [entry] = [
        one for one in admin.permissions.get("directories", number).access_control_list or [] if one.group_name == "users"
    ]
    assert [one.permission_level for one in entry.all_permissions or []] == [PermissionLevel.CAN_MANAGE]
    reader = AccessControlRequest(user_name=EDDIE, permission_level=PermissionLevel.CAN_READ)
    admin.permissions.set("directories", number, access_control_list=[reader])
    with pytest.raises(PermissionDenied):
        dana.workspace.mkdirs("/Shared/more")


def test_a_home_is_its_owners_by_an_entry(own: Workspace) -> None:
    """So a replacement of its permissions shuts its owner out."""
    dana, admin = own.client(DANA), own.client()
    dana.workspace.mkdirs(f"/Users/{DANA}/a")
    number = str(admin.workspace.get_status(f"/Users/{DANA}").object_id)
    assert DANA in {one.user_name for one in admin.permissions.get("directories", number).access_control_list or []}
    reader = AccessControlRequest(user_name=EDDIE, permission_level=PermissionLevel.CAN_READ)
    admin.permissions.set("directories", number, access_control_list=[reader])
    with pytest.raises(PermissionDenied):
        dana.workspace.mkdirs(f"/Users/{DANA}/b")
