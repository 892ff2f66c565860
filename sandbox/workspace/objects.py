"""The workspace tree: directories, and the files of Git folders. https://docs.databricks.com/api/workspace/workspace"""

from __future__ import annotations

import base64
import binascii
import io
import os
import shutil
import sqlite3
import zipfile
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from starlette.responses import Response

from sandbox.workspace import directories, git_folders, levels, notebooks, permissions
from sandbox.workspace.call import Call, Json
from sandbox.workspace.clone import clone_path
from sandbox.workspace.errors import ApiError, denied, exists, invalid, missing
from sandbox.workspace.paths import plain
from sandbox.workspace.seed import ROOT_ID

_EXPORT_LIMIT = 10 * 1024 * 1024  # bytes, as the product documents for workspace/export
_FORMATS = ("SOURCE", "AUTO", "HTML", "JUPYTER", "DBC", "R_MARKDOWN", "RAW")


@dataclass(frozen=True)
class Place:
    """Where a workspace path is: inside a Git folder, or in the tree above."""

    path: str
    folder: sqlite3.Row | None = None
    directory: sqlite3.Row | None = None
    file: Path | None = None


def mkdirs(call: Call) -> Json:
    """POST /api/2.0/workspace/mkdirs"""
    path = plain(call.text("path"))
    place = find(call, path)
    if place.folder is None or place.file is None:
        directories.make(call, path)
        return {}
    permissions.require(call, "repos", place.folder["id"], "CAN_MANAGE", path)
    try:
        place.file.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise exists(f"Path ({path}) is, or is below, an object that is not a directory.") from None
    return {}


def get_status(call: Call) -> Json:
    """GET /api/2.0/workspace/get-status"""
    return _status(_readable(call))


def list_(call: Call) -> Json:
    """GET /api/2.0/workspace/list"""
    place = _readable(call)
    if place.file is not None:
        if place.file.is_file():
            return {"objects": [_status(place)]}
        root = clone_path(call.world, place.folder["id"]) if place.folder is not None else place.file
        children = sorted(c for c in place.file.iterdir() if c.name != ".git" and _is_inside(root, c))
        inside = [find(call, f"{place.path}/{child.name}") for child in children]
        return {"objects": [_status(child) for child in inside]} if inside else {}
    below = place.path.rstrip("/") + "/"
    rows = call.store.rows("select path from ws_directory union select path from ws_folder order by path")
    names = [(row["path"], row["path"][len(below) :]) for row in rows if row["path"].startswith(below)]
    found = [find(call, path) for path, name in names if name and "/" not in name]
    seen = [_status(child) for child in found if _may(call, child)]
    return {"objects": seen} if seen else {}


def export(call: Call) -> Json | Response:
    """GET /api/2.0/workspace/export; a directory with format AUTO is a zip of its files"""
    place = _readable(call)
    wanted = call.text("format", "SOURCE")
    if wanted not in _FORMATS:
        raise invalid(f"Format {wanted!r} is not one of {', '.join(_FORMATS)}.")
    if wanted not in ("SOURCE", "AUTO"):
        raise invalid(f"Format {wanted}: this sandbox does not emulate it; it exports with SOURCE and AUTO.")
    if place.file is None:
        raise invalid(f"{place.path} is not inside a Git folder: this sandbox does not emulate an export of it.")
    if place.file.is_dir():
        content = _zipped(place.file, with_git=_shows_git(call, place))
    else:
        writer = notebooks.source if wanted == "SOURCE" else notebooks.kept
        content = writer(place.file.name, place.file.read_bytes())
    if len(content) > _EXPORT_LIMIT:
        raise ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", f"{place.path} is larger than {_EXPORT_LIMIT} bytes.")
    if call.flag("direct_download"):
        return Response(content, media_type="application/octet-stream")
    return {"content": base64.b64encode(content).decode(), "file_type": place.file.suffix.lstrip(".")}


def import_(call: Call) -> Json:
    """POST /api/2.0/workspace/import: a file of a Git folder, where it is an uncommitted edit"""
    path = plain(call.text("path"))
    try:
        content = base64.b64decode(call.text("content", ""), validate=True)
    except (binascii.Error, ValueError):
        raise invalid("content is not base64.") from None
    place = find(call, path)
    if place.folder is None or place.file is None:
        if place.directory is not None:
            raise exists(f"Path ({path}) already exists.")
        raise invalid(f"{path} is not inside a Git folder: this sandbox does not emulate files elsewhere.")
    there = place.file.exists()
    permissions.require(call, "repos", place.folder["id"], "CAN_EDIT" if there else "CAN_MANAGE", path)
    if there and (not call.flag("overwrite") or place.file.is_dir()):
        raise exists(f"Path ({path}) already exists.")
    if not place.file.parent.is_dir():
        raise missing(f"The parent folder ({path.rsplit('/', 1)[0]}) does not exist.")
    place.file.write_bytes(content)
    return {}


