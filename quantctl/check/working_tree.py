"""A pipelines repository as it lies in a folder: what a commit of it would hold."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from infra.workflows import Files
from quantctl.errors import UserError


def paths_of(folder: Path) -> frozenset[str]:
    """Every file that is committed or could be: of a Git repository without what it ignores, else all.

    Raises:
        UserError: there is no such folder.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder.", do_next="quantctl check FOLDER, the pipelines repository")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=folder, capture_output=True, check=False
    )
    if listed.returncode == 0:
        names = (os.fsdecode(name) for name in listed.stdout.split(b"\0") if name)
        return frozenset(name for name in names if (folder / name).is_file())
    return frozenset(
        (Path(there) / name).relative_to(folder).as_posix()
        for there, folders, files in os.walk(folder)
        for name in files
        if ".git" not in Path(there).relative_to(folder).parts
    )


def files_of(folder: Path, present: frozenset[str], workflows: str) -> Files:
    """The definitions among them, read when they are asked for."""
    return Files(present, workflows, lambda paths: {path: (folder / path).read_bytes() for path in paths})
