"""Build the engine, the Python language host and both provider plugins from pinned Go modules."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolchain import cache, patched
from toolchain.errors import ToolchainError
from toolchain.progress import Report

ENGINE_VERSION = "v3.256.0"
PINNED = {  # as in the go.mod files; a test compares
    "pulumi": ENGINE_VERSION,
    "pulumi-language-python": "v3.0.0-20250806165243-bee5e4fa4815",
    "pulumi-language-python-exec": ENGINE_VERSION,
    "pulumi-resource-pulumi-python": ENGINE_VERSION,
    "pulumi-resource-databricks": "v1.126.0",
    "pulumi-resource-snowflake": "v1.2.3",
}
BRIDGE_VERSION = "v3.137.0"  # as in providers/go.mod; a test compares
_VERSION_FLAG = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={ENGINE_VERSION}"
_GO_NEEDED = (1, 25, 11)  # the `go` line of engine/go.mod and providers/go.mod
_DISK_FOR_CACHES = 6 * 1024**3  # bytes; module cache 3.5 GB and build cache 2 GB, measured
_DISK_FOR_PROGRAMS = 1024**3  # bytes; the programs are 0.3 GB, measured


@dataclass(frozen=True)
class Step:
    """One `go build`: in which module, of which packages, and about how long on 2 cores."""

    title: str
    module: str
    arguments: tuple[str, ...]
    expected: float  # seconds


STEPS = (
    Step(
        "the Pulumi engine",
        "engine",
        ("-ldflags", f"-s -w {_VERSION_FLAG}", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"),
        210,
    ),
    Step(
        "the Python language host",
        "language",
        ("-ldflags", "-s -w", "github.com/pulumi/pulumi/sdk/python/cmd/pulumi-language-python/v3"),
        40,
    ),
    Step("the Databricks provider", "providers", ("-ldflags", "-s -w", "./pulumi-resource-databricks"), 120),
    Step("the Snowflake provider", "providers", ("-ldflags", "-s -w", "./pulumi-resource-snowflake"), 60),
)


def build_programs(report: Report) -> Path:
    """Build what is not there yet; returns the folder of the programs.

    Raises:
        ToolchainError: no Go, too old a Go, no disk, no modules, a wrong checksum, code that does not compile, or a cache
            folder that cannot be written.
    """
    try:
        return _build(cache.built_bin(), report)
    except OSError as error:
        raise ToolchainError(
            f"The programs cannot be built in {cache.root()}: {error.strerror or error}"
            f"{f' ({error.filename})' if error.filename else ''}; make it yours, or set XDG_CACHE_HOME to a folder that is."
        ) from None


def _build(target: Path, report: Report) -> Path:
    root = target.parent.parent
    root.mkdir(parents=True, exist_ok=True)
    with _alone(root, report):
        if not cache.is_complete(target):
            go = find_go()
            check_disk(root, _DISK_FOR_PROGRAMS)
            for folder in _go_caches(go):
                check_disk(folder, _DISK_FOR_CACHES)
            with tempfile.TemporaryDirectory(dir=root, prefix="build-") as scratch:
                made = Path(scratch) / "bin"
                made.mkdir()
                for number, step in enumerate(STEPS, 1):
                    _run_step(go, step, made, f"[{number}/{len(STEPS) + 1}]", report)
                report(f"[{len(STEPS) + 1}/{len(STEPS) + 1}] the language host's scripts")
                _copy_scripts(go, made)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.rmtree(target, ignore_errors=True)
                made.rename(target)
        cache.link_engine()
    return target


def find_go() -> str:
    """The `go` program, new enough."""
    go = shutil.which("go")
    need = ".".join(map(str, _GO_NEEDED))
    if go is None:
        raise ToolchainError(
            "no pulumi was found, none can be downloaded here, and there is no Go to build one: install"
            f" Go {need} or newer and put it on PATH, or install pulumi and its databricks and snowflake plugins."
        )
    said = _ask_go(go, "GOVERSION")
    found = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", said)
    if found is None or tuple(int(part or 0) for part in found.groups()) < _GO_NEEDED:
        what = said or "of an unknown version"
        raise ToolchainError(f"{go} is {what}; Go {need} or newer is needed: install it and put it on PATH.")
    return go


def _ask_go(go: str, setting: str) -> str:
    """A setting as Go sees it in our module, where it may have chosen a newer toolchain; '' if it does not tell."""
    try:
        answer = subprocess.run(
            [go, "env", setting],
            cwd=cache.HERE / "engine",
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()


def _go_caches(go: str) -> Iterator[Path]:
    for setting in ("GOMODCACHE", "GOCACHE"):
        if answer := _ask_go(go, setting):
            yield Path(answer)


def check_disk(folder: Path, needed: int) -> None:
    """Refuse to start a build that cannot end; `folder` need not be there yet."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise ToolchainError(
            f"the disk of {folder} has {free / 1024**3:.1f} GB free; the build needs {needed / 1024**3:.0f} GB"
            " there: free some, or set XDG_CACHE_HOME, GOMODCACHE and GOCACHE to folders on a larger disk."
        )


