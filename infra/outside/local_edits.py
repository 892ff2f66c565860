"""What a Git folder holds that is not as its commit has it: a pull is refused, a deletion would lose it.

The workspace changes some files on their way: an exported notebook has lost its last newline and an `.ipynb` may be
rewritten; Git itself converts files by `.gitattributes`. What cannot be compared surely is no edit, and is named.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from infra.errors import UserError
from infra.outside.git import Entry, blob_id, contents, run_in
from infra.outside.workspace import Workspace
from infra.outside.workspace_connection import Missing, Unreadable

# The first line of a notebook's source: https://docs.databricks.com/aws/en/notebooks/notebook-format
_NOTEBOOK = {".py": b"#", ".r": b"#", ".scala": b"//", ".sql": b"--"}
_MADE_BY_RUNS = ("__pycache__", ".ipynb_checkpoints")
_SHOWN = 5


@dataclass(frozen=True)
class Edits:
    """Files that differ from the commit, and those that could not be compared, each with its reason."""

    edited: tuple[str, ...] = ()
    unknown: Mapping[str, str] | None = None


def folder_edits(workspace: Workspace, path: str, repository: Path, tree: Mapping[str, Entry]) -> Edits:
    """The local edits of the Git folder at `path`, which is at the commit with this `tree`.

    Raises:
        Unreadable: the workspace does not export it: above 10 MB it refuses.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(workspace.export(path))) as archive:
            found = {i.filename.removeprefix("./"): archive.read(i) for i in archive.infolist() if not i.is_dir()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error) as error:
        raise Unreadable(f"Databricks: the export of {path} is no readable archive ({error}).") from None
    return compare(found, tree, lambda wanted: contents(repository, wanted), lambda files: _cleaned(repository, tree, files))


def compare(
    found: Mapping[str, bytes],
    tree: Mapping[str, Entry],
    read: Callable[[list[str]], Mapping[str, bytes]],
    cleaned: Callable[[Mapping[str, bytes]], Mapping[str, str | None]],
) -> Edits:
    """Exported files against a commit. `read` gives blobs by id, `cleaned` what Git would store (None: unsure)."""
    found = {path: content for path, content in found.items() if not _is_by_product(path)}
    edited: list[str] = []
    unknown: dict[str, str] = {}
    odd = any(entry.odd_name for entry in tree.values())
    modules = [f"{path}/" for path, entry in tree.items() if entry.is_submodule]
    changed = {}
    for path, content in found.items():
        entry = tree.get(path)
        if entry is not None and entry.id in _stored_as(path, content):
            continue
        if entry is not None and entry.is_link:
            unknown[path] = "a symbolic link"
        elif any(path.startswith(module) or f"{path}/" == module for module in modules):
            unknown[path] = "in a submodule"
        elif entry is None and odd and path not in tree and not path.isascii():
            unknown[path] = "its name may be another one in the commit, which is not UTF-8"
        elif entry is None and (other := _other_format(path, tree, found)):
            unknown[other] = "a notebook that the workspace exports in another format"
        else:
            changed[path] = content
    committed = {path: content for path, content in changed.items() if path in tree}
    stored = cleaned(committed)
    sources = read([tree[path].id for path in committed if path.endswith(".ipynb")])
    for path, content in changed.items():
        if path not in tree:
            edited.append(path)
        elif path.endswith(".ipynb") and _cells(content) == _cells(sources.get(tree[path].id, b"")) is not None:
            continue
        elif stored[path] is None:
            unknown[path] = "Git converts it by a filter of .gitattributes"
        elif stored[path] != tree[path].id:
            edited.append(path)
    for path, entry in tree.items():
        if path not in found and path not in unknown and not entry.is_submodule:
            if entry.is_link or entry.odd_name:
                unknown[path] = "a symbolic link" if entry.is_link else "its name is not UTF-8"
            elif not _is_by_product(path):
                edited.append(path)
    return Edits(tuple(sorted(edited)), dict(sorted(unknown.items())))


