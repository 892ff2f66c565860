"""The toolchain: what a user is told, and which build belongs to which pins. Nothing here downloads or builds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import toolchain
from toolchain import ToolchainError, build, cache


def _program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and an empty PATH."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path


def _copy_of_pins(folder: Path) -> Path:
    for path in cache.pins():
        copied = folder / path.relative_to(cache.HERE)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copied)
    return folder


def test_same_pins_in_another_checkout_share_a_build(tmp_path: Path) -> None:
    """A second clone finds what the first has built."""
    assert cache.key(_copy_of_pins(tmp_path)) == cache.key()


@pytest.mark.parametrize("file", ["engine/go.mod", "language/go.sum", "providers/bridge/bridge.go", "providers/shim/go.mod"])
def test_a_changed_pin_or_source_is_another_build(tmp_path: Path, file: str) -> None:
    """Whatever goes into the programs changes the key."""
    changed = _copy_of_pins(tmp_path) / file
    changed.write_text(changed.read_text() + "\n")
    assert cache.key(tmp_path) != cache.key()


def test_reported_versions_are_the_pinned_ones() -> None:
    """`quantctl toolchain` cannot name a version that go.mod does not pin."""
    modules = {
        "pulumi": ("engine", "github.com/pulumi/pulumi/pkg/v3"),
        "pulumi-language-python-exec": ("engine", "github.com/pulumi/pulumi/sdk/v3"),
        "pulumi-resource-pulumi-python": ("engine", "github.com/pulumi/pulumi/sdk/v3"),
        "pulumi-language-python": (
            "language",
            "github.com/pulumi/pulumi/sdk/python/cmd/pulumi-language-python/v3",
        ),
        "pulumi-resource-databricks": ("providers/shim", "github.com/databricks/terraform-provider-databricks"),
        "pulumi-resource-snowflake": ("providers", "github.com/Snowflake-Labs/terraform-provider-snowflake"),
    }
    assert set(modules) == set(build.PINNED) == set(cache.PROGRAMS)
    for program, (folder, module) in modules.items():
        text = (cache.HERE / folder / "go.mod").read_text()
        pinned = re.search(rf"(?m)^(?:require)?\s*{re.escape(module)} (v\S+)", text)
        assert pinned is not None, program
        assert build.PINNED[program] == pinned[1], program


def test_an_empty_machine_has_no_toolchain(own_cache: Path) -> None:
    """`locate` says so instead of fetching."""
    assert toolchain.locate() is None
    assert not (own_cache / "cache").exists()


def test_a_build_with_a_program_missing_is_not_taken(own_cache: Path) -> None:
    """Half a build is no build."""
    for name in cache.PROGRAMS:
        _program(cache.built_bin(), name, "true")
    whole = toolchain.locate()
    assert whole is not None
    assert (whole.way, whole.bin) == ("built", cache.on_path())
    assert {program.name for program in whole.programs} == set(cache.PROGRAMS)
    (cache.built_bin() / "pulumi-resource-snowflake").unlink()
    assert toolchain.locate() is None


def test_an_installed_pulumi_comes_first_when_new_enough(own_cache: Path) -> None:
    """The user's own pulumi is used as it is; one that is too old is passed over."""
    _program(own_cache / "path", "pulumi", "echo v3.200.1")
    found = toolchain.locate()
    assert found is not None
    assert (found.way, found.bin, found.programs[0].version) == ("installed", None, "v3.200.1")
    _program(own_cache / "path", "pulumi", "echo v3.186.9")
    assert toolchain.locate() is None


def test_an_install_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    """No download goes on behind the user's back, and nobody waits for it."""
    child = tmp_path / "child"
    script = _program(tmp_path, "slow", f"sleep 60 & echo $! > {child}\nwait")
    began = time.monotonic()
    assert not toolchain._ends_well([str(script)], 0.5)
    assert time.monotonic() - began < 10
    stat = Path(f"/proc/{child.read_text().strip()}/stat")
    for _ in range(50):
        if not stat.exists() or stat.read_text().split()[2] == "Z":
            return
        time.sleep(0.1)
    pytest.fail("the child still runs")


