"""The workspace's door for commands: what `infra.outside.workspace` reads, and what a command changes."""

from __future__ import annotations

from infra.outside.workspace import Workspace as Reader


class Workspace(Reader):
    """The workspace of this shell's login."""

    def delete_acl(self, scope: str, principal: str) -> None:
        """https://docs.databricks.com/api/workspace/secrets/deleteacl"""
        body = {"scope": scope, "principal": principal}
        self._exchange("POST", "/api/2.0/secrets/acls/delete", None, body, f"MANAGE on the scope {scope}")
