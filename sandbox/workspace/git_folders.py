"""Git folders: real clones of real remotes. https://docs.databricks.com/api/workspace/repos"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import threading
from collections import defaultdict
from pathlib import Path, PurePosixPath

from sandbox.switches import CLI
from sandbox.workspace import directories, fields, git_credentials, levels, paging, permissions
from sandbox.workspace.call import Call, Json
from sandbox.workspace.clone import clone_path, git, must, said
from sandbox.workspace.errors import ApiError, denied, invalid, missing
from sandbox.workspace.paths import parent_of, plain
from sandbox.workspace.world import World

_locks: dict[int, threading.Lock] = defaultdict(threading.Lock)
_PAGE = 20
_PROVIDERS = (
    "gitHub", "bitbucketCloud", "gitLab", "azureDevOpsServices", "gitHubEnterprise", "bitbucketServer",
    "gitLabEnterpriseEdition", "awsCodeCommit",
)  # fmt: skip


def fix(world: World) -> None:
    """After a kill: clones that were never answered go, a checkout that was cut short is undone, locks are taken away."""
    known = {str(row["id"]) for row in world.store.rows("select id from ws_folder")}
    for found in world.folders.iterdir():
        if found.name not in known:
            shutil.rmtree(found, ignore_errors=True)
            continue
        for lock in (found / ".git").rglob("*.lock"):
            lock.unlink(missing_ok=True)
    for row in world.store.rows("select folder from ws_checkout"):
        clone = clone_path(world, row["folder"])
        # It held no edits, or the checkout would have been refused.
        git(["reset", "--quiet", "--hard"], clone)
        git(["clean", "--quiet", "-ffd"], clone)
        world.store.write("delete from ws_checkout where folder = ?", row["folder"])


def create(call: Call) -> Json:
    """POST /api/2.0/repos"""
    url, provider = call.text("url"), _provider(call.text("provider"))
    if not url.startswith(("https://", "http://")):
        raise invalid(f"Invalid Git repository URL: {url}")
    path = plain(call.text("path", f"/Repos/{call.who.name}/{PurePosixPath(url).stem}"))
    if path.startswith("/Repos/") and len(path.split("/")) != 4:
        raise invalid(f"Invalid path {path}: a Git folder in /Repos is /Repos/<directory>/<repo>.")
    if parent_of(path) == f"/Repos/{call.who.name}":
        directories.make(call, parent_of(path))
    directories.need_place(call, path)
    patterns, login = _patterns(call), git_credentials.login(call, provider, url)
    folder_id = call.store.new_id()
    target = clone_path(call.world, folder_id)
    try:
        sparse = ["--sparse"] if patterns else []
        result = git(["clone", "--quiet", "--no-hardlinks", *sparse, "--", url, str(target)], login=login)
        if result.returncode:
            raise _no_access(result, login) or invalid(f"Failed to clone repository {url}: {said(result)}")
        head = git(["symbolic-ref", "--short", "HEAD"], target).stdout.strip()
        if git(["rev-parse", "--verify", "--quiet", "HEAD"], target).returncode:
            raise invalid(f"Failed to clone repository {url}: it has no commit on its default branch {head!r}.")
        if patterns:
            must(target, "sparse-checkout", "set", "--cone", "--", *patterns)
        with call.store.together():
            directories.need_place(call, path)  # somebody else may have taken it meanwhile
            call.store.write(
                "insert into ws_folder (id, path, url, provider, branch, sparse, cli) values (?, ?, ?, ?, ?, ?, ?)",
                folder_id, path, url, provider, head, json.dumps(patterns) if patterns else None, _has_cli(call, path),
            )  # fmt: skip
            levels.grant(call.store, "repos", folder_id, call.who, "CAN_MANAGE")
    except ApiError:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return _answer(call.world, _row(call, folder_id))


def get(call: Call) -> Json:
    """GET /api/2.0/repos/{id}"""
    row = _row(call, _id(call))
    permissions.require(call, "repos", row["id"], "CAN_READ", row["path"])
    return _answer(call.world, row)


def list_(call: Call) -> Json:
    """GET /api/2.0/repos?path_prefix=&next_page_token=: those without Git CLI access that the caller manages"""
    given = call.text("path_prefix", "/")
    # https://docs.databricks.com/api/workspace/repos/list: without a prefix, those in /Repos are listed.
    prefix = given.removeprefix("/Workspace") if given.rstrip("/") not in ("", "/Workspace") else "/Repos"
    rows = [
        row
        for row in call.store.rows("select * from ws_folder where not cli order by id")
        if row["path"].startswith(prefix) and levels.has(call.store, call.who, "repos", row["id"], "CAN_MANAGE")
    ]
    page, token = paging.cut(rows, [row["id"] for row in rows], call.query.get("next_page_token"), _PAGE)
    found = []
    for row in page:
        try:
            found.append(_answer(call.world, row))
        except ApiError as error:  # deleted just now
            if error.status != 404:
                raise
    return {"repos": found, **({"next_page_token": token} if token else {})}


def update(call: Call) -> Json:
    """PATCH /api/2.0/repos/{id}: check out a branch's or a tag's remote head"""
    row = _row(call, _id(call))
    # Switching branches and pulling need CAN_MANAGE: https://docs.databricks.com/security/auth/access-control (Git folders)
    permissions.require(call, "repos", row["id"], "CAN_MANAGE", row["path"])
    branch, tag = call.text("branch", ""), call.text("tag", "")
    patterns = _patterns(call)
    if (branch and tag) or not (branch or tag or patterns):
        raise invalid("Exactly one of branch or tag must be given.")
    if patterns and not row["sparse"]:
        raise invalid("Sparse checkout can only be set when the Git folder is created.")
    clone = clone_path(call.world, row["id"])
    with _locks[row["id"]]:
        if call.flag("dangerously_force_discard_all"):
            must(clone, "reset", "--quiet", "--hard")
            must(clone, "clean", "--quiet", "-ffd")
        if patterns:
            _refuse_dirty(clone, row["path"])
            must(clone, "sparse-checkout", "set", "--cone", "--", *patterns)
            call.store.write("update ws_folder set sparse = ? where id = ?", json.dumps(patterns), row["id"])
        if branch or tag:
            login = git_credentials.login(call, row["provider"], row["url"])
            fetched = git(["fetch", "--quiet", "--prune", "--tags", "--force", "origin"], clone, login)
            if fetched.returncode:
                raise _no_access(fetched, login) or ApiError(
                    400, "INVALID_STATE", f"Failed to fetch from {row['url']}: {said(fetched)}"
                )
            call.store.write("insert or ignore into ws_checkout values (?)", row["id"])
            try:
                if branch:
                    _pull(clone, row, branch)
                else:
                    _check_out_tag(clone, row, tag)
                call.store.write("update ws_folder set branch = ? where id = ?", branch, row["id"])
            finally:
                call.store.write("delete from ws_checkout where folder = ?", row["id"])
    return _answer(call.world, _row(call, row["id"]))


def delete(call: Call) -> Json:
    """DELETE /api/2.0/repos/{id}"""
    row = _row(call, _id(call))
    permissions.require(call, "repos", row["id"], "CAN_MANAGE", row["path"])
    remove(call.world, row["id"])
    return {}


def remove(world: World, folder_id: int) -> None:
    """A Git folder, its permissions and its clone."""
    with _locks[folder_id]:
        with world.store.together():
            world.store.write("delete from ws_folder where id = ?", folder_id)
            levels.forget(world.store, "repos", folder_id)
        shutil.rmtree(clone_path(world, folder_id), ignore_errors=True)


def _has_cli(call: Call, path: str) -> bool:
    """Whether a new folder has Git CLI access; those in /Repos never have."""
    return call.world.switches.git_folders == CLI and not path.startswith("/Repos/")


def _no_access(result: subprocess.CompletedProcess[str], login: tuple[str, str] | None) -> ApiError | None:
    """What is told when the remote lets the caller not in: databricks-vscode #508, databricks/cli #1551."""
    if not any(words in result.stderr for words in ("could not read Username", "Authentication failed", "error: 403")):
        return None
    if login is None:
        return denied(
            "Missing Git provider credentials. Go to User settings > Git Integration to add your personal access token."
        )
    return denied(
        "Invalid Git provider credentials. Go to User Settings > Git Integration to ensure that:\n"
        "1. You have entered a username with your Git provider credentials.\n"
        "2. You have selected the correct Git provider with your credentials.\n"
        "3. Your personal access token or app password has the correct repo access."
    )


