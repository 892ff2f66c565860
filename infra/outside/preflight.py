"""Before anything is declared: do Git, Databricks, Snowflake (and GitLab) answer, and can the folder follow its branch?

Both providers retry for minutes when an endpoint is silent; these checks run at the same time and share one deadline,
whatever an endpoint does. They read only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

import requests

from infra.errors import UserError
from infra.outside.account import reach_snowflake
from infra.outside.at_once import ask_at_once
from infra.outside.branch import Snapshot, take_snapshot
from infra.outside.gitlab import refusal, silence, token_of
from infra.outside.local_edits import folder_edits, listed
from infra.outside.workspace import GitFolder, Workspace
from infra.outside.workspace_connection import Unreadable, first_line, reach_databricks
from infra.settings import Settings
from infra.vocabulary import Environment, Persona
from infra.what_if import need_reviewed

DEADLINE_SECONDS = 15.0  # for everything that is asked here, except the first fetch of a repository
_ANSWER_SECONDS = 6.0
_TIMEOUT = (3.0, _ANSWER_SECONDS)  # seconds to connect and to answer


@dataclass(frozen=True)
class _Seen:
    """The workspace as it is: the Git folder (None before the first deployment), and the groups that are missing."""

    workspace: Workspace
    folder: GitFolder | None
    missing_groups: list[str]


def check(
    settings: Settings, environ: Mapping[str, str], ref: str | None = None, say: Callable[[str], None] = lambda _: None
) -> Snapshot:
    """The snapshot of the branch, or of a `ref` it might move to, once all have answered and the folder can be pulled.

    Raises:
        UserError: every endpoint that failed, and the setting that points at it; another commit than the reviewed one.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    answers = ask_at_once(
        {
            "Git": partial(_look_at_branch, settings, ref),
            "Databricks": partial(_look_at_workspace, settings, environ, say),
            "Snowflake": partial(reach_snowflake, environ),
            "GitLab": partial(_reach_gitlab, settings, environ),
        },
        {"Git": None},  # git has deadlines of its own: a first fetch may take long
        deadline,
    )
    snapshots: tuple[Snapshot, Snapshot] = answers["Git"]
    snapshot, declared = snapshots
    seen: _Seen = answers["Databricks"]
    if seen.missing_groups:
        raise UserError("\n".join(seen.missing_groups))
    need_reviewed(settings.branch, declared.commit, environ)
    if seen.folder is not None:
        _check_folder(settings, snapshot, seen.workspace, seen.folder)
    return declared


def _look_at_branch(settings: Settings, ref: str | None) -> tuple[Snapshot, Snapshot]:
    """The branch as it is, and as it is declared."""
    snapshot = take_snapshot(settings.remote, settings.branch)
    return snapshot, snapshot if ref is None else snapshot.moved_to(ref)


def _look_at_workspace(settings: Settings, environ: Mapping[str, str], say: Callable[[str], None]) -> _Seen:
    reach_databricks(environ)
    workspace = Workspace(environ, seconds=_ANSWER_SECONDS, patience=DEADLINE_SECONDS, say=say)
    return _Seen(workspace, workspace.git_folder(settings.folder), _missing_groups(workspace, settings))


def _missing_groups(workspace: Workspace, settings: Settings) -> list[str]:
    """Groups that the access matrix needs and the workspace does not have, each with the key that names it."""
    if settings.groups == "managed":
        return []
    # The audience of a limited release only reads data, but who it is is said by its group.
    audience = Persona.LIMITED_RELEASE if settings.environment is Environment.LIMITED else None
    wanted = {settings.names(p).group: p for p, access in settings.row.items() if access.in_databricks or p is audience}
    there = workspace.groups(list(wanted)) if wanted else set()
    return [
        f"Databricks: the group {group!r} does not exist: create it in the identity provider, or name another in"
        f" quant:personas.{persona}.group (Pulumi.yaml or Pulumi.{settings.environment}.yaml)."
        for group, persona in wanted.items()
        if group.lower() not in there
    ]


def _check_folder(settings: Settings, snapshot: Snapshot, workspace: Workspace, deployed: GitFolder) -> None:
    commit = deployed.commit
    if deployed.branch == settings.branch and commit and not snapshot.contains(commit):
        raise UserError(
            f"branch {settings.branch!r} was rewritten: the folder {settings.folder} is at {commit[:12]}, which is not in"
            f" the history of {snapshot.commit[:12]}, and a Git folder cannot pull rewritten history"
            " (databricks/terraform-provider-databricks #1090). Two ways out: push a forward commit on top of"
            f" {commit[:12]} that has the tree you want; or replace the folder: databricks repos delete"
            f" {deployed.id}, then pulumi up --refresh -s {settings.environment}."
        )
    if (expected := snapshot.tree_at(commit)) is None:
        return  # the pull itself is the first to know
    try:
        edits = folder_edits(workspace, settings.folder, snapshot.repository, expected)
    except Unreadable:  # above 10 MB; the pull itself is the first to know
        return
    if edits.edited:
        raise UserError(
            f"Databricks: the folder {settings.folder} (quant:folder in Pulumi.{settings.environment}.yaml) has local edits:"
            f" {listed(list(edits.edited))}. A pull would be refused."
            " Discard them in the workspace, or commit them to a branch of their own."
        )


def _reach_gitlab(settings: Settings, environ: Mapping[str, str]) -> None:
    """Where merge requests are in GitLab: it answers, and shows the project to the token's owner."""
    if (place := settings.gitlab) is None:
        return
    headers = {"PRIVATE-TOKEN": token_of(environ)}
    url = f"{place.url}/api/v4/projects/{quote(place.project, safe='')}"
    try:
        answer = requests.get(url, headers=headers, timeout=_TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        raise UserError(silence(place.url, first_line(error))) from None
    if answer.status_code != 200:
        raise UserError(refusal(place.url, place.project, "", answer.status_code, f"HTTP {answer.status_code}"))
