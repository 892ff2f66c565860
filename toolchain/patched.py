"""Go modules that are changed before the provider plugins are built: docs/decisions/0021-patched-modules.md.

Each is copied from Go's module cache, where go.sum has judged it, and one patch of ours is applied to the copy. A patch that
does not fit to the letter ends the build.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from toolchain.errors import ToolchainError

PATCHES = {  # by module, as go.mod requires it
    "github.com/hashicorp/terraform-plugin-sdk/v2": "terraform-plugin-sdk.patch",
    "github.com/pulumi/pulumi-terraform-bridge/v3": "pulumi-terraform-bridge.patch",
}
_NOT_BUILT = shutil.ignore_patterns("*_test.go", "testdata", "*.json", "*.md")  # nine tenths of the bridge
_MODULE_FILE = "go.mod"


def module_file(go: str, module: Path, scratch: Path) -> Path:
    """A go.mod for `go build -modfile` that is the one in `module`, but for the patched modules, which lie in `scratch`.

    Raises:
        ToolchainError: a module cannot be had, or its patch does not fit.
    """
    made = scratch / _MODULE_FILE
    scratch.mkdir()
    shutil.copyfile(module / _MODULE_FILE, made)
    shutil.copyfile(module / "go.sum", made.with_suffix(".sum"))
    for name, patch in PATCHES.items():
        told = json.loads(_run([go, "mod", "download", "-json", name], module))
        copied = scratch / Path(patch).stem
        _copy(Path(told["Dir"]), copied)
        _apply(module / "patches" / patch, copied)
        _run([go, "mod", "edit", f"-replace={name}={copied}", str(made)], module)
    return made


def _copy(module: Path, target: Path) -> None:
    """A module that may be written, unlike those of the module cache."""
    shutil.copytree(module, target, ignore=_NOT_BUILT, copy_function=shutil.copyfile)
    for folder in (target, *(path for path in target.rglob("*") if path.is_dir())):
        folder.chmod(0o755)


def _apply(patch: Path, folder: Path) -> None:
    """Every hunk, or none."""
    # Inside of a repository Git would take the paths for the repository's own, and do nothing.
    _run(["git", "apply", "--whitespace=nowarn", str(patch)], folder, GIT_CEILING_DIRECTORIES=str(folder.parent))


def _run(command: list[str], folder: Path, **environ: str) -> str:
    """What it prints."""
    try:
        answer = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "GOWORK": "off", **environ},
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise ToolchainError(f"{command[0]} cannot be run ({error.strerror}): install it and put it on PATH.") from None
    if answer.returncode:
        said = (answer.stderr or answer.stdout).strip()
        raise ToolchainError(f"{said}\n{' '.join(command[:3])} failed: the modules to build cannot be made ready.")
    return answer.stdout
