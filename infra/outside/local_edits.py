"""What a Git folder holds that is not as its commit has it: a pull is refused, a deletion would lose it. Reads only."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from typing import Any

from infra.errors import UserError


def local_edits(client: Any, path: str, expected: Mapping[str, str]) -> list[str] | None:
    """Files of the folder `path` that differ from `expected` (path -> blob id); None when it cannot be told.

    The workspace refuses to export more than 10 MB (https://docs.databricks.com/api/workspace/workspace/export).
    """
    try:
        answer = client.do(
            "GET",
            "/api/2.0/workspace/export",
            query={"path": path, "format": "AUTO", "direct_download": "true"},
            headers={"Accept": "application/octet-stream"},
            raw=True,
        )
        with zipfile.ZipFile(io.BytesIO(answer["contents"].read())) as archive:
            found = {i.filename: archive.read(i) for i in archive.infolist() if not i.is_dir()}
    except (OSError, ValueError, zipfile.BadZipFile):  # refused, too large, or no archive: cannot tell
        return None
    blobs = {name.removeprefix("./"): _blob_id(content) for name, content in found.items()}
    return sorted(
        {name for name in blobs if expected.get(name) != blobs[name]} | {name for name in expected if name not in blobs}
    )


def need_nothing_uncommitted(client: Any, path: str, blobs_at: Any) -> None:
    """Refuse to delete a folder that holds what nobody has anywhere else. `blobs_at(commit)` -> path -> blob id, or None.

    Raises:
        UserError: names the folder and what would be lost.
    """
    answer = client.do("GET", "/api/2.0/repos", query={"path_prefix": path})
    repo = next((repo for repo in answer.get("repos", []) if repo.get("path") == path), None)
    if repo is None:
        return
    commit = str(repo.get("head_commit_id", ""))
    expected = blobs_at(commit)
    edited = None if expected is None else local_edits(client, path, expected)
    if expected is None:
        why = f"it is at {commit[:12]}, which is on no branch of the pipelines repository"
    elif edited is None:
        why = "the workspace does not export it, so it cannot be told whether anything is uncommitted"
    elif edited:
        why = f"it holds what is not committed: {listed(edited)}"
    else:
        return
    raise UserError(
        f"the personal folder {path} is not deleted: {why}. Commit and push it, or delete the folder in the workspace;"
        " until then keep its developer in quant:developers."
    )


def listed(paths: list[str]) -> str:
    """The first five, and how many more there are."""
    return ", ".join(paths[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")


def _blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
