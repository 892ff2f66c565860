"""The workspace's door for commands: what `infra.outside.workspace` reads, and what a command changes."""

from __future__ import annotations

from typing import Any

from infra.outside.workspace import Run, run_of
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

    def make_git_folder(self, url: str, provider: str, path: str) -> int:
        """A Git folder at the default branch; its id. https://docs.databricks.com/api/workspace/repos/create"""
        body = {"url": url, "provider": provider, "path": path}
        return int(self._told("POST", "/api/2.0/repos", body, f"CAN_MANAGE on the directory of {path}")["id"])

    def check_out(self, number: int, branch: str) -> str:
        """The branch's head in a Git folder; its commit. https://docs.databricks.com/api/workspace/repos/update"""
        answer = self._told("PATCH", f"/api/2.0/repos/{number}", {"branch": branch}, "CAN_MANAGE on the Git folder")
        return str(answer.get("head_commit_id") or "")

    def let_run(self, number: int, principal: str) -> None:
        """A service principal may run a Git folder's files. https://docs.databricks.com/api/workspace/repos/updatepermissions"""
        body = {"access_control_list": [{"service_principal_name": principal, "permission_level": "CAN_RUN"}]}
        self._told("PATCH", f"/api/2.0/permissions/repos/{number}", body, "CAN_MANAGE on the Git folder")

    def delete_git_folder(self, number: int) -> None:
        """https://docs.databricks.com/api/workspace/repos/delete"""
        self._exchange("DELETE", f"/api/2.0/repos/{number}", None, None, "CAN_MANAGE on the Git folder")

    def submit(self, body: dict[str, Any]) -> int:
        """A one-time run; its id. https://docs.databricks.com/api/workspace/jobs/submit"""
        needs = "the Service Principal User role on whom it runs as"
        return int(self._told("POST", "/api/2.2/jobs/runs/submit", body, needs)["run_id"])

    def run(self, number: int) -> Run:
        """A run as it is. https://docs.databricks.com/api/workspace/jobs/getrun"""
        return run_of(self._ask("/api/2.2/jobs/runs/get", {"run_id": str(number)}, f"CAN_VIEW on the run {number}"))

    def _send(self, path: str, body: dict[str, Any], needs: str) -> None:
        self._exchange("POST", path, None, body, needs)
