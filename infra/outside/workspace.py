"""The one door to the Databricks workspace: what it is asked, and what it hides.

It reads, but for `update_job`, which puts right what the provider leaves.

How a Git folder is found stands here once; `workspace_connection` knows logins, throttling, pages and refusals.
`quantctl.workspace` adds what changes something.
"""

from __future__ import annotations

import datetime
import email.utils
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.outside.workspace_connection import Connection, Json, Missing, Unreadable

_PAGE = 100  # jobs: https://docs.databricks.com/api/workspace/jobs/list
_RUNS_PAGE = 25  # runs: https://docs.databricks.com/api/workspace/jobs/listruns
_ACTIVE = frozenset({"QUEUED", "PENDING", "RUNNING", "TERMINATING", "BLOCKED", "WAITING_FOR_RETRY"})
_FAILED = frozenset({"FAILED", "TIMEDOUT", "UPSTREAM_FAILED", "SUCCESS_WITH_FAILURES"})


@dataclass(frozen=True)
class GitFolder:
    """A Git folder as it is: the branch and commit that it is at ("" for none)."""

    id: int
    path: str
    branch: str
    commit: str


@dataclass(frozen=True)
class Run:
    """A run of a job. `result` is what the Jobs API says of a run that has ended, "" while it has not."""

    job_id: int
    run_id: int
    started: datetime.datetime
    result: str

    @property
    def succeeded(self) -> bool:
        """Every task did what it should."""
        return self.result == "SUCCESS"

    @property
    def failed(self) -> bool:
        """It ended with a failure; a run that somebody cancelled, or that was skipped, is neither."""
        return self.result in _FAILED


