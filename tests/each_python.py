"""`make test-fast`: the tests that need no engine, under each Python from 3.11 on that is on this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from toolchain.python_packages import HERE, LOCK, OLDEST, settings

UV = str(HERE / ".venv" / "bin" / "uv")
Version = tuple[int, int, int]


def candidates(environ: Mapping[str, str]) -> list[Path]:
    """Every program that may be a Python 3: on PATH, and of pyenv, which shows one version at a time there."""
    folders = [Path(part) for part in environ.get("PATH", "").split(os.pathsep) if part]
    pyenv = Path(environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    on_path = [path for folder in folders for path in folder.glob("python3*") if re.fullmatch(r"python3(\.\d+)?", path.name)]
    return on_path + sorted(pyenv.glob("3.*/bin/python3"))


def pythons(candidates: list[Path]) -> dict[Version, Path]:
    """The newest CPython of each minor version that we support, with its program."""
    found = {version: path for path in reversed(candidates) if (version := _version(path)) and version >= OLDEST}
    newest = {version[:2]: version for version in sorted(found)}
    return {version: found[version] for version in newest.values()}


def _version(python: Path) -> Version | None:
    program = "import sys; print(*sys.version_info[:3], sys.implementation.name, sys.version_info.releaselevel)"
    try:
        said = subprocess.run(
            [str(python), "-I", "-c", program], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):  # a shim of a version that is not chosen
        return None
    major, minor, patch, *kind = said.split()
    return (int(major), int(minor), int(patch)) if kind == ["cpython", "final"] else None


def environment(version: Version, python: Path) -> Path:
    """A virtual environment of that Python with the lock and this project: `.venv` itself, or `.venv-3.13` beside it."""
    if version[:2] == sys.version_info[:2]:
        return HERE / ".venv"
    venv = HERE / f".venv-{version[0]}.{version[1]}"
    install = [UV, "pip", "install", "--quiet", "--python", str(venv / "bin" / "python")]
    more = settings([sys.executable, "-m", "pip"])
    for command in (
        [UV, "venv", "--quiet", "--allow-existing", "--python", str(python), str(venv)],
        [*install, "--require-hashes", "-r", str(LOCK)],
        [*install, "-e", str(HERE), "--no-deps", "--no-build-isolation"],
    ):
        subprocess.run(command, check=True, env={**os.environ, **more})
    return venv


def main(arguments: list[str]) -> int:
    """Run them; the last lines say under which versions, and how each run ended."""
    ended: dict[str, int] = {}
    for version, python in pythons(candidates(os.environ)).items():
        name = ".".join(map(str, version))
        print(f"\nPython {name}: {python}", flush=True)
        try:
            pytest = environment(version, python) / "bin" / "pytest"
        except subprocess.CalledProcessError as error:
            print(f"Python {name}: its packages cannot be installed ({' '.join(error.cmd[:3])})", flush=True)
            ended[name] = error.returncode
            continue
        command = [str(pytest), "-m", "not real and not clients", "-q", *arguments]
        if pytest.parents[1] != HERE / ".venv":  # ruff and mypy say the same there
            command += ["--deselect", "tests/test_house_rules.py::test_the_code_is_clean"]
        ended[name] = subprocess.run(command, cwd=HERE, check=False).returncode
    for name, code in ended.items():
        print(f"Python {name}: {'the fast tests pass' if code == 0 else f'failed (exit {code})'}")
    return max(ended.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
