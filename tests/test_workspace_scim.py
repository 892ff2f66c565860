"""Users, service principals and groups over SCIM."""

from __future__ import annotations

from typing import Any

import pytest
from databricks.sdk.errors import NotFound, PermissionDenied
from databricks.sdk.service.iam import AccessControlRequest, ComplexValue, PermissionLevel
from databricks.sdk.service.workspace import AclPermission

from tests.workspace_sandbox import ADMIN, DANA, PRINCIPAL, SCIM, Workspace

pytest_plugins = ["tests.workspace_sandbox"]


def group(workspace: Workspace, *members: str) -> str:
    """A new group's id."""
    body = {"displayName": workspace.name("group"), "members": [{"value": member} for member in members]}
    return str(workspace.http("POST", f"{SCIM}/Groups", json=body).json()["id"])


def of(workspace: Workspace, who: str) -> str:
    """Somebody's id."""
    return str(workspace.client(who).current_user.me().id)


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ('displayName eq "quant-developers"', ["quant-developers"]),
        ('displayname EQ "QUANT-DEVELOPERS"', ["quant-developers"]),
        ("displayName eq quant-developers", ["quant-developers"]),
        ('displayName sw "quant-r"', ["quant-reviewers", "quant-release-managers"]),
        ('displayName co "user"', ["quant-end-users", "users"]),
        ('displayName eq "admins" or displayName eq "users"', ["admins", "users"]),
        ('displayName sw "quant" and displayName co "review"', ["quant-reviewers"]),
        ('displayName sw "quant-r" and not (displayName co "review")', ["quant-release-managers"]),
        ('displayName sw "quant-r" and displayName ne "quant-reviewers"', ["quant-release-managers"]),
        ('members.display eq "Dana" or displayName eq "a\\"b"', ["quant-developers", "users"]),
        ("displayName eq 'quant-developers'", ["quant-developers"]),
        ('displayName eq "quant\\-developers"', ["quant-developers"]),
        ('displayName eq "(quant) and or\\""', []),
        ('nothing eq "x"', []),
    ],
)
def test_a_filter_finds_what_it_says(workspace: Workspace, expression: str, found: list[str]) -> None:
    """Operators, and, or, not, parentheses; neither names nor values know case."""
    seen = [entry.display_name for entry in workspace.client().groups.list(filter=expression)]
    assert seen == found


@pytest.mark.parametrize("expression", ["displayName", "displayName like x", '(displayName eq "a"', "eq", '"', "(" * 500])
def test_a_filter_that_cannot_be_read_is_refused(workspace: Workspace, expression: str) -> None:
    """As RFC 7644 says, and not as an empty list."""
    answer = workspace.http("GET", f"{SCIM}/Groups", params={"filter": expression})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidFilter")


def test_lists_are_sorted_cut_and_counted(workspace: Workspace) -> None:
    """sortBy, sortOrder, startIndex and count; the client library's own paging sees everybody once."""
    answer = workspace.http(
        "GET", f"{SCIM}/Users", params={"sortBy": "userName", "sortOrder": "descending", "startIndex": 2, "count": 3}
    ).json()
    everybody = sorted((user.user_name or "" for user in workspace.client().users.list()), reverse=True)
    assert [user["userName"] for user in answer["Resources"]] == everybody[1:4]
    assert (answer["totalResults"], answer["startIndex"], answer["itemsPerPage"]) == (len(everybody), 2, 3)
    paged = [user.user_name or "" for user in workspace.client().users.list(count=2)]
    assert sorted(paged, reverse=True) == everybody
    assert workspace.http("GET", f"{SCIM}/Users?count=0").json()["Resources"] == []


def test_only_the_attributes_that_were_asked_for_are_answered(workspace: Workspace) -> None:
    """attributes and excludedAttributes, as the provider uses them; the id always comes."""
    number = of(workspace, DANA)
    path = f"{SCIM}/Users/{number}"
    some = workspace.http("GET", path, params={"attributes": "userName,emails.value"}).json()
    assert set(some) == {"schemas", "id", "userName", "emails"}
    less = workspace.http("GET", path, params={"excludedAttributes": "groups,emails"}).json()
    assert not {"groups", "emails"} & set(less) and less["userName"] == DANA