class Workspace(Connection):
    """What one workspace is asked."""

    def now(self) -> datetime.datetime:
        """The workspace's own clock, in UTC: a wrong clock of somebody's laptop passes no gate."""
        answer = self._exchange("GET", "/api/2.0/preview/scim/v2/Me")
        try:
            return email.utils.parsedate_to_datetime(str(answer.headers.get("Date"))).astimezone(datetime.UTC)
        except ValueError:
            raise Unreadable("Databricks: an answer came without a Date header, so the time is unknown.") from None

    def me(self) -> Json:
        """Who is logged in, with groups. https://docs.databricks.com/api/workspace/currentuser/me"""
        return self._ask("/api/2.0/preview/scim/v2/Me")

    def number(self) -> str:
        """The workspace's own id, as every answer bears it; empty where none does."""
        return self._exchange("GET", "/api/2.0/preview/scim/v2/Me").headers.get("X-Databricks-Org-Id", "")

    def git_folder(self, path: str) -> GitFolder | None:
        """The Git folder at `path`; None where the workspace has nothing there.

        By its path and then by its id: the list of Git folders is deprecated, leaves out those with Git CLI access and
        those on which the caller has no CAN_MANAGE (databricks-sdk, docstrings of ReposAPI.list and DirectoryInfo).

        Raises:
            Unreadable: it cannot be read, or something else is there.
        """
        needs = f"CAN_READ on the folder {path}"
        try:
            found = self._ask("/api/2.0/workspace/get-status", {"path": path}, needs)
        except Missing:
            return None
        kind, info = found.get("object_type"), found.get("directory_info") or {}
        if kind != "REPO" and not info.get("is_git_folder"):
            raise Unreadable(
                f"Databricks: {path} is no Git folder but a {str(kind).lower()}: somebody has put it there by hand."
                " Move it away in the workspace, and deploy again."
            )
        return self.git_folder_of(int(found["object_id"]), needs)

    def git_folder_of(self, number: int, needs: str = "CAN_READ on the Git folder") -> GitFolder:
        """The Git folder of an id. https://docs.databricks.com/api/workspace/repos/get

        Raises:
            Unreadable: it cannot be read; Missing: there is none, or the caller may not see it.
        """
        repo = self._ask(f"/api/2.0/repos/{number}", None, needs)
        path = str(repo["path"]).removeprefix("/Workspace")
        return GitFolder(int(repo["id"]), path, str(repo.get("branch") or ""), str(repo.get("head_commit_id") or ""))

    def directory(self, path: str) -> int | None:
        """The id of a directory; None where the workspace has none. https://docs.databricks.com/api/workspace/workspace/getstatus"""
        try:
            found = self._ask("/api/2.0/workspace/get-status", {"path": path}, f"CAN_READ on {path}")
        except Missing:
            return None
        return int(found["object_id"])

    def export(self, path: str) -> bytes:
        """The folder as a ZIP archive; refused above 10 MB. https://docs.databricks.com/api/workspace/workspace/export"""
        query = {"path": path, "format": "AUTO", "direct_download": "true"}
        headers = {"Accept": "application/octet-stream"}
        return self._exchange("GET", "/api/2.0/workspace/export", query, None, f"CAN_READ on {path}", headers).content

    def git_credentials(self) -> list[Json]:
        """The caller's own. https://docs.databricks.com/api/workspace/gitcredentials/list"""
        return list(self._ask("/api/2.0/git-credentials").get("credentials") or [])

    def has_service_principal(self, application_id: str) -> bool:
        """Whether the workspace has it. https://docs.databricks.com/api/workspace/serviceprincipals/list"""
        query = {"filter": f'applicationId eq "{application_id}"', "attributes": "applicationId"}
        return any(True for _ in self._scim("/api/2.0/preview/scim/v2/ServicePrincipals", query))

    def principal_rules(self, account_id: str, application_id: str) -> list[Json]:
        """Who may use and manage a principal. https://docs.databricks.com/api/workspace/accountaccesscontrolproxy"""
        name = f"accounts/{account_id}/servicePrincipals/{application_id}/ruleSets/default"
        path = "/api/2.0/preview/accounts/access-control/rule-sets"
        needs = "the Service Principal Manager role on it"
        return list(self._ask(path, {"name": name, "etag": ""}, needs).get("grant_rules") or [])

    def groups(self, names: list[str]) -> set[str]:
        """Which of these groups are there, in lower case."""
        return {name.lower() for name in self.group_ids(names)}

    def group_ids(self, names: list[str]) -> dict[str, str]:
        """Display name -> id of those groups that are there. https://docs.databricks.com/api/workspace/groups/list"""
        quoted = " or ".join('displayName eq "{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"')) for name in names)
        query = {"filter": quoted, "attributes": "displayName"}
        found = self._scim("/api/2.0/preview/scim/v2/Groups", query)
        return {str(one.get("displayName")): str(one.get("id")) for one in found}

    def members(self) -> dict[str, list[str]]:
        """Group -> user names of its members, as each user's own groups say it, those through another group included.

        https://docs.databricks.com/api/workspace/users/list
        """
        found: dict[str, list[str]] = {}
        for one in self._scim("/api/2.0/preview/scim/v2/Users", {"attributes": "userName,groups"}):
            for group in one.get("groups") or []:
                found.setdefault(str(group.get("display")), []).append(str(one.get("userName")))
        return {group: sorted(people) for group, people in sorted(found.items())}

    def jobs(self, **query: str) -> list[Json]:
        """Every job that the caller may see, with its tasks. https://docs.databricks.com/api/workspace/jobs/list"""
        asked = {"expand_tasks": "true", "limit": str(_PAGE), **query}
        return list(self._pages("/api/2.2/jobs/list", "jobs", asked))

    def job(self, number: int | str) -> Json:
        """One job as it is. https://docs.databricks.com/api/workspace/jobs/get"""
        return self._ask("/api/2.2/jobs/get", {"job_id": str(number)}, f"CAN_VIEW on the job {number}")

    def update_job(self, number: int | str, settings: Mapping[str, Any]) -> None:
        """Replace these settings of a job. https://docs.databricks.com/api/workspace/jobs/update"""
        body = {"job_id": int(number), "new_settings": dict(settings)}
        self._exchange("POST", "/api/2.2/jobs/update", None, body, f"CAN_MANAGE on the job {number}")

    def permissions(self, what: str, number: int | str) -> list[Json]:
        """Who may do what with an object. https://docs.databricks.com/api/workspace/permissions/get"""
        needs = f"CAN_MANAGE on {what}/{number}"
        return list(self._ask(f"/api/2.0/permissions/{what}/{number}", None, needs).get("access_control_list") or [])

    def runs(self, job_id: int, since: datetime.datetime) -> list[Run]:
        """Runs of a job that were started since then, the newest first."""
        query = {"job_id": str(job_id), "start_time_from": str(int(since.timestamp() * 1000)), "limit": str(_RUNS_PAGE)}
        return [
            run_of(one) for one in self._pages("/api/2.2/jobs/runs/list", "runs", query, f"CAN_VIEW on the job {job_id}")
        ]

    def submitted(self, since: datetime.datetime) -> list[tuple[str, Run]]:
        """One-time runs that the caller may see, by name, the newest first. https://docs.databricks.com/api/workspace/jobs/submit"""
        start = str(int(since.timestamp() * 1000))
        query = {"run_type": "SUBMIT_RUN", "start_time_from": start, "limit": str(_RUNS_PAGE)}
        listed = self._pages("/api/2.2/jobs/runs/list", "runs", query)
        return [(str(one.get("run_name") or ""), run_of(one)) for one in listed]

    def active_runs(self, jobs: Mapping[str, int], before: datetime.datetime | None = None) -> dict[str, list[int]]:
        """Workflow -> ids of the runs that have not ended; only those that were started before a time, if one is given."""
        found: dict[str, list[int]] = {}
        names = {job_id: name for name, job_id in jobs.items()}
        query = {"active_only": "true", "limit": str(_RUNS_PAGE)}
        for one in self._pages("/api/2.2/jobs/runs/list", "runs", query):
            run = run_of(one)
            if run.job_id in names and (before is None or run.started < before):
                found.setdefault(names[run.job_id], []).append(run.run_id)
        return found

    def secret_scopes(self) -> list[str]:
        """Names of the scopes that the caller may see. https://docs.databricks.com/api/workspace/secrets/listscopes"""
        return [str(scope.get("name")) for scope in self._ask("/api/2.0/secrets/scopes/list").get("scopes", [])]

    def secret_acls(self, scope: str) -> dict[str, str]:
        """Principal -> permission. https://docs.databricks.com/api/workspace/secrets/listacls"""
        acls = self._ask("/api/2.0/secrets/acls/list", {"scope": scope}, f"MANAGE on the scope {scope}").get("items", [])
        return {str(entry["principal"]): str(entry["permission"]) for entry in acls}

    def secrets(self, scope: str) -> dict[str, int]:
        """Key -> when it was last written, in milliseconds. https://docs.databricks.com/api/workspace/secrets/listsecrets"""
        found = self._ask("/api/2.0/secrets/list", {"scope": scope}, f"READ on the scope {scope}").get("secrets", [])
        return {str(entry["key"]): int(entry["last_updated_timestamp"]) for entry in found}

    def secrets_if_any(self, scope: str) -> dict[str, int]:
        """The same, where there may be no such scope yet."""
        try:
            return self.secrets(scope)
        except Missing:
            return {}


def run_of(body: Mapping[str, Any]) -> Run:
    """A run as the Jobs API tells it."""
    state = body.get("state") or {}
    active = state.get("life_cycle_state") in _ACTIVE
    result = "" if active else str(state.get("result_state") or state.get("life_cycle_state") or "")
    started = datetime.datetime.fromtimestamp(int(body.get("start_time", 0)) / 1000, datetime.UTC)
    return Run(int(body.get("job_id", 0)), int(body["run_id"]), started, "FAILED" if result == "INTERNAL_ERROR" else result)