def test_without_go_the_message_says_what_to_install(own_cache: Path) -> None:
    """No Go on PATH."""
    with pytest.raises(ToolchainError, match=r"there is no Go to build one: install Go 1\.25\.11 or newer"):
        build.build_programs(lambda line: None)
    assert not cache.built_bin().exists()


@pytest.mark.parametrize("said", ["go1.21.4", "go1.25.10", "go1.25", "devel"])
def test_an_old_go_is_refused_with_both_versions(own_cache: Path, said: str) -> None:
    """The message names the program that was found, its version and the one needed."""
    go = _program(own_cache / "path", "go", f"echo {said}")
    with pytest.raises(ToolchainError, match=rf"{go} is {said}; Go 1\.25\.11 or newer is needed"):
        build.find_go()


@pytest.mark.parametrize("said", ["go1.25.11", "go1.26.0", "go2.0"])
def test_a_new_enough_go_is_taken(own_cache: Path, said: str) -> None:
    """At the version that go.mod asks for, and above."""
    go = _program(own_cache / "path", "go", f"echo {said}")
    assert build.find_go() == str(go)


def test_the_needed_go_is_what_the_modules_ask_for() -> None:
    """A module that asks for a newer Go must raise what we say is needed."""
    asked = max(
        tuple(int(part) for part in line.split()[1].split("."))
        for path in cache.pins()
        if path.name == "go.mod"
        for line in path.read_text().splitlines()
        if line.startswith("go ")
    )
    assert asked == build._GO_NEEDED


def test_a_full_disk_is_refused_before_the_build(tmp_path: Path) -> None:
    """What is free, what is needed, which settings move it; also for a folder that is not there yet."""
    folder = tmp_path / "not" / "there"
    with pytest.raises(ToolchainError, match=r"GB free; the build needs \d+ GB there: free some, or set XDG_"):
        build.check_disk(folder, shutil.disk_usage(tmp_path).total + 1024**3)
    build.check_disk(folder, 0)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("verifying x@v1: checksum mismatch\nSECURITY ERROR", "not the one that go.sum pins"),
        ("write /x: no space left on device", "the disk is full"),
        ("dial tcp: lookup registry: no such host", "check the network and GOPROXY"),
        ("x.go:3: undefined: y", "the build failed"),
    ],
)
def test_a_failed_build_says_what_to_do(said: str, hint: str) -> None:
    """Go's own last words stay, and a hint follows."""
    message = build.explain("the engine", said)
    assert said.splitlines()[-1] in message
    assert hint in message


def test_a_failed_step_leaves_no_programs(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing half-built is left in the cache, and the step that failed was shown with its expected time."""
    answer = 'if [ "$1" = env ]; then [ "$2" = GOVERSION ] && echo go1.26.0; exit 0; fi'
    _program(own_cache / "path", "go", f"{answer}\necho 'dial tcp: connection refused' >&2; exit 1")
    monkeypatch.setattr(build, "_DISK_FOR_PROGRAMS", 0)
    lines: list[str] = []
    with pytest.raises(ToolchainError, match="could not be downloaded"):
        build.build_programs(lines.append)
    assert lines == ["[1/5] the Pulumi engine: about 3m30s"]
    assert sorted(path.name for path in cache.root().iterdir()) == ["lock"]


def test_a_second_build_waits_for_the_first(own_cache: Path) -> None:
    """Two processes that build at once do not collide: the later one finds the programs there."""
    cache.root().mkdir(parents=True)
    holder = (
        "import fcntl, sys, time\n"
        "lock = open(sys.argv[1], 'w'); fcntl.flock(lock, fcntl.LOCK_EX); print('held', flush=True)\n"
        "sys.stdin.read()"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", holder, str(cache.root() / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "held\n"
    lines: list[str] = []

    def finish_first(line: str) -> None:
        lines.append(line)
        for name in cache.PROGRAMS:
            _program(cache.built_bin(), name, "true")
        first.communicate("")

    assert build.build_programs(finish_first) == cache.built_bin()
    assert lines == ["another process is building the same programs; waiting for it"]
