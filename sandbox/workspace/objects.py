"""The workspace tree: directories, and the files of Git folders. https://docs.databricks.com/api/workspace/workspace"""

from __future__ import annotations

import base64
import binascii
import io
import shutil
import sqlite3
import zipfile
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from starlette.responses import Response

from sandbox.workspace import permissions
from sandbox.workspace.call import Call, Json
from sandbox.workspace.errors import ApiError, denied, exists, invalid, missing
from sandbox.workspace.git_folders import clone_path, plain

_NOTEBOOK = b"# Databricks notebook source"
_EXPORT_LIMIT = 10 * 1024 * 1024  # bytes, as the product documents for workspace/export


@dataclass(frozen=True)
class Place:
    """Where a workspace path is: inside a Git folder, or in the tree above."""

    path: str
    folder: sqlite3.Row | None = None
    directory: sqlite3.Row | None = None
    file: Path | None = None


def mkdirs(call: Call) -> Json:
    """POST /api/2.0/workspace/mkdirs"""
    path = plain(str(call.need("path")))
    place = find(call, path)
    if place.folder is not None and place.file is not None:
        permissions.require(call, "repos", place.folder["id"], "CAN_EDIT", path)
        place.file.mkdir(parents=True, exist_ok=True)
        return {}
    parts = path.strip("/").split("/")
    for depth in range(1, len(parts) + 1):
        below = "/" + "/".join(parts[:depth])
        if call.store.row("select id from ws_directory where path = ?", below):
            continue
        parent = below.rsplit("/", 1)[0] or "/"
        row = call.store.row("select id from ws_directory where path = ?", parent)
        if not (call.who.is_admin or (below + "/").startswith(f"/Users/{call.who.name}/")):
            if row is None:
                raise denied(f"{call.who.name} does not have CAN_MANAGE permissions on {parent}.")
            permissions.require(call, "directories", row["id"], "CAN_EDIT", parent)
        directory_id = call.store.new_id()
        with call.store.together():
            call.store.write("insert into ws_directory values (?, ?)", directory_id, below)
            permissions.grant(call.store, "directories", directory_id, call.who, "CAN_MANAGE")
    return {}


def get_status(call: Call) -> Json:
    """GET /api/2.0/workspace/get-status"""
    return _status(call, _readable(call))


def list_(call: Call) -> Json:
    """GET /api/2.0/workspace/list"""
    place = _readable(call)
    if place.file is not None:
        if place.file.is_file():
            return {"objects": [_status(call, place)]}
        children = sorted(child for child in place.file.iterdir() if child.name != ".git")
        inside = [find(call, f"{place.path}/{child.name}") for child in children]
        return {"objects": [_status(call, child) for child in inside]} if inside else {}
    below = place.path.rstrip("/") + "/"
    rows = call.store.rows("select path from ws_directory union select path from ws_folder order by path")
    paths = [row["path"] for row in rows if row["path"].startswith(below) and "/" not in row["path"][len(below) :]]
    found = [find(call, path) for path in paths]
    return {"objects": [_status(call, child) for child in found if _may(call, child, "CAN_READ")]}


def export(call: Call) -> Json | Response:
    """GET /api/2.0/workspace/export; a directory with format AUTO is a zip of its files"""
    place = _readable(call)
    if place.file is None:
        raise invalid(f"{place.path} is not inside a Git folder; this sandbox exports those only.")
    if place.file.is_dir():
        if call.query.get("format", "SOURCE") not in ("AUTO", "SOURCE"):
            raise invalid("A directory is exported with format AUTO or SOURCE.")
        content = _zipped(place.file)
    else:
        content = place.file.read_bytes()
    if len(content) > _EXPORT_LIMIT:
        raise ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", f"{place.path} is larger than 10485760 bytes.")
    if call.query.get("direct_download") in ("true", "True", "1"):
        return Response(content, media_type="application/octet-stream")
    return {"content": base64.b64encode(content).decode(), "file_type": place.file.suffix.lstrip(".")}


def import_(call: Call) -> Json:
    """POST /api/2.0/workspace/import"""
    path = plain(str(call.need("path")))
    try:
        content = base64.b64decode(str(call.body.get("content", "")), validate=True)
    except (binascii.Error, ValueError):
        raise invalid("content is not base64.") from None
    return write_file(call, path, content, overwrite=str(call.body.get("overwrite", "")).lower() == "true")


