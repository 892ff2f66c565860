"""Where built programs lie: in the user's cache folder, under a key made from everything that is pinned."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = ("engine", "language", "providers")
PROVIDERS = ("databricks", "snowflake")
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


def on_path() -> Path:
    """What goes on PATH: engine and language host alone. A plugin found there is told as a wrong one by the engine."""
    return built_bin().parent / "path"


def plugin(folder: Path, name: str, version: str) -> Path:
    """Where an engine with the home `folder` looks for a provider: https://www.pulumi.com/docs/iac/concepts/plugins/"""
    return folder / "plugins" / f"resource-{name}-v{version}" / f"pulumi-resource-{name}"


def link(link: Path, target: Path) -> None:
    """Make `link` point to `target`, whoever else does so at the same time; what is not a link of ours is left alone."""
    if link.is_symlink() and link.readlink() == target:
        return
    if link.exists() and not (link.is_symlink() and link.readlink().is_relative_to(root())):
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    new = link.with_name(f".{link.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)


def is_complete(folder: Path) -> bool:
    """Whether every program lies in `folder` and may be run."""
    return all(os.access(folder / name, os.X_OK) for name in PROGRAMS)
