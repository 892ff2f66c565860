"""Modules that are changed before the plugins are built. Nothing here downloads or compiles."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.toolchain_programs import own_cache as own_cache
from tests.toolchain_programs import program
from toolchain import ToolchainError, cache, patched

_CODE = "one\ntwo\nthree\n"
_PATCH = "--- a/code.go\n+++ b/code.go\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"


@pytest.fixture
def module(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our Go module with a patch for one that lies, read-only, in Go's module cache."""
    monkeypatch.setattr(patched, "PATCHES", {"example.org/theirs": "theirs.patch"})
    theirs, ours = own_cache / "modcache" / "theirs@v1", own_cache / "ours"
    (theirs / "inner").mkdir(parents=True)
    (theirs / "code.go").write_text(_CODE)
    (theirs / "inner" / "code_test.go").write_text("")
    for path in (theirs / "code.go", theirs / "inner", theirs):
        path.chmod(path.stat().st_mode & ~0o222)
    (ours / "patches").mkdir(parents=True)
    (ours / "patches" / "theirs.patch").write_text(_PATCH)
    for name in ("go.mod", "go.sum"):
        (ours / name).write_text(name)
    told = json.dumps({"Dir": str(theirs)})
    program(own_cache / "path", "go", f'case $2 in download) echo \'{told}\';; edit) printf %s "$3" >> "$4";; esac')
    git = shutil.which("git", path=os.defpath + ":/usr/local/bin")
    assert git is not None
    (own_cache / "path" / "git").symlink_to(git)
    return ours


def test_a_module_is_built_from_a_patched_copy(module: Path, tmp_path: Path) -> None:
    """The copy is changed, the module cache and our go.mod are not; also inside of somebody's repository."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    made = patched.module_file("go", module, tmp_path / "modules")
    assert (made.parent / "theirs" / "code.go").read_text() == "one\n2\nthree\n"
    assert made.read_text() == f"go.mod-replace=example.org/theirs={made.parent / 'theirs'}"
    assert made.with_suffix(".sum").read_text() == "go.sum"
    assert (module / "go.mod").read_text() == "go.mod"
    assert not (made.parent / "theirs" / "inner" / "code_test.go").exists()


@pytest.mark.parametrize("now", ["one\nTWO\nthree\n", "one\n2\nthree\n"])
def test_a_patch_that_does_not_fit_ends_the_build(module: Path, tmp_path: Path, now: str) -> None:
    """The module has changed, or does itself what the patch was for."""
    code = tmp_path / "modcache" / "theirs@v1" / "code.go"
    code.chmod(0o644)
    code.write_text(now)
    with pytest.raises(ToolchainError, match=r"patch failed: code.go:1[\s\S]*the modules to build cannot be made ready"):
        patched.module_file("go", module, tmp_path / "modules")


def test_without_git_the_message_names_it(module: Path, tmp_path: Path) -> None:
    """Git applies the patch."""
    (tmp_path / "path" / "git").unlink()
    with pytest.raises(ToolchainError, match="git cannot be run"):
        patched.module_file("go", module, tmp_path / "modules")


def test_each_patch_belongs_to_a_module_that_is_pinned() -> None:
    """A patch that nobody applies would be taken for one that is."""
    providers = cache.HERE / "providers"
    assert sorted(path.name for path in (providers / "patches").iterdir()) == sorted(patched.PATCHES.values())
    assert all(f"\t{name} v" in (providers / "go.mod").read_text() for name in patched.PATCHES)


@pytest.mark.real
@pytest.mark.parametrize("provider", cache.PROVIDERS)
def test_the_patched_sdk_answers_as_the_sdk_does(provider: str) -> None:
    """The copy of each schema against one by reflection, before and after a change; what is kept against what is new."""
    if not cache.is_complete(cache.built_bin()):
        pytest.skip("the plugins are not built on this machine")
    plugin = cache.built_bin() / f"pulumi-resource-{provider}"
    answer = subprocess.run([str(plugin), "-unlike"], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(answer.stdout) == {}
