"""Requests that no client library makes: wrong JSON, wrong types, unknown fields, paths and tokens."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.identities import SERVICE_PRINCIPALS
from sandbox.workspace.app import ROUTES
from tests.workspace_sandbox import DANA, SCIM, Workspace

pytest_plugins = ["tests.workspace_sandbox"]
OTHER = SERVICE_PRINCIPALS["quant_lr"]  # whose rules no other test needs


@pytest.mark.parametrize(
    "body",
    [b"{", b"nonsense", b"[]", b"null", b'"text"', b"1", b'{"a": NaN}', b"\xff\xfe", b'{"path": "\\ud800"}', b"[" * 100_000],
    ids=lambda body: repr(body[:12]),
)
@pytest.mark.parametrize("path", ["/api/2.0/workspace/mkdirs", "/api/2.2/jobs/create", "/api/2.0/repos"])
def test_what_is_no_json_object_is_malformed(workspace: Workspace, path: str, body: bytes) -> None:
    """400 MALFORMED_REQUEST, in the product's words."""
    answer = workspace.http("POST", path, data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "MALFORMED_REQUEST")
    assert answer.json()["message"].startswith("Could not parse request object: ")


def test_a_broken_upload_is_malformed(workspace: Workspace) -> None:
    """A form without its boundaries."""
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for data in (b"nonsense", b"--x\r\nbroken"):
        answer = workspace.http("POST", "/api/2.0/workspace/import", data=data, headers=headers)
        assert answer.status_code == 400 and "sandbox" not in answer.text


