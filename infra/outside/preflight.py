"""Before anything is declared: do Git, Databricks, Snowflake (and GitLab) answer, and can the folder follow its branch?

Both providers retry for minutes when an endpoint is silent; these checks run at the same time and give up in seconds.
They read only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests

from infra.errors import UserError
from infra.outside.branch import Snapshot, take_snapshot
from infra.outside.gitlab import refusal, silence, token_of
from infra.outside.local_edits import listed, local_edits
from infra.sdk import workspace_client
from infra.settings import Settings
from infra.vocabulary import Environment, Persona
from infra.what_if import need_reviewed

_TIMEOUT = (3.0, 6.0)  # seconds to connect and to answer
_CLIENT_SECONDS = 5  # an answer of the workspace; the client asks twice, first for where it is


@dataclass(frozen=True)
class _Workspace:
    """The workspace as it is: the Git folder (None before the first deployment), and the groups that are missing."""

    client: Any
    folder: dict[str, Any] | None
    missing_groups: list[str]


def check(settings: Settings, environ: Mapping[str, str], ref: str | None = None) -> Snapshot:
    """The snapshot of the branch, or of a `ref` it might move to, once all have answered and the folder can be pulled.

    Raises:
        UserError: every endpoint that failed, and the setting that points at it; another commit than the reviewed one.
    """
    with ThreadPoolExecutor(4) as pool:
        git = pool.submit(_look_at_branch, settings, ref)
        databricks = pool.submit(_look_at_workspace, settings)
        snowflake = pool.submit(reach_snowflake, environ)
        gitlab = pool.submit(_reach_gitlab, settings, environ)
        problems = [str(e) for task in (git, databricks, snowflake, gitlab) if isinstance(e := task.exception(), UserError)]
        if problems:
            raise UserError("\n".join(problems))
        (snapshot, declared), workspace = git.result(), databricks.result()
        snowflake.result()
        gitlab.result()
    if workspace.missing_groups:
        raise UserError("\n".join(workspace.missing_groups))
    need_reviewed(settings.branch, declared.commit, environ)
    if workspace.folder is not None:
        _check_folder(settings, snapshot, workspace.client, workspace.folder)
    return declared


def _look_at_branch(settings: Settings, ref: str | None) -> tuple[Snapshot, Snapshot]:
    """The branch as it is, and as it is declared."""
    snapshot = take_snapshot(settings.remote, settings.branch)
    return snapshot, snapshot if ref is None else snapshot.moved_to(ref)


def _look_at_workspace(settings: Settings) -> _Workspace:
    setting = "DATABRICKS_HOST and DATABRICKS_TOKEN, or a profile in DATABRICKS_CONFIG_PROFILE"
    host = os.environ.get("DATABRICKS_HOST", "")
    reach_databricks(os.environ)
    try:
        client = workspace_client(_CLIENT_SECONDS)
        return _Workspace(client, _deployed_folder(client, settings), _missing_groups(client, settings))
    except (OSError, ValueError) as error:  # the SDK's errors are the former, a wrong profile the latter
        raise UserError(f"Databricks: {host or 'no workspace'} refused: {_first_line(error)} Check {setting}.") from None


def _deployed_folder(client: Any, settings: Settings) -> dict[str, Any] | None:
    answer = client.do("GET", "/api/2.0/repos", query={"path_prefix": settings.folder})
    return next((repo for repo in answer.get("repos", []) if repo.get("path") == settings.folder), None)


def _missing_groups(client: Any, settings: Settings) -> list[str]:
    """Groups that the access matrix needs and the workspace does not have, each with the key that names it."""
    if settings.groups == "managed":
        return []
    # The audience of a limited release only reads data, but who it is is said by its group.
    audience = Persona.LIMITED_RELEASE if settings.environment is Environment.LIMITED else None
    wanted = {settings.names(p).group: p for p, access in settings.row.items() if access.in_databricks or p is audience}
    if not wanted:
        return []
    quoted = " or ".join('displayName eq "{}"'.format(group.replace('"', '\\"')) for group in wanted)
    query = {"filter": quoted, "attributes": "displayName", "count": "1000"}
    answer = client.do("GET", "/api/2.0/preview/scim/v2/Groups", query=query)
    there = {str(group.get("displayName")).lower() for group in answer.get("Resources", [])}
    return [
        f"Databricks: the group {group!r} does not exist: create it in the identity provider, or name another in"
        f" quant:personas.{persona}.group (Pulumi.yaml or Pulumi.{settings.environment}.yaml)."
        for group, persona in wanted.items()
        if group.lower() not in there
    ]


def _check_folder(settings: Settings, snapshot: Snapshot, client: Any, deployed: Mapping[str, Any]) -> None:
    commit = str(deployed.get("head_commit_id", ""))
    if deployed.get("branch") == settings.branch and commit and not snapshot.contains(commit):
        raise UserError(
            f"branch {settings.branch!r} was rewritten: the folder {settings.folder} is at {commit[:12]}, which is not in"
            f" the history of {snapshot.commit[:12]}, and a Git folder cannot pull rewritten history"
            " (databricks/terraform-provider-databricks #1090). Two ways out: push a forward commit on top of"
            f" {commit[:12]} that has the tree you want; or replace the folder: databricks repos delete"
            f" {deployed.get('id')}, then pulumi up --refresh -s {settings.environment}."
        )
    # What cannot be told here, the pull itself is the first to know.
    expected = snapshot.blobs_at(commit)
    if expected is not None and (edited := local_edits(client, settings.folder, expected)):
        raise UserError(
            f"Databricks: the folder {settings.folder} (quant:folder in Pulumi.{settings.environment}.yaml) has local edits:"
            f" {listed(edited)}. A pull would be refused."
            " Discard them in the workspace, or commit them to a branch of their own."
        )


def reach_databricks(environ: Mapping[str, str]) -> None:
    """Refuse when the workspace does not answer within seconds; without DATABRICKS_HOST the client finds it.

    Raises:
        UserError: names the address and the setting.
    """
    if host := environ.get("DATABRICKS_HOST"):
        _reach("Databricks", host, "DATABRICKS_HOST")


def reach_snowflake(environ: Mapping[str, str]) -> None:
    """Refuse when the account does not answer within seconds.

    Raises:
        UserError: names the address and the setting, or says that no account is named.
    """
    host = environ.get("SNOWFLAKE_HOST")
    if not host:
        organization, account = environ.get("SNOWFLAKE_ORGANIZATION_NAME"), environ.get("SNOWFLAKE_ACCOUNT_NAME")
        if not (organization and account):
            raise UserError(
                "Snowflake: no account is named: set SNOWFLAKE_ORGANIZATION_NAME and SNOWFLAKE_ACCOUNT_NAME (and"
                ' SNOWFLAKE_USER with its key). In the sandbox: eval "$(quantctl env)".'
            )
        host = f"{organization}-{account}.snowflakecomputing.com".replace("_", "-").lower()
    protocol, port = environ.get("SNOWFLAKE_PROTOCOL", "https"), environ.get("SNOWFLAKE_PORT", "443")
    setting = "SNOWFLAKE_HOST and SNOWFLAKE_PORT" if environ.get("SNOWFLAKE_HOST") else "SNOWFLAKE_ACCOUNT_NAME"
    _reach("Snowflake", f"{protocol}://{host}:{port}", setting)


def _reach_gitlab(settings: Settings, environ: Mapping[str, str]) -> None:
    """Where merge requests are in GitLab: it answers, and shows the project to the token's owner."""
    if (place := settings.gitlab) is None:
        return
    headers = {"PRIVATE-TOKEN": token_of(environ)}
    url = f"{place.url}/api/v4/projects/{quote(place.project, safe='')}"
    try:
        answer = requests.get(url, headers=headers, timeout=_TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        raise UserError(silence(place.url, _first_line(error))) from None
    if answer.status_code != 200:
        raise UserError(refusal(place.url, place.project, "", answer.status_code, f"HTTP {answer.status_code}"))


def _reach(what: str, url: str, setting: str) -> None:
    """Any HTTP answer is an answer; who may log in is for the provider to find."""
    try:
        requests.get(url if "://" in url else f"https://{url}", timeout=_TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        raise UserError(f"{what}: {url} does not answer ({_first_line(error)}). Check {setting} and the network.") from None


def _first_line(error: BaseException) -> str:
    cause: BaseException = error
    while cause.__cause__ is not None or cause.__context__ is not None:
        cause = cause.__cause__ or cause.__context__ or cause
    text = (str(error) if isinstance(cause, type(error)) else str(cause)).strip().splitlines()
    return text[0][:200] if text else type(cause).__name__