EXTRA = {"value": "workspace-access"}
OPERATIONS: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = [
    ("Users", [{"op": "replace", "path": "displayName", "value": "D"}], {"displayName": "D"}),
    ("Users", [{"op": "Replace", "value": {"displayName": "D", "active": False}}], {"displayName": "D", "active": False}),
    ("Users", [{"op": "replace", "path": "active", "value": "False"}], {"active": False}),
    ("Users", [{"op": "add", "path": "entitlements", "value": [EXTRA]}], {"entitlements": [EXTRA]}),
    ("Users", [{"op": "replace", "path": "entitlements", "value": [{}]}], {"entitlements": None}),
    ("Users", [{"op": "add", "path": "name.givenName", "value": "Da"}], {"name": {"givenName": "Da"}}),
    ("Users", [{"op": "add", "path": "externalId", "value": "x"},
               {"op": "remove", "path": "externalId"}], {"externalId": None}),
    ("ServicePrincipals", [{"op": "add", "path": "roles", "value": [{"value": "arn"}]}], {"roles": [{"value": "arn"}]}),
    (
        "Groups",
        [{"op": "add", "path": "entitlements", "value": [EXTRA, {"value": "allow-cluster-create"}]},
         {"op": "remove", "path": 'entitlements[value eq "allow-cluster-create"]'}],
        {"entitlements": [EXTRA]},
    ),
    ("Groups", [{"op": "add", "path": "entitlements", "value": [EXTRA]},
                {"op": "remove", "path": "entitlements", "value": [EXTRA]}], {"entitlements": None}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "operations", "expected"), OPERATIONS)
def test_a_patch_changes_what_it_says(
    workspace: Workspace, kind: str, operations: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    """Each operation that a client sends, with and without a path, on each kind of principal."""
    name = workspace.name("someone")
    made = workspace.http("POST", f"{SCIM}/{kind}", json={"displayName": name, "userName": f"{name}@x.y"}).json()
    path = f"{SCIM}/{kind}/{made['id']}"
    assert workspace.http("PATCH", path, json={"Operations": operations}).status_code == 200
    found = workspace.http("GET", path).json()
    assert {key: found.get(key) for key in expected} == expected
    assert {key for key in made if made[key] != found.get(key)} <= set(expected)


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ({"op": "merge", "path": "displayName", "value": "x"}, "invalidValue"),
        ({"op": "add", "path": "shoeSize", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": "displayName", "value": ""}, "invalidValue"),
    ],
)
def test_a_patch_that_makes_no_sense_is_refused(workspace: Workspace, operation: dict[str, Any], kind: str) -> None:
    """With RFC 7644's kind, and nothing is changed."""
    path = f"{SCIM}/Groups/{group(workspace)}"
    before = workspace.http("GET", path).json()
    answer = workspace.http("PATCH", path, json={"Operations": [operation]})
    assert (answer.status_code, answer.json()["scimType"]) == (400, kind)
    assert workspace.http("GET", path).json() == before


def test_members_are_added_removed_and_replaced(workspace: Workspace) -> None:
    """As the provider's GroupMember does it, one by one, and as a whole; twice added is a member once."""
    dana, principal = of(workspace, DANA), of(workspace, PRINCIPAL)
    path = f"{SCIM}/Groups/{group(workspace)}"

    def members(*operations: dict[str, Any]) -> list[str]:
        assert workspace.http("PATCH", path, json={"Operations": list(operations)}).status_code == 200
        return sorted(member["value"] for member in workspace.http("GET", path).json()["members"])

    add = {"op": "add", "path": "members", "value": [{"value": dana}]}
    assert members(add, add) == [dana]
    assert members({"op": "add", "value": {"members": [{"value": principal}]}}) == sorted([dana, principal])
    assert members({"op": "remove", "path": f'members[value eq "{dana}"]'}) == [principal]
    assert members({"op": "remove", "path": 'members[value eq "nobody"]'}) == [principal]
    assert members({"op": "replace", "path": "members", "value": [{"value": dana}]}) == [dana]
    assert members({"op": "remove", "path": "members"}) == []
    absent = {"op": "add", "path": "members", "value": [{"value": "12345"}]}
    assert workspace.http("PATCH", path, json={"Operations": [absent]}).status_code == 404


def test_a_put_replaces_the_whole(workspace: Workspace) -> None:
    """What is left out is taken away: members, entitlements; a user's name is not changed by it."""
    admin = workspace.client()
    name = workspace.name("put")
    number = group(workspace, of(workspace, DANA))
    admin.groups.update(number, display_name=name, entitlements=[ComplexValue(value="workspace-access")])
    found = admin.groups.get(number)
    assert (found.display_name, found.members) == (name, [])
    assert [one.value for one in found.entitlements or []] == ["workspace-access"]
    user = admin.users.create(user_name=f"{name}@X.Y", entitlements=[ComplexValue(value="workspace-access")])
    admin.users.update(str(user.id), user_name="other@x.y", display_name="Other", active=True)
    after = admin.users.get(str(user.id))
    assert (after.user_name, after.display_name, after.entitlements) == (f"{name}@x.y", "Other", [])


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("Groups", {"displayName": "quant-developers"}, "Group with name quant-developers already exists."),
        ("Users", {"userName": "DANA@quant.example"}, f"User with username {DANA} already exists."),
        (
            "ServicePrincipals",
            {"applicationId": PRINCIPAL},
            f"Service principal with application ID {PRINCIPAL} already exists.",
        ),
    ],
)
def test_a_name_that_is_taken_is_refused_in_the_words_that_the_provider_knows(
    workspace: Workspace, kind: str, body: dict[str, str], words: str
) -> None:
    """409, and a message by which `force` finds the one that is there."""
    answer = workspace.http("POST", f"{SCIM}/{kind}", json=body)
    assert (answer.status_code, answer.json()["detail"]) == (409, words)