TASK = {
    "task_key": "a",
    "spark_python_task": {"python_file": "/f.py", "parameters": ["x"]},
    "depends_on": [{"task_key": "a"}],
}
SETTINGS = {
    "name": "n", "timeout_seconds": 5, "max_concurrent_runs": 1, "tasks": [TASK], "tags": {"a": "b"},
    "queue": {"enabled": True}, "job_clusters": [{"job_cluster_key": "k"}], "parameters": [{"name": "p", "default": "d"}],
    "run_as": {"user_name": DANA}, "email_notifications": {"on_start": ["a@b.c"]},
    "webhook_notifications": {"on_start": [{"id": "h"}]},
    "health": {"rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 1}]},
    "schedule": {"pause_status": "PAUSED", "quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC"},
}  # fmt: skip
ENTRIES = [{"user_name": DANA, "group_name": "g", "service_principal_name": "s", "permission_level": "CAN_VIEW"}]
VALUE = [{"value": "1", "display": "d"}]
PERSON = {
    "displayName": "d", "userName": "u@x.y", "applicationId": "a", "externalId": "e", "active": True, "members": VALUE,
    "entitlements": VALUE, "roles": VALUE, "emails": VALUE, "name": {"givenName": "g"},
}  # fmt: skip
QUERY = {
    "path": "/Users", "format": "AUTO", "direct_download": "true", "job_id": "1", "run_id": "1", "limit": "1", "offset": "0",
    "name": "n", "expand_tasks": "true", "page_token": "", "next_page_token": "", "path_prefix": "/", "filter": 'id eq "1"',
    "attributes": "id", "excludedAttributes": "id", "startIndex": "1", "count": "1",
    "sortBy": "id", "sortOrder": "descending",
    "active_only": "true", "completed_only": "false", "run_type": "JOB_RUN", "start_time_from": "1", "start_time_to": "2",
    "scope": "s", "key": "k", "principal": "p", "principal_id": "1",
}  # fmt: skip
# A body for each route that takes one: every field that its handler reads.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "repos"): {"url": "http:/x.git", "provider": "gitLab", "path": "/a/b", "git_credential_id": 1,
                       "sparse_checkout": {"patterns": ["a"]}},
    ("PATCH", "repos/{id}"): {
        "branch": "b", "tag": "t", "sparse_checkout": {"patterns": ["a"]}, "dangerously_force_discard_all": True,
    },
    ("POST", "workspace/mkdirs"): {"path": "/Users"},
    ("POST", "workspace/import"): {"path": "/Users/x", "content": "eA==", "overwrite": True, "format": "AUTO"},
    ("POST", "workspace/delete"): {"path": "/absent", "recursive": True},
    ("POST", "jobs/create"): {**SETTINGS, "access_control_list": ENTRIES},
    ("POST", "jobs/reset"): {"job_id": 1, "new_settings": SETTINGS},
    ("POST", "jobs/update"): {"job_id": 1, "new_settings": SETTINGS, "fields_to_remove": ["tasks/a"]},
    ("POST", "jobs/delete"): {"job_id": 1},
    ("POST", "jobs/run-now"): {"job_id": 1, "job_parameters": {"p": "v"}, "idempotency_token": "t"},
    ("POST", "jobs/runs/submit"): {"run_name": "n", "tasks": [TASK], "timeout_seconds": 1, "idempotency_token": "t"},
    ("POST", "jobs/runs/cancel"): {"run_id": 1},
    ("PUT", "preview/accounts/access-control/rule-sets"): {
        "name": f"accounts/a/servicePrincipals/{OTHER}/ruleSets/default",
        "rule_set": {"etag": "e", "grant_rules": [{"role": "roles/servicePrincipal.user", "principals": [f"users/{DANA}"]}]},
    },
    ("PUT", "permissions/{kind}/{id}"): {"access_control_list": ENTRIES},
    ("PATCH", "permissions/{kind}/{id}"): {"access_control_list": ENTRIES},
    ("POST", "{kind}"): PERSON,
    ("PUT", "{kind}/{id}"): PERSON,
    ("PATCH", "{kind}/{id}"): {
        "Operations": [
            {"op": "add", "path": path, "value": value}
            for path, value in (*PERSON.items(), ("", {"displayName": "d"}), ("name.givenName", "g"))
        ]
    },
    ("POST", "secrets/scopes/create"): {"scope": "a b", "initial_manage_principal": "u", "scope_backend_type": "DATABRICKS"},
    ("POST", "secrets/scopes/delete"): {"scope": "absent"},
    ("POST", "secrets/put"): {"scope": "s", "key": "k", "string_value": "x", "bytes_value": "eA=="},
    ("POST", "secrets/delete"): {"scope": "s", "key": "k"},
    ("POST", "secrets/acls/put"): {"scope": "s", "principal": "p", "permission": "READ"},
    ("POST", "secrets/acls/delete"): {"scope": "s", "principal": "p"},
    ("POST", "git-credentials"): {
        "git_provider": "p", "git_username": "u", "git_email": "e", "name": "n", "personal_access_token": "t",
        "principal_id": 1, "is_default_for_provider": True,
    },
    ("PATCH", "git-credentials/{id}"): {"git_provider": "p", "git_username": "u", "git_email": "e", "principal_id": 1},
}  # fmt: skip
WRONG: list[Any] = [None, [], {}, [[]], {"x": {}}, "", "\x00", "x" * 5000, -1, 2**63, 1.5, True]


def tail(path: str) -> str:
    """A route's path without its API's prefix."""
    return path.removeprefix(SCIM + "/").removeprefix("/api/2.0/").removeprefix("/api/{version}/")


def mutations(value: Any) -> Iterator[Any]:
    """The value with each of its parts, at any depth, replaced by each wrong one, and left out."""
    yield from (copy.deepcopy(wrong) for wrong in WRONG)
    if isinstance(value, dict):
        for key in value:
            yield {name: inner for name, inner in value.items() if name != key}
            yield from ({**value, key: inner} for inner in mutations(value[key]))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from ([*value[:number], inner, *value[number + 1 :]] for inner in mutations(item))


@pytest.fixture(scope="module")
def things(workspace: Workspace) -> dict[str, str]:
    """An object of each kind that a path can name."""
    admin = workspace.client()
    folder = workspace.folder()
    admin.secrets.create_scope("s")
    job = admin.jobs.create(name="n").job_id
    group = admin.groups.create(display_name=workspace.name("fuzz")).id
    user = admin.users.create(user_name=f"{workspace.name('fuzz')}@x.y").id
    return {
        "job": str(job),
        "repos/{id}": f"repos/{folder.id}",
        "Groups": str(group),
        "Users": str(user),
        "git-credentials/{id}": f"git-credentials/{admin.git_credentials.create('p').credential_id}",
    }


