"""How the Pulumi engine and the two providers are obtained: installed, by the official installer, or built.

See docs/toolchain.md. `locate` is quick and changes nothing; `obtain` brings what is missing.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from toolchain import cache
from toolchain.build import ENGINE_VERSION, PINNED, Report, build_programs
from toolchain.errors import ToolchainError

__all__ = ["Program", "Toolchain", "ToolchainError", "enter", "locate", "obtain"]

_OLDEST = (3, 187)
_OFFICIAL_HOST = "get.pulumi.com"
_INSTALL_SECONDS = 15.0  # after that, building is the surer way


@dataclass(frozen=True)
class Program:
    """A program of the toolchain; `version` is '' where it does not tell, `origin` what it was made from."""

    name: str
    version: str
    path: Path
    origin: str = ""


@dataclass(frozen=True)
class Toolchain:
    """Which way was taken; `bin` goes first on PATH (None: what is installed is there already)."""

    way: Literal["installed", "official", "built"]
    bin: Path | None
    programs: tuple[Program, ...]


def locate() -> Toolchain | None:
    """What is there now, without network or building; None when something has to be brought first."""
    if (installed := _installed()) is not None:
        return installed
    official = _official_root() / "bin"
    if (official / "pulumi").exists():
        return Toolchain("official", official, _programs(official))
    if cache.is_complete(cache.built_bin()):
        return Toolchain("built", cache.on_path(), _programs(cache.built_bin()))
    return None


def enter(environ: Mapping[str, str], *more: Path) -> dict[str, str]:
    """PATH with the toolchain and `more` first, each once; built plugins lie where that engine looks for them."""
    found = locate()
    first = [str(part) for part in ((found and found.bin), *more) if part]
    rest = [part for part in environ.get("PATH", "").split(os.pathsep) if part and part not in first]
    if found is not None and found.way == "built":
        with contextlib.suppress(OSError):  # a home that cannot be written: the engine says what it misses
            _settle(environ)
    return {"PATH": os.pathsep.join(first + rest)}


def _settle(environ: Mapping[str, str]) -> None:
    home = Path(environ.get("PULUMI_HOME") or Path(environ.get("HOME") or Path.home()) / ".pulumi")
    for name in cache.PROGRAMS:
        if name.removeprefix("pulumi-resource-") not in cache.PROVIDERS:
            cache.link(cache.on_path() / name, cache.built_bin() / name)
    for name in cache.PROVIDERS:
        asked = version(f"pulumi-{name}")  # the engine takes the plugin of exactly the SDK's version
        cache.link(cache.plugin(home, name, asked), cache.built_bin() / f"pulumi-resource-{name}")


def obtain(report: Report = print) -> Toolchain:
    """The toolchain, brought in the first way that works; see the module.

    Raises:
        ToolchainError: no way works; says what to install or free.
    """
    if (found := locate()) is not None:
        return found
    report("no pulumi is installed; asking the official installer")
    if _install_officially():
        found = locate()
        if found is not None:
            return found
    report("the official installer did not answer in time; building from pinned Go modules, 7 minutes, once")
    built = build_programs(report)
    return Toolchain("built", cache.on_path(), _programs(built))


def _installed() -> Toolchain | None:
    """A pulumi on PATH that the user put there; our own build may be there too, after `quantctl env`."""
    found = shutil.which("pulumi")
    if found is None or Path(found).resolve().is_relative_to(cache.root().resolve()):
        return None
    told = _version(Path(found))
    numbers = re.match(r"v?(\d+)\.(\d+)", told)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < _OLDEST:
        return None
    return Toolchain("installed", None, (Program("pulumi", told, Path(found)),))


def _official_root() -> Path:
    return cache.root() / f"official-{ENGINE_VERSION}"


def _install_officially() -> bool:
    try:
        socket.create_connection((_OFFICIAL_HOST, 443), timeout=3).close()
    except OSError:
        return False
    program = (
        "import sys, semver; from pulumi.automation import PulumiCommand;"
        " PulumiCommand.install(root=sys.argv[1], version=semver.VersionInfo.parse(sys.argv[2]))"
    )
    cache.root().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache.root(), prefix="official-", ignore_cleanup_errors=True) as scratch:
        # An install that was cut short must not be found by `locate`: it gets its name only when it is whole.
        made = Path(scratch) / "root"
        command = [sys.executable, "-c", program, str(made), ENGINE_VERSION.removeprefix("v")]
        if not _ends_well(command, _INSTALL_SECONDS):
            return False
        try:
            made.rename(_official_root())
        except OSError:  # another process was quicker
            return (_official_root() / "bin" / "pulumi").exists()
    return True


def _ends_well(command: list[str], seconds: float) -> bool:
    """Run `command`; when its time is over, end it with the downloads that it started (its own process group)."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        return process.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _programs(folder: Path) -> tuple[Program, ...]:
    names = cache.PROGRAMS if cache.is_complete(folder) else ("pulumi",)
    there = [name for name in names if (folder / name).exists()]
    return tuple(Program(name, PINNED.get(name, ""), folder / name, _origin(name)) for name in there)


def _origin(name: str) -> str:
    """What a built provider really is, beside what the SDK asks for."""
    provider = name.removeprefix("pulumi-resource-")
    if provider not in cache.PROVIDERS:
        return ""
    return (
        f"built here from the Terraform provider {PINNED[name]} through pulumi-terraform-bridge, in place of the plugin"
        f" {version(f'pulumi-{provider}')} that the package pulumi-{provider} asks for"
    )


def _version(pulumi: Path) -> str:
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [str(pulumi), "version"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()
