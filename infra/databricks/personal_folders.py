"""Personal Git folders: created once on the development branch, then their developer's own.

Branch and commit there are never pulled back. A folder goes only when its developer is taken off the list and it holds
nothing that would be lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from infra.outside.branch import Snapshot
from infra.outside.local_edits import need_nothing_uncommitted
from infra.sdk import databricks, workspace_client
from infra.settings import Settings

_SECONDS = 10  # an export of the folder included


@dataclass(frozen=True)
class PersonalFoldersArgs:
    """`developers` are user names of the workspace."""

    settings: Settings
    snapshot: Snapshot
    developers: list[str]


class PersonalFolders(pulumi.ComponentResource):
    """One Git folder a developer, at `/Users/<user>/<branch>`."""

    def __init__(self, args: PersonalFoldersArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("quant:databricks:PersonalFolders", "personal-folders", None, opts)

        def guard(hook: pulumi.ResourceHookArgs) -> None:
            path = (hook.old_outputs or {}).get("path")
            if path:
                need_nothing_uncommitted(workspace_client(_SECONDS), str(path), args.snapshot.blobs_anywhere)

        # The name is in the state: a folder that is no longer declared still finds its guard by it.
        hook: Any = pulumi.ResourceHook("personal-folder-guard", guard, pulumi.ResourceHookOptions(on_dry_run=True))
        for developer in args.developers:
            databricks("Repo")(
                f"personal/{developer}",
                url=args.settings.remote,
                git_provider=args.settings.git_provider,
                path=f"/Users/{developer}/{args.settings.branch}",
                branch=args.settings.branch,
                opts=pulumi.ResourceOptions(
                    parent=self,
                    ignore_changes=["branch", "commitHash", "tag", "url"],
                    hooks=pulumi.ResourceHookBinding(before_delete=[hook]),
                ),
            )
        self.register_outputs({})
