"""The Git folder of an environment: bound to its branch and to the commit that the branch's head is now."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra.access import SERVICE_PRINCIPAL, Access
from infra.databricks.permissions import group_entries, principal_entry
from infra.sdk.databricks import Directory, Permissions, Repo
from infra.settings import Settings
from infra.vocabulary import FolderLevel, Persona


@dataclass(frozen=True)
class GitFolderArgs:
    """What the folder is declared from; `commit` is the branch head that the program resolved."""

    settings: Settings
    commit: str
    row: dict[Persona, Access]


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
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=depends)),
        )
        Permissions("folder", repo_id=self.repo.id, access_controls=entries, opts=child)
        self.commit: pulumi.Output[str] = self.repo.commit_hash
        self.register_outputs({"commit": self.commit})