def need_nothing_uncommitted(
    workspace: Workspace, number: int, path: str, tree_at: Callable[[str], tuple[Path, Mapping[str, Entry]] | None]
) -> None:
    """Refuse to delete a Git folder that holds what nobody has anywhere else, or that cannot be looked at.

    `number` is the folder's id: its owner may have moved it. `tree_at(commit)` is None for a commit of no branch.

    Raises:
        UserError: names the folder and what would be lost.
    """
    try:
        folder = workspace.git_folder_of(number, f"CAN_READ on {path}")
        path, known = folder.path, tree_at(folder.commit)
        if known is None:
            why = f"it is at {folder.commit[:12]}, which is on no branch of the pipelines repository"
        else:
            edits = folder_edits(workspace, path, *known)
            if not edits.edited and not edits.unknown:
                return
            unsure = "" if edits.edited else "it cannot be compared with its commit: "
            why = f"{unsure or 'it holds what is not committed: '}{listed([*edits.edited, *(edits.unknown or ())])}"
    except Missing as error:
        why = (
            f"it cannot be found, so nobody knows what it holds ({error}) If it was deleted on purpose, `pulumi refresh`"
            " takes it out of the state"
        )
    except Unreadable as error:
        why = f"it cannot be read, so nobody knows what it holds ({error})"
    raise UserError(
        f"the personal folder {path} is not deleted: {why}. Commit and push it, or delete the folder in the workspace;"
        " until then keep its developer in quant:developers."
    )


def listed(paths: list[str]) -> str:
    """The first five, and how many more there are."""
    return ", ".join(paths[:_SHOWN]) + (f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else "")


def _is_by_product(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return parts[0] == ".git" or any(part in _MADE_BY_RUNS for part in parts[:-1])


def _stored_as(path: str, content: bytes) -> list[str]:
    """The blob ids of what may have been committed, where no attribute converts it."""
    return [blob_id(content), *([blob_id(content + b"\n")] if _is_notebook(path, content) else [])]


def _is_notebook(path: str, content: bytes) -> bool:
    comment = _NOTEBOOK.get(PurePosixPath(path).suffix.lower())
    return (comment is not None and content.startswith(comment + b" Databricks notebook source")) or path.endswith(".ipynb")


def _other_format(path: str, tree: Mapping[str, Entry], found: Mapping[str, bytes]) -> str:
    """The committed notebook that this file may be: the same name with another ending, of which one alone is there."""
    stem = str(PurePosixPath(path).with_suffix(""))
    others = [f"{stem}{ending}" for ending in (".ipynb", *_NOTEBOOK)]
    ours = [other for other in others if other in tree and other not in found]
    return ours[0] if len(ours) == 1 and (path.endswith(".ipynb") or ours[0].endswith(".ipynb")) else ""


def _cells(content: bytes) -> list[tuple[str, str]] | None:
    """Kind and source of each cell: what people write. Outputs and metadata are the product's."""
    try:
        cells = json.loads(content)["cells"]
        return [(str(c["cell_type"]), "".join(c["source"]).rstrip("\n")) for c in cells]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _cleaned(repository: Path, tree: Mapping[str, Entry], files: Mapping[str, bytes]) -> dict[str, str | None]:
    """Path -> the blob id under which Git would store the content, by the commit's own `.gitattributes`."""
    attributes = {path: entry for path, entry in tree.items() if PurePosixPath(path).name == ".gitattributes"}
    if not attributes or not files:
        return {path: blob_id(content) for path, content in files.items()}
    stored: dict[str, str | None] = {}
    rules = contents(repository, [entry.id for entry in attributes.values()])
    with tempfile.TemporaryDirectory(prefix="quant-attributes-") as folder:
        for path, entry in attributes.items():
            place = Path(folder) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(rules[entry.id])
        here = (f"--git-dir={repository.absolute()}", f"--work-tree={folder}", "-c", "core.bare=false")
        for path, content in files.items():
            told = run_in(Path(folder), *here, "check-attr", "-z", "filter", "--", path).stdout.split(b"\0")
            if len(told) > 2 and told[2] not in (b"unspecified", b"unset"):
                stored[path] = None  # a program of somebody's machine: never run here
                continue
            done = run_in(Path(folder), *here, "hash-object", "--stdin", f"--path={path}", given=content)
            stored[path] = done.stdout.decode().strip() if done.returncode == 0 else None
            if stored[path] != tree[path].id and _is_notebook(path, content):
                done = run_in(Path(folder), *here, "hash-object", "--stdin", f"--path={path}", given=content + b"\n")
                stored[path] = done.stdout.decode().strip() if done.returncode == 0 else None
    return stored