def _run_step(go: str, step: Step, out: Path, number: str, report: Report) -> None:
    command = [go, "build", "-trimpath", "-mod=readonly", "-o", f"{out}{os.sep}", *_modules(go, step, out), *step.arguments]
    started = time.monotonic()

    def spent() -> float:
        return time.monotonic() - started

    report(f"{number} {step.title}: about {_spell(step.expected)}")
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command,
            cwd=cache.HERE / step.module,
            stdout=errors,
            stderr=errors,
            env={**os.environ, "GOWORK": "off"},
        )
        try:
            with report.during(
                lambda: f"{number} {step.title}: {_spell(spent())} of about {_spell(max(step.expected, spent()))}"
            ):
                code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if code:
            errors.seek(0)
            raise ToolchainError(explain(step.title, errors.read()))
    report(f"{number} {step.title}: done in {_spell(spent())}")


def _modules(go: str, step: Step, out: Path) -> tuple[str, ...]:
    """The flag that has the plugins built from patched modules, which are made ready once."""
    if step.module != "providers":
        return ()
    scratch = out.with_name("modules")
    made = scratch / "go.mod"
    return ("-modfile", str(made if made.exists() else patched.module_file(go, cache.HERE / step.module, scratch)))


def explain(title: str, said: str) -> str:
    """What `go build` said, as what to do about it."""
    last = "\n".join(said.strip().splitlines()[-6:])
    if "checksum mismatch" in said or "SECURITY ERROR" in said:
        hint = "a module is not the one that go.sum pins: do not go on; check the module proxy (GOPROXY) in use."
    elif "no space left on device" in said:
        hint = "the disk is full: free space, or set GOCACHE and GOMODCACHE to a larger disk."
    elif re.search(r"dial tcp|i/o timeout|no such host|connection refused|403 Forbidden|404 Not Found", said):
        hint = "a Go module could not be downloaded: check the network and GOPROXY, then run this again."
    elif "is not defined" in said:
        hint = "Go has no folder for what it downloads and compiles: set HOME, or GOCACHE and GOMODCACHE."
    else:
        hint = "the build failed; what Go said last is above."
    return f"{last}\n{title}: {hint}"


def _copy_scripts(go: str, out: Path) -> None:
    """Two files of the SDK module that the language host looks for beside itself."""
    answer = subprocess.run(
        [go, "list", "-mod=readonly", "-m", "-json", "github.com/pulumi/pulumi/sdk/v3"],
        cwd=cache.HERE / "engine", capture_output=True, text=True, check=False,
    )  # fmt: skip
    if answer.returncode:
        raise ToolchainError(explain("the language host's scripts", answer.stderr))
    source = Path(json.loads(answer.stdout)["Dir"])
    for relative in ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python"):
        copied = out / Path(relative).name
        shutil.copyfile(source / relative, copied)
        copied.chmod(0o755)


@contextmanager
def _alone(folder: Path, report: Report) -> Iterator[None]:
    """One build at a time for this user; a second one waits, then finds everything there."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("another process is building the same programs; waiting for it")
            with report.during(lambda: "waiting for the build of another process"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _spell(seconds: float) -> str:
    return f"{int(seconds) // 60}m{int(seconds) % 60:02d}s"
