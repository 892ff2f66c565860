"""The toolchain: what a user is told, and which build belongs to which pins. Nothing here downloads or builds."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from rich.console import Console

import toolchain
from quantctl.reference import toolchain as command
from tests.toolchain_programs import own_cache as own_cache
from tests.toolchain_programs import program
from toolchain import Report, ToolchainError, build, cache, lacking


def _copy_of_pins(folder: Path) -> Path:
    for path in cache.pins():
        copied = folder / path.relative_to(cache.HERE)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copied)
    return folder


def test_same_pins_in_another_checkout_share_a_build(tmp_path: Path) -> None:
    """A second clone finds what the first has built."""
    assert cache.key(_copy_of_pins(tmp_path)) == cache.key()


@pytest.mark.parametrize(
    "file",
    [
        "engine/go.mod",
        "language/go.sum",
        "providers/bridge/bridge.go",
        "providers/shim/go.mod",
        "providers/patches/terraform-plugin-sdk.patch",
    ],
)
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
    for name, (folder, module) in modules.items():
        assert build.PINNED[name] == _pinned_module(folder, module), name
    assert _pinned_module("providers", "github.com/pulumi/pulumi-terraform-bridge/v3") == build.BRIDGE_VERSION


def _pinned_module(folder: str, module: str) -> str:
    text = (cache.HERE / folder / "go.mod").read_text()
    pinned = re.search(rf"(?m)^(?:require)?\s*{re.escape(module)} (v\S+)", text)
    assert pinned is not None, module
    return pinned[1]


@pytest.mark.parametrize("provider", cache.PROVIDERS)
def test_a_built_plugin_reports_the_version_that_the_package_asks_for(provider: str) -> None:
    """Else the engine warns at every preview; the pin, the installed package and the Go source name one version."""
    project = tomllib.loads((cache.HERE.parent / "pyproject.toml").read_text())["project"]
    [pinned] = [one.split("==")[1] for one in project["dependencies"] if one.startswith(f"pulumi-{provider}==")]
    source = (cache.HERE / "providers" / f"pulumi-resource-{provider}" / "main.go").read_text()
    assert re.findall(r'Version:\s+"([^"]+)"', source) == [pinned]
    assert toolchain.asked_plugins()[provider] == pinned


def test_the_command_tells_what_each_plugin_really_is(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The Terraform provider, the bridge, and beside them what is asked for and reported."""
    for name in cache.PROGRAMS:
        program(cache.built_bin(), name, "true")
    command.show()
    told = capsys.readouterr().out
    for provider, terraform in (("databricks", "v1.126.0"), ("snowflake", "v1.2.3")):
        assert (
            f"the Terraform provider {terraform} behind pulumi-terraform-bridge v3.137.0, built here;"
            f" it reports {toolchain.asked_plugins()[provider]}, which the package asks for"
        ) in told


def test_an_empty_machine_has_no_toolchain(own_cache: Path) -> None:
    """`locate` says so instead of fetching."""
    assert toolchain.locate() is None
    assert not (own_cache / "cache").exists()


def test_a_build_with_a_program_missing_is_not_taken(own_cache: Path) -> None:
    """Half a build is no build."""
    for name in cache.PROGRAMS:
        program(cache.built_bin(), name, "true")
    whole = toolchain.locate()
    assert whole is not None
    assert whole.way == "built"
    assert {program.name for program in whole.programs} == set(cache.PROGRAMS)
    (cache.built_bin() / "pulumi-resource-snowflake").unlink()
    assert toolchain.locate() is None


def test_an_installed_pulumi_comes_first_when_new_enough(own_cache: Path) -> None:
    """The user's own pulumi is used as it is; one that is too old is passed over."""
    program(own_cache / "path", "pulumi", "echo v3.200.1")
    found = toolchain.locate()
    assert found is not None
    assert (found.way, found.bin, found.programs[0].version) == ("installed", None, "v3.200.1")
    program(own_cache / "path", "pulumi", "echo v3.186.9")
    assert toolchain.locate() is None


def test_without_go_the_message_says_what_to_install(own_cache: Path) -> None:
    """No Go on PATH."""
    with pytest.raises(ToolchainError, match=r"there is no Go to build one: install Go 1\.25\.11 or newer"):
        build.build_programs(Report(Console(file=io.StringIO())))
    assert not cache.built_bin().exists()


@pytest.mark.parametrize("said", ["go1.21.4", "go1.25.10", "go1.25", "devel"])
def test_an_old_go_is_refused_with_both_versions(own_cache: Path, said: str) -> None:
    """The message names the program that was found, its version and the one needed."""
    go = program(own_cache / "path", "go", f"echo {said}")
    with pytest.raises(ToolchainError, match=rf"{go} is {said}; Go 1\.25\.11 or newer is needed"):
        build.find_go()


@pytest.mark.parametrize("said", ["go1.25.11", "go1.26.0", "go2.0"])
def test_a_new_enough_go_is_taken(own_cache: Path, said: str) -> None:
    """At the version that go.mod asks for, and above."""
    go = program(own_cache / "path", "go", f"echo {said}")
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
    program(own_cache / "path", "go", f"{answer}\necho 'dial tcp: connection refused' >&2; exit 1")
    monkeypatch.setattr(build, "_DISK_FOR_PROGRAMS", 0)
    told = io.StringIO()
    with pytest.raises(ToolchainError, match="could not be downloaded"):
        build.build_programs(Report(Console(file=told)))
    assert told.getvalue() == "[1/5] the Pulumi engine: about 3m30s\n"
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
    told = io.StringIO()

    class Finishing(Report):
        """Ends the first build once the second has said that it waits."""

        def __call__(self, text: str) -> None:
            super().__call__(text)
            for name in cache.PROGRAMS:
                program(cache.built_bin(), name, "true")
            first.communicate("")

    assert build.build_programs(Finishing(Console(file=told, width=200))) == cache.built_bin()
    assert told.getvalue() == "another process is building the same programs; waiting for it\n"


@pytest.mark.real
def test_what_the_built_providers_lack_is_written_down() -> None:
    """`make lacking` after each change of a pin; see toolchain/lacking.json."""
    if not cache.is_complete(cache.built_bin()):
        pytest.skip("the plugins are not built on this machine")
    assert json.loads(lacking.FILE.read_text()) == lacking.compared()
    assert "tasks.alert_task.parameters" in lacking.inputs("Job")
    assert lacking.inputs("Repo") == frozenset()
