"""Where built programs lie: in the user's cache folder, under a key made from everything that is pinned."""

from __future__ import annotations

import hashlib
import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from toolchain.errors import ToolchainError

HERE = Path(__file__).resolve().parent
MODULES = ("engine", "language", "providers")
PROVIDERS = ("databricks", "snowflake")
ENGINE = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")
PROGRAMS = (*ENGINE, *(f"pulumi-resource-{name}" for name in PROVIDERS))


def pins(folder: Path = HERE) -> list[Path]:
    """The files that say what is built: go.mod, go.sum, our own Go sources and our patches."""
    return sorted(
        path
        for module in MODULES
        for path in (folder / module).rglob("*")
        if path.name in {"go.mod", "go.sum"} or path.suffix in {".go", ".patch"}
    )


def key(folder: Path = HERE) -> str:
    """A short digest of the pins: another pin is another folder, so an old build never passes for a new one."""
    digest = hashlib.sha256()
    for path in pins(folder):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def home(environ: Mapping[str, str]) -> Path:
    """The user's home; it may not be there.

    Raises:
        ToolchainError: neither HOME nor the machine's list of users tells it, as in a container with a number for a user.
    """
    try:
        told = Path(environ.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        told = Path()
    if not told.is_absolute():
        raise ToolchainError("There is no home folder for the engine and its plugins: set HOME, or XDG_CACHE_HOME.")
    return told


def root() -> Path:
    """The user's cache folder for built programs ($XDG_CACHE_HOME or ~/.cache)."""
    told = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # A relative one is to be ignored: https://specifications.freedesktop.org/basedir/latest/
    return (told if told.is_absolute() else home(os.environ) / ".cache") / "quant" / "toolchain"


def is_ours(program: Path) -> bool:
    """Whether a program lies in the cache, or is a link into it."""
    return program.resolve().is_relative_to(root().resolve())


def is_built(program: Path) -> bool:
    """Whether a program lies where one of ours does, in whichever cache."""
    return program.parts[-5:-3] == ("quant", "toolchain")


def built_bin() -> Path:
    """The folder of the programs that the pins name, whether it is there or not."""
    return root() / key() / "bin"


def on_path() -> Path:
    """What goes on PATH: engine and language host alone, since the engine tells a plugin found there as a wrong one.

    Where their folder could not be made, the folder of all programs: that works too, with the engine's warnings.
    """
    folder = built_bin().parent / "path"
    return folder if all((folder / name).exists() for name in ENGINE) else built_bin()


def link_engine() -> None:
    """Make the folder of `on_path`."""
    for name in ENGINE:
        link(built_bin().parent / "path" / name, built_bin() / name)


def plugin(folder: Path, name: str, version: str) -> Path:
    """Where an engine with the home `folder` looks for a provider: https://www.pulumi.com/docs/iac/concepts/plugins/"""
    return folder / "plugins" / f"resource-{name}-v{version}" / f"pulumi-resource-{name}"


def link(link: Path, target: Path) -> None:
    """Make `link` point to `target`, whoever else does so at the same time; what is not a link of ours is left alone."""
    if link.is_symlink() and link.readlink() == target:
        return
    if link.exists() and not (link.is_symlink() and is_built(link.readlink())):
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    new = link.with_name(f".{link.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)


def is_complete(folder: Path) -> bool:
    """Whether every program lies in `folder` and may be run."""
    return all(os.access(folder / name, os.X_OK) for name in PROGRAMS)