def delete(call: Call) -> Json:
    """POST /api/2.0/workspace/delete"""
    path, recursive = plain(call.text("path")), call.flag("recursive")
    place = find(call, path)
    absent = missing(f"Path ({path}) doesn't exist.")
    if place.folder is not None and place.file is not None:
        permissions.require(call, "repos", place.folder["id"], "CAN_MANAGE", path)
        if not place.file.exists():
            raise absent
        if place.file.is_dir() and not recursive and any(place.file.iterdir()):
            raise _not_empty(path)
        if place.folder["path"] == path:
            git_folders.remove(call.world, place.folder["id"])
        elif place.file.is_dir():
            shutil.rmtree(place.file)
        else:
            place.file.unlink(missing_ok=True)
        return {}
    if place.directory is None:
        raise absent
    if place.directory["id"] == ROOT_ID:
        raise denied("The root directory cannot be deleted.")
    permissions.require(call, "directories", place.directory["id"], "CAN_MANAGE", path)
    inside = (path + "/", path + "0")  # "0" follows "/": all that begins with the path and a slash lies between
    folders = call.store.rows("select id from ws_folder where path > ? and path < ?", *inside)
    with call.store.together():
        below = call.store.rows("select id from ws_directory where path > ? and path < ?", *inside)
        if (below or folders) and not recursive:
            raise _not_empty(path)
        for row in (place.directory, *below):
            call.store.write("delete from ws_directory where id = ?", row["id"])
            levels.forget(call.store, "directories", row["id"])
    for row in folders:
        git_folders.remove(call.world, row["id"])
    return {}


def find(call: Call, path: str) -> Place:
    """What stands at a path; files of a Git folder lie in its clone."""
    for row in call.store.rows("select * from ws_folder"):
        if path == row["path"] or path.startswith(row["path"] + "/"):
            root = clone_path(call.world, row["id"])
            relative = path[len(row["path"]) :].strip("/")
            file = notebooks.file_of(root / relative) if relative else root
            if ".git" in Path(relative).parts or not _is_inside(root, file):
                raise missing(f"Path ({path}) doesn't exist.")
            return Place(path, folder=row, file=file)
    directory = call.store.row("select * from ws_directory where path = ?", path)
    return Place(path, directory=directory)


def _is_inside(root: Path, file: Path) -> bool:
    """A link in a repository may lead anywhere, to nothing, or in a circle (which raises up to Python 3.12)."""
    try:
        return (file.exists() or not file.is_symlink()) and file.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        return False


def _readable(call: Call) -> Place:
    place = find(call, plain(call.text("path")))
    there = (place.file is not None and place.file.exists()) or place.directory is not None
    if not there or not _may(call, place):
        raise missing(f"Path ({place.path}) doesn't exist.")
    return place


def _may(call: Call, place: Place) -> bool:
    """Whether the caller sees it: it may be read, or something in it may.

    https://docs.databricks.com/security/auth/access-control: who may see something sees the names of the folders above.
    """
    if place.folder is not None:
        return levels.has(call.store, call.who, "repos", place.folder["id"], "CAN_READ")
    if place.directory is None:
        return False
    if place.path == "/" or levels.has(call.store, call.who, "directories", place.directory["id"], "CAN_READ"):
        return True
    inside = (place.path + "/", place.path + "0")
    return any(
        levels.has(call.store, call.who, kind, row["id"], "CAN_READ")
        for kind, table in (("directories", "ws_directory"), ("repos", "ws_folder"))
        for row in call.store.rows(f"select id from {table} where path > ? and path < ?", *inside)
    )


def _status(place: Place) -> Json:
    if place.folder is not None and place.file is not None:
        if place.path == place.folder["path"]:
            if place.folder["cli"]:
                return _object("DIRECTORY", place.path, place.folder["id"], directory_info={"is_git_folder": True})
            return _object("REPO", place.path, place.folder["id"])
        number = place.folder["id"] * 1_000_000 + crc32(os.fsencode(place.path)) % 1_000_000
        if place.file.is_dir():
            return _object("DIRECTORY", place.path, number, directory_info={"is_git_folder": False})
        changed = {"modified_at": int(place.file.stat().st_mtime * 1000)}
        notebook = notebooks.read(place.file.name, place.file.read_bytes())
        if notebook is not None:
            path = place.path.removesuffix(place.file.suffix)
            number = place.folder["id"] * 1_000_000 + crc32(os.fsencode(path)) % 1_000_000  # with and without .py
            return {**_object("NOTEBOOK", path, number), "language": notebook.language, **changed}
        return {**_object("FILE", place.path, number), "size": place.file.stat().st_size, **changed}
    number = place.directory["id"] if place.directory is not None else ROOT_ID
    return _object("DIRECTORY", place.path, number, directory_info={"is_git_folder": False})


def _object(kind: str, path: str, number: int, **more: Json) -> Json:
    return {"object_type": kind, "path": _utf8(path), "object_id": number, "resource_id": str(number), **more}


def _utf8(name: str) -> str:
    """A file name of a repository may be no UTF-8."""
    return os.fsencode(name).decode(errors="replace")


def _shows_git(call: Call, place: Place) -> bool:
    root = place.folder is not None and place.path == place.folder["path"] and bool(place.folder["cli"])
    return root and call.world.switches.export_dot_git


def _not_empty(path: str) -> ApiError:
    return ApiError(400, "DIRECTORY_NOT_EMPTY", f"Folder ({path}) is not empty")


def _zipped(folder: Path, *, with_git: bool) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            relative = file.relative_to(folder)
            hidden = ".git" in relative.parts and not with_git
            if not hidden and _is_inside(folder, file) and file.is_file():
                archive.writestr(_utf8(str(relative)), notebooks.kept(file.name, file.read_bytes()))
    return buffer.getvalue()
