"""The Python packages of requirements.lock in a virtual environment: by uv, which takes seconds, or else by pip.

`make` runs this before anything is installed: standard library only, and it must parse under an old Python to refuse it.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
LOCK = HERE / "requirements.lock"
OLDEST = (3, 11)
_WHAT = ["--require-hashes", "-r", str(LOCK)]
_OURS = ["-e", str(HERE), "--no-deps", "--no-build-isolation"]
# pip's settings and uv's variables: https://pip.pypa.io/en/stable/topics/configuration/ and
# https://docs.astral.sh/uv/reference/environment/; uv reads nothing of pip's, and a company's machine has only those.
_SETTINGS = {
    "cert": ("SSL_CERT_FILE", " "),
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "no-index": ("UV_NO_INDEX", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "proxy": ("ALL_PROXY", " "),
}
_TOLD = 2.0  # seconds between two lines of a log
# What every run of the engine and of quantctl loads. uv compiles nothing, a shell may forbid Python to write what it has
# compiled, and then each run spends 0.4 s on it.
_LOADED = (
    "annotated_types", "certifi", "charset_normalizer", "click", "cryptography", "google", "grpc", "idna", "pip", "pulumi",
    "pydantic", "pydantic_core", "requests", "rich", "typer", "typing_inspection", "urllib3", "yaml",
)  # fmt: skip
_OWN = ("infra", "policy", "quantctl", "toolchain")


def install(venv: Path, python: str = sys.executable) -> None:
    """The environment `venv` with every package of the lock and this project; what is there already is kept."""
    bin = venv / "bin"
    stamp = venv / ".stamp"
    whole = stamp.exists() and stamp.read_text().strip() == str(venv.absolute())
    if not whole:  # none, half of one, or one whose checkout was moved: its programs name the old folder
        _must(f"creating {venv.name} with {python}", [python, "-m", "venv", "--clear", str(venv)])
    pip = [str(bin / "python"), "-m", "pip"]
    failed = _get_uv(pip)
    if not failed:
        uv = [str(bin / "uv"), "pip", "install", "--python", str(bin / "python")]
        more = settings(pip)
        failed = _run("installing the pinned Python packages", [*uv, *_WHAT], more)
        failed = failed or _run("installing quantctl", [*uv, *_OURS], more)
    if failed:
        print(f"uv did not manage: {failed.strip().splitlines()[-1]}", flush=True)
        _must("installing the pinned Python packages with pip, about a minute", [*pip, "install", *_WHAT])
        _must("installing quantctl", [*pip, "install", *_OURS])
    else:  # pip compiles what it installs
        found = [str(path) for path in sorted(venv.glob("lib/python*/site-packages/*")) if path.name in _LOADED]
        compile = [str(bin / "python"), "-m", "compileall", "-q", "-j", "0", *found, *(str(HERE / name) for name in _OWN)]
        _run("compiling what every run loads", compile)  # where it fails, Python compiles at each run
    stamp.write_text(f"{venv.absolute()}\n")


def lock(venv: Path) -> None:
    """Write requirements.lock again: for every platform and Python, with hashes, without the name of an index."""
    pip = [str(venv / "bin" / "python"), "-m", "pip"]
    compile = ["pip", "compile", "pyproject.toml", "--extra", "dev", "--generate-hashes", "--universal", "--no-header"]
    where = ["--python-version", ".".join(map(str, OLDEST)), "--output-file", LOCK.name]
    _must("resolving pyproject.toml", [str(venv / "bin" / "uv"), *compile, *where], settings(pip))


def _get_uv(pip: list[str]) -> str:
    """Install the uv that the lock pins, which takes pip; '' when it is there, else why it is not."""
    pinned = re.search(r"(?m)^uv==\S+.*\n(?: .*\n)*", LOCK.read_text())
    if pinned is None:
        return "requirements.lock does not pin it"
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
        wanted.write(pinned[0])
        wanted.flush()
        return _run("installing uv", [*pip, "install", "--require-hashes", "-r", wanted.name])


def settings(pip: list[str]) -> dict[str, str]:
    """What pip is told on this machine, as variables for uv; those that are set for uv itself stay."""
    answer = subprocess.run([*pip, "config", "list"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    found: dict[str, str] = {}
    lines = answer.stdout.decode(errors="replace").splitlines()
    for section in ("global.", "install.", ":env:."):  # the later ones win, as with pip
        for line in lines:
            name, _, told = line.partition("=")
            if name.startswith(section) and name[len(section) :] in _SETTINGS:
                variable, between = _SETTINGS[name[len(section) :]]
                values = str(ast.literal_eval(told)).split()
                if variable == "UV_FIND_LINKS":  # uv refuses a folder that is not there, which pip passes over
                    values = [value for value in values if "://" in value or Path(value).is_dir()]
                found[variable] = between.join(values)
    return {name: value for name, value in found.items() if value and name not in os.environ}


def _must(title: str, command: list[str], more: dict[str, str] | None = None) -> None:
    failed = _run(title, command, more)
    if failed:
        last = "\n".join(failed.strip().splitlines()[-12:])
        sys.exit(f"{last}\n{title}: failed; what {Path(command[0]).name} said last is above.")


def _run(title: str, command: list[str], more: dict[str, str] | None = None) -> str:
    """Run `command` and tell how long it takes; '' when it went well, else what it said."""
    began, over, terminal = time.monotonic(), threading.Event(), sys.stdout.isatty()

    def tell() -> None:
        while not over.wait(0.5 if terminal else _TOLD):
            text = f"{title}: {time.monotonic() - began:.0f} s"
            print(f"\r{text}" if terminal else text, end="" if terminal else "\n", flush=True)

    print(title, end="" if terminal else "\n", flush=True)
    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **(more or {})}
    try:
        done = subprocess.run(
            command, cwd=str(HERE), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
    finally:
        over.set()
        teller.join()
    said = done.stdout.decode(errors="replace")
    print(f"{chr(13) if terminal else ''}{title}: {'done' if not done.returncode else 'failed'} in "
          f"{time.monotonic() - began:.1f} s", flush=True)  # fmt: skip
    return (said or f"exit {done.returncode}") if done.returncode else ""


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        sys.exit(
            f"Python 3.11 or newer is needed, {sys.executable} is {sys.version.split()[0]}: make PYTHON=/path/to/python3.11"
        )
    {"install": install, "lock": lock}[sys.argv[1]](Path(sys.argv[2]))
