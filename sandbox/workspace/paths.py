"""Workspace paths."""

from __future__ import annotations

from sandbox.workspace.errors import invalid

_PART_BYTES = 255  # of one name, as a file system has it


def plain(path: str) -> str:
    """Paths are taken with and without /Workspace and always answered without."""
    if not path.startswith("/"):
        raise invalid(f"Path ({path}) doesn't start with '/'")
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["Workspace"]:
        parts = parts[1:]
    if any(part in (".", "..") or not part.isprintable() or len(part.encode()) > _PART_BYTES for part in parts):
        raise invalid(f"Path ({path[:300]!r}) is not valid.")
    return "/" + "/".join(parts)


def parent_of(path: str) -> str:
    """The directory above."""
    return path.rsplit("/", 1)[0] or "/"
