"""Notebooks: which files of a Git folder are, and how they are exported.

https://docs.databricks.com/notebooks/notebook-export-import (source files with a first line, .ipynb)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

_COMMENTS = {".py": ("#", "PYTHON"), ".sql": ("--", "SQL"), ".r": ("#", "R"), ".scala": ("//", "SCALA")}
OTHERS = tuple(extension for extension in _COMMENTS if extension != ".py")
_MARK = " Databricks notebook source"
_METADATA = "application/vnd.databricks.v1+notebook"


@dataclass(frozen=True)
class Notebook:
    """Its language, its comment sign, and its document where it is a Jupyter notebook."""

    language: str
    comment: str
    document: dict[str, Any] | None = None


def read(name: str, content: bytes) -> Notebook | None:
    """The notebook that a file is, None where it is an ordinary file."""
    extension = PurePath(name).suffix.lower()
    if extension == ".ipynb":
        return _jupyter(content)
    comment, language = _COMMENTS.get(extension, ("", ""))
    first = content.split(b"\n", 1)[0].rstrip(b"\r")
    return Notebook(language, comment) if comment and first == (comment + _MARK).encode() else None


def is_one(file: Path) -> bool:
    """Whether a file of a clone is a notebook."""
    return (
        file.suffix.lower() in (*_COMMENTS, ".ipynb") and file.is_file() and read(file.name, file.read_bytes()) is not None
    )


def file_of(path: Path) -> Path:
    """The file behind a workspace path: a notebook has no extension there."""
    if path.exists() or not path.name:
        return path
    beside = sorted(path.parent.glob("*")) if path.parent.is_dir() else []
    return next((one for one in beside if one.stem == path.name and is_one(one)), path)


def kept(name: str, content: bytes) -> bytes:
    """A file as a folder's export or format AUTO holds it: a notebook is written anew."""
    notebook = read(name, content)
    if notebook is None:
        return content
    if notebook.document is None:
        return content.removesuffix(b"\n")  # databricks/cli #117: the last newline is lost
    before = notebook.document.get("metadata")
    metadata = {**(before if isinstance(before, dict) else {}), _METADATA: {"language": notebook.language.lower()}}
    return json.dumps({**notebook.document, "metadata": metadata}, indent=1, ensure_ascii=False).encode()


def source(name: str, content: bytes) -> bytes:
    """A file in format SOURCE: a Jupyter notebook becomes cells in its language."""
    notebook = read(name, content)
    if notebook is None or notebook.document is None:
        return kept(name, content)
    comment, cells = notebook.comment, []
    for cell in notebook.document["cells"]:
        lines = "".join(cell.get("source", [])).split("\n")
        if cell.get("cell_type") == "markdown":
            lines = [f"{comment} MAGIC {line}".rstrip() for line in ("%md", *lines)]
        cells.append("\n".join(lines))
    return (f"{comment}{_MARK}\n" + f"\n\n{comment} COMMAND ----------\n\n".join(cells)).encode()


def _jupyter(content: bytes) -> Notebook | None:
    try:
        document = json.loads(content)
    except ValueError:
        return None
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list) or not all(_is_cell(cell) for cell in cells):
        return None
    metadata = document.get("metadata")
    found = [metadata.get(name) for name in (_METADATA, "language_info")] if isinstance(metadata, dict) else []
    named = [one.get("language") or one.get("name") for one in found if isinstance(one, dict)]
    said = next(filter(None, named), "python")
    known = {language: comment for comment, language in _COMMENTS.values()}
    language = str(said).upper() if str(said).upper() in known else "PYTHON"
    return Notebook(language, known[language], document)


def _is_cell(cell: Any) -> bool:
    source = cell.get("source", []) if isinstance(cell, dict) else None
    return isinstance(source, str) or (isinstance(source, list) and all(isinstance(line, str) for line in source))
