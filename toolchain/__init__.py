"""How the Pulumi engine and the two providers are obtained: installed, downloaded from their vendor, or built.

See docs/toolchain.md. `locate` is quick and changes nothing; `obtain` brings what is missing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from toolchain import cache, installed
from toolchain.build import BRIDGE_VERSION, ENGINE_VERSION, PINNED, build_programs
from toolchain.errors import ToolchainError
from toolchain.progress import Report

__all__ = [
    "Program",
    "Report",
    "Toolchain",
    "ToolchainError",
    "are_plugins_ours",
    "asked_plugins",
    "enter",
    "locate",
    "obtain",
]


@dataclass(frozen=True)
class Program:
    """A program of the toolchain: its version, what it was made from, and which version is asked for and reported."""

    name: str
    version: str
    path: Path
    origin: str = ""
    asked: str = ""


@dataclass(frozen=True)
class Toolchain:
    """Which way was taken; `bin` goes first on PATH (None: what is installed is there already)."""

    way: Literal["installed", "official", "built"]
    bin: Path | None
    programs: tuple[Program, ...]


def locate() -> Toolchain | None:
    """What is there now, without network or building; None when something has to be brought first."""
    if (found := installed.on_path()) is not None:
        return Toolchain("installed", None, (Program("pulumi", found[1], found[0]),))
    folder = _official_root() / "bin"
    if (folder / "pulumi").exists():
        return Toolchain("official", folder, _programs(folder))
    return _built() if cache.is_complete(cache.built_bin()) else None


def enter(environ: Mapping[str, str], *more: Path) -> dict[str, str]:
    """PATH with the toolchain and `more` first, each once; built plugins lie where that engine looks for them."""
    found = locate()
    folder = found and found.bin
    if found is not None and found.way == "built" and not _plugins_are_linked(environ):
        folder = cache.built_bin()  # found on PATH then, of which the engine warns
    first = [str(part) for part in (folder, *more) if part]
    rest = [part for part in environ.get("PATH", "").split(os.pathsep) if part and part not in first]
    return {"PATH": os.pathsep.join(first + rest)}


def _plugins_are_linked(environ: Mapping[str, str]) -> bool:
    """Link the built plugins into the engine's home; False where that cannot be written."""
    try:
        for name, plugin in _plugins(environ).items():
            cache.link(plugin, cache.built_bin() / f"pulumi-resource-{name}")
    except (OSError, ToolchainError):
        return False
    return True


def are_plugins_ours(environ: Mapping[str, str]) -> bool:
    """Whether the engine of this environment starts the plugins that were built here."""
    try:
        engine, plugins = shutil.which("pulumi", path=environ.get("PATH")), _plugins(environ).values()
    except ToolchainError:
        return False
    found = [Path(engine), *(one for one in plugins if one.exists())] if engine else []
    return bool(found) and all(cache.is_built(one.resolve()) for one in found)


def _plugins(environ: Mapping[str, str]) -> dict[str, Path]:
    """Where the engine looks for them first."""
    home = Path(environ.get("PULUMI_HOME") or cache.home(environ) / ".pulumi")
    return {name: cache.plugin(home, name, asked) for name, asked in asked_plugins().items()}


def obtain(report: Report) -> Toolchain:
    """The toolchain, brought in the first way that works; see the module.

    Raises:
        ToolchainError: no way works; says what to install or free.
    """
    if (found := locate()) is not None:
        return found
    from toolchain import official  # loads requests: 0.1 s, seldom needed

    report("no pulumi of version 3.187 or newer is installed; looking for the official one")
    try:
        official.install(_official_root(), report)
    except official.NotObtained as reason:
        report(f"{reason}\nbuilding it from pinned Go modules instead: about 7 minutes on 2 cores, once")
        build_programs(report)
    found = locate()
    assert found is not None
    return found


def _official_root() -> Path:
    return cache.root() / f"official-{ENGINE_VERSION}"


def _built() -> Toolchain:
    return Toolchain("built", cache.on_path(), _programs(cache.built_bin()))


def _programs(folder: Path) -> tuple[Program, ...]:
    names = cache.PROGRAMS if cache.is_complete(folder) else ("pulumi",)
    return tuple(_program(name, folder / name) for name in names if (folder / name).exists())


def _program(name: str, path: Path) -> Program:
    """A built provider is told as what it is, beside what the package asks for."""
    provider = name.removeprefix("pulumi-resource-")
    if provider not in cache.PROVIDERS:
        return Program(name, PINNED.get(name, ""), path)
    origin = f"the Terraform provider {PINNED[name]} behind pulumi-terraform-bridge {BRIDGE_VERSION}, built here"
    return Program(name, PINNED[name], path, origin, asked_plugins()[provider])


def asked_plugins() -> dict[str, str]:
    """Which plugin each Python package asks for: always the one of its own version."""
    return {provider: version(f"pulumi-{provider}") for provider in cache.PROVIDERS}
