"""Addresses of the workspace's own pages, for whoever wants to look there. Pure.

The forms are those of Databricks' own client: https://github.com/databricks/cli, libs/workspaceurls/urls.go
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit


def job_page(environ: Mapping[str, str], number: int | str) -> str:
    """A job's page; empty where the workspace's address is not known."""
    return _page(environ, f"jobs/{number}")


def folder_page(environ: Mapping[str, str], number: int | str) -> str:
    """A folder's page, by its object id."""
    return _page(environ, f"browse/folders/{number}")


def resource_page(environ: Mapping[str, str], kind: str, id: str) -> str:
    """The page of a job or a Git folder that the engine tells of, or of their permissions (`/jobs/5`, `/repos/5`).

    `kind` is the resource's own type, such as `Job`. Empty for anything else, and for what is not there yet.
    """
    above, _, number = id.lstrip("/").rpartition("/")
    if not number.isdecimal():
        return ""
    if kind == "Job" or (kind == "Permissions" and above == "jobs"):
        return job_page(environ, number)
    if kind == "Repo" or (kind == "Permissions" and above == "repos"):
        return folder_page(environ, number)
    return ""


def _page(environ: Mapping[str, str], path: str) -> str:
    host = environ.get("DATABRICKS_HOST", "")
    parts = urlsplit(host if "://" in host else f"https://{host}")
    if not parts.hostname or parts.username or parts.scheme not in ("http", "https"):
        return ""
    return f"{parts.scheme}://{parts.netloc}/{path}"