def write_file(call: Call, path: str, content: bytes, *, overwrite: bool) -> Json:
    """Put a file into a Git folder, where it is an uncommitted edit."""
    place = find(call, path)
    if place.folder is None or place.file is None:
        raise invalid(f"{path} is not inside a Git folder; this sandbox keeps files only there.")
    permissions.require(call, "repos", place.folder["id"], "CAN_EDIT", path)
    if place.file.exists() and not overwrite:
        raise exists(f"Path ({path}) already exists.")
    if not place.file.parent.is_dir():
        raise missing(f"The parent folder ({path.rsplit('/', 1)[0]}) does not exist.")
    place.file.write_bytes(content)
    return {}


def delete(call: Call) -> Json:
    """POST /api/2.0/workspace/delete"""
    path = plain(str(call.need("path")))
    place = find(call, path)
    if place.folder is not None and place.file is not None and place.folder["path"] != path:
        permissions.require(call, "repos", place.folder["id"], "CAN_EDIT", path)
        if not place.file.exists():
            raise missing(f"Path ({path}) doesn't exist.")
        if place.file.is_dir():
            shutil.rmtree(place.file)
        else:
            place.file.unlink()
        return {}
    if place.directory is None:
        raise missing(f"Path ({path}) doesn't exist.")
    permissions.require(call, "directories", place.directory["id"], "CAN_MANAGE", path)
    below = call.store.rows("select path from ws_directory union select path from ws_folder")
    if any(row["path"].startswith(path + "/") for row in below):
        raise ApiError(400, "DIRECTORY_NOT_EMPTY", f"Folder ({path}) is not empty")
    with call.store.together():
        call.store.write("delete from ws_directory where id = ?", place.directory["id"])
        permissions.forget(call.store, "directories", place.directory["id"])
    return {}


def find(call: Call, path: str) -> Place:
    """What stands at a path; files of a Git folder lie in its clone."""
    for row in call.store.rows("select * from ws_folder"):
        if path == row["path"] or path.startswith(row["path"] + "/"):
            root = clone_path(call.world, row["id"])
            relative = path[len(row["path"]) :].strip("/")
            file = root / relative if relative else root
            # A notebook has no extension in the workspace.
            if not file.exists() and file.with_name(file.name + ".py").is_file():
                file = file.with_name(file.name + ".py")
            if ".git" in Path(relative).parts or not file.resolve().is_relative_to(root.resolve()):
                raise missing(f"Path ({path}) doesn't exist.")
            return Place(path, folder=row, file=file)
    directory = call.store.row("select * from ws_directory where path = ?", path)
    return Place(path, directory=directory)


def _readable(call: Call) -> Place:
    place = find(call, plain(str(call.need("path"))))
    there = (place.file is not None and place.file.exists()) or place.directory is not None or place.path == "/"
    if not there or not _may(call, place, "CAN_READ"):
        raise missing(f"Path ({place.path}) doesn't exist.")
    return place


def _may(call: Call, place: Place, level: str) -> bool:
    kind, row = ("repos", place.folder) if place.folder is not None else ("directories", place.directory)
    if row is None:
        return place.path == "/"
    has = permissions.level_of(call.store, call.who, kind, str(row["id"]))
    order = permissions.FOLDER_LEVELS
    return has is not None and order.index(has) >= order.index(level)


def _status(call: Call, place: Place) -> Json:
    if place.folder is not None and place.file is not None:
        if place.path == place.folder["path"]:
            return _object("REPO", place.path, place.folder["id"])
        number = place.folder["id"] * 1000 + crc32(place.path.encode()) % 1000
        if place.file.is_dir():
            return _object("DIRECTORY", place.path, number)
        if place.file.suffix == ".py" and place.file.read_bytes().startswith(_NOTEBOOK):
            return {**_object("NOTEBOOK", place.path.removesuffix(".py"), number), "language": "PYTHON"}
        return {**_object("FILE", place.path, number), "size": place.file.stat().st_size}
    return _object("DIRECTORY", place.path, place.directory["id"] if place.directory is not None else 0)


def _object(kind: str, path: str, number: int) -> Json:
    return {"object_type": kind, "path": path, "object_id": number, "resource_id": str(number)}


def _zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            relative = file.relative_to(folder)
            if file.is_file() and ".git" not in relative.parts and "__pycache__" not in relative.parts:
                archive.write(file, str(relative))
    return buffer.getvalue()
