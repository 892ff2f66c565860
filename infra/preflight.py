"""Before anything is declared: do Git, Databricks and Snowflake answer, and can the folder follow its branch?

Both providers retry for minutes when an endpoint is silent; these checks run at the same time and give up in seconds.
They read only.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from infra.errors import UserError
from infra.sdk import workspace_client
from infra.settings import Settings
from infra.source import Snapshot, take_snapshot

_TIMEOUT = (3.0, 6.0)  # seconds to connect and to answer


def check(settings: Settings, environ: Mapping[str, str]) -> Snapshot:
    """The snapshot of the branch, once all three have answered and the folder can be pulled.

    Raises:
        UserError: every endpoint that failed, and the setting that points at it.
    """
    with ThreadPoolExecutor(3) as pool:
        git = pool.submit(take_snapshot, settings.remote, settings.branch)
        folder = pool.submit(_deployed_folder, settings)
        snowflake = pool.submit(_reach_snowflake, environ)
        problems = [str(e) for task in (git, folder, snowflake) if (e := task.exception()) and isinstance(e, UserError)]
        if problems:
            raise UserError("\n".join(problems))
        snapshot = git.result()
        snowflake.result()
        deployed = folder.result()
    if deployed is not None:
        _check_folder(settings, snapshot, deployed)
    return snapshot


def _deployed_folder(settings: Settings) -> dict[str, Any] | None:
    """The Git folder as the workspace has it now; None before the first deployment."""
    setting = "DATABRICKS_HOST and DATABRICKS_TOKEN, or a profile in DATABRICKS_CONFIG_PROFILE"
    host = os.environ.get("DATABRICKS_HOST", "")
    if host:
        _reach("Databricks", host, "DATABRICKS_HOST")
    try:
        client = workspace_client(6)
        answer = client.do("GET", "/api/2.0/repos", query={"path_prefix": settings.folder})
    except Exception as error:
        raise UserError(f"Databricks: {host or 'no workspace'} refused: {_first_line(error)} Check {setting}.") from None
    repos = answer.get("repos", []) if isinstance(answer, dict) else []
    return next((repo for repo in repos if repo.get("path") == settings.folder), None)


def _check_folder(settings: Settings, snapshot: Snapshot, deployed: Mapping[str, Any]) -> None:
    commit = str(deployed.get("head_commit_id", ""))
    if deployed.get("branch") == settings.branch and commit and not snapshot.contains(commit):
        raise UserError(
            f"branch {settings.branch!r} was rewritten: the folder {settings.folder} is at {commit[:12]}, which is not in"
            f" the history of {snapshot.commit[:12]}, and a Git folder cannot pull rewritten history"
            " (databricks/terraform-provider-databricks #1090). Two ways out: push a forward commit on top of"
            f" {commit[:12]} that has the tree you want; or replace the folder: databricks repos delete {deployed.get('id')},"
            f" then pulumi up --refresh -s {settings.environment}."
        )
    if commit and (edited := _local_edits(settings, snapshot, commit)):
        shown = ", ".join(edited[:5]) + (f" and {len(edited) - 5} more" if len(edited) > 5 else "")
        raise UserError(
            f"Databricks: the folder {settings.folder} (quant:folder in Pulumi.{settings.environment}.yaml) has local edits:"
            f" {shown}. A pull would be refused. Discard them in the workspace, or commit them to a branch of their own."
        )


def _local_edits(settings: Settings, snapshot: Snapshot, commit: str) -> list[str]:
    """Files of the folder that are not as `commit` has them. Empty when it cannot be told (a folder over 10 MB)."""
    expected = snapshot.blobs_at(commit)
    if expected is None:
        return []
    try:
        answer = workspace_client(6).do(
            "GET",
            "/api/2.0/workspace/export",
            query={"path": settings.folder, "format": "AUTO", "direct_download": "true"},
            headers={"Accept": "application/octet-stream"},
            raw=True,
        )
        with zipfile.ZipFile(io.BytesIO(answer["contents"].read())) as archive:
            found = {i.filename: archive.read(i) for i in archive.infolist() if not i.is_dir()}
    except Exception:
        # The workspace refuses to export over 10 MB; then the pull itself is the first to know.
        return []
    blobs = {name.removeprefix("./"): _blob_id(content) for name, content in found.items()}
    return sorted(
        {path for path in blobs if expected.get(path) != blobs[path]} | {path for path in expected if path not in blobs}
    )


def _blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _reach_snowflake(environ: Mapping[str, str]) -> None:
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
