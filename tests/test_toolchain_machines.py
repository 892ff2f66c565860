"""The toolchain on machines as they are: foreign or missing homes, old programs, strict umasks, other users."""

from __future__ import annotations

import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

import toolchain
from tests.toolchain_programs import own_cache as own_cache
from tests.toolchain_programs import program
from toolchain import Report, ToolchainError, build, cache, installed, official, patched

assert official.PINNED  # loaded before a test takes the rights to read the libraries away
_NOBODY = 65534


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """Someone who is not root and has no right but those that a folder gives; a folder that they can reach."""
    folder = Path(tempfile.mkdtemp(prefix="quant-"))
    folder.chmod(0o755)
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(_NOBODY)
    try:
        yield folder
    finally:
        if was_root:
            os.seteuid(0)
        shutil.rmtree(folder)


def _as_root(folder: Path, mode: int) -> Path:
    """A folder of somebody else, where there is somebody else; `mode` alone must keep us out."""
    was = os.geteuid()
    if was == _NOBODY:
        os.seteuid(0)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(mode)
    os.seteuid(was)
    return folder


@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME"])
def test_a_cache_that_cannot_be_written_is_one_sentence(
    unprivileged: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """A read-only home, and a cache of somebody else: the folder, the reason, and the way out."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("PATH", str(unprivileged))
    monkeypatch.setenv(variable, str(_as_root(unprivileged / "theirs", 0o555)))
    assert toolchain.locate() is None
    with pytest.raises(ToolchainError) as caught:
        toolchain.obtain(Report(Console(file=io.StringIO())))
    assert re.fullmatch(
        rf"The programs cannot be built in {cache.root()}: Permission denied \(\S+\);"
        r" make it yours, or set XDG_CACHE_HOME to a folder that is\.",
        str(caught.value),
    )


@pytest.mark.parametrize("home", [None, "", "not/absolute", "/nonexistent"])
def test_without_a_home_the_message_says_what_to_set(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch, home: str | None
) -> None:
    """No home, an empty or a relative one, and one that is not there."""
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME")
    if home is not None:
        monkeypatch.setenv("HOME", home)
    monkeypatch.setattr("pwd.getpwuid", _nobody_knows)
    if home == "/nonexistent":
        assert toolchain.locate() is None
        return
    with pytest.raises(
        ToolchainError, match=r"no home folder for the engine and its plugins: set HOME, or XDG_CACHE_HOME\.$"
    ):
        toolchain.locate()


def _nobody_knows(uid: int) -> None:
    raise KeyError(uid)


def test_a_relative_cache_is_not_taken(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard says to ignore it."""
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("HOME", str(own_cache))
    assert cache.root() == own_cache / ".cache" / "quant" / "toolchain"


@pytest.fixture
def built(own_cache: Path) -> Path:
    """A whole build in a cache of its own."""
    for name in cache.PROGRAMS:
        program(cache.built_bin(), name, "echo v3.256.0")
    cache.link_engine()
    return own_cache


def test_an_old_pulumi_first_on_path_is_passed_over(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours comes before it, for quantctl and for plain pulumi."""
    program(built / "path", "pulumi", "echo v3.100.0")
    found = shutil.which("pulumi", path=toolchain.enter(os.environ)["PATH"])
    assert found is not None
    assert installed.version_of(Path(found)) == "v3.256.0"


@pytest.mark.parametrize("script", ["exit 1", "echo no version", "printf '\\377'"])
def test_a_pulumi_that_does_not_tell_its_version_is_passed_over(own_cache: Path, script: str) -> None:
    """Broken, a wrapper that asks something, or bytes that are no text."""
    program(own_cache / "path", "pulumi", script)
    assert toolchain.locate() is None


def test_built_plugins_lie_in_the_engines_home_and_not_on_path(built: Path) -> None:
    """The engine finds each under the version that the package asks for, and warns of nothing."""
    home = built / "home"
    path = toolchain.enter({"PATH": "/bin", "PULUMI_HOME": str(home)})["PATH"].split(os.pathsep)
    assert path == [str(cache.built_bin().parent / "path"), "/bin"]
    assert not list(Path(path[0]).glob("pulumi-resource-[ds]*"))
    for provider, asked in toolchain.asked_plugins().items():
        plugin = home / "plugins" / f"resource-{provider}-v{asked}" / f"pulumi-resource-{provider}"
        assert plugin.resolve() == cache.built_bin() / f"pulumi-resource-{provider}"


def test_a_plugin_of_an_earlier_build_is_replaced_and_another_one_kept(built: Path) -> None:
    """A link into any cache of ours is ours, wherever that cache was; what the vendor installed is the vendor's."""
    home = built / "home"
    asked = toolchain.asked_plugins()
    earlier = program(built / "elsewhere" / "quant" / "toolchain" / "0123" / "bin", "pulumi-resource-databricks", "true")
    theirs = cache.plugin(home, "snowflake", asked["snowflake"])
    ours = cache.plugin(home, "databricks", asked["databricks"])
    ours.parent.mkdir(parents=True)
    ours.symlink_to(earlier)
    program(theirs.parent, theirs.name, "true")
    toolchain.enter({"PULUMI_HOME": str(home)})
    assert ours.resolve() == cache.built_bin() / ours.name
    assert not theirs.is_symlink()


def test_an_engines_home_that_cannot_be_written_still_finds_the_plugins(
    unprivileged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are on PATH then."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(unprivileged))
    monkeypatch.setenv("PATH", str(unprivileged))
    was = os.geteuid()
    if was == _NOBODY:
        os.seteuid(0)
    for name in cache.PROGRAMS:
        program(cache.built_bin(), name, "true")
    os.seteuid(was)
    home = _as_root(unprivileged / "theirs", 0o555)
    path = toolchain.enter({"PATH": "/bin", "PULUMI_HOME": str(home)})["PATH"]
    assert path == f"{cache.built_bin()}:/bin"
    assert shutil.which("pulumi-resource-databricks", path=path)


def test_a_build_under_a_strict_umask_is_found_again(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs are for their owner alone, and that is enough."""
    sdk = own_cache / "sdk" / "python"
    for folder, name in (("cmd", "pulumi-language-python-exec"), ("dist", "pulumi-resource-pulumi-python")):
        (sdk / folder).mkdir(parents=True, exist_ok=True)
        (sdk / folder / name).write_text("#!/bin/sh\n")
    go = f"""case $1 in
      env) if [ $2 = GOVERSION ]; then echo go1.26.0; fi ;;
      list) echo '{{"Dir": "{sdk.parent}"}}' ;;
      build) while [ $# -gt 1 ]; do [ "$1" = -o ] && out=$2; shift; done
        name=${{1##*/}}; [ $name = v3 ] && name=pulumi-language-python
        printf '#!/bin/sh\\n' > $out/$name; /bin/chmod u+x $out/$name ;;
    esac"""
    program(own_cache / "path", "go", go)
    monkeypatch.setattr(build, "_DISK_FOR_PROGRAMS", 0)
    monkeypatch.setattr(patched, "PATCHES", {})
    before = os.umask(0o077)
    try:
        build.build_programs(Report(Console(file=io.StringIO())))
    finally:
        os.umask(before)
    found = toolchain.locate()
    assert found is not None
    assert found.bin == cache.built_bin().parent / "path"
    assert {program.name for program in found.programs} == set(cache.PROGRAMS)