def test_a_group_in_a_group_counts(workspace: Workspace) -> None:
    """Permissions of the outer group are those of the inner one's members, told as indirect membership."""
    inner = group(workspace, of(workspace, DANA))
    outer = group(workspace, inner)
    admin = workspace.client()
    folder = workspace.folder()
    entry = AccessControlRequest(group_name=admin.groups.get(outer).display_name, permission_level=PermissionLevel.CAN_READ)
    admin.permissions.set("repos", str(folder.id), access_control_list=[entry])
    assert workspace.client(DANA).repos.get(folder.id or 0).path == folder.path
    how = {mine.value: mine.type for mine in workspace.client(DANA).current_user.me().groups or []}
    assert (how[inner], how[outer]) == ("direct", "indirect")


def test_what_was_granted_to_a_principal_goes_with_it_and_stays_through_a_new_name(workspace: Workspace) -> None:
    """A renamed group keeps its permissions; a deleted group or user leaves none behind."""
    admin = workspace.client()
    number = group(workspace)
    user = admin.users.create(user_name=f"{workspace.name('u')}@x.y")
    before, scope = admin.groups.get(number).display_name, workspace.name("scope")
    folder = str(workspace.folder().id)
    entries = [
        AccessControlRequest(group_name=before, permission_level=PermissionLevel.CAN_RUN),
        AccessControlRequest(user_name=user.user_name, permission_level=PermissionLevel.CAN_READ),
    ]
    admin.permissions.set("repos", folder, access_control_list=entries)
    admin.secrets.create_scope(scope)
    for principal in (before, user.user_name):
        admin.secrets.put_acl(scope, principal or "", AclPermission.READ)
    admin.groups.update(number, display_name=f"{before}-new")

    def granted() -> set[str | None]:
        listed = admin.permissions.get("repos", folder).access_control_list or []
        return {entry.user_name or entry.group_name for entry in listed}

    assert granted() == {f"{before}-new", user.user_name, "admins"}
    assert {acl.principal for acl in admin.secrets.list_acls(scope)} == {f"{before}-new", user.user_name, ADMIN}
    admin.groups.delete(number)
    admin.users.delete(str(user.id))
    assert granted() == {"admins"}
    assert {acl.principal for acl in admin.secrets.list_acls(scope)} == {ADMIN}
    with pytest.raises(NotFound, match=r"Group with id \d+ not found"):
        admin.groups.get(number)


def test_only_admins_change_who_there_is(workspace: Workspace) -> None:
    """Anybody may look; each write of somebody else is refused."""
    dana = workspace.client(DANA)
    number = of(workspace, DANA)
    assert {user.user_name for user in dana.users.list()} >= {DANA, ADMIN}
    for attempt in (
        lambda: dana.groups.create(display_name="mine"),
        lambda: dana.users.patch(number, operations=[]),
        lambda: dana.users.update(number, display_name="x"),
        lambda: dana.users.delete(number),
        lambda: dana.service_principals.create(display_name="x"),
    ):
        with pytest.raises(PermissionDenied, match="admins"):
            attempt()


def test_system_groups_stay(workspace: Workspace) -> None:
    """admins and users cannot be deleted or renamed, and everybody is one of the users."""
    admin = workspace.client()
    [users] = admin.groups.list(filter='displayName eq "users"')
    assert len(users.members or []) == len([*admin.users.list(), *admin.service_principals.list()])
    for name in ("admins", "users"):
        [found] = admin.groups.list(filter=f'displayName eq "{name}"')
        with pytest.raises(PermissionDenied):
            admin.groups.delete(str(found.id))
        with pytest.raises(PermissionDenied):
            admin.groups.update(str(found.id), display_name="other")
