"""Git folders: real clones of real remotes. https://docs.databricks.com/api/workspace/repos"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import threading
from collections import defaultdict
from pathlib import Path

from sandbox.workspace import permissions
from sandbox.workspace.call import Call, Json, World
from sandbox.workspace.errors import ApiError, denied, exists, invalid, missing

_locks: dict[int, threading.Lock] = defaultdict(threading.Lock)
_PAGE = 20


def plain(path: str) -> str:
    """Paths are taken with and without /Workspace and always answered without."""
    if not path.startswith("/"):
        raise invalid(f"Path ({path}) doesn't start with '/'")
    cut = path.removeprefix("/Workspace").rstrip("/")
    if any(part in (".", "..") for part in cut.split("/")):
        raise invalid(f"Path ({path}) is not valid.")
    return cut or "/"


def clone_path(world: World, folder_id: int) -> Path:
    """Where the clone of a Git folder lies."""
    return world.folders / str(folder_id)


def create(call: Call) -> Json:
    """POST /api/2.0/repos"""
    url, provider = str(call.need("url")), str(call.need("provider"))
    path = plain(str(call.body.get("path") or f"/Repos/{call.who.name}/{Path(url).stem}"))
    parent = path.rsplit("/", 1)[0] or "/"
    if parent == "/":
        if not call.who.is_admin:
            raise denied(f"{call.who.name} does not have CAN_MANAGE permissions on /.")
    elif not (own := path.startswith(f"/Users/{call.who.name}/")) or parent != f"/Users/{call.who.name}":
        row = call.store.row("select id from ws_directory where path = ?", parent)
        if row is None:
            raise missing(f"Parent directory {parent} does not exist.")
        if not own:
            permissions.require(call, "directories", row["id"], "CAN_EDIT", parent)
    if call.store.row("select 1 from ws_folder where path = ? union select 1 from ws_directory where path = ?", path, path):
        raise exists(f"RESOURCE_ALREADY_EXISTS: {path} already exists. Please choose another path.")
    folder_id = call.store.new_id()
    target = clone_path(call.world, folder_id)
    result = _git(["clone", "--quiet", "--no-hardlinks", url, str(target)])
    if result.returncode:
        shutil.rmtree(target, ignore_errors=True)
        raise invalid(f"Failed to clone repository {url}: {_said(result)}")
    branch = _must(target, "rev-parse", "--abbrev-ref", "HEAD")
    with call.store.together():
        call.store.write("insert into ws_folder values (?, ?, ?, ?, ?)", folder_id, path, url, provider, branch)
        permissions.grant(call.store, "repos", folder_id, call.who, "CAN_MANAGE")
    return _answer(call.world, _row(call, folder_id))


def get(call: Call) -> Json:
    """GET /api/2.0/repos/{id}"""
    row = _row(call, call.number("id"))
    permissions.require(call, "repos", row["id"], "CAN_READ", row["path"])
    return _answer(call.world, row)


def list_(call: Call) -> Json:
    """GET /api/2.0/repos?path_prefix=&next_page_token="""
    prefix = call.query.get("path_prefix", "/")
    prefix = prefix.removeprefix("/Workspace")
    rows = [
        row
        for row in call.store.rows("select * from ws_folder order by id")
        if row["path"].startswith(prefix) and permissions.level_of(call.store, call.who, "repos", str(row["id"]))
    ]
    start = call.number("next_page_token", 0)
    answer: Json = {"repos": [_answer(call.world, row) for row in rows[start : start + _PAGE]]}
    if start + _PAGE < len(rows):
        answer["next_page_token"] = str(start + _PAGE)
    return answer


def update(call: Call) -> Json:
    """PATCH /api/2.0/repos/{id}: check out a branch's or a tag's remote head"""
    row = _row(call, call.number("id"))
    permissions.require(call, "repos", row["id"], "CAN_EDIT", row["path"])
    branch, tag = call.body.get("branch"), call.body.get("tag")
    if bool(branch) == bool(tag) and (branch or "sparse_checkout" not in call.body):
        raise invalid("Exactly one of branch or tag must be given.")
    clone = clone_path(call.world, row["id"])
    with _locks[row["id"]]:
        fetched = _git(["fetch", "--quiet", "--prune", "--tags", "--force", "origin"], clone)
        if fetched.returncode:
            raise ApiError(400, "INVALID_STATE", f"Failed to fetch from {row['url']}: {_said(fetched)}")
        if branch:
            _pull(clone, row, branch)
            call.store.write("update ws_folder set branch = ? where id = ?", branch, row["id"])
        elif tag:
            _refuse_dirty(clone, row["path"])
            if _git(["checkout", "--quiet", "--detach", f"refs/tags/{tag}"], clone).returncode:
                raise missing(f"Tag '{tag}' does not exist in the remote repository.")
            call.store.write("update ws_folder set branch = '' where id = ?", row["id"])
    return _answer(call.world, _row(call, row["id"]))


def delete(call: Call) -> Json:
    """DELETE /api/2.0/repos/{id}"""
    row = _row(call, call.number("id"))
    permissions.require(call, "repos", row["id"], "CAN_MANAGE", row["path"])
    with _locks[row["id"]]:
        with call.store.together():
            call.store.write("delete from ws_folder where id = ?", row["id"])
            permissions.forget(call.store, "repos", row["id"])
        shutil.rmtree(clone_path(call.world, row["id"]), ignore_errors=True)
    return {}


def _pull(clone: Path, row: sqlite3.Row, branch: str) -> None:
    remote = f"refs/remotes/origin/{branch}"
    if _git(["rev-parse", "--verify", "--quiet", remote], clone).returncode:
        raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Branch '{branch}' does not exist in the remote repository.")
    _refuse_dirty(clone, row["path"])
    local = f"refs/heads/{branch}"
    known = _git(["rev-parse", "--verify", "--quiet", local], clone).returncode == 0
    if known and _git(["merge-base", "--is-ancestor", local, remote], clone).returncode:
        # terraform-provider-databricks #1090: the pull cannot follow rewritten history.
        raise ApiError(
            400,
            "INVALID_STATE",
            f"Failed to pull branch '{branch}': the remote history was rewritten (non-fast-forward). Local and remote"
            " branches have diverged; reset the Git folder or delete and clone it again.",
        )
    result = _git(["checkout", "--quiet", "-B", branch, remote], clone)
    if result.returncode:
        raise ApiError(400, "INVALID_STATE", f"Failed to check out '{branch}': {_said(result)}")


def _refuse_dirty(clone: Path, path: str) -> None:
    changed = _must(clone, "status", "--porcelain", "--untracked-files=all")
    if changed:
        files = ", ".join(line[3:] for line in changed.splitlines()[:5])
        raise ApiError(
            400,
            "GIT_CONFLICT",
            f"Cannot perform Git operation on {path}: there are uncommitted local changes that would be overwritten:"
            f" {files}. Please commit or discard your changes and try again.",
        )


def _row(call: Call, folder_id: int) -> sqlite3.Row:
    row = call.store.row("select * from ws_folder where id = ?", folder_id)
    if row is None:
        raise missing(f"Repo could not be found: {folder_id}")
    return row


def _answer(world: World, row: sqlite3.Row) -> Json:
    return {
        "id": row["id"],
        "path": row["path"],
        "url": row["url"],
        "provider": row["provider"],
        "branch": row["branch"],
        "head_commit_id": _must(clone_path(world, row["id"]), "rev-parse", "HEAD"),
    }


def _git(arguments: list[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    command = ["git", "-c", "core.autocrlf=false", "-c", "gc.auto=0", *arguments]
    try:
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, env=environment, check=False)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", "the remote did not answer in 60 s")


def _must(clone: Path, *arguments: str) -> str:
    result = _git(list(arguments), clone)
    if result.returncode:
        raise ApiError(500, "INTERNAL_ERROR", f"git {arguments[0]}: {_said(result)}")
    return result.stdout.rstrip("\n")


def _said(result: subprocess.CompletedProcess[str]) -> str:
    lines = result.stderr.strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else f"exit {result.returncode}"
