"""What the Databricks workspace says: its jobs, and of each environment the folder's local edits and the secret scope."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from infra.errors import UserError
from infra.outside.branch import Snapshot
from infra.outside.local_edits import local_edits
from infra.sdk import workspace_client
from quantctl.drift.belongings import Scope

_SECONDS = 20  # for one answer: an export of a folder is among them
_AT_ONCE = 8
_PAGE = 100  # https://docs.databricks.com/api/workspace/jobs/list


class Workspace:
    """A client that reads; every method raises `Unreadable` with the workspace's words."""

    def __init__(self) -> None:
        try:
            self._client = workspace_client(_SECONDS)
        except (OSError, ValueError) as error:
            raise Unreadable(_first_line(error)) from None

    def jobs(self) -> list[Mapping[str, Any]]:
        """Every job that the deployer sees, with its tasks. https://docs.databricks.com/api/workspace/jobs/list"""
        return list(self._pages("/api/2.2/jobs/list", "jobs", {"expand_tasks": "true", "limit": str(_PAGE)}))

    def permissions(self, jobs: Iterable[str]) -> dict[str, list[Mapping[str, Any]]]:
        """Who may do what with each job. https://docs.databricks.com/api/workspace/permissions/get

        A job that cannot be asked about is left out.
        """

        def ask(job: str) -> list[Mapping[str, Any]] | None:
            try:
                return list(self._get(f"/api/2.0/permissions/jobs/{job}").get("access_control_list") or [])
            except Unreadable:
                return None

        asked = list(jobs)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return {job: found for job, found in zip(asked, pool.map(ask, asked), strict=True) if found is not None}

    def scope(self, name: str) -> Scope | None:
        """The secret scope; None when there is none, which the engine tells."""
        if name not in [scope.get("name") for scope in self._get("/api/2.0/secrets/scopes/list").get("scopes", [])]:
            return None
        acls = self._get("/api/2.0/secrets/acls/list", scope=name).get("items", [])
        secrets = self._get("/api/2.0/secrets/list", scope=name).get("secrets", [])
        return Scope(
            name,
            {str(entry["principal"]): str(entry["permission"]) for entry in acls},
            {str(entry["key"]): int(entry["last_updated_timestamp"]) for entry in secrets},
        )

    def edits(self, path: str, snapshot: Snapshot) -> list[str]:
        """Files of the Git folder that are not as the commit has them that it is at; none where there is no folder."""
        repos = self._get("/api/2.0/repos", path_prefix=path).get("repos", [])
        repo = next((repo for repo in repos if repo.get("path") == path), None)
        if repo is None:
            return []
        commit = str(repo.get("head_commit_id") or "")
        expected = snapshot.blobs_at(commit)
        if expected is None:
            expected = snapshot.blobs_anywhere(commit)
        if expected is None:
            raise Unreadable(f"it is at {commit[:12]}, which is on no branch, so local edits cannot be told")
        edited = local_edits(self._client, path, expected)
        if edited is None:
            raise Unreadable("the workspace does not export it (above 10 MB?), so local edits cannot be told")
        return edited

    def pause(self, job: str, settings: Mapping[str, Any]) -> None:
        """The job no longer runs by itself. https://docs.databricks.com/api/workspace/jobs/update"""
        self._post("/api/2.2/jobs/update", {"job_id": int(job), "new_settings": dict(settings)})

    def settings(self, job: str) -> dict[str, Any]:
        """A job's settings as they are."""
        found: dict[str, Any] = self._get("/api/2.2/jobs/get", job_id=job).get("settings") or {}
        return found

    def delete_acl(self, scope: str, principal: str) -> None:
        """https://docs.databricks.com/api/workspace/secrets/deleteacl"""
        self._post("/api/2.0/secrets/acls/delete", {"scope": scope, "principal": principal})

    def _pages(self, path: str, key: str, query: dict[str, str]) -> Iterator[Mapping[str, Any]]:
        token: str | None = ""
        while token is not None:
            answer = self._get(path, **query, **({"page_token": token} if token else {}))
            yield from answer.get(key) or []
            token = answer.get("next_page_token") or None

    def _get(self, path: str, **query: str) -> Any:
        try:
            return self._client.do("GET", path, query=query)
        except (OSError, ValueError, UserError) as error:  # the SDK's errors are OSErrors
            raise Unreadable(_first_line(error)) from None

    def _post(self, path: str, body: dict[str, Any]) -> None:
        try:
            self._client.do("POST", path, body=body)
        except (OSError, ValueError) as error:
            raise Unreadable(_first_line(error)) from None


class Unreadable(Exception):
    """Something could not be read, or changed; the message is the other side's reason on one line."""


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), "")[:300] or type(error).__name__
