"""Personal Git folders: created once on the development branch, then their developer's own.

Branch and commit there are never pulled back. A folder goes only when its developer is taken off the list and it holds
nothing that would be lost.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from infra.outside.branch import Snapshot
from infra.outside.git import Entry
from infra.outside.local_edits import need_nothing_uncommitted
from infra.outside.workspace import Workspace
from infra.sdk.databricks import Repo
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

        def tree_at(commit: str) -> tuple[Path, Mapping[str, Entry]] | None:
            found = args.snapshot.tree_anywhere(commit) if commit else None
            return None if found is None else (args.snapshot.repository, found)

        def guard(hook: pulumi.ResourceHookArgs) -> None:
            workspace = Workspace(os.environ, seconds=_SECONDS)
            path = str((hook.old_outputs or {}).get("path"))
            need_nothing_uncommitted(workspace, int(hook.id), path, tree_at)

        # The name is in the state: a folder that is no longer declared still finds its guard by it.
        hook: Any = pulumi.ResourceHook("personal-folder-guard", guard, pulumi.ResourceHookOptions(on_dry_run=True))
        for developer in args.developers:
            Repo(
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
