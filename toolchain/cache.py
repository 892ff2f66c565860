"""Where built programs lie: in the user's cache folder, under a key made from everything that is pinned."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = ("engine", "language", "providers")
PROGRAMS = (
    "pulumi",
    "pulumi-language-python",
    "pulumi-language-python-exec",
    "pulumi-resource-pulumi-python",
    "pulumi-resource-databricks",
    "pulumi-resource-snowflake",
)


def pins(folder: Path = HERE) -> list[Path]:
    """The files that say what is built: go.mod, go.sum and our own Go sources."""
    return sorted(
        path
        for module in MODULES
        for path in (folder / module).rglob("*")
        if path.name in {"go.mod", "go.sum"} or path.suffix == ".go"
    )


def key(folder: Path = HERE) -> str:
    """A short digest of the pins: another pin is another folder, so an old build never passes for a new one."""
    digest = hashlib.sha256()
    for path in pins(folder):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def root() -> Path:
    """The user's cache folder for built programs ($XDG_CACHE_HOME or ~/.cache)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "quant" / "toolchain"


def built_bin() -> Path:
    """The folder of the programs that the pins name, whether it is there or not."""
    return root() / key() / "bin"


def is_complete(folder: Path) -> bool:
    """Whether every program lies in `folder` and may be run."""
    return all(os.access(folder / name, os.X_OK) for name in PROGRAMS)