def _id(call: Call) -> int:
    number = call.path["id"]
    if not number.isdecimal() or len(number) > 18:
        raise invalid(f"Invalid repo ID: {number}")
    return int(number)


def _provider(given: str) -> str:
    known = {name.lower(): name for name in _PROVIDERS}
    if given.lower() not in known:
        raise invalid(f"Invalid Git provider {given!r}, supported are {', '.join(_PROVIDERS)}.")
    return given


def _patterns(call: Call) -> list[str]:
    return [
        fields.text("patterns", item)
        for item in fields.items("patterns", call.mapping("sparse_checkout").get("patterns", []))
    ]


def _pull(clone: Path, row: sqlite3.Row, branch: str) -> None:
    remote = f"refs/remotes/origin/{branch}"
    if git(["rev-parse", "--verify", "--quiet", remote], clone).returncode:
        raise missing(f"Branch '{branch}' does not exist in the remote repository.")
    _refuse_dirty(clone, row["path"])
    local = f"refs/heads/{branch}"
    known = git(["rev-parse", "--verify", "--quiet", local], clone).returncode == 0
    if known and git(["merge-base", "--is-ancestor", local, remote], clone).returncode:
        # terraform-provider-databricks #1090: the pull cannot follow rewritten history.
        raise ApiError(
            400,
            "INVALID_STATE",
            f"Failed to pull branch '{branch}': the remote history was rewritten (non-fast-forward). Local and remote"
            " branches have diverged; reset the Git folder or delete and clone it again.",
        )
    result = git(["checkout", "--quiet", "-B", branch, remote], clone)
    if result.returncode:
        raise ApiError(400, "INVALID_STATE", f"Failed to check out '{branch}': {said(result)}")


def _check_out_tag(clone: Path, row: sqlite3.Row, tag: str) -> None:
    if git(["rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}"], clone).returncode:
        raise missing(f"Tag '{tag}' does not exist in the remote repository.")
    _refuse_dirty(clone, row["path"])
    result = git(["checkout", "--quiet", "--detach", f"refs/tags/{tag}"], clone)
    if result.returncode:
        raise ApiError(400, "INVALID_STATE", f"Failed to check out '{tag}': {said(result)}")


def _refuse_dirty(clone: Path, path: str) -> None:
    changed = must(clone, "status", "--porcelain", "--untracked-files=all")
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
    clone = clone_path(world, row["id"])
    if not clone.is_dir():
        raise missing(f"Repo could not be found: {row['id']}")
    answer = {
        "id": row["id"],
        "path": row["path"],
        "url": row["url"],
        "provider": row["provider"],
        "branch": row["branch"],
        "head_commit_id": must(clone, "rev-parse", "HEAD"),
    }
    return {**answer, **({"sparse_checkout": {"patterns": json.loads(row["sparse"])}} if row["sparse"] else {})}
