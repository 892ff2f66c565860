"""The workspace's door for commands: what `infra.outside.workspace` reads, and what a command changes."""

from __future__ import annotations

from typing import Any

from infra.outside.workspace import Workspace as Reader


class Workspace(Reader):
    """The workspace of this shell's login."""

    def repo(self, number: int) -> dict[str, Any]:
        """A Git folder with its URL. https://docs.databricks.com/api/workspace/repos/get"""
        return self._ask(f"/api/2.0/repos/{number}", None, "CAN_READ on the Git folder")

    def remove_setting(self, job: str, setting: str) -> None:
        """The job no longer has a setting. https://docs.databricks.com/api/workspace/jobs/update"""
        body = {"job_id": int(job), "fields_to_remove": [setting]}
        self._send("/api/2.2/jobs/update", body, f"CAN_MANAGE on the job {job}")

    def delete_job(self, job: str) -> None:
        """https://docs.databricks.com/api/workspace/jobs/delete"""
        self._send("/api/2.2/jobs/delete", {"job_id": int(job)}, f"CAN_MANAGE on the job {job}")

    def delete_acl(self, scope: str, principal: str) -> None:
        """https://docs.databricks.com/api/workspace/secrets/deleteacl"""
        self._send("/api/2.0/secrets/acls/delete", {"scope": scope, "principal": principal}, f"MANAGE on the scope {scope}")

    def put_secret(self, scope: str, key: str, value: str) -> None:
        """https://docs.databricks.com/api/workspace/secrets/putsecret"""
        body = {"scope": scope, "key": key, "string_value": value}
        self._send("/api/2.0/secrets/put", body, f"WRITE on the scope {scope}")

    def delete_secret(self, scope: str, key: str) -> None:
        """https://docs.databricks.com/api/workspace/secrets/deletesecret"""
        self._send("/api/2.0/secrets/delete", {"scope": scope, "key": key}, f"WRITE on the scope {scope}")

    def _send(self, path: str, body: dict[str, Any], needs: str) -> None:
        self._exchange("POST", path, None, body, needs)