@pytest.mark.parametrize("value", ["", "abc", "-1", "9" * 40, "\x00", "YWZ0ZXI6eA=="])
def test_no_query_of_wrong_values_is_a_defect(workspace: Workspace, value: str) -> None:
    """Each parameter that is known, on each route that is read, with values that it cannot have."""
    for method, route, _ in ROUTES:
        if method != "GET":
            continue
        path = (
            route.replace("{version}", "2.2").replace("{kind}", "Groups" if "scim" in route else "jobs").replace("{id}", "1")
        )
        for name in QUERY:
            answer = workspace.http("GET", path, params={**QUERY, name: value})
            assert answer.status_code < 500 and "(sandbox)" not in answer.text, (path, name, value, answer.text)


def test_every_route_that_takes_a_body_is_tried() -> None:
    """The table above is complete."""
    wanted = {(method, tail(path)) for method, path, _ in ROUTES if method in ("POST", "PUT", "PATCH")}
    assert wanted == set(BODIES)


@pytest.mark.parametrize(("method", "route"), list(BODIES), ids=lambda part: str(part).replace("/", "-"))
def test_no_body_of_wrong_types_is_a_defect(workspace: Workspace, things: dict[str, str], method: str, route: str) -> None:
    """Each field of each body, with each wrong value: a refusal in the product's form, never the sandbox's own failure."""
    full = next(path for verb, path, _ in ROUTES if verb == method and tail(path) == route)
    kinds = ["Users", "Groups"] if full.startswith(SCIM) else ["jobs"] if "{kind}" in route else [""]
    base = BODIES[(method, route)]
    for kind in kinds:
        number = things.get(kind, things["job"])
        path = full.replace(route, things.get(route, route)).replace("{version}", "2.2")
        path = path.replace("{kind}", kind).replace("{id}", number)
        for body in mutations(base):
            if not isinstance(body, dict):
                continue
            if "job_id" in body and body["job_id"] == 1:
                body = {**body, "job_id": int(things["job"])}
            answer = workspace.http(method, path, json=body)
            assert answer.status_code < 500 and "(sandbox)" not in answer.text, (method, path, body, answer.text)
            if answer.status_code >= 400:
                said = answer.json()
                assert (said.get("error_code") and said.get("message")) or said.get("detail"), answer.text


@pytest.mark.parametrize("path", ["/api/2.2/jobs/list", "/api/2.2/jobs/runs/list", "/api/2.0/repos"])
@pytest.mark.parametrize("token", ["nonsense", "YWZ0ZXI6eA==", "1", "é"])
def test_a_page_token_that_was_not_given_is_refused(workspace: Workspace, path: str, token: str) -> None:
    """400 INVALID_PARAMETER_VALUE, and not the first page again."""
    name = "next_page_token" if path.endswith("repos") else "page_token"
    answer = workspace.http("GET", path, params={name: token})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert token in answer.json()["message"]


def test_fields_that_nobody_knows_are_ignored(workspace: Workspace) -> None:
    """In a body and in a query, as the product does; null is as good as left out."""
    path = f"/{workspace.name('dir')}"
    body = {"path": path, "colour": "red", "deep": {"er": [1]}, "recursive": None}
    assert workspace.http("POST", "/api/2.0/workspace/mkdirs", json=body).status_code == 200
    answer = workspace.http("GET", "/api/2.0/workspace/get-status", params={"path": path, "colour": "red"})
    assert answer.json()["path"] == path
    person = {"userName": f"{workspace.name('u')}@x.y", "shoeSize": 42, "schemas": ["x"]}
    assert workspace.http("POST", f"{SCIM}/Users", json=person).status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/2.0/clusters/list"),
        ("POST", "/api/2.0/repos/1/branches"),
        ("DELETE", "/api/2.0/secrets/scopes/list"),
        ("GET", "/api/3.0/jobs/list"),
        ("GET", "/nowhere"),
    ],
)
def test_what_is_not_emulated_names_itself(workspace: Workspace, method: str, path: str) -> None:
    """404 ENDPOINT_NOT_FOUND with method and path, so that nothing seems to work."""
    answer = workspace.http(method, path)
    assert (answer.status_code, answer.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
    assert f"'{method} {path}'" in answer.json()["message"]
