"""The workspace's door for commands: what `infra.outside.workspace` reads, and the few things that a command changes."""

from __future__ import annotations

from infra.outside.workspace import Workspace as Reader


class Workspace(Reader):
    """The workspace of this shell's login."""

    def pause(self, job: str, settings: Mapping[str, Any]) -> None:
        """The job no longer runs by itself. https://docs.databricks.com/api/workspace/jobs/update"""
        self._send(
            "/api/2.2/jobs/update", {"job_id": int(job), "new_settings": dict(settings)}, f"CAN_MANAGE on the job {job}"
        )

    def delete_acl(self, scope: str, principal: str) -> None:
        """https://docs.databricks.com/api/workspace/secrets/deleteacl"""
        body = {"scope": scope, "principal": principal}
        self._exchange("POST", "/api/2.0/secrets/acls/delete", None, body, f"MANAGE on the scope {scope}")
