"""The Git folder of an environment: bound to its branch and to the commit that the branch's head is now."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pulumi

from infra.access import SERVICE_PRINCIPAL, Access
from infra.databricks.permissions import group_entries, principal_entry
from infra.errors import UserError
from infra.outside.workspace import Workspace
from infra.sdk.databricks import Directory, Permissions, Repo
from infra.settings import Settings
from infra.vocabulary import FolderLevel, Persona
from infra.what_if import LOOKING

_SECONDS = 10


@dataclass(frozen=True)
class GitFolderArgs:
    """What the folder is declared from; `commit` is the branch head that the program resolved."""

    settings: Settings
    commit: str
    row: dict[Persona, Access]


def nothing_there(settings: Settings) -> pulumi.ResourceHook:
    """What runs before the folder is created, in a preview too: only a state that knows of none creates it.

    A state that was lost, or a team's own folder, would else be noticed by the provider alone, after jobs were made twice.
    """

    def look(_: pulumi.ResourceHookArgs) -> None:
        if pulumi.runtime.is_dry_run() and os.environ.get(LOOKING):
            return
        if Workspace(os.environ, seconds=_SECONDS).git_folder(settings.folder) is not None:
            env = settings.environment
            raise UserError(
                f"the state of {env} knows of no Git folder, and the workspace has {settings.folder}. The folder was not"
                f" changed. After an update that was killed: quantctl up {env}. A state that was lost: restore it"
                f" (docs/state.md). A folder that was made by hand: quantctl adopt {env} (docs/adopt.md)."
            )

    return pulumi.ResourceHook("folder-is-new", look, pulumi.ResourceHookOptions(on_dry_run=True))


class GitFolder(pulumi.ComponentResource):
    """A Databricks Git folder, the directory above it, and who may read it."""

    def __init__(self, args: GitFolderArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("quant:databricks:GitFolder", "folder", None, opts)
        settings = args.settings
        child = pulumi.ResourceOptions(parent=self, protect=settings.is_live, retain_on_delete=settings.is_live)
        groups = group_entries(settings, args.row, "folder")
        entries = [*groups, principal_entry(settings.service_principal, SERVICE_PRINCIPAL.folder)]
        parent_path = settings.folder.rsplit("/", 1)[0]
        depends: list[pulumi.Resource] = []
        if parent_path:
            # Kept on delete: other environments may lie in it.
            kept = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(retain_on_delete=True))
            parent = Directory("parent", path=parent_path, opts=kept)
            depends.append(parent)
            if settings.is_live:
                # Levels are inherited from above: who manages the parent manages the folder. The principal runs what is
                # in its own folder, not what lies beside it.
                above = groups or [principal_entry(settings.service_principal, FolderLevel.READ)]
                Permissions("parent", directory_path=parent.path, access_controls=above, opts=child)
        # The commit is an input so that a moved branch is a diff; the update sends the branch and the workspace
        # checks out its head (databricks/terraform-provider-databricks #1249, #2480).
        self.repo = Repo(
            "folder",
            url=settings.remote,
            git_provider=settings.git_provider,
            path=settings.folder,
            branch=settings.branch,
            commit_hash=args.commit,
            opts=pulumi.ResourceOptions.merge(
                child,
                pulumi.ResourceOptions(
                    depends_on=depends, hooks=pulumi.ResourceHookBinding(before_create=[nothing_there(settings)])
                ),
            ),
        )
        Permissions("folder", repo_id=self.repo.id, access_controls=entries, opts=child)
        self.commit: pulumi.Output[str] = self.repo.commit_hash
        self.register_outputs({"commit": self.commit})
