"""The vendor's recorded requests: each is answered alike, or is outside what the sandbox emulates, with the reason.

They are read from the Go module cache, where building the toolchain puts them.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.vendor_replay import SLEEPER, Replay, difference
from tests.vendor_requests import PROVIDER, Recorded, module, recorded
from tests.workspace_sandbox import Workspace

pytest_plugins = ["tests.workspace_sandbox"]
VENDOR = module(PROVIDER)
LEAST = 114  # requests that are answered alike
# What the vendor's server says to see how its client passes an error on; no real one says it.
MADE_UP = (
    "Internal error happened",
    "Something",
    "nope",
    "Item not found",
    "Unauthorized",
    "searching_error",
    "cannot find",
)
CONTRADICTS = "the recorded answer contradicts the recorded requests before it"
TOKENS = "page tokens are their server's own; pages are tested in test_workspace_git_folders and test_workspace_jobs"
# The vendor's test, method and path -> why a request of it that is answered otherwise is outside the scope.
JOB, JOBS, RULES = "/api/2.0/jobs/get", "/api/2.1/jobs/list", "/api/2.0/preview/accounts/access-control/rule-sets"
OTHERS = {
    ("TestReposListAll", "GET", "/api/2.0/repos"): TOKENS,
    ("TestReposListWithPrefix", "GET", "/api/2.0/repos"): CONTRADICTS,
    ("TestJobsAPIListMultiplePages", "GET", JOBS): TOKENS,
    ("TestDataSourceQueryableJobNoMatchId", "GET", JOB): "the product says 400, of which the vendor's client makes a 404",
    ("TestResourceJobCreate_RunJobTask", "GET", "/api/2.2/jobs/get"): CONTRADICTS,
    ("TestResourceJobUpdate_ControlRunState_ContinuousUpdateRunNowFailsWith409", "POST", "/api/2.0/jobs/run-now"):
        "continuous jobs start by themselves, which the sandbox's do not",
    ("TestResourceJobCreate_ControlRunState_ContinuousUpdateCancel", "POST", "/api/2.0/jobs/run-now"): CONTRADICTS,
    ("TestResourceJobCreateSingleNode", "GET", JOB): CONTRADICTS,
    ("TestResourceJobCreateNWorkers", "GET", JOB): CONTRADICTS,
    ("TestResourceJobCreateFromGitSource", "GET", "/api/2.2/jobs/get"): CONTRADICTS,
    ("TestResourceJobUpdate_RunIfDoesNotSuppressIfNotAllSuccess", "GET", "/api/2.2/jobs/get"): CONTRADICTS,
    ("TestResourceJobUpdate_ApplyPolicyDefaultValues_AllowList_GcpAttributes", "GET", "/api/2.2/jobs/get"):
        "cluster policies of another cloud fill in what was not sent",
    ("TestResourceJobUpdate_Tasks", "POST", "/api/2.2/jobs/reset"): "the reference says that a reset answers nothing",
    ("TestResourceJobUpdate_WebhookNotifications", "POST", "/api/2.2/jobs/reset"):
        "the reference says that a reset answers nothing",
    ("TestJobRestarts", "GET", "/api/2.0/jobs/runs/list"): CONTRADICTS,
    ("TestResourceRuleSetUpdateName", "PUT", RULES): "a service principal has one rule set, `default`",
    ("TestResourceRuleSetUpdateConflict", "GET", RULES): CONTRADICTS,
    ("TestDataSourceUser", "GET", "/api/2.0/preview/scim/v2/Users"): CONTRADICTS,
    ("TestDataSourceUser_ApiFieldWorkspace", "GET", "/api/2.0/preview/scim/v2/Users"): CONTRADICTS,
    ("TestResourceEntitlementsCreate_AccountLevelShouldError", "PATCH", "/api/2.0/preview/scim/v2/Groups/abc"):
        "groups of the account are not emulated",
    ("TestResourceSecretACLRead_NotFound", "GET", "/api/2.0/secrets/acls/get"):
        "the reference says RESOURCE_DOES_NOT_EXIST",
}  # fmt: skip


def outside(one: Recorded) -> str | None:
    """Why a recorded request is outside the scope that sandbox/workspace/README.md states, whatever the sandbox answers."""
    where, said = one.path.partition("?")[0], one.response if isinstance(one.response, dict) else {}
    if "/accounts/" in where.replace("/accounts/access-control", "") or where == "/.well-known/databricks-config":
        return "the account console's API"
    if where == "/api/2.0/workspace-conf":
        return "settings of the workspace"
    if (one.status or 200) >= 400:
        words, code = str(said.get("Message") or said.get("message") or ""), said.get("ErrorCode") or said.get("error_code")
        if words.startswith(MADE_UP) or (not code and "detail" not in said and one.status != 404):
            return "an error made up to see how the client passes it on"
    if re.search(r"/workspace/(import|export|list)$", where) or said.get("object_type") in ("NOTEBOOK", "FILE"):
        return "files outside Git folders"
    if "AZURE_KEYVAULT" in f"{one.request}{one.response}":
        return "secrets in Azure Key Vault"
    if one.method == "POST" and one.request is None:
        return "what was sent is not recorded"
    return None


@pytest.mark.skipif(VENDOR is None, reason=f"{PROVIDER} is not in the Go module cache: build the toolchain first")
def test_each_recorded_request_is_answered_alike_or_is_outside_the_scope(own: Workspace, tmp_path: Path) -> None:
    """Each of the vendor's tests is replayed in its order; an exception that nothing needs any more is told too."""
    assert VENDOR is not None
    own.commit(tmp_path / "clone", "sleeper", {SLEEPER: "import time\ntime.sleep(60)\n"})
    folder = own.folder("sleeper").path or ""
    alike, reasons, different, unreadable = 0, Counter[str](), [], []
    needed = set()
    for test, requests in recorded(VENDOR):
        unreadable += [one for one in requests if isinstance(one, str)]
        read = [one for one in requests if isinstance(one, Recorded)]
        reasons.update(why for one in read if (why := outside(one)))
        for one, why in Replay(own, folder, [one for one in read if not outside(one)]).run():
            key = (test.partition(":")[2], one.method, one.path.partition("?")[0])
            if not why:
                alike += 1
            elif key in OTHERS:
                reasons[OTHERS[key]] += 1
                needed.add(key)
            else:
                different.append(f"{one.where} {one.method} {one.path}: {why}")
    assert (different, unreadable) == ([], [])
    assert needed == set(OTHERS)
    assert alike >= LEAST
    text = (ROOT / "sandbox" / "workspace" / "README.md").read_text()
    assert f"{alike} of {alike + reasons.total()} recorded requests" in text
    assert [f"| {reason} | {count} |" for reason, count in reasons.items() if f"| {reason} | {count} |" not in text] == []


def test_a_difference_is_found() -> None:
    """A missing field, another value, another type, and an element that a list lacks; numbers and times are free."""
    wanted = {"name": "a", "job_id": 1, "tasks": [{"task_key": "t"}], "empty": ""}
    assert difference(wanted, {"Name": "a", "job_id": 2, "tasks": [{"task_key": "x"}, {"task_key": "t"}]}) == ""
    for found in ({}, {**wanted, "name": "b"}, {**wanted, "tasks": {}}, {**wanted, "tasks": [{"task_key": "x"}]}):
        assert difference(wanted, found)
